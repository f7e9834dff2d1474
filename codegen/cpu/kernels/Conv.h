//===- Conv.h - What a convolution's kernel computes ------------*- C++ -*-===//
//
// The three directions of a convolution as plain numbers, read off a KernelSpec.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_KERNELS_CONV_H
#define RESIN_CODEGEN_CPU_KERNELS_CONV_H

#include "codegen/cpu/Builder.h"

namespace resin::codegen {

enum class ConvDirection { Forward, GradData, GradWeight };

/// The convolution in its forward sense, whatever the direction:
///   x [n, c, h, w] with filters [k, c/groups, r, s] gives y [n, k, oh, ow].
struct ConvShape {
  int n, c, h, w, k, oh, ow, r, s;
  int strideY, strideX, top, left, dilationY, dilationX, groups;
};

/// Of what templates sum up in, and keep in scratch.
inline constexpr int64_t kSumBytes = bytesOf(ElementType::F32);

/// Whether every group has whole blocks of channels; all channels at once may fill their last block with zeros.
inline bool fillsBlocks(const ConvShape &s) {
  return s.groups == 1 || (s.c / s.groups % kChannelBlock == 0 && s.k / s.groups % kChannelBlock == 0);
}

/// A convolution as plain numbers: what templates are planned by (Template.h).
struct ConvProblem {
  const KernelSpec &spec;
  const Machine &machine;
  int node; ///< of the convolution
  ConvDirection direction;
  ConvShape shape;

  bool isForward() const { return direction == ConvDirection::Forward; }
  /// First and second operand of the convolution.
  int operandNumber(int i) const { return spec.nodes[node].operands[i]; }
  const TensorSpec &operandSpec(int i) const { return spec.operands[operandNumber(i)]; }
  int64_t elementBytes(int i) const { return bytesOf(operandSpec(i).type); }
  /// Vectors that a block of channels fills.
  int vectorsPerBlock() const { return static_cast<int>(kChannelBlock) / machine.vectorFloats; }
  /// Winograd's tile if the filter comes at its points, as [k, p, p, c] in K16; else 0.
  int pointsTile() const {
    return spec.nodes[node].op == "conv2d_winograd" ? static_cast<int>(operandSpec(1).shape[1]) - 2 : 0;
  }
};

/// One that is built.
struct ConvKernel : ConvProblem {
  bool frugal;                              ///< KernelMachine
  std::vector<Halide::ImageParam> operands; ///< a template may see one in another shape
  Halide::ImageParam piece;                 ///< if the kernel asks for it
  Epilogue epilogue;

  const Halide::ImageParam &operand(int i) const { return operands[operandNumber(i)]; }
};

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

bool isConvolution(const KernelNode &node);
/// The node of a convolution in `spec`, or -1.
int findConvolution(const KernelSpec &spec);
/// Whether the convolution at `node` reads operands of its kernel alone.
bool canDescribe(const KernelSpec &spec, int node);
ConvProblem describeConv(const KernelSpec &spec, const Machine &machine, int node);
/// Any layout, groups, padding: correct, not fast.
void buildConvGeneric(ConvKernel &conv, std::vector<Halide::Func> &outputs);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_KERNELS_CONV_H
