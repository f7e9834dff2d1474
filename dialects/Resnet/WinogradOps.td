//===- WinogradOps.td - Convolution by Winograd's method ------------------===//

#ifndef RESNET_WINOGRAD_OPS
#define RESNET_WINOGRAD_OPS

include "ResnetOpBase.td"

def Resnet_WinogradFilterOp : Resnet_ValueOp<"winograd_filter", "Alone"> {
  let summary = "3x3 filters at the points of Winograd's F(tile x tile, 3x3)";
  let description = [{
    With `p = tile + 2` points each way, `u[k, i, j, c] = sum over r, s of G[i, r] * f[k, c, r, s] * G[j, s]`: what
    `conv2d_winograd` reads. Channels stand last, as they are summed over at each point. The points are 0, 5/8, -5/8,
    3/2, -3/2 and infinity for a tile of 4; 0, 1, -1 and infinity for 2 (dialects/Resnet/Winograd.cpp).

    * (C1) The filters are `[k, c, 3, 3]`; `tile` is 2 or 4.

    ```mlir
    %u = resnet.winograd_filter %f tile 4 : (tensor<64x32x3x3xf32>) -> tensor<64x6x6x32xf32>
    ```
  }];
  let operations = 6;
  let arguments = (ins Filter:$filter, I64Attr:$tile);
  let results = (outs Filter:$result);
  let assemblyFormat = "$filter `tile` $tile attr-dict `:` functional-type(operands, results)";
}

def Resnet_Conv2dWinogradOp : Resnet_ValueOp<"conv2d_winograd", "Anchor"> {
  let summary = "A 3x3 convolution of stride 1 with filters at Winograd's points";
  let description = [{
    Cuts the image into tiles of `p x p` pixels that overlap by two, `p` being the filters' points each way, and gives
    `p - 2` results each way for each:

        y = A^T [sum over c of u[k, :, :, c] . (B^T x[c] B)] A

    with `.` element by element. `conv2d_winograd(x, winograd_filter(f))` is `conv2d(x, f)` but for rounding (Lavin and
    Gray, "Fast algorithms for convolutional neural networks", 2015). `padding = [top, left, bottom, right]`.

    * (C1) The image is `[n, c, h, w]`, the filters are `[k, p, p, c]`, of one element type; `p` is 4 or 6.
    * (C2) `padding` is four numbers from 0 on, none above 2^20.
    * (C3) The padded image has three rows and columns at least.

    ```mlir
    %y = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1]
        : (tensor<1x32x56x56xf32>, tensor<64x6x6x32xf32>) -> tensor<1x64x56x56xf32>
    ```
  }];
  let product = "Output";
  let convolution = 1;
  let arguments = (ins Activation:$input, Filter:$filter, DenseI64ArrayAttr:$padding);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $filter `padding` $padding attr-dict `:` functional-type(operands, results)";
}

#endif
