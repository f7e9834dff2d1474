//===- ConvCase.h - Convolutions for tests: specs and plain loops -*- C++ -*-===//

#ifndef RESIN_TEST_UNIT_CONVCASE_H
#define RESIN_TEST_UNIT_CONVCASE_H

#include "test/unit/KernelRunner.h"

#include <sstream>

namespace resin::codegen {

struct ConvCase {
  int n, c, h, w, k, r, s;
  int stride = 1, pad = 0, dilation = 1, groups = 1;
  int extraHalo = 0;                         ///< of operands, beyond what is needed
  int ringOut = 0;                           ///< halo of the result
  int strideX = 0, padX = -1, dilationX = 0; ///< along x, where they are others

  int strideAcross() const { return strideX ? strideX : stride; }
  int padAcross() const { return padX < 0 ? pad : padX; }
  int dilationAcross() const { return dilationX ? dilationX : dilation; }
  int outHeight() const { return (h + 2 * pad - dilation * (r - 1) - 1) / stride + 1; }
  int outWidth() const { return (w + 2 * padAcross() - dilationAcross() * (s - 1) - 1) / strideAcross() + 1; }
  /// Ring of dY that the data gradient reads.
  int gradHalo() const { return std::max({0, dilation * (r - 1) - pad, dilationAcross() * (s - 1) - padAcross()}); }

  /// Of the image: what tap r of result row i, and tap s of result column j, reads.
  int row(int i, int r) const { return i * stride + r * dilation - pad; }
  int column(int j, int s) const { return j * strideAcross() + s * dilationAcross() - padAcross(); }

  std::vector<std::pair<std::string, AttributeValue>> window() const {
    using List = std::vector<int64_t>;
    return {{"dilations", List{dilation, dilationAcross()}},
            {"groups", int64_t(groups)},
            {"padding", List{pad, padAcross(), pad, padAcross()}},
            {"strides", List{stride, strideAcross()}}};
  }
  std::vector<int64_t> xShape() const { return {n, c, h, w}; }
  std::vector<int64_t> yShape() const { return {n, k, outHeight(), outWidth()}; }
  std::vector<int64_t> filterShape() const { return {k, c / groups, r, s}; }
  TensorSpec x(LayoutKind layout = LayoutKind::C16) const {
    return {ElementType::F32, xShape(), layout, std::max(pad, padAcross()) + extraHalo};
  }
  TensorSpec y(LayoutKind layout = LayoutKind::C16) const { return {ElementType::F32, yShape(), layout, ringOut}; }
  TensorSpec filter(LayoutKind layout = LayoutKind::K16C16) const { return {ElementType::F32, filterShape(), layout}; }
  TensorSpec dy(LayoutKind layout = LayoutKind::C16) const {
    return {ElementType::F32, yShape(), layout, gradHalo() + extraHalo};
  }
  TensorSpec dx(LayoutKind layout = LayoutKind::C16) const { return {ElementType::F32, xShape(), layout, ringOut}; }

  KernelNode forwardNode() const { return {"conv2d", {0, 1}, window(), {{ElementType::F32, yShape()}}}; }
  KernelNode gradDataNode() const {
    auto attributes = window();
    attributes.push_back({"size", std::vector<int64_t>{h, w}});
    std::sort(attributes.begin(), attributes.end(), [](auto &a, auto &b) { return a.first < b.first; });
    return {"conv2d_grad_data", {0, 1}, attributes, {{ElementType::F32, xShape()}}};
  }
  KernelNode gradWeightNode(bool lane) const {
    auto attributes = window();
    attributes.push_back({"kernel", std::vector<int64_t>{r, s}});
    std::vector<int64_t> shape = filterShape();
    if (lane) {
      attributes.push_back({"lane", int64_t(1)});
      shape.insert(shape.begin(), 1);
    }
    std::sort(attributes.begin(), attributes.end(), [](auto &a, auto &b) { return a.first < b.first; });
    return {"conv2d_grad_weight", {0, 1}, attributes, {{ElementType::F32, shape}}};
  }

  KernelSpec forward(LayoutKind source = LayoutKind::C16, LayoutKind filters = LayoutKind::K16C16,
                     LayoutKind result = LayoutKind::C16) const {
    return {{x(source), filter(filters)}, {forwardNode()}, {2}, {y(result)}};
  }
  KernelSpec gradData(LayoutKind source = LayoutKind::C16, LayoutKind filters = LayoutKind::C16K16,
                      LayoutKind result = LayoutKind::C16) const {
    return {{dy(source), filter(filters)}, {gradDataNode()}, {2}, {dx(result)}};
  }
  KernelSpec gradWeight(bool lane = false, LayoutKind source = LayoutKind::C16,
                        LayoutKind filters = LayoutKind::K16C16) const {
    TensorSpec result = filter(filters);
    if (lane)
      result.shape.insert(result.shape.begin(), 1);
    return {{x(source), dy()}, {gradWeightNode(lane)}, {2}, {result}};
  }
};

/// The elements of a tensor of rank 4, where plain loops find them by a few multiplications.
class RowMajor {
public:
  explicit RowMajor(const HostTensor &tensor) : shape(tensor.tensor().shape) {
    tensor.forEach([&](const std::vector<int> &i) { values.push_back(tensor.value(i)); });
  }
  double operator()(int64_t a, int64_t b, int64_t c, int64_t d) const {
    return values[((a * shape[1] + b) * shape[2] + c) * shape[3] + d];
  }

private:
  const std::vector<int64_t> shape;
  std::vector<double> values;
};

/// y = conv(x, w) in double.
inline std::vector<double> referenceForward(const ConvCase &c, const HostTensor &xs, const HostTensor &ws) {
  const RowMajor x(xs), w(ws);
  const int oh = c.outHeight(), ow = c.outWidth(), perGroup = c.c / c.groups;
  std::vector<double> y(size_t(c.n) * c.k * oh * ow);
  size_t at = 0;
  for (int n = 0; n < c.n; ++n)
    for (int k = 0; k < c.k; ++k)
      for (int i = 0; i < oh; ++i)
        for (int j = 0; j < ow; ++j, ++at)
          for (int ch = 0; ch < perGroup; ++ch)
            for (int r = 0; r < c.r; ++r)
              for (int s = 0; s < c.s; ++s) {
                const int yy = c.row(i, r), xx = c.column(j, s);
                if (yy >= 0 && yy < c.h && xx >= 0 && xx < c.w)
                  y[at] += x(n, k / (c.k / c.groups) * perGroup + ch, yy, xx) * w(k, ch, r, s);
              }
  return y;
}

/// dx in double.
inline std::vector<double> referenceGradData(const ConvCase &c, const HostTensor &dys, const HostTensor &ws) {
  const RowMajor dy(dys), w(ws);
  const int oh = c.outHeight(), ow = c.outWidth(), perGroup = c.c / c.groups;
  std::vector<double> dx(size_t(c.n) * c.c * c.h * c.w);
  for (int n = 0; n < c.n; ++n)
    for (int k = 0; k < c.k; ++k)
      for (int i = 0; i < oh; ++i)
        for (int j = 0; j < ow; ++j)
          for (int ch = 0; ch < perGroup; ++ch)
            for (int r = 0; r < c.r; ++r)
              for (int s = 0; s < c.s; ++s) {
                const int yy = c.row(i, r), xx = c.column(j, s);
                const int channel = k / (c.k / c.groups) * perGroup + ch;
                if (yy >= 0 && yy < c.h && xx >= 0 && xx < c.w)
                  dx[((size_t(n) * c.c + channel) * c.h + yy) * c.w + xx] += dy(n, k, i, j) * w(k, ch, r, s);
              }
  return dx;
}

/// dw in double.
inline std::vector<double> referenceGradWeight(const ConvCase &c, const HostTensor &xs, const HostTensor &dys) {
  const RowMajor x(xs), dy(dys);
  const int oh = c.outHeight(), ow = c.outWidth(), perGroup = c.c / c.groups;
  std::vector<double> dw(size_t(c.k) * perGroup * c.r * c.s);
  size_t at = 0;
  for (int k = 0; k < c.k; ++k)
    for (int ch = 0; ch < perGroup; ++ch)
      for (int r = 0; r < c.r; ++r)
        for (int s = 0; s < c.s; ++s, ++at)
          for (int n = 0; n < c.n; ++n)
            for (int i = 0; i < oh; ++i)
              for (int j = 0; j < ow; ++j) {
                const int yy = c.row(i, r), xx = c.column(j, s);
                if (yy >= 0 && yy < c.h && xx >= 0 && xx < c.w)
                  dw[at] += x(n, k / (c.k / c.groups) * perGroup + ch, yy, xx) * dy(n, k, i, j);
              }
  return dw;
}

/// Largest error relative to the largest value.
inline double relativeError(HostTensor &got, const std::vector<double> &want) {
  double error = 0, largest = 1e-30;
  size_t at = 0;
  got.forEach([&](const std::vector<int> &i) {
    largest = std::max(largest, std::abs(want[at]));
    error = std::max(error, std::abs(want[at++] - got.value(i)));
  });
  return error / largest;
}

} // namespace resin::codegen

#endif // RESIN_TEST_UNIT_CONVCASE_H
