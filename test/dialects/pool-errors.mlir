// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Pools and shape: what breaks a constraint is told at its line. Constraints are numbered in PoolOps.td and
// ShapeOps.td.

func.func @max_pool_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'max_pool' takes an image of rank 4, not [2, 4]}}
  %r = resnet.max_pool %x kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// A window could lie in the padding alone.
func.func @max_pool_c2(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'max_pool' has padding 2 that a window of 2 can hide in}}
  %r = resnet.max_pool %x kernel [2, 2] strides [2, 2] padding [0, 2, 0, 0] : (tensor<2x4x6x6xf32>)
      -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @max_pool_c2_numbers(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'max_pool' takes 2 numbers as kernel, not 1}}
  %r = resnet.max_pool %x kernel [2] strides [2, 2] padding [0, 0, 0, 0] : (tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @max_pool_c3(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'max_pool' has a window of 7 rows over only 6}}
  %r = resnet.max_pool %x kernel [7, 2] strides [2, 2] padding [0, 0, 0, 0] : (tensor<2x4x6x6xf32>)
      -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @max_pool_grad_c1(%g: tensor<2x4x3x3xf32>, %x: tensor<2x4x6x6xf64>) {
  // expected-error@+1 {{'max_pool_grad' takes operands of one element type, not f32 and f64}}
  %r = resnet.max_pool_grad %g, %x kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] : (tensor<2x4x3x3xf32>,
      tensor<2x4x6x6xf64>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @max_pool_grad_c2(%g: tensor<2x4x3x3xf32>, %x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'max_pool_grad' takes strides from 1 to 1048576, not -2}}
  %r = resnet.max_pool_grad %g, %x kernel [2, 2] strides [2, -2] padding [0, 0, 0, 0] : (tensor<2x4x3x3xf32>,
      tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @max_pool_grad_c3(%g: tensor<2x4x6x6xf32>, %x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'max_pool_grad' takes a gradient of shape [2, 4, 3, 3], not [2, 4, 6, 6]}}
  %r = resnet.max_pool_grad %g, %x kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] : (tensor<2x4x6x6xf32>,
      tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @avg_pool_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'avg_pool' takes an image of rank 4, not [2, 4]}}
  %r = resnet.avg_pool %x kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] count_include_pad true : (tensor<2x4xf32>)
      -> tensor<2x4xf32>
  return
}

// -----

func.func @avg_pool_c2(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'avg_pool' takes padding from 0 to 1048576, not -1}}
  %r = resnet.avg_pool %x kernel [2, 2] strides [2, 2] padding [0, 0, -1, 0] count_include_pad true
      : (tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @avg_pool_c3(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'avg_pool' has a window of 7 columns over only 6}}
  %r = resnet.avg_pool %x kernel [2, 7] strides [2, 2] padding [0, 0, 0, 0] count_include_pad true
      : (tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @avg_pool_grad_c1(%g: tensor<2x4xf32>) {
  // expected-error@+1 {{'avg_pool_grad' takes a gradient of rank 4, not [2, 4]}}
  %r = resnet.avg_pool_grad %g size [6, 6] kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] count_include_pad true
      : (tensor<2x4xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @avg_pool_grad_c2(%g: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'avg_pool_grad' takes size from 1 to 1048576, not 0}}
  %r = resnet.avg_pool_grad %g size [6, 0] kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] count_include_pad true
      : (tensor<2x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @avg_pool_grad_c3(%g: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'avg_pool_grad' takes a gradient of shape [2, 4, 3, 4], not [2, 4, 3, 3]}}
  %r = resnet.avg_pool_grad %g size [6, 8] kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] count_include_pad true
      : (tensor<2x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @global_avg_pool_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'global_avg_pool' takes an image of rank 4, not [2, 4]}}
  %r = resnet.global_avg_pool %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @global_avg_pool_grad_c1(%g: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'global_avg_pool_grad' takes a gradient of rank 2, not [2, 4, 6, 6]}}
  %r = resnet.global_avg_pool_grad %g size [6, 6] : (tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @global_avg_pool_grad_c2(%g: tensor<2x4xf32>) {
  // expected-error@+1 {{'global_avg_pool_grad' takes 2 numbers as size, not 3}}
  %r = resnet.global_avg_pool_grad %g size [6, 6, 6] : (tensor<2x4xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @flatten_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'flatten' takes an image of rank 4, not [2, 4]}}
  %r = resnet.flatten %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @unflatten_c1(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'unflatten' takes a matrix of rank 2, not [2, 4, 6, 6]}}
  %r = resnet.unflatten %x size [4, 6, 6] : (tensor<2x4x6x6xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @unflatten_c2(%x: tensor<2x145xf32>) {
  // expected-error@+1 {{'unflatten' cannot part 145 features into [4, 6, 6]}}
  %r = resnet.unflatten %x size [4, 6, 6] : (tensor<2x145xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @subsample_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'subsample' takes an image of rank 4, not [2, 4]}}
  %r = resnet.subsample %x stride 2 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @subsample_c2(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'subsample' takes stride from 1 to 1048576, not 0}}
  %r = resnet.subsample %x stride 0 : (tensor<2x4x6x6xf32>) -> tensor<2x4x3x3xf32>
  return
}

// -----

func.func @subsample_grad_c1(%g: tensor<2x4xf32>) {
  // expected-error@+1 {{'subsample_grad' takes a gradient of rank 4, not [2, 4]}}
  %r = resnet.subsample_grad %g stride 2 size [6, 6] : (tensor<2x4xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @subsample_grad_c2(%g: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'subsample_grad' takes 2 numbers as size, not 1}}
  %r = resnet.subsample_grad %g stride 2 size [6] : (tensor<2x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @subsample_grad_c3(%g: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'subsample_grad' takes a gradient of shape [2, 4, 4, 3], not [2, 4, 3, 3]}}
  %r = resnet.subsample_grad %g stride 2 size [7, 6] : (tensor<2x4x3x3xf32>) -> tensor<2x4x7x6xf32>
  return
}

// -----

func.func @pad_channels_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'pad_channels' takes an image of rank 4, not [2, 4]}}
  %r = resnet.pad_channels %x channels 8 : (tensor<2x4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @pad_channels_c2(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'pad_channels' cannot pad 4 channels to 3}}
  %r = resnet.pad_channels %x channels 3 : (tensor<2x4x6x6xf32>) -> tensor<2x3x6x6xf32>
  return
}

// -----

func.func @take_channels_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'take_channels' takes an image of rank 4, not [2, 4]}}
  %r = resnet.take_channels %x channels 2 : (tensor<2x4xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @take_channels_c2(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'take_channels' cannot take 5 of 4 channels}}
  %r = resnet.take_channels %x channels 5 : (tensor<2x4x6x6xf32>) -> tensor<2x5x6x6xf32>
  return
}
