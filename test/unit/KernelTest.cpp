//===- KernelTest.cpp - Every kernel without a convolution ----------------===//
//
// Each spec is compiled and compared with the interpreter (KernelCheck.h). Shapes are
// small and odd on purpose: 1x1 maps, 7x7, channels that are no multiple of 16, batch 1.
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelLibrary.h"
#include "codegen/LoadedKernels.h"
#include "support/Philox.h"
#include "test/unit/ActivationKernels.h"
#include "test/unit/KernelCheck.h"

#include <cstring>
#include <map>
#include <regex>

using namespace resin;

namespace {

const CheckOptions kGradients{.tolerance = 1e-4};

TEST(Kernel, Pointwise) {
  checkKernels({
      "(f32[2,16,8,8]c16) { %1 = relu(%0) {} : f32[2,16,8,8] } -> (%1: f32[2,16,8,8]c16)",
      "(f32[1,20,7,7]c16h1) { %1 = relu(%0) {} : f32[1,20,7,7] } -> (%1: f32[1,20,7,7]c16h3)",
      "(f32[2,3,5,7]h2) { %1 = relu(%0) {} : f32[2,3,5,7] } -> (%1: f32[2,3,5,7]h1)",
      "(f32[3,10]) { %1 = relu(%0) {} : f32[3,10] } -> (%1: f32[3,10])",
      "(f32[2,32,4,4]c16, f32[2,32,4,4]c16h1) { %2 = add(%0, %1) {} : f32[2,32,4,4] } -> (%2: f32[2,32,4,4]c16)",
      "(f32[2,32,4,4]c16, f32[2,32,4,4]c16h1) { %2 = relu_grad(%0, %1) {} : f32[2,32,4,4] } -> (%2: "
      "f32[2,32,4,4]c16h2)",
      "(f32[2,17,1,1]c16, f32[17]c16) { %2 = add_bias(%0, %1) {} : f32[2,17,1,1] } -> (%2: f32[2,17,1,1]c16)",
      "(f32[4,10], f32[10]) { %2 = add_bias(%0, %1) {} : f32[4,10] } -> (%2: f32[4,10])",
      "(f32[4,10], f32[10]c16) { %2 = add_bias(%0, %1) {} : f32[4,10] } -> (%2: f32[4,10])",
      "(f32[2,5,3,3], f32[5]c16) { %2 = add_bias(%0, %1) {} : f32[2,5,3,3] } -> (%2: f32[2,5,3,3])",
      "(f32[16]c16, f32[16]c16, f32[16]c16) { %3 = scale_add(%0, %1, %2) {} : f32[16] } -> (%3: f32[16]c16)",
  });
}

TEST(Kernel, ApplyBatchNorm) {
  checkKernels({
      "(f32[4,16,8,8]c16, f32[16]c16, f32[16]c16) { %3 = scale_shift(%0, %1, %2) {} : f32[4,16,8,8]; %4 = relu(%3) {} "
      ": f32[4,16,8,8] } -> (%4: f32[4,16,8,8]c16h1)",
      "(f32[2,20,7,7]c16, f32[20]c16, f32[20]c16, f32[2,20,7,7]c16h1) { %4 = scale_shift(%0, %1, %2) {} : "
      "f32[2,20,7,7]; %5 = add(%4, %3) {} : f32[2,20,7,7]; %6 = relu(%5) {} : f32[2,20,7,7] } -> (%6: "
      "f32[2,20,7,7]c16h1)",
      "(f32[1,32,7,7]c16, f32[32]c16, f32[32]c16, f32[1,32,7,7]c16, f32[32]c16, f32[32]c16) { %6 = scale_shift(%0, %1, "
      "%2) {} : f32[1,32,7,7]; %7 = scale_shift(%3, %4, %5) {} : f32[1,32,7,7]; %8 = add(%6, %7) {} : f32[1,32,7,7]; "
      "%9 = relu(%8) {} : f32[1,32,7,7] } -> (%9: f32[1,32,7,7]c16h1)",
      "(f32[1,20,1,1]c16, f32[20]c16, f32[20]c16) { %3 = scale_shift(%0, %1, %2) {} : f32[1,20,1,1]; %4 = relu(%3) {} "
      ": f32[1,20,1,1] } -> (%4: f32[1,20,1,1]c16h1)",
      // The shortcut of option A, 16 to 32 channels.
      "(f32[2,32,4,4]c16, f32[32]c16, f32[32]c16, f32[2,16,8,8]c16h1) { %4 = scale_shift(%0, %1, %2) {} : "
      "f32[2,32,4,4]; %5 = subsample(%3) {stride=2} : f32[2,16,4,4]; %6 = pad_channels(%5) {channels=32} : "
      "f32[2,32,4,4]; %7 = add(%4, %6) {} : f32[2,32,4,4]; %8 = relu(%7) {} : f32[2,32,4,4] } -> (%8: "
      "f32[2,32,4,4]c16h1)",
      // Two results of one pass.
      "(f32[2,16,6,6]c16, f32[16]c16, f32[16]c16, f32[2,16,6,6]c16) { %4 = scale_shift(%0, %1, %2) {} : f32[2,16,6,6]; "
      "%5 = relu(%4) {} : f32[2,16,6,6]; %6 = add(%5, %3) {} : f32[2,16,6,6] } -> (%5: f32[2,16,6,6]c16, %6: "
      "f32[2,16,6,6]c16)",
      "(f32[2,16,6,6]c16, f32[16]c16, f32[16]c16, f32[2,16,6,6]c16) { %4 = scale_shift(%0, %1, %2) {} : f32[2,16,6,6]; "
      "%5 = relu(%4) {} : f32[2,16,6,6]; %6 = add(%5, %3) {} : f32[2,16,6,6] } -> (%5: f32[2,16,6,6]c16h1, %6: "
      "f32[2,16,6,6]c16)",
      "(f32[2,16,6,6]c16, f32[16]c16, f32[16]c16, f32[2,16,6,6]c16) { %4 = scale_shift(%0, %1, %2) {} : f32[2,16,6,6]; "
      "%5 = relu(%4) {} : f32[2,16,6,6]; %6 = add(%5, %3) {} : f32[2,16,6,6] } -> (%5: f32[2,16,6,6]c16h1, %6: "
      "f32[2,16,6,6]c16h1)",
  });
}

/// The same kernels with their channel sums, all that is [p,c] in blocks, in f64.
std::vector<std::string> withDoubleSums(std::vector<std::string> texts) {
  for (std::string &text : texts) {
    text = std::regex_replace(text, std::regex(R"(f32(\[\d+,\d+\]c16))"), "f64$1");
    text = std::regex_replace(text, std::regex(R"((channel_\w+\([^)]*\) \{[^}]*\} : )f32)"), "$1f64");
  }
  return texts;
}

TEST(Kernel, BatchNormBackward) {
  const std::vector<std::string> texts = {
      "(f32[4,16,8,8]c16, f32[4,16,8,8]c16, f32[16]c16, f32[16]c16, f32[16]c16) { %5 = affine_combine(%0, %1, %2, %3, "
      "%4) {} : f32[4,16,8,8] } -> (%5: f32[4,16,8,8]c16h2)",
      "(f32[4,16,8,8]c16) { %1 = channel_sum(%0) {pieces=1} : f32[1,16] } -> (%1: f32[1,16]c16)",
      "(f32[4,20,7,7]c16) { %1 = channel_sum(%0) {pieces=2} : f32[2,20] } -> (%1: f32[2,20]c16)",
      "(f32[1,16,1,1]c16, f32[1,16,1,1]c16) { %2 = channel_dot(%0, %1) {pieces=1} : f32[1,16] } -> (%2: f32[1,16]c16)",
      "(f32[4,16,8,8]c16) { %1 = channel_sum(%0) {pieces=1} : f32[1,16]; %2 = channel_dot(%0, %0) {pieces=1} : "
      "f32[1,16] } -> (%1: f32[1,16]c16, %2: f32[1,16]c16)",
      // Mask, store, and both sums.
      "(f32[2,32,8,8]c16, f32[2,32,8,8]c16h1, f32[2,32,8,8]c16) { %3 = relu_grad(%0, %1) {} : f32[2,32,8,8]; %4 = "
      "channel_sum(%3) {pieces=1} : f32[1,32]; %5 = channel_dot(%3, %2) {pieces=1} : f32[1,32] } -> (%3: "
      "f32[2,32,8,8]c16, %4: f32[1,32]c16, %5: f32[1,32]c16)",
      "(f32[2,32,7,7]c16, f32[2,32,7,7]c16, f32[2,32,7,7]c16h1, f32[2,32,7,7]c16) { %4 = add(%0, %1) {} : "
      "f32[2,32,7,7]; %5 = relu_grad(%4, %2) {} : f32[2,32,7,7]; %6 = channel_sum(%5) {pieces=1} : f32[1,32]; %7 = "
      "channel_dot(%5, %3) {pieces=1} : f32[1,32] } -> (%5: f32[2,32,7,7]c16, %6: f32[1,32]c16, %7: f32[1,32]c16)",
      // The mask rebuilt from y, the masked gradient not stored.
      "(f32[2,20,5,5]c16, f32[2,20,5,5]c16, f32[20]c16, f32[20]c16) { %4 = scale_shift(%1, %2, %3) {} : f32[2,20,5,5]; "
      "%5 = relu_grad(%0, %4) {} : f32[2,20,5,5]; %6 = channel_sum(%5) {pieces=1} : f32[1,20]; %7 = channel_dot(%5, "
      "%1) {pieces=1} : f32[1,20] } -> (%6: f32[1,20]c16, %7: f32[1,20]c16)",
      // The gradient of option A's shortcut joins.
      "(f32[2,16,8,8]c16, f32[2,32,4,4]c16, f32[2,16,8,8]c16h1) { %3 = take_channels(%1) {channels=16} : "
      "f32[2,16,4,4]; %4 = subsample_grad(%3) {size=[8,8], stride=2} : f32[2,16,8,8]; %5 = add(%0, %4) {} : "
      "f32[2,16,8,8]; %6 = relu_grad(%5, %2) {} : f32[2,16,8,8] } -> (%6: f32[2,16,8,8]c16)",
  };
  checkKernels(texts, kGradients);
  checkBothForms(withDoubleSums(texts), kGradients);
}

TEST(Kernel, BatchNormFinalize) {
  const std::vector<std::string> texts = {
      "(f32[4,16]c16, f32[4,16]c16, f32[16]c16, f32[16]c16) { %4, %5, %6, %7 = batch_norm_finalize(%0, %1, %2, %3) "
      "{count=4096.0, epsilon=1e-05} : f32[16], f32[16], f32[16], f32[16] } -> (%4: f32[16]c16, %5: f32[16]c16, %6: "
      "f32[16]c16, %7: f32[16]c16)",
      "(f32[3,20]c16, f32[3,20]c16, f32[20]c16, f32[20]c16, f32[20]c16, f32[20]c16) { %6, %7, %8, %9 = "
      "batch_norm_finalize(%0, %1, %2, %3) {count=4096.0, epsilon=1e-05} : f32[20], f32[20], f32[20], f32[20]; %10 = "
      "running_average(%4, %8) {factor=1.0, momentum=0.1} : f32[20]; %11 = running_average(%5, %9) {factor=1.01, "
      "momentum=0.1} : f32[20] } -> (%6: f32[20]c16, %7: f32[20]c16, %8: f32[20]c16, %9: f32[20]c16, %10: f32[20]c16, "
      "%11: f32[20]c16)",
      "(f32[4,32]c16, f32[4,32]c16, f32[32]c16, f32[32]c16, f32[32]c16) { %5, %6, %7, %8, %9 = "
      "batch_norm_grad_finalize(%0, %1, %2, %3, %4) {count=64.0, epsilon=1e-05} : f32[32], f32[32], f32[32], f32[32], "
      "f32[32] } -> (%5: f32[32]c16, %6: f32[32]c16, %7: f32[32]c16, %8: f32[32]c16, %9: f32[32]c16)",
      "(f32[20]c16, f32[20]c16, f32[20]c16, f32[20]c16) { %4, %5 = inference_affine(%0, %1, %2, %3) {epsilon=0.001} : "
      "f32[20], f32[20] } -> (%4: f32[20]c16, %5: f32[20]c16)",
      "(f32[20,17,3,3]k16c16, f32[20]c16) { %2 = scale_filter(%0, %1) {} : f32[20,17,3,3] } -> (%2: "
      "f32[20,17,3,3]k16c16)",
      "(f32[20,3,7,7]k16, f32[20]c16) { %2 = scale_filter(%0, %1) {} : f32[20,3,7,7] } -> (%2: f32[20,3,7,7]k16)",
      "(f32[32,48,3,3]k16c16) { %1 = winograd_filter(%0) {tile=4} : f32[32,6,6,48] } -> (%1: f32[32,6,6,48]k16)",
      "(f32[32,16,3,3]k16c16) { %1 = winograd_filter(%0) {tile=2} : f32[32,4,4,16] } -> (%1: f32[32,4,4,16]k16)",
      "(f32[20,17,3,3]k16c16) { %1 = winograd_filter(%0) {tile=4} : f32[20,6,6,17] } -> (%1: f32[20,6,6,17]k16)",
  };
  checkKernels(texts, {.tolerance = 1e-6});
  checkBothForms(withDoubleSums(texts), {.tolerance = 1e-6});
}

// Winograd's method with filters at their points: whole and ragged tiles, one image and two, a band in the middle of
// an image, channels in chunks and at once.
TEST(Kernel, FiltersAtPoints) {
  checkBothForms({
      "(f32[1,32,14,10]c16h1, f32[48,6,6,32]k16, f32[48]c16) { %3 = conv2d_winograd(%0, %1) {padding=[1,1,1,1]} : "
      "f32[1,48,14,10]; %4 = add_bias(%3, %2) {} : f32[1,48,14,10]; %5 = relu(%4) {} : f32[1,48,14,10] } -> (%5: "
      "f32[1,48,14,10]c16h1)",
      "(f32[1,32,14,10]c16h1, f32[48,4,4,32]k16) { %2 = conv2d_winograd(%0, %1) {padding=[1,1,1,1]} : f32[1,48,14,10] "
      "} -> (%2: f32[1,48,14,10]c16)",
      "(f32[2,16,7,9]c16h1, f32[16,6,6,16]k16) { %2 = conv2d_winograd(%0, %1) {padding=[1,1,1,1]} : f32[2,16,7,9] } -> "
      "(%2: f32[2,16,7,9]c16)",
      "(f32[2,16,7,9]c16h1, f32[16,4,4,16]k16) { %2 = conv2d_winograd(%0, %1) {padding=[1,1,1,1]} : f32[2,16,7,9] } -> "
      "(%2: f32[2,16,7,9]c16)",
      "(f32[1,64,10,24]c16h1r24, f32[32,6,6,64]k16) { %2 = conv2d_winograd(%0, %1) {padding=[0,1,0,1]} : "
      "f32[1,32,8,24] } -> (%2: f32[1,32,8,24]c16h1r24)",
      "(f32[1,64,8,24]c16h1r24, f32[32,4,4,64]k16) { %2 = conv2d_winograd(%0, %1) {padding=[0,1,0,1]} : f32[1,32,6,24] "
      "} -> (%2: f32[1,32,6,24]c16r24)",
      "(f32[1,256,7,7]c16h1, f32[64,6,6,256]k16) { %2 = conv2d_winograd(%0, %1) {padding=[1,1,1,1]} : f32[1,64,7,7] } "
      "-> (%2: f32[1,64,7,7]c16s512)",
  });
}

TEST(Kernel, RunningAveragesMoveInPlace) {
  EXPECT_TRUE(checkKernel("(f32[32]c16, f32[32]c16) { %2 = running_average(%0, %1) {factor=1.01, momentum=0.1} : "
                          "f32[32] } -> (%2: f32[32]c16)",
                          {.inPlace = {{0, 0}}}));
}

TEST(Kernel, RunningAveragesMoveInPlaceBesideTheFinish) {
  EXPECT_TRUE(checkKernel("(f32[3,32]c16, f32[3,32]c16, f32[32]c16, f32[32]c16, f32[32]c16, f32[32]c16) { %6, %7, %8, "
                          "%9 = batch_norm_finalize(%0, %1, %2, %3) {count=4096.0, epsilon=1e-05} : f32[32], f32[32], "
                          "f32[32], f32[32]; %10 = running_average(%4, %8) {factor=1.0, momentum=0.1} : f32[32]; %11 = "
                          "running_average(%5, %9) {factor=1.01, momentum=0.1} : f32[32] } -> (%6: f32[32]c16, %7: "
                          "f32[32]c16, %8: f32[32]c16, %9: f32[32]c16, %10: f32[32]c16, %11: f32[32]c16)",
                          {.inPlace = {{4, 4}, {5, 5}}}));
}

TEST(Kernel, Relayout) {
  std::vector<std::string> texts;
  auto add = [&](const std::string &shape, const std::string &from, const std::string &to) {
    texts.push_back("(f32" + shape + from + ") { %1 = relayout(%0) {} : f32" + shape + " } -> (%1: f32" + shape + to +
                    ")");
  };
  for (const char *shape : {"[16,16,3,3]", "[20,17,3,3]", "[64,32,1,1]", "[5,3,2,4]"})
    for (const char *from : {"", "k16c16", "k16", "c16k16"})
      for (const char *to : {"", "k16c16", "k16", "c16k16"})
        if (std::string(from) != to)
          add(shape, from, to);
  // Every layout of every rank that it has, there and back.
  for (const auto &[rank, shape] : std::map<size_t, std::string>{
           {1, "[20]"}, {2, "[3,20]"}, {3, "[3,4,5]"}, {4, "[3,20,4,3]"}, {5, "[3,16,20,3,2]"}})
    for (LayoutKind kind : kLayoutKinds)
      if (kind != LayoutKind::Dense && hasRank(kind, rank)) {
        add(shape, "", std::string(nameOf(kind)));
        add(shape, std::string(nameOf(kind)), "");
      }
  for (const char *shape : {"[2,3,8,8]", "[1,20,7,7]", "[3,32,1,1]"}) {
    add(shape, "", "c16h1");
    add(shape, "h1", "c16");
    add(shape, "c16h1", "h3");
    add(shape, "c16", "c16h2");
  }
  add("[10,64]", "", "k16");
  add("[10,64]", "k16", "");
  checkKernels(texts);
}

TEST(Kernel, Shapes) {
  checkKernels({
      "(f32[2,20,4,6]c16h1) { %1 = flatten(%0) {} : f32[2,480] } -> (%1: f32[2,480])",
      "(f32[2,20,4,6]) { %1 = flatten(%0) {} : f32[2,480] } -> (%1: f32[2,480])",
      "(f32[2,480]) { %1 = unflatten(%0) {size=[20,4,6]} : f32[2,20,4,6] } -> (%1: f32[2,20,4,6]c16)",
      "(f32[2,20,7,7]c16h1) { %1 = subsample(%0) {stride=2} : f32[2,20,4,4] } -> (%1: f32[2,20,4,4]c16)",
      "(f32[2,20,4,4]c16) { %1 = subsample_grad(%0) {size=[7,7], stride=2} : f32[2,20,7,7] } -> (%1: "
      "f32[2,20,7,7]c16h1)",
      "(f32[2,20,4,4]c16) { %1 = pad_channels(%0) {channels=40} : f32[2,40,4,4] } -> (%1: f32[2,40,4,4]c16)",
      "(f32[2,20,4,4]c16) { %1 = pad_channels(%0) {channels=40} : f32[2,40,4,4] } -> (%1: f32[2,40,4,4])",
      "(f32[2,16,4,4]c16) { %1 = pad_channels(%0) {channels=64} : f32[2,64,4,4] } -> (%1: f32[2,64,4,4]c16h1)",
      "(f32[2,40,4,4]c16) { %1 = take_channels(%0) {channels=20} : f32[2,20,4,4] } -> (%1: f32[2,20,4,4]c16)",
      "(f32[2,64,4,4]c16) { %1 = take_channels(%0) {channels=32} : f32[2,32,4,4] } -> (%1: f32[2,32,4,4]c16)",
      // A slice of a wider tensor's channels, and one written into it.
      "(f32[3,32,4,4]c16s64) { %1 = relu(%0) {} : f32[3,32,4,4] } -> (%1: f32[3,32,4,4]c16)",
      "(f32[3,32,4,4]c16) { %1 = relu(%0) {} : f32[3,32,4,4] } -> (%1: f32[3,32,4,4]c16h1s64)",
  });
}

// Bands of rows: the neighbours' rows above and below are read if the band brings them, and never written.
TEST(Kernel, Bands) {
  checkKernels({
      "(f32[2,32,4,5]c16r12) { %1 = relu(%0) {} : f32[2,32,4,5] } -> (%1: f32[2,32,4,5]c16h1r12)",
      "(f32[2,3,4,5]r8, f32[2,3,4,5]h2r8) { %2 = add(%0, %1) {} : f32[2,3,4,5] } -> (%2: f32[2,3,4,5]h2r8)",
      // Winograd, then the same with a tile that the band cuts through.
      "(f32[1,32,10,16]c16h1r16, f32[32,32,3,3]k16c16, f32[32]c16, f32[1,32,8,16]c16h1r16) { %4 = conv2d(%0, %1) "
      "{dilations=[1,1], groups=1, padding=[0,1,0,1], strides=[1,1]} : f32[1,32,8,16]; %5 = add_bias(%4, %2) {} : "
      "f32[1,32,8,16]; %6 = add(%5, %3) {} : f32[1,32,8,16]; %7 = relu(%6) {} : f32[1,32,8,16] } -> (%7: "
      "f32[1,32,8,16]c16h1r16)",
      "(f32[1,64,9,28]c16h1r28, f32[64,64,3,3]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, "
      "padding=[0,1,0,1], strides=[1,1]} : f32[1,64,7,28] } -> (%2: f32[1,64,7,28]c16h1r28)",
      // Direct: strided, a stem, 1x1.
      "(f32[1,32,10,16]c16h1r16, f32[48,32,3,3]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, "
      "padding=[0,1,0,1], strides=[2,2]} : f32[1,48,4,8] } -> (%2: f32[1,48,4,8]c16h1r8)",
      "(f32[1,3,18,24]h3r24, f32[16,3,7,7]k16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, padding=[0,3,0,3], "
      "strides=[2,2]} : f32[1,16,6,12] } -> (%2: f32[1,16,6,12]c16h2r12)",
      "(f32[1,32,3,9]c16r9, f32[32,32,1,1]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, padding=[0,0,0,0], "
      "strides=[1,1]} : f32[1,32,3,9] } -> (%2: f32[1,32,3,9]c16h1r9)",
      // 1x1 in chunks of source channels, and strided from a copy of its pixels.
      "(f32[1,512,3,14]c16r9, f32[32,512,1,1]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, "
      "padding=[0,0,0,0], strides=[1,1]} : f32[1,32,3,14] } -> (%2: f32[1,32,3,14]c16r9)",
      "(f32[2,512,14,14]c16, f32[32,512,1,1]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, "
      "padding=[0,0,0,0], strides=[2,2]} : f32[2,32,7,7] } -> (%2: f32[2,32,7,7]c16h1)",
      // Without a template.
      "(f32[1,6,6,5]h1r8, f32[4,6,3,3]) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, padding=[0,1,0,1], "
      "strides=[1,1]} : f32[1,4,4,5] } -> (%2: f32[1,4,4,5]h1r8)",
  });
}

// With 256 source channels and more, chunks of them take an image as one row of pixels: where rows of the source follow
// one another, and where a strided convolution has copied its pixels. No multiple of a tile, rings, slices, bands.
TEST(Kernel, PointwiseChunks) {
  const std::string window = "{dilations=[1,1], groups=1, padding=[0,0,0,0], strides=[1,1]}",
                    strided = "{dilations=[1,1], groups=1, padding=[0,0,0,0], strides=[2,2]}",
                    back = "{dilations=[1,1], groups=1, padding=[0,0,0,0], size=[5,7], strides=[1,1]}";
  checkKernels({
      "(f32[2,256,5,7]c16, f32[64,256,1,1]k16c16) { %2 = conv2d(%0, %1) " + window +
          " : f32[2,64,5,7] } -> (%2: f32[2,64,5,7]c16h1)",
      "(f32[2,256,5,7]c16h1, f32[32,256,1,1]k16c16) { %2 = conv2d(%0, %1) " + window +
          " : f32[2,32,5,7] } -> (%2: f32[2,32,5,7]c16)",
      "(f32[2,256,3,7]c16r9, f32[32,256,1,1]k16c16, f32[32]c16) { %3 = conv2d(%0, %1) " + window +
          " : f32[2,32,3,7]; %4 = add_bias(%3, %2) {} : f32[2,32,3,7] } -> (%4: f32[2,32,3,7]c16h1r9)",
      "(f32[2,256,5,7]c16s512, f32[64,256,1,1]k16c16, f32[2,64,5,7]c16h1) { %3 = conv2d(%0, %1) " + window +
          " : f32[2,64,5,7]; %4 = add(%3, %2) {} : f32[2,64,5,7]; %5 = channel_sum(%4) {pieces=1} : f32[1,64] } -> "
          "(%4: f32[2,64,5,7]c16, %5: f32[1,64]c16)",
      // The source is added to what is made of it.
      "(f32[1,256,5,7]c16, f32[256,256,1,1]k16c16) { %2 = conv2d(%0, %1) " + window +
          " : f32[1,256,5,7]; %3 = add(%2, %0) {} : f32[1,256,5,7] } -> (%3: f32[1,256,5,7]c16)",
      "(f32[2,256,9,10]c16, f32[48,256,1,1]k16c16) { %2 = conv2d(%0, %1) " + strided +
          " : f32[2,48,5,5] } -> (%2: f32[2,48,5,5]c16h1)",
  });
  CheckOptions gradient;
  gradient.tolerance = 1e-4;
  checkKernels({"(f32[2,256,5,7]c16, f32[256,64,1,1]c16k16) { %2 = conv2d_grad_data(%0, %1) " + back +
                    " : f32[2,64,5,7] } -> (%2: f32[2,64,5,7]c16h1)",
                "(f32[2,256,5,7]c16, f32[256,32,1,1]c16k16, f32[2,32,5,7]c16, f32[2,32,5,7]c16) { %4 = "
                "conv2d_grad_data(%0, %1) " +
                    back +
                    " : f32[2,32,5,7]; %5 = add(%4, %2) {} : f32[2,32,5,7]; %6 = relu_grad(%5, %3) {} : f32[2,32,5,7]; "
                    "%7 = channel_sum(%6) {pieces=1} : f32[1,32] } -> (%6: f32[2,32,5,7]c16, %7: f32[1,32]c16)"},
               gradient);
}

TEST(Kernel, Activations) {
  checkKernels(activationMaps());
  checkBothForms(activationSums(), kGradients);
  checkKernels(activationEpilogues(), kGradients);
}

TEST(Kernel, Pools) {
  checkBothForms({
      "(f32[2,20,8,8]c16) { %1 = max_pool(%0) {kernel=[3,3], padding=[1,1,1,1], strides=[2,2]} : f32[2,20,4,4] } -> "
      "(%1: f32[2,20,4,4]c16h1)",
      "(f32[2,16,7,7]c16h1) { %1 = max_pool(%0) {kernel=[3,3], padding=[1,1,1,1], strides=[2,2]} : f32[2,16,4,4] } -> "
      "(%1: f32[2,16,4,4]c16)",
      "(f32[2,16,8,8]c16h1) { %1 = max_pool(%0) {kernel=[2,2], padding=[0,0,0,0], strides=[2,2]} : f32[2,16,4,4] } -> "
      "(%1: f32[2,16,4,4]c16)",
      "(f32[1,3,9,9]) { %1 = max_pool(%0) {kernel=[3,2], padding=[0,1,1,0], strides=[3,2]} : f32[1,3,3,5] } -> (%1: "
      "f32[1,3,3,5])",
      "(f32[2,16,8,8]c16, f32[16]c16, f32[16]c16) { %3 = scale_shift(%0, %1, %2) {} : f32[2,16,8,8]; %4 = relu(%3) {} "
      ": f32[2,16,8,8]; %5 = max_pool(%4) {kernel=[3,3], padding=[1,1,1,1], strides=[2,2]} : f32[2,16,4,4] } -> (%5: "
      "f32[2,16,4,4]c16h1)",
      "(f32[2,20,6,6]c16) { %1 = avg_pool(%0) {count_include_pad=1, kernel=[3,3], padding=[1,1,1,1], strides=[2,2]} : "
      "f32[2,20,3,3] } -> (%1: f32[2,20,3,3]c16)",
      "(f32[2,20,6,6]c16) { %1 = avg_pool(%0) {count_include_pad=0, kernel=[3,3], padding=[0,0,1,1], strides=[2,2]} : "
      "f32[2,20,3,3] } -> (%1: f32[2,20,3,3]c16)",
      "(f32[2,64,8,8]c16) { %1 = avg_pool(%0) {count_include_pad=1, kernel=[4,4], padding=[0,0,0,0], strides=[1,1]} : "
      "f32[2,64,5,5] } -> (%1: f32[2,64,5,5]c16)",
      "(f32[4,64,8,8]c16h1) { %1 = global_avg_pool(%0) {} : f32[4,64] } -> (%1: f32[4,64])",
      "(f32[2,20,7,7]c16) { %1 = global_avg_pool(%0) {} : f32[2,20] } -> (%1: f32[2,20])",
      "(f32[2,5,3,3]) { %1 = global_avg_pool(%0) {} : f32[2,5] } -> (%1: f32[2,5])",
      "(f32[1,20,1,1]c16) { %1 = global_avg_pool(%0) {} : f32[1,20] } -> (%1: f32[1,20])",
      "(f32[1,20,7,7]c16) { %1 = max_pool(%0) {kernel=[3,3], padding=[1,1,1,1], strides=[2,2]} : f32[1,20,4,4] } -> "
      "(%1: f32[1,20,4,4]c16)",
  });
}

TEST(Kernel, PoolGradients) {
  checkBothForms(
      {
          "(f32[2,20,4,4]c16, f32[2,20,8,8]c16) { %2 = max_pool_grad(%0, %1) {kernel=[3,3], padding=[1,1,1,1], "
          "strides=[2,2]} : f32[2,20,8,8] } -> (%2: f32[2,20,8,8]c16)",
          "(f32[2,16,4,4]c16h1, f32[2,16,7,7]c16h1) { %2 = max_pool_grad(%0, %1) {kernel=[3,3], padding=[1,1,1,1], "
          "strides=[2,2]} : f32[2,16,7,7] } -> (%2: f32[2,16,7,7]c16h1)",
          "(f32[2,16,4,4]c16, f32[2,16,9,9]c16) { %2 = max_pool_grad(%0, %1) {kernel=[2,2], padding=[0,0,0,0], "
          "strides=[2,2]} : f32[2,16,9,9] } -> (%2: f32[2,16,9,9]c16)",
          "(f32[2,16,3,3]c16, f32[2,16,9,9]c16) { %2 = max_pool_grad(%0, %1) {kernel=[2,2], padding=[0,0,0,0], "
          "strides=[3,3]} : f32[2,16,9,9] } -> (%2: f32[2,16,9,9]c16)",
          // Through relu and batch norm: the mask of the same pixel follows.
          "(f32[2,16,4,4]c16, f32[2,16,8,8]c16, f32[16]c16, f32[16]c16) { %4 = scale_shift(%1, %2, %3) {} : "
          "f32[2,16,8,8]; %5 = relu(%4) {} : f32[2,16,8,8]; %6 = max_pool_grad(%0, %5) {kernel=[3,3], "
          "padding=[1,1,1,1], strides=[2,2]} : f32[2,16,8,8]; %7 = relu_grad(%6, %4) {} : f32[2,16,8,8] } -> (%7: "
          "f32[2,16,8,8]c16)",
          // And the sums of the batch norm below.
          "(f32[1,20,4,4]c16, f32[1,20,8,8]c16, f32[1,20,8,8]c16) { %3 = max_pool_grad(%0, %1) {kernel=[3,3], "
          "padding=[1,1,1,1], strides=[2,2]} : f32[1,20,8,8]; %4 = relu_grad(%3, %1) {} : f32[1,20,8,8]; %5 = "
          "channel_sum(%4) {pieces=1} : f32[1,20]; %6 = channel_dot(%4, %2) {pieces=1} : f32[1,20] } -> (%4: "
          "f32[1,20,8,8]c16, %5: f32[1,20]c16, %6: f32[1,20]c16)",
          "(f32[2,16,5,5]c16, f32[2,16,8,8]c16) { %2 = avg_pool_grad(%0) {count_include_pad=1, kernel=[4,4], "
          "padding=[0,0,0,0], size=[8,8], strides=[1,1]} : f32[2,16,8,8]; %3 = channel_sum(%2) {pieces=1} : f32[1,16]; "
          "%4 = channel_dot(%2, %1) {pieces=1} : f32[1,16] } -> (%2: f32[2,16,8,8]c16h1, %3: f32[1,16]c16, %4: "
          "f32[1,16]c16)",
          "(f32[2,16,11,11]c16h1, f32[2,16,11,11]c16) { %2 = channel_sum(%0) {pieces=1} : f32[1,16]; %3 = "
          "channel_dot(%0, %1) {pieces=1} : f32[1,16] } -> (%2: f32[1,16]c16, %3: f32[1,16]c16)",
          "(f32[2,20,3,3]c16) { %1 = avg_pool_grad(%0) {count_include_pad=1, kernel=[3,3], padding=[1,1,1,1], "
          "size=[6,6], strides=[2,2]} : f32[2,20,6,6] } -> (%1: f32[2,20,6,6]c16)",
          "(f32[2,20,3,3]c16) { %1 = avg_pool_grad(%0) {count_include_pad=0, kernel=[3,3], padding=[0,0,1,1], "
          "size=[6,6], strides=[2,2]} : f32[2,20,6,6] } -> (%1: f32[2,20,6,6]c16)",
          "(f32[2,64,5,5]c16) { %1 = avg_pool_grad(%0) {count_include_pad=1, kernel=[4,4], padding=[0,0,0,0], "
          "size=[8,8], strides=[1,1]} : f32[2,64,8,8] } -> (%1: f32[2,64,8,8]c16)",
          "(f32[1,20]) { %1 = global_avg_pool_grad(%0) {size=[1,1]} : f32[1,20,1,1] } -> (%1: f32[1,20,1,1]c16h1)",
          "(f32[2,20]) { %1 = global_avg_pool_grad(%0) {size=[7,7]} : f32[2,20,7,7] } -> (%1: f32[2,20,7,7]c16)",
          "(f32[2,64], f32[2,64,4,4]c16h1) { %2 = global_avg_pool_grad(%0) {size=[4,4]} : f32[2,64,4,4]; %3 = "
          "relu_grad(%2, %1) {} : f32[2,64,4,4] } -> (%3: f32[2,64,4,4]c16)",
      },
      kGradients);
}

TEST(Kernel, Dense) {
  checkBothForms({
      "(f32[4,64], f32[10,64]k16) { %2 = linear(%0, %1) {} : f32[4,10] } -> (%2: f32[4,10])",
      "(f32[1,37], f32[33,37]k16, f32[33]) { %3 = linear(%0, %1) {} : f32[1,33]; %4 = add_bias(%3, %2) {} : f32[1,33] "
      "} -> (%4: f32[1,33])",
      "(f32[4,64,8,8]c16h1, f32[10,64]k16, f32[10]) { %3 = global_avg_pool(%0) {} : f32[4,64]; %4 = linear(%3, %1) {} "
      ": f32[4,10]; %5 = add_bias(%4, %2) {} : f32[4,10] } -> (%5: f32[4,10])",
      "(f32[4,10], f32[10,64]k16) { %2 = linear_grad_data(%0, %1) {} : f32[4,64] } -> (%2: f32[4,64])",
      "(f32[3,33], f32[33,37]k16) { %2 = linear_grad_data(%0, %1) {} : f32[3,37] } -> (%2: f32[3,37])",
      "(f32[4,10], f32[4,64]) { %2 = linear_grad_weight(%0, %1) {} : f32[10,64] } -> (%2: f32[10,64]k16)",
      "(f32[5,33], f32[5,37]) { %2 = linear_grad_weight(%0, %1) {} : f32[33,37] } -> (%2: f32[33,37]k16)",
      "(f32[128,10]) { %1 = batch_sum(%0) {} : f32[10] } -> (%1: f32[10])",
      "(f32[7,20]) { %1 = batch_sum(%0) {} : f32[20] } -> (%1: f32[20]c16)",
      "(f32[32,20]c16) { %1 = batch_sum(%0) {} : f32[20] } -> (%1: f32[20]c16)",
      "(f32[8,20,17,3,3]k16c16) { %1 = batch_sum(%0) {} : f32[20,17,3,3] } -> (%1: f32[20,17,3,3]k16c16)",
      "(f32[32,16,16,3,3]k16c16) { %1 = batch_sum(%0) {} : f32[16,16,3,3] } -> (%1: f32[16,16,3,3]k16c16)",
      // Large enough to be computed by blocks of columns or of outputs.
      "(f32[16,64], f32[70,64]k16) { %2 = linear(%0, %1) {} : f32[16,70] } -> (%2: f32[16,70])",
      "(f32[16,70], f32[70,96]k16) { %2 = linear_grad_data(%0, %1) {} : f32[16,96] } -> (%2: f32[16,96])",
      "(f32[16,70], f32[70,90]k16) { %2 = linear_grad_data(%0, %1) {} : f32[16,90] } -> (%2: f32[16,90])",
      "(f32[6,70], f32[6,250]) { %2 = linear_grad_weight(%0, %1) {} : f32[70,250] } -> (%2: f32[70,250]k16)",
      "(f32[40,450,2,2]c16) { %1 = global_avg_pool(%0) {} : f32[40,450] } -> (%1: f32[40,450])",
      "(f32[5,20,3,3,3]k16) { %1 = batch_sum(%0) {} : f32[20,3,3,3] } -> (%1: f32[20,3,3,3]k16)",
  });
}

TEST(Kernel, Losses) {
  checkBothForms({
      "(f32[4,10]) { %1 = softmax(%0) {} : f32[4,10] } -> (%1: f32[4,10])",
      "(f32[4,10], f32[4,10]) { %2 = softmax_grad(%0, %1) {} : f32[4,10] } -> (%2: f32[4,10])",
      "(f32[5,10], i32[5]) { %2 = cross_entropy(%0, %1) {label_smoothing=0.0} : f32[5] } -> (%2: f32[5])",
      "(f32[8,1000], i32[8]) { %2 = cross_entropy(%0, %1) {label_smoothing=0.1} : f32[8] } -> (%2: f32[8])",
      "(f32[5,10], i32[5]) { %2 = cross_entropy_grad(%0, %1) {factor=0.2, label_smoothing=0.0} : f32[5,10] } -> (%2: "
      "f32[5,10])",
      "(f32[8,33], i32[8]) { %2 = cross_entropy_grad(%0, %1) {factor=0.125, label_smoothing=0.1} : f32[8,33] } -> (%2: "
      "f32[8,33])",
      "(f32[40,10], i32[40]) { %2 = label_rank(%0, %1) {} : i32[40] } -> (%2: i32[40])",
      "(f32[6,10], i32[6]) { %2 = cross_entropy(%0, %1) {label_smoothing=0.1} : f32[6]; %3 = label_rank(%0, %1) {} : "
      "i32[6]; %4 = cross_entropy_grad(%0, %1) {factor=0.1, label_smoothing=0.1} : f32[6,10] } -> (%2: f32[6], %3: "
      "i32[6], %4: f32[6,10])",
  });
}

TEST(Kernel, Dropout) {
  checkKernels({
      "(f32[4,33], i32[2]) { %2 = dropout(%0, %1) {layer=3, piece_of=1, rate=0.3} : f32[4,33] } -> (%2: f32[4,33])",
      "(f32[2,20,5,5]c16, i32[2]) { %2 = dropout(%0, %1) {layer=0, piece_of=1, rate=0.5} : f32[2,20,5,5] } -> (%2: "
      "f32[2,20,5,5]c16)",
  });
}

// A piece of the whole that each takes for itself.
TEST(Kernel, Parts) {
  checkKernels({
      "(f32[32,64,3,3]k16c16) { %1 = part(%0) {dim=1, piece_of=4} : f32[32,16,3,3]; %2 = relayout(%1) {} : "
      "f32[32,16,3,3] } -> (%2: f32[32,16,3,3]c16k16)",
      "(f32[20,64,1,1]k16c16) { %1 = part(%0) {dim=1, piece_of=2} : f32[20,32,1,1]; %2 = relayout(%1) {} : "
      "f32[20,32,1,1] } -> (%2: f32[20,32,1,1]c16k16)",
      "(f32[4,64,20,3,3]k16c16) { %1 = part(%0) {dim=1, piece_of=2} : f32[4,32,20,3,3]; %2 = batch_sum(%1) {} : "
      "f32[32,20,3,3] } -> (%2: f32[32,20,3,3]k16c16)",
      "(f32[16,48,3,7,7]k16) { %1 = part(%0) {dim=1, piece_of=3} : f32[16,16,3,7,7]; %2 = batch_sum(%1) {} : "
      "f32[16,3,7,7] } -> (%2: f32[16,3,7,7]k16)",
      "(f32[32,33]) { %1 = part(%0) {dim=1, piece_of=3} : f32[32,11]; %2 = batch_sum(%1) {} : f32[11] } -> (%2: "
      "f32[11]c16)",
      "(f32[2,30,4,4]c16) { %1 = part(%0) {dim=1, piece_of=3} : f32[2,10,4,4]; %2 = relu(%1) {} : f32[2,10,4,4] } -> "
      "(%2: f32[2,10,4,4]c16h1)",
      "(f32[6,4]) { %1 = part(%0) {dim=0, piece_of=1} : f32[6,4]; %2 = relu(%1) {} : f32[6,4] } -> (%2: f32[6,4])",
  });
}

// One piece of several is told which, and draws what the batch's elements there draw.
TEST(Kernel, DropoutOfOnePiece) {
  checkBothForms({
      "(f32[4,33], i32[2]) { %2 = dropout(%0, %1) {layer=3, piece_of=2, rate=0.3} : f32[4,33] } -> (%2: f32[4,33])",
      "(f32[2,20,5,5]c16, i32[2]) { %2 = dropout(%0, %1) {layer=0, piece_of=4, rate=0.5} : f32[2,20,5,5] } -> (%2: "
      "f32[2,20,5,5]c16)",
      "(f32[1,16,8,8]c16h1, i32[2]) { %2 = dropout(%0, %1) {layer=1099511627776, piece_of=1000000, rate=0.0} : "
      "f32[1,16,8,8] } -> (%2: f32[1,16,8,8]c16h1)",
      // more elements than 32 bits count
      "(f32[1,20,8,8]c16, i32[2]) { %2 = dropout(%0, %1) {layer=0, piece_of=100000000, rate=0.5} : f32[1,20,8,8] } -> "
      "(%2: f32[1,20,8,8]c16)",
      "(f32[1,20,5,5]c16, i32[2]) { %2 = dropout(%0, %1) {layer=0, piece_of=100000000, rate=0.5} : f32[1,20,5,5] } -> "
      "(%2: f32[1,20,5,5]c16)",
      // forwards
      "(f32[2,20,6,6]c16, f32[20]c16, f32[20]c16, i32[2]) { %4 = scale_shift(%0, %1, %2) {} : f32[2,20,6,6]; %5 = "
      "relu(%4) {} : f32[2,20,6,6]; %6 = dropout(%5, %3) {layer=2, piece_of=3, rate=0.4} : f32[2,20,6,6] } -> (%6: "
      "f32[2,20,6,6]c16h1)",
      "(f32[2,32,4,4]c16, i32[2]) { %2 = global_avg_pool(%0) {} : f32[2,32]; %3 = dropout(%2, %1) {layer=0, "
      "piece_of=4, rate=0.2} : f32[2,32] } -> (%3: f32[2,32])",
      "(f32[2,16,8,8]c16, i32[2]) { %2 = max_pool(%0) {kernel=[2,2], padding=[0,0,0,0], strides=[2,2]} : "
      "f32[2,16,4,4]; %3 = dropout(%2, %1) {layer=0, piece_of=2, rate=0.2} : f32[2,16,4,4] } -> (%3: f32[2,16,4,4]c16)",
      "(f32[4,24], f32[40,24]k16, i32[2]) { %3 = linear(%0, %1) {} : f32[4,40]; %4 = relu(%3) {} : f32[4,40]; %5 = "
      "dropout(%4, %2) {layer=0, piece_of=1, rate=0.5} : f32[4,40] } -> (%5: f32[4,40])",
      // backwards
      "(f32[2,20,5,5]c16, i32[2], f32[2,20,5,5]c16, f32[2,20,5,5]c16) { %4 = dropout(%0, %1) {layer=2, piece_of=5, "
      "rate=0.4} : f32[2,20,5,5]; %5 = relu_grad(%4, %2) {} : f32[2,20,5,5]; %6 = channel_sum(%5) {pieces=1} : "
      "f64[1,20]; %7 = channel_dot(%5, %3) {pieces=1} : f64[1,20] } -> (%5: f32[2,20,5,5]c16, %6: f64[1,20]c16, %7: "
      "f64[1,20]c16)",
      // rows of 4, 12 and 28 pixels, which draw by fours
      "(f32[2,20,3,4]c16, i32[2], f32[2,20,3,4]c16, f32[2,20,3,4]c16) { %4 = dropout(%0, %1) {layer=2, piece_of=5, "
      "rate=0.4} : f32[2,20,3,4]; %5 = relu_grad(%4, %2) {} : f32[2,20,3,4]; %6 = channel_sum(%5) {pieces=1} : "
      "f64[1,20]; %7 = channel_dot(%5, %3) {pieces=1} : f64[1,20] } -> (%5: f32[2,20,3,4]c16, %6: f64[1,20]c16, %7: "
      "f64[1,20]c16)",
      "(f32[2,16,5,12]c16, i32[2], f32[2,16,5,12]c16) { %3 = dropout(%0, %1) {layer=2, piece_of=2, rate=0.4} : "
      "f32[2,16,5,12]; %4 = relu_grad(%3, %2) {} : f32[2,16,5,12]; %5 = relu(%2) {} : f32[2,16,5,12]; %6 = dropout(%5, "
      "%1) {layer=1, piece_of=2, rate=0.4} : f32[2,16,5,12] } -> (%4: f32[2,16,5,12]c16, %6: f32[2,16,5,12]c16h1)",
      "(f32[1,16,7,28]c16, f32[16]c16, f32[16]c16, i32[2]) { %4 = scale_shift(%0, %1, %2) {} : f32[1,16,7,28]; %5 = "
      "relu(%4) {} : f32[1,16,7,28]; %6 = dropout(%5, %3) {layer=2, piece_of=3, rate=0.4} : f32[1,16,7,28] } -> (%6: "
      "f32[1,16,7,28]c16h1)",
      // fusion does not make this one
      "(f32[2,16,6,6]c16h1, f32[16,16,3,3]k16c16, i32[2]) { %3 = conv2d(%0, %1) {dilations=[1,1], groups=1, "
      "padding=[1,1,1,1], strides=[1,1]} : f32[2,16,6,6]; %4 = dropout(%3, %2) {layer=0, piece_of=4, rate=0.5} : "
      "f32[2,16,6,6] } -> (%4: f32[2,16,6,6]c16)",
  });
}

/// What relu and dropout make of a batch [8, 20, 6, width] of ones, piece by piece, in storage.
std::vector<float> dropOnes(int width, int pieces) {
  const std::string shape = "[" + std::to_string(8 / pieces) + ",20,6," + std::to_string(width) + "]";
  KernelSpec spec;
  std::string error;
  EXPECT_TRUE(parse("(f32" + shape + "c16, i32[2]) { %2 = relu(%0) {} : f32" + shape +
                        "; %3 = dropout(%2, %1) {layer=3, piece_of=" + std::to_string(pieces) + ", rate=0.25} : f32" +
                        shape + " } -> (%3: f32" + shape + "c16)",
                    spec, error))
      << error;
  auto kernels = codegen::LoadedKernels::compile({spec}, {}, error);
  EXPECT_TRUE(kernels) << error;
  const int64_t size = storageElements(spec.operands[0]);
  const auto allocate = [](int64_t elements) {
    return std::unique_ptr<float, void (*)(void *)>(
        static_cast<float *>(std::aligned_alloc(64, elements * sizeof(float))), std::free);
  };
  auto ones = allocate(size), dropped = allocate(size * pieces);
  std::fill_n(ones.get(), size, 1.f);
  int32_t seed[] = {11, -7};
  for (int32_t piece = 0; kernels && piece < pieces; ++piece) {
    std::vector<void *> storage = {ones.get(), seed, dropped.get() + piece * size};
    if (asksForPiece(spec))
      storage.insert(storage.begin() + 2, &piece);
    EXPECT_EQ(codegen::callKernel(kernels->find(symbol(spec)), storage), 0);
  }
  return {dropped.get(), dropped.get() + size * pieces};
}

// However the batch is cut, the same mask, and it is Philox's.
TEST(Kernel, DropoutDrawsTheSameMaskInAnyPieces) {
  for (int width : {6, 8}) {
    const std::vector<float> whole = dropOnes(width, 1);
    for (int pieces : {2, 4, 8})
      EXPECT_EQ(std::memcmp(whole.data(), dropOnes(width, pieces).data(), whole.size() * sizeof(float)), 0) << pieces;
    const TensorSpec batch{.shape = {8, 20, 6, width}, .layout = LayoutKind::C16};
    for (int64_t element = 0; element < 8 * 20 * 6 * width; ++element) {
      const int64_t row = element / width;
      const std::vector<int64_t> index = {row / 120, row / 6 % 20, row % 6, element % width};
      const bool keeps = philox::dropoutKeeps(11, static_cast<uint32_t>(-7), 3, element, 0.25);
      ASSERT_EQ(whole[storageOffset(batch, index)], keeps ? float(1 / 0.75) : 0.f) << element;
    }
  }
}

// Optimizers write where they read.
TEST(Kernel, Sgd) {
  CheckOptions inPlace{.inPlace = {{0, 0}, {2, 1}}};
  for (const char *tensor : {"f32[20,17,3,3]k16c16", "f32[20,3,3,3]k16", "f32[10]", "f32[33]", "f32[20]c16"}) {
    std::string t = tensor, shape = t.substr(3, t.find(']') - 2),
                operands = "(" + t + ", " + t + ", " + t + ", f32[]) ";
    auto sgd = [&](const std::string &attributes) {
      return operands + "{ %4, %5 = sgd(%0, %1, %2, %3) {" + attributes + "} : f32" + shape + ", f32" + shape +
             " } -> (%4: " + t + ", %5: " + t + ")";
    };
    checkKernels({sgd("momentum=0.9, nesterov=0, weight_decay=0.0001"),
                  sgd("momentum=0.9, nesterov=1, weight_decay=0.0"), sgd("momentum=0.0, nesterov=0, weight_decay=0.5")},
                 inPlace);
  }
}

TEST(Kernel, Adam) {
  for (const char *decay :
       {"decoupled=0, epsilon=1e-08, weight_decay=0.0", "decoupled=0, epsilon=1e-08, weight_decay=0.01",
        "decoupled=1, epsilon=1e-08, weight_decay=0.01"})
    EXPECT_TRUE(checkKernel("(f32[20,17,3,3]k16c16, f32[20,17,3,3]k16c16, f32[20,17,3,3]k16c16, f32[20,17,3,3]k16c16, "
                            "f32[], f32[]) { %6, %7, %8 = adam(%0, %1, %2, %3, %4, %5) {beta1=0.9, beta2=0.999, " +
                                std::string(decay) +
                                "} : f32[20,17,3,3], f32[20,17,3,3], f32[20,17,3,3] } -> (%6: f32[20,17,3,3]k16c16, "
                                "%7: f32[20,17,3,3]k16c16, %8: f32[20,17,3,3]k16c16)",
                            {.inPlace = {{0, 0}, {2, 1}, {3, 2}}}));
}

TEST(Kernel, Rmsprop) {
  for (const char *momentum : {"momentum=0.0, weight_decay=0.0", "momentum=0.9, weight_decay=0.01"})
    EXPECT_TRUE(checkKernel("(f32[33], f32[33], f32[33], f32[33], f32[]) { %5, %6, %7 = rmsprop(%0, %1, %2, %3, %4) "
                            "{alpha=0.99, epsilon=1e-08, " +
                                std::string(momentum) +
                                "} : f32[33], f32[33], f32[33] } -> (%5: f32[33], %6: f32[33], %7: f32[33])",
                            {.inPlace = {{0, 0}, {2, 1}, {3, 2}}}));
}

} // namespace
