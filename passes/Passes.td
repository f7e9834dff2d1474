//===- Passes.td - Every pass: what it does, an example, its options -------===//

#ifndef RESIN_PASSES
#define RESIN_PASSES

include "mlir/Pass/PassBase.td"

class Resin_ModulePass<string flag> : Pass<flag, "::mlir::ModuleOp"> {
  let dependentDialects = ["::resin::resnet::ResnetDialect", "::mlir::func::FuncDialect"];
}

//===----------------------------------------------------------------------===//
// train: from the model to its entry functions
//===----------------------------------------------------------------------===//

def Specialize : Resin_ModulePass<"specialize"> {
  let summary = "Clone the model into the functions a program has, each with its batch";
  let description = [{
    `@model` says what the network computes for any batch. This pass makes `@train_step`, `@evaluate` and one
    `@predict_N` for each batch asked from it and infers all shapes anew. Batch norm parts: by the batch's own
    statistics in training, with the running averages moved along; by the running averages elsewhere. Dropout stays in
    training only. A softmax at the model's end is dropped: the loss, the rank and the program's output want logits.

    ```mlir
    func.func @model(%image: tensor<?x3x2x2xf32> ...) -> tensor<?x3xf32> {
      %z = resnet.batch_norm %image, %g, %b running @mean @var epsilon 1.0e-5 momentum 0.1 : ...
    // becomes
    func.func @train_step(%image: tensor<4x3x2x2xf32> ...) -> ... {
      %z, %batch_mean, %variance = resnet.batch_norm_train %image, %g, %b epsilon 1.0e-5 : ...
      %moved = resnet.running_average %old, %batch_mean momentum 0.1 factor 1.0 : ...
      resnet.write @mean, %moved : tensor<3xf32>
    func.func @predict_1(%image: tensor<1x3x2x2xf32> ...) -> ... {
      %z = resnet.batch_norm_inference %image, %g, %b, %m, %v epsilon 1.0e-5 : ...
    ```
  }];
  let statistics = [Statistic<"numFunctions", "num-functions", "Functions made of the model">];
  let options = [
    Option<"batch", "batch", "int64_t", "0", "Images of a training step; 0 takes the recipe's">,
    ListOption<"predictBatch", "predict-batch", "int64_t", "Batch sizes to make @predict_N for">];
}

def Differentiate : Resin_ModulePass<"differentiate"> {
  let summary = "Append the gradients of the mean loss to @train_step";
  let description = [{
    Reverse mode: from `cross_entropy_grad` (the mean over the batch) back through each op's own gradient rule, as far
    as parameters depend on. Gradients of a value that is used several times are added. The gradient of parameter `w`
    becomes the function's result named `gradient.w`.

    ```mlir
      %logits = resnet.linear %p, %w : ...
      %loss = resnet.cross_entropy %logits, %label label_smoothing 0.0 : ...
      return %loss, %rank : ...
    // becomes
      %d = resnet.cross_entropy_grad %logits, %label label_smoothing 0.0 factor 2.5e-1 : ...
      %dp = resnet.linear_grad_data %d, %w : ...
      return %loss, %rank, %df, %dw : ...
    ```
  }];
  let statistics = [Statistic<"numGradients", "num-gradients", "Parameters that got a gradient">];
}

def AppendOptimizer : Resin_ModulePass<"append-optimizer"> {
  let summary = "Turn the gradients into updates of the parameters, by the recipe's optimizer";
  let description = [{
    Every result `gradient.NAME` of `@train_step` is consumed by an update op. What the op says that it remembers
    (`UpdateOpInterface`) becomes slot variables `optimizer.STATE.NAME`, each `of` its parameter. Parameters and slots
    are written at the function's end, after everything has been read.

    ```mlir
      return %s, %dw, %db : ...
    // becomes
      %m = resnet.read @optimizer.momentum.w : tensor<5x3xf32>
      %p:2 = resnet.sgd %w, %dw, %m, %learning_rate momentum 0.9 nesterov true weight_decay 0.5 : ...
      resnet.write @w, %p#0 : tensor<5x3xf32>
      resnet.write @optimizer.momentum.w, %p#1 : tensor<5x3xf32>
      return %s : ...
    ```
  }];
  let statistics = [Statistic<"numUpdates", "num-updates", "Parameters that are updated">];
}

def FoldBatchNorm : Resin_ModulePass<"fold-batch-norm"> {
  let summary = "Fold batch norm into the convolution before it where statistics are fixed";
  let description = [{
    In `@evaluate` and `@predict_N`, batch norm is a multiplier and an addend for each channel: the multiplier goes into
    the filters, the addend becomes a bias. Batch norm behind anything but a convolution becomes `scale_shift`.

    ```mlir
      %y = resnet.conv2d %x, %w ... : ...
      %z = resnet.batch_norm_inference %y, %g, %b, %m, %v epsilon 1.0e-5 : ...
    // becomes
      %a:2 = resnet.inference_affine %g, %b, %m, %v epsilon 1.0e-5 : ...
      %f = resnet.scale_filter %w, %a#0 : ...
      %y = resnet.conv2d %x, %f ... : ...
      %z = resnet.add_bias %y, %a#1 : ...
    ```
  }];
  let statistics = [Statistic<"numFolded", "num-folded", "Batch norms folded into a convolution">];
}

def TransformFilters : Resin_ModulePass<"transform-filters"> {
  let summary = "Bring the filters of one image's 3x3 convolutions to Winograd's points beforehand";
  let description = [{
    In `@predict_1`, where a filter meets a few tiles only, its transform would be a large part of every call. A model
    of arithmetic and of the filter's bytes picks the form for each convolution; `numerics = strict` of the recipe
    allows F(2x2, 3x3) only. `hoist-prepare` then moves the transform to `@prepare`.

    ```mlir
      %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : ...
    // becomes
      %u = resnet.winograd_filter %f tile 4 : ...
      %y = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1] : ...
    ```
  }];
  let statistics = [Statistic<"numTransformed", "num-transformed",
                              "Convolutions whose filters are transformed beforehand">];
}

def HoistPrepare : Resin_ModulePass<"hoist-prepare"> {
  let summary = "Compute what depends on variables alone once, in @prepare";
  let description = [{
    What `@evaluate` and `@predict_N` compute from variables only is moved to `@prepare`, which the program calls after
    its weights changed, and handed over in variables `prepared.N`. Functions that need the same expression share the
    variable.

    ```mlir
    func.func @predict_1(%x: ...) -> ... {
      %f = resnet.read @f : ...
      %g = resnet.read @g : ...
      %s = resnet.scale_filter %f, %g : ...
    // becomes
    func.func @predict_1(%x: ...) -> ... {
      %s = resnet.read @prepared.0 : ...
    func.func @prepare() {
      %s = resnet.scale_filter %f, %g : ...
      resnet.write @prepared.0, %s : ...
    ```
  }];
  let statistics = [Statistic<"numPrepared", "num-prepared", "Values that @prepare hands over">];
}

def DecomposeBatchNorm : Resin_ModulePass<"decompose-batch-norm"> {
  let summary = "Cut training's batch norm into sums, a little arithmetic and an affine map";
  let description = [{
    The sums can then ride in the epilogue of whatever makes their operand, and the affine map with what reads its
    result. The sums come in one row for each piece of the batch (passes/Pieces.h).

    ```mlir
      %z, %mean, %variance = resnet.batch_norm_train %y, %g, %b epsilon 1.0e-5 : ...
    // becomes
      %sum = resnet.channel_sum %y pieces 2 : ...
      %squares = resnet.channel_dot %y, %y pieces 2 : ...
      %multiplier, %addend, %mean, %variance = resnet.batch_norm_finalize %sum, %squares, %g, %b ...
      %z = resnet.scale_shift %y, %multiplier, %addend : ...
    ```
    The gradient likewise: `channel_sum` and `channel_dot`, `batch_norm_grad_finalize`, `affine_combine`.
  }];
  let statistics = [Statistic<"numDecomposed", "num-decomposed", "Batch norms and their gradients cut up">];
}

def RebuildActivations : Resin_ModulePass<"rebuild-activations"> {
  let summary = "Let the gradient compute normalised activations again instead of keeping them";
  let description = [{
    What a batch norm and an activation make of `y` is computed anew in front of each op of the backward half that reads
    it. `y` is kept for the gradient of the batch norm in any case, so that half of what a step keeps goes away. An
    activation whose gradient reads its input alone is made again from that. Functions with
    `resnet.fusion = {rebuild = 0 : i64}` are left alone.

    ```mlir
      %z = resnet.relu %n : ...
      %df = resnet.conv2d_grad_weight %z, %dy ...
      %dn = resnet.relu_grad %dz, %z : ...
    // becomes
      %z = resnet.relu %n : ...
      %n2 = resnet.scale_shift %y, %m, %a : ...
      %z2 = resnet.relu %n2 : ...
      %df = resnet.conv2d_grad_weight %z2, %dy ...
      %n3 = resnet.scale_shift %y, %m, %a : ...
      %dn = resnet.relu_grad %dz, %n3 : ...
    ```
  }];
  let statistics = [Statistic<"numRebuilt", "num-rebuilt", "Readers that got an activation of their own">];
}

//===----------------------------------------------------------------------===//
// layout and fused: where elements stand, and what becomes one kernel
//===----------------------------------------------------------------------===//

def AssignLayouts : Resin_ModulePass<"assign-layouts"> {
  let summary = "Give every value and variable its layout in memory";
  let description = [{
    Activations are blocked by 16 channels, with as many zeros around as their readers look beyond the edge; images stay
    planar for the stem; filters are blocked by 16 output (and input) channels. Where an op wants another order (the
    data gradient reads filters transposed) a `relayout` is inserted.

    ```mlir
      %z = resnet.add_bias %x, %b : (tensor<2x16x4x4xf32>, tensor<16xf32>) -> tensor<2x16x4x4xf32>
      %y = resnet.conv2d %z, %f strides [1, 1] padding [1, 1, 1, 1] ...
      %dz = resnet.conv2d_grad_data %dy, %f ...
    // becomes
      %z = resnet.add_bias %x, %b : ... -> tensor<2x16x4x4xf32, #resnet.layout<c16, halo = 1>>
      %y = resnet.conv2d %z, %f strides [1, 1] padding [1, 1, 1, 1] ... -> tensor<2x32x4x4xf32, #resnet.layout<c16>>
      %t = resnet.relayout %f : ... to tensor<32x16x3x3xf32, #resnet.layout<c16k16>>
      %dz = resnet.conv2d_grad_data %dy, %t ...
    ```
  }];
  let statistics = [Statistic<"numRelayouts", "num-relayouts", "Values that two ops want in different orders">];
}

def Fuse : Resin_ModulePass<"fuse"> {
  let summary = "Gather ops into the regions that become kernels, and cut those into pieces";
  let description = [{
    A region has at most one anchor (a convolution, a pool, a matrix product); pointwise ops behind it and reductions of
    what they make ride along, as long as no path leaves the region and comes back. Afterwards functions hold nothing
    but `read`, `fused`, `write` and `return`. What a function's `resnet.fusion` says (machine/FusionKnobs.h) decides
    which data gradients have riders, and how finely is cut.

    ```mlir
      %y = resnet.conv2d %x, %f ... : ...
      %z = resnet.add_bias %y, %b : ...
      %j = resnet.add %z, %x : ...
      %r = resnet.relu %j : ...
    // becomes
      %r = resnet.fused(%x, %f, %b, %x) pieces 2 dims [-1, 0, 0, 1] to [1] : ... {
      ^bb0(%whole: ..., %f: ..., %b: ..., %x: ...):
        %y = resnet.conv2d %whole, %f ... : ...
        %z = resnet.add_bias %y, %b : ...
        %j = resnet.add %z, %x : ...
        %r = resnet.relu %j : ...
        resnet.yield %r : ...
      }
    ```
  }];
  let options = [
    Option<"mostLanes", "most-lanes", "int64_t", "0",
           "Lanes of a filter's gradient that may run behind the pieces of what they read; 0: as the target's cut "
           "policy says">];
  let statistics = [Statistic<"numFused", "num-fused", "Regions made">];
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

def VerifyPhase : Resin_ModulePass<"verify-phase"> {
  let summary = "Check what a phase promises to the next";
  let description = [{
    `phase=train`: the entry functions exist, shapes are static, no op is left that has a training and an inference
    form. `phase=layout`: every value has its layout and convolutions the zeros they read around their operand.
    `phase=fused`: functions hold nothing but `read`, `fused`, `write` and `return`.

    ```mlir
    func.func @train_step(%x: tensor<4x4xf32>) {
      %z = resnet.relu %x : (tensor<4x4xf32>) -> tensor<4x4xf32>
    // is refused: must be in a resnet.fused after the fused phase
    ```
  }];
  let options = [Option<"phase", "phase", "std::string", "\"\"", "The phase that has just ended">];
}

#endif
