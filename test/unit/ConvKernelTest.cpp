//===- ConvKernelTest.cpp - Convolution kernels against plain loops -------===//

#include "test/unit/ConvCase.h"
#include "test/unit/PlannedKnobs.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace resin::codegen {
namespace {

using Kind = LayoutKind;
using Knobs = NumberedKnobs;

HostTensor filled(const TensorSpec &spec) {
  static std::mt19937 random(7);
  HostTensor t(spec);
  t.randomize(random);
  return t;
}

/// A result that holds rubbish, to be overwritten.
HostTensor rubbish(const TensorSpec &spec) {
  HostTensor t(spec);
  t.fillStorage(123.f);
  return t;
}

/// The defaults of all templates that take the kernel; of a kernel without knobs, none.
std::vector<Knobs> formsOf(const KernelSpec &spec, const std::string &target = hostTargetName()) {
  TargetInfo info;
  std::string error;
  EXPECT_TRUE(findTarget(target, info, error)) << error;
  std::vector<Knobs> forms;
  std::set<std::string> seen;
  for (const resin::Knobs &knobs : planOf(spec, info)->starts())
    if (seen.insert(knobs.form).second)
      forms.push_back(knobs);
  return forms.empty() ? std::vector<Knobs>{{}} : forms;
}

/// Knobs for vectors of 8 floats or of 16, whichever this machine has; none without either.
std::vector<Knobs> forVectors(const std::vector<Knobs> &of8, const std::vector<Knobs> &of16) {
  const int floats = machineOf(hostKernelTarget()).vectorFloats;
  return floats == 16 ? of16 : floats == 8 ? of8 : std::vector<Knobs>{};
}

class ConvKernelShapes : public testing::TestWithParam<ConvCase> {};

TEST_P(ConvKernelShapes, Forward) {
  const ConvCase c = GetParam();
  KernelSpec spec = c.forward();
  HostTensor x = filled(spec.operands[0]), w = filled(spec.operands[1]);
  const std::vector<double> want = referenceForward(c, x, w);
  for (const Knobs &knobs : formsOf(spec)) {
    SCOPED_TRACE(knobs.form + " " + printKnobs(knobs));
    HostTensor y = rubbish(spec.results[0]);
    LoadedKernel(spec, hostKernelTarget(), knobs).call({x.data(), w.data(), y.data()});
    EXPECT_LT(relativeError(y, want), 1e-5);
    EXPECT_TRUE(y.paddingIsZero());
  }
}

TEST_P(ConvKernelShapes, GradData) {
  const ConvCase c = GetParam();
  KernelSpec spec = c.gradData();
  HostTensor dy = filled(spec.operands[0]), w = filled(spec.operands[1]);
  const std::vector<double> want = referenceGradData(c, dy, w);
  for (const Knobs &knobs : formsOf(spec)) {
    SCOPED_TRACE(knobs.form + " " + printKnobs(knobs));
    HostTensor dx = rubbish(spec.results[0]);
    LoadedKernel(spec, hostKernelTarget(), knobs).call({dy.data(), w.data(), dx.data()});
    EXPECT_LT(relativeError(dx, want), 1e-5);
    EXPECT_TRUE(dx.paddingIsZero());
  }
}

TEST_P(ConvKernelShapes, GradWeight) {
  const ConvCase c = GetParam();
  for (bool lane : {false, true}) {
    KernelSpec spec = c.gradWeight(lane);
    HostTensor x = filled(spec.operands[0]), dy = filled(spec.operands[1]);
    const std::vector<double> want = referenceGradWeight(c, x, dy);
    for (const Knobs &knobs : formsOf(spec)) {
      SCOPED_TRACE(knobs.form + " " + printKnobs(knobs));
      HostTensor dw = rubbish(spec.results[0]);
      LoadedKernel(spec, hostKernelTarget(), knobs).call({x.data(), dy.data(), dw.data()});
      EXPECT_LT(relativeError(dw, want), 1e-5);
      EXPECT_TRUE(dw.paddingIsZero());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvKernelShapes,
    testing::Values(ConvCase{2, 16, 8, 8, 16, 3, 3, 1, 1}, ConvCase{1, 32, 7, 7, 32, 3, 3, 1, 1},
                    ConvCase{1, 16, 1, 1, 16, 3, 3, 1, 1}, ConvCase{2, 20, 13, 9, 40, 3, 3, 1, 1},
                    ConvCase{1, 16, 14, 14, 32, 3, 3, 1, 1, 1, 1, 1, 1}, ConvCase{2, 16, 8, 8, 32, 3, 3, 2, 1},
                    ConvCase{1, 16, 7, 7, 16, 3, 3, 2, 1}, ConvCase{1, 16, 9, 12, 16, 5, 3, 1, 2, 1, 1, 0, 2},
                    ConvCase{1, 16, 10, 10, 16, 3, 3, 1, 2, 2}, ConvCase{2, 32, 6, 6, 48, 1, 1, 1, 0},
                    ConvCase{2, 32, 6, 6, 48, 1, 1, 2, 0, 1, 1, 1, 1},
                    // Channels that fill no block, 1x1 maps, odd maps at every stride.
                    ConvCase{2, 12, 9, 9, 20, 3, 3, 1, 1}, ConvCase{1, 5, 7, 7, 7, 3, 3, 1, 1},
                    ConvCase{1, 20, 5, 9, 40, 3, 3, 1, 1}, ConvCase{3, 40, 2, 3, 20, 3, 3, 1, 1},
                    ConvCase{1, 24, 5, 5, 40, 1, 1, 1, 0}, ConvCase{3, 20, 1, 1, 12, 1, 1, 1, 0},
                    ConvCase{1, 32, 1, 1, 16, 3, 3, 2, 1}, ConvCase{2, 32, 7, 7, 48, 1, 1, 2, 0},
                    ConvCase{2, 12, 9, 7, 20, 3, 3, 2, 1}, ConvCase{1, 16, 11, 9, 32, 5, 5, 2, 2},
                    ConvCase{1, 16, 10, 11, 16, 3, 3, 3, 1}, ConvCase{1, 32, 7, 7, 512, 3, 3, 2, 1},
                    ConvCase{1, 16, 13, 13, 20, 3, 3, 2, 2, 2},
                    // Groups of whole blocks.
                    ConvCase{2, 32, 8, 8, 64, 3, 3, 1, 1, 1, 2}, ConvCase{1, 96, 7, 7, 48, 3, 3, 2, 1, 1, 3},
                    ConvCase{1, 128, 5, 5, 128, 1, 1, 1, 0, 1, 4}));

/// With these strides along y and x.
ConvCase strided(ConvCase c, int y, int x) {
  c.stride = y, c.strideX = x;
  return c;
}

// A stride in one direction, over sizes that no tile cuts evenly.
INSTANTIATE_TEST_SUITE_P(OneWay, ConvKernelShapes,
                         testing::Values(strided({1, 16, 7, 7, 16, 3, 1}, 1, 3),
                                         strided({2, 16, 17, 31, 32, 3, 3, 1, 1}, 2, 1),
                                         strided({1, 16, 10, 37, 16, 1, 1}, 2, 1),
                                         strided({1, 16, 13, 10, 16, 3, 3, 1, 1}, 1, 2),
                                         strided({1, 16, 5, 257, 16, 3, 3, 1, 1}, 2, 1),
                                         strided({1, 64, 5, 62, 64, 3, 3, 1, 1, 1, 2}, 2, 1)));

/// Sizes, windows, strides and dilations of all kinds, the same in every run; of up to `channels` input channels.
std::vector<ConvCase> oddCases(int count, unsigned seed, int channels = 70) {
  std::mt19937 random(seed);
  auto any = [&](int low, int high) { return low + static_cast<int>(random() % (high - low + 1)); };
  std::vector<ConvCase> cases;
  while (static_cast<int>(cases.size()) < count) {
    ConvCase c{any(1, 4), any(1, channels), any(1, 70), any(1, 70), any(1, 70), any(1, 7), any(1, 7)};
    c.stride = any(1, 3), c.strideX = any(1, 3);
    c.dilation = any(1, 2), c.dilationX = any(1, 2);
    c.pad = any(0, c.r / 2 + 1), c.padX = any(0, c.s / 2 + 1);
    c.extraHalo = any(0, 1), c.ringOut = any(0, 2);
    const int64_t work = int64_t(c.n) * c.c * c.k * c.r * c.s * c.h * c.w;
    if (c.outHeight() > 0 && c.outWidth() > 0 && c.h + 2 * c.pad > c.dilation * (c.r - 1) &&
        c.w + 2 * c.padX > c.dilationX * (c.s - 1) && work < 100'000'000)
      cases.push_back(c);
  }
  return cases;
}

/// A number from the environment, for longer runs than this one.
int numberOf(const char *name, int otherwise) {
  const char *value = std::getenv(name);
  return value ? std::atoi(value) : otherwise;
}

INSTANTIATE_TEST_SUITE_P(Odd, ConvKernelShapes,
                         testing::ValuesIn(oddCases(numberOf("RESIN_ODD_CASES", 6), numberOf("RESIN_ODD_SEED", 1))));

/// Convolutions that read an image as it came: one plane for each channel.
class PlanarConvKernel : public testing::TestWithParam<ConvCase> {};

TEST_P(PlanarConvKernel, Forward) {
  const ConvCase c = GetParam();
  KernelSpec spec = c.forward(Kind::Dense, Kind::K16);
  HostTensor x = filled(spec.operands[0]), w = filled(spec.operands[1]), y = rubbish(spec.results[0]);
  LoadedKernel(spec, hostKernelTarget()).call({x.data(), w.data(), y.data()});
  EXPECT_LT(relativeError(y, referenceForward(c, x, w)), 1e-5);
  EXPECT_TRUE(y.paddingIsZero());
}

TEST_P(PlanarConvKernel, GradWeight) {
  const ConvCase c = GetParam();
  KernelSpec spec = c.gradWeight(true, Kind::Dense, Kind::K16);
  HostTensor x = filled(spec.operands[0]), dy = filled(spec.operands[1]), dw = rubbish(spec.results[0]);
  LoadedKernel(spec, hostKernelTarget()).call({x.data(), dy.data(), dw.data()});
  EXPECT_LT(relativeError(dw, referenceGradWeight(c, x, dy)), 1e-5);
  EXPECT_TRUE(dw.paddingIsZero());
}

INSTANTIATE_TEST_SUITE_P(Odd, PlanarConvKernel,
                         testing::ValuesIn(oddCases(numberOf("RESIN_ODD_CASES", 6), numberOf("RESIN_ODD_SEED", 1), 4)));

// Knobs that do not fit are refused by whoever takes the kernel; the generic template has none, and would go on.
TEST(ConvKernelTest, TemplatesTakeOddShapes) {
  const Knobs tile = {999, 1, 1, 1, 1, 0, 0, 0}, sums = {999, 1, 1, 1, 1, 1, 1, 0, 0};
  for (const ConvCase &c : {ConvCase{2, 12, 9, 9, 20, 3, 3, 1, 1}, ConvCase{1, 32, 1, 1, 16, 3, 3, 2, 1},
                            ConvCase{2, 32, 7, 7, 48, 1, 1, 2, 0}, ConvCase{1, 16, 10, 11, 16, 3, 3, 3, 1},
                            ConvCase{1, 16, 10, 10, 16, 3, 3, 1, 2, 2}, ConvCase{2, 32, 8, 8, 64, 3, 3, 1, 1, 1, 2}}) {
    EXPECT_THROW(LoadedKernel(c.forward(), hostKernelTarget(), tile), std::runtime_error);
    EXPECT_THROW(LoadedKernel(c.gradData(), hostKernelTarget(), tile), std::runtime_error);
    EXPECT_THROW(LoadedKernel(c.gradWeight(), hostKernelTarget(), sums), std::runtime_error);
  }
}

//===----------------------------------------------------------------------===//
// Epilogues
//===----------------------------------------------------------------------===//

TensorSpec channelSums(int64_t channels) { return {ElementType::F64, {1, channels}, Kind::C16}; }
TensorSpec channelVector(int64_t channels) { return {ElementType::F32, {channels}, Kind::C16}; }

/// Sum over images and pixels of a product of values in row-major [n,c,h,w].
std::vector<double> sumProducts(const std::vector<double> &a, const std::vector<double> &b, int n, int c, int pixels) {
  std::vector<double> sums(c);
  for (int i = 0; i < n; ++i)
    for (int ch = 0; ch < c; ++ch)
      for (int p = 0; p < pixels; ++p) {
        const size_t at = (size_t(i) * c + ch) * pixels + p;
        sums[ch] += a[at] * b[at];
      }
  return sums;
}

std::vector<double> valuesOf(HostTensor &t) {
  std::vector<double> result;
  t.forEach([&](const std::vector<int> &i) { result.push_back(t.value(i)); });
  return result;
}

class ConvKernelEpilogues : public testing::TestWithParam<ConvCase> {};

TEST_P(ConvKernelEpilogues, BatchStatistics) {
  const ConvCase c = GetParam();
  KernelSpec spec = c.forward();
  const int64_t k = c.k;
  spec.nodes.push_back({"channel_sum", {2}, {{"pieces", int64_t(1)}}, {{ElementType::F64, {1, k}}}});
  spec.nodes.push_back({"channel_dot", {2, 2}, {{"pieces", int64_t(1)}}, {{ElementType::F64, {1, k}}}});
  spec.yields = {2, 3, 4};
  spec.results.insert(spec.results.end(), {channelSums(k), channelSums(k)});
  HostTensor x = filled(spec.operands[0]), w = filled(spec.operands[1]);
  const std::vector<double> want = referenceForward(c, x, w);
  for (const Knobs &knobs : formsOf(spec)) {
    SCOPED_TRACE(knobs.form + " " + printKnobs(knobs));
    HostTensor y = rubbish(spec.results[0]), sum = rubbish(spec.results[1]), dot = rubbish(spec.results[2]);
    LoadedKernel(spec, hostKernelTarget(), knobs).call({x.data(), w.data(), y.data(), sum.data(), dot.data()});
    const std::vector<double> got = valuesOf(y), ones(got.size(), 1.0);
    const int pixels = c.outHeight() * c.outWidth();
    EXPECT_LT(relativeError(y, want), 1e-5);
    EXPECT_LT(relativeError(sum, sumProducts(got, ones, c.n, c.k, pixels)), 1e-6);
    EXPECT_LT(relativeError(dot, sumProducts(got, got, c.n, c.k, pixels)), 1e-6);
    EXPECT_TRUE(y.paddingIsZero() && sum.paddingIsZero() && dot.paddingIsZero());
  }
}

TEST_P(ConvKernelEpilogues, BiasAddRelu) {
  const ConvCase c = GetParam();
  KernelSpec spec = c.forward();
  TensorSpec skip = c.y();
  skip.halo = 1;
  spec.operands.insert(spec.operands.end(), {channelVector(c.k), skip});
  spec.nodes = {c.forwardNode(),
                {"add_bias", {4, 2}, {}, {{ElementType::F32, c.yShape()}}},
                {"add", {5, 3}, {}, {{ElementType::F32, c.yShape()}}},
                {"relu", {6}, {}, {{ElementType::F32, c.yShape()}}}};
  spec.yields = {7};
  HostTensor x = filled(spec.operands[0]), w = filled(spec.operands[1]), bias = filled(spec.operands[2]),
             other = filled(skip);
  std::vector<double> want = referenceForward(c, x, w);
  size_t at = 0;
  other.forEach([&](const std::vector<int> &i) {
    want[at] = std::max(0.0, want[at] + bias.at({i[1]}) + other.at(i));
    ++at;
  });
  for (const Knobs &knobs : formsOf(spec)) {
    SCOPED_TRACE(knobs.form + " " + printKnobs(knobs));
    HostTensor y = rubbish(spec.results[0]);
    LoadedKernel(spec, hostKernelTarget(), knobs).call({x.data(), w.data(), bias.data(), other.data(), y.data()});
    EXPECT_LT(relativeError(y, want), 1e-5);
    EXPECT_TRUE(y.paddingIsZero());
  }
}

// The join's backward: dz = relu_grad(dx + skip's gradient, z), with the sums of dz and dz * y that batch norm's
// gradient starts from.
TEST_P(ConvKernelEpilogues, GradDataMaskAndSums) {
  const ConvCase c = GetParam();
  KernelSpec spec = c.gradData();
  TensorSpec plain = c.dx(), z = c.dx();
  z.halo = 1;
  const int64_t channels = c.c;
  spec.operands.insert(spec.operands.end(), {plain, z, plain});
  spec.nodes = {c.gradDataNode(),
                {"add", {5, 2}, {}, {{ElementType::F32, c.xShape()}}},
                {"relu_grad", {6, 3}, {}, {{ElementType::F32, c.xShape()}}},
                {"channel_sum", {7}, {{"pieces", int64_t(1)}}, {{ElementType::F64, {1, channels}}}},
                {"channel_dot", {7, 4}, {{"pieces", int64_t(1)}}, {{ElementType::F64, {1, channels}}}}};
  spec.yields = {7, 8, 9};
  spec.results.insert(spec.results.end(), {channelSums(channels), channelSums(channels)});
  HostTensor dy = filled(spec.operands[0]), w = filled(spec.operands[1]), skip = filled(plain), mask = filled(z),
             below = filled(plain);
  std::vector<double> want = referenceGradData(c, dy, w);
  size_t at = 0;
  skip.forEach([&](const std::vector<int> &i) {
    want[at] = mask.at(i) > 0 ? want[at] + skip.at(i) : 0.0;
    ++at;
  });
  for (const Knobs &knobs : formsOf(spec)) {
    SCOPED_TRACE(knobs.form + " " + printKnobs(knobs));
    HostTensor dz = rubbish(spec.results[0]), sum = rubbish(spec.results[1]), dot = rubbish(spec.results[2]);
    LoadedKernel(spec, hostKernelTarget(), knobs)
        .call({dy.data(), w.data(), skip.data(), mask.data(), below.data(), dz.data(), sum.data(), dot.data()});
    const std::vector<double> got = valuesOf(dz), ones(got.size(), 1.0);
    EXPECT_LT(relativeError(dz, want), 1e-5);
    EXPECT_LT(relativeError(sum, sumProducts(got, ones, c.n, c.c, c.h * c.w)), 1e-6);
    EXPECT_LT(relativeError(dot, sumProducts(got, valuesOf(below), c.n, c.c, c.h * c.w)), 1e-6);
    EXPECT_TRUE(dz.paddingIsZero() && sum.paddingIsZero() && dot.paddingIsZero());
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ConvKernelEpilogues,
                         testing::Values(ConvCase{2, 16, 8, 8, 16, 3, 3, 1, 1},
                                         ConvCase{1, 32, 7, 7, 32, 3, 3, 1, 1, 1, 1, 0, 1},
                                         ConvCase{1, 16, 1, 1, 16, 3, 3, 1, 1}, ConvCase{2, 20, 13, 9, 40, 3, 3, 1, 1},
                                         ConvCase{1, 16, 14, 11, 32, 3, 3, 1, 1, 1, 1, 1, 1},
                                         ConvCase{2, 16, 8, 8, 32, 3, 3, 2, 1}, ConvCase{1, 16, 7, 7, 16, 3, 3, 2, 1},
                                         ConvCase{2, 32, 6, 6, 48, 1, 1, 2, 0}, ConvCase{2, 12, 9, 9, 20, 3, 3, 1, 1},
                                         ConvCase{1, 20, 7, 5, 24, 3, 3, 2, 1}, ConvCase{1, 12, 7, 7, 40, 1, 1, 2, 0},
                                         ConvCase{1, 20, 5, 9, 40, 3, 3, 1, 1}, ConvCase{1, 16, 10, 11, 16, 3, 3, 3, 1},
                                         ConvCase{2, 32, 9, 7, 32, 3, 3, 1, 1, 1, 2}));

/// Forward with batch statistics under given knobs.
void checkForward(const ConvCase &c, const Knobs &knobs) {
  KernelSpec spec = c.forward();
  spec.nodes.push_back({"channel_dot", {2, 2}, {{"pieces", int64_t(1)}}, {{ElementType::F64, {1, c.k}}}});
  spec.yields = {2, 3};
  spec.results.push_back(channelSums(c.k));
  HostTensor x = filled(spec.operands[0]), w = filled(spec.operands[1]), y = rubbish(spec.results[0]),
             dot = rubbish(spec.results[1]);
  LoadedKernel(spec, hostKernelTarget(), knobs).call({x.data(), w.data(), y.data(), dot.data()});
  const std::vector<double> got = valuesOf(y);
  EXPECT_LT(relativeError(y, referenceForward(c, x, w)), 1e-5);
  EXPECT_LT(relativeError(dot, sumProducts(got, got, c.n, c.k, c.outHeight() * c.outWidth())), 1e-6);
  EXPECT_TRUE(y.paddingIsZero());
}

// Every way the direct template can walk: pixels, rows, images, vectors, channels, taps inside, blocks, order.
TEST(ConvKernelTest, DirectTemplateWalksInAnyOrder) {
  if (!__builtin_cpu_supports("avx2"))
    GTEST_SKIP() << "the knobs are those of vectors of 8 and of 16";
  const ConvCase c{4, 64, 7, 9, 32, 3, 3, 1, 1, 1, 1, 0, 1};
  for (const Knobs &knobs : forVectors({{4, 1, 1, 2, 4, 0, 0, 0},
                                        {4, 1, 1, 2, 2, 1, 0, 1},
                                        {2, 2, 1, 2, 4, 0, 0, 2},
                                        {1, 1, 4, 2, 4, 0, 2, 1},
                                        {4, 2, 1, 1, 4, 0, 1, 1},
                                        {2, 1, 2, 4, 1, 0, 2, 1}},
                                       {{9, 1, 1, 2, 4, 0, 0, 0},
                                        {4, 1, 1, 2, 2, 1, 0, 1},
                                        {5, 2, 1, 2, 4, 0, 0, 2},
                                        {1, 1, 4, 2, 4, 0, 2, 1},
                                        {4, 4, 1, 1, 16, 0, 1, 1},
                                        {2, 3, 2, 2, 1, 0, 2, 1}}))
    checkForward(c, knobs);
}

// Fewer pixels than vectors: broadcasts stay in registers, the filter's vectors come one by one.
TEST(ConvKernelTest, DirectTemplateHoldsPixels) {
  if (!__builtin_cpu_supports("avx2"))
    GTEST_SKIP() << "the knobs are those of vectors of 8 and of 16";
  const std::vector<Knobs> tiles = forVectors(
      {{3, 1, 1, 4, 4, 0, 0, 0}, {3, 1, 1, 4, 2, 1, 0, 2}, {1, 1, 2, 4, 4, 0, 2, 1}, {1, 2, 1, 4, 16, 0, 4, 1}},
      {{3, 1, 1, 8, 4, 0, 0, 0}, {3, 1, 1, 4, 2, 1, 0, 2}, {1, 1, 2, 4, 4, 0, 2, 1}, {1, 2, 1, 8, 16, 0, 4, 1}});
  for (const ConvCase &c :
       {ConvCase{2, 64, 7, 9, 128, 3, 3, 1, 1, 1, 1, 0, 1}, ConvCase{2, 64, 8, 12, 128, 3, 3, 2, 1}})
    for (const Knobs &knobs : tiles)
      checkForward(c, knobs);
  // The classes of a strided gradient's pixels.
  const ConvCase c{2, 128, 4, 12, 64, 3, 3, 2, 1};
  const KernelSpec spec = c.gradData();
  HostTensor dy = filled(spec.operands[0]), w = filled(spec.operands[1]);
  for (Knobs knobs : tiles) {
    knobs.values[5].value = 0;
    HostTensor dx = rubbish(spec.results[0]);
    LoadedKernel(spec, hostKernelTarget(), knobs).call({dy.data(), w.data(), dx.data()});
    EXPECT_LT(relativeError(dx, referenceGradData(c, dy, w)), 1e-5) << printKnobs(knobs);
  }
}

// Groups of rows, of images, and of everything; the filter transformed at once, by rows and by chunks; register tiles
// that leave a rest.
TEST(ConvKernelTest, WinogradTemplateFormsAnyGroup) {
  if (!__builtin_cpu_supports("avx2"))
    GTEST_SKIP() << "the knobs are those of vectors of 8 and of 16";
  for (const ConvCase &c :
       {ConvCase{4, 32, 14, 10, 32, 3, 3, 1, 1, 1, 1, 0, 1}, ConvCase{2, 20, 16, 8, 48, 3, 3, 1, 1, 1, 1, 1, 0}})
    for (const Knobs &knobs : forVectors({{4, 1, 1, 4, 1, 4, 0},
                                          {4, 2, 1, 5, 1, 2, 2},
                                          {4, 4, 1, 4, 1, 4, 0},
                                          {4, 4, 2, 5, 1, 4, 2},
                                          {4, 4, 2, 2, 1, 8, 1}},
                                         {{4, 1, 1, 8, 1, 4, 0},
                                          {4, 2, 1, 10, 1, 2, 2},
                                          {4, 4, 1, 13, 1, 4, 0},
                                          {4, 4, 2, 9, 1, 4, 2},
                                          {4, 4, 2, 5, 1, 16, 1}}))
      checkForward(c, knobs);
  for (const ConvCase &c :
       {ConvCase{4, 32, 7, 10, 32, 3, 3, 1, 1, 1, 1, 0, 1}, ConvCase{2, 20, 8, 5, 48, 3, 3, 1, 1, 1, 1, 1, 0}})
    for (const Knobs &knobs : forVectors({{2, 1, 1, 4, 1, 4, 0},
                                          {2, 2, 1, 5, 1, 2, 2},
                                          {2, 4, 1, 4, 1, 4, 0},
                                          {2, 4, 2, 5, 1, 4, 2},
                                          {2, 4, 2, 2, 1, 8, 1}},
                                         {{2, 1, 1, 8, 1, 4, 0},
                                          {2, 2, 1, 10, 1, 2, 2},
                                          {2, 4, 1, 13, 1, 4, 0},
                                          {2, 4, 2, 9, 1, 4, 2},
                                          {2, 4, 2, 5, 1, 16, 1}}))
      checkForward(c, knobs);
  // Two blocks of 16 channels in a tile of 32 registers.
  const ConvCase wide{4, 32, 14, 10, 64, 3, 3, 1, 1, 1, 1, 0, 1};
  for (const Knobs &knobs : forVectors({}, {{4, 4, 2, 12, 2, 4, 2}, {4, 2, 1, 9, 2, 2, 1}, {2, 1, 1, 5, 4, 4, 0}}))
    checkForward(wide, knobs);
}

/// A convolution with a filter at its points; what it computes is held against the interpreter in KernelTest.cpp.
KernelSpec atPoints(const ConvCase &c, int tile) {
  KernelSpec spec = c.forward();
  spec.operands[1] = {ElementType::F32, {c.k, tile + 2, tile + 2, c.c}, Kind::K16};
  spec.nodes[0].op = "conv2d_winograd";
  spec.nodes[0].attributes = {{"padding", std::vector<int64_t>{1, 1, 1, 1}}};
  return spec;
}

TEST(ConvKernelTest, FiltersAtPointsHaveOneTemplate) {
  const ConvCase c{1, 64, 8, 8, 32, 3, 3, 1, 1};
  EXPECT_EQ(formsOf(atPoints(c, 4)).at(0).form, "winograd");
  EXPECT_EQ(formsOf(atPoints(c, 2)).at(0).form, "winograd2");
  EXPECT_EQ(formsOf(atPoints(c, 4)).size(), 1u);
  EXPECT_THROW(LoadedKernel(atPoints(c, 4), hostKernelTarget(), {2, 1, 1, 4, 1, 4, 0}), std::runtime_error);
  KernelSpec dense = atPoints(c, 4);
  dense.operands[0].layout = Kind::Dense;
  EXPECT_THROW(LoadedKernel(dense, hostKernelTarget()), std::runtime_error);
}

TEST(ConvKernelTest, WinogradWeightTemplateFormsAnyGroup) {
  for (int tile : {4, 2}) {
    const ConvCase c{4, 20, 3 * tile + 2, 2 * tile + 1, 64, 3, 3, 1, 1}; // 4 rows of 3 tiles, 16 of all images
    KernelSpec spec = c.gradWeight();
    HostTensor x = filled(spec.operands[0]), dy = filled(spec.operands[1]);
    const std::vector<double> want = referenceGradWeight(c, x, dy);
    for (const Knobs &knobs : std::vector<Knobs>{{tile, 1, 4, 1, 1, 4},
                                                 {tile, 2, 2, 1, 2, 4},
                                                 {tile, 4, 3, 2, 4, 4}, // three channels at a time leave one over
                                                 {tile, 8, 4, 1, 2, 2}, // panels of channels in two groups
                                                 {tile, 16, 4, 1, 8, 1},
                                                 {tile, 16, 5, 2, 4, 2}}) {
      HostTensor dw = rubbish(spec.results[0]);
      LoadedKernel(spec, hostKernelTarget(), knobs).call({x.data(), dy.data(), dw.data()});
      EXPECT_LT(relativeError(dw, want), 1e-5);
    }
  }
}

// What `numerics` promises (docs/Language.md): F(2x2) rounds as a plain sum does, all forms are within 1e-5.
class WinogradAccuracy : public testing::TestWithParam<ConvCase> {};

TEST_P(WinogradAccuracy, OfEveryForm) {
  const ConvCase c = GetParam();
  struct Direction {
    const char *name;
    KernelSpec spec;
    std::vector<double> (*reference)(const ConvCase &, const HostTensor &, const HostTensor &);
  };
  for (const auto &[name, spec, reference] : {Direction{"forward", c.forward(), referenceForward},
                                              Direction{"data gradient", c.gradData(), referenceGradData},
                                              Direction{"weight gradient", c.gradWeight(), referenceGradWeight}}) {
    SCOPED_TRACE(name);
    HostTensor a = filled(spec.operands[0]), b = filled(spec.operands[1]);
    const std::vector<double> want = reference(c, a, b);
    std::map<std::string, double> errors;
    for (const Knobs &knobs : formsOf(spec)) {
      HostTensor result = rubbish(spec.results[0]);
      LoadedKernel(spec, hostKernelTarget(), knobs).call({a.data(), b.data(), result.data()});
      std::string form = knobs.form;
      form = form.substr(0, form.find('-'));
      errors[form == "weight" ? "direct" : form] = relativeError(result, want);
    }
    ASSERT_EQ(errors.size(), 3u);
    std::printf("%4d channels, %d images of %dx%d, %s: direct %.1e, F(2x2) %.1e, F(4x4) %.1e\n", c.c, c.n, c.h, c.w,
                name, errors["direct"], errors["winograd2"], errors["winograd"]);
    EXPECT_LT(errors["winograd2"], 1e-6);
    EXPECT_LT(errors["winograd2"], 2 * errors["direct"]);
    EXPECT_LT(errors["winograd"], 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, WinogradAccuracy,
                         testing::Values(ConvCase{1, 64, 16, 16, 64, 3, 3, 1, 1},
                                         ConvCase{1, 512, 7, 7, 64, 3, 3, 1, 1}));

//===----------------------------------------------------------------------===//
// Stems, groups, odd layouts
//===----------------------------------------------------------------------===//

class ConvKernelStems : public testing::TestWithParam<ConvCase> {};

TEST_P(ConvKernelStems, Forward) {
  const ConvCase c = GetParam();
  KernelSpec spec = c.forward(Kind::Dense, Kind::K16);
  spec.nodes.push_back({"channel_sum", {2}, {{"pieces", int64_t(1)}}, {{ElementType::F64, {1, c.k}}}});
  spec.yields = {2, 3};
  spec.results.push_back(channelSums(c.k));
  HostTensor x = filled(spec.operands[0]), w = filled(spec.operands[1]), y = rubbish(spec.results[0]),
             sum = rubbish(spec.results[1]);
  LoadedKernel(spec, hostKernelTarget()).call({x.data(), w.data(), y.data(), sum.data()});
  const std::vector<double> got = valuesOf(y), ones(got.size(), 1.0);
  EXPECT_LT(relativeError(y, referenceForward(c, x, w)), 1e-5);
  EXPECT_LT(relativeError(sum, sumProducts(got, ones, c.n, c.k, c.outHeight() * c.outWidth())), 1e-6);
  EXPECT_TRUE(y.paddingIsZero());
}

TEST_P(ConvKernelStems, GradWeight) {
  const ConvCase c = GetParam();
  for (bool lane : {false, true}) {
    KernelSpec spec = c.gradWeight(lane, Kind::Dense, Kind::K16);
    HostTensor x = filled(spec.operands[0]), dy = filled(spec.operands[1]), dw = rubbish(spec.results[0]);
    LoadedKernel(spec, hostKernelTarget()).call({x.data(), dy.data(), dw.data()});
    EXPECT_LT(relativeError(dw, referenceGradWeight(c, x, dy)), 1e-5);
    EXPECT_TRUE(dw.paddingIsZero());
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ConvKernelStems,
                         testing::Values(ConvCase{2, 3, 32, 32, 16, 3, 3, 1, 1}, ConvCase{1, 3, 28, 28, 64, 7, 7, 2, 3},
                                         ConvCase{1, 1, 9, 9, 20, 5, 5, 1, 2},
                                         ConvCase{2, 3, 13, 13, 16, 3, 3, 2, 1, 1, 1, 1, 1}));

// Groups that fill no whole blocks: filters over few channels, not transposed for the data gradient.
class ConvKernelSmallGroups : public testing::TestWithParam<ConvCase> {};

TEST_P(ConvKernelSmallGroups, AllDirections) {
  const ConvCase c = GetParam();
  KernelSpec forward = c.forward(Kind::C16, Kind::K16), gradData = c.gradData(Kind::C16, Kind::K16);
  HostTensor x = filled(forward.operands[0]), w = filled(forward.operands[1]), dy = filled(gradData.operands[0]);
  HostTensor y = rubbish(forward.results[0]), dx = rubbish(gradData.results[0]);
  LoadedKernel(forward, hostKernelTarget()).call({x.data(), w.data(), y.data()});
  LoadedKernel(gradData, hostKernelTarget()).call({dy.data(), w.data(), dx.data()});
  EXPECT_LT(relativeError(y, referenceForward(c, x, w)), 1e-5);
  EXPECT_LT(relativeError(dx, referenceGradData(c, dy, w)), 1e-5);
  EXPECT_TRUE(y.paddingIsZero() && dx.paddingIsZero());
  EXPECT_THROW(LoadedKernel(forward, hostKernelTarget(), {999, 1, 1, 1, 1, 0, 0, 0}), std::runtime_error);
  EXPECT_THROW(LoadedKernel(gradData, hostKernelTarget(), {999, 1, 1, 1, 1, 0, 0, 0}), std::runtime_error);
  for (bool lane : {false, true}) {
    KernelSpec gradWeight = c.gradWeight(lane, Kind::C16, Kind::K16);
    HostTensor dw = rubbish(gradWeight.results[0]);
    LoadedKernel(gradWeight, hostKernelTarget()).call({x.data(), dy.data(), dw.data()});
    EXPECT_LT(relativeError(dw, referenceGradWeight(c, x, dy)), 1e-5);
    EXPECT_TRUE(dw.paddingIsZero());
    EXPECT_THROW(LoadedKernel(gradWeight, hostKernelTarget(), {999, 1, 1, 1, 1, 1, 1, 0, 0}), std::runtime_error);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvKernelSmallGroups,
    testing::Values(ConvCase{2, 32, 8, 8, 32, 3, 3, 1, 1, 1, 8}, ConvCase{1, 20, 7, 5, 20, 3, 3, 2, 1, 1, 5},
                    ConvCase{2, 32, 7, 7, 32, 3, 3, 1, 1, 1, 32}, ConvCase{1, 40, 5, 5, 40, 1, 1, 1, 0, 1, 5},
                    // Groups that end within a block; more channels out than in.
                    ConvCase{1, 48, 7, 7, 48, 3, 3, 1, 1, 1, 4}, ConvCase{2, 26, 5, 6, 52, 3, 3, 2, 1, 1, 2},
                    ConvCase{1, 32, 6, 6, 64, 3, 3, 1, 1, 1, 32}));

// pixels, rows, images, vectors, channels, taps inside, blocks, order: spans begin and end at the channels unrolled.
TEST(ConvKernelTest, SpansOfChannelsInAnyStep) {
  if (!__builtin_cpu_supports("avx2"))
    GTEST_SKIP() << "the knobs are those of vectors of 8 and of 16";
  const ConvCase c{2, 36, 6, 7, 60, 3, 3, 1, 1, 1, 3};
  KernelSpec forward = c.forward(Kind::C16, Kind::K16), gradData = c.gradData(Kind::C16, Kind::K16),
             gradWeight = c.gradWeight(true, Kind::C16, Kind::K16);
  HostTensor x = filled(forward.operands[0]), w = filled(forward.operands[1]), dy = filled(gradData.operands[0]);
  for (const Knobs &knobs : {Knobs{4, 1, 1, 1, 1, 0, 0, 0}, Knobs{3, 2, 1, 1, 2, 1, 0, 1},
                             Knobs{2, 1, 2, 1, 8, 0, 0, 2}, Knobs{5, 1, 1, 1, 16, 0, 0, 1}}) {
    SCOPED_TRACE(printKnobs(knobs));
    HostTensor y = rubbish(forward.results[0]), dx = rubbish(gradData.results[0]);
    LoadedKernel(forward, hostKernelTarget(), knobs).call({x.data(), w.data(), y.data()});
    LoadedKernel(gradData, hostKernelTarget(), knobs).call({dy.data(), w.data(), dx.data()});
    EXPECT_LT(relativeError(y, referenceForward(c, x, w)), 1e-5);
    EXPECT_LT(relativeError(dx, referenceGradData(c, dy, w)), 1e-5);
    EXPECT_TRUE(y.paddingIsZero() && dx.paddingIsZero());
  }
  for (const Knobs &knobs :
       {Knobs{1, 1, 3, 1, 6, 1, 1, 1, 0}, Knobs{1, 2, 1, 3, 3, 2, 7, 0, 0}, Knobs{1, 16, 1, 1, 2, 1, 1, 0, 0}}) {
    SCOPED_TRACE(printKnobs(knobs));
    HostTensor dw = rubbish(gradWeight.results[0]);
    LoadedKernel(gradWeight, hostKernelTarget(), knobs).call({x.data(), dy.data(), dw.data()});
    EXPECT_LT(relativeError(dw, referenceGradWeight(c, x, dy)), 1e-5);
    EXPECT_TRUE(dw.paddingIsZero());
  }
  // Chunks of blocks, tiles of two blocks, pixels inside channels: none goes with spans.
  for (const Knobs &knobs : {Knobs{2, 1, 1, 1, 4, 0, 1, 1}, Knobs{1, 1, 1, 4, 4, 0, 0, 0}})
    EXPECT_THROW(LoadedKernel(forward, hostKernelTarget(), knobs), std::runtime_error);
  EXPECT_THROW(LoadedKernel(gradWeight, hostKernelTarget(), {1, 4, 1, 1, 1, 1, 1, 0, 1}), std::runtime_error);
}

class ConvKernelGeneric : public testing::TestWithParam<ConvCase> {};

TEST_P(ConvKernelGeneric, AllDirections) {
  const ConvCase c = GetParam();
  for (Kind layout : {Kind::Dense, Kind::C16}) {
    KernelSpec forward = c.forward(layout, Kind::K16, layout), gradData = c.gradData(layout, Kind::K16, layout),
               gradWeight = c.gradWeight(true, layout, Kind::K16);
    gradWeight.operands[1].layout = layout;
    // No halo to lean on.
    forward.operands[0].halo = gradData.operands[0].halo = gradWeight.operands[0].halo = gradWeight.operands[1].halo =
        0;
    HostTensor x = filled(forward.operands[0]), w = filled(forward.operands[1]), dy = filled(gradData.operands[0]);
    HostTensor y = rubbish(forward.results[0]), dx = rubbish(gradData.results[0]), dw = rubbish(gradWeight.results[0]);
    LoadedKernel(forward, hostKernelTarget()).call({x.data(), w.data(), y.data()});
    LoadedKernel(gradData, hostKernelTarget()).call({dy.data(), w.data(), dx.data()});
    LoadedKernel(gradWeight, hostKernelTarget()).call({x.data(), dy.data(), dw.data()});
    EXPECT_LT(relativeError(y, referenceForward(c, x, w)), 1e-5);
    EXPECT_LT(relativeError(dx, referenceGradData(c, dy, w)), 1e-5);
    EXPECT_LT(relativeError(dw, referenceGradWeight(c, x, dy)), 1e-5);
    EXPECT_TRUE(y.paddingIsZero() && dx.paddingIsZero() && dw.paddingIsZero());
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ConvKernelGeneric,
                         testing::Values(ConvCase{2, 16, 8, 8, 32, 3, 3, 1, 1, 1, 2},
                                         ConvCase{1, 32, 7, 5, 64, 3, 3, 2, 1, 1, 32},
                                         ConvCase{1, 5, 6, 6, 7, 3, 3, 1, 1},
                                         ConvCase{1, 12, 9, 9, 24, 3, 3, 1, 2, 2, 4, 0, 1}));

TEST(ConvKernelTest, GenericConvolutionTakesSums) {
  const ConvCase c{2, 16, 6, 6, 32, 3, 3, 1, 1, 1, 4};
  KernelSpec spec = c.forward(Kind::C16, Kind::K16);
  spec.nodes.push_back({"channel_dot", {2, 2}, {{"pieces", int64_t(1)}}, {{ElementType::F64, {1, 32}}}});
  spec.yields = {2, 3};
  spec.results.push_back(channelSums(32));
  HostTensor x = filled(spec.operands[0]), w = filled(spec.operands[1]), y = rubbish(spec.results[0]),
             dot = rubbish(spec.results[1]);
  LoadedKernel(spec, hostKernelTarget()).call({x.data(), w.data(), y.data(), dot.data()});
  EXPECT_LT(relativeError(y, referenceForward(c, x, w)), 1e-5);
  EXPECT_LT(relativeError(dot, sumProducts(valuesOf(y), valuesOf(y), 2, 32, 36)), 1e-6);
}

// vectors, channels, taps across, taps down, rows, images, pixels, rolled, pixels inside.
TEST(ConvKernelTest, DirectWeightTemplateSumsInAnyOrder) {
  if (!__builtin_cpu_supports("avx2"))
    GTEST_SKIP() << "the knobs are those of vectors of 8 and of 16";
  const ConvCase c{4, 32, 6, 8, 32, 3, 3, 1, 1};
  KernelSpec spec = c.gradWeight();
  HostTensor x = filled(spec.operands[0]), dy = filled(spec.operands[1]);
  const std::vector<double> want = referenceGradWeight(c, x, dy);
  for (const Knobs &knobs : forVectors({{1, 4, 3, 1, 6, 1, 2, 1, 0},
                                        {2, 4, 1, 1, 3, 1, 1, 0, 0},
                                        {2, 2, 3, 1, 6, 2, 1, 0, 1},
                                        {1, 4, 3, 1, 2, 4, 8, 1, 1}},
                                       {{1, 8, 3, 1, 6, 1, 2, 1, 0},
                                        {2, 4, 1, 3, 3, 1, 1, 0, 0},
                                        {2, 2, 3, 1, 6, 2, 1, 0, 1},
                                        {1, 4, 3, 1, 2, 4, 8, 1, 1}})) {
    HostTensor dw = rubbish(spec.results[0]);
    LoadedKernel(spec, hostKernelTarget(), knobs).call({x.data(), dy.data(), dw.data()});
    EXPECT_LT(relativeError(dw, want), 1e-5);
  }
}

TEST(ConvKernelTest, RefusesTilesThatDoNotFit) {
  const ConvCase c{3, 16, 8, 8, 16, 3, 3, 1, 1};
  EXPECT_THROW(LoadedKernel(c.forward(), hostKernelTarget(), {4, 1, 2, 2, 4, 0, 0, 0}), std::runtime_error);
  EXPECT_THROW(LoadedKernel(c.gradWeight(), hostKernelTarget(), {2, 4, 1, 1, 5, 1, 1, 0, 0}), std::runtime_error);
}

// The gradient of a slice of output channels: dY's images stand as far apart as in the whole.
TEST(ConvKernelTest, GradWeightOfASliceOfChannels) {
  const ConvCase whole{3, 16, 7, 7, 64, 3, 3, 1, 1};
  ConvCase part = whole;
  part.k = 32;
  KernelSpec spec = part.gradWeight();
  spec.operands[1].storedChannels = 64;
  HostTensor x = filled(whole.x()), dy = filled(whole.dy()), dw = rubbish(spec.results[0]);
  // Channels 16..47 start one block of [h + 2][w + 2][16] into dY.
  LoadedKernel(spec, hostKernelTarget()).call({x.data(), dy.data() + 9 * 9 * 16, dw.data()});
  std::vector<double> all = referenceGradWeight(whole, x, dy);
  EXPECT_LT(relativeError(dw, {all.begin() + 16 * 16 * 9, all.begin() + 48 * 16 * 9}), 1e-5);
}

// Code for other CPUs compiles and calls nothing, run here or not.
TEST(ConvKernelTest, CompilesForEveryTarget) {
  const ConvCase c{1, 32, 14, 14, 32, 3, 3, 1, 1, 1, 1, 0, 1}, strided{1, 32, 14, 14, 32, 3, 3, 2, 1};
  const ConvCase deep{1, 256, 7, 7, 32, 3, 3, 1, 1}, odd{1, 12, 7, 7, 20, 3, 3, 2, 1},
      groups{1, 64, 7, 7, 64, 3, 3, 1, 1, 1, 2}, small{1, 32, 7, 7, 32, 3, 3, 1, 1, 1, 8},
      spans{1, 36, 7, 7, 60, 3, 3, 1, 1, 1, 3};
  for (const auto &[name, target] :
       {std::pair("v2", sseTarget()), std::pair("v3", avx2Target()), std::pair("v4", avx512Target())}) {
    for (const KernelSpec &spec :
         {c.forward(), c.gradData(), c.gradWeight(true), strided.forward(), strided.gradData(), strided.gradWeight(),
          deep.forward(), odd.gradData(), groups.forward(), groups.gradWeight(), small.forward(Kind::C16, Kind::K16),
          small.gradWeight(false, Kind::C16, Kind::K16), spans.forward(Kind::C16, Kind::K16),
          spans.gradData(Kind::C16, Kind::K16), spans.gradWeight(true, Kind::C16, Kind::K16)})
      EXPECT_NO_THROW(LoadedKernel(spec, target)) << name;
    for (const KernelSpec &spec : {c.forward(), c.gradData(), c.gradWeight(), atPoints(c, 4), atPoints(c, 2)})
      for (const Knobs &knobs : formsOf(spec, name))
        EXPECT_NO_THROW(LoadedKernel(spec, target, knobs)) << name << " " << printKnobs(knobs);
  }
}

// SSE code runs everywhere.
TEST(ConvKernelTest, SseComputesTheSame) {
  const ConvCase c{1, 32, 14, 14, 32, 3, 3, 1, 1, 1, 1, 0, 1};
  KernelSpec spec = c.forward();
  HostTensor x = filled(spec.operands[0]), w = filled(spec.operands[1]);
  const std::vector<double> want = referenceForward(c, x, w);
  for (const Knobs &knobs : formsOf(spec, "v2")) {
    SCOPED_TRACE(knobs.form + " " + printKnobs(knobs));
    HostTensor y = rubbish(spec.results[0]);
    LoadedKernel(spec, sseTarget(), knobs).call({x.data(), w.data(), y.data()});
    EXPECT_LT(relativeError(y, want), 1e-5);
    EXPECT_TRUE(y.paddingIsZero());
  }
}

} // namespace
} // namespace resin::codegen
