//===- LargeKernelTest.cpp - Kernels of large maps, layers and batches ----===//
//
// What a kernel keeps at hand must not grow with the map, the batch, the classes or the
// inputs: these have more of them than fit the stack kept all at once, and are right.
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelLibrary.h"
#include "test/unit/KernelCheck.h"
#include "test/unit/PlannedKnobs.h"

using namespace resin;

namespace {

const CheckOptions kGradients{.tolerance = 1e-4};

std::string list(const std::vector<int> &shape) {
  std::string text;
  for (int extent : shape)
    text += (text.empty() ? "[" : ",") + std::to_string(extent);
  return text + "]";
}
std::string f32(const std::vector<int> &shape, const std::string &layout = "") { return "f32" + list(shape) + layout; }

std::string linear(int n, int in, int out) {
  return "(" + f32({n, in}) + ", " + f32({out, in}, "k16") + ", " + f32({out}, "c16") +
         ") { %3 = linear(%0, %1) {} : f32" + list({n, out}) + "; %4 = add_bias(%3, %2) {} : f32" + list({n, out}) +
         "; %5 = relu(%4) {} : f32" + list({n, out}) + " } -> (%5: " + f32({n, out}) + ")";
}
std::string linearGradData(int n, int in, int out) {
  return "(" + f32({n, out}) + ", " + f32({out, in}, "k16") + ", " + f32({n, in}) +
         ") { %3 = linear_grad_data(%0, %1) {} : f32" + list({n, in}) + "; %4 = relu_grad(%3, %2) {} : f32" +
         list({n, in}) + " } -> (%4: " + f32({n, in}) + ")";
}
std::string linearGradWeight(int n, int in, int out) {
  return "(" + f32({n, out}) + ", " + f32({n, in}) + ") { %2 = linear_grad_weight(%0, %1) {} : f32" + list({out, in}) +
         " } -> (%2: " + f32({out, in}, "k16") + ")";
}
std::string batchSum(int n, int c) {
  return "(" + f32({n, c}) + ") { %1 = batch_sum(%0) {} : f32" + list({c}) + " } -> (%1: " + f32({c}, "c16") + ")";
}

TEST(LargeKernel, LinearLayers) {
  checkKernels(
      {
          linear(16390, 3, 200),         // batch x outputs
          linear(257, 5, 12301),         //
          linear(2, 150528, 10),         // inputs
          linearGradData(256, 1000, 10), // inputs that fill no blocks
          linearGradData(13001, 32, 10), // batch
          linearGradData(1, 250001, 3),  // inputs
          linearGradWeight(4, 200704, 10),
          linearGradWeight(2, 1000003, 1),
          batchSum(17, 3400000),
      },
      kGradients);
}

// 16 lanes of 8192 x 16385 sums were more than an index counts.
TEST(LargeKernel, SumsThatNoIndexCounts) {
  KernelSpec spec;
  std::string error;
  ASSERT_TRUE(parse(linearGradData(8192, 16385, 10), spec, error)) << error;
  std::vector<codegen::CompiledKernel> kernels;
  EXPECT_TRUE(codegen::compileKernels({spec}, {}, kernels, error)) << error;
}

/// A node of two operands, logits and labels or logits and their gradient.
std::string loss(const std::string &op, const std::string &second, const std::string &attributes,
                 const std::string &result, int n, int classes) {
  return "(" + f32({n, classes}) + (second.empty() ? "" : ", " + second) + ") { %" + (second.empty() ? "1" : "2") +
         " = " + op + "(%0" + (second.empty() ? "" : ", %1") + ") {" + attributes +
         "} : " + result.substr(0, result.find(']') + 1) + " } -> (%" + (second.empty() ? "1" : "2") + ": " + result +
         ")";
}

TEST(LargeKernel, Losses) {
  std::vector<std::string> texts;
  for (auto [n, classes] : {std::pair(3, 1050000), std::pair(336, 10000), std::pair(1100000, 3)}) {
    const std::string labels = "i32" + list({n}), all = f32({n, classes}), each = f32({n});
    texts.push_back(loss("softmax", "", "", all, n, classes));
    texts.push_back(loss("softmax_grad", all, "", all, n, classes));
    texts.push_back(loss("cross_entropy", labels, "label_smoothing=0.1", each, n, classes));
    texts.push_back(loss("cross_entropy_grad", labels, "factor=0.5, label_smoothing=0.1", all, n, classes));
    texts.push_back(loss("label_rank", labels, "", "i32" + list({n}), n, classes));
  }
  checkKernels(texts, kGradients);
}

/// `nodes` that make value `value` of this shape, and its sums, with value 0 for the dot.
std::string withSums(const std::string &operands, const std::string &nodes, int value, const std::vector<int> &shape) {
  const std::string sums = list({1, shape[1]}), v = "%" + std::to_string(value), s = "%" + std::to_string(value + 1),
                    d = "%" + std::to_string(value + 2);
  return "(" + operands + ") { " + nodes + "; " + s + " = channel_sum(" + v + ") {pieces=1} : f64" + sums + "; " + d +
         " = channel_dot(" + v + ", %0) {pieces=1} : f64" + sums + " } -> (" + v + ": " + f32(shape, "c16h1") + ", " +
         s + ": f64" + sums + "c16, " + d + ": f64" + sums + "c16)";
}

TEST(LargeKernel, SumsOfMaps) {
  std::vector<std::string> texts;
  for (const std::vector<int> &shape : {std::vector<int>{1, 40, 404, 404}, {1, 16, 1, 1000003}}) {
    const std::string map = f32(shape, "c16");
    texts.push_back(withSums(map + ", " + map, "%2 = relu_grad(%0, %1) {} : f32" + list(shape), 2, shape));
    texts.push_back("(" + map + ") { %1 = channel_sum(%0) {pieces=1} : f64" + list({1, shape[1]}) + " } -> (%1: f64" +
                    list({1, shape[1]}) + "c16)");
  }
  checkKernels(texts, kGradients);
}

// A filter as wide as an image: its taps were unrolled, all of them.
TEST(LargeKernel, FilterOfAPlanarImage) {
  checkKernels(
      {"(f32[1,3,1,4007], f32[1,3,1,2005]c16) { %2 = conv2d_grad_weight(%0, %1) {dilations=[1,1], groups=1, "
       "kernel=[1,2003], lane=0, padding=[0,0,0,0], strides=[1,1]} : f32[3,3,1,2003] } -> (%2: f32[3,3,1,2003]k16)"},
      kGradients);
}

TEST(LargeKernel, Pools) {
  const std::string wide = "{kernel=[1,3], padding=[0,1,0,1], strides=[1,2]}";
  std::vector<int> small = {1, 16, 1, 500002}, large = {1, 16, 1, 1000003};
  const std::string map = f32(large, "c16");
  checkKernels(
      {withSums(map + ", " + f32(small, "c16"), "%2 = max_pool_grad(%1, %0) " + wide + " : f32" + list(large), 2,
                large),
       "(" + f32({70, 3000, 2, 2}, "c16") + ") { %1 = global_avg_pool(%0) {} : f32[70,3000] } -> (%1: f32[70,3000])"},
      kGradients);
}

std::string conv(const std::string &op, const std::vector<int> &x, const std::string &xLayout,
                 const std::vector<int> &w, const std::string &wLayout, const std::vector<int> &y, int pad) {
  const std::string p = std::to_string(pad);
  return f32(x, xLayout) + ", " + f32(w, wLayout) + "|%2 = " + op + "(%0, %1) {dilations=[1,1], groups=1, padding=[" +
         p + "," + p + "," + p + "," + p + "], strides=[1,1]} : f32" + list(y);
}

TEST(LargeKernel, StatisticsOfConvolutions) {
  std::vector<std::string> texts;
  auto add = [&](const std::string &parts, const std::vector<int> &y) {
    const size_t bar = parts.find('|');
    const std::string sums = list({1, y[1]});
    texts.push_back("(" + parts.substr(0, bar) + ") { " + parts.substr(bar + 1) +
                    "; %3 = channel_sum(%2) {pieces=1} : f64" + sums + "; %4 = channel_dot(%2, %2) {pieces=1} : f64" +
                    sums + " } -> (%2: " + f32(y, "c16") + ", %3: f64" + sums + "c16, %4: f64" + sums + "c16)");
  };
  add(conv("conv2d", {1, 2, 404, 404}, "", {64, 2, 1, 1}, "k16", {1, 64, 404, 404}, 0), {1, 64, 404, 404});
  add(conv("conv2d", {1, 16, 404, 404}, "c16", {64, 16, 1, 1}, "k16c16", {1, 64, 404, 404}, 0), {1, 64, 404, 404});
  add(conv("conv2d", {1, 1, 1, 1000003}, "", {16, 1, 1, 1}, "k16", {1, 16, 1, 1000003}, 0), {1, 16, 1, 1000003});
  checkKernels(texts, kGradients);
}

// The same on small maps, where every kernel is told to be frugal: by Winograd's method, ragged, strided, in groups.
TEST(LargeKernel, FrugalConvolutions) {
  const std::string window = "padding=[1,1,1,1]", one = ", strides=[1,1]", two = ", strides=[2,2]";
  checkKernels(
      {
          "(f32[2,32,14,14]c16h1, f32[32,32,3,3]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, " + window +
              one +
              "} : f32[2,32,14,14]; %3 = channel_sum(%2) {pieces=1} : f64[1,32]; %4 = channel_dot(%2, %2) {pieces=1} : "
              "f64[1,32] } -> (%2: f32[2,32,14,14]c16h1, %3: f64[1,32]c16, %4: f64[1,32]c16)",
          "(f32[1,20,13,9]c16h1, f32[40,20,3,3]k16c16, f32[40]c16) { %3 = conv2d(%0, %1) {dilations=[1,1], groups=1, " +
              window + two +
              "} : f32[1,40,7,5]; %4 = add_bias(%3, %2) {} : f32[1,40,7,5]; %5 = channel_sum(%4) {pieces=1} : "
              "f64[1,40]; %6 = channel_dot(%4, %4) {pieces=1} : f64[1,40] } -> (%4: f32[1,40,7,5]c16, %5: "
              "f64[1,40]c16, %6: f64[1,40]c16)",
          "(f32[2,32,7,7]c16h1, f32[32,16,3,3]c16k16, f32[2,16,13,14]c16h1, f32[2,16,13,14]c16) { %4 = "
          "conv2d_grad_data(%0, %1) {dilations=[1,1], groups=1, " +
              window + ", size=[13,14]" + two +
              "} : f32[2,16,13,14]; %5 = relu_grad(%4, %2) {} : f32[2,16,13,14]; %6 = channel_sum(%5) {pieces=1} : "
              "f64[1,16]; %7 = channel_dot(%5, %3) {pieces=1} : f64[1,16] } -> (%5: f32[2,16,13,14]c16, %6: "
              "f64[1,16]c16, %7: f64[1,16]c16)",
          "(f32[2,32,9,9]c16h1, f32[32,1,3,3]k16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=32, " + window + one +
              "} : f32[2,32,9,9] } -> (%2: f32[2,32,9,9]c16)",
          "(f32[2,32,9,9]c16h1, f32[2,32,9,9]c16h1) { %2 = conv2d_grad_weight(%0, %1) {dilations=[1,1], groups=32, "
          "kernel=[3,3], lane=1, " +
              window + one + "} : f32[1,32,1,3,3] } -> (%2: f32[1,32,1,3,3]k16)",
      },
      {.tolerance = 1e-4, .mostScratch = 0});
}

TEST(LargeKernel, FinishOfManyChannels) {
  const std::string c = f32({1000003}, "c16"), s = "f64[1,1000003]c16", v = "f32[1000003]";
  checkKernels({"(" + s + ", " + s + ", " + c + ", " + c +
                ") { %4, %5, %6, %7 = batch_norm_finalize(%0, %1, %2, %3) "
                "{count=4096.0, epsilon=1e-05} : " +
                v + ", " + v + ", " + v + ", " + v + " } -> (%4: " + c + ", %5: " + c + ", %6: " + c + ", %7: " + c +
                ")"},
               {.tolerance = 1e-6});
}

/// A 1x1 convolution, or one of 5x5, on a map whose sums over chunks of channels would be large.
KernelSpec largeConv(int channels, int size, int kernel) {
  const int pad = kernel / 2;
  const std::string halo = pad ? "h" + std::to_string(pad) : "";
  const std::vector<int> y = {1, 64, size, size};
  const std::string parts =
      conv("conv2d", {1, channels, size, size}, "c16" + halo, {64, channels, kernel, kernel}, "k16c16", y, pad);
  KernelSpec spec;
  std::string error;
  EXPECT_TRUE(parse("(" + parts.substr(0, parts.find('|')) + ") { " + parts.substr(parts.find('|') + 1) +
                        " } -> (%2: " + f32(y, "c16") + ")",
                    spec, error))
      << error;
  return spec;
}

// What is taken untuned is what a record may say.
TEST(LargeKernel, DefaultsKeepScratchInBounds) {
  TargetInfo target;
  std::string error;
  ASSERT_TRUE(findTarget("host", target, error)) << error;
  for (int size : {56, 384, 1024})
    for (int kernel : {1, 3, 5})
      for (int channels : {64, 256, 512}) {
        const KernelSpec spec = largeConv(channels, size, kernel);
        EXPECT_TRUE(planOf(spec, target)->accepts(planOf(spec, target)->untuned())) << print(spec);
      }
}

} // namespace
