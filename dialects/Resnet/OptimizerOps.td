//===- OptimizerOps.td - How parameters move: PyTorch's formulas ----------===//

#ifndef RESNET_OPTIMIZER_OPS
#define RESNET_OPTIMIZER_OPS

include "ResnetOpBase.td"

// `learning_rate` and `step` (from 1) are scalars of the run.
// Elementwise, unless it says otherwise: a step that needs the norm of the whole parameter is not.
class Resnet_OptimizerOp<string mnemonic>
    : Resnet_ValueOp<mnemonic, "Update", [DeclareOpInterfaceMethods<Resnet_Update>]> {
  let elementwise = 1;
}

def Resnet_SgdOp : Resnet_OptimizerOp<"sgd"> {
  let summary = "Stochastic gradient descent with momentum and weight decay; with momentum 0 the slot passes through";
  let description = [{
    `g' = g + weight_decay * p`, `v' = momentum * v + g'` (from `v = 0`, PyTorch's start), `p' = p - lr * (nesterov ? g'
    + momentum * v' : v')`. With momentum 0 it is `p' = p - lr * g'` and the slot passes through.

    * (C1) Parameter, gradient and slots have one shape and element type; learning rate and step are scalars.
    * (C2) `momentum` is from 0 to below 1, `weight_decay` from 0 on.

    ```mlir
    %q, %u = resnet.sgd %p, %g, %v, %lr momentum 0.9 nesterov false weight_decay 1.0e-4
        : (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<f32>)
        -> (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>)
    ```
  }];
  let operations = 6;
  let arguments = (ins Floats:$parameter, Floats:$gradient, Floats:$velocity, Positive:$learning_rate,
                   F64Attr:$momentum, BoolAttr:$nesterov, F64Attr:$weight_decay);
  let results = (outs Floats:$new_parameter, Floats:$new_velocity);
  let assemblyFormat = [{
    $parameter `,` $gradient `,` $velocity `,` $learning_rate `momentum` $momentum `nesterov` $nesterov `weight_decay`
    $weight_decay attr-dict `:` functional-type(operands, results)
  }];
}

def Resnet_AdamOp : Resnet_OptimizerOp<"adam"> {
  let summary = "Adam (Kingma and Ba 2015); decoupled weight decay makes it AdamW (Loshchilov and Hutter 2019)";
  let description = [{
    `m' = beta1 * m + (1 - beta1) * g`, `s' = beta2 * s + (1 - beta2) * g * g`, `p' = p - lr / (1 - beta1^step) * m' /
    (sqrt(s') / sqrt(1 - beta2^step) + epsilon)`. Weight decay adds `weight_decay * p` to `g`, or, decoupled, multiplies
    `p` by `1 - lr * weight_decay` beforehand.

    * (C1) Parameter, gradient and slots have one shape and element type; learning rate and step are scalars.
    * (C2) `beta1` and `beta2` are from 0 to below 1, `epsilon` and `weight_decay` from 0 on.

    ```mlir
    %q, %m1, %s1 = resnet.adam %p, %g, %m, %s, %lr, %step beta1 0.9 beta2 0.999 epsilon 1.0e-8 weight_decay 0.0
        decoupled false
        : (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<f32>,
          tensor<f32>)
        -> (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>)
    ```
  }];
  let operations = 12;
  let arguments = (ins Floats:$parameter, Floats:$gradient, Floats:$first, Positive:$second, Positive:$learning_rate,
                   Step:$step, F64Attr:$beta1, F64Attr:$beta2, F64Attr:$epsilon, F64Attr:$weight_decay,
                   BoolAttr:$decoupled);
  let results = (outs Floats:$new_parameter, Floats:$new_first, Floats:$new_second);
  let assemblyFormat = [{
    $parameter `,` $gradient `,` $first `,` $second `,` $learning_rate `,` $step `beta1` $beta1 `beta2` $beta2 `epsilon`
    $epsilon `weight_decay` $weight_decay `decoupled` $decoupled attr-dict `:` functional-type(operands, results)
  }];
}

def Resnet_RmspropOp : Resnet_OptimizerOp<"rmsprop"> {
  let summary = "RMSprop (Tieleman and Hinton 2012), with momentum";
  let description = [{
    `g' = g + weight_decay * p`, `s' = alpha * s + (1 - alpha) * g' * g'`, `v' = momentum * v + g' / (sqrt(s') +
    epsilon)`, `p' = p - lr * v'`. With momentum 0 the slot `v` passes through.

    * (C1) Parameter, gradient and slots have one shape and element type; learning rate and step are scalars.
    * (C2) `alpha` and `momentum` are from 0 to below 1, `epsilon` and `weight_decay` from 0 on.

    ```mlir
    %q, %s1, %v1 = resnet.rmsprop %p, %g, %s, %v, %lr alpha 0.99 epsilon 1.0e-8 momentum 0.0 weight_decay 0.0
        : (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<f32>)
        -> (tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>, tensor<64x3x7x7xf32>)
    ```
  }];
  let operations = 10;
  let arguments = (ins Floats:$parameter, Floats:$gradient, Positive:$square, Floats:$velocity, Positive:$learning_rate,
                       F64Attr:$alpha, F64Attr:$epsilon, F64Attr:$momentum, F64Attr:$weight_decay);
  let results = (outs Floats:$new_parameter, Floats:$new_square, Floats:$new_velocity);
  let assemblyFormat = [{
    $parameter `,` $gradient `,` $square `,` $velocity `,` $learning_rate `alpha` $alpha `epsilon` $epsilon `momentum`
    $momentum `weight_decay` $weight_decay attr-dict `:` functional-type(operands, results)
  }];
}

#endif
