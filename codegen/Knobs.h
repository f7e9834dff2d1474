//===- Knobs.h - The numbers that templates leave open ----------*- C++ -*-===//
//
// Convolutions are built by templates (schedules/) with integer knobs: sizes of
// tiles, orders of loops. Knobs change how fast a kernel is, and the order in which
// it rounds; never what it computes. How many there are tells the template, and of
// Winograd's two the first knob, the tile, tells the form.
//
// Everything here is arithmetic on shapes: nothing is compiled. No Halide type is
// visible.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_KNOBS_H
#define RESIN_CODEGEN_KNOBS_H

#include "codegen/Targets.h"
#include "support/KernelSpec.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resin::codegen {

using Knobs = std::vector<int>;

/// The most knobs that a template has.
inline constexpr size_t kMostKnobs = 9;

/// "4,1,1,2"
std::string printKnobs(const Knobs &knobs);

/// "direct", "weight"; by Winograd's F(4x4, 3x3) "winograd", "winograd-weight", by F(2x2, 3x3) "winograd2",
/// "winograd2-weight"; "none" for any other knobs.
std::string templateOf(const Knobs &knobs);

/// The anchor of the kernel if it is a convolution, else empty.
std::string convolutionOf(const KernelSpec &spec);

/// How a kernel comes by its results.
struct KernelForm {
  /// "direct", "weight", "winograd 4x4", "winograd 2x2", "generic" (a convolution that no template takes); empty: no
  /// convolution.
  std::string name;
  /// Floating-point operations of one call: those of the spec, but of a convolution by Winograd's method the products
  /// at the points of its tiles in place of the plain sum's. Transforms are not counted.
  int64_t operations = 0;
};

/// Of `spec` built with `knobs`; none: it has no template.
KernelForm describeForm(const KernelSpec &spec, const TargetInfo &target, const Knobs &knobs);

/// How a convolution may round. `Fast` is within 1e-5 of the largest result: both forms of Winograd's method are
/// allowed. `Strict` is as accurate as a plain sum in f32: such sums, and F(2x2, 3x3).
enum class Numerics { Fast, Strict };

/// "fast" or "strict", as recipes and tuning records say it.
const char *nameOf(Numerics numerics);
/// Nothing for any other word.
std::optional<Numerics> numericsNamed(std::string_view word);

/// Whether the template of these knobs rounds as `numerics` asks.
bool satisfies(const Knobs &knobs, Numerics numerics);

/// Whether a template builds `spec` with these knobs: they are in range, cut the problem into equal parts, and keep
/// code and scratch within bounds. Any numbers may be asked about.
bool acceptsKnobs(const KernelSpec &spec, const TargetInfo &target, const Knobs &knobs);

/// What `spec` is built with untuned; empty if it has no template with knobs.
Knobs defaultKnobs(const KernelSpec &spec, const TargetInfo &target, Numerics numerics = Numerics::Fast);

/// Where a search begins: the default, then the default of every other template that
/// takes the spec, and the tiles that a model of the core rates highest. Only what rounds
/// as asked.
std::vector<Knobs> startingKnobs(const KernelSpec &spec, const TargetInfo &target, Numerics numerics = Numerics::Fast);

/// One step from `knobs`: each knob moved to its next smaller and next larger value.
/// Only what fits in registers, as a model of the core counts them. The form stays.
std::vector<Knobs> neighbouringKnobs(const KernelSpec &spec, const TargetInfo &target, const Knobs &knobs);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_KNOBS_H
