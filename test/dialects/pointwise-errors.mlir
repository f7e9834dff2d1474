// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Pointwise ops: what breaks a constraint is told at its line. Constraints are numbered in PointwiseOps.td.

func.func @relu_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{'relu' takes an activation of rank 4 or 2, not [4]}}
  %r = resnet.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @relu_grad_c1(%g: tensor<2x4x6x6xf32>, %y: tensor<2x4x6x5xf32>) {
  // expected-error@+1 {{'relu_grad' takes a gradient in the activation's shape: [2, 4, 6, 6] and [2, 4, 6, 5]: the shapes differ}}
  %r = resnet.relu_grad %g, %y : (tensor<2x4x6x6xf32>, tensor<2x4x6x5xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @add_c1(%x: tensor<2x28x28x64xf32>, %y: tensor<2x28x28x128xf32>) {
  // expected-error@+1 {{'add' joins [2, 28, 28, 64] and [2, 28, 28, 128]: the shapes differ}}
  %r = resnet.add %x, %y : (tensor<2x28x28x64xf32>, tensor<2x28x28x128xf32>) -> tensor<2x28x28x64xf32>
  return
}

// -----

func.func @add_c1_types(%x: tensor<2x4x6x6xf32>, %y: tensor<2x4x6x6xf64>) {
  // expected-error@+1 {{'add' takes operands of one element type, not f32 and f64}}
  %r = resnet.add %x, %y : (tensor<2x4x6x6xf32>, tensor<2x4x6x6xf64>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @add_bias_c1(%x: tensor<2x4xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{'add_bias' takes a bias of shape [4], not [5]}}
  %r = resnet.add_bias %x, %b : (tensor<2x4xf32>, tensor<5xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @dropout_c1(%x: tensor<4xf32>, %s: tensor<2xi32>) {
  // expected-error@+1 {{'dropout' takes an activation of rank 4 or 2, not [4]}}
  %r = resnet.dropout %x, %s rate 0.5 layer 0 : (tensor<4xf32>, tensor<2xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @dropout_c2(%x: tensor<2x4xf32>, %s: tensor<4xi32>) {
  // expected-error@+1 {{'dropout' takes a seed of shape [2], not [4]}}
  %r = resnet.dropout %x, %s rate 0.5 layer 0 : (tensor<2x4xf32>, tensor<4xi32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @dropout_c3(%x: tensor<2x4xf32>, %s: tensor<2xi32>) {
  // expected-error@+1 {{'dropout' takes a rate from 0 to below 1, not 1}}
  %r = resnet.dropout %x, %s rate 1.0 layer 0 : (tensor<2x4xf32>, tensor<2xi32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @dropout_c4(%x: tensor<2x4xf32>, %s: tensor<2xi32>) {
  // expected-error@+1 {{'dropout' is one of at least one piece, not of 0}}
  %r = resnet.dropout %x, %s rate 0.5 layer 0 piece_of 0 : (tensor<2x4xf32>, tensor<2xi32>) -> tensor<2x4xf32>
  return
}

// -----

// Only the batch may be unknown.
func.func @dynamic_inside(%x: tensor<2x4x?x6xf32>) {
  // expected-error@+1 {{'relu' takes no dynamic extent but the first: [2, 4, ?, 6]}}
  %r = resnet.relu %x : (tensor<2x4x?x6xf32>) -> tensor<2x4x?x6xf32>
  return
}

// -----

func.func @empty(%x: tensor<0x4x6x6xf32>) {
  // expected-error@+1 {{'relu' takes extents from 1 to 2147483648: [0, 4, 6, 6]}}
  %r = resnet.relu %x : (tensor<0x4x6x6xf32>) -> tensor<0x4x6x6xf32>
  return
}

// -----

func.func @silu_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{'silu' takes an activation of rank 4 or 2, not [4]}}
  %r = resnet.silu %x : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @silu_grad_c1(%g: tensor<2x4xf32>, %x: tensor<2x5xf32>) {
  // expected-error@+1 {{'silu_grad' takes a gradient in the activation's shape: [2, 4] and [2, 5]: the shapes differ}}
  %r = resnet.silu_grad %g, %x : (tensor<2x4xf32>, tensor<2x5xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @leaky_relu_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{'leaky_relu' takes an activation of rank 4 or 2, not [4]}}
  %r = resnet.leaky_relu %x slope 0.01 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @leaky_relu_c2(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'leaky_relu' takes a slope from 0 to below 1, not 1}}
  %r = resnet.leaky_relu %x slope 1.0 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @leaky_relu_grad_c1(%g: tensor<2x4xf32>, %y: tensor<2x5xf32>) {
  // expected-error@+1 {{'leaky_relu_grad' takes a gradient in the activation's shape: [2, 4] and [2, 5]: the shapes differ}}
  %r = resnet.leaky_relu_grad %g, %y slope 0.01 : (tensor<2x4xf32>, tensor<2x5xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @leaky_relu_grad_c2(%g: tensor<2x4xf32>, %y: tensor<2x4xf32>) {
  // expected-error@+1 {{'leaky_relu_grad' takes a slope from 0 to below 1, not -1}}
  %r = resnet.leaky_relu_grad %g, %y slope -1.0 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}
