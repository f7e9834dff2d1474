//===- NormOps.td - Batch norm, whole, in parts and folded ----------------===//

#ifndef RESNET_NORM_OPS
#define RESNET_NORM_OPS

include "ResnetOpBase.td"

def Resnet_BatchNormOp
    : Resnet_Op<"batch_norm", [Resnet_InferredTypes, InferTypeOpAdaptor, MemoryEffects<[MemRead, MemWrite]>,
                                                  DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Normalises each channel: the form before training and inference part";
  let description = [{
    What the model says; which statistics it uses depends on the function it ends up in. `specialize` turns it into
    `batch_norm_train` and running averages in `@train_step`, and into `batch_norm_inference` in `@evaluate` and
    `@predict`. The interpreter takes it as inference. `momentum` is the new value's weight.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; scale and offset are `[c]`, of the same element type.
    * (C2) `epsilon` is positive.
    * (C3) `running_mean` and `running_variance` name variables `[c]`.
  }];
  let arguments = (ins Activation:$input, ChannelVector:$scale, ChannelVector:$offset, FlatSymbolRefAttr:$running_mean,
                   FlatSymbolRefAttr:$running_variance, F64Attr:$epsilon, F64Attr:$momentum);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $input `,` $scale `,` $offset `running` $running_mean $running_variance `epsilon` $epsilon `momentum` $momentum
    attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    static bool isCompatibleReturnTypes(::mlir::TypeRange lhs, ::mlir::TypeRange rhs) {
      return ::resin::resnet::sameUpToLayout(lhs, rhs);
    }
  }];
}

def Resnet_BatchNormTrainOp : Resnet_ValueOp<"batch_norm_train", "Alone", [Differentiable]> {
  let summary = "Normalises by the batch's own mean and biased variance";
  let description = [{
    `z = (y - mean) / sqrt(variance + epsilon) * scale + offset` with the mean and the biased variance of each channel
    over the batch and all pixels (Ioffe and Szegedy 2015). Mean and variance go to the running averages; no gradient
    comes from there.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; scale and offset are `[c]`, of the same element type.
    * (C2) `epsilon` is positive.

    ```mlir
    %z, %mean, %variance = resnet.batch_norm_train %y, %scale, %offset epsilon 1.0e-5
        : (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>)
        -> (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let gradientReads = ["input", "scale", "mean", "variance"];
  let arguments = (ins Activation:$input, ChannelVector:$scale, ChannelVector:$offset, F64Attr:$epsilon);
  let results = (outs Activation:$result, ChannelVector:$mean, ChannelVector:$variance);
  let assemblyFormat = [{
    $input `,` $scale `,` $offset `epsilon` $epsilon attr-dict `:` functional-type(operands, results)
  }];
}

def Resnet_BatchNormGradOp : Resnet_ValueOp<"batch_norm_grad", "Alone"> {
  let summary = "Gradients of batch_norm_train: of its input, scale and offset";
  let description = [{
    With `h = (y - mean) / sqrt(variance + epsilon)` and `N` elements in a channel: `d offset = sum of dz`, `d scale =
    sum of dz * h`, `dy = scale / sqrt(variance + epsilon) * (dz - d offset / N - h * d scale / N)`.

    * (C1) Gradient and input have one shape, `[n, c, h, w]` or `[n, c]`; the vectors are `[c]`; all have one element
      type.
    * (C2) `epsilon` is positive.

    ```mlir
    %dy, %ds, %do = resnet.batch_norm_grad %dz, %y, %scale, %mean, %variance epsilon 1.0e-5
        : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
        -> (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let gradientOf = "batch_norm_train";
  let arguments = (ins Activation:$gradient, Activation:$input, ChannelVector:$scale, ChannelVector:$mean,
                   Positive:$variance, F64Attr:$epsilon);
  let results = (outs Activation:$input_gradient, ChannelVector:$scale_gradient, ChannelVector:$offset_gradient);
  let assemblyFormat = [{
    $gradient `,` $input `,` $scale `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands,
    results)
  }];
}

def Resnet_BatchNormInferenceOp : Resnet_ValueOp<"batch_norm_inference", "Pointwise"> {
  let summary = "Normalises by given statistics";
  let description = [{
    `z = (y - mean) / sqrt(variance + epsilon) * scale + offset`.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; the vectors are `[c]`, of the same element type.
    * (C2) `epsilon` is positive.

    ```mlir
    %z = resnet.batch_norm_inference %y, %scale, %offset, %mean, %variance epsilon 1.0e-5
        : (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
        -> tensor<8x64x56x56xf32>
    ```
  }];
  let arguments = (ins Activation:$input, ChannelVector:$scale, ChannelVector:$offset, ChannelVector:$mean,
                   Positive:$variance, F64Attr:$epsilon);
  let results = (outs Activation:$result);
  let assemblyFormat = [{
    $input `,` $scale `,` $offset `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands,
    results)
  }];
}

def Resnet_RunningAverageOp : Resnet_ValueOp<"running_average", "Pointwise"> {
  let summary = "Moves a running statistic towards the batch's";
  let description = [{
    `(1 - momentum) * old + momentum * factor * value`. The factor is `count / (count - 1)` for a variance, as the
    running one is unbiased, and 1 for a mean.

    * (C1) Both are `[c]`, of one element type.

    ```mlir
    %new = resnet.running_average %old, %value momentum 0.1 factor 1.0
        : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
    ```
  }];
  let arguments = (ins ChannelVector:$old, ChannelVector:$value, F64Attr:$momentum, F64Attr:$factor);
  let results = (outs ChannelVector:$result);
  let assemblyFormat = [{
    $old `,` $value `momentum` $momentum `factor` $factor attr-dict `:` functional-type(operands, results)
  }];
}

// ---- the pieces batch norm is made of once it is cut for fusion (design: Ioffe and Szegedy 2015, and its backward as
// an affine map)

def Resnet_ChannelSumOp : Resnet_ValueOp<"channel_sum", "Reduction", [], "sameOrDouble"> {
  let summary = "Sum of each channel, one row for each piece of the batch";
  let description = [{
    Row `p` of `[pieces, c]` holds the sums over images `[p*n/pieces, (p+1)*n/pieces)` and over all pixels. Sums that a
    variance is made of are f64, whatever the activation is: where the mean is 10^3 deviations, f32 holds nothing of the
    small difference of the large sums. An infinity may make a kernel's sum NaN: it sums about a pixel of the channel.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`.
    * (C2) `pieces`, from 1 on, divides `n`.
    * (C3) The sums have the activation's element type, or f64.

    ```mlir
    %sum = resnet.channel_sum %y pieces 4 : (tensor<8x64x56x56xf32>) -> tensor<4x64xf64>
    ```
  }];
  let operations = 1;
  let arguments = (ins Activation:$input, I64Attr:$pieces);
  let results = (outs Floats:$result); // [pieces, c]
  let assemblyFormat = "$input `pieces` $pieces attr-dict `:` functional-type(operands, results)";
}

def Resnet_ChannelDotOp : Resnet_ValueOp<"channel_dot", "Reduction", [], "sameOrDouble"> {
  let summary = "Sum of a product over each channel, one row for each piece of the batch";
  let description = [{
    `channel_sum` of the product, element by element.

    * (C1) Both activations have one shape, `[n, c, h, w]` or `[n, c]`, and one element type.
    * (C2) `pieces`, from 1 on, divides `n`.
    * (C3) The sums have the activations' element type, or f64.

    ```mlir
    %dot = resnet.channel_dot %dz, %y pieces 4 : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>) -> tensor<4x64xf64>
    ```
  }];
  let operations = 2;
  let arguments = (ins Activation:$lhs, Activation:$rhs, I64Attr:$pieces);
  let results = (outs Floats:$result); // [pieces, c]
  let assemblyFormat = "$lhs `,` $rhs `pieces` $pieces attr-dict `:` functional-type(operands, results)";
}

def Resnet_BatchNormFinalizeOp : Resnet_ValueOp<"batch_norm_finalize", "Alone"> {
  let summary = "From partial sums to batch norm's affine map, in double";
  let description = [{
    From the sums of `y` and of `y * y`: the mean, the biased variance (never below 0, but NaN if the sums are), and
    `multiplier = scale / sqrt(variance + epsilon)`, `addend = offset - mean * multiplier`, so that `scale_shift`
    finishes `batch_norm_train`.

    * (C1) Both sums are `[pieces, c]`, scale and offset `[c]`, of one element type; sums may be f64 beside f32.
    * (C2) `epsilon` is positive.
    * (C3) `count`, the elements of a channel, is at least 1.

    ```mlir
    %m, %a, %mean, %variance = resnet.batch_norm_finalize %sum, %squares, %scale, %offset count 25088.0 epsilon 1.0e-5
        : (tensor<4x64xf64>, tensor<4x64xf64>, tensor<64xf32>, tensor<64xf32>)
        -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let operations = 2;
  let joinable = 1; // running averages follow
  let arguments = (ins Floats:$sum, Squares:$sum_of_squares, ChannelVector:$scale, ChannelVector:$offset,
                   F64Attr:$count, F64Attr:$epsilon);
  let results = (outs ChannelVector:$multiplier, ChannelVector:$addend, ChannelVector:$mean, ChannelVector:$variance);
  let assemblyFormat = [{
    $sum `,` $sum_of_squares `,` $scale `,` $offset `count` $count `epsilon` $epsilon attr-dict `:`
    functional-type(operands, results)
  }];
}

def Resnet_BatchNormGradFinalizeOp : Resnet_ValueOp<"batch_norm_grad_finalize", "Alone"> {
  let summary = "From partial sums to the affine map of batch norm's gradient, in double";
  let description = [{
    From `S = sum of dz`, `D = sum of dz * y`, with `i = 1 / sqrt(variance + epsilon)`: `d offset = S`, `d scale = (D -
    mean * S) * i`, and `a = scale * i`, `b = -a * i * d scale / count`, `c = -a * S / count - b * mean`, so that
    `affine_combine` of `dz` and `y` finishes `batch_norm_grad`.

    * (C1) Both sums are `[pieces, c]`, the vectors `[c]`, of one element type; sums may be f64 beside f32.
    * (C2) `epsilon` is positive.
    * (C3) `count`, the elements of a channel, is at least 1.

    ```mlir
    %a, %b, %c, %ds, %do = resnet.batch_norm_grad_finalize %sum, %dot, %scale, %mean, %variance count 25088.0 epsilon
        1.0e-5
        : (tensor<4x64xf64>, tensor<4x64xf64>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
        -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let operations = 2;
  let arguments = (ins Floats:$sum, Floats:$dot, ChannelVector:$scale, ChannelVector:$mean, Positive:$variance,
                   F64Attr:$count, F64Attr:$epsilon);
  let results = (outs ChannelVector:$a, ChannelVector:$b, ChannelVector:$c, ChannelVector:$scale_gradient,
                 ChannelVector:$offset_gradient);
  let assemblyFormat = [{
    $sum `,` $dot `,` $scale `,` $mean `,` $variance `count` $count `epsilon` $epsilon attr-dict `:`
    functional-type(operands, results)
  }];
}

def Resnet_ScaleShiftOp : Resnet_ValueOp<"scale_shift", "Pointwise"> {
  let summary = "x * multiplier + addend, by channel";
  let description = [{
    `x * multiplier + addend`, each channel by its own.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; the vectors are `[c]`, of the same element type.

    ```mlir
    %z = resnet.scale_shift %y, %m, %a
        : (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 2;
  let arguments = (ins Activation:$input, ChannelVector:$multiplier, ChannelVector:$addend);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $multiplier `,` $addend attr-dict `:` functional-type(operands, results)";
}

def Resnet_AffineCombineOp : Resnet_ValueOp<"affine_combine", "Pointwise"> {
  let summary = "a*x + b*y + c, by channel";
  let description = [{
    `a * x + b * y + c`, each channel by its own.

    * (C1) Both activations have one shape, `[n, c, h, w]` or `[n, c]`; the vectors are `[c]`; all have one element
      type.

    ```mlir
    %dy = resnet.affine_combine %dz, %y, %a, %b, %c
        : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
        -> tensor<8x64x56x56xf32>
    ```
  }];
  let operations = 4;
  let arguments = (ins Activation:$x, Activation:$y, ChannelVector:$a, ChannelVector:$b, ChannelVector:$c);
  let results = (outs Activation:$result);
  let assemblyFormat = "$x `,` $y `,` $a `,` $b `,` $c attr-dict `:` functional-type(operands, results)";
}

// ---- folding batch norm into the convolution before it, for inference

def Resnet_InferenceAffineOp : Resnet_ValueOp<"inference_affine", "Alone"> {
  let summary = "Batch norm's affine map from running statistics";
  let description = [{
    `multiplier = scale / sqrt(variance + epsilon)`, `addend = offset - mean * multiplier`.

    * (C1) All vectors have one shape `[c]` and one element type.
    * (C2) `epsilon` is positive.

    ```mlir
    %m, %a = resnet.inference_affine %scale, %offset, %mean, %variance epsilon 1.0e-5
        : (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let elementwise = 1;
  let arguments = (ins ChannelVector:$scale, ChannelVector:$offset, ChannelVector:$mean, Positive:$variance,
                   F64Attr:$epsilon);
  let results = (outs ChannelVector:$multiplier, ChannelVector:$addend);
  let assemblyFormat = [{
    $scale `,` $offset `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands, results)
  }];
}

def Resnet_ScaleFilterOp : Resnet_ValueOp<"scale_filter", "Alone"> {
  let summary = "Multiplies each output channel's filter";
  let description = [{
    Folds batch norm's multiplier into the convolution or linear layer before it.

    * (C1) The filters are `[k, c, r, s]` or `[out, in]`; the multiplier is `[k]`, of the same element type.

    ```mlir
    %g = resnet.scale_filter %f, %m : (tensor<64x64x3x3xf32>, tensor<64xf32>) -> tensor<64x64x3x3xf32>
    ```
  }];
  let operations = 1;
  let elementwise = 1;
  let arguments = (ins Filter:$filter, ChannelVector:$multiplier);
  let results = (outs Filter:$result);
  let assemblyFormat = "$filter `,` $multiplier attr-dict `:` functional-type(operands, results)";
}

def Resnet_ScaleAddOp : Resnet_ValueOp<"scale_add", "Alone"> {
  let summary = "x * multiplier + addend of channel vectors: a convolution's bias through batch norm";
  let description = [{
    * (C1) All vectors have one shape `[c]` and one element type.

    ```mlir
    %c = resnet.scale_add %bias, %m, %a : (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
    ```
  }];
  let operations = 2;
  let elementwise = 1;
  let arguments = (ins ChannelVector:$x, ChannelVector:$multiplier, ChannelVector:$addend);
  let results = (outs ChannelVector:$result);
  let assemblyFormat = "$x `,` $multiplier `,` $addend attr-dict `:` functional-type(operands, results)";
}

#endif
