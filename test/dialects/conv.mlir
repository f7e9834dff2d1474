// RUN: resin-opt %s --interpret="function=forward,strided,grouped,dilated,grad_data,grad_weight,lane" -o /dev/null \
// RUN:   | FileCheck %s

!x = tensor<1x1x3x3xf32>
!f = tensor<1x1x2x2xf32>

// A window on [1 2 3; 4 5 6; 7 8 9] with filter [1 2; 3 4]: 1 + 4 + 12 + 20 = 37, and 10 more for each step right, 30
// more down.
// CHECK-LABEL: @forward
// CHECK-NEXT: result 0 [1, 1, 2, 2]: 37 47 67 77
func.func @forward(%x: !x {resnet.value = dense<[[[[1., 2., 3.], [4., 5., 6.], [7., 8., 9.]]]]> : !x},
                   %f: !f {resnet.value = dense<[[[[1., 2.], [3., 4.]]]]> : !f}) -> !f {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (!x, !f) -> !f
  return %y : !f
}

// Padded above and to the left, the corners see 4*1, 3*2 + 4*3, 2*4 + 4*7, and the whole 1*5 + 2*6 + 3*8 + 4*9 = 77.
// CHECK-LABEL: @strided
// CHECK-NEXT: result 0 [1, 1, 2, 2]: 4 18 36 77
func.func @strided(%x: !x {resnet.value = dense<[[[[1., 2., 3.], [4., 5., 6.], [7., 8., 9.]]]]> : !x},
                   %f: !f {resnet.value = dense<[[[[1., 2.], [3., 4.]]]]> : !f}) -> !f {
  %y = resnet.conv2d %x, %f strides [2, 2] padding [1, 1, 0, 0] dilations [1, 1] groups 1 : (!x, !f) -> !f
  return %y : !f
}

// Each group's outputs see its own channel: 1 * 10, 1 * 20, 2 * 30, 2 * 40.
// CHECK-LABEL: @grouped
// CHECK-NEXT: result 0 [1, 4, 1, 1]: 10 20 60 80
func.func @grouped(%x: tensor<1x2x1x1xf32> {resnet.value = dense<[[[[1.]], [[2.]]]]> : tensor<1x2x1x1xf32>},
                   %f: tensor<4x1x1x1xf32> {resnet.value = dense<[[[[10.]]], [[[20.]]], [[[30.]]], [[[40.]]]]>
                       : tensor<4x1x1x1xf32>}) -> tensor<1x4x1x1xf32> {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x2x1x1xf32>,
      tensor<4x1x1x1xf32>) -> tensor<1x4x1x1xf32>
  return %y : tensor<1x4x1x1xf32>
}

// Dilated by 2 the filter sees the corners: 1*1 + 2*3 + 3*7 + 4*9 = 64.
// CHECK-LABEL: @dilated
// CHECK-NEXT: result 0 [1, 1, 1, 1]: 64
func.func @dilated(%x: !x {resnet.value = dense<[[[[1., 2., 3.], [4., 5., 6.], [7., 8., 9.]]]]> : !x},
                   %f: !f {resnet.value = dense<[[[[1., 2.], [3., 4.]]]]> : !f}) -> tensor<1x1x1x1xf32> {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [0, 0, 0, 0] dilations [2, 2] groups 1 : (!x, !f)
      -> tensor<1x1x1x1xf32>
  return %y : tensor<1x1x1x1xf32>
}

// With stride 2 and size 3 the last row and column get nothing.
// CHECK-LABEL: @grad_data
// CHECK-NEXT: result 0 [1, 1, 3, 3]: 5 10 0 15 20 0 0 0 0
func.func @grad_data(%g: tensor<1x1x1x1xf32> {resnet.value = dense<5.> : tensor<1x1x1x1xf32>},
                     %f: !f {resnet.value = dense<[[[[1., 2.], [3., 4.]]]]> : !f}) -> !x {
  %y = resnet.conv2d_grad_data %g, %f size [3, 3] strides [2, 2] padding [0, 0, 0, 0] dilations [1, 1] groups 1
      : (tensor<1x1x1x1xf32>, !f) -> !x
  return %y : !x
}

// CHECK-LABEL: @grad_weight
// CHECK-NEXT: result 0 [1, 1, 2, 2]: 37 47 67 77
func.func @grad_weight(%x: !x {resnet.value = dense<[[[[1., 2., 3.], [4., 5., 6.], [7., 8., 9.]]]]> : !x},
                       %g: !f {resnet.value = dense<[[[[1., 2.], [3., 4.]]]]> : !f}) -> !f {
  %y = resnet.conv2d_grad_weight %x, %g kernel [2, 2] strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1
      : (!x, !f) -> !f
  return %y : !f
}

// Two images, each in a lane of its own: 3 * 5 and 4 * 7; batch_sum adds the lanes.
// CHECK-LABEL: @lane
// CHECK-NEXT: result 0 [2, 1, 1, 1, 1]: 15 28
// CHECK-NEXT: result 1 [1, 1, 1, 1]: 43
!one = tensor<1x1x1x1xf32>
!two = tensor<2x1x1x1xf32>
!lanes = tensor<2x1x1x1x1xf32>
func.func @lane(%x: !two {resnet.value = dense<[[[[3.]]], [[[4.]]]]> : !two},
    %g: !two {resnet.value = dense<[[[[5.]]], [[[7.]]]]> : !two}) -> (!lanes, !one) {
  %l = resnet.fused(%x, %g) pieces 2 dims [0, 0] to [0] : (!two, !two) -> !lanes {
  ^bb0(%a: !one, %b: !one):
    %0 = resnet.conv2d_grad_weight %a, %b kernel [1, 1] strides [1, 1] padding [0, 0, 0, 0] dilations [1,
        1] groups 1 lane : (!one, !one) -> tensor<1x1x1x1x1xf32>
    resnet.yield %0 : tensor<1x1x1x1x1xf32>
  }
  %s = resnet.batch_sum %l : (!lanes) -> !one
  return %l, %s : !lanes, !one
}
