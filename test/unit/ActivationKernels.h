//===- ActivationKernels.h - Kernels of each activation function -*- C++ -*-===//
//
// Layers that are a function of one activation, element by element, in the kernels that
// ReLU stands in: alone in every layout, behind a batch norm, as an epilogue; and their
// gradients, with the sums of a batch norm behind them.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TEST_UNIT_ACTIVATIONKERNELS_H
#define RESIN_TEST_UNIT_ACTIVATIONKERNELS_H

#include <string>
#include <utility>
#include <vector>

namespace resin {

/// An activation function and its attributes, which are its gradient's too.
inline constexpr std::pair<const char *, const char *> kActivations[] = {{"leaky_relu", "slope=0.125"}, {"silu", ""}};

/// Replaces `ACT(operands)` by the op with its attributes, for each of them, and `ACT_GRAD(operands)` likewise.
inline std::vector<std::string> forEachActivation(const std::vector<std::string> &texts) {
  std::vector<std::string> made;
  for (const auto &[op, attributes] : kActivations)
    for (std::string text : texts) {
      for (size_t at; (at = text.find("ACT")) != std::string::npos;) {
        const size_t braces = text.find("{}", at);
        text.replace(braces, 2, std::string("{") + attributes + "}");
        const bool isGradient = text.compare(at, 8, "ACT_GRAD") == 0;
        text.replace(at, isGradient ? 8 : 3, std::string(op) + (isGradient ? "_grad" : ""));
      }
      made.push_back(text);
    }
  return made;
}

inline std::vector<std::string> activationMaps() {
  return forEachActivation({
      "(f32[2,16,8,8]c16) { %1 = ACT(%0) {} : f32[2,16,8,8] } -> (%1: f32[2,16,8,8]c16)",
      "(f32[1,20,7,7]c16h1) { %1 = ACT(%0) {} : f32[1,20,7,7] } -> (%1: f32[1,20,7,7]c16h3)",
      "(f32[2,3,5,7]h2) { %1 = ACT(%0) {} : f32[2,3,5,7] } -> (%1: f32[2,3,5,7]h1)",
      "(f32[3,10]) { %1 = ACT(%0) {} : f32[3,10] } -> (%1: f32[3,10])",
      "(f32[4,16,5,6]c16, f32[16]c16, f32[16]c16) { %3 = scale_shift(%0, %1, %2) {} : f32[4,16,5,6]; %4 = ACT(%3) {} : "
      "f32[4,16,5,6] } -> (%4: f32[4,16,5,6]c16h1)",
      "(f32[2,32,4,4]c16, f32[2,32,4,4]c16h1) { %2 = ACT_GRAD(%0, %1) {} : f32[2,32,4,4] } -> (%2: f32[2,32,4,4]c16h2)",
      "(f32[3,10], f32[3,10]) { %2 = ACT_GRAD(%0, %1) {} : f32[3,10] } -> (%2: f32[3,10])",
  });
}

/// The activation is made again from y for its gradient, and batch norm's sums follow.
inline std::vector<std::string> activationSums() {
  return forEachActivation({
      "(f32[2,20,5,5]c16, f32[2,20,5,5]c16, f32[20]c16, f32[20]c16) { %4 = scale_shift(%1, %2, %3) {} : f32[2,20,5,5]; "
      "%5 = ACT_GRAD(%0, %4) {} : f32[2,20,5,5]; %6 = channel_sum(%5) {pieces=1} : f64[1,20]; %7 = channel_dot(%5, %1) "
      "{pieces=1} : f64[1,20] } -> (%5: f32[2,20,5,5]c16, %6: f64[1,20]c16, %7: f64[1,20]c16)",
  });
}

inline std::vector<std::string> activationEpilogues() {
  const std::string window = "dilations=[1,1], groups=1, padding=[1,1,1,1], strides=[1,1]";
  return forEachActivation({
      "(f32[1,16,9,8]c16h1, f32[32,16,3,3]k16c16, f32[32]c16, f32[1,32,9,8]c16) { %4 = conv2d(%0, %1) {" + window +
          "} : f32[1,32,9,8]; %5 = add_bias(%4, %2) {} : f32[1,32,9,8]; %6 = add(%5, %3) {} : f32[1,32,9,8]; %7 = "
          "ACT(%6) {} : "
          "f32[1,32,9,8] } -> (%7: f32[1,32,9,8]c16h1)",
      "(f32[1,16,8,8]c16h1, f32[16,16,3,3]c16k16, f32[1,16,8,8]c16, f32[16]c16, f32[16]c16) { %5 = "
      "conv2d_grad_data(%0, %1) {dilations=[1,1], groups=1, padding=[1,1,1,1], size=[8,8], strides=[1,1]} : "
      "f32[1,16,8,8]; %6 = scale_shift(%2, %3, %4) {} : f32[1,16,8,8]; %7 = ACT_GRAD(%5, %6) {} : f32[1,16,8,8]; %8 = "
      "channel_sum(%7) {pieces=1} : f64[1,16]; %9 = channel_dot(%7, %2) {pieces=1} : f64[1,16] } -> (%7: "
      "f32[1,16,8,8]c16, %8: f64[1,16]c16, %9: f64[1,16]c16)",
  });
}

} // namespace resin

#endif // RESIN_TEST_UNIT_ACTIVATIONKERNELS_H
