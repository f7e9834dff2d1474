//===- Pool.cpp - Maxima and means over windows ---------------------------===//

#include "codegen/cpu/kernels/Strict.h"
#include "codegen/cpu/kernels/Values.h"

#include <limits>

using namespace Halide;

namespace resin::codegen {

namespace {

struct Window {
  int kh, kw, sy, sx, top, left;
  explicit Window(const KernelNode &node)
      : kh(node.integers("kernel")[0]), kw(node.integers("kernel")[1]), sy(node.integers("strides")[0]),
        sx(node.integers("strides")[1]), top(node.integers("padding")[0]), left(node.integers("padding")[1]) {}
};

/// Pixel (y, x) of `v`, or `outside` where there is none. Most are inside: Halide cuts
/// the loops at the border, and what is left in the middle has no conditions.
Expr pixel(const Value &v, const Index &i, Expr y, Expr x, Expr outside) {
  const int h = v.shape[2], w = v.shape[3];
  Expr inside = y >= 0 && y < h && x >= 0 && x < w;
  return select(inside, likely(v.at({i[0], i[1], clamp(likely(y), 0, h - 1), clamp(likely(x), 0, w - 1)})), outside);
}

std::vector<Value> maxPool(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const Window p(node);
  return {{node.results[0], [=](const Index &i) {
             Expr largest;
             for (int r = 0; r < p.kh; ++r)
               for (int s = 0; s < p.kw; ++s) {
                 Expr tap = pixel(v[0], i, i[2].whole() * p.sy + (r - p.top), i[3].whole() * p.sx + (s - p.left),
                                  Float(32).min());
                 largest = largest.defined() ? largerOrNan(largest, tap) : tap;
               }
             return largest;
           }}};
}

/// Which of its pixels each window takes: the last NaN, or else the first of its largest, as in PyTorch.
Func firstMaxima(const Window &p, const Value &input, Stages &stages) {
  const bool exceeds = input.shape[1] % kChannelBlock != 0;
  return stages.image("first_maxima", [=](const std::vector<Expr> &e) {
    const Index at = {e[4], Coordinate(e[3], e[0], exceeds), e[2], e[1]};
    // Until something beats it, the first pixel of the image: padding is -inf, which the image may be too.
    const Expr top = e[2] * p.sy - p.top, left = e[1] * p.sx - p.left;
    Expr first = max(-top, 0) * p.kw + max(-left, 0), largest = Float(32).min();
    for (int r = 0; r < p.kh; ++r)
      for (int s = 0; s < p.kw; ++s) {
        const Expr tap = pixel(input, at, top + r, left + s, Float(32).min());
        const Expr wins = isLess(largest, tap) || isNan(tap);
        first = select(wins, r * p.kw + s, first);
        largest = select(wins, tap, largest);
      }
    return first;
  });
}

/// Calls `visit` for each window that may hold pixel (y, x): its position, the pixel's
/// place in it, and whether it exists and holds the pixel.
void windowsOver(const Window &p, int outputHeight, int outputWidth, Expr y, Expr x,
                 const std::function<void(Expr wy, Expr wx, Expr place, Expr holds)> &visit) {
  const int rows = (p.kh + p.sy - 1) / p.sy, columns = (p.kw + p.sx - 1) / p.sx;
  for (int r = rows - 1; r >= 0; --r)
    for (int s = columns - 1; s >= 0; --s) {
      Expr wy = (y + p.top) / p.sy - r, wx = (x + p.left) / p.sx - s;
      Expr row = (y + p.top) % p.sy + r * p.sy, column = (x + p.left) % p.sx + s * p.sx;
      Expr holds = wy >= 0 && wy < outputHeight && wx >= 0 && wx < outputWidth && row < p.kh && column < p.kw;
      visit(wy, wx, row * p.kw + column, holds);
    }
}

std::vector<Value> maxPoolGrad(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const Window p(node);
  const int oh = v[0].shape[2], ow = v[0].shape[3];
  Func first = firstMaxima(p, v[1], stages);
  return {{node.results[0], [=](const Index &i) {
             Expr sum = 0.f;
             windowsOver(p, oh, ow, i[2].whole(), i[3].whole(), [&](Expr wy, Expr wx, Expr place, Expr holds) {
               Expr winner = holds && first(i[1].lane(), wx, wy, i[1].block(), i[0].whole()) == place;
               sum = sum + select(winner, v[0].at({i[0], i[1], clamp(wy, 0, oh - 1), clamp(wx, 0, ow - 1)}), 0.f);
             });
             return sum;
           }}};
}

/// Whether every window's mean is over as many elements: PyTorch counts padding too.
bool hasOneDivisor(const KernelNode &node) {
  const std::vector<int64_t> &padding = node.integers("padding");
  return node.integer("count_include_pad") || padding == std::vector<int64_t>(4, 0);
}

/// How many elements of an image of h x w the window at (wy, wx) holds.
Expr elementsInside(const Window &p, int h, int w, Expr wy, Expr wx) {
  auto count = [](Expr start, int size, int extent) { return min(start + size, extent) - max(start, 0); };
  return cast<float>(count(wy * p.sy - p.top, p.kh, h) * count(wx * p.sx - p.left, p.kw, w));
}

std::vector<Value> avgPool(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const Window p(node);
  const bool oneDivisor = hasOneDivisor(node);
  return {{node.results[0], [=](const Index &i) {
             Expr sum;
             for (int r = 0; r < p.kh; ++r)
               for (int s = 0; s < p.kw; ++s) {
                 Expr tap = pixel(v[0], i, i[2].whole() * p.sy + (r - p.top), i[3].whole() * p.sx + (s - p.left), 0.f);
                 sum = sum.defined() ? sum + tap : tap;
               }
             if (oneDivisor)
               return sum * (1.f / float(p.kh * p.kw));
             return sum / elementsInside(p, v[0].shape[2], v[0].shape[3], i[2].whole(), i[3].whole());
           }}};
}

std::vector<Value> avgPoolGrad(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const Window p(node);
  const bool oneDivisor = hasOneDivisor(node);
  const int oh = v[0].shape[2], ow = v[0].shape[3], h = node.results[0].shape[2], w = node.results[0].shape[3];
  return {{node.results[0], [=](const Index &i) {
             Expr sum = 0.f;
             windowsOver(p, oh, ow, i[2].whole(), i[3].whole(), [&](Expr wy, Expr wx, Expr, Expr holds) {
               Expr cy = clamp(wy, 0, oh - 1), cx = clamp(wx, 0, ow - 1), gradient = v[0].at({i[0], i[1], cy, cx});
               sum = sum + select(holds, oneDivisor ? gradient : gradient / elementsInside(p, h, w, cy, cx), 0.f);
             });
             return oneDivisor ? sum * (1.f / float(p.kh * p.kw)) : sum;
           }}};
}

std::vector<Value> globalAvgPool(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const std::vector<int64_t> shape = v[0].shape;
  const int64_t blocks = blocksOf(shape[1]);
  Func sums = stages.sum("sums", {kChannelBlock, blocks, shape[0]}, {shape[3], shape[2]}, [&](auto &e, auto &r) {
    return v[0].at({e[2], Coordinate(e[1], e[0], shape[1] % kChannelBlock != 0), r[1], r[0]});
  });
  stages.computeInside(1);
  stages.tileBy({kChannelBlock, 1});
  const float factor = 1.f / float(shape[2] * shape[3]);
  return {{node.results[0], [=](const Index &i) { return sums(i[1].lane(), i[1].block(), i[0].whole()) * factor; }}};
}

std::vector<Value> globalAvgPoolGrad(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const float factor = 1.f / float(node.results[0].shape[2] * node.results[0].shape[3]);
  return {{node.results[0], [=](const Index &i) { return v[0].at({i[0], i[1]}) * factor; }}};
}

} // namespace

const NodeFamily &poolNodes() {
  static const NodeFamily rows = {
      {"max_pool", maxPool},          {"max_pool_grad", maxPoolGrad},     {"avg_pool", avgPool},
      {"avg_pool_grad", avgPoolGrad}, {"global_avg_pool", globalAvgPool}, {"global_avg_pool_grad", globalAvgPoolGrad},
  };
  return rows;
}

} // namespace resin::codegen
