// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Convolution: what breaks a constraint is told at its line. Constraints are numbered in ConvOps.td.

// An image has rank 4.
func.func @conv2d_c1(%x: tensor<2x4xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d' takes an image of rank 4, not [2, 4]}}
  %r = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x4xf32>,
      tensor<4x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_c1_types(%x: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf64>) {
  // expected-error@+1 {{'conv2d' takes operands of one element type, not f32 and f64}}
  %r = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x4x6x6xf32>,
      tensor<4x4x3x3xf64>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_c2(%x: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d' takes strides from 1 to 1048576, not 0}}
  %r = resnet.conv2d %x, %f strides [1, 0] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x4x6x6xf32>,
      tensor<4x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_c2_padding(%x: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d' takes 4 numbers as padding, not 2}}
  %r = resnet.conv2d %x, %f strides [1, 1] padding [1, 1] dilations [1, 1] groups 1 : (tensor<2x4x6x6xf32>,
      tensor<4x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_c2_groups(%x: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d' takes groups from 1 to 1048576, not 0}}
  %r = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 0 : (tensor<2x4x6x6xf32>,
      tensor<4x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_c3(%x: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d' takes filters over 4 channels in 2 groups to an image of 4 channels}}
  %r = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 2 : (tensor<2x4x6x6xf32>,
      tensor<4x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_c3_outputs(%x: tensor<2x4x6x6xf32>, %f: tensor<5x2x3x3xf32>) {
  // expected-error@+1 {{'conv2d' cannot part 5 output channels into 2 groups}}
  %r = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 2 : (tensor<2x4x6x6xf32>,
      tensor<5x2x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

// 4 * (3 - 1) + 1 = 9 columns over 6 + 1 + 1.
func.func @conv2d_c4(%x: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d' has a window of 9 columns over only 8}}
  %r = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 4] groups 1 : (tensor<2x4x6x6xf32>,
      tensor<4x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

// The result has the inferred shape.
func.func @conv2d_result(%x: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d' gives 'tensor<2x4x6x6xf32>', not 'tensor<2x4x5x6xf32>'}}
  %r = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x4x6x6xf32>,
      tensor<4x4x3x3xf32>) -> tensor<2x4x5x6xf32>
  return
}

// -----

func.func @conv2d_grad_data_c1(%g: tensor<2x4x6x6xf32>, %f: tensor<4x4xf32>) {
  // expected-error@+1 {{'conv2d_grad_data' takes filters of rank 4, not [4, 4]}}
  %r = resnet.conv2d_grad_data %g, %f size [6, 6] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x4x6x6xf32>, tensor<4x4xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_grad_data_c2(%g: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d_grad_data' takes 2 numbers as size, not 1}}
  %r = resnet.conv2d_grad_data %g, %f size [6] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_grad_data_c3(%g: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d_grad_data' cannot part 4 output channels into 3 groups}}
  %r = resnet.conv2d_grad_data %g, %f size [6, 6] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 3
      : (tensor<2x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @conv2d_grad_data_c4(%g: tensor<2x4x6x6xf32>, %f: tensor<4x4x3x3xf32>) {
  // expected-error@+1 {{'conv2d_grad_data' takes a gradient of shape [2, 4, 7, 6], not [2, 4, 6, 6]}}
  %r = resnet.conv2d_grad_data %g, %f size [7, 6] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x4x6x6xf32>, tensor<4x4x3x3xf32>) -> tensor<2x4x7x6xf32>
  return
}

// -----

func.func @conv2d_grad_weight_c1(%x: tensor<2x4x6x6xf32>, %g: tensor<2x4x6x6xf64>) {
  // expected-error@+1 {{'conv2d_grad_weight' takes operands of one element type, not f32 and f64}}
  %r = resnet.conv2d_grad_weight %x, %g kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x4x6x6xf32>, tensor<2x4x6x6xf64>) -> tensor<4x4x3x3xf32>
  return
}

// -----

func.func @conv2d_grad_weight_c2(%x: tensor<2x4x6x6xf32>, %g: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'conv2d_grad_weight' takes kernel from 1 to 1048576, not -3}}
  %r = resnet.conv2d_grad_weight %x, %g kernel [3, -3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x4x6x6xf32>, tensor<2x4x6x6xf32>) -> tensor<4x4x3x3xf32>
  return
}

// -----

func.func @conv2d_grad_weight_c3(%x: tensor<2x4x6x6xf32>, %g: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'conv2d_grad_weight' cannot part 4 and 4 channels into 3 groups}}
  %r = resnet.conv2d_grad_weight %x, %g kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 3
      : (tensor<2x4x6x6xf32>, tensor<2x4x6x6xf32>) -> tensor<4x4x3x3xf32>
  return
}

// -----

// Images and gradients come in pairs.
func.func @conv2d_grad_weight_c4(%x: tensor<2x4x6x6xf32>, %g: tensor<3x4x6x6xf32>) {
  // expected-error@+1 {{'conv2d_grad_weight' takes a gradient of shape [2, 4, 6, 6], not [3, 4, 6, 6]}}
  %r = resnet.conv2d_grad_weight %x, %g kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x4x6x6xf32>, tensor<3x4x6x6xf32>) -> tensor<4x4x3x3xf32>
  return
}
