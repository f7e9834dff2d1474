//===- Backend.h - What a kind of processor offers --------------*- C++ -*-===//
//
// A backend builds kernels for one kind of processor. It says whether it builds a spec
// at all, which knobs there are to choose, and compiles the spec by those that were
// chosen. The build and the search for knobs speak to it alone; `cpu/` is the first.
//
// Knobs change how fast a kernel is, and the order in which it rounds; never what it
// computes. Planning is arithmetic on shapes: nothing is compiled.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_BACKEND_H
#define RESIN_CODEGEN_BACKEND_H

#include "machine/Targets.h"
#include "support/KernelSpec.h"
#include "support/Knobs.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resin::codegen {

/// How a convolution may round. `Fast` is within 1e-5 of the largest result: both forms of Winograd's method are
/// allowed. `Strict` is as accurate as a plain sum in f32: such sums, and F(2x2, 3x3).
enum class Numerics { Fast, Strict };

/// "fast" or "strict", as recipes and tuning records say it.
const char *nameOf(Numerics numerics);
/// Nothing for any other word.
std::optional<Numerics> numericsNamed(std::string_view word);

/// How a kernel comes by its results.
struct KernelForm {
  /// "direct", "weight", "winograd 4x4", "winograd 2x2", "generic" (a convolution that no template takes); empty: no
  /// convolution.
  std::string name;
  /// Floating-point operations of one call: those of the spec, but of a convolution by Winograd's method the products
  /// at the points of its tiles in place of the plain sum's. Transforms are not counted.
  int64_t operations = 0;
};

/// What there is to choose of one kernel for one target.
class KnobSpace {
public:
  virtual ~KnobSpace() = default;

  /// Whether a template builds the kernel with these knobs: they are in range, cut the problem into equal parts, and
  /// keep code and scratch within bounds. Any may be asked about.
  virtual bool accepts(const Knobs &knobs) const = 0;
  /// What the kernel is built with untuned; empty if no template takes it.
  virtual Knobs untuned(Numerics numerics = Numerics::Fast) const = 0;
  /// Where a search begins: the default, then the default of every other template that takes the kernel, and what a
  /// model of the core rates highest. Only what rounds as asked.
  virtual std::vector<Knobs> starts(Numerics numerics = Numerics::Fast) const = 0;
  /// One step from `knobs`: each knob moved to its next smaller and next larger value. Only what fits in registers, as
  /// a model of the core counts them. The template stays.
  virtual std::vector<Knobs> neighbours(const Knobs &knobs) const = 0;
  /// Of the kernel built with `knobs`; none: no template takes it.
  virtual KernelForm formOf(const Knobs &knobs) const = 0;
};

class Backend {
public:
  virtual ~Backend() = default;

  /// Why kernels of this spec cannot be built; empty if they can.
  virtual std::string refusalOf(const KernelSpec &spec) const = 0;
  virtual std::unique_ptr<KnobSpace> plan(const KernelSpec &spec, const TargetInfo &target) const = 0;
  /// Whether the knobs are those of a template, and whether it rounds as asked.
  virtual bool knows(const Knobs &knobs) const = 0;
  virtual bool satisfies(const Knobs &knobs, Numerics numerics) const = 0;
  /// The knobs that an old record's numbers are; nothing if they are of no template.
  virtual std::optional<Knobs> nameOld(const Knobs &nameless) const = 0;

  /// Compiles into the object file `path`, untuned where no knobs are given; with more scratch than `mostScratch` bytes
  /// in a form that needs less. On failure returns false and says why in `error`.
  struct Job {
    const KernelSpec &spec;
    const Knobs &knobs;
    const TargetInfo &target;
    int64_t mostScratch;
    std::string path;
  };
  virtual bool compile(const Job &job, std::string &error) const = 0;
};

} // namespace resin::codegen

#endif // RESIN_CODEGEN_BACKEND_H
