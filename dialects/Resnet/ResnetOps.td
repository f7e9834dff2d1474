//===- ResnetOps.td - The ops of the resnet dialect ------------------------===//

#ifndef RESNET_OPS
#define RESNET_OPS

include "ResnetDialect.td"
include "ResnetInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Resnet_Op<string mnemonic, list<Trait> traits = []> : Op<Resnet_Dialect, mnemonic, traits>;

// Result types are those that inference gives, up to layouts. Stands before InferTypeOpInterface in the list of traits, so that a mistake is told once.
def Resnet_InferredTypes : NativeOpTrait<"InferredTypes"> {
  let cppNamespace = "::resin::resnet";
}

// An op that is a function of its operands: it infers its result types (and checks its constraints while it does), has plain loops, and takes part in
// fusion as `role` says (KernelRole in Resnet.h).
class Resnet_ValueOp<string mnemonic, string role, list<Trait> traits = []>
    : Resnet_Op<mnemonic, !listconcat([Pure, Resnet_InferredTypes, InferTypeOpAdaptor, DeclareOpInterfaceMethods<Resnet_Evaluate>,
                                       DeclareOpInterfaceMethods<Resnet_Kernel>], traits)> {
  let extraClassDeclaration = [{
    ::resin::resnet::KernelRole kernelRole() { return ::resin::resnet::KernelRole::}] # role # [{; }
    static bool isCompatibleReturnTypes(::mlir::TypeRange lhs, ::mlir::TypeRange rhs) { return ::resin::resnet::sameUpToLayout(lhs, rhs); }
  }];
}
defvar Differentiable = DeclareOpInterfaceMethods<Resnet_Gradient>;

def Activation : RankedTensorOf<[F32, F64]>;  // [n, c, h, w] (rank 4) or [n, features]
def Filter : RankedTensorOf<[F32, F64]>;      // [k, c, r, s] or [out, in]
def ChannelVector : RankedTensorOf<[F32, F64]>; // [c]
def Scalar : RankedTensorOf<[F32, F64]>;      // rank 0
def Floats : RankedTensorOf<[F32, F64]>;
def Labels : RankedTensorOf<[I32]>;           // [n]; -1 is padding
def Seed : RankedTensorOf<[I32]>;             // [2]

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

def Resnet_VariableOp : Resnet_Op<"variable", [Symbol]> {
  let summary = "A named tensor that lives as long as the program";
  // role: "parameter", "statistic", "slot" or "prepared"; init as in docs/Manifest.md, e.g. {name = "he_normal", fan = 27 : i64}.
  // decay = false keeps weight decay off.
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, StrAttr:$role, DictionaryAttr:$init, UnitAttr:$no_decay);
  let hasVerifier = 1;
  let assemblyFormat = "$role $sym_name `:` $type `init` $init (`no_decay` $no_decay^)? attr-dict";
}

def Resnet_ReadOp : Resnet_Op<"read", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The variable's present value";
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$variable attr-dict `:` type($result)";
}

def Resnet_WriteOp : Resnet_Op<"write", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Gives the variable a new value";
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
  let arguments = !con((ins Activation:$input, Filter:$filter), ConvWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $filter `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups attr-dict `:` functional-type(operands, results)";
}

def Resnet_Conv2dGradDataOp : Resnet_ConvOp<"conv2d_grad_data"> {
  let summary = "Gradient of a convolution with respect to its input";
  // size = [h, w] of the input: with strides, several inputs give one output.
  let arguments = !con((ins Activation:$gradient, Filter:$filter, DenseI64ArrayAttr:$size), ConvWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $filter `size` $size `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups attr-dict `:` functional-type(operands, results)";
}

def Resnet_Conv2dGradWeightOp : Resnet_ConvOp<"conv2d_grad_weight"> {
  let summary = "Gradient of a convolution with respect to its filters, summed over the images";
  // kernel = [r, s]. With `lane` the result has a leading dimension of one, along which the lanes of a fused op are put together.
  let arguments = !con((ins Activation:$input, Activation:$gradient, DenseI64ArrayAttr:$kernel, UnitAttr:$lane), ConvWindow);
  let results = (outs Filter:$result);
  let assemblyFormat = "$input `,` $gradient `kernel` $kernel `strides` $strides `padding` $padding `dilations` $dilations `groups` $groups (`lane` $lane^)? attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Batch norm
//===----------------------------------------------------------------------===//

// What the model says: which statistics it uses depends on the function it ends up in. `specialize` turns it into batch_norm_train + running averages
// (in @train_step) or batch_norm_inference (in @evaluate and @predict).
def Resnet_BatchNormOp : Resnet_Op<"batch_norm", [Resnet_InferredTypes, InferTypeOpAdaptor, MemoryEffects<[MemRead, MemWrite]>,
                                                  DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Normalises each channel: the form before training and inference part";
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
  let arguments = (ins Activation:$input, ChannelVector:$scale, ChannelVector:$offset, F64Attr:$epsilon);
  let results = (outs Activation:$result, ChannelVector:$mean, ChannelVector:$variance);
  let assemblyFormat = "$input `,` $scale `,` $offset `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_BatchNormGradOp : Resnet_ValueOp<"batch_norm_grad", "Alone"> {
  let summary = "Gradients of batch_norm_train: of its input, scale and offset";
  let arguments = (ins Activation:$gradient, Activation:$input, ChannelVector:$scale, ChannelVector:$mean, ChannelVector:$variance, F64Attr:$epsilon);
  let results = (outs Activation:$input_gradient, ChannelVector:$scale_gradient, ChannelVector:$offset_gradient);
  let assemblyFormat = "$gradient `,` $input `,` $scale `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_BatchNormInferenceOp : Resnet_ValueOp<"batch_norm_inference", "Pointwise"> {
  let summary = "Normalises by given statistics";
  let arguments = (ins Activation:$input, ChannelVector:$scale, ChannelVector:$offset, ChannelVector:$mean, ChannelVector:$variance, F64Attr:$epsilon);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $scale `,` $offset `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

// new = (1 - momentum) * old + momentum * value * factor, with factor = count / (count - 1) for a variance (PyTorch), 1 for a mean.
def Resnet_RunningAverageOp : Resnet_ValueOp<"running_average", "Alone"> {
  let summary = "Moves a running statistic towards the batch's";
  let arguments = (ins ChannelVector:$old, ChannelVector:$value, F64Attr:$momentum, F64Attr:$factor);
  let results = (outs ChannelVector:$result);
  let assemblyFormat = "$old `,` $value `momentum` $momentum `factor` $factor attr-dict `:` functional-type(operands, results)";
}

// ---- the pieces batch norm is made of once it is cut for fusion (design: Ioffe and Szegedy 2015, and its backward as an affine map)

// Row p holds the sums over images [p*n/pieces, (p+1)*n/pieces) and over all pixels.
def Resnet_ChannelSumOp : Resnet_ValueOp<"channel_sum", "Reduction"> {
  let summary = "Sum of each channel, one row for each piece of the batch";
  let arguments = (ins Activation:$input, I64Attr:$pieces);
  let results = (outs Floats:$result); // [pieces, c]
  let assemblyFormat = "$input `pieces` $pieces attr-dict `:` functional-type(operands, results)";
}

def Resnet_ChannelDotOp : Resnet_ValueOp<"channel_dot", "Reduction"> {
  let summary = "Sum of a product over each channel, one row for each piece of the batch";
  let arguments = (ins Activation:$lhs, Activation:$rhs, I64Attr:$pieces);
  let results = (outs Floats:$result); // [pieces, c]
  let assemblyFormat = "$lhs `,` $rhs `pieces` $pieces attr-dict `:` functional-type(operands, results)";
}

// From the sums of y and y^2: mean, biased variance, and the affine map multiplier = scale / sqrt(variance + epsilon), addend = offset - mean * multiplier.
def Resnet_BatchNormFinalizeOp : Resnet_ValueOp<"batch_norm_finalize", "Alone"> {
  let summary = "From partial sums to batch norm's affine map, in double";
  let arguments = (ins Floats:$sum, Floats:$sum_of_squares, ChannelVector:$scale, ChannelVector:$offset, F64Attr:$count, F64Attr:$epsilon);
  let results = (outs ChannelVector:$multiplier, ChannelVector:$addend, ChannelVector:$mean, ChannelVector:$variance);
  let assemblyFormat = "$sum `,` $sum_of_squares `,` $scale `,` $offset `count` $count `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

// From the sums of dz and dz*y: dy = a*dz + b*y + c, and the gradients of scale and offset.
def Resnet_BatchNormGradFinalizeOp : Resnet_ValueOp<"batch_norm_grad_finalize", "Alone"> {
  let summary = "From partial sums to the affine map of batch norm's gradient, in double";
  let arguments = (ins Floats:$sum, Floats:$dot, ChannelVector:$scale, ChannelVector:$mean, ChannelVector:$variance, F64Attr:$count, F64Attr:$epsilon);
  let results = (outs ChannelVector:$a, ChannelVector:$b, ChannelVector:$c, ChannelVector:$scale_gradient, ChannelVector:$offset_gradient);
  let assemblyFormat = "$sum `,` $dot `,` $scale `,` $mean `,` $variance `count` $count `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_ScaleShiftOp : Resnet_ValueOp<"scale_shift", "Pointwise"> {
  let summary = "x * multiplier + addend, by channel";
  let arguments = (ins Activation:$input, ChannelVector:$multiplier, ChannelVector:$addend);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $multiplier `,` $addend attr-dict `:` functional-type(operands, results)";
}

def Resnet_AffineCombineOp : Resnet_ValueOp<"affine_combine", "Pointwise"> {
  let summary = "a*x + b*y + c, by channel";
  let arguments = (ins Activation:$x, Activation:$y, ChannelVector:$a, ChannelVector:$b, ChannelVector:$c);
  let results = (outs Activation:$result);
  let assemblyFormat = "$x `,` $y `,` $a `,` $b `,` $c attr-dict `:` functional-type(operands, results)";
}

// ---- folding batch norm into the convolution before it, for inference

// multiplier = scale / sqrt(variance + epsilon), addend = offset - mean * multiplier
def Resnet_InferenceAffineOp : Resnet_ValueOp<"inference_affine", "Alone"> {
  let summary = "Batch norm's affine map from running statistics";
  let arguments = (ins ChannelVector:$scale, ChannelVector:$offset, ChannelVector:$mean, ChannelVector:$variance, F64Attr:$epsilon);
  let results = (outs ChannelVector:$multiplier, ChannelVector:$addend);
  let assemblyFormat = "$scale `,` $offset `,` $mean `,` $variance `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Resnet_ScaleFilterOp : Resnet_ValueOp<"scale_filter", "Alone"> {
  let summary = "Multiplies each output channel's filter";
  let arguments = (ins Filter:$filter, ChannelVector:$multiplier);
  let results = (outs Filter:$result);
  let assemblyFormat = "$filter `,` $multiplier attr-dict `:` functional-type(operands, results)";
}

def Resnet_ScaleAddOp : Resnet_ValueOp<"scale_add", "Alone"> {
  let summary = "x * multiplier + addend of channel vectors: a convolution's bias through batch norm";
  let arguments = (ins ChannelVector:$x, ChannelVector:$multiplier, ChannelVector:$addend);
  let results = (outs ChannelVector:$result);
  let assemblyFormat = "$x `,` $multiplier `,` $addend attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Pointwise
//===----------------------------------------------------------------------===//

def Resnet_ReluOp : Resnet_ValueOp<"relu", "Pointwise", [Differentiable]> {
  let summary = "max(x, 0)";
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

// gradient where activation > 0, else 0. `activation` is relu's result or its input: the mask is the same.
def Resnet_ReluGradOp : Resnet_ValueOp<"relu_grad", "Pointwise"> {
  let summary = "The gradient where the activation is positive";
  let arguments = (ins Activation:$gradient, Activation:$activation);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $activation attr-dict `:` functional-type(operands, results)";
}

def Resnet_AddOp : Resnet_ValueOp<"add", "Pointwise", [Differentiable, Commutative]> {
  let summary = "The residual join: x + y";
  let arguments = (ins Activation:$lhs, Activation:$rhs);
  let results = (outs Activation:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def Resnet_AddBiasOp : Resnet_ValueOp<"add_bias", "Pointwise", [Differentiable]> {
  let summary = "x + bias, by channel (rank 4) or by feature (rank 2)";
  let arguments = (ins Activation:$input, ChannelVector:$bias);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $bias attr-dict `:` functional-type(operands, results)";
}

// Keeps an element with probability 1 - rate and divides it by that. The mask is Philox4x32-10 keyed by `seed`, counter (element index / 4, layer).
// Its gradient is the same op on the gradient. `specialize` removes it outside training.
def Resnet_DropoutOp : Resnet_ValueOp<"dropout", "Alone", [Differentiable]> {
  let summary = "Zeroes elements at random in training";
  let arguments = (ins Activation:$input, Seed:$seed, F64Attr:$rate, I64Attr:$layer);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $seed `rate` $rate `layer` $layer attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Pools and shape
//===----------------------------------------------------------------------===//

class Resnet_PoolOp<string mnemonic, list<Trait> traits = []> : Resnet_ValueOp<mnemonic, "Anchor", traits>;
// padding = [top, left, bottom, right]
defvar PoolWindow = (ins DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$padding);

def Resnet_MaxPoolOp : Resnet_PoolOp<"max_pool", [Differentiable]> {
  let summary = "Maximum over sliding windows of each channel";
  let arguments = !con((ins Activation:$input), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `kernel` $kernel `strides` $strides `padding` $padding attr-dict `:` functional-type(operands, results)";
}

def Resnet_MaxPoolGradOp : Resnet_PoolOp<"max_pool_grad"> {
  let summary = "Sends each window's gradient to its first maximum";
  let arguments = !con((ins Activation:$gradient, Activation:$input), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $input `kernel` $kernel `strides` $strides `padding` $padding attr-dict `:` functional-type(operands, results)";
}

def Resnet_AvgPoolOp : Resnet_PoolOp<"avg_pool", [Differentiable]> {
  let summary = "Mean over sliding windows of each channel";
  // count_include_pad: padding counts in the divisor (PyTorch's default) or not (Keras).
  let arguments = !con((ins Activation:$input, BoolAttr:$count_include_pad), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `kernel` $kernel `strides` $strides `padding` $padding `count_include_pad` $count_include_pad attr-dict `:` functional-type(operands, results)";
}

def Resnet_AvgPoolGradOp : Resnet_PoolOp<"avg_pool_grad"> {
  let summary = "Spreads each window's gradient evenly";
  let arguments = !con((ins Activation:$gradient, DenseI64ArrayAttr:$size, BoolAttr:$count_include_pad), PoolWindow);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `size` $size `kernel` $kernel `strides` $strides `padding` $padding `count_include_pad` $count_include_pad attr-dict `:` functional-type(operands, results)";
}

def Resnet_GlobalAvgPoolOp : Resnet_ValueOp<"global_avg_pool", "Anchor", [Differentiable]> {
  let summary = "Mean of each channel: [n, c, h, w] -> [n, c]";
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_GlobalAvgPoolGradOp : Resnet_ValueOp<"global_avg_pool_grad", "Anchor"> {
  let summary = "Spreads a channel's gradient over its pixels";
  let arguments = (ins Activation:$gradient, DenseI64ArrayAttr:$size);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `size` $size attr-dict `:` functional-type(operands, results)";
}

def Resnet_FlattenOp : Resnet_ValueOp<"flatten", "Alone", [Differentiable]> {
  let summary = "[n, c, h, w] -> [n, c*h*w], row-major";
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_UnflattenOp : Resnet_ValueOp<"unflatten", "Alone"> {
  let summary = "[n, c*h*w] -> [n, c, h, w]: flatten's inverse and gradient";
  let arguments = (ins Activation:$input, DenseI64ArrayAttr:$size); // [c, h, w]
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `size` $size attr-dict `:` functional-type(operands, results)";
}

// With pad_channels, the parameter-free shortcut of He et al. 2015, option A.
def Resnet_SubsampleOp : Resnet_ValueOp<"subsample", "Alone", [Differentiable]> {
  let summary = "Every stride-th row and column";
  let arguments = (ins Activation:$input, I64Attr:$stride);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `stride` $stride attr-dict `:` functional-type(operands, results)";
}

def Resnet_SubsampleGradOp : Resnet_ValueOp<"subsample_grad", "Alone"> {
  let summary = "Every stride-th row and column gets the gradient, the others zero";
  let arguments = (ins Activation:$gradient, I64Attr:$stride, DenseI64ArrayAttr:$size);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `stride` $stride `size` $size attr-dict `:` functional-type(operands, results)";
}

def Resnet_PadChannelsOp : Resnet_ValueOp<"pad_channels", "Alone", [Differentiable]> {
  let summary = "Appends channels of zeros";
  let arguments = (ins Activation:$input, I64Attr:$channels); // of the result
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `channels` $channels attr-dict `:` functional-type(operands, results)";
}

def Resnet_TakeChannelsOp : Resnet_ValueOp<"take_channels", "Alone"> {
  let summary = "The first channels: pad_channels' gradient";
  let arguments = (ins Activation:$input, I64Attr:$channels);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `channels` $channels attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Dense layers and losses
//===----------------------------------------------------------------------===//

def Resnet_LinearOp : Resnet_ValueOp<"linear", "Anchor", [Differentiable]> {
  let summary = "x * transpose(weight): [n, in] x [out, in] -> [n, out]";
  let arguments = (ins Activation:$input, Filter:$weight);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input `,` $weight attr-dict `:` functional-type(operands, results)";
}

def Resnet_LinearGradDataOp : Resnet_ValueOp<"linear_grad_data", "Anchor"> {
  let summary = "gradient * weight: [n, out] x [out, in] -> [n, in]";
  let arguments = (ins Activation:$gradient, Filter:$weight);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $weight attr-dict `:` functional-type(operands, results)";
}

def Resnet_LinearGradWeightOp : Resnet_ValueOp<"linear_grad_weight", "Anchor"> {
  let summary = "transpose(gradient) * input: [out, in]";
  let arguments = (ins Activation:$gradient, Activation:$input);
  let results = (outs Filter:$result);
  let assemblyFormat = "$gradient `,` $input attr-dict `:` functional-type(operands, results)";
}

def Resnet_BatchSumOp : Resnet_ValueOp<"batch_sum", "Alone"> {
  let summary = "Sum over the leading dimension: a bias's gradient, and the end of partial sums";
  let arguments = (ins Floats:$input);
  let results = (outs Floats:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_SoftmaxOp : Resnet_ValueOp<"softmax", "Alone", [Differentiable]> {
  let summary = "exp(x - max) / sum, over classes";
  let arguments = (ins Activation:$input);
  let results = (outs Activation:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Resnet_SoftmaxGradOp : Resnet_ValueOp<"softmax_grad", "Alone"> {
  let summary = "s * (g - sum(g * s))";
  let arguments = (ins Activation:$gradient, Activation:$softmax);
  let results = (outs Activation:$result);
  let assemblyFormat = "$gradient `,` $softmax attr-dict `:` functional-type(operands, results)";
}

// Of image n: -sum_c q_c log p_c with p = softmax(logits) and q = (1 - s) onehot(label) + s / classes; zero where label is -1.
def Resnet_CrossEntropyOp : Resnet_ValueOp<"cross_entropy", "Alone"> {
  let summary = "Softmax cross entropy of each image against its label, with label smoothing";
  let arguments = (ins Activation:$logits, Labels:$labels, F64Attr:$label_smoothing);
  let results = (outs Floats:$result); // [n]
  let assemblyFormat = "$logits `,` $labels `label_smoothing` $label_smoothing attr-dict `:` functional-type(operands, results)";
}

// (p - q) * factor; `factor` is 1 / batch for the mean loss.
def Resnet_CrossEntropyGradOp : Resnet_ValueOp<"cross_entropy_grad", "Alone"> {
  let summary = "Gradient of the mean cross entropy with respect to the logits";
  let arguments = (ins Activation:$logits, Labels:$labels, F64Attr:$label_smoothing, F64Attr:$factor);
  let results = (outs Activation:$result);
  let assemblyFormat = "$logits `,` $labels `label_smoothing` $label_smoothing `factor` $factor attr-dict `:` functional-type(operands, results)";
}

def Resnet_LabelRankOp : Resnet_ValueOp<"label_rank", "Alone"> {
  let summary = "How many classes stand before the label's: 0 is a top-1 hit";
  let arguments = (ins Activation:$logits, Labels:$labels);
  let results = (outs Labels:$result); // [n]
  let assemblyFormat = "$logits `,` $labels attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Optimizers: PyTorch's formulas; `learning_rate` and `step` (from 1) are scalars of the run
//===----------------------------------------------------------------------===//

class Resnet_OptimizerOp<string mnemonic> : Resnet_ValueOp<mnemonic, "Alone">;

def Resnet_SgdOp : Resnet_OptimizerOp<"sgd"> {
  let summary = "Stochastic gradient descent with momentum and weight decay; with momentum 0 the slot passes through";
  // g += weight_decay * p; m = momentum * m + (1 - dampening) * g (PyTorch starts m at the first g: with dampening 0 that is m = 0 before);
  // p -= lr * (nesterov ? g + momentum * m : m)
  let arguments = (ins Floats:$parameter, Floats:$gradient, Floats:$velocity, Scalar:$learning_rate, F64Attr:$momentum, BoolAttr:$nesterov, F64Attr:$weight_decay);
  let results = (outs Floats:$new_parameter, Floats:$new_velocity);
  let assemblyFormat = "$parameter `,` $gradient `,` $velocity `,` $learning_rate `momentum` $momentum `nesterov` $nesterov `weight_decay` $weight_decay attr-dict `:` functional-type(operands, results)";
}

def Resnet_AdamOp : Resnet_OptimizerOp<"adam"> {
  let summary = "Adam (Kingma and Ba 2015); decoupled weight decay makes it AdamW (Loshchilov and Hutter 2019)";
  let arguments = (ins Floats:$parameter, Floats:$gradient, Floats:$first, Floats:$second, Scalar:$learning_rate, Scalar:$step,
                       F64Attr:$beta1, F64Attr:$beta2, F64Attr:$epsilon, F64Attr:$weight_decay, BoolAttr:$decoupled);
  let results = (outs Floats:$new_parameter, Floats:$new_first, Floats:$new_second);
  let assemblyFormat = "$parameter `,` $gradient `,` $first `,` $second `,` $learning_rate `,` $step `beta1` $beta1 `beta2` $beta2 `epsilon` $epsilon `weight_decay` $weight_decay `decoupled` $decoupled attr-dict `:` functional-type(operands, results)";
}

def Resnet_RmspropOp : Resnet_OptimizerOp<"rmsprop"> {
  let summary = "RMSprop (Tieleman and Hinton 2012), with momentum";
  let arguments = (ins Floats:$parameter, Floats:$gradient, Floats:$square, Floats:$velocity, Scalar:$learning_rate,
                       F64Attr:$alpha, F64Attr:$epsilon, F64Attr:$momentum, F64Attr:$weight_decay);
  let results = (outs Floats:$new_parameter, Floats:$new_square, Floats:$new_velocity);
  let assemblyFormat = "$parameter `,` $gradient `,` $square `,` $velocity `,` $learning_rate `alpha` $alpha `epsilon` $epsilon `momentum` $momentum `weight_decay` $weight_decay attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Layout and fusion
//===----------------------------------------------------------------------===//

def Resnet_RelayoutOp : Resnet_Op<"relayout", [Pure, DeclareOpInterfaceMethods<Resnet_Evaluate>, DeclareOpInterfaceMethods<Resnet_Kernel>]> {
  let summary = "The same tensor in another layout";
  let arguments = (ins AnyRankedTensor:$input);
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
}

// Runs its region once for each piece. An operand with slice dimension d (>= 0) is cut into `pieces` equal parts along d and the region sees one part; -1 hands
// it over whole. Results are put together likewise; -1 is only legal with one piece.
def Resnet_FusedOp : Resnet_Op<"fused", [Pure, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Ops that become one kernel, for each piece of the batch";
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, I64Attr:$pieces, DenseI64ArrayAttr:$operand_dims, DenseI64ArrayAttr:$result_dims);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasVerifier = 1;
  let assemblyFormat = "`(` $inputs `)` `pieces` $pieces `dims` $operand_dims `to` $result_dims attr-dict `:` functional-type($inputs, $outputs) $body";
}

def Resnet_YieldOp : Resnet_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["FusedOp"]>]> {
  let summary = "Ends a fused region";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let builders = [OpBuilder<(ins), [{ /* yields nothing */ }]>];
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif
