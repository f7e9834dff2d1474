//===- ConvOps.td - Convolution and its gradients -------------------------===//

#ifndef RESNET_CONV_OPS
#define RESNET_CONV_OPS

include "ResnetOpBase.td"

class Resnet_ConvOp<string mnemonic, list<Trait> traits = []> : Resnet_ValueOp<mnemonic, "Anchor", traits>;
// padding = [top, left, bottom, right]
defvar ConvWindow = (ins DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilations,
                     I64Attr:$groups);

def Resnet_Conv2dOp : Resnet_ConvOp<"conv2d", [Differentiable]> {
  let summary = "Cross-correlation of images with filters";
  let description = [{
    With `C` the channels that one filter sees and `g = k / (K / groups)` the group of output channel `k`,

        y[n, k, i, j] = sum over c, u, v of x[n, g*C + c, i*strides[0] + u*dilations[0] - top,
                                              j*strides[1] + v*dilations[1] - left] * f[k, c, u, v]

    where `x` is zero outside the image and `padding = [top, left, bottom, right]`.

    A NaN or an infinity in `x` or `f` counts as in this sum. But kernels multiply zeros as well, and zero times NaN or
    infinity is NaN: those outside the image, so that a filter that is not finite may make NaN of pixels at the border;
    and those between groups that share a block of 16 channels, so that what is not finite in one of them may make NaN
    of all. Winograd's method makes NaN of the whole tile (4x4 or 2x2 pixels of the result) that meets a NaN or an
    infinity. The gradients likewise.

    * (C1) The image is `[n, c, h, w]`, the filters are `[k, c/groups, r, s]`, of one element type.
    * (C2) `strides` and `dilations` are two numbers from 1 on, `padding` four from 0 on, `groups` one from 1 on; none
      is above 2^20.
    * (C3) `groups` divides `k`, and `c` is `groups` times what a filter sees.
    * (C4) The dilated filter fits into the padded image.

    ```mlir
    %y = resnet.conv2d %x, %f strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1
        : (tensor<8x64x56x56xf32>, tensor<128x64x3x3xf32>) -> tensor<8x128x28x28xf32>
    ```
  }];
  let product = "Output";
  let convolution = 1;
  let gradientReads = ["input", "filter"];
  let arguments = !con((ins Activation:$input, Filter:$filter), ConvWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $input `,` $filter `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups attr-dict `:`
    functional-type(operands, results)
  }];
}

def Resnet_Conv2dGradDataOp : Resnet_ConvOp<"conv2d_grad_data"> {
  let summary = "Gradient of a convolution with respect to its input";
  let description = [{
    `x[p] += dy[q] * f[t]` for each triple with `y[q] += x[p] * f[t]` in `conv2d`. `size = [h, w]` is the input's: with
    strides several inputs give one output size.

    * (C1) The gradient is `[n, k, oh, ow]`, the filters are `[k, c/groups, r, s]`, of one element type.
    * (C2) `strides` and `dilations` are two numbers from 1 on, `padding` four from 0 on, `groups` one from 1 on; none
      is above 2^20; `size` is two numbers from 1 on.
    * (C3) `groups` divides `k`.
    * (C4) The gradient has the shape of the convolution's output.

    ```mlir
    %dx = resnet.conv2d_grad_data %dy, %f size [56, 56] strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1
        : (tensor<8x128x28x28xf32>, tensor<128x64x3x3xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let product = "Image";
  let convolution = 1;
  let gradientOf = "conv2d";
  let arguments = !con((ins Activation:$gradient, Filter:$filter, DenseI64ArrayAttr:$size), ConvWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $gradient `,` $filter `size` $size `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups
    attr-dict `:` functional-type(operands, results)
  }];
}

def Resnet_Conv2dGradWeightOp : Resnet_ConvOp<"conv2d_grad_weight"> {
  let summary = "Gradient of a convolution with respect to its filters, summed over the images";
  let description = [{
    `f[t] += dy[q] * x[p]` for each triple with `y[q] += x[p] * f[t]` in `conv2d`. `kernel = [r, s]`. With `lane` the
    result has a leading dimension of one, along which the lanes of a fused op are put together; `batch_sum` then adds
    the lanes.

    * (C1) The image is `[n, c, h, w]`, the gradient `[n, k, oh, ow]`, of one element type.
    * (C2) `strides` and `dilations` are two numbers from 1 on, `padding` four from 0 on, `groups` one from 1 on; none
      is above 2^20; `kernel` is two numbers from 1 on.
    * (C3) `groups` divides `c` and `k`.
    * (C4) The gradient has the shape of the convolution's output.

    ```mlir
    %df = resnet.conv2d_grad_weight %x, %dy kernel [3, 3] strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1
        : (tensor<8x64x56x56xf32>, tensor<8x128x28x28xf32>) -> tensor<128x64x3x3xf32>
    ```
  }];
  let product = "Filter";
  let convolution = 1;
  let gradientOf = "conv2d";
  let joinable = 0; // it is summed over lanes
  let arguments = !con((ins Activation:$input, Activation:$gradient, DenseI64ArrayAttr:$kernel, UnitAttr:$lane),
                       ConvWindow);
  let results = (outs Filter:$result);
  let assemblyFormat = [{
    $input `,` $gradient `kernel` $kernel `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups
    (`lane` $lane^)? attr-dict `:` functional-type(operands, results)
  }];
}

#endif
