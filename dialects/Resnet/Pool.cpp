//===- Pool.cpp - Pools and changes of shape ------------------------------===//
//
// max_pool, avg_pool, global_avg_pool, flatten, subsample, pad_channels, and the
// ops that are their gradients.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Checker.h"

#include <cmath>

using namespace mlir;

namespace resin::resnet {

//===----------------------------------------------------------------------===//
// Windows of max_pool and avg_pool
//===----------------------------------------------------------------------===//

namespace {

/// One window: the output element, and the rows and columns of its plane that it covers, cut off at the image's edge.
struct Window {
  int64_t output, plane, top, bottom, left, right;
  /// Pixels of the whole window that lie inside the padded image.
  int64_t padded;
};

/// Visits the windows of an image [n, c, h, w] that give an output [n, c, oh, ow].
template <typename Op, typename Visit>
void forEachWindow(Op op, ArrayRef<int64_t> image, ArrayRef<int64_t> output, Visit visit) {
  const ArrayRef<int64_t> kernel = op.getKernel(), strides = op.getStrides(), padding = op.getPadding();
  const int64_t h = image[2], w = image[3];
  int64_t element = 0;
  for (int64_t plane = 0; plane < image[0] * image[1]; ++plane)
    for (int64_t i = 0; i < output[2]; ++i)
      for (int64_t j = 0; j < output[3]; ++j) {
        const int64_t top = i * strides[0] - padding[0], left = j * strides[1] - padding[1];
        const int64_t bottom = std::min(top + kernel[0], h + padding[2]),
                      right = std::min(left + kernel[1], w + padding[3]);
        visit(Window{element++, plane * h * w, std::max<int64_t>(top, 0), std::min(bottom, h),
                     std::max<int64_t>(left, 0), std::min(right, w), (bottom - top) * (right - left)});
      }
}

template <typename Visit> void forEachPixel(const Window &window, int64_t width, Visit visit) {
  for (int64_t y = window.top; y < window.bottom; ++y)
    for (int64_t x = window.left; x < window.right; ++x)
      visit(window.plane + y * width + x);
}

/// The first largest pixel, row by row, or the last NaN.
int64_t firstMaximum(const Window &window, const Tensor &image) {
  int64_t best = -1;
  forEachPixel(window, image.dim(3), [&](int64_t pixel) {
    if (best < 0 || image.data[pixel] > image.data[best] || std::isnan(image.data[pixel]))
      best = pixel;
  });
  return best;
}

/// (C2) The window has two extents, two strides, and four paddings, each smaller than the window, so that every window
/// sees a pixel.
template <typename Adaptor> void checkWindow(Checker &check, Adaptor op) {
  check.numbers(op.getKernel(), "kernel", 2, 1);
  check.numbers(op.getStrides(), "strides", 2, 1);
  check.numbers(op.getPadding(), "padding", 4, 0);
  if (check.failed())
    return;
  for (unsigned side = 0; side < 4; ++side)
    check.that(op.getPadding()[side] < op.getKernel()[side % 2], "has padding " + Twine(op.getPadding()[side]) +
                                                                     " that a window of " +
                                                                     Twine(op.getKernel()[side % 2]) + " can hide in");
}

/// (C3) The window fits into the padded image. Gives the output's shape.
template <typename Adaptor> Shape outputShape(Checker &check, Adaptor op, ArrayRef<int64_t> image) {
  const int64_t oh = check.windows(0, image[2], op.getKernel()[0], op.getStrides()[0], op.getPadding(), 1);
  const int64_t ow = check.windows(1, image[3], op.getKernel()[1], op.getStrides()[1], op.getPadding(), 1);
  return {image[0], image[1], oh, ow};
}

template <typename Adaptor>
void checkGradient(Checker &check, Adaptor op, ArrayRef<int64_t> image, ArrayRef<int64_t> gradient) {
  const Shape output = outputShape(check, op, image);
  check.that(agree(output, gradient), "takes a gradient of shape " + describe(output) + ", not " + describe(gradient));
}

} // namespace

//===----------------------------------------------------------------------===//
// max_pool
//===----------------------------------------------------------------------===//

LogicalResult MaxPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4}); // max_pool_c1
  checkWindow(check, op);                                          // max_pool_c2
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), outputShape(check, op, image)); // max_pool_c3
}

void MaxPoolOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  forEachWindow(*this, operands[0].shape, results[0].shape, [&](const Window &window) {
    results[0].data[window.output] = operands[0].data[firstMaximum(window, operands[0])];
  });
}

// dx[p] = sum of dy over the windows whose first maximum is p
SmallVector<Value> MaxPoolOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {MaxPoolGradOp::create(builder, getLoc(), resultGradients[0], getInput(), getKernel(), getStrides(),
                                getPadding())};
}

LogicalResult MaxPoolGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                              SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape gradient = check.shape(op.getGradient(), "a gradient", {4}); // max_pool_grad_c1
  const Shape image = check.shape(op.getInput(), "an image", {4});         // max_pool_grad_c1
  check.sameElementType(op.getOperands());                                 // max_pool_grad_c1
  checkWindow(check, op);                                                  // max_pool_grad_c2
  if (check.failed())
    return failure();
  checkGradient(check, op, image, gradient); // max_pool_grad_c3
  return check.infer(types, op.getInput(), image);
}

void MaxPoolGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  forEachWindow(*this, operands[1].shape, operands[0].shape, [&](const Window &window) {
    results[0].data[firstMaximum(window, operands[1])] += operands[0].data[window.output];
  });
}

//===----------------------------------------------------------------------===//
// avg_pool
//===----------------------------------------------------------------------===//

LogicalResult AvgPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4}); // avg_pool_c1
  checkWindow(check, op);                                          // avg_pool_c2
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), outputShape(check, op, image)); // avg_pool_c3
}

static double divisor(const Window &window, bool countPadding) {
  return countPadding ? window.padded : (window.bottom - window.top) * (window.right - window.left);
}

void AvgPoolOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  forEachWindow(*this, operands[0].shape, results[0].shape, [&](const Window &window) {
    double sum = 0;
    forEachPixel(window, operands[0].dim(3), [&](int64_t pixel) { sum += operands[0].data[pixel]; });
    results[0].data[window.output] = sum / divisor(window, getCountIncludePad());
  });
}

// dx[p] = sum of dy / divisor over the windows that hold p
SmallVector<Value> AvgPoolOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {AvgPoolGradOp::create(builder, getLoc(), resultGradients[0], getInput().getType().getShape().take_back(2),
                                getCountIncludePad(), getKernel(), getStrides(), getPadding())};
}

LogicalResult AvgPoolGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                              SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape gradient = check.shape(op.getGradient(), "a gradient", {4}); // avg_pool_grad_c1
  checkWindow(check, op);                                                  // avg_pool_grad_c2
  check.numbers(op.getSize(), "size", 2, 1);                               // avg_pool_grad_c2
  if (check.failed())
    return failure();
  const Shape image = {gradient[0], gradient[1], op.getSize()[0], op.getSize()[1]};
  checkGradient(check, op, image, gradient); // avg_pool_grad_c3
  return check.infer(types, op.getGradient(), image);
}

void AvgPoolGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  forEachWindow(*this, results[0].shape, operands[0].shape, [&](const Window &window) {
    const double share = operands[0].data[window.output] / divisor(window, getCountIncludePad());
    forEachPixel(window, results[0].dim(3), [&](int64_t pixel) { results[0].data[pixel] += share; });
  });
}

//===----------------------------------------------------------------------===//
// global_avg_pool
//===----------------------------------------------------------------------===//

LogicalResult GlobalAvgPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4}); // global_avg_pool_c1
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), Shape{image[0], image[1]});
}

void GlobalAvgPoolOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const int64_t pixels = operands[0].dim(2) * operands[0].dim(3);
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i / pixels] += operands[0].data[i] / pixels;
}

// dx[n, c, i, j] = dy[n, c] / (h * w)
SmallVector<Value> GlobalAvgPoolOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {
      GlobalAvgPoolGradOp::create(builder, getLoc(), resultGradients[0], getInput().getType().getShape().take_back(2))};
}

LogicalResult GlobalAvgPoolGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                    SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape gradient = check.shape(op.getGradient(), "a gradient", {2}); // global_avg_pool_grad_c1
  check.numbers(op.getSize(), "size", 2, 1);                               // global_avg_pool_grad_c2
  if (check.failed())
    return failure();
  return check.infer(types, op.getGradient(), Shape{gradient[0], gradient[1], op.getSize()[0], op.getSize()[1]});
}

void GlobalAvgPoolGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const int64_t pixels = results[0].dim(2) * results[0].dim(3);
  for (int64_t i = 0; i < results[0].size(); ++i)
    results[0].data[i] = operands[0].data[i / pixels] / pixels;
}

//===----------------------------------------------------------------------===//
// flatten
//===----------------------------------------------------------------------===//

LogicalResult FlattenOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4}); // flatten_c1
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), Shape{image[0], product(ArrayRef(image).drop_front())});
}

void FlattenOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  results[0].data = operands[0].data;
}

// dx = dy in x's shape
SmallVector<Value> FlattenOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {UnflattenOp::create(builder, getLoc(), resultGradients[0], getInput().getType().getShape().drop_front())};
}

LogicalResult UnflattenOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape input = check.shape(op.getInput(), "a matrix", {2}); // unflatten_c1
  check.numbers(op.getSize(), "size", 3, 1);                       // unflatten_c2
  if (check.failed())
    return failure();
  check.that(agree(input[1], product(op.getSize())),
             "cannot part " + Twine(input[1]) + " features into " + describe(op.getSize())); // unflatten_c2
  return check.infer(types, op.getInput(), Shape{input[0], op.getSize()[0], op.getSize()[1], op.getSize()[2]});
}

void UnflattenOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  results[0].data = operands[0].data;
}

//===----------------------------------------------------------------------===//
// subsample
//===----------------------------------------------------------------------===//

static int64_t ceilDivide(int64_t extent, int64_t stride) {
  return ShapedType::isDynamic(extent) ? extent : (extent + stride - 1) / stride;
}

LogicalResult SubsampleOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4}); // subsample_c1
  check.numbers(op.getStride(), "stride", 1, 1);                   // subsample_c2
  if (check.failed())
    return failure();
  const int64_t stride = op.getStride();
  return check.infer(types, op.getInput(),
                     Shape{image[0], image[1], ceilDivide(image[2], stride), ceilDivide(image[3], stride)});
}

/// Calls `visit(pixel of the image, pixel of the sample)`.
template <typename Visit>
static void forEachSample(ArrayRef<int64_t> image, ArrayRef<int64_t> sample, int64_t stride, Visit visit) {
  int64_t element = 0;
  for (int64_t plane = 0; plane < sample[0] * sample[1]; ++plane)
    for (int64_t i = 0; i < sample[2]; ++i)
      for (int64_t j = 0; j < sample[3]; ++j)
        visit((plane * image[2] + i * stride) * image[3] + j * stride, element++);
}

void SubsampleOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  forEachSample(operands[0].shape, results[0].shape, getStride(),
                [&](int64_t pixel, int64_t sample) { results[0].data[sample] = operands[0].data[pixel]; });
}

// dx[stride*i, stride*j] = dy[i, j], and zero elsewhere
SmallVector<Value> SubsampleOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {SubsampleGradOp::create(builder, getLoc(), resultGradients[0], getStride(),
                                  getInput().getType().getShape().take_back(2))};
}

LogicalResult SubsampleGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape gradient = check.shape(op.getGradient(), "a gradient", {4}); // subsample_grad_c1
  check.numbers(op.getStride(), "stride", 1, 1);                           // subsample_grad_c2
  check.numbers(op.getSize(), "size", 2, 1);                               // subsample_grad_c2
  if (check.failed())
    return failure();
  const int64_t stride = op.getStride(), h = op.getSize()[0], w = op.getSize()[1];
  const Shape sample = {gradient[0], gradient[1], ceilDivide(h, stride), ceilDivide(w, stride)};
  check.that(agree(sample, gradient),
             "takes a gradient of shape " + describe(sample) + ", not " + describe(gradient)); // subsample_grad_c3
  return check.infer(types, op.getGradient(), Shape{gradient[0], gradient[1], h, w});
}

void SubsampleGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  forEachSample(results[0].shape, operands[0].shape, getStride(),
                [&](int64_t pixel, int64_t sample) { results[0].data[pixel] = operands[0].data[sample]; });
}

//===----------------------------------------------------------------------===//
// pad_channels and take_channels
//===----------------------------------------------------------------------===//

/// Copies the channels that both have.
static void copyChannels(const Tensor &from, Tensor &to) {
  const int64_t pixels = from.dim(2) * from.dim(3), common = std::min(from.dim(1), to.dim(1)) * pixels;
  for (int64_t n = 0; n < from.dim(0); ++n)
    std::copy_n(from.data.begin() + n * from.dim(1) * pixels, common, to.data.begin() + n * to.dim(1) * pixels);
}

LogicalResult PadChannelsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                              SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4}); // pad_channels_c1
  check.numbers(op.getChannels(), "channels", 1, 1);               // pad_channels_c2
  if (check.failed())
    return failure();
  const int64_t channels = op.getChannels();
  check.that(channels >= image[1],
             "cannot pad " + Twine(image[1]) + " channels to " + Twine(channels)); // pad_channels_c2
  return check.infer(types, op.getInput(), Shape{image[0], channels, image[2], image[3]});
}

void PadChannelsOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  copyChannels(operands[0], results[0]);
}

// dx = the first channels of dy
SmallVector<Value> PadChannelsOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {TakeChannelsOp::create(builder, getLoc(), resultGradients[0], getInput().getType().getDimSize(1))};
}

LogicalResult TakeChannelsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                               SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape image = check.shape(op.getInput(), "an image", {4}); // take_channels_c1
  check.numbers(op.getChannels(), "channels", 1, 1);               // take_channels_c2
  if (check.failed())
    return failure();
  const int64_t channels = op.getChannels();
  check.that(channels <= image[1],
             "cannot take " + Twine(channels) + " of " + Twine(image[1]) + " channels"); // take_channels_c2
  return check.infer(types, op.getInput(), Shape{image[0], channels, image[2], image[3]});
}

void TakeChannelsOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  copyChannels(operands[0], results[0]);
}

} // namespace resin::resnet
