// RUN: resin-opt %s --verify-phase=phase=train --split-input-file --verify-diagnostics

// expected-error @+1 {{there is no function @train_step}}
module {
}

// -----

// expected-error @+1 {{@model must not be left after the train phase}}
module {
  func.func @model() {
    return
  }
}

// -----

func.func @train_step() {
  return
}
func.func @prepare() {
  return
}
func.func @evaluate(%x: tensor<?x4xf32>, %v: tensor<4xf32>, %seed: tensor<2xi32>) {
  // expected-error @+1 {{must not be left after the train phase}}
  %z = resnet.batch_norm_inference %x, %v, %v, %v, %v epsilon 1.0e-5 : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // expected-error @+1 {{must not be left outside training after the train phase}}
  %d = resnet.dropout %x, %seed rate 0.5 layer 0 : (tensor<?x4xf32>, tensor<2xi32>) -> tensor<?x4xf32>
  // expected-error @+1 {{has a result of unknown shape 'tensor<?x4xf32>' after the train phase}}
  %r = resnet.relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}
