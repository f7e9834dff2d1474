// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Optimizers: what breaks a constraint is told at its line. Constraints are numbered in OptimizerOps.td.

func.func @sgd_c1(%p: tensor<4xf32>, %g: tensor<5xf32>, %v: tensor<4xf32>, %l: tensor<f32>) {
  // expected-error@+1 {{'sgd' takes parameter, gradient and slots of one shape, not [4] and [5]: the shapes differ}}
  %r:2 = resnet.sgd %p, %g, %v, %l momentum 0.9 nesterov true weight_decay 0.0 : (tensor<4xf32>, tensor<5xf32>,
      tensor<4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @sgd_c1_rate(%p: tensor<4xf32>, %g: tensor<4xf32>, %v: tensor<4xf32>, %l: tensor<1xf32>) {
  // expected-error@+1 {{'sgd' takes a scalar of rank 0, not [1]}}
  %r:2 = resnet.sgd %p, %g, %v, %l momentum 0.9 nesterov true weight_decay 0.0 : (tensor<4xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<1xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @sgd_c2(%p: tensor<4xf32>, %g: tensor<4xf32>, %v: tensor<4xf32>, %l: tensor<f32>) {
  // expected-error@+1 {{'sgd' takes momentum from 0 to below 1, not 1}}
  %r:2 = resnet.sgd %p, %g, %v, %l momentum 1.0 nesterov true weight_decay 0.0 : (tensor<4xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @adam_c1(%p: tensor<4xf32>, %g: tensor<4xf32>, %a: tensor<4xf32>, %b: tensor<5xf32>, %l: tensor<f32>,
    %s: tensor<f32>) {
  // expected-error@+1 {{'adam' takes parameter, gradient and slots of one shape, not [4] and [5]: the shapes differ}}
  %r:3 = resnet.adam %p, %g, %a, %b, %l, %s beta1 0.9 beta2 0.999 epsilon 1.0e-8 weight_decay 0.0 decoupled false
      : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<5xf32>, tensor<f32>, tensor<f32>) -> (tensor<4xf32>,
          tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @adam_c2(%p: tensor<4xf32>, %g: tensor<4xf32>, %a: tensor<4xf32>, %b: tensor<4xf32>, %l: tensor<f32>,
    %s: tensor<f32>) {
  // expected-error@+1 {{'adam' takes beta2 from 0 to below 1, not 1}}
  %r:3 = resnet.adam %p, %g, %a, %b, %l, %s beta1 0.9 beta2 1.0 epsilon 1.0e-8 weight_decay 0.0 decoupled false
      : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<f32>, tensor<f32>) -> (tensor<4xf32>,
          tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @rmsprop_c1(%p: tensor<4xf32>, %g: tensor<4xf32>, %a: tensor<4xf32>, %b: tensor<4xf64>, %l: tensor<f32>) {
  // expected-error@+1 {{'rmsprop' takes operands of one element type, not f32 and f64}}
  %r:3 = resnet.rmsprop %p, %g, %a, %b, %l alpha 0.99 epsilon 1.0e-8 momentum 0.0 weight_decay 0.0 : (tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>, tensor<4xf64>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @rmsprop_c2(%p: tensor<4xf32>, %g: tensor<4xf32>, %a: tensor<4xf32>, %b: tensor<4xf32>, %l: tensor<f32>) {
  // expected-error@+1 {{'rmsprop' takes weight decay from 0 on, not -1}}
  %r:3 = resnet.rmsprop %p, %g, %a, %b, %l alpha 0.99 epsilon 1.0e-8 momentum 0.0 weight_decay -1.0 : (tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}
