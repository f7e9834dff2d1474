//===- DenseOps.td - Linear layers and sums over the batch ----------------===//

#ifndef RESNET_DENSE_OPS
#define RESNET_DENSE_OPS

include "ResnetOpBase.td"

def Resnet_LinearOp : Resnet_ValueOp<"linear", "Anchor", [Differentiable]> {
  let summary = "x * transpose(weight): [n, in] x [out, in] -> [n, out]";
  let description = [{
    * (C1) Both are matrices of one element type, and their inner extents agree.

    ```mlir
    %y = resnet.linear %x, %w : (tensor<8x512xf32>, tensor<1000x512xf32>) -> tensor<8x1000xf32>
    ```
  }];
  let product = "Output";
  let gradientReads = ["input", "weight"];
  let arguments = (ins Activation:$input, Filter:$weight);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $weight attr-dict `:` functional-type(operands, results)";
}

def Resnet_LinearGradDataOp : Resnet_ValueOp<"linear_grad_data", "Anchor"> {
  let summary = "gradient * weight: [n, out] x [out, in] -> [n, in]";
  let description = [{
    * (C1) Both are matrices of one element type, and their inner extents agree.

    ```mlir
    %dx = resnet.linear_grad_data %dy, %w : (tensor<8x1000xf32>, tensor<1000x512xf32>) -> tensor<8x512xf32>
    ```
  }];
  let product = "Image";
  let gradientOf = "linear";
  let arguments = (ins Activation:$gradient, Filter:$weight);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $weight attr-dict `:` functional-type(operands, results)";
}

def Resnet_LinearGradWeightOp : Resnet_ValueOp<"linear_grad_weight", "Anchor"> {
  let summary = "transpose(gradient) * input: [out, in]";
  let description = [{
    * (C1) Both are matrices of one element type, and their inner extents agree.

    ```mlir
    %dw = resnet.linear_grad_weight %dy, %x : (tensor<8x1000xf32>, tensor<8x512xf32>) -> tensor<1000x512xf32>
    ```
  }];
  let product = "Filter";
  let gradientOf = "linear";
  let joinable = 0;
  let arguments = (ins Activation:$gradient, Activation:$input);
  let results = (outs Filter:$result);
  let assemblyFormat = "$gradient `,` $input attr-dict `:` functional-type(operands, results)";
}

def Resnet_BatchSumOp : Resnet_ValueOp<"batch_sum", "Alone"> {
  let summary = "Sum over the leading dimension: a bias's gradient, and the end of partial sums";
  let description = [{
    * (C1) The tensor has rank 1 to 5.

    ```mlir
    %db = resnet.batch_sum %dy : (tensor<8x1000xf32>) -> tensor<1000xf32>
    ```
  }];
  let operations = 1;
  let arguments = (ins Floats:$input);
  let results = (outs Floats:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

#endif
