//===- PointwiseOps.td - What each element becomes by itself --------------===//

#ifndef RESNET_POINTWISE_OPS
#define RESNET_POINTWISE_OPS

include "ResnetOpBase.td"

def Resnet_ReluOp : Resnet_ValueOp<"relu", "Pointwise", [Differentiable]> {
  let summary = "0 where x is negative, else x";
  let description = [{
    NaN stays NaN.

    * (C1) The activation is `[n, c, h, w]` or `[n, features]`.

    ```mlir
    %y = resnet.relu %x : (tensor<8x64x56x56xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 1;
  let gradientReads = ["input|result"];
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_ReluGradOp : Resnet_ValueOp<"relu_grad", "Pointwise"> {
  let summary = "0 where the activation is 0 or negative, else the gradient";
  let description = [{
    `activation` is relu's result or its input: the mask is the same. Where it is NaN the gradient passes.

    * (C1) Both have one shape, `[n, c, h, w]` or `[n, features]`, and one element type.

    ```mlir
    %dx = resnet.relu_grad %dy, %y : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 1;
  let gradientOf = "relu";
  let arguments = (ins Activation:$gradient, Activation:$activation);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $activation attr-dict `:` functional-type(operands, results)";
}

def Resnet_LeakyReluOp : Resnet_ValueOp<"leaky_relu", "Pointwise", [Differentiable]> {
  let summary = "slope * x where x is negative, else x";
  let description = [{
    NaN stays NaN (Maas, Hannun and Ng 2013).

    * (C1) The activation is `[n, c, h, w]` or `[n, features]`.
    * (C2) `slope` is from 0 to below 1.

    ```mlir
    %y = resnet.leaky_relu %x slope 0.01 : (tensor<8x64x56x56xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 1;
  let gradientReads = ["input|result"];
  let arguments = (ins Activation:$input, F64Attr:$slope);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `slope` $slope attr-dict `:` functional-type(operands, results)";
}

def Resnet_LeakyReluGradOp : Resnet_ValueOp<"leaky_relu_grad", "Pointwise"> {
  let summary = "The gradient where the activation is positive, else slope times that";
  let description = [{
    `activation` is leaky_relu's result or its input: both are positive at once.

    * (C1) Both have one shape, `[n, c, h, w]` or `[n, features]`, and one element type.
    * (C2) `slope` is from 0 to below 1.

    ```mlir
    %dx = resnet.leaky_relu_grad %dy, %y slope 0.01
        : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 1;
  let gradientOf = "leaky_relu";
  let arguments = (ins Activation:$gradient, Activation:$activation, F64Attr:$slope);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $activation `slope` $slope attr-dict `:` functional-type(operands, results)";
}

def Resnet_SiluOp : Resnet_ValueOp<"silu", "Pointwise", [Differentiable]> {
  let summary = "x * sigmoid(x)";
  let description = [{
    `x / (1 + exp(-x))` (Elfwing, Uchibe and Doya 2018; "swish"). NaN stays NaN, and of minus infinity comes NaN.

    * (C1) The activation is `[n, c, h, w]` or `[n, features]`.

    ```mlir
    %y = resnet.silu %x : (tensor<8x64x56x56xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 4;
  let gradientReads = ["input"];
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_SiluGradOp : Resnet_ValueOp<"silu_grad", "Pointwise"> {
  let summary = "Gradient of silu with respect to its input";
  let description = [{
    `gradient * s * (1 + x * (1 - s))` with `s = 1 / (1 + exp(-x))`.

    * (C1) Both have one shape, `[n, c, h, w]` or `[n, features]`, and one element type.

    ```mlir
    %dx = resnet.silu_grad %dy, %x : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 8;
  let gradientOf = "silu";
  let arguments = (ins Activation:$gradient, Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $input attr-dict `:` functional-type(operands, results)";
}

def Resnet_AddOp : Resnet_ValueOp<"add", "Pointwise", [Differentiable, Commutative]> {
  let summary = "The residual join: x + y";
  let description = [{
    * (C1) Both have one shape, `[n, c, h, w]` or `[n, features]`, and one element type.

    ```mlir
    %z = resnet.add %x, %y : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 1;
  let arguments = (ins Activation:$lhs, Activation:$rhs);
  let results = (outs Activation:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def Resnet_AddBiasOp : Resnet_ValueOp<"add_bias", "Pointwise", [Differentiable]> {
  let summary = "x + bias, by channel (rank 4) or by feature (rank 2)";
  let description = [{
    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; the bias is `[c]`, of the same element type.

    ```mlir
    %y = resnet.add_bias %x, %bias : (tensor<8x64x56x56xf32>, tensor<64xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 1;
  let arguments = (ins Activation:$input, ChannelVector:$bias);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $bias attr-dict `:` functional-type(operands, results)";
}

def Resnet_DropoutOp
    : Resnet_ValueOp<"dropout", "Pointwise", [Differentiable,
                                              DeclareOpInterfaceMethods<Resnet_Piece, ["evaluatePiece"]>]> {
  let summary = "Zeroes elements at random in training";
  let description = [{
    Keeps an element with probability `1 - rate`, and divides it by that; multiplies others by zero, so that a NaN stays
    one. The mask is Philox4x32-10 (support/Philox.h) with key `seed` and counter (element / 4, `layer`), elements
    numbered row by row. Its gradient is the same op on the gradient. `specialize` removes it outside training.

    In a fused region `piece_of p` says that the input is one of `p` equal ranges of the batch's images: elements are
    then numbered from the batch's first, so that the mask is the same however the batch is cut.

    * (C1) The activation is `[n, c, h, w]` or `[n, features]`.
    * (C2) The seed is `[2]`.
    * (C3) `rate` is from 0 to below 1.
    * (C4) It is one of at least one piece.

    ```mlir
    %y = resnet.dropout %x, %seed rate 0.5 layer 0 : (tensor<8x512xf32>, tensor<2xi32>) -> tensor<8x512xf32>
    ```
  }];
  let operations = 1;
  let heavy = 1;
  let gradientReads = ["seed"];
  let arguments = (ins Activation:$input, Seed:$seed, F64Attr:$rate, I64Attr:$layer,
                   DefaultValuedAttr<I64Attr, "1">:$piece_of);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $input `,` $seed `rate` $rate `layer` $layer (`piece_of` $piece_of^)? attr-dict `:` functional-type(operands,
    results)
  }];
}

#endif
