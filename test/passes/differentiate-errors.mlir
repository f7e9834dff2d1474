// RUN: resin-opt %s --differentiate --split-input-file --verify-diagnostics

// expected-error @+1 {{differentiate: the first result of @train_step is not a cross_entropy}}
func.func @train_step(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// A gradient of a gradient: the op that computes one has none.
resnet.variable "parameter" @w : tensor<4x5xf32> init {name = "constant", value = 1.0 : f64}
func.func @train_step(%x: tensor<4x5xf32>, %label: tensor<4xi32>) -> tensor<4xf32> {
  %w = resnet.read @w : tensor<4x5xf32>
  // expected-error @+1 {{stands between a parameter and the loss, and has no gradient}}
  %logits = resnet.relu_grad %w, %x : (tensor<4x5xf32>, tensor<4x5xf32>) -> tensor<4x5xf32>
  %loss = resnet.cross_entropy %logits, %label label_smoothing 0.0 : (tensor<4x5xf32>, tensor<4xi32>) -> tensor<4xf32>
  return %loss : tensor<4xf32>
}
