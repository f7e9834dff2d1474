//===- NotFiniteTest.cpp - NaN and infinity go through every kernel -------===//
//
// Each kernel gets a NaN of either sign and an infinity of either in each of its
// operands, one after the other, and makes NaN exactly where the interpreter does. What
// kernels may make NaN beyond that is said at the tests that allow it.
//
//===----------------------------------------------------------------------===//

#include "codegen/LoadedKernels.h"
#include "test/unit/ActivationKernels.h"
#include "test/unit/PlannedKnobs.h"
#include "tuning/KernelTrial.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

using namespace resin;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

/// Whether a kernel may make NaN of more than the interpreter does.
using Allowed = std::function<bool(const KernelSpec &, const Poison &)>;
const Allowed kNothing = [](const KernelSpec &, const Poison &) { return false; };

void checkLoaded(const KernelSpec &spec, void *function, const Allowed &mayBeNan) {
  for (size_t operand = 0; operand < spec.operands.size(); ++operand)
    for (double value : {kNan, -kNan, kInfinity, -kInfinity}) {
      if (spec.operands[operand].type == ElementType::I32)
        continue;
      const Poison poison{operand, value};
      std::string error;
      auto trial = KernelTrial::create(spec, /*seed=*/1, error, poison);
      ASSERT_TRUE(trial) << error;
      EXPECT_EQ(trial->check(function, 1e-4, {}, mayBeNan(spec, poison)), "")
          << print(spec) << "\n  with " << value << " in operand " << operand;
    }
}

void checkRequests(const std::vector<codegen::KernelRequest> &requests, const Allowed &mayBeNan) {
  std::vector<codegen::CompiledKernel> kernels;
  std::string error;
  ASSERT_TRUE(codegen::compileKernels(requests, {}, kernels, error)) << error;
  for (size_t i = 0; i < requests.size(); ++i) { // forms of one kernel have one symbol
    auto library = codegen::LoadedKernels::load({kernels[i]}, error);
    ASSERT_TRUE(library) << error;
    SCOPED_TRACE(printKnobs(requests[i].knobs));
    checkLoaded(requests[i].spec, library->find(symbol(requests[i].spec)), mayBeNan);
  }
}

KernelSpec specOf(const std::string &text) {
  KernelSpec spec;
  std::string error;
  EXPECT_TRUE(parse(text, spec, error)) << text << "\n  " << error;
  return spec;
}

void checkKernels(const std::vector<std::string> &texts, const Allowed &mayBeNan = kNothing) {
  std::vector<codegen::KernelRequest> requests;
  for (const std::string &text : texts)
    requests.push_back({specOf(text), {}});
  checkRequests(requests, mayBeNan);
}

// Masks behind a multiply-add are the hard case: LLVM takes its result for a number (codegen/cpu/kernels/Strict.h). One
// column of a dense image is a loop without vectors.
TEST(NotFinite, Pointwise) {
  checkKernels({
      "(f32[2,16,8,8]c16) { %1 = relu(%0) {} : f32[2,16,8,8] } -> (%1: f32[2,16,8,8]c16)",
      "(f32[3,10]) { %1 = relu(%0) {} : f32[3,10] } -> (%1: f32[3,10])",
      "(f32[2,16,4,4]c16, f32[2,16,4,4]c16h1) { %2 = relu_grad(%0, %1) {} : f32[2,16,4,4] } -> (%2: "
      "f32[2,16,4,4]c16h2)",
      "(f32[3,10], f32[3,10]) { %2 = relu_grad(%0, %1) {} : f32[3,10] } -> (%2: f32[3,10])",
      "(f32[2,16,4,4]c16, f32[2,16,4,4]c16) { %2 = add(%0, %1) {} : f32[2,16,4,4]; %3 = relu(%2) {} : f32[2,16,4,4] } "
      "-> (%3: f32[2,16,4,4]c16)",
      "(f32[2,16,4,4]c16, f32[16]c16, f32[16]c16) { %3 = scale_shift(%0, %1, %2) {} : f32[2,16,4,4]; %4 = relu(%3) {} "
      ": f32[2,16,4,4] } -> (%4: f32[2,16,4,4]c16h1)",
      "(f32[2,3,5,1], f32[3]c16, f32[3]c16) { %3 = scale_shift(%0, %1, %2) {} : f32[2,3,5,1]; %4 = relu(%3) {} : "
      "f32[2,3,5,1] } -> (%4: f32[2,3,5,1])",
      "(f32[2,3,5,1], f32[3]c16, f32[3]c16, f32[2,3,5,1]) { %4 = scale_shift(%0, %1, %2) {} : f32[2,3,5,1]; %5 = "
      "relu_grad(%3, %4) {} : f32[2,3,5,1] } -> (%5: f32[2,3,5,1])",
      "(f32[2,16,5,5]c16, f32[2,16,5,5]c16, f32[16]c16, f32[16]c16) { %4 = scale_shift(%1, %2, %3) {} : f32[2,16,5,5]; "
      "%5 = relu_grad(%0, %4) {} : f32[2,16,5,5] } -> (%5: f32[2,16,5,5]c16)",
      "(f32[2,16,4,4]c16, f32[2,16,4,4]c16, f32[16]c16, f32[16]c16, f32[16]c16) { %5 = affine_combine(%0, %1, %2, %3, "
      "%4) {} : f32[2,16,4,4] } -> (%5: f32[2,16,4,4]c16h2)",
      "(f32[4,10], f32[10]c16) { %2 = add_bias(%0, %1) {} : f32[4,10] } -> (%2: f32[4,10])",
      "(f32[16]c16, f32[16]c16, f32[16]c16) { %3 = scale_add(%0, %1, %2) {} : f32[16] } -> (%3: f32[16]c16)",
      "(f32[20,17,3,3]k16c16, f32[20]c16) { %2 = scale_filter(%0, %1) {} : f32[20,17,3,3] } -> (%2: "
      "f32[20,17,3,3]k16c16)",
      "(f32[2,16,4,6]c16, i32[2]) { %2 = dropout(%0, %1) {layer=3, piece_of=1, rate=0.5} : f32[2,16,4,6] } -> (%2: "
      "f32[2,16,4,6]c16)",
      "(f32[2,16,4,8]c16, i32[2]) { %2 = dropout(%0, %1) {layer=3, piece_of=1, rate=0.5} : f32[2,16,4,8] } -> (%2: "
      "f32[2,16,4,8]c16)",
      "(f32[3,10], i32[2]) { %2 = dropout(%0, %1) {layer=3, piece_of=1, rate=0.5} : f32[3,10] } -> (%2: f32[3,10])",
  });
}

TEST(NotFinite, Activations) {
  checkKernels(activationMaps());
  const Allowed ofInfinity = [](const KernelSpec &, const Poison &poison) { return std::isinf(poison.value); };
  checkKernels(activationSums(), ofInfinity);
}

TEST(NotFinite, Pools) {
  const std::string window = "kernel=[3,3], padding=[1,1,1,1], strides=[2,2]",
                    average = "count_include_pad=0, " + window;
  std::vector<std::string> texts = {
      "(f32[2,16,8,7]c16) { %1 = global_avg_pool(%0) {} : f32[2,16] } -> (%1: f32[2,16])",
      "(f32[2,16]) { %1 = global_avg_pool_grad(%0) {size=[3,4]} : f32[2,16,3,4] } -> (%1: f32[2,16,3,4]c16)",
      "(f32[2,16,8,7]c16) { %1 = avg_pool(%0) {" + average + "} : f32[2,16,4,4] } -> (%1: f32[2,16,4,4]c16)",
      "(f32[2,16,4,4]c16) { %1 = avg_pool_grad(%0) {count_include_pad=0, kernel=[3,3], padding=[1,1,1,1], size=[8,7], "
      "strides=[2,2]} : f32[2,16,8,7] } -> (%1: f32[2,16,8,7]c16)",
      // Behind a multiply-add in one kernel.
      "(f32[2,16,6,6]c16, f32[16]c16, f32[16]c16) { %3 = scale_shift(%0, %1, %2) {} : f32[2,16,6,6]; %4 = max_pool(%3) "
      "{kernel=[3,3], padding=[1,1,1,1], strides=[1,1]} : f32[2,16,6,6]; %5 = add(%3, %4) {} : f32[2,16,6,6] } -> (%5: "
      "f32[2,16,6,6]c16)",
      "(f32[2,16,6,6]c16, f32[2,16,6,6]c16, f32[16]c16, f32[16]c16) { %4 = scale_shift(%1, %2, %3) {} : f32[2,16,6,6]; "
      "%5 = max_pool_grad(%0, %4) {kernel=[3,3], padding=[1,1,1,1], strides=[1,1]} : f32[2,16,6,6]; %6 = relu_grad(%5, "
      "%4) {} : f32[2,16,6,6] } -> (%6: f32[2,16,6,6]c16)",
  };
  for (const std::string layout : {"", "c16"}) {
    texts.push_back("(f32[2,16,8,7]" + layout + ") { %1 = max_pool(%0) {" + window +
                    "} : f32[2,16,4,4] } -> (%1: f32[2,16,4,4]" + layout + ")");
    texts.push_back("(f32[2,16,4,4]" + layout + ", f32[2,16,8,7]" + layout + ") { %2 = max_pool_grad(%0, %1) {" +
                    window + "} : f32[2,16,8,7] } -> (%2: f32[2,16,8,7]" + layout + ")");
  }
  checkKernels(texts);
}

// Where a window has nothing but -inf, beside padding too, its first pixel gets the gradient.
TEST(NotFinite, PoolsOfNothingButInfinities) {
  const KernelSpec spec = specOf("(f32[1,16,2,2]c16, f32[1,16,3,3]c16) { %2 = max_pool_grad(%0, %1) {kernel=[3,3], "
                                 "padding=[1,1,1,1], strides=[2,2]} : f32[1,16,3,3] } -> (%2: f32[1,16,3,3]c16)");
  std::string error;
  auto library = codegen::LoadedKernels::compile({spec}, {}, error);
  ASSERT_TRUE(library) << error;
  alignas(64) float gradient[4 * 16], image[9 * 16], result[9 * 16];
  std::fill(std::begin(gradient), std::end(gradient), 1.f);
  std::fill(std::begin(image), std::end(image), -std::numeric_limits<float>::infinity());
  ASSERT_EQ(codegen::callKernel(library->find(symbol(spec)), {gradient, image, result}), 0);
  const float expected[] = {1, 1, 0, 1, 1, 0, 0, 0, 0};
  for (int pixel = 0; pixel < 9; ++pixel)
    EXPECT_EQ(result[pixel * 16], expected[pixel]) << pixel;
}

TEST(NotFinite, Shapes) {
  checkKernels({
      "(f32[2,20,4,6]c16h1) { %1 = flatten(%0) {} : f32[2,480] } -> (%1: f32[2,480])",
      "(f32[2,480]) { %1 = unflatten(%0) {size=[20,4,6]} : f32[2,20,4,6] } -> (%1: f32[2,20,4,6]c16)",
      "(f32[2,20,7,7]c16h1) { %1 = subsample(%0) {stride=2} : f32[2,20,4,4] } -> (%1: f32[2,20,4,4]c16)",
      "(f32[2,20,4,4]c16) { %1 = subsample_grad(%0) {size=[7,7], stride=2} : f32[2,20,7,7] } -> (%1: "
      "f32[2,20,7,7]c16h1)",
      "(f32[2,20,4,4]c16) { %1 = pad_channels(%0) {channels=40} : f32[2,40,4,4] } -> (%1: f32[2,40,4,4]c16)",
      "(f32[2,40,4,4]c16) { %1 = take_channels(%0) {channels=20} : f32[2,20,4,4] } -> (%1: f32[2,20,4,4]c16)",
      "(f32[20,17,3,3]k16c16) { %1 = relayout(%0) {} : f32[20,17,3,3] } -> (%1: f32[20,17,3,3]c16k16)",
  });
}

TEST(NotFinite, Dense) {
  checkKernels({
      "(f32[6,20], f32[24,20]k16, f32[24]c16) { %3 = linear(%0, %1) {} : f32[6,24]; %4 = add_bias(%3, %2) {} : "
      "f32[6,24]; %5 = relu(%4) {} : f32[6,24] } -> (%5: f32[6,24])",
      "(f32[6,24], f32[24,20]k16) { %2 = linear_grad_data(%0, %1) {} : f32[6,20] } -> (%2: f32[6,20])",
      "(f32[6,24], f32[6,20]) { %2 = linear_grad_weight(%0, %1) {} : f32[24,20] } -> (%2: f32[24,20]k16)",
      "(f32[6,24]) { %1 = batch_sum(%0) {} : f32[24] } -> (%1: f32[24]c16)",
      "(f32[40,24]) { %1 = batch_sum(%0) {} : f32[24] } -> (%1: f32[24]c16)",
  });
}

TEST(NotFinite, Loss) {
  checkKernels({
      "(f32[9,10]) { %1 = softmax(%0) {} : f32[9,10] } -> (%1: f32[9,10])",
      "(f32[9,10], f32[9,10]) { %2 = softmax_grad(%0, %1) {} : f32[9,10] } -> (%2: f32[9,10])",
      "(f32[9,10], i32[9]) { %2 = cross_entropy(%0, %1) {label_smoothing=0.0} : f32[9] } -> (%2: f32[9])",
      "(f32[9,10], i32[9]) { %2 = cross_entropy(%0, %1) {label_smoothing=0.1} : f32[9] } -> (%2: f32[9])",
      "(f32[9,10], i32[9]) { %2 = cross_entropy_grad(%0, %1) {factor=0.5, label_smoothing=0.1} : f32[9,10] } -> (%2: "
      "f32[9,10])",
      "(f32[9,10], i32[9]) { %2 = label_rank(%0, %1) {} : i32[9] } -> (%2: i32[9])",
  });
}

// A label whose logit is NaN has every class before it; a NaN is before any other label.
TEST(NotFinite, NoHitBesideNan) {
  const KernelSpec spec = specOf("(f32[4,3], i32[4]) { %2 = label_rank(%0, %1) {} : i32[4] } -> (%2: i32[4])");
  std::string error;
  auto library = codegen::LoadedKernels::compile({spec}, {}, error);
  ASSERT_TRUE(library) << error;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  float logits[] = {nan, nan, nan, nan, 1, 0, nan, 1, 0, 2, 1, 0};
  int32_t labels[] = {0, 0, 1, 0}, ranks[4];
  ASSERT_EQ(codegen::callKernel(library->find(symbol(spec)), {logits, labels, ranks}), 0);
  EXPECT_EQ(std::vector<int32_t>(ranks, ranks + 4), (std::vector<int32_t>{3, 3, 1, 0}));
}

TEST(NotFinite, Optimizers) {
  checkKernels({
      "(f32[20,10]k16, f32[20,10]k16, f32[20,10]k16, f32[]) { %4, %5 = sgd(%0, %1, %2, %3) {momentum=0.9, nesterov=1, "
      "weight_decay=0.1} : f32[20,10], f32[20,10] } -> (%4: f32[20,10]k16, %5: f32[20,10]k16)",
      "(f32[20]c16, f32[20]c16, f32[20]c16, f32[20]c16, f32[]) { %5, %6, %7 = rmsprop(%0, %1, %2, %3, %4) {alpha=0.9, "
      "epsilon=1e-08, momentum=0.9, weight_decay=0.1} : f32[20], f32[20], f32[20] } -> (%5: f32[20]c16, %6: "
      "f32[20]c16, %7: f32[20]c16)",
  });
}

TEST(NotFinite, BatchNorm) {
  checkKernels({
      "(f64[3,16]c16, f64[3,16]c16, f32[16]c16, f32[16]c16) { %4, %5, %6, %7 = batch_norm_finalize(%0, %1, %2, %3) "
      "{count=4096.0, epsilon=1e-05} : f32[16], f32[16], f32[16], f32[16] } -> (%4: f32[16]c16, %5: f32[16]c16, %6: "
      "f32[16]c16, %7: f32[16]c16)",
      "(f32[16]c16, f32[16]c16, f32[16]c16, f32[16]c16) { %4, %5 = inference_affine(%0, %1, %2, %3) {epsilon=0.001} : "
      "f32[16], f32[16] } -> (%4: f32[16]c16, %5: f32[16]c16)",
      "(f32[16]c16, f32[16]c16) { %2 = running_average(%0, %1) {factor=1.01, momentum=0.1} : f32[16] } -> (%2: "
      "f32[16]c16)",
  });
}

/// Sums about a pixel make NaN of an infinity.
const Allowed kInfinities = [](const KernelSpec &, const Poison &poison) { return std::isinf(poison.value); };

TEST(NotFinite, ChannelSums) {
  checkKernels(
      {
          "(f32[2,16,8,8]c16) { %1 = channel_sum(%0) {pieces=1} : f64[1,16]; %2 = channel_dot(%0, %0) {pieces=1} : "
          "f64[1,16] } -> (%1: f64[1,16]c16, %2: f64[1,16]c16)",
          "(f32[2,16,5,5]c16, f32[2,16,5,5]c16, f32[16]c16, f32[16]c16) { %4 = scale_shift(%1, %2, %3) {} : "
          "f32[2,16,5,5]; %5 = relu_grad(%0, %4) {} : f32[2,16,5,5]; %6 = channel_sum(%5) {pieces=1} : f64[1,16]; %7 = "
          "channel_dot(%5, %1) {pieces=1} : f64[1,16] } -> (%5: f32[2,16,5,5]c16, %6: f64[1,16]c16, %7: f64[1,16]c16)",
          "(f64[3,16]c16, f64[3,16]c16, f32[16]c16, f32[16]c16, f32[16]c16) { %5, %6, %7, %8, %9 = "
          "batch_norm_grad_finalize(%0, %1, %2, %3, %4) {count=64.0, epsilon=1e-05} : f32[16], f32[16], f32[16], "
          "f32[16], f32[16] } -> (%5: f32[16]c16, %6: f32[16]c16, %7: f32[16]c16, %8: f32[16]c16, %9: f32[16]c16)",
      },
      kInfinities);
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// The kernel in all forms that templates make of it.
std::vector<codegen::KernelRequest> formsOf(const std::string &text) {
  const KernelSpec spec = specOf(text);
  TargetInfo host;
  std::string error;
  EXPECT_TRUE(findTarget("host", host, error)) << error;
  std::vector<codegen::KernelRequest> forms;
  std::set<std::string> seen;
  for (const Knobs &knobs : planOf(spec, host)->starts())
    if (seen.insert(knobs.form).second)
      forms.push_back({spec, knobs});
  return forms.empty() ? std::vector<codegen::KernelRequest>{{spec, {}}} : forms;
}

/// What resnet.conv2d says of NaN: a filter's meets the zeros around the image too, and Winograd's method spreads any
/// over a tile. The filter, or what stands for it in the gradient of the filter, is operand 1.
void checkConvolution(const std::string &text) {
  for (const codegen::KernelRequest &form : formsOf(text)) {
    const bool spreads = form.knobs.form.starts_with("winograd");
    SCOPED_TRACE(form.knobs.form);
    checkRequests({form}, [&](const KernelSpec &spec, const Poison &poison) {
      const bool sums = spec.results.size() > 1 && std::isinf(poison.value);
      return spreads || poison.operand == 1 || sums;
    });
  }
}

const std::string kWindow = "dilations=[1,1], groups=1, padding=[1,1,1,1], strides=[1,1]",
                  kStrided = "dilations=[1,1], groups=1, padding=[1,1,1,1], strides=[2,2]";

TEST(NotFinite, ConvolutionsForward) {
  const std::string epilogue = "; %5 = add_bias(%4, %2) {} : f32SHAPE; %6 = add(%5, %3) {} : f32SHAPE; %7 = relu(%6) "
                               "{} : f32SHAPE } -> (%7: f32SHAPEc16h1)";
  auto withEpilogue = [&](std::string text, const std::string &shape) {
    text += epilogue;
    for (size_t at; (at = text.find("SHAPE")) != std::string::npos;)
      text.replace(at, 5, shape);
    return text;
  };
  checkConvolution(withEpilogue("(f32[1,16,9,8]c16h1, f32[32,16,3,3]k16c16, f32[32]c16, f32[1,32,9,8]c16) { %4 = "
                                "conv2d(%0, %1) {" +
                                    kWindow + "} : f32SHAPE",
                                "[1,32,9,8]"));
  checkConvolution(withEpilogue("(f32[1,32,6,6]c16h1, f32[16,32,3,3]k16c16, f32[16]c16, f32[1,16,3,3]c16) { %4 = "
                                "conv2d(%0, %1) {" +
                                    kStrided + "} : f32SHAPE",
                                "[1,16,3,3]"));
  checkConvolution(withEpilogue("(f32[1,3,8,8]h1, f32[16,3,3,3]k16, f32[16]c16, f32[1,16,8,8]c16) { %4 = "
                                "conv2d(%0, %1) {" +
                                    kWindow + "} : f32SHAPE",
                                "[1,16,8,8]"));
  checkConvolution(withEpilogue("(f32[1,16,6,6]c16h1, f32[16,16,3,3], f32[16]c16, f32[1,16,6,6]c16) { %4 = "
                                "conv2d(%0, %1) {" +
                                    kWindow + "} : f32SHAPE",
                                "[1,16,6,6]"));
}

TEST(NotFinite, ConvolutionsWithActivations) {
  for (const std::string &text : activationEpilogues())
    checkConvolution(text);
}

TEST(NotFinite, ConvolutionsWithStatistics) {
  checkConvolution("(f32[1,16,9,8]c16h1, f32[16,16,3,3]k16c16) { %2 = conv2d(%0, %1) {" + kWindow +
                   "} : f32[1,16,9,8]; %3 = channel_sum(%2) {pieces=1} : f64[1,16]; %4 = channel_dot(%2, %2) "
                   "{pieces=1} : f64[1,16] } -> (%2: f32[1,16,9,8]c16, %3: f64[1,16]c16, %4: f64[1,16]c16)");
}

TEST(NotFinite, ConvolutionsDataGradient) {
  for (const auto &[window, size] : {std::pair(kWindow, "[1,16,8,8]"), std::pair(kStrided, "[1,16,4,4]")})
    checkConvolution("(f32" + std::string(size) +
                     "c16h1, f32[16,16,3,3]c16k16, f32[1,16,8,8]c16, f32[16]c16, f32[16]c16) { %5 = "
                     "conv2d_grad_data(%0, %1) {dilations=[1,1], groups=1, padding=[1,1,1,1], size=[8,8], " +
                     window.substr(window.find("strides")) +
                     "} : f32[1,16,8,8]; %6 = scale_shift(%2, %3, %4) {} : f32[1,16,8,8]; %7 = relu_grad(%5, %6) {} : "
                     "f32[1,16,8,8]; %8 = channel_sum(%7) {pieces=1} : f64[1,16]; %9 = channel_dot(%7, %2) {pieces=1} "
                     ": f64[1,16] } -> (%7: f32[1,16,8,8]c16, %8: f64[1,16]c16, %9: f64[1,16]c16)");
}

TEST(NotFinite, ConvolutionsWeightGradient) {
  checkConvolution(
      "(f32[1,16,8,8]c16h1, f32[1,32,8,8]c16) { %2 = conv2d_grad_weight(%0, %1) {dilations=[1,1], groups=1, "
      "kernel=[3,3], padding=[1,1,1,1], strides=[1,1]} : f32[32,16,3,3] } -> (%2: f32[32,16,3,3]k16c16)");
}

} // namespace
