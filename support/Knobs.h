//===- Knobs.h - What was chosen, by name -----------------------*- C++ -*-===//
//
// A form (a template of kernels, or fusion) and the integers that it leaves open, each
// under its name:
//
//   direct{pixels=4, rows=1, images=1, vectors=2, channels=4, taps_inside=0, blocks=0, order=0}
//
// Once records held the numbers alone, "4,1,1,2,4,0,0,0". They are read as knobs without
// names, and whoever has the form says what they mean.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_KNOBS_H
#define RESIN_SUPPORT_KNOBS_H

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace resin {

struct Knob {
  std::string name;
  int value;

  auto operator<=>(const Knob &) const = default;
};

struct Knobs {
  std::string form;
  std::vector<Knob> values = {}; ///< in the form's order

  auto operator<=>(const Knobs &) const = default;
  /// Nothing was chosen.
  bool empty() const { return form.empty() && values.empty(); }
  /// Numbers of an old record.
  bool areNameless() const { return form.empty() && !values.empty(); }
  std::vector<int> numbers() const;
};

/// `numbers` under `names`, of which there are as many.
Knobs nameKnobs(std::string form, std::span<const std::string> names, std::span<const int> numbers);
Knobs namelessKnobs(std::span<const int> numbers);
/// Whether these are the knobs of `form`, all of them in its order.
bool areNamed(const Knobs &knobs, std::string_view form, std::span<const std::string> names);

std::string printKnobs(const Knobs &knobs);
/// What `printKnobs` wrote, or an old record's numbers; of a few knobs, none of which is negative. Else nothing.
std::optional<Knobs> readKnobs(std::string_view text);

} // namespace resin

#endif // RESIN_SUPPORT_KNOBS_H
