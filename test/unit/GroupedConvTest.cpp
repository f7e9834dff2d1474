//===- GroupedConvTest.cpp - Convolutions in groups of any size -----------===//
//
// Groups that end where blocks of 16 channels do not: every direction, window and
// epilogue by a template, and as the interpreter says.
//
//===----------------------------------------------------------------------===//

#include "test/unit/KernelCheck.h"
#include "test/unit/PlannedKnobs.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>

namespace resin {
namespace {

using List = std::vector<int>;

std::string text(const List &values) {
  std::ostringstream out;
  for (size_t i = 0; i < values.size(); ++i)
    out << (i ? "," : "[") << values[i];
  return out.str() + "]";
}

struct GroupedConv {
  int n, c, h, w, k, r, s, groups;
  int padY = 0, padX = 0, strideY = 1, strideX = 1, dilationY = 1, dilationX = 1;
  bool planar = false; ///< an image of few channels, as it comes

  int outHeight() const { return (h + 2 * padY - dilationY * (r - 1) - 1) / strideY + 1; }
  int outWidth() const { return (w + 2 * padX - dilationX * (s - 1) - 1) / strideX + 1; }
  List x() const { return {n, c, h, w}; }
  List y() const { return {n, k, outHeight(), outWidth()}; }
  List filter() const { return {k, c / groups, r, s}; }
  int haloX() const { return std::max(padY, padX); }
  int haloY() const { return std::max({0, dilationY * (r - 1) - padY, dilationX * (s - 1) - padX}); }

  static std::string ring(int halo) { return halo ? "h" + std::to_string(halo) : ""; }
  static std::string image(const List &shape, int halo = 0) { return "f32" + text(shape) + "c16" + ring(halo); }
  std::string source() const { return planar ? "f32" + text(x()) + ring(haloX()) : image(x(), haloX()); }
  std::string window(const std::string &more = "") const {
    return " {dilations=" + text({dilationY, dilationX}) + ", groups=" + std::to_string(groups) + more +
           ", padding=" + text({padY, padX, padY, padX});
  }
  std::string strides() const { return ", strides=" + text({strideY, strideX}) + "}"; }

  /// `operands` and `nodes` follow the convolution, which is value `first`.
  std::string forward(const std::string &operands = "", const std::string &nodes = "", int first = 2,
                      std::string results = "") const {
    if (results.empty())
      results = "%2: " + image(y());
    return "(" + source() + ", f32" + text(filter()) + "k16" + operands + ") { %" + std::to_string(first) +
           " = conv2d(%0, %1)" + window() + strides() + " : f32" + text(y()) + nodes + " } -> (" + results + ")";
  }
  std::string gradData(const std::string &operands = "", const std::string &nodes = "", int first = 2,
                       std::string results = "") const {
    if (results.empty())
      results = "%2: " + image(x(), 1);
    return "(" + image(y(), haloY()) + ", f32" + text(filter()) + "k16" + operands + ") { %" + std::to_string(first) +
           " = conv2d_grad_data(%0, %1)" + window() + ", size=" + text({h, w}) + strides() + " : f32" + text(x()) +
           nodes + " } -> (" + results + ")";
  }
  std::string gradWeight(bool lane) const {
    List result = filter();
    if (lane)
      result.insert(result.begin(), 1);
    return "(" + source() + ", " + image(y(), haloY()) + ") { %2 = conv2d_grad_weight(%0, %1)" +
           window(", kernel=" + text({r, s}) + (lane ? ", lane=1" : "")) + strides() + " : f32" + text(result) +
           " } -> (%2: f32" + text(result) + "k16)";
  }
  std::vector<std::string> gradients() const {
    std::vector<std::string> all = {gradWeight(false), gradWeight(true)};
    if (!planar)
      all.push_back(gradData());
    return all;
  }
};

/// Each is taken by a template, and right.
void check(const std::vector<std::string> &texts, double tolerance = 1e-5) {
  TargetInfo host;
  std::string error;
  ASSERT_TRUE(findTarget("host", host, error)) << error;
  for (const std::string &text : texts) {
    KernelSpec spec;
    ASSERT_TRUE(parse(text, spec, error)) << error << "\n  " << text;
    EXPECT_FALSE(planOf(spec, host)->untuned().empty()) << "no template takes " << text;
  }
  CheckOptions options;
  options.tolerance = tolerance;
  checkKernels(texts, options);
}

void checkAllDirections(const std::vector<GroupedConv> &convolutions) {
  std::vector<std::string> forward, gradients;
  for (const GroupedConv &conv : convolutions) {
    forward.push_back(conv.forward());
    for (const std::string &text : conv.gradients())
      gradients.push_back(text);
  }
  check(forward);
  check(gradients, 1e-4);
}

TEST(GroupedConv, GroupsThatDivideNoBlock) {
  checkAllDirections({{2, 48, 7, 7, 48, 3, 3, 2, 1, 1},
                      {1, 48, 6, 5, 48, 3, 3, 4, 1, 1},
                      {1, 48, 5, 5, 48, 3, 3, 8, 1, 1},
                      {1, 48, 7, 4, 48, 3, 3, 16, 1, 1},
                      {1, 96, 5, 5, 96, 3, 3, 4, 1, 1},
                      {1, 52, 5, 5, 104, 3, 3, 2, 1, 1},
                      {1, 6, 5, 5, 9, 3, 3, 3, 1, 1},
                      {1, 78, 4, 4, 26, 1, 1, 2},
                      {2, 36, 3, 3, 84, 1, 1, 12}});
}

TEST(GroupedConv, MoreChannelsOutThanIn) {
  checkAllDirections({{1, 32, 7, 7, 64, 3, 3, 4, 1, 1},
                      {2, 32, 5, 5, 64, 3, 3, 32, 1, 1},
                      {1, 20, 6, 6, 60, 3, 3, 20, 1, 1},
                      {1, 64, 5, 5, 32, 3, 3, 4, 1, 1}, // whole blocks in, halves out
                      {1, 8, 5, 5, 96, 1, 1, 2}});
}

TEST(GroupedConv, Windows) {
  checkAllDirections({{1, 48, 9, 9, 48, 3, 3, 4, 1, 1, 2, 2},
                      {1, 36, 8, 10, 36, 3, 3, 3, 1, 1, 2, 1},
                      {1, 36, 9, 7, 24, 5, 3, 6, 2, 1, 1, 2},
                      {1, 48, 10, 10, 48, 3, 3, 4, 2, 2, 1, 1, 2, 2},
                      {2, 48, 7, 7, 96, 1, 1, 16, 0, 0, 2, 2},
                      {1, 24, 6, 6, 40, 3, 3, 8},
                      {1, 30, 11, 8, 30, 3, 1, 5, 3, 0, 3, 2, 1, 1},
                      {1, 24, 1, 1, 24, 3, 3, 2, 1, 1}});
}

// An image is read plane by plane.
TEST(GroupedConv, Images) {
  checkAllDirections({{2, 3, 9, 9, 48, 3, 3, 3, 1, 1, 1, 1, 1, 1, true},
                      {1, 6, 11, 9, 20, 5, 5, 2, 2, 2, 2, 2, 1, 1, true},
                      {1, 12, 5, 5, 12, 1, 1, 4, 0, 0, 1, 1, 1, 1, true}});
}

// Filters of more than 256 KiB when they are spread out are so panel by panel.
TEST(GroupedConv, LargeFilters) {
  checkAllDirections(
      {{2, 136, 4, 4, 136, 3, 3, 2, 1, 1}, {1, 72, 5, 5, 72, 5, 5, 3, 2, 2}, {2, 520, 3, 3, 312, 1, 1, 2}});
}

TEST(GroupedConv, Statistics) {
  for (const GroupedConv &conv :
       {GroupedConv{2, 48, 7, 6, 48, 3, 3, 4, 1, 1}, {1, 30, 9, 9, 20, 3, 3, 10, 1, 1, 2, 2}}) {
    const std::string sum = text({1, conv.k}), y = GroupedConv::image(conv.y(), 1);
    check({conv.forward(
        "", "; %3 = channel_sum(%2) {pieces=1} : f64" + sum + "; %4 = channel_dot(%2, %2) {pieces=1} : f64" + sum, 2,
        "%2: " + y + ", %3: f64" + sum + "c16, %4: f64" + sum + "c16")});
  }
}

TEST(GroupedConv, BiasAddAndRelu) {
  for (const GroupedConv &conv :
       {GroupedConv{2, 48, 5, 7, 48, 3, 3, 8, 1, 1}, {1, 24, 8, 8, 40, 1, 1, 4, 0, 0, 2, 2}}) {
    const std::string y = text(conv.y()), made = GroupedConv::image(conv.y(), 1);
    const std::string bias = ", f32" + text({conv.k}) + "c16";
    check(
        {conv.forward(bias, "; %4 = add_bias(%3, %2) {} : f32" + y + "; %5 = relu(%4) {} : f32" + y, 3, "%5: " + made),
         conv.forward(bias + ", " + made,
                      "; %5 = add_bias(%4, %2) {} : f32" + y + "; %6 = add(%5, %3) {} : f32" + y +
                          "; %7 = relu(%6) {} : f32" + y,
                      4, "%7: " + made)});
  }
}

TEST(GroupedConv, MaskAndSums) {
  for (const GroupedConv &conv :
       {GroupedConv{2, 48, 6, 5, 48, 3, 3, 2, 1, 1}, {1, 40, 8, 8, 24, 3, 3, 8, 1, 1, 2, 2}}) {
    const std::string x = text(conv.x()), made = GroupedConv::image(conv.x()), sum = text({1, conv.c});
    check({conv.gradData(", " + made + ", " + made + ", " + made,
                         "; %6 = add(%5, %4) {} : f32" + x + "; %7 = relu_grad(%6, %2) {} : f32" + x +
                             "; %8 = channel_sum(%7) {pieces=1} : f64" + sum +
                             "; %9 = channel_dot(%7, %3) {pieces=1} : f64" + sum,
                         5, "%7: " + made + ", %8: f64" + sum + "c16, %9: f64" + sum + "c16")},
          1e-4);
  }
}

TEST(GroupedConv, BandsOfRows) {
  check({"(f32[1,36,6,5]c16h1r8, f32[36,9,3,3]k16, f32[36]c16) { %3 = conv2d(%0, %1) {dilations=[1,1], groups=4, "
         "padding=[0,1,0,1], strides=[1,1]} : f32[1,36,4,5]; %4 = add_bias(%3, %2) {} : f32[1,36,4,5] } -> (%4: "
         "f32[1,36,4,5]c16h1r8)"});
}

/// A convolution that the language allows: sizes, groups, windows at random.
GroupedConv draw(std::mt19937 &random) {
  auto upTo = [&](int most) { return static_cast<int>(random() % most) + 1; };
  while (true) {
    GroupedConv conv{upTo(2), 0, upTo(9), upTo(9), 0, upTo(3), upTo(3), upTo(12)};
    conv.c = conv.groups * upTo(30), conv.k = conv.groups * upTo(30);
    conv.padY = upTo(3) - 1, conv.padX = upTo(3) - 1;
    conv.strideY = upTo(3), conv.strideX = upTo(3);
    conv.dilationY = upTo(2), conv.dilationX = upTo(2);
    conv.planar = conv.c < 16 && upTo(2) == 1;
    const bool isSeen = conv.h + 2 * conv.padY > conv.dilationY * (conv.r - 1) &&
                        conv.w + 2 * conv.padX > conv.dilationX * (conv.s - 1);
    const bool fills = (conv.c / conv.groups) % 16 == 0 && (conv.k / conv.groups) % 16 == 0;
    if (isSeen && !fills && conv.groups > 1 && conv.c <= 120 && conv.k <= 120)
      return conv;
  }
}

TEST(GroupedConv, DrawnAtRandom) {
  std::mt19937 random(20);
  std::vector<GroupedConv> drawn;
  for (int i = 0; i < 12; ++i)
    drawn.push_back(draw(random));
  checkAllDirections(drawn);
}

} // namespace
} // namespace resin
