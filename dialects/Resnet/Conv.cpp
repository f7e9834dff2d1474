//===- Conv.cpp - Convolution and its gradients: what they mean -----------===//
//
// Cross-correlation, as every framework understands convolution:
//
//   y[n, k, i, j] = sum over c, u, v of x[n, g*C + c, i*stride + u*dilation - top, j*stride + v*dilation - left] * f[k,
//   c, u, v]
//
// with C the filters' input channels and g = k / (K / groups) the group of k. The
// two gradients are the same sum, read for x and for f: all three ops share one
// walk over (filter element, run of pixels).
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Checker.h"

using namespace mlir;

namespace resin::resnet {

namespace {

/// Geometry of one convolution.
struct Geometry {
  int64_t n, c, h, w; ///< of the image; c counts all groups
  int64_t k, r, s;    ///< of the filters
  int64_t oh, ow;     ///< of the output
  int64_t groups;
  ArrayRef<int64_t> strides, padding, dilations;
};

/// `count` output elements from `output` on, step 1, meet input elements from `input` on, step strides[1], at one
/// filter element.
struct Run {
  int64_t filter, input, output, count;
};

/// The range [first, last) of output positions whose window position `offset` falls inside the image.
std::pair<int64_t, int64_t> inside(int64_t offset, int64_t stride, int64_t extent, int64_t outputs) {
  const int64_t first = offset < 0 ? (-offset + stride - 1) / stride : 0;
  const int64_t last = extent - offset <= 0 ? 0 : (extent - offset + stride - 1) / stride;
  return {first, std::min(last, outputs)};
}

template <typename Visit> void forEachRun(const Geometry &g, Visit visit) {
  const int64_t inputs = g.c / g.groups, outputs = g.k / g.groups;
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t k = 0; k < g.k; ++k)
      for (int64_t c = 0; c < inputs; ++c)
        for (int64_t u = 0; u < g.r; ++u)
          for (int64_t v = 0; v < g.s; ++v) {
            const int64_t dy = u * g.dilations[0] - g.padding[0], dx = v * g.dilations[1] - g.padding[1];
            const auto [top, bottom] = inside(dy, g.strides[0], g.h, g.oh);
            const auto [left, right] = inside(dx, g.strides[1], g.w, g.ow);
            const int64_t inputPlane = (n * g.c + k / outputs * inputs + c) * g.h, outputPlane = (n * g.k + k) * g.oh;
            for (int64_t i = top; i < bottom && left < right; ++i)
              visit(Run{((k * inputs + c) * g.r + u) * g.s + v,
                        (inputPlane + i * g.strides[0] + dy) * g.w + left * g.strides[1] + dx,
                        (outputPlane + i) * g.ow + left, right - left});
          }
}

template <typename Op>
Geometry geometryOf(Op op, ArrayRef<int64_t> input, ArrayRef<int64_t> filter, ArrayRef<int64_t> output) {
  filter = filter.take_back(4);
  const auto groups = static_cast<int64_t>(op.getGroups());
  return {input[0],  input[1],  input[2], input[3],        filter[0],       filter[2],        filter[3],
          output[2], output[3], groups,   op.getStrides(), op.getPadding(), op.getDilations()};
}

/// (C2) Strides and dilations are two positive numbers, padding is four that are not negative, and there is a group.
template <typename Adaptor> void checkWindow(Checker &check, Adaptor op) {
  check.numbers(op.getStrides(), "strides", 2, 1);
  check.numbers(op.getDilations(), "dilations", 2, 1);
  check.numbers(op.getPadding(), "padding", 4, 0);
  check.numbers(op.getGroups(), "groups", 1, 1);
}

/// (C4) The output [n, k, oh, ow] of an image [n, c, h, w] and filters [k, c, r, s].
template <typename Adaptor>
Shape outputShape(Checker &check, Adaptor op, ArrayRef<int64_t> image, ArrayRef<int64_t> filter) {
  const int64_t oh = check.windows(0, image[2], filter[2], op.getStrides()[0], op.getPadding(), op.getDilations()[0]);
  const int64_t ow = check.windows(1, image[3], filter[3], op.getStrides()[1], op.getPadding(), op.getDilations()[1]);
  return {image[0], filter[0], oh, ow};
}

/// (C4) The gradient has the shape of the convolution's output.
template <typename Adaptor>
void checkGradient(Checker &check, Adaptor op, ArrayRef<int64_t> image, ArrayRef<int64_t> filter,
                   ArrayRef<int64_t> gradient) {
  const Shape output = outputShape(check, op, image, filter);
  check.that(agree(output, gradient), "takes a gradient of shape " + describe(output) + ", not " + describe(gradient));
}

} // namespace

//===----------------------------------------------------------------------===//
// conv2d
//===----------------------------------------------------------------------===//

LogicalResult Conv2dOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape input = check.shape(op.getInput(), "an image", {4}),
              filter = check.shape(op.getFilter(), "filters", {4}); // conv2d_c1
  check.sameElementType(op.getOperands());                          // conv2d_c1
  checkWindow(check, op);                                           // conv2d_c2
  if (check.failed())
    return failure();
  const int64_t groups = op.getGroups();
  check.that(agree(input[1], filter[1] * groups), "takes filters over " + Twine(filter[1]) + " channels in " +
                                                      Twine(groups) + " groups to an image of " + Twine(input[1]) +
                                                      " channels"); // conv2d_c3
  check.that(filter[0] % groups == 0,
             "cannot part " + Twine(filter[0]) + " output channels into " + Twine(groups) + " groups"); // conv2d_c3
  return check.infer(types, op.getInput(), outputShape(check, op, input, filter));                      // conv2d_c4
}

void Conv2dOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double *x = operands[0].data.data(), *f = operands[1].data.data();
  double *y = results[0].data.data();
  const int64_t stride = getStrides()[1];
  forEachRun(geometryOf(*this, operands[0].shape, operands[1].shape, results[0].shape), [=](Run run) {
    for (int64_t j = 0; j < run.count; ++j)
      y[run.output + j] += x[run.input + j * stride] * f[run.filter];
  });
}

// dx[p] = sum of dy[q] * f[t] and df[t] = sum of dy[q] * x[p] over the same triples (p, q, t) as y[q] = sum of x[p] *
// f[t].
SmallVector<Value> Conv2dOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  SmallVector<Value> gradients(2);
  ArrayRef<int64_t> image = getInput().getType().getShape(), filter = getFilter().getType().getShape();
  if (wanted[0])
    gradients[0] = Conv2dGradDataOp::create(builder, getLoc(), resultGradients[0], getFilter(), image.take_back(2),
                                            getStrides(), getPadding(), getDilations(), getGroups());
  if (wanted[1])
    gradients[1] = Conv2dGradWeightOp::create(builder, getLoc(), getInput(), resultGradients[0], filter.take_back(2),
                                              /*lane=*/false, getStrides(), getPadding(), getDilations(), getGroups());
  return gradients;
}

//===----------------------------------------------------------------------===//
// conv2d_grad_data
//===----------------------------------------------------------------------===//

LogicalResult Conv2dGradDataOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                 SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape gradient = check.shape(op.getGradient(), "a gradient", {4}); // conv2d_grad_data_c1
  const Shape filter = check.shape(op.getFilter(), "filters", {4});        // conv2d_grad_data_c1
  check.sameElementType(op.getOperands());                                 // conv2d_grad_data_c1
  checkWindow(check, op);                                                  // conv2d_grad_data_c2
  check.numbers(op.getSize(), "size", 2, 1);                               // conv2d_grad_data_c2
  if (check.failed())
    return failure();
  const int64_t groups = op.getGroups();
  check.that(filter[0] % groups == 0,
             "cannot part " + Twine(filter[0]) + " output channels into " + Twine(groups) +
                 " groups"); // conv2d_grad_data_c3
  const Shape image = {gradient[0], filter[1] * groups, op.getSize()[0], op.getSize()[1]};
  checkGradient(check, op, image, filter, gradient); // conv2d_grad_data_c4
  return check.infer(types, op.getGradient(), image);
}

void Conv2dGradDataOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double *dy = operands[0].data.data(), *f = operands[1].data.data();
  double *dx = results[0].data.data();
  const int64_t stride = getStrides()[1];
  forEachRun(geometryOf(*this, results[0].shape, operands[1].shape, operands[0].shape), [=](Run run) {
    for (int64_t j = 0; j < run.count; ++j)
      dx[run.input + j * stride] += dy[run.output + j] * f[run.filter];
  });
}

//===----------------------------------------------------------------------===//
// conv2d_grad_weight
//===----------------------------------------------------------------------===//

LogicalResult Conv2dGradWeightOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                   SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4});         // conv2d_grad_weight_c1
  const Shape gradient = check.shape(op.getGradient(), "a gradient", {4}); // conv2d_grad_weight_c1
  check.sameElementType(op.getOperands());                                 // conv2d_grad_weight_c1
  checkWindow(check, op);                                                  // conv2d_grad_weight_c2
  check.numbers(op.getKernel(), "kernel", 2, 1);                           // conv2d_grad_weight_c2
  if (check.failed())
    return failure();
  const int64_t groups = op.getGroups();
  check.that(image[1] % groups == 0 && gradient[1] % groups == 0,
             "cannot part " + Twine(image[1]) + " and " + Twine(gradient[1]) + " channels into " + Twine(groups) +
                 " groups"); // conv2d_grad_weight_c3
  const Shape filter = {gradient[1], image[1] / groups, op.getKernel()[0], op.getKernel()[1]};
  checkGradient(check, op, image, filter, gradient); // conv2d_grad_weight_c4
  Shape result = filter;
  if (op.getLane())
    result.insert(result.begin(), 1);
  return check.infer(types, op.getInput(), result);
}

void Conv2dGradWeightOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double *x = operands[0].data.data(), *dy = operands[1].data.data();
  double *df = results[0].data.data();
  const int64_t stride = getStrides()[1];
  forEachRun(geometryOf(*this, operands[0].shape, results[0].shape, operands[1].shape), [=](Run run) {
    double sum = 0;
    for (int64_t j = 0; j < run.count; ++j)
      sum += dy[run.output + j] * x[run.input + j * stride];
    df[run.filter] += sum;
  });
}

} // namespace resin::resnet
