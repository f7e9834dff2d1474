// RUN: resin-opt %s --fold-batch-norm | FileCheck %s

resnet.variable "parameter" @f : tensor<4x3x1x1xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "parameter" @g : tensor<4xf32> init {name = "constant", value = 1.0 : f64}

// CHECK-LABEL: @predict_1
//  CHECK-SAME:   %[[X:.*]]: tensor<1x3x2x2xf32>
//       CHECK:   %[[F:.*]] = resnet.read @f
//       CHECK:   %[[V:.*]] = resnet.read @g
//       CHECK:   %[[M:.*]], %[[A:.*]] = resnet.inference_affine %[[V]], %[[V]], %[[V]], %[[V]] epsilon 1.000000e-05
//       CHECK:   %[[SCALED:.*]] = resnet.scale_filter %[[F]], %[[M]]
//       CHECK:   %[[Y:.*]] = resnet.conv2d %[[X]], %[[SCALED]]
//       CHECK:   %[[Z:.*]] = resnet.add_bias %[[Y]], %[[A]]
//   CHECK-NOT:   resnet.batch_norm
//       CHECK:   return %[[Z]]
func.func @predict_1(%x: tensor<1x3x2x2xf32>) -> tensor<1x4x2x2xf32> {
  %f = resnet.read @f : tensor<4x3x1x1xf32>
  %v = resnet.read @g : tensor<4xf32>
  %y = resnet.conv2d %x, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x2x2xf32>,
      tensor<4x3x1x1xf32>) -> tensor<1x4x2x2xf32>
  %z = resnet.batch_norm_inference %y, %v, %v, %v, %v epsilon 1.0e-5 : (tensor<1x4x2x2xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x2xf32>
  return %z : tensor<1x4x2x2xf32>
}

// The bias goes through batch norm too.
// CHECK-LABEL: @predict_2
//       CHECK:   %[[M:.*]], %[[A:.*]] = resnet.inference_affine
//       CHECK:   %[[B:.*]] = resnet.scale_add %{{.*}}, %[[M]], %[[A]]
//       CHECK:   resnet.add_bias %{{.*}}, %[[B]]
//   CHECK-NOT:   resnet.add_bias
func.func @predict_2(%x: tensor<1x3x2x2xf32>) -> tensor<1x4x2x2xf32> {
  %f = resnet.read @f : tensor<4x3x1x1xf32>
  %v = resnet.read @g : tensor<4xf32>
  %y = resnet.conv2d %x, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x2x2xf32>,
      tensor<4x3x1x1xf32>) -> tensor<1x4x2x2xf32>
  %b = resnet.add_bias %y, %v : (tensor<1x4x2x2xf32>, tensor<4xf32>) -> tensor<1x4x2x2xf32>
  %z = resnet.batch_norm_inference %b, %v, %v, %v, %v epsilon 1.0e-5 : (tensor<1x4x2x2xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x2xf32>
  return %z : tensor<1x4x2x2xf32>
}

// Somebody else reads the convolution: it must stay as it is.
// CHECK-LABEL: @predict_3
//   CHECK-NOT:   resnet.scale_filter
//       CHECK:   %[[Y:.*]] = resnet.conv2d
//       CHECK:   %[[M:.*]], %[[A:.*]] = resnet.inference_affine
//       CHECK:   resnet.scale_shift %[[Y]], %[[M]], %[[A]]
func.func @predict_3(%x: tensor<1x3x2x2xf32>) -> (tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>) {
  %f = resnet.read @f : tensor<4x3x1x1xf32>
  %v = resnet.read @g : tensor<4xf32>
  %y = resnet.conv2d %x, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x2x2xf32>,
      tensor<4x3x1x1xf32>) -> tensor<1x4x2x2xf32>
  %z = resnet.batch_norm_inference %y, %v, %v, %v, %v epsilon 1.0e-5 : (tensor<1x4x2x2xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x2xf32>
  return %y, %z : tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>
}
