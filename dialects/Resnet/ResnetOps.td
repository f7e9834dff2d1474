//===- ResnetOps.td - The ops of the resnet dialect ------------------------===//

#ifndef RESNET_OPS
#define RESNET_OPS

include "OpFacts.td"
include "ResnetDialect.td"
include "ResnetInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Resnet_Op<string mnemonic, list<Trait> traits = []> : Op<Resnet_Dialect, mnemonic, traits>, Resnet_Facts<mnemonic>;

// Result types are those that inference gives, up to layouts. Stands before InferTypeOpInterface in the list of traits, so that a mistake is told once.
def Resnet_InferredTypes : NativeOpTrait<"InferredTypes"> {
  let cppNamespace = "::resin::resnet";
}

// An op that is a function of its operands: it infers its result types (and checks its constraints while it does), has plain loops, and takes part in
// fusion as `opRole` says (OpFacts.td).
class Resnet_ValueOp<string mnemonic, string opRole, list<Trait> traits = [], string compatible = "sameUpToLayout">
    : Resnet_Op<mnemonic, !listconcat([Pure, Resnet_InferredTypes, InferTypeOpAdaptor, DeclareOpInterfaceMethods<Resnet_Evaluate>],
                                      traits)> {
  let role = opRole;
  let extraClassDeclaration = [{
    static bool isCompatibleReturnTypes(::mlir::TypeRange lhs, ::mlir::TypeRange rhs) { return ::resin::resnet::}] # compatible # [{(lhs, rhs); }
  }];
}
defvar Differentiable = DeclareOpInterfaceMethods<Resnet_Gradient>;

def Activation : RankedTensorOf<[F32, F64]>;  // [n, c, h, w] (rank 4) or [n, features]
def Filter : RankedTensorOf<[F32, F64]>;      // [k, c, r, s] or [out, in]
def ChannelVector : RankedTensorOf<[F32, F64]>; // [c]
def Scalar : RankedTensorOf<[F32, F64]>;      // rank 0
def Floats : RankedTensorOf<[F32, F64]>;
// ---- and what it may hold
def Positive : RankedTensorOf<[F32, F64]>, Holds<"Positive">; // variances, second moments, learning rates
def Squares : RankedTensorOf<[F32, F64]>, Holds<"Squares">;   // sums of squares
def Step : RankedTensorOf<[F32, F64]>, Holds<"Step">;         // rank 0: updates, from 1
def Labels : RankedTensorOf<[I32]>, Holds<"Class">;           // [n]; -1 is padding
def Seed : RankedTensorOf<[I32]>, Holds<"Seed">;              // [2]

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

def Resnet_VariableOp : Resnet_Op<"variable", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A named tensor that lives as long as the program";
  let description = [{
    Parameters, running statistics, optimizer slots and what `@prepare` makes of them. The symbol is the name in checkpoints; the type, its encoding
    included, is how the tensor is stored. `init` says what it starts as (docs/Manifest.md); `no_decay` keeps weight decay off. A slot is state of the optimizer
    `of` a parameter.

    * (C1) `role` is "parameter", "statistic", "slot" or "prepared".
    * (C2) The shape is static and the elements are numbers.
    * (C3) `init` is `{name = "he_normal", fan}`, `{name = "glorot_uniform", fan_in, fan_out}`, `{name = "linear_uniform", fan}` or `{name = "constant", value}`.
    * (C4) A slot, and nothing else, is `of` a variable, which has its shape.

    ```mlir
    resnet.variable "parameter" @conv1.weight : tensor<64x3x7x7xf32> init {fan = 147 : i64, name = "he_normal"}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, StrAttr:$role, DictionaryAttr:$init, UnitAttr:$no_decay,
                       OptionalAttr<FlatSymbolRefAttr>:$parameter);
  let hasVerifier = 1;
  let assemblyFormat = "$role $sym_name (`of` $parameter^)? `:` $type `init` $init (`no_decay` $no_decay^)? attr-dict";
}

def Resnet_ReadOp : Resnet_Op<"read", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The variable's present value";
  let description = [{
    * (C1) `variable` names a `resnet.variable`.
    * (C2) The result has its type, layout included.
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$variable attr-dict `:` type($result)";
}

def Resnet_WriteOp : Resnet_Op<"write", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Gives the variable a new value";
  let description = [{
    * (C1) `variable` names a `resnet.variable`.
    * (C2) The value has its type, layout included.
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable, AnyRankedTensor:$value);
  let assemblyFormat = "$variable `,` $value attr-dict `:` type($value)";
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

class Resnet_ConvOp<string mnemonic, list<Trait> traits = []> : Resnet_ValueOp<mnemonic, "Anchor", traits>;
// padding = [top, left, bottom, right]
defvar ConvWindow = (ins DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilations, I64Attr:$groups);

def Resnet_Conv2dOp : Resnet_ConvOp<"conv2d", [Differentiable]> {
  let summary = "Cross-correlation of images with filters";
  let description = [{
    With `C` the channels that one filter sees and `g = k / (K / groups)` the group of output channel `k`,

        y[n, k, i, j] = sum over c, u, v of x[n, g*C + c, i*strides[0] + u*dilations[0] - top, j*strides[1] + v*dilations[1] - left] * f[k, c, u, v]

    where `x` is zero outside the image and `padding = [top, left, bottom, right]`.

    A NaN or an infinity in `x` or `f` counts as in this sum. But kernels multiply zeros as well, and zero times NaN or infinity is NaN: those outside the image, so
    that a filter that is not finite may make NaN of pixels at the border; and those between groups that share a block of 16 channels, so that what is not finite in
    one of them may make NaN of all. Winograd's method makes NaN of the whole tile (4x4 or 2x2 pixels of the result) that meets a NaN or an infinity. The gradients
    likewise.

    * (C1) The image is `[n, c, h, w]`, the filters are `[k, c/groups, r, s]`, of one element type.
    * (C2) `strides` and `dilations` are two numbers from 1 on, `padding` four from 0 on, `groups` one from 1 on; none is above 2^20.
    * (C3) `groups` divides `k`, and `c` is `groups` times what a filter sees.
    * (C4) The dilated filter fits into the padded image.

    ```mlir
    %y = resnet.conv2d %x, %f strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<8x64x56x56xf32>, tensor<128x64x3x3xf32>) -> tensor<8x128x28x28xf32>
    ```
  }];
  let product = "Output";
  let convolution = 1;
  let gradientReads = ["input", "filter"];
  let arguments = !con((ins Activation:$input, Filter:$filter), ConvWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $filter `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups attr-dict `:` functional-type(operands, results)";
}

def Resnet_Conv2dGradDataOp : Resnet_ConvOp<"conv2d_grad_data"> {
  let summary = "Gradient of a convolution with respect to its input";
  let description = [{
    `x[p] += dy[q] * f[t]` for each triple with `y[q] += x[p] * f[t]` in `conv2d`. `size = [h, w]` is the input's: with strides several inputs give one
    output size.

    * (C1) The gradient is `[n, k, oh, ow]`, the filters are `[k, c/groups, r, s]`, of one element type.
    * (C2) `strides` and `dilations` are two numbers from 1 on, `padding` four from 0 on, `groups` one from 1 on; none is above 2^20; `size` is two numbers from 1 on.
    * (C3) `groups` divides `k`.
    * (C4) The gradient has the shape of the convolution's output.

    ```mlir
    %dx = resnet.conv2d_grad_data %dy, %f size [56, 56] strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<8x128x28x28xf32>, tensor<128x64x3x3xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let product = "Image";
  let convolution = 1;
  let gradientOf = "conv2d";
  let arguments = !con((ins Activation:$gradient, Filter:$filter, DenseI64ArrayAttr:$size), ConvWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $filter `size` $size `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups attr-dict `:` functional-type(operands, results)";
}

def Resnet_Conv2dGradWeightOp : Resnet_ConvOp<"conv2d_grad_weight"> {
  let summary = "Gradient of a convolution with respect to its filters, summed over the images";
  let description = [{
    `f[t] += dy[q] * x[p]` for each triple with `y[q] += x[p] * f[t]` in `conv2d`. `kernel = [r, s]`. With `lane` the result has a leading dimension of
    one, along which the lanes of a fused op are put together; `batch_sum` then adds the lanes.

    * (C1) The image is `[n, c, h, w]`, the gradient `[n, k, oh, ow]`, of one element type.
    * (C2) `strides` and `dilations` are two numbers from 1 on, `padding` four from 0 on, `groups` one from 1 on; none is above 2^20; `kernel` is two numbers from 1 on.
    * (C3) `groups` divides `c` and `k`.
    * (C4) The gradient has the shape of the convolution's output.

    ```mlir
    %df = resnet.conv2d_grad_weight %x, %dy kernel [3, 3] strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<8x64x56x56xf32>, tensor<8x128x28x28xf32>) -> tensor<128x64x3x3xf32>
    ```
  }];
  let product = "Filter";
  let convolution = 1;
  let gradientOf = "conv2d";
  let joinable = 0; // it is summed over lanes
  let arguments = !con((ins Activation:$input, Activation:$gradient, DenseI64ArrayAttr:$kernel, UnitAttr:$lane), ConvWindow);
  let results = (outs Filter:$result);
  let assemblyFormat = "$input `,` $gradient `kernel` $kernel `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups (`lane` $lane^)? attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Convolution by Winograd's method
//===----------------------------------------------------------------------===//

def Resnet_WinogradFilterOp : Resnet_ValueOp<"winograd_filter", "Alone"> {
  let summary = "3x3 filters at the points of Winograd's F(tile x tile, 3x3)";
  let description = [{
    With `p = tile + 2` points each way, `u[k, i, j, c] = sum over r, s of G[i, r] * f[k, c, r, s] * G[j, s]`: what `conv2d_winograd` reads. Channels stand last, as
    they are summed over at each point. The points are 0, 5/8, -5/8, 3/2, -3/2 and infinity for a tile of 4; 0, 1, -1 and infinity for 2 (dialects/Resnet/Winograd.cpp).

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
    Cuts the image into tiles of `p x p` pixels that overlap by two, `p` being the filters' points each way, and gives `p - 2` results each way for each:

        y = A^T [sum over c of u[k, :, :, c] . (B^T x[c] B)] A

    with `.` element by element. `conv2d_winograd(x, winograd_filter(f))` is `conv2d(x, f)` but for rounding (Lavin and Gray, "Fast algorithms for convolutional neural
    networks", 2015). `padding = [top, left, bottom, right]`.

    * (C1) The image is `[n, c, h, w]`, the filters are `[k, p, p, c]`, of one element type; `p` is 4 or 6.
    * (C2) `padding` is four numbers from 0 on, none above 2^20.
    * (C3) The padded image has three rows and columns at least.

    ```mlir
    %y = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1] : (tensor<1x32x56x56xf32>, tensor<64x6x6x32xf32>) -> tensor<1x64x56x56xf32>
    ```
  }];
  let product = "Output";
  let convolution = 1;
  let arguments = (ins Activation:$input, Filter:$filter, DenseI64ArrayAttr:$padding);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $filter `padding` $padding attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Batch norm
//===----------------------------------------------------------------------===//

def Resnet_BatchNormOp : Resnet_Op<"batch_norm", [Resnet_InferredTypes, InferTypeOpAdaptor, MemoryEffects<[MemRead, MemWrite]>,
                                                  DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Normalises each channel: the form before training and inference part";
  let description = [{
    What the model says; which statistics it uses depends on the function it ends up in. `specialize` turns it into `batch_norm_train` and running averages
    in `@train_step`, and into `batch_norm_inference` in `@evaluate` and `@predict`. The interpreter takes it as inference. `momentum` is the new value's weight.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; scale and offset are `[c]`, of the same element type.
    * (C2) `epsilon` is positive.
    * (C3) `running_mean` and `running_variance` name variables `[c]`.
  }];
  let arguments = (ins Activation:$input, ChannelVector:$scale, ChannelVector:$offset, FlatSymbolRefAttr:$running_mean, FlatSymbolRefAttr:$running_variance,
                       F64Attr:$epsilon, F64Attr:$momentum);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $scale `,` $offset `running` $running_mean $running_variance `epsilon` $epsilon `momentum` $momentum attr-dict `:` functional-type(operands, results)";
  let extraClassDeclaration = [{
    static bool isCompatibleReturnTypes(::mlir::TypeRange lhs, ::mlir::TypeRange rhs) { return ::resin::resnet::sameUpToLayout(lhs, rhs); }
  }];
}

def Resnet_BatchNormTrainOp : Resnet_ValueOp<"batch_norm_train", "Alone", [Differentiable]> {
  let summary = "Normalises by the batch's own mean and biased variance";
  let description = [{
    `z = (y - mean) / sqrt(variance + epsilon) * scale + offset` with the mean and the biased variance of each channel over the batch and all pixels (Ioffe and
    Szegedy 2015). Mean and variance go to the running averages; no gradient comes from there.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; scale and offset are `[c]`, of the same element type.
    * (C2) `epsilon` is positive.

    ```mlir
    %z, %mean, %variance = resnet.batch_norm_train %y, %scale, %offset epsilon 1.0e-5 : (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>) -> (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let gradientReads = ["input", "scale", "mean", "variance"];
  let arguments = (ins Activation:$input, ChannelVector:$scale, ChannelVector:$offset, F64Attr:$epsilon);
  let results = (outs Activation:$result, ChannelVector:$mean, ChannelVector:$variance);
  let assemblyFormat = "$input `,` $scale `,` $offset `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_BatchNormGradOp : Resnet_ValueOp<"batch_norm_grad", "Alone"> {
  let summary = "Gradients of batch_norm_train: of its input, scale and offset";
  let description = [{
    With `h = (y - mean) / sqrt(variance + epsilon)` and `N` elements in a channel: `d offset = sum of dz`, `d scale = sum of dz * h`,
    `dy = scale / sqrt(variance + epsilon) * (dz - d offset / N - h * d scale / N)`.

    * (C1) Gradient and input have one shape, `[n, c, h, w]` or `[n, c]`; the vectors are `[c]`; all have one element type.
    * (C2) `epsilon` is positive.

    ```mlir
    %dy, %ds, %do = resnet.batch_norm_grad %dz, %y, %scale, %mean, %variance epsilon 1.0e-5 : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let gradientOf = "batch_norm_train";
  let arguments = (ins Activation:$gradient, Activation:$input, ChannelVector:$scale, ChannelVector:$mean, Positive:$variance, F64Attr:$epsilon);
  let results = (outs Activation:$input_gradient, ChannelVector:$scale_gradient, ChannelVector:$offset_gradient);
  let assemblyFormat = "$gradient `,` $input `,` $scale `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_BatchNormInferenceOp : Resnet_ValueOp<"batch_norm_inference", "Pointwise"> {
  let summary = "Normalises by given statistics";
  let description = [{
    `z = (y - mean) / sqrt(variance + epsilon) * scale + offset`.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; the vectors are `[c]`, of the same element type.
    * (C2) `epsilon` is positive.

    ```mlir
    %z = resnet.batch_norm_inference %y, %scale, %offset, %mean, %variance epsilon 1.0e-5 : (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let arguments = (ins Activation:$input, ChannelVector:$scale, ChannelVector:$offset, ChannelVector:$mean, Positive:$variance, F64Attr:$epsilon);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $scale `,` $offset `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_RunningAverageOp : Resnet_ValueOp<"running_average", "Pointwise"> {
  let summary = "Moves a running statistic towards the batch's";
  let description = [{
    `(1 - momentum) * old + momentum * factor * value`. The factor is `count / (count - 1)` for a variance, as the running one is unbiased, and 1 for a mean.

    * (C1) Both are `[c]`, of one element type.

    ```mlir
    %new = resnet.running_average %old, %value momentum 0.1 factor 1.0 : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
    ```
  }];
  let arguments = (ins ChannelVector:$old, ChannelVector:$value, F64Attr:$momentum, F64Attr:$factor);
  let results = (outs ChannelVector:$result);
  let assemblyFormat = "$old `,` $value `momentum` $momentum `factor` $factor attr-dict `:` functional-type(operands, results)";
}

// ---- the pieces batch norm is made of once it is cut for fusion (design: Ioffe and Szegedy 2015, and its backward as an affine map)

def Resnet_ChannelSumOp : Resnet_ValueOp<"channel_sum", "Reduction", [], "sameOrDouble"> {
  let summary = "Sum of each channel, one row for each piece of the batch";
  let description = [{
    Row `p` of `[pieces, c]` holds the sums over images `[p*n/pieces, (p+1)*n/pieces)` and over all pixels. Sums that a variance is made of are f64, whatever the
    activation is: where the mean is 10^3 deviations, f32 holds nothing of the small difference of the large sums. An infinity may make a kernel's sum NaN: it sums
    about a pixel of the channel.

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
    From the sums of `y` and of `y * y`: the mean, the biased variance (never below 0, but NaN if the sums are), and `multiplier = scale / sqrt(variance + epsilon)`,
    `addend = offset - mean * multiplier`, so that `scale_shift` finishes `batch_norm_train`.

    * (C1) Both sums are `[pieces, c]`, scale and offset `[c]`, of one element type; sums may be f64 beside f32.
    * (C2) `epsilon` is positive.
    * (C3) `count`, the elements of a channel, is at least 1.

    ```mlir
    %m, %a, %mean, %variance = resnet.batch_norm_finalize %sum, %squares, %scale, %offset count 25088.0 epsilon 1.0e-5 : (tensor<4x64xf64>, tensor<4x64xf64>, tensor<64xf32>, tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let operations = 2;
  let joinable = 1; // running averages follow
  let arguments = (ins Floats:$sum, Squares:$sum_of_squares, ChannelVector:$scale, ChannelVector:$offset, F64Attr:$count, F64Attr:$epsilon);
  let results = (outs ChannelVector:$multiplier, ChannelVector:$addend, ChannelVector:$mean, ChannelVector:$variance);
  let assemblyFormat = "$sum `,` $sum_of_squares `,` $scale `,` $offset `count` $count `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_BatchNormGradFinalizeOp : Resnet_ValueOp<"batch_norm_grad_finalize", "Alone"> {
  let summary = "From partial sums to the affine map of batch norm's gradient, in double";
  let description = [{
    From `S = sum of dz`, `D = sum of dz * y`, with `i = 1 / sqrt(variance + epsilon)`: `d offset = S`, `d scale = (D - mean * S) * i`, and `a = scale * i`,
    `b = -a * i * d scale / count`, `c = -a * S / count - b * mean`, so that `affine_combine` of `dz` and `y` finishes `batch_norm_grad`.

    * (C1) Both sums are `[pieces, c]`, the vectors `[c]`, of one element type; sums may be f64 beside f32.
    * (C2) `epsilon` is positive.
    * (C3) `count`, the elements of a channel, is at least 1.

    ```mlir
    %a, %b, %c, %ds, %do = resnet.batch_norm_grad_finalize %sum, %dot, %scale, %mean, %variance count 25088.0 epsilon 1.0e-5 : (tensor<4x64xf64>, tensor<4x64xf64>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let operations = 2;
  let arguments = (ins Floats:$sum, Floats:$dot, ChannelVector:$scale, ChannelVector:$mean, Positive:$variance, F64Attr:$count, F64Attr:$epsilon);
  let results = (outs ChannelVector:$a, ChannelVector:$b, ChannelVector:$c, ChannelVector:$scale_gradient, ChannelVector:$offset_gradient);
  let assemblyFormat = "$sum `,` $dot `,` $scale `,` $mean `,` $variance `count` $count `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_ScaleShiftOp : Resnet_ValueOp<"scale_shift", "Pointwise"> {
  let summary = "x * multiplier + addend, by channel";
  let description = [{
    `x * multiplier + addend`, each channel by its own.

    * (C1) The activation is `[n, c, h, w]` or `[n, c]`; the vectors are `[c]`, of the same element type.

    ```mlir
    %z = resnet.scale_shift %y, %m, %a : (tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<8x64x56x56xf32>
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

    * (C1) Both activations have one shape, `[n, c, h, w]` or `[n, c]`; the vectors are `[c]`; all have one element type.

    ```mlir
    %dy = resnet.affine_combine %dz, %y, %a, %b, %c : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<8x64x56x56xf32>
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
    %m, %a = resnet.inference_affine %scale, %offset, %mean, %variance epsilon 1.0e-5 : (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>)
    ```
  }];
  let elementwise = 1;
  let arguments = (ins ChannelVector:$scale, ChannelVector:$offset, ChannelVector:$mean, Positive:$variance, F64Attr:$epsilon);
  let results = (outs ChannelVector:$multiplier, ChannelVector:$addend);
  let assemblyFormat = "$scale `,` $offset `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
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

//===----------------------------------------------------------------------===//
// Pointwise
//===----------------------------------------------------------------------===//

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
    %dx = resnet.leaky_relu_grad %dy, %y slope 0.01 : (tensor<8x64x56x56xf32>, tensor<8x64x56x56xf32>) -> tensor<8x64x56x56xf32>
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

def Resnet_DropoutOp : Resnet_ValueOp<"dropout", "Pointwise", [Differentiable, DeclareOpInterfaceMethods<Resnet_Piece, ["evaluatePiece"]>]> {
  let summary = "Zeroes elements at random in training";
  let description = [{
    Keeps an element with probability `1 - rate`, and divides it by that; multiplies others by zero, so that a NaN stays one. The mask is Philox4x32-10 (support/Philox.h) with key `seed` and counter (element / 4,
    `layer`), elements numbered row by row. Its gradient is the same op on the gradient. `specialize` removes it outside training.

    In a fused region `piece_of p` says that the input is one of `p` equal ranges of the batch's images: elements are then numbered from the batch's first, so that
    the mask is the same however the batch is cut.

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
  let arguments = (ins Activation:$input, Seed:$seed, F64Attr:$rate, I64Attr:$layer, DefaultValuedAttr<I64Attr, "1">:$piece_of);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $seed `rate` $rate `layer` $layer (`piece_of` $piece_of^)? attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Pools and shape
//===----------------------------------------------------------------------===//

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
    `y[n, c, i, j]` is the largest `x[n, c, i*strides[0] + u - top, j*strides[1] + v - left]` over the window; padding never wins, a NaN always.

    * (C1) The image is `[n, c, h, w]`.
    * (C2) `kernel` and `strides` are two numbers from 1 on; `padding = [top, left, bottom, right]` is from 0 to below the kernel, so that every window sees a pixel.
    * (C3) The kernel fits into the padded image.

    ```mlir
    %y = resnet.max_pool %x kernel [3, 3] strides [2, 2] padding [1, 1, 1, 1] : (tensor<8x64x112x112xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let gradientReads = ["input"];
  let arguments = !con((ins Activation:$input), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `kernel` $kernel `strides` $strides `padding` $padding attr-dict `:` functional-type(operands, results)";
}

def Resnet_MaxPoolGradOp : Resnet_PoolOp<"max_pool_grad"> {
  let summary = "Sends each window's gradient to its first maximum";
  let description = [{
    The first maximum of a window is the one with the least row, then the least column; of a window with NaNs it is the last of them.

    * (C1) The gradient is `[n, c, oh, ow]`, the image `[n, c, h, w]`, of one element type.
    * (C2) `kernel` and `strides` are two numbers from 1 on; `padding = [top, left, bottom, right]` is from 0 to below the kernel, so that every window sees a pixel.
    * (C3) The gradient has the shape of the pool's output.

    ```mlir
    %dx = resnet.max_pool_grad %dy, %x kernel [3, 3] strides [2, 2] padding [1, 1, 1, 1] : (tensor<8x64x56x56xf32>, tensor<8x64x112x112xf32>) -> tensor<8x64x112x112xf32>
    ```
  }];
  let gradientOf = "max_pool";
  let arguments = !con((ins Activation:$gradient, Activation:$input), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $input `kernel` $kernel `strides` $strides `padding` $padding attr-dict `:` functional-type(operands, results)";
}

def Resnet_AvgPoolOp : Resnet_PoolOp<"avg_pool", [Differentiable]> {
  let summary = "Mean over sliding windows of each channel";
  let description = [{
    With `count_include_pad` the padding counts in the divisor (PyTorch's default), without it does not (Keras).

    * (C1) The image is `[n, c, h, w]`.
    * (C2) `kernel` and `strides` are two numbers from 1 on; `padding = [top, left, bottom, right]` is from 0 to below the kernel, so that every window sees a pixel.
    * (C3) The kernel fits into the padded image.

    ```mlir
    %y = resnet.avg_pool %x kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] count_include_pad true : (tensor<8x64x112x112xf32>) -> tensor<8x64x56x56xf32>
    ```
  }];
  let arguments = !con((ins Activation:$input, BoolAttr:$count_include_pad), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `kernel` $kernel `strides` $strides `padding` $padding `count_include_pad` $count_include_pad attr-dict `:` functional-type(operands, results)";
}

def Resnet_AvgPoolGradOp : Resnet_PoolOp<"avg_pool_grad"> {
  let summary = "Spreads each window's gradient evenly";
  let description = [{
    `size = [h, w]` is the image's.

    * (C1) The gradient is `[n, c, oh, ow]`.
    * (C2) `kernel` and `strides` are two numbers from 1 on; `padding = [top, left, bottom, right]` is from 0 to below the kernel, so that every window sees a pixel; `size` is two numbers from 1 on.
    * (C3) The gradient has the shape of the pool's output.

    ```mlir
    %dx = resnet.avg_pool_grad %dy size [112, 112] kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] count_include_pad true : (tensor<8x64x56x56xf32>) -> tensor<8x64x112x112xf32>
    ```
  }];
  let gradientOf = "avg_pool";
  let arguments = !con((ins Activation:$gradient, DenseI64ArrayAttr:$size, BoolAttr:$count_include_pad), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `size` $size `kernel` $kernel `strides` $strides `padding` $padding `count_include_pad` $count_include_pad attr-dict `:` functional-type(operands, results)";
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
    `y[n, c, i, j] = x[n, c, i*stride, j*stride]`. With `pad_channels`, the parameter-free shortcut of He et al. 2015, option A.

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

//===----------------------------------------------------------------------===//
// Dense layers and losses
//===----------------------------------------------------------------------===//

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
    Of image `n`, in nats: `-sum over c of q[c] * log p[c]` with `p = softmax(logits)` and `q = (1 - s) * onehot(label) + s / classes`; 0 where the label is -1,
    padding (or otherwise outside the classes). A class with `q[c] = 0` counts for nothing, even if its `p` is 0.

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
  let assemblyFormat = "$logits `,` $labels `label_smoothing` $label_smoothing attr-dict `:` functional-type(operands, results)";
}

def Resnet_CrossEntropyGradOp : Resnet_ValueOp<"cross_entropy_grad", "Alone"> {
  let summary = "Gradient of the mean cross entropy with respect to the logits";
  let description = [{
    `(p - q) * factor`, and 0 where the label is padding; `factor` is 1 / batch for the mean loss.

    * (C1) The logits are `[n, classes]`, the labels `[n]`.
    * (C2) `label_smoothing` is from 0 to 1.

    ```mlir
    %dx = resnet.cross_entropy_grad %x, %label label_smoothing 0.1 factor 0.125 : (tensor<8x1000xf32>, tensor<8xi32>) -> tensor<8x1000xf32>
    ```
  }];
  let operations = 8;
  let gradientOf = "cross_entropy";
  let arguments = (ins Activation:$logits, Labels:$labels, F64Attr:$label_smoothing, F64Attr:$factor);
  let results = (outs Activation:$result);
  let assemblyFormat = "$logits `,` $labels `label_smoothing` $label_smoothing `factor` $factor attr-dict `:` functional-type(operands, results)";
}

def Resnet_LabelRankOp : Resnet_ValueOp<"label_rank", "Alone"> {
  let summary = "How many classes stand before the label's: 0 is a top-1 hit";
  let description = [{
    An equal logit of a lower class counts too; padding's rank is the number of classes. A NaN stands before every number, and before the label's NaN stand all
    classes: a label whose logit is NaN, or beside a NaN, is never a top-1 hit.

    * (C1) The logits are `[n, classes]`, the labels `[n]`.

    ```mlir
    %rank = resnet.label_rank %x, %label : (tensor<8x1000xf32>, tensor<8xi32>) -> tensor<8xi32>
    ```
  }];
  let arguments = (ins Activation:$logits, Labels:$labels);
  let results = (outs Labels:$result); // [n]
  let assemblyFormat = "$logits `,` $labels attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Optimizers: PyTorch's formulas; `learning_rate` and `step` (from 1) are scalars of the run
//===----------------------------------------------------------------------===//

// Elementwise, unless it says otherwise: a step that needs the norm of the whole parameter is not.
class Resnet_OptimizerOp<string mnemonic> : Resnet_ValueOp<mnemonic, "Update", [DeclareOpInterfaceMethods<Resnet_Update>]> {
  let elementwise = 1;
}

def Resnet_SgdOp : Resnet_OptimizerOp<"sgd"> {
  let summary = "Stochastic gradient descent with momentum and weight decay; with momentum 0 the slot passes through";
  let description = [{
    `g' = g + weight_decay * p`, `v' = momentum * v + g'` (from `v = 0`, PyTorch's start), `p' = p - lr * (nesterov ? g' + momentum * v' : v')`. With momentum 0 it is
    `p' = p - lr * g'` and the slot passes through.

    * (C1) Parameter, gradient and slots have one shape and element type; learning rate and step are scalars.
    * (C2) `momentum` is from 0 to below 1, `weight_decay` from 0 on.

    ```mlir
    %q, %u = resnet.sgd %p, %g, %v, %lr momentum 0.9 nesterov false weight_decay 1.0e-4 : (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<f32>) -> (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>)
    ```
  }];
  let operations = 6;
  let arguments = (ins Floats:$parameter, Floats:$gradient, Floats:$velocity, Positive:$learning_rate, F64Attr:$momentum, BoolAttr:$nesterov, F64Attr:$weight_decay);
  let results = (outs Floats:$new_parameter, Floats:$new_velocity);
  let assemblyFormat = "$parameter `,` $gradient `,` $velocity `,` $learning_rate `momentum` $momentum `nesterov` $nesterov `weight_decay` $weight_decay attr-dict `:` functional-type(operands, results)";
}

def Resnet_AdamOp : Resnet_OptimizerOp<"adam"> {
  let summary = "Adam (Kingma and Ba 2015); decoupled weight decay makes it AdamW (Loshchilov and Hutter 2019)";
  let description = [{
    `m' = beta1 * m + (1 - beta1) * g`, `s' = beta2 * s + (1 - beta2) * g * g`, `p' = p - lr / (1 - beta1^step) * m' / (sqrt(s') / sqrt(1 - beta2^step) + epsilon)`.
    Weight decay adds `weight_decay * p` to `g`, or, decoupled, multiplies `p` by `1 - lr * weight_decay` beforehand.

    * (C1) Parameter, gradient and slots have one shape and element type; learning rate and step are scalars.
    * (C2) `beta1` and `beta2` are from 0 to below 1, `epsilon` and `weight_decay` from 0 on.

    ```mlir
    %q, %m1, %s1 = resnet.adam %p, %g, %m, %s, %lr, %step beta1 0.9 beta2 0.999 epsilon 1.0e-8 weight_decay 0.0 decoupled false : (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<f32>, tensor<f32>) -> (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>)
    ```
  }];
  let operations = 12;
  let arguments = (ins Floats:$parameter, Floats:$gradient, Floats:$first, Positive:$second, Positive:$learning_rate, Step:$step,
                       F64Attr:$beta1, F64Attr:$beta2, F64Attr:$epsilon, F64Attr:$weight_decay, BoolAttr:$decoupled);
  let results = (outs Floats:$new_parameter, Floats:$new_first, Floats:$new_second);
  let assemblyFormat = "$parameter `,` $gradient `,` $first `,` $second `,` $learning_rate `,` $step `beta1` $beta1 `beta2` $beta2 `epsilon` $epsilon `weight_decay` $weight_decay `decoupled` $decoupled attr-dict `:` functional-type(operands, results)";
}

def Resnet_RmspropOp : Resnet_OptimizerOp<"rmsprop"> {
  let summary = "RMSprop (Tieleman and Hinton 2012), with momentum";
  let description = [{
    `g' = g + weight_decay * p`, `s' = alpha * s + (1 - alpha) * g' * g'`, `v' = momentum * v + g' / (sqrt(s') + epsilon)`, `p' = p - lr * v'`. With momentum 0 the slot
    `v` passes through.

    * (C1) Parameter, gradient and slots have one shape and element type; learning rate and step are scalars.
    * (C2) `alpha` and `momentum` are from 0 to below 1, `epsilon` and `weight_decay` from 0 on.

    ```mlir
    %q, %s1, %v1 = resnet.rmsprop %p, %g, %s, %v, %lr alpha 0.99 epsilon 1.0e-8 momentum 0.0 weight_decay 0.0 : (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<f32>) -> (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>)
    ```
  }];
  let operations = 10;
  let arguments = (ins Floats:$parameter, Floats:$gradient, Positive:$square, Floats:$velocity, Positive:$learning_rate,
                       F64Attr:$alpha, F64Attr:$epsilon, F64Attr:$momentum, F64Attr:$weight_decay);
  let results = (outs Floats:$new_parameter, Floats:$new_square, Floats:$new_velocity);
  let assemblyFormat = "$parameter `,` $gradient `,` $square `,` $velocity `,` $learning_rate `alpha` $alpha `epsilon` $epsilon `momentum` $momentum `weight_decay` $weight_decay attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Layout and fusion
//===----------------------------------------------------------------------===//

def Resnet_RelayoutOp : Resnet_Op<"relayout", [Pure, DeclareOpInterfaceMethods<Resnet_Evaluate>]> {
  let summary = "The same tensor in another layout";
  let description = [{
    * (C1) Shape and element type stay.

    ```mlir
    %y = resnet.relayout %x : tensor<8x64x56x56xf32> to tensor<8x64x56x56xf32, #resnet.layout<c16, halo = 1>>
    ```
  }];
  let role = "View";
  let elementwise = 1;
  let arguments = (ins AnyRankedTensor:$input);
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
}

def Resnet_PartOp : Resnet_Op<"part", [Pure, DeclareOpInterfaceMethods<Resnet_Evaluate>, DeclareOpInterfaceMethods<Resnet_Piece, ["evaluatePiece"]>]> {
  let summary = "In a fused region, the piece's part of a tensor that it is handed whole";
  let description = [{
    The parts are equal ranges along dimension `dim`, one for each of `piece_of` pieces. Where a part of the operand is no run of memory, as the lanes of some output
    channels are not, the region takes the operand whole and its part of it: pieces may then be ranges of what is outermost in the result.

    * (C1) The result is the input, but that dimension `dim` is `piece_of` times smaller.

    ```mlir
    %y = resnet.part %x dim 1 piece_of 4 : tensor<8x64x16x3x3xf32> to tensor<8x16x16x3x3xf32>
    ```
  }];
  let role = "View";
  let arguments = (ins AnyRankedTensor:$input, I64Attr:$dim, I64Attr:$piece_of);
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$input `dim` $dim `piece_of` $piece_of attr-dict `:` type($input) `to` type($result)";
}

def Resnet_FusedOp : Resnet_Op<"fused", [Pure, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Ops that become one kernel, for each piece of the batch";
  let description = [{
    Runs its region once for each piece. An operand with dimension `d >= 0` in `dims` is cut into `pieces` equal parts along `d`, and the region sees one part; -1
    hands it over whole. Results are put together likewise. Parts along the rows of activations may overlap: with `overlaps`, one number an operand, the region sees
    so many rows more on either side of the part, zeros beyond the image. The region is isolated; its canonical print is the `KernelSpec` (dialects/Resnet/Spec.h).

    * (C1) There is at least one piece.
    * (C2) Each operand and result has a number in the dims and a value in the region.
    * (C3) The dimension exists, is static, and parts equally.
    * (C4) The region's values have the types of the pieces, layouts included.
    * (C5) With several pieces no result has dimension -1.
    * (C6) The region holds only ops that the interpreter can evaluate by themselves.
    * (C7) There are no overlaps, or one for each operand: positive only where dimension 2 of rank 4 is cut, and no larger than the operand's halo.
    * (C8) With several pieces, what must know which one it is in (`dropout`, `part`) is one of as many.
    * (C9) Elements are of the types that kernels know (support/ElementType.h).

    ```mlir
    %y:2 = resnet.fused(%x, %f) pieces 4 dims [0, -1] to [0, 0] : (tensor<8x64x56x56xf32>, tensor<64x64x3x3xf32>) -> (tensor<8x64x56x56xf32>, tensor<4x64xf32>) {
    ^bb0(%a: tensor<2x64x56x56xf32>, %b: tensor<64x64x3x3xf32>):
      %0 = resnet.conv2d %a, %b strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<2x64x56x56xf32>
      %1 = resnet.channel_sum %0 pieces 1 : (tensor<2x64x56x56xf32>) -> tensor<1x64xf32>
      resnet.yield %0, %1 : tensor<2x64x56x56xf32>, tensor<1x64xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, I64Attr:$pieces, DenseI64ArrayAttr:$operand_dims, DenseI64ArrayAttr:$result_dims,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$overlaps);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasVerifier = 1;
  let assemblyFormat = "`(` $inputs `)` `pieces` $pieces `dims` $operand_dims `to` $result_dims (`overlaps` $overlaps^)? attr-dict `:` functional-type($inputs, $outputs) $body";
}

def Resnet_YieldOp : Resnet_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["FusedOp"]>]> {
  let summary = "Ends a fused region";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let builders = [OpBuilder<(ins), [{ /* yields nothing */ }]>];
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif
