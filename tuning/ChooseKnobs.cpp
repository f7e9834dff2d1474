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

#include "codegen/Backends.h"
#include "support/OpFacts.h"

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

/// Doublings between the extents of two convolutions; none if they are of different kinds.
std::optional<double> distance(const ConvolutionShape &a, const ConvolutionShape &b) {
  if (a.kind.op.empty() || a.kind != b.kind)
    return std::nullopt;
  double sum = 0;
  for (size_t i = 0; i < a.doublings.size(); ++i)
    sum += std::fabs(a.doublings[i] - b.doublings[i]) / 2; // each extent occurs in two of three shapes
  return sum;
}

} // namespace

KnobChooser::KnobChooser(const std::vector<TuningRecord> &user, const std::vector<TuningRecord> &shipped,
                         const TargetInfo &target, const std::string &cpu, const std::string &version,
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
    return std::tuple<int, bool, const std::string &, const Knobs &>(entry.rank, record.numerics != numerics,
                                                                     record.spec, record.knobs);
  };
  std::sort(known.begin(), known.end(), [&](const Known &a, const Known &b) { return keyOf(a) < keyOf(b); });
}

ConvolutionShape::ConvolutionShape(const KernelSpec &spec) {
  const auto anchor = std::find_if(spec.nodes.begin(), spec.nodes.end(),
                                   [](const KernelNode &node) { return factsOf(node.op).isConvolution; });
  if (anchor == spec.nodes.end())
    return;
  auto note = [&](const ValueSpec &value) {
    kind.types.push_back(value.type);
    kind.ranks.push_back(value.shape.size());
    for (int64_t extent : value.shape)
      doublings.push_back(std::log2(static_cast<double>(extent)));
  };
  for (size_t i = 0; i < 2; ++i) {
    const int operand = i < anchor->operands.size() ? anchor->operands[i] : -1;
    if (operand < 0 || operand >= static_cast<int>(spec.operands.size()))
      return;
    note({spec.operands[operand].type, spec.operands[operand].shape});
    kind.layouts.push_back(spec.operands[operand].layout);
  }
  note(anchor->results[0]);
  kind.attributes = anchor->attributes;
  std::erase_if(kind.attributes, [](const auto &attribute) { return attribute.first == "size"; });
  kind.op = anchor->op;
}

void KnobChooser::add(const TuningRecord &record, int rank) {
  Known entry{record, {}, {}, rank};
  std::string error;
  if (record.target != target.name || !(isEntry(record.spec) || parse(record.spec, entry.spec, error)))
    return;
  entry.shape = ConvolutionShape(entry.spec);
  known.push_back(std::move(entry));
}

KnobChoice KnobChooser::choose(const KernelSpec &spec) const {
  const codegen::Backend &backend = codegen::backendOf(target);
  const std::unique_ptr<codegen::KnobSpace> space = backend.plan(spec, target);
  const Knobs allowed = space->untuned(numerics);
  if (allowed.empty())
    return {};
  // The default need not be named, unless it rounds in another way than asked.
  const Knobs untuned = space->untuned(), fallback = allowed == untuned ? Knobs() : allowed;
  std::vector<std::pair<double, const Known *>> near;
  const ConvolutionShape shape(spec);
  for (const Known &entry : known)
    if (std::optional<double> far = distance(shape, entry.shape); far && *far <= kFarthest) {
      // A different epilogue or halo matters less than any extent.
      const double rest = 0.01 + 0.05 * std::fabs(double(spec.nodes.size()) - double(entry.spec.nodes.size()));
      near.push_back({spec == entry.spec ? 0 : *far + rest, &entry});
    }
  std::sort(near.begin(), near.end()); // at the same distance by their place in `known`
  for (auto [far, entry] : near) {
    const TuningRecord &record = entry->record;
    if (!backend.satisfies(record.knobs, numerics))
      continue;
    // A strict search raced fewer forms than fast programs have: where their default is one of the others, what it
    // found may be slower.
    const bool raced = numerics == codegen::Numerics::Strict || record.numerics == codegen::Numerics::Fast;
    if (!raced && !backend.satisfies(untuned, record.numerics))
      continue;
    const bool own = far == 0 && entry->rank <= 1 && raced;
    const KnobSource source = own ? KnobSource::Tuned : KnobSource::Borrowed;
    if (source == KnobSource::Borrowed && record.median > kWorthLending * record.untuned)
      return {source, fallback}; // there the default was as good
    if (record.knobs == allowed)
      return {source, fallback};
    if (space->accepts(record.knobs))
      return {source, record.knobs};
  }
  return {KnobSource::Default, fallback};
}

FusionChoice KnobChooser::chooseFusion(const std::string &signature) const {
  for (const Known &entry : known)
    if (entry.record.spec == signature && entry.record.numerics == numerics)
      if (std::optional<FusionKnobs> knobs = fusionKnobsFrom(entry.record.knobs))
        return {entry.rank <= 1 ? KnobSource::Tuned : KnobSource::Borrowed, *knobs};
  return {KnobSource::Default, usualFusion(target.machine)};
}

} // namespace resin::tuning
