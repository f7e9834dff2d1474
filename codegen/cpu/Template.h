//===- Template.h - A way to build convolutions -----------------*- C++ -*-===//
//
// A template is planned apart from being built. Planning is arithmetic on a convolution's
// shape: whether it suits, which knobs it leaves open, what they cost. Building turns a
// convolution and its knobs into definitions and schedules.
//
// Within a template knobs are numbers in its own order; outside they have names.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_TEMPLATE_H
#define RESIN_CODEGEN_CPU_TEMPLATE_H

#include "codegen/Backend.h"
#include "codegen/cpu/kernels/Conv.h"
#include "support/Divisors.h"

#include <array>

namespace resin::codegen {

using Numbers = std::vector<int>;

class Template {
public:
  virtual ~Template() = default;

  const std::string name;
  const std::vector<std::string> knobs; ///< their names
  const int tile;                       ///< of Winograd's method, each way; 0: a plain sum

  /// Whether it builds this convolution, by some knobs.
  virtual bool suits(const ConvProblem &conv) const = 0;
  /// The best that is known untuned, of one that suits.
  virtual Numbers untuned(const ConvProblem &conv) const = 0;
  /// Time of that for each pair of channels, in multiply-adds of a core at its peak (support/ConvCost.h).
  virtual double cost(const ConvProblem &conv, const Numbers &untuned) const;
  /// What each knob may be: neighbours in the list are a step of the search apart.
  virtual std::vector<Numbers> values(const ConvProblem &conv) const = 0;
  /// Whether such knobs cut the convolution into equal parts.
  virtual bool fits(const ConvProblem &conv, const Numbers &numbers) const = 0;

  /// Multiply-adds unrolled, registers, and bytes on the stack.
  struct Needs {
    int64_t body, registers, scratch;
  };
  virtual Needs needs(const ConvProblem &conv, const Numbers &numbers) const = 0;
  /// The same but for the register tile: those that a model of the core rates highest.
  virtual std::vector<Numbers> rated(const ConvProblem &, const Numbers &) const { return {}; }

  virtual void build(ConvKernel &conv, const Numbers &numbers, std::vector<Halide::Func> &outputs) const = 0;

  /// In range, equal parts, and code and scratch within bounds.
  bool accepts(const ConvProblem &conv, const Numbers &numbers) const;
  Knobs named(const Numbers &numbers) const { return nameKnobs(name, knobs, numbers); }

protected:
  Template(std::string name, std::vector<std::string> knobs, int tile = 0)
      : name(std::move(name)), knobs(std::move(knobs)), tile(tile) {}
};

const Template &directTemplate();
const Template &weightTemplate();
/// Of 4 or 2 results each way.
const Template &winogradTemplate(int tile);
const Template &winogradWeightTemplate(int tile);

/// All of them. Of equally fast ones the first is taken.
const std::array<const Template *, 6> &templates();
/// Whose knobs these are; null: nobody's.
const Template *findTemplate(const Knobs &knobs);

/// F(4x4, 3x3) alone is less exact than a plain sum.
inline bool satisfies(const Template &row, Numerics numerics) { return numerics == Numerics::Fast || row.tile != 4; }

/// A template and what it builds with.
struct TemplateChoice {
  const Template *row = nullptr;
  Numbers numbers = {};
};
/// The fastest by what it is said to cost, of those that round as asked; none if no template suits.
TemplateChoice chooseTemplate(const ConvProblem &conv, Numerics numerics);

//===----------------------------------------------------------------------===//
// For templates' plans
//===----------------------------------------------------------------------===//

/// Scratch that a template may ask for: less than a kernel may have (support/KernelStack.h), for sums ride along.
inline constexpr int64_t kLargestScratch = 8 << 20;

Numbers divisorsOf(int value, int most = 1 << 30);
Numbers upTo(int most);
inline Numbers channelsInStep() { return {1, 2, 4, 8, 16}; }
inline int roundUp(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }
inline bool divides(int part, int whole) { return part > 0 && whole % part == 0; }
/// Whether so many vectors are parts of a block of channels, or whole ones of `blocks`.
inline bool fitsVectors(int vectors, int blocks, const ConvProblem &conv) {
  const int perBlock = conv.vectorsPerBlock();
  return vectors > perBlock ? divides(perBlock, vectors) && divides(vectors / perBlock, blocks)
                            : divides(vectors, perBlock);
}
inline int blocksOf(int channels) { return static_cast<int>(resin::blocksOf(channels)); }

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_TEMPLATE_H
