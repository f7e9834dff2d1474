//===- Conv.h - What a convolution's kernel computes ------------*- C++ -*-===//
//
// The three directions of a convolution as plain numbers, read off a KernelSpec,
// and the templates in schedules/ that build them.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_KERNELS_CONV_H
#define RESIN_CODEGEN_KERNELS_CONV_H

#include "codegen/cpu/Builder.h"

namespace resin::codegen {

enum class ConvDirection { Forward, GradData, GradWeight };

/// The convolution in its forward sense, whatever the direction:
///   x [n, c, h, w] with filters [k, c/groups, r, s] gives y [n, k, oh, ow].
struct ConvShape {
  int n, c, h, w, k, oh, ow, r, s;
  int strideY, strideX, top, left, dilationY, dilationX, groups;
};

/// Whether every group has whole blocks of channels; all channels at once may fill their last block with zeros.
inline bool fillsBlocks(const ConvShape &s) {
  return s.groups == 1 || (s.c / s.groups % kChannelBlock == 0 && s.k / s.groups % kChannelBlock == 0);
}

struct ConvKernel {
  const KernelSpec &spec;
  const Machine &machine;
  int node; ///< of the convolution
  ConvDirection direction;
  ConvShape shape;
  std::vector<Halide::ImageParam> operands; ///< a template may see one in another shape
  Halide::ImageParam piece; ///< if the kernel asks for it
  Epilogue epilogue;
  std::vector<int> knobs; ///< of the template; empty for its defaults
  /// Winograd's tiles that the defaults may choose from.
  std::vector<int> tiles = {4, 2};
  /// If set, nothing is built: the template that takes the kernel leaves its knobs here.
  std::vector<int> *plan = nullptr;

  /// First and second operand of the convolution.
  int operandNumber(int i) const { return spec.nodes[node].operands[i]; }
  const TensorSpec &operandSpec(int i) const { return spec.operands[operandNumber(i)]; }
  const Halide::ImageParam &operand(int i) const { return operands[operandNumber(i)]; }
  /// Winograd's tile if the filter comes at its points, as [k, p, p, c] in K16; else 0.
  int pointsTile() const {
    return spec.nodes[node].op == "conv2d_winograd" ? static_cast<int>(operandSpec(1).shape[1]) - 2 : 0;
  }
};

/// Scratch that a template may ask for: less than a kernel may have (support/KernelStack.h), for sums ride along.
inline constexpr int64_t kLargestScratch = 8 << 20;

/// A convolution whose anchor gathers: each result is a sum over taps and source
/// channels. One axis of it: result `classes * j + p` reads source pixels
/// `j * step + offset + t * tapStep` through filter taps `firstTap + t * tapStride`,
/// t in [0, taps). Forward has one class; the data gradient has one for each
/// residue modulo the stride.
struct GatherAxis {
  struct Class {
    int taps, offset, firstTap;
  };
  int step, tapStep, tapStride;
  std::vector<Class> classes;

  int sourceMin() const;
  /// Largest source pixel read when there are `count` results.
  int sourceMax(int count) const;
};
GatherAxis forwardAxis(int stride, int pad, int dilation, int kernel);
GatherAxis gradDataAxis(int stride, int pad, int dilation, int kernel);

/// The node of a convolution in `spec`, or -1.
int findConvolution(const KernelSpec &spec);
/// The kernel of the convolution at `node` as far as numbers go: its operands are left out.
ConvKernel describeConv(const KernelSpec &spec, const Machine &machine, int node, const std::vector<int> &knobs);

/// Templates. Each returns false if the kernel is not of its kind, and throws
/// CompileError if the knobs do not cut it into equal parts.
bool buildConvWinograd(ConvKernel &conv, std::vector<Halide::Func> &outputs);
bool buildConvDirect(ConvKernel &conv, std::vector<Halide::Func> &outputs);
bool buildConvWinogradWeight(ConvKernel &conv, std::vector<Halide::Func> &outputs);
bool buildConvWeight(ConvKernel &conv, std::vector<Halide::Func> &outputs);
/// Any layout, groups, padding: correct, not fast.
void buildConvGeneric(ConvKernel &conv, std::vector<Halide::Func> &outputs);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_KERNELS_CONV_H
