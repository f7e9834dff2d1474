// RUN: resin-opt %s --hoist-prepare | FileCheck %s

resnet.variable "parameter" @f : tensor<4x3x1x1xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "parameter" @g : tensor<4xf32> init {name = "constant", value = 1.0 : f64}

// The scaled filter is the same in both functions: one variable. What is only read stays.
//       CHECK: resnet.variable "prepared" @prepared.0 : tensor<4x3x1x1xf32>
//   CHECK-NOT: @prepared.1

// CHECK-LABEL: func.func @evaluate
//   CHECK-NOT:   resnet.scale_filter
//       CHECK:   %[[F:.*]] = resnet.read @prepared.0
//       CHECK:   resnet.conv2d %{{.*}}, %[[F]]
//       CHECK:   %[[G:.*]] = resnet.read @g
//       CHECK:   resnet.add_bias %{{.*}}, %[[G]]
func.func @evaluate(%x: tensor<2x3x2x2xf32>) -> tensor<2x4x2x2xf32> {
  %f = resnet.read @f : tensor<4x3x1x1xf32>
  %g = resnet.read @g : tensor<4xf32>
  %s = resnet.scale_filter %f, %g : (tensor<4x3x1x1xf32>, tensor<4xf32>) -> tensor<4x3x1x1xf32>
  %y = resnet.conv2d %x, %s strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<2x3x2x2xf32>,
      tensor<4x3x1x1xf32>) -> tensor<2x4x2x2xf32>
  %b = resnet.read @g : tensor<4xf32>
  %z = resnet.add_bias %y, %b : (tensor<2x4x2x2xf32>, tensor<4xf32>) -> tensor<2x4x2x2xf32>
  return %z : tensor<2x4x2x2xf32>
}

// CHECK-LABEL: func.func @predict_1
//   CHECK-NOT:   resnet.scale_filter
//       CHECK:   resnet.read @prepared.0
func.func @predict_1(%x: tensor<1x3x2x2xf32>) -> tensor<1x4x2x2xf32> {
  %f = resnet.read @f : tensor<4x3x1x1xf32>
  %g = resnet.read @g : tensor<4xf32>
  %s = resnet.scale_filter %f, %g : (tensor<4x3x1x1xf32>, tensor<4xf32>) -> tensor<4x3x1x1xf32>
  %y = resnet.conv2d %x, %s strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x2x2xf32>,
      tensor<4x3x1x1xf32>) -> tensor<1x4x2x2xf32>
  return %y : tensor<1x4x2x2xf32>
}

// CHECK-LABEL: func.func @prepare()
//       CHECK:   %[[S:.*]] = resnet.scale_filter
//   CHECK-NOT:   resnet.scale_filter
//       CHECK:   resnet.write @prepared.0, %[[S]]
