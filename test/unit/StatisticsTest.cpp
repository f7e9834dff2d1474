//===- StatisticsTest.cpp - Batch norm's sums against double --------------===//
//
// What batch norm learns of 10^6 values a channel, from the kernel that makes them to
// `batch_norm_finalize`, beside the same in double: where the mean is zero, and where
// it is ten and a thousand deviations away. The pieces are called one after the other,
// as a program calls them.
//
//===----------------------------------------------------------------------===//

#include "codegen/LoadedKernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <memory>

using namespace resin;

namespace {

constexpr int kChannels = 16;

/// Storage of a tensor. All here are of 16 channels in one block, or channel vectors: what matters is which element of
/// 16 a place belongs to.
class Buffer {
public:
  explicit Buffer(const TensorSpec &spec) : size(storageElements(spec)) {
    const size_t bytes = size * bytesOf(spec.type);
    memory.reset(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
    std::fill_n(static_cast<char *>(memory.get()), bytes, 0);
  }
  float *floats() { return static_cast<float *>(memory.get()); }
  double *doubles() { return static_cast<double *>(memory.get()); }
  void *data() { return memory.get(); }

  const int64_t size;

private:
  struct Free {
    void operator()(void *p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory;
};

/// Numbers about 0, nearly normal, of deviation 1.
class Noise {
public:
  float operator()() {
    double sum = -3;
    for (int i = 0; i < 6; ++i)
      sum += uniform();
    return static_cast<float>(sum * 1.4142135);
  }

private:
  double uniform() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 40) / (1 << 24);
  }
  uint64_t state = 42;
};

/// A kernel, with storage for its operands and results.
struct Kernel {
  explicit Kernel(const std::string &text) {
    std::string error;
    if (!parse(text, spec, error))
      ADD_FAILURE() << text << "\n  " << error;
    library = codegen::LoadedKernels::compile({spec}, {}, error);
    if (!library)
      ADD_FAILURE() << error;
    for (const auto *list : {&spec.operands, &spec.results})
      for (const TensorSpec &tensor : *list)
        buffers.push_back(std::make_unique<Buffer>(tensor));
  }
  Buffer &operand(size_t i) { return *buffers[i]; }
  Buffer &result(size_t i) { return *buffers[spec.operands.size() + i]; }
  void call() {
    std::vector<void *> storage;
    for (auto &buffer : buffers)
      storage.push_back(buffer->data());
    ASSERT_EQ(codegen::callKernel(library->find(symbol(spec)), storage), 0);
  }

  KernelSpec spec;
  std::unique_ptr<codegen::LoadedKernels> library;
  std::vector<std::unique_ptr<Buffer>> buffers;
};

/// Sums of a channel in double, about a shift that is near its mean.
struct Exact {
  double shift = 0, sum = 0, squares = 0, count = 0;
  void add(double value) { sum += value - shift, squares += (value - shift) * (value - shift), ++count; }
  double mean() const { return shift + sum / count; }
  double variance() const { return squares / count - sum / count * (sum / count); }
};

std::string list(const std::vector<int> &numbers) {
  std::string text;
  for (int number : numbers)
    text += (text.empty() ? "[" : ",") + std::to_string(number);
  return text + "]";
}

/// A kernel whose operand 0 is noise, whose operand 2 moves its result away from zero, and which yields that result
/// with its sum and its sum of squares; or which sums operand 0 itself.
struct Forward {
  std::string name, spec;
  int values; ///< of a channel, in a piece
  bool sumsOperand = false;
};

std::string convolution(int n, int c, int h, int w, int kernel, const std::string &source, const std::string &filters) {
  const std::string y = list({n, kChannels, h, w}), pad = std::to_string(kernel / 2);
  return "(f32" + list({n, c, h, w}) + source + ", f32" + list({kChannels, c, kernel, kernel}) + filters +
         ", f32[16]c16) { %3 = conv2d(%0, %1) {dilations=[1,1], groups=1, padding=[" + pad + "," + pad + "," + pad +
         "," + pad + "], strides=[1,1]} : f32" + y + "; %4 = add_bias(%3, %2) {} : f32" + y +
         "; %5 = channel_sum(%4) {pieces=1} : f64[1,16]; %6 = channel_dot(%4, %4) {pieces=1} : f64[1,16] } -> (%4: "
         "f32" +
         y + "c16, %5: f64[1,16]c16, %6: f64[1,16]c16)";
}

std::string map(int n, int h, int w, const std::string &layout) {
  const std::string y = list({n, kChannels, h, w});
  return "(f32" + y + layout + ", f32[16]c16, f32[16]c16) { %3 = scale_shift(%0, %1, %2) {} : f32" + y +
         "; %4 = channel_sum(%3) {pieces=1} : f64[1,16]; %5 = channel_dot(%3, %3) {pieces=1} : f64[1,16] } -> (%3: "
         "f32" +
         y + "c16, %4: f64[1,16]c16, %5: f64[1,16]c16)";
}

/// Sums of what another kernel has stored: of the image, or of what only moves elements.
std::string stored(int n, int h, int w) {
  return "(f32" + list({n, kChannels, h, w}) + "c16) { %1 = channel_sum(%0) {pieces=1} : f64[1,16]; %2 = " +
         "channel_dot(%0, %0) {pieces=1} : f64[1,16] } -> (%1: f64[1,16]c16, %2: f64[1,16]c16)";
}

/// Every way in which kernels come to their sums.
const std::vector<Forward> &forwards() {
  static const std::vector<Forward> all = {
      {"direct", convolution(4, 16, 56, 56, 1, "c16", "k16c16"), 4 * 56 * 56},
      {"winograd", convolution(4, 16, 32, 32, 3, "c16h1", "k16c16"), 4 * 32 * 32},
      {"tiles shifted inwards", convolution(2, 16, 27, 29, 3, "c16h1", "k16c16"), 2 * 27 * 29},
      {"a stem", convolution(2, 3, 32, 32, 3, "h1", "k16"), 2 * 32 * 32},
      {"any layout", convolution(1, 5, 32, 32, 3, "c16h1", "k16"), 32 * 32},
      {"a map", map(4, 32, 32, "c16"), 4 * 32 * 32},
      {"a map of a width that no tile divides", map(4, 23, 23, "c16"), 4 * 23 * 23},
      {"stored", stored(4, 32, 32), 4 * 32 * 32, true},
      {"stored, of a width that no tile divides", stored(4, 23, 23), 4 * 23 * 23, true}};
  return all;
}

/// Deviations of the channels of `y`.
std::vector<double> deviations(Buffer &y) {
  std::vector<Exact> exact(kChannels);
  for (int64_t i = 0; i < y.size; ++i)
    exact[i % kChannels].add(y.floats()[i]);
  std::vector<double> result;
  for (const Exact &channel : exact)
    result.push_back(std::sqrt(channel.variance()));
  return result;
}

std::string finalize(int pieces) {
  const std::string table = "f64" + list({pieces, kChannels}) + "c16";
  return "(" + table + ", " + table + ", f32[16]c16, f32[16]c16) { %4, %5, %6, %7 = batch_norm_finalize(%0, %1, %2, " +
         "%3) {count=COUNT, epsilon=1e-12} : f32[16], f32[16], f32[16], f32[16] } -> (%4: f32[16]c16, %5: f32[16]c16, "
         "%6: f32[16]c16, %7: f32[16]c16)";
}

std::string withCount(std::string text, double count) {
  return text.replace(text.find("COUNT"), 5, std::to_string(int64_t(count)) + ".0");
}

/// The greatest relative error of a variance, over the channels, at a mean of `far` deviations.
double worstVariance(const Forward &forward, double far) {
  const int pieces = (1000000 + forward.values - 1) / forward.values;
  Kernel kernel(forward.spec), finish(withCount(finalize(pieces), double(pieces) * forward.values));
  Noise noise;
  auto fill = [&](Buffer &buffer, float mean) {
    std::generate_n(buffer.floats(), buffer.size, [&] { return noise() + mean; });
  };
  Buffer &y = forward.sumsOperand ? kernel.operand(0) : kernel.result(0);
  std::vector<Exact> exact(kChannels);
  for (Exact &channel : exact)
    channel.shift = far;
  if (!forward.sumsOperand) {
    fill(kernel.operand(0), 0);
    fill(kernel.operand(1), 0);
    kernel.call();
    const std::vector<double> deviation = deviations(y);
    for (int c = 0; c < kChannels; ++c)
      exact[c].shift = kernel.operand(2).floats()[c] = far * deviation[c];
  }
  const int firstTable = forward.sumsOperand ? 0 : 1;
  for (int piece = 0; piece < pieces; ++piece) {
    fill(kernel.operand(0), forward.sumsOperand ? far : 0);
    kernel.call();
    for (int table = 0; table < 2; ++table)
      std::copy_n(kernel.result(firstTable + table).doubles(), kChannels,
                  finish.operand(table).doubles() + piece * kChannels);
    for (int64_t i = 0; i < y.size; ++i)
      exact[i % kChannels].add(y.floats()[i]);
  }
  std::fill_n(finish.operand(2).floats(), kChannels, 1.f);
  finish.call();
  double worst = 0;
  for (int c = 0; c < kChannels; ++c) {
    const double mean = exact[c].mean(), variance = exact[c].variance(), root = std::sqrt(variance);
    EXPECT_NEAR(finish.result(2).floats()[c], mean, 1e-7 * (std::abs(mean) + root));
    EXPECT_NEAR(finish.result(0).floats()[c] * root, 1, 1e-5);
    EXPECT_NEAR(finish.result(1).floats()[c], -mean / root, 1e-5 * (1 + far));
    worst = std::max(worst, std::abs(finish.result(3).floats()[c] - variance) / variance);
  }
  return worst;
}

class BatchStatistics : public testing::TestWithParam<double> {};

// f32 as a variance is kept is good for 6e-8.
TEST_P(BatchStatistics, AreThoseOfDouble) {
  for (const Forward &forward : forwards()) {
    const double worst = worstVariance(forward, GetParam());
    RecordProperty(forward.name, std::to_string(worst * 1e9) + "e-9");
    EXPECT_LT(worst, GetParam() < 100 ? 2e-7 : 1e-6) << forward.name;
    if (std::getenv("PRINT_ERRORS"))
      printf("%8g %-40s %.2e\n", GetParam(), forward.name.c_str(), worst);
  }
}

INSTANTIATE_TEST_SUITE_P(Deviations, BatchStatistics, testing::Values(0, 10, 1000));

/// dz = relu_grad(dy, z) with its sum, and the sum of dz * y, where y has a mean far from zero.
std::string gradient(int n, int h, int w, bool convolved) {
  const std::string x = list({n, kChannels, h, w});
  const std::string dz =
      convolved ? "conv2d_grad_data(%0, %1) {dilations=[1,1], groups=1, padding=[1,1,1,1], size=" + list({h, w}) +
                      ", strides=[1,1]} : f32" + x
                : "add_bias(%0, %1) {} : f32" + x;
  return "(f32" + x + (convolved ? "c16h1, f32[16,16,3,3]c16k16" : "c16, f32[16]c16") + ", f32" + x + "c16, f32" + x +
         "c16) { %4 = " + dz + "; %5 = relu_grad(%4, %2) {} : f32" + x +
         "; %6 = channel_sum(%5) {pieces=1} : f64[1,16]; %7 = channel_dot(%5, %3) {pieces=1} : f64[1,16] } -> (%5: "
         "f32" +
         x + "c16, %6: f64[1,16]c16, %7: f64[1,16]c16)";
}

/// The same sums of a gradient that another kernel has stored.
std::string storedGradient(int n, int h, int w) {
  const std::string x = list({n, kChannels, h, w});
  return "(f32" + x + "c16, f32" + x + "c16) { %2 = channel_sum(%0) {pieces=1} : f64[1,16]; %3 = channel_dot(%0, %1) " +
         "{pieces=1} : f64[1,16] } -> (%2: f64[1,16]c16, %3: f64[1,16]c16)";
}

std::string gradFinalize(int pieces) {
  const std::string table = "f64" + list({pieces, kChannels}) + "c16", v = "f32[16]c16";
  return "(" + table + ", " + table + ", " + v + ", " + v + ", " + v +
         ") { %5, %6, %7, %8, %9 = batch_norm_grad_finalize(%0, %1, %2, %3, %4) {count=COUNT, epsilon=1e-12} : "
         "f32[16], f32[16], f32[16], f32[16], f32[16] } -> (%5: " +
         v + ", %6: " + v + ", %7: " + v + ", %8: " + v + ", %9: " + v + ")";
}

class BatchGradients : public testing::TestWithParam<double> {};

// The scale's gradient is a sum of 10^6 terms dz * (y - mean) / deviation, of both signs: errors are beside the square
// root of the sum of their squares.
TEST_P(BatchGradients, AreThoseOfDouble) {
  const double far = GetParam();
  for (const auto &[text, values] :
       {std::pair(gradient(4, 32, 32, true), 4 * 32 * 32), std::pair(gradient(2, 27, 29, true), 2 * 27 * 29),
        std::pair(gradient(4, 32, 32, false), 4 * 32 * 32), std::pair(gradient(4, 23, 23, false), 4 * 23 * 23),
        std::pair(storedGradient(4, 32, 32), 4 * 32 * 32), std::pair(storedGradient(4, 23, 23), 4 * 23 * 23)}) {
    const int pieces = (1000000 + values - 1) / values;
    Kernel kernel(text), finish(withCount(gradFinalize(pieces), double(pieces) * values));
    Noise noise;
    auto fill = [&](size_t i, double mean) {
      Buffer &buffer = kernel.operand(i);
      std::generate_n(buffer.floats(), buffer.size, [&] { return noise() + mean; });
    };
    const bool isStored = kernel.spec.operands.size() == 2;
    const size_t y = isStored ? 1 : 3, firstTable = isStored ? 0 : 1;
    Buffer &dz = isStored ? kernel.operand(0) : kernel.result(0);
    if (!isStored)
      fill(1, 0);
    std::vector<double> sum(kChannels), dot(kChannels), squares(kChannels);
    for (int piece = 0; piece < pieces; ++piece) {
      fill(0, 0.5);
      if (!isStored)
        fill(2, 0);
      fill(y, far);
      kernel.call();
      for (int table = 0; table < 2; ++table)
        std::copy_n(kernel.result(firstTable + table).doubles(), kChannels,
                    finish.operand(table).doubles() + piece * kChannels);
      for (int64_t i = 0; i < dz.size; ++i) {
        const double term = dz.floats()[i] * (kernel.operand(y).floats()[i] - far);
        sum[i % kChannels] += dz.floats()[i], dot[i % kChannels] += term, squares[i % kChannels] += term * term;
      }
    }
    for (int c = 0; c < kChannels; ++c)
      finish.operand(2).floats()[c] = 1, finish.operand(3).floats()[c] = far, finish.operand(4).floats()[c] = 1;
    finish.call();
    double worst = 0;
    for (int c = 0; c < kChannels; ++c) {
      EXPECT_NEAR(finish.result(4).floats()[c], sum[c], 1e-6 * std::abs(sum[c])) << text;
      worst = std::max(worst, std::abs(finish.result(3).floats()[c] - dot[c]) / std::sqrt(squares[c]));
    }
    EXPECT_LT(worst, 1e-5) << text;
    if (std::getenv("PRINT_ERRORS"))
      printf("%8g %.60s %.2e\n", far, text.c_str(), worst);
  }
}

INSTANTIATE_TEST_SUITE_P(Deviations, BatchGradients, testing::Values(0, 10, 1000));

} // namespace
