// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Dense layers: what breaks a constraint is told at its line. Constraints are numbered in DenseOps.td.

func.func @linear_c1(%x: tensor<2x4xf32>, %w: tensor<10x5xf32>) {
  // expected-error@+1 {{'linear' cannot multiply [2, 4] and [10, 5]: the inner extents differ}}
  %r = resnet.linear %x, %w : (tensor<2x4xf32>, tensor<10x5xf32>) -> tensor<2x10xf32>
  return
}

// -----

func.func @linear_c1_rank(%x: tensor<2x4x6x6xf32>, %w: tensor<10x5xf32>) {
  // expected-error@+1 {{'linear' takes a matrix of rank 2, not [2, 4, 6, 6]}}
  %r = resnet.linear %x, %w : (tensor<2x4x6x6xf32>, tensor<10x5xf32>) -> tensor<2x10xf32>
  return
}

// -----

func.func @linear_grad_data_c1(%g: tensor<2x4xf32>, %w: tensor<10x5xf32>) {
  // expected-error@+1 {{'linear_grad_data' cannot multiply [2, 4] and [10, 5]: the inner extents differ}}
  %r = resnet.linear_grad_data %g, %w : (tensor<2x4xf32>, tensor<10x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @linear_grad_weight_c1(%g: tensor<2x4xf32>, %x: tensor<3x4xf32>) {
  // expected-error@+1 {{'linear_grad_weight' cannot multiply [2, 4] and [3, 4]: the inner extents differ}}
  %r = resnet.linear_grad_weight %g, %x : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @batch_sum_c1(%x: tensor<f32>) {
  // expected-error@+1 {{'batch_sum' takes a tensor of rank 1 or 2 or 3 or 4 or 5, not []}}
  %r = resnet.batch_sum %x : (tensor<f32>) -> tensor<f32>
  return
}
