// RUN: resin-opt %s --split-input-file --transform-filters | FileCheck %s

!x = tensor<1x64x14x14xf32>
!f = tensor<64x64x3x3xf32>

// One image: the filter is transformed by an op of its own, which depends on variables alone.
// CHECK-LABEL: @predict_1
//  CHECK-SAME:   %[[X:.*]]: tensor<1x64x14x14xf32>, %[[F:.*]]: tensor<64x64x3x3xf32>
//       CHECK:   %[[U:.*]] = resnet.winograd_filter %[[F]] tile 4 : {{.*}} -> tensor<64x6x6x64xf32>
//       CHECK:   %[[Y:.*]] = resnet.conv2d_winograd %[[X]], %[[U]] padding [1, 1, 1, 1]
//   CHECK-NOT:   resnet.conv2d %
//       CHECK:   return %[[Y]]
func.func @predict_1(%x: !x, %f: !f) -> !x {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !x
  return %y : !x
}

// Many images share a transform inside the kernel, and @evaluate is one of many.
// CHECK-LABEL: @predict_8
//   CHECK-NOT:   winograd
//       CHECK:   return
func.func @predict_8(%x: tensor<8x64x14x14xf32>, %f: !f) -> tensor<8x64x14x14xf32> {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<8x64x14x14xf32>, !f)
      -> tensor<8x64x14x14xf32>
  return %y : tensor<8x64x14x14xf32>
}

// -----

// Reading a large filter takes longer than its few multiplications: fewer points.
// CHECK-LABEL: @predict_1
//       CHECK:   resnet.winograd_filter %{{.*}} tile 2
func.func @predict_1(%x: tensor<1x512x7x7xf32>, %f: tensor<512x512x3x3xf32>) -> tensor<1x512x7x7xf32> {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x512x7x7xf32>,
      tensor<512x512x3x3xf32>) -> tensor<1x512x7x7xf32>
  return %y : tensor<1x512x7x7xf32>
}

// -----

// A map of 2x2 pixels gains nothing; neither method is for strides, nor for part of a block of channels.
// CHECK-LABEL: @predict_1
//   CHECK-NOT:   winograd
//       CHECK:   return
func.func @predict_1(%a: tensor<1x512x2x2xf32>, %b: tensor<1x64x14x14xf32>, %c: tensor<1x20x14x14xf32>,
    %f: tensor<512x512x3x3xf32>, %g: tensor<64x64x3x3xf32>,
                     %h: tensor<16x20x3x3xf32>) -> (tensor<1x512x2x2xf32>, tensor<1x64x7x7xf32>,
                         tensor<1x16x14x14xf32>) {
  %x = resnet.conv2d %a, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x512x2x2xf32>,
      tensor<512x512x3x3xf32>) -> tensor<1x512x2x2xf32>
  %y = resnet.conv2d %b, %g strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x64x14x14xf32>,
      tensor<64x64x3x3xf32>) -> tensor<1x64x7x7xf32>
  %z = resnet.conv2d %c, %h strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x20x14x14xf32>,
      tensor<16x20x3x3xf32>) -> tensor<1x16x14x14xf32>
  return %x, %y, %z : tensor<1x512x2x2xf32>, tensor<1x64x7x7xf32>, tensor<1x16x14x14xf32>
}

// -----

// As accurate as a plain sum: no F(4x4).
module attributes {resnet.recipe = {numerics = "strict"}} {
  // CHECK-LABEL: @predict_1
  //       CHECK:   resnet.winograd_filter %{{.*}} tile 2
  func.func @predict_1(%x: tensor<1x64x14x14xf32>, %f: tensor<64x64x3x3xf32>) -> tensor<1x64x14x14xf32> {
    %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x64x14x14xf32>,
        tensor<64x64x3x3xf32>) -> tensor<1x64x14x14xf32>
    return %y : tensor<1x64x14x14xf32>
  }
}
