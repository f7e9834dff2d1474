//===- Builder.h - From a KernelSpec to a Halide pipeline -------*- C++ -*-===//
//
// What the builders of kernels share: the machine they build for, a tensor's
// storage as Halide sees it, and the pointwise nodes that follow an anchor as
// expressions. `kernels/` turns nodes into definitions, `schedules/` plans and builds
// templates (Template.h), and CompileKernel compiles the result.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_BUILDER_H
#define RESIN_CODEGEN_CPU_BUILDER_H

#include "machine/Machine.h"
#include "support/KernelSpec.h"
#include "support/Knobs.h"

#include "Halide.h"

#include <vector>

namespace resin::codegen {

/// The machine that a kernel is built for, and in which form.
struct KernelMachine : Machine {
  /// Whether scratch has to be small: what a template would sum up or keep for the whole piece it then computes where
  /// it is used, a tile, a row or a block of channels at a time.
  bool frugal = false;
};

/// Makes Halide throw its errors as CompileError (which is no std::exception) and
/// keep its warnings to itself: it would warn of every result with a halo, whose
/// loops cover the interior only.
void quietHalide();

/// One axis of a tensor in memory (support/TensorSpec.h), as Halide counts. `min` is negative where there is a halo, so
/// that logical pixels count from 0.
struct StorageDimension {
  int min, extent;
  int64_t stride;
};
/// Those of a tensor, innermost first: (ki, w, h, kb, n) of [n,c,h,w] in C16, (w, h, c, n) in Dense.
std::vector<StorageDimension> storageDimensions(const TensorSpec &tensor);
/// Where a logical element ([n,c,y,x], [k,c,r,s], ...) stands in those dimensions.
std::vector<Halide::Expr> storageIndex(const TensorSpec &tensor, const std::vector<Halide::Expr> &logical);
/// The way back: the logical element at a place in storage, clamped to the shape,
/// and whether that place holds an element rather than padding.
struct LogicalIndex {
  std::vector<Halide::Expr> at;
  Halide::Expr real;
};
LogicalIndex logicalIndex(const TensorSpec &tensor, const std::vector<Halide::Expr> &storage);

/// The type of a tensor's elements.
Halide::Type typeOf(ElementType type);

/// Operand `index` of a kernel, with its shape and strides fixed.
Halide::ImageParam makeOperand(const TensorSpec &tensor, int index);
std::vector<Halide::ImageParam> makeOperands(const KernelSpec &spec);
/// Fixes the shape, strides and loop bounds of a result whose arguments are the
/// dimensions of its storage. Loops cover the interior: `zeroRing` writes the halo.
void bindResult(Halide::Func result, const TensorSpec &tensor);
/// Adds an update that writes zeros to the ring of a result with a halo, and
/// schedules it. Does nothing without one. Of a band it writes the rows above or below
/// if `piece` is the first or the last.
void zeroRing(Halide::Func result, const TensorSpec &tensor, const Machine &machine,
              const Halide::ImageParam &piece = {});
/// The number of the piece, if the kernel asks for it; else undefined.
Halide::ImageParam makePiece(const KernelSpec &spec);

/// A zero that LLVM cannot see, made from any float: it turns loops that store a
/// plain zero into calls of memset, and a kernel calls nothing.
Halide::Expr hiddenZero(Halide::Expr anything);

/// Where an epilogue is evaluated: channel `kb * 16 + ki` of pixel (x, y) of image n.
struct Coordinates {
  Halide::Expr ki, x, y, kb, n;
};

/// The pointwise nodes and the channel sums that follow a kernel's anchor.
class Epilogue {
public:
  /// `anchor` is the node whose (first) result the others start from; `piece` the number of the piece, if the kernel
  /// asks for it.
  Epilogue(const KernelSpec &spec, const std::vector<Halide::ImageParam> &operands, int anchor,
           const Halide::ImageParam &piece = {});

  /// Value number of the anchor's result.
  int anchorValue() const { return anchorNumber; }
  /// The value `value` at `at`, where the anchor's value there is `anchor`. Throws
  /// Halide::CompileError if a node is not pointwise.
  Halide::Expr pointwise(int value, Halide::Expr anchor, const Coordinates &at) const;

  /// A `channel_sum` (rhs = -1) or `channel_dot` that the kernel yields as result `result`.
  struct Reduction {
    int result, lhs, rhs;
  };
  std::vector<Reduction> reductions() const;
  /// The other results of the kernel: pairs of result and value number.
  std::vector<std::pair<int, int>> values() const;

private:
  const KernelSpec &spec;
  const std::vector<Halide::ImageParam> &operands;
  int anchorNumber;
  Halide::ImageParam piece;
};

/// The node that makes value `value`, or -1 for an operand.
int definingNode(const KernelSpec &spec, int value);

struct BuiltKernel {
  std::vector<Halide::Argument> arguments; ///< the spec's operands in order, then the piece if it asks for it
  std::vector<Halide::Func> outputs;       ///< the spec's results in order

  /// The results together, with the lowering passes that templates rely on.
  Halide::Pipeline pipeline() const;
};

/// Builds algorithm and schedule of the kernels whose anchor is `conv2d`, `conv2d_winograd`,
/// `conv2d_grad_data` or `conv2d_grad_weight`. False if the spec has none of them.
/// `knobs` are those of the template that takes it; none means what is best untuned.
bool buildConv(const KernelSpec &spec, const KernelMachine &machine, BuiltKernel &kernel, const Knobs &knobs = {});

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_BUILDER_H
