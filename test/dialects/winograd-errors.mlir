// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Winograd's convolutions: what breaks a constraint is told at its line. Constraints are numbered in WinogradOps.td.

func.func @winograd_filter_c1(%f: tensor<4x4x5x5xf32>) {
  // expected-error@+1 {{'winograd_filter' takes filters of 3x3 taps, not [4, 4, 5, 5]}}
  %r = resnet.winograd_filter %f tile 4 : (tensor<4x4x5x5xf32>) -> tensor<4x6x6x4xf32>
  return
}

// -----

func.func @winograd_filter_c1_tile(%f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'winograd_filter' knows the tiles 2 and 4, not 3}}
  %r = resnet.winograd_filter %f tile 3 : (tensor<4x4x3x3xf32>) -> tensor<4x5x5x4xf32>
  return
}

// -----

func.func @conv2d_winograd_c1(%x: tensor<1x4x6x6xf32>, %u: tensor<4x5x5x4xf32>) {
  // expected-error@+1 {{'conv2d_winograd' takes filters at 4x4 or 6x6 points, not [4, 5, 5, 4]}}
  %r = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1] : (tensor<1x4x6x6xf32>, tensor<4x5x5x4xf32>)
      -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv2d_winograd_c1_channels(%x: tensor<1x4x6x6xf32>, %u: tensor<4x6x6x8xf32>) {
  // expected-error@+1 {{'conv2d_winograd' takes filters over 8 channels to an image of 4 channels}}
  %r = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1] : (tensor<1x4x6x6xf32>, tensor<4x6x6x8xf32>)
      -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv2d_winograd_c2(%x: tensor<1x4x6x6xf32>, %u: tensor<4x6x6x4xf32>) {
  // expected-error@+1 {{'conv2d_winograd' takes 4 numbers as padding, not 2}}
  %r = resnet.conv2d_winograd %x, %u padding [1, 1] : (tensor<1x4x6x6xf32>, tensor<4x6x6x4xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv2d_winograd_c3(%x: tensor<1x4x2x6xf32>, %u: tensor<4x6x6x4xf32>) {
  // expected-error@+1 {{'conv2d_winograd' has a window of 3 rows over only 2}}
  %r = resnet.conv2d_winograd %x, %u padding [0, 1, 0, 1] : (tensor<1x4x2x6xf32>, tensor<4x6x6x4xf32>)
      -> tensor<1x4x1x6xf32>
  return
}
