// RUN: resin-opt %s --interpret="function=max_pool,avg_pool,global,shape,shortcut" -o /dev/null | FileCheck %s

!x = tensor<1x1x3x3xf32>
!y = tensor<1x1x2x2xf32>

// Padding never wins over a negative pixel. The last window sees two 9s: the first one, row by row, gets the gradient.
// CHECK-LABEL: @max_pool
// CHECK-NEXT: result 0 [1, 1, 2, 2]: -1 -2 -4 9
// CHECK-NEXT: result 1 [1, 1, 3, 3]: 1 2 0 3 0 4 0 0 0
func.func @max_pool(%x: !x {resnet.value = dense<[[[[-1., -2., -3.], [-4., -5., 9.], [-7., 9., -9.]]]]> : !x},
                    %g: !y {resnet.value = dense<[[[[1., 2.], [3., 4.]]]]> : !y}) -> (!y, !x) {
  %y = resnet.max_pool %x kernel [2, 2] strides [2, 2] padding [1, 1, 0, 0] : (!x) -> !y
  %dx = resnet.max_pool_grad %g, %x kernel [2, 2] strides [2, 2] padding [1, 1, 0, 0] : (!y, !x) -> !x
  return %y, %dx : !y, !x
}

// The first window holds one pixel: divided by 4 with its padding, by 1 without.
// CHECK-LABEL: @avg_pool
// CHECK-NEXT: result 0 [1, 1, 2, 2]: 1 2 3 4
// CHECK-NEXT: result 1 [1, 1, 2, 2]: 4 4 6 4
// CHECK-NEXT: result 2 [1, 1, 3, 3]: 1 2 2 4 4 4 4 4 4
func.func @avg_pool(%x: !x {resnet.value = dense<[[[[4., 8., 0.], [4., 8., 0.], [8., 8., 0.]]]]> : !x},
                    %g: !y {resnet.value = dense<[[[[1., 4.], [8., 16.]]]]> : !y}) -> (!y, !y, !x) {
  %0 = resnet.avg_pool %x kernel [2, 2] strides [2, 2] padding [1, 1, 0, 0] count_include_pad true : (!x) -> !y
  %1 = resnet.avg_pool %x kernel [2, 2] strides [2, 2] padding [1, 1, 0, 0] count_include_pad false : (!x) -> !y
  %2 = resnet.avg_pool_grad %g size [3, 3] kernel [2, 2] strides [2, 2] padding [1, 1, 0, 0] count_include_pad false
      : (!y) -> !x
  return %0, %1, %2 : !y, !y, !x
}

// CHECK-LABEL: @global
// CHECK-NEXT: result 0 [1, 1]: 2.5
// CHECK-NEXT: result 1 [1, 1, 2, 2]: 2 2 2 2
func.func @global(%x: !y {resnet.value = dense<[[[[1., 2.], [3., 4.]]]]> : !y},
    %g: tensor<1x1xf32> {resnet.value = dense<8.> : tensor<1x1xf32>}) -> (tensor<1x1xf32>, !y) {
  %0 = resnet.global_avg_pool %x : (!y) -> tensor<1x1xf32>
  %1 = resnet.global_avg_pool_grad %g size [2, 2] : (tensor<1x1xf32>) -> !y
  return %0, %1 : tensor<1x1xf32>, !y
}

// CHECK-LABEL: @shape
// CHECK-NEXT: result 0 [1, 4]: 1 2 3 4
// CHECK-NEXT: result 1 [1, 1, 2, 2]: 1 2 3 4
func.func @shape(%x: !y {resnet.value = dense<[[[[1., 2.], [3., 4.]]]]> : !y}) -> (tensor<1x4xf32>, !y) {
  %0 = resnet.flatten %x : (!y) -> tensor<1x4xf32>
  %1 = resnet.unflatten %0 size [1, 2, 2] : (tensor<1x4xf32>) -> !y
  return %0, %1 : tensor<1x4xf32>, !y
}

// Option A: every second row and column, and a channel of zeros behind; and all the way back.
// CHECK-LABEL: @shortcut
// CHECK-NEXT: result 0 [1, 2, 2, 2]: 1 3 7 9 0 0 0 0
// CHECK-NEXT: result 1 [1, 1, 3, 3]: 1 0 3 0 0 0 7 0 9
func.func @shortcut(%x: !x {resnet.value = dense<[[[[1., 2., 3.], [4., 5., 6.], [7., 8., 9.]]]]> : !x})
    -> (tensor<1x2x2x2xf32>, !x) {
  %0 = resnet.subsample %x stride 2 : (!x) -> !y
  %1 = resnet.pad_channels %0 channels 2 : (!y) -> tensor<1x2x2x2xf32>
  %2 = resnet.take_channels %1 channels 1 : (tensor<1x2x2x2xf32>) -> !y
  %3 = resnet.subsample_grad %2 stride 2 size [3, 3] : (!y) -> !x
  return %1, %3 : tensor<1x2x2x2xf32>, !x
}
