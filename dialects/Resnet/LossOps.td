//===- LossOps.td - Softmax, losses and ranks -----------------------------===//

#ifndef RESNET_LOSS_OPS
#define RESNET_LOSS_OPS

include "ResnetOpBase.td"

def Resnet_SoftmaxOp : Resnet_ValueOp<"softmax", "Alone", [Differentiable]> {
  let summary = "exp(x - max) / sum, over classes";
  let description = [{
    A row with a NaN or with +inf is NaN.

    * (C1) The input is `[n, classes]`.

    ```mlir
    %s = resnet.softmax %x : (tensor<8x1000xf32>) -> tensor<8x1000xf32>
    ```
  }];
  let operations = 5;
  let gradientReads = ["result"];
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_SoftmaxGradOp : Resnet_ValueOp<"softmax_grad", "Alone"> {
  let summary = "s * (g - sum(g * s))";
  let description = [{
    * (C1) Both are `[n, classes]`, of one element type.

    ```mlir
    %dx = resnet.softmax_grad %ds, %s : (tensor<8x1000xf32>, tensor<8x1000xf32>) -> tensor<8x1000xf32>
    ```
  }];
  let operations = 4;
  let gradientOf = "softmax";
  let arguments = (ins Activation:$gradient, Activation:$softmax);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $softmax attr-dict `:` functional-type(operands, results)";
}

def Resnet_CrossEntropyOp : Resnet_ValueOp<"cross_entropy", "Alone"> {
  let summary = "Softmax cross entropy of each image against its label, with label smoothing";
  let description = [{
    Of image `n`, in nats: `-sum over c of q[c] * log p[c]` with `p = softmax(logits)` and `q = (1 - s) * onehot(label)
    + s / classes`; 0 where the label is -1, padding (or otherwise outside the classes). A class with `q[c] = 0` counts
    for nothing, even if its `p` is 0.

    * (C1) The logits are `[n, classes]`, the labels `[n]`.
    * (C2) `label_smoothing` is from 0 to 1.

    ```mlir
    %loss = resnet.cross_entropy %x, %label label_smoothing 0.1 : (tensor<8x1000xf32>, tensor<8xi32>) -> tensor<8xf32>
    ```
  }];
  let operations = 8;
  let gradientReads = ["logits", "labels"];
  let arguments = (ins Activation:$logits, Labels:$labels, F64Attr:$label_smoothing);
  let results = (outs Floats:$result); // [n]
  let assemblyFormat = [{
    $logits `,` $labels `label_smoothing` $label_smoothing attr-dict `:` functional-type(operands, results)
  }];
}

def Resnet_CrossEntropyGradOp : Resnet_ValueOp<"cross_entropy_grad", "Alone"> {
  let summary = "Gradient of the mean cross entropy with respect to the logits";
  let description = [{
    `(p - q) * factor`, and 0 where the label is padding; `factor` is 1 / batch for the mean loss.

    * (C1) The logits are `[n, classes]`, the labels `[n]`.
    * (C2) `label_smoothing` is from 0 to 1.

    ```mlir
    %dx = resnet.cross_entropy_grad %x, %label label_smoothing 0.1 factor 0.125
        : (tensor<8x1000xf32>, tensor<8xi32>) -> tensor<8x1000xf32>
    ```
  }];
  let operations = 8;
  let gradientOf = "cross_entropy";
  let arguments = (ins Activation:$logits, Labels:$labels, F64Attr:$label_smoothing, F64Attr:$factor);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $logits `,` $labels `label_smoothing` $label_smoothing `factor` $factor attr-dict `:` functional-type(operands,
    results)
  }];
}

def Resnet_LabelRankOp : Resnet_ValueOp<"label_rank", "Alone"> {
  let summary = "How many classes stand before the label's: 0 is a top-1 hit";
  let description = [{
    An equal logit of a lower class counts too; padding's rank is the number of classes. A NaN stands before every
    number, and before the label's NaN stand all classes: a label whose logit is NaN, or beside a NaN, is never a top-1
    hit.

    * (C1) The logits are `[n, classes]`, the labels `[n]`.

    ```mlir
    %rank = resnet.label_rank %x, %label : (tensor<8x1000xf32>, tensor<8xi32>) -> tensor<8xi32>
    ```
  }];
  let arguments = (ins Activation:$logits, Labels:$labels);
  let results = (outs Labels:$result); // [n]
  let assemblyFormat = "$logits `,` $labels attr-dict `:` functional-type(operands, results)";
}

#endif
