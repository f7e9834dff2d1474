//===- Winograd.cpp - 3x3 convolutions by Winograd's method: what they mean -===//
//
// F(m, 3) is evaluation and interpolation of polynomials (Toom and Cook). With the
// finite points a[0] = 0, a[1], ..., a[m], and infinity as the last:
//
//   G    (m+2) x 3      a[i]^r / w[i]                      at infinity (0, 0, 1)
//   B^T  (m+2) x (m+2)  coefficients of W(x) / (x - a[i])  at infinity those of W(x)
//   A^T  m x (m+2)      a[j]^i                             at infinity (0, ..., 0, 1)
//
// with W(x) = product of all (x - a[i]) and w[i] = product of a[i]'s differences to the
// other points. Where w[0] is negative its sign goes to B, so that the first row of G
// is positive.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Checker.h"

#include <array>

using namespace mlir;

namespace resin::resnet {

namespace {

/// The most points each way.
constexpr int kMost = 6;
using Matrix = std::array<std::array<double, kMost>, kMost>;

struct Transforms {
  int64_t tile, points;
  Matrix filter{}, input{}, output{}; ///< G, B^T, A^T
};

Transforms makeTransforms(ArrayRef<double> finite) {
  const int n = static_cast<int>(finite.size());
  Transforms t{n - 1, n + 1};
  // Multiplies the polynomial, lowest coefficient first, by x - root.
  auto times = [](std::array<double, kMost> p, double root) {
    for (int d = kMost - 1; d >= 0; --d)
      p[d] = (d ? p[d - 1] : 0) - root * p[d];
    return p;
  };
  std::array<double, kMost> whole{1};
  for (int i = 0; i < n; ++i) {
    std::array<double, kMost> others{1};
    double weight = 1;
    for (int l = 0; l < n; ++l)
      if (l != i) {
        others = times(others, finite[l]);
        weight *= finite[i] - finite[l];
      }
    const double sign = i == 0 && weight < 0 ? -1 : 1;
    double power = 1;
    for (int r = 0; r < std::max<int>(3, n - 1); ++r, power *= finite[i]) {
      if (r < 3)
        t.filter[i][r] = sign * power / weight;
      if (r < n - 1)
        t.output[r][i] = power;
    }
    for (int d = 0; d < n; ++d)
      t.input[i][d] = sign * others[d];
    whole = times(whole, finite[i]);
  }
  t.filter[n][2] = t.output[n - 2][n] = 1;
  for (int d = 0; d <= n; ++d)
    t.input[n][d] = whole[d];
  return t;
}

const Transforms &transformsOf(int64_t tile) {
  static const Transforms four = makeTransforms({0, 0.625, -0.625, 1.5, -1.5}), two = makeTransforms({0, 1, -1});
  return tile == 4 ? four : two;
}

/// The upper left part of left * value * left^T, of `rows` x `rows`, where `value` is `columns` x `columns`.
Matrix bothSides(const Matrix &left, const Matrix &value, int64_t rows, int64_t columns) {
  Matrix half{}, result{};
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t q = 0; q < columns; ++q)
        half[i][j] += left[i][q] * value[q][j];
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < rows; ++j)
      for (int64_t q = 0; q < columns; ++q)
        result[i][j] += half[i][q] * left[j][q];
  return result;
}

} // namespace

//===----------------------------------------------------------------------===//
// winograd_filter
//===----------------------------------------------------------------------===//

LogicalResult WinogradFilterOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                 SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape filter = check.shape(op.getFilter(), "filters", {4}); // winograd_filter_c1
  const int64_t tile = op.getTile();
  check.that(tile == 2 || tile == 4, "knows the tiles 2 and 4, not " + Twine(tile)); // winograd_filter_c1
  if (check.failed())
    return failure();
  check.that(agree(filter[2], 3) && agree(filter[3], 3),
             "takes filters of 3x3 taps, not " + describe(filter)); // winograd_filter_c1
  return check.infer(types, op.getFilter(), Shape{filter[0], tile + 2, tile + 2, filter[1]});
}

void WinogradFilterOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Transforms &t = transformsOf(getTile());
  const Tensor &filter = operands[0];
  for (int64_t k = 0; k < filter.dim(0); ++k)
    for (int64_t c = 0; c < filter.dim(1); ++c) {
      Matrix taps{};
      for (int r = 0; r < 3; ++r)
        for (int s = 0; s < 3; ++s)
          taps[r][s] = filter.at(k, c, r, s);
      const Matrix points = bothSides(t.filter, taps, t.points, 3);
      for (int64_t i = 0; i < t.points; ++i)
        for (int64_t j = 0; j < t.points; ++j)
          results[0].at(k, i, j, c) = points[i][j];
    }
}

//===----------------------------------------------------------------------===//
// conv2d_winograd
//===----------------------------------------------------------------------===//

LogicalResult Conv2dWinogradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                 SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4}),
              filter = check.shape(op.getFilter(), "filters", {4}); // conv2d_winograd_c1
  check.sameElementType(op.getOperands());                          // conv2d_winograd_c1
  check.numbers(op.getPadding(), "padding", 4, 0);                  // conv2d_winograd_c2
  if (check.failed())
    return failure();
  check.that(filter[1] == filter[2] && (filter[1] == 4 || filter[1] == 6),
             "takes filters at 4x4 or 6x6 points, not " + describe(filter)); // conv2d_winograd_c1
  check.that(agree(image[1], filter[3]), "takes filters over " + Twine(filter[3]) + " channels to an image of " +
                                             Twine(image[1]) + " channels"); // conv2d_winograd_c1
  const int64_t h = check.windows(0, image[2], 3, 1, op.getPadding(), 1),
                w = check.windows(1, image[3], 3, 1, op.getPadding(), 1); // conv2d_winograd_c3
  return check.infer(types, op.getInput(), Shape{image[0], filter[0], h, w});
}

void Conv2dWinogradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &image = operands[0], &filter = operands[1];
  Tensor &result = results[0];
  const Transforms &t = transformsOf(filter.dim(1) - 2);
  const int64_t channels = image.dim(1), top = getPadding()[0], left = getPadding()[1];
  std::vector<Matrix> tiles(channels);
  for (int64_t n = 0; n < image.dim(0); ++n)
    for (int64_t y = 0; y < result.dim(2); y += t.tile)
      for (int64_t x = 0; x < result.dim(3); x += t.tile) {
        for (int64_t c = 0; c < channels; ++c) {
          Matrix pixels{};
          for (int64_t i = 0; i < t.points; ++i)
            for (int64_t j = 0; j < t.points; ++j) {
              const int64_t row = y + i - top, column = x + j - left;
              if (row >= 0 && row < image.dim(2) && column >= 0 && column < image.dim(3))
                pixels[i][j] = image.at(n, c, row, column);
            }
          tiles[c] = bothSides(t.input, pixels, t.points, t.points);
        }
        for (int64_t k = 0; k < filter.dim(0); ++k) {
          Matrix sum{};
          for (int64_t i = 0; i < t.points; ++i)
            for (int64_t j = 0; j < t.points; ++j)
              for (int64_t c = 0; c < channels; ++c)
                sum[i][j] += filter.at(k, i, j, c) * tiles[c][i][j];
          const Matrix values = bothSides(t.output, sum, t.tile, t.points);
          for (int64_t i = 0; i < std::min(t.tile, result.dim(2) - y); ++i)
            for (int64_t j = 0; j < std::min(t.tile, result.dim(3) - x); ++j)
              result.at(n, k, y + i, x + j) = values[i][j];
        }
      }
}

} // namespace resin::resnet
