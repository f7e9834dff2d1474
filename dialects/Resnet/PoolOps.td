//===- PoolOps.td - Pools -------------------------------------------------===//

#ifndef RESNET_POOL_OPS
#define RESNET_POOL_OPS

include "ResnetOpBase.td"

class Resnet_PoolOp<string mnemonic, list<Trait> traits = []> : Resnet_ValueOp<mnemonic, "Anchor", traits> {
  let operations = 1;
  let expression = 1;
  let heavy = 1;
}
// padding = [top, left, bottom, right]
defvar PoolWindow = (ins DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$padding);

def Resnet_MaxPoolOp : Resnet_PoolOp<"max_pool", [Differentiable]> {
  let summary = "Maximum over sliding windows of each channel";
  let description = [{
    `y[n, c, i, j]` is the largest `x[n, c, i*strides[0] + u - top, j*strides[1] + v - left]` over the window; padding
    never wins, a NaN always.

    * (C1) The image is `[n, c, h, w]`.
    * (C2) `kernel` and `strides` are two numbers from 1 on; `padding = [top, left, bottom, right]` is from 0 to below
      the kernel, so that every window sees a pixel.
    * (C3) The kernel fits into the padded image.

    ```mlir
    %y = resnet.max_pool %x kernel [3, 3] strides [2, 2] padding [1, 1, 1, 1]
        : (tensor<8x64x112x112xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let gradientReads = ["input"];
  let arguments = !con((ins Activation:$input), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel `strides` $strides `padding` $padding attr-dict `:` functional-type(operands, results)
  }];
}

def Resnet_MaxPoolGradOp : Resnet_PoolOp<"max_pool_grad"> {
  let summary = "Sends each window's gradient to its first maximum";
  let description = [{
    The first maximum of a window is the one with the least row, then the least column; of a window with NaNs it is the
    last of them.

    * (C1) The gradient is `[n, c, oh, ow]`, the image `[n, c, h, w]`, of one element type.
    * (C2) `kernel` and `strides` are two numbers from 1 on; `padding = [top, left, bottom, right]` is from 0 to below
      the kernel, so that every window sees a pixel.
    * (C3) The gradient has the shape of the pool's output.

    ```mlir
    %dx = resnet.max_pool_grad %dy, %x kernel [3, 3] strides [2, 2] padding [1, 1, 1, 1]
        : (tensor<8x64x56x56xf32>, tensor<8x64x112x112xf32>) -> tensor<8x64x112x112xf32>
    ```
  }];
  let gradientOf = "max_pool";
  let arguments = !con((ins Activation:$gradient, Activation:$input), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $gradient `,` $input `kernel` $kernel `strides` $strides `padding` $padding attr-dict `:` functional-type(operands,
    results)
  }];
}

def Resnet_AvgPoolOp : Resnet_PoolOp<"avg_pool", [Differentiable]> {
  let summary = "Mean over sliding windows of each channel";
  let description = [{
    With `count_include_pad` the padding counts in the divisor (PyTorch's default), without it does not (Keras).

    * (C1) The image is `[n, c, h, w]`.
    * (C2) `kernel` and `strides` are two numbers from 1 on; `padding = [top, left, bottom, right]` is from 0 to below
      the kernel, so that every window sees a pixel.
    * (C3) The kernel fits into the padded image.

    ```mlir
    %y = resnet.avg_pool %x kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] count_include_pad true
        : (tensor<8x64x112x112xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let arguments = !con((ins Activation:$input, BoolAttr:$count_include_pad), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel `strides` $strides `padding` $padding `count_include_pad` $count_include_pad attr-dict `:`
    functional-type(operands, results)
  }];
}

def Resnet_AvgPoolGradOp : Resnet_PoolOp<"avg_pool_grad"> {
  let summary = "Spreads each window's gradient evenly";
  let description = [{
    `size = [h, w]` is the image's.

    * (C1) The gradient is `[n, c, oh, ow]`.
    * (C2) `kernel` and `strides` are two numbers from 1 on; `padding = [top, left, bottom, right]` is from 0 to below
      the kernel, so that every window sees a pixel; `size` is two numbers from 1 on.
    * (C3) The gradient has the shape of the pool's output.

    ```mlir
    %dx = resnet.avg_pool_grad %dy size [112, 112] kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] count_include_pad
        true
        : (tensor<8x64x56x56xf32>) -> tensor<8x64x112x112xf32>
    ```
  }];
  let gradientOf = "avg_pool";
  let arguments = !con((ins Activation:$gradient, DenseI64ArrayAttr:$size, BoolAttr:$count_include_pad), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $gradient `size` $size `kernel` $kernel `strides` $strides `padding` $padding `count_include_pad` $count_include_pad
    attr-dict `:` functional-type(operands, results)
  }];
}

def Resnet_GlobalAvgPoolOp : Resnet_ValueOp<"global_avg_pool", "Anchor", [Differentiable]> {
  let summary = "Mean of each channel: [n, c, h, w] -> [n, c]";
  let description = [{
    * (C1) The image is `[n, c, h, w]`.

    ```mlir
    %y = resnet.global_avg_pool %x : (tensor<8x512x7x7xf32>) -> tensor<8x512xf32>
    ```
  }];
  let operations = 1;
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_GlobalAvgPoolGradOp : Resnet_ValueOp<"global_avg_pool_grad", "Anchor"> {
  let summary = "Spreads a channel's gradient over its pixels";
  let description = [{
    * (C1) The gradient is `[n, c]`.
    * (C2) `size = [h, w]` is two numbers from 1 on.

    ```mlir
    %dx = resnet.global_avg_pool_grad %dy size [7, 7] : (tensor<8x512xf32>) -> tensor<8x512x7x7xf32>
    ```
  }];
  let expression = 1;
  let gradientOf = "global_avg_pool";
  let arguments = (ins Activation:$gradient, DenseI64ArrayAttr:$size);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `size` $size attr-dict `:` functional-type(operands, results)";
}

#endif
