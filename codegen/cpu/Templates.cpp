//===- Templates.cpp - Which templates there are, and who is asked --------===//

#include "codegen/cpu/Template.h"

#include "support/ConvCost.h"

#include <algorithm>

namespace resin::codegen {

/// Multiply-adds in an unrolled body: a few times what any good kernel has.
static constexpr int64_t kLargestBody = 1024;

double Template::cost(const ConvProblem &conv, const Numbers &) const {
  const ConvShape &s = conv.shape;
  return kPlainSumCost * (s.r * s.s) * s.n * s.oh * s.ow;
}

static bool areInRange(const std::vector<Numbers> &values, const Numbers &numbers) {
  for (size_t i = 0; i < numbers.size(); ++i)
    if (std::ranges::find(values[i], numbers[i]) == values[i].end())
      return false;
  return true;
}

bool Template::accepts(const ConvProblem &conv, const Numbers &numbers) const {
  if (numbers.size() != knobs.size() || !suits(conv) || !areInRange(values(conv), numbers))
    return false;
  const Needs needed = needs(conv, numbers);
  return needed.body <= kLargestBody && needed.scratch <= kLargestScratch && fits(conv, numbers);
}

const std::array<const Template *, 6> &templates() {
  static const std::array<const Template *, 6> all = {&directTemplate(),          &weightTemplate(),
                                                      &winogradTemplate(4),       &winogradTemplate(2),
                                                      &winogradWeightTemplate(4), &winogradWeightTemplate(2)};
  return all;
}

const Template *findTemplate(const Knobs &knobs) {
  const auto found =
      std::ranges::find_if(templates(), [&](const Template *row) { return areNamed(knobs, row->name, row->knobs); });
  return found == templates().end() ? nullptr : *found;
}

TemplateChoice chooseTemplate(const ConvProblem &conv, Numerics numerics) {
  TemplateChoice best;
  double least = 0;
  for (const Template *row : templates()) {
    if (!row->suits(conv) || !satisfies(*row, numerics))
      continue;
    Numbers numbers = row->untuned(conv);
    const double cost = row->cost(conv, numbers);
    if (!best.row || cost < least)
      best = {row, std::move(numbers)}, least = cost;
  }
  return best;
}

Numbers divisorsOf(int value, int most) {
  Numbers result;
  for (int d = 1; d <= std::min(value, most); ++d)
    if (value % d == 0)
      result.push_back(d);
  return result;
}

Numbers upTo(int most) {
  Numbers result;
  for (int i = 1; i <= most; ++i)
    result.push_back(i);
  return result;
}

} // namespace resin::codegen
