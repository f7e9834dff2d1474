// RUN: resin-opt %s --append-optimizer --split-input-file --verify-diagnostics

// expected-error @+1 {{append-optimizer: resnet.recipe names no optimizer}}
module attributes {resnet.recipe = {batch = 4 : i64}} {
  func.func @train_step() {
    return
  }
}

// -----

module attributes {resnet.recipe = {optimizer = {name = "sdg"}}} {
  // expected-error @+1 {{unknown optimizer 'sdg'; known are 'sgd', 'adam', 'adamw' and 'rmsprop'}}
  resnet.variable "parameter" @w : tensor<5xf32> init {name = "constant", value = 1.0 : f64}
  func.func @train_step(%lr: tensor<f32> {resnet.name = "learning_rate"}, %step: tensor<f32> {resnet.name = "step"},
      %dw: tensor<5xf32>)
      -> (tensor<5xf32> {resnet.name = "gradient.w"}) {
    return %dw : tensor<5xf32>
  }
}

// -----

module attributes {resnet.recipe = {optimizer = {name = "sgd"}}} {
  // expected-error @+1 {{append-optimizer: there is no variable 'w' of type 'tensor<5xf32>'}}
  func.func @train_step(%dw: tensor<5xf32>) -> (tensor<5xf32> {resnet.name = "gradient.w"}) {
    return %dw : tensor<5xf32>
  }
}

// -----

module attributes {resnet.recipe = {optimizer = {name = "sgd"}}} {
  resnet.variable "parameter" @w : tensor<5xf32> init {name = "constant", value = 1.0 : f64}
  // expected-error @+1 {{append-optimizer: @train_step takes no 'learning_rate'}}
  func.func @train_step(%dw: tensor<5xf32>) -> (tensor<5xf32> {resnet.name = "gradient.w"}) {
    return %dw : tensor<5xf32>
  }
}

// -----

// A parameter that has the name of another's state would be taken for it.
module attributes {resnet.recipe = {optimizer = {name = "sgd", momentum = 0.9 : f64}}} {
  resnet.variable "parameter" @w : tensor<5xf32> init {name = "constant", value = 1.0 : f64}
  // expected-error @+1 {{'optimizer.momentum.w' is the name of the optimizer's state for 'w' too: rename it}}
  resnet.variable "parameter" @optimizer.momentum.w : tensor<5xf32> init {name = "constant", value = 1.0 : f64}
  func.func @train_step(%lr: tensor<f32> {resnet.name = "learning_rate"}, %step: tensor<f32> {resnet.name = "step"},
      %dw: tensor<5xf32>)
      -> (tensor<5xf32> {resnet.name = "gradient.w"}) {
    return %dw : tensor<5xf32>
  }
}
