//===- ChooseKnobs.cpp - From tuning records to a kernel's knobs ----------===//
//
//   1. Leave out records of other targets.
//   2. Order those of the same kind of convolution by how far their shape is, then
//      by how far their machine and code are, then by whether their search raced what
//      the program may use.
//   3. Take the first whose knobs the template accepts for this shape.
// Of entry functions only their own records count.
//
//===----------------------------------------------------------------------===//

#include "tuning/ChooseKnobs.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <tuple>

namespace resin::tuning {

namespace {

/// Doublings between two shapes beyond which nothing is borrowed.
constexpr double kFarthest = 4;
/// What a record must gain over the default for its knobs to be lent: less is noise.
constexpr double kWorthLending = 0.97;

/// The anchor, if it is a convolution.
const KernelNode *anchorOf(const KernelSpec &spec) {
  for (const KernelNode &node : spec.nodes)
    if (node.op.starts_with("conv2d"))
      return &node;
  return nullptr;
}

const std::vector<int64_t> *shapeAt(const KernelSpec &spec, const KernelNode &node, size_t i) {
  if (i >= node.operands.size() || node.operands[i] < 0 || node.operands[i] >= static_cast<int>(spec.operands.size()))
    return nullptr;
  return &spec.operands[node.operands[i]].shape;
}

/// Doublings between the extents of both operands and the result; none if the kernels
/// are of different kinds: op, window, strides or layouts.
std::optional<double> distance(const KernelSpec &a, const KernelSpec &b) {
  const KernelNode *x = anchorOf(a), *y = anchorOf(b);
  if (!x || !y || x->op != y->op)
    return std::nullopt;
  for (const auto &[name, value] : x->attributes)
    if (name != "size" &&
        std::find(y->attributes.begin(), y->attributes.end(), std::pair(name, value)) == y->attributes.end())
      return std::nullopt;
  double sum = 0;
  auto compare = [&](const std::vector<int64_t> &left, const std::vector<int64_t> &right) {
    for (size_t d = 0; d < std::min(left.size(), right.size()); ++d)
      sum += std::fabs(std::log2(double(left[d]) / double(right[d]))) / 2; // each extent occurs in two of three shapes
    return left.size() == right.size();
  };
  for (size_t i = 0; i < 2; ++i) {
    const auto *left = shapeAt(a, *x, i), *right = shapeAt(b, *y, i);
    if (!left || !right || !compare(*left, *right) ||
        a.operands[x->operands[i]].layout != b.operands[y->operands[i]].layout)
      return std::nullopt;
  }
  if (!compare(x->results[0], y->results[0]))
    return std::nullopt;
  // A different epilogue or halo matters less than any extent.
  return a == b ? 0 : sum + 0.01 + 0.05 * std::fabs(double(a.nodes.size()) - double(b.nodes.size()));
}

} // namespace

KnobChooser::KnobChooser(const std::vector<TuningRecord> &user, const std::vector<TuningRecord> &shipped,
                         const codegen::TargetInfo &target, const std::string &cpu, const std::string &version,
                         codegen::Numerics numerics)
    : target(target), numerics(numerics) {
  auto rankOf = [&](const TuningRecord &record, int first) {
    return first + (record.cpu == cpu ? 0 : 4) + (record.version == version ? 0 : 2);
  };
  for (const TuningRecord &record : user)
    add(record, rankOf(record, 0));
  for (const TuningRecord &record : shipped)
    add(record, rankOf(record, 1));
  auto keyOf = [&](const Known &entry) {
    const TuningRecord &record = entry.record;
    return std::tuple(entry.rank, record.numerics != numerics, record.spec, record.knobs);
  };
  std::sort(known.begin(), known.end(), [&](const Known &a, const Known &b) { return keyOf(a) < keyOf(b); });
}

void KnobChooser::add(const TuningRecord &record, int rank) {
  Known entry{record, {}, rank};
  std::string error;
  if (record.target == target.name && (isEntry(record.spec) || parse(record.spec, entry.spec, error)))
    known.push_back(std::move(entry));
}

KnobChoice KnobChooser::choose(const KernelSpec &spec) const {
  const codegen::Knobs allowed = codegen::defaultKnobs(spec, target, numerics);
  if (allowed.empty())
    return {};
  // The default need not be named, unless it rounds in another way than asked.
  const codegen::Knobs untuned = codegen::defaultKnobs(spec, target),
                       fallback = allowed == untuned ? codegen::Knobs() : allowed;
  std::vector<std::pair<double, const Known *>> near;
  for (const Known &entry : known)
    if (std::optional<double> far = distance(spec, entry.spec); far && *far <= kFarthest)
      near.push_back({*far, &entry});
  std::sort(near.begin(), near.end()); // at the same distance by their place in `known`
  for (auto [far, entry] : near) {
    const TuningRecord &record = entry->record;
    if (!codegen::satisfies(record.knobs, numerics))
      continue;
    // A strict search raced fewer forms than fast programs have: where their default is one of the others, what it
    // found may be slower.
    const bool raced = numerics == codegen::Numerics::Strict || record.numerics == codegen::Numerics::Fast;
    if (!raced && !codegen::satisfies(untuned, record.numerics))
      continue;
    const bool own = far == 0 && entry->rank <= 1 && raced;
    const KnobSource source = own ? KnobSource::Tuned : KnobSource::Borrowed;
    if (source == KnobSource::Borrowed && record.median > kWorthLending * record.untuned)
      return {source, fallback}; // there the default was as good
    if (record.knobs == allowed)
      return {source, fallback};
    if (codegen::acceptsKnobs(spec, target, record.knobs))
      return {source, record.knobs};
  }
  return {KnobSource::Default, fallback};
}

FusionChoice KnobChooser::chooseFusion(const std::string &signature) const {
  for (const Known &entry : known)
    if (entry.record.spec == signature && entry.record.numerics == numerics)
      if (std::optional<FusionKnobs> knobs = fusionKnobsFrom(entry.record.knobs))
        return {entry.rank <= 1 ? KnobSource::Tuned : KnobSource::Borrowed, *knobs};
  return {};
}

} // namespace resin::tuning
