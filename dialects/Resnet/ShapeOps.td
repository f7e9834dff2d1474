//===- ShapeOps.td - What moves elements and computes nothing -------------===//

#ifndef RESNET_SHAPE_OPS
#define RESNET_SHAPE_OPS

include "ResnetOpBase.td"

def Resnet_FlattenOp : Resnet_ValueOp<"flatten", "View", [Differentiable]> {
  let summary = "[n, c, h, w] -> [n, c*h*w], row-major";
  let description = [{
    * (C1) The image is `[n, c, h, w]`.

    ```mlir
    %y = resnet.flatten %x : (tensor<8x512x7x7xf32>) -> tensor<8x25088xf32>
    ```
  }];
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_UnflattenOp : Resnet_ValueOp<"unflatten", "View"> {
  let summary = "[n, c*h*w] -> [n, c, h, w]: flatten's inverse and gradient";
  let description = [{
    * (C1) The input is `[n, features]`.
    * (C2) `size = [c, h, w]` is three numbers from 1 on, and their product is `features`.

    ```mlir
    %x = resnet.unflatten %y size [512, 7, 7] : (tensor<8x25088xf32>) -> tensor<8x512x7x7xf32>
    ```
  }];
  let gradientOf = "flatten";
  let arguments = (ins Activation:$input, DenseI64ArrayAttr:$size); // [c, h, w]
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `size` $size attr-dict `:` functional-type(operands, results)";
}

def Resnet_SubsampleOp : Resnet_ValueOp<"subsample", "View", [Differentiable]> {
  let summary = "Every stride-th row and column";
  let description = [{
    `y[n, c, i, j] = x[n, c, i*stride, j*stride]`. With `pad_channels`, the parameter-free shortcut of He et al. 2015,
    option A.

    * (C1) The image is `[n, c, h, w]`.
    * (C2) `stride` is from 1 on.

    ```mlir
    %y = resnet.subsample %x stride 2 : (tensor<8x64x56x56xf32>) -> tensor<8x64x28x28xf32>
    ```
  }];
  let arguments = (ins Activation:$input, I64Attr:$stride);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `stride` $stride attr-dict `:` functional-type(operands, results)";
}

def Resnet_SubsampleGradOp : Resnet_ValueOp<"subsample_grad", "View"> {
  let summary = "Every stride-th row and column gets the gradient, the others zero";
  let description = [{
    `size = [h, w]` is the image's.

    * (C1) The gradient is `[n, c, oh, ow]`.
    * (C2) `stride` is from 1 on, `size` two numbers from 1 on.
    * (C3) `oh = ceil(h / stride)` and `ow = ceil(w / stride)`.

    ```mlir
    %dx = resnet.subsample_grad %dy stride 2 size [56, 56] : (tensor<8x64x28x28xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let gradientOf = "subsample";
  let arguments = (ins Activation:$gradient, I64Attr:$stride, DenseI64ArrayAttr:$size);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `stride` $stride `size` $size attr-dict `:` functional-type(operands, results)";
}

def Resnet_PadChannelsOp : Resnet_ValueOp<"pad_channels", "View", [Differentiable]> {
  let summary = "Appends channels of zeros";
  let description = [{
    `channels` is the result's.

    * (C1) The image is `[n, c, h, w]`.
    * (C2) `channels` is at least `c`.

    ```mlir
    %y = resnet.pad_channels %x channels 128 : (tensor<8x64x28x28xf32>) -> tensor<8x128x28x28xf32>
    ```
  }];
  let arguments = (ins Activation:$input, I64Attr:$channels); // of the result
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `channels` $channels attr-dict `:` functional-type(operands, results)";
}

def Resnet_TakeChannelsOp : Resnet_ValueOp<"take_channels", "View"> {
  let summary = "The first channels: pad_channels' gradient";
  let description = [{
    * (C1) The image is `[n, c, h, w]`.
    * (C2) `channels` is from 1 to `c`.

    ```mlir
    %dx = resnet.take_channels %dy channels 64 : (tensor<8x128x28x28xf32>) -> tensor<8x64x28x28xf32>
    ```
  }];
  let gradientOf = "pad_channels";
  let arguments = (ins Activation:$input, I64Attr:$channels);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `channels` $channels attr-dict `:` functional-type(operands, results)";
}

#endif
