// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Losses: what breaks a constraint is told at its line. Constraints are numbered in LossOps.td.

func.func @softmax_c1(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'softmax' takes a matrix of rank 2, not [2, 4, 6, 6]}}
  %r = resnet.softmax %x : (tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @softmax_grad_c1(%g: tensor<2x4xf32>, %s: tensor<2x5xf32>) {
  // expected-error@+1 {{'softmax_grad' takes a gradient in the softmax's shape: [2, 4] and [2, 5]: the shapes differ}}
  %r = resnet.softmax_grad %g, %s : (tensor<2x4xf32>, tensor<2x5xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @cross_entropy_c1(%x: tensor<2x4xf32>, %l: tensor<3xi32>) {
  // expected-error@+1 {{'cross_entropy' takes a label for each image, not [3] for [2, 4]}}
  %r = resnet.cross_entropy %x, %l label_smoothing 0.0 : (tensor<2x4xf32>, tensor<3xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @cross_entropy_c2(%x: tensor<2x4xf32>, %l: tensor<2xi32>) {
  // expected-error@+1 {{'cross_entropy' takes label smoothing from 0 to 1, not 1.5}}
  %r = resnet.cross_entropy %x, %l label_smoothing 1.5 : (tensor<2x4xf32>, tensor<2xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @cross_entropy_grad_c1(%x: tensor<2x4xf32>, %l: tensor<2x1xi32>) {
  // expected-error@+1 {{'cross_entropy_grad' takes labels of rank 1, not [2, 1]}}
  %r = resnet.cross_entropy_grad %x, %l label_smoothing 0.0 factor 1.0 : (tensor<2x4xf32>, tensor<2x1xi32>)
      -> tensor<2x4xf32>
  return
}

// -----

func.func @cross_entropy_grad_c2(%x: tensor<2x4xf32>, %l: tensor<2xi32>) {
  // expected-error@+1 {{'cross_entropy_grad' takes label smoothing from 0 to 1, not -0.1}}
  %r = resnet.cross_entropy_grad %x, %l label_smoothing -0.1 factor 1.0 : (tensor<2x4xf32>, tensor<2xi32>)
      -> tensor<2x4xf32>
  return
}

// -----

func.func @label_rank_c1(%x: tensor<2x4xf32>, %l: tensor<3xi32>) {
  // expected-error@+1 {{'label_rank' takes a label for each image, not [3] for [2, 4]}}
  %r = resnet.label_rank %x, %l : (tensor<2x4xf32>, tensor<3xi32>) -> tensor<2xi32>
  return
}
