// RUN: resin-opt %s --interpret="function=filter,same,band" -o /dev/null | FileCheck %s

!g = tensor<1x1x3x3xf32>

// Only the middle tap: 1 at the middle of F(2, 3)'s points 0, 1, -1 and infinity is 0, 1/2, -1/2, 0.
// CHECK-LABEL: @filter
// CHECK-NEXT: result 0 [1, 4, 4, 1]: 0 0 0 0 0 0.25 -0.25 0 0 -0.25 0.25 0 0 0 0 0
func.func @filter(%f: !g {resnet.value = dense<[[[[0., 0., 0.], [0., 1., 0.], [0., 0., 0.]]]]> : !g})
    -> tensor<1x4x4x1xf32> {
  %u = resnet.winograd_filter %f tile 2 : (!g) -> tensor<1x4x4x1xf32>
  return %u : tensor<1x4x4x1xf32>
}

// The same as conv2d, whatever the tile: 3x5 pixels, which no tile divides. The sums of three neighbours each way, by
// hand for the corner: 1 + 2 + 6 + 7.
// CHECK-LABEL: @same
// CHECK-NEXT: result 0 [1, 1, 3, 5]: 16 27 33 39 28 39 63 72 81 57 36 57 63 69 48
// CHECK-NEXT: result 1 [1, 1, 3, 5]: 16 27 33 39 28 39 63 72 81 57 36 57 63 69 48
// CHECK-NEXT: result 2 [1, 1, 3, 5]: 16 27 33 39 28 39 63 72 81 57 36 57 63 69 48
!x = tensor<1x1x3x5xf32>
func.func @same(%x: !x {resnet.value = dense<[[[[1., 2., 3., 4., 5.], [6., 7., 8., 9., 10.],
                                             [11., 12., 13., 14., 15.]]]]> : !x},
                %f: !g {resnet.value = dense<1.> : !g}) -> (!x, !x, !x) {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !g) -> !x
  %u = resnet.winograd_filter %f tile 4 : (!g) -> tensor<1x6x6x1xf32>
  %z = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1] : (!x, tensor<1x6x6x1xf32>) -> !x
  %v = resnet.winograd_filter %f tile 2 : (!g) -> tensor<1x4x4x1xf32>
  %w = resnet.conv2d_winograd %x, %v padding [1, 1, 1, 1] : (!x, tensor<1x4x4x1xf32>) -> !x
  return %y, %z, %w : !x, !x, !x
}

// A band of rows brings those above and below with it.
// CHECK-LABEL: @band
// CHECK-NEXT: result 0 [1, 1, 1, 5]: 39 63 72 81 57
func.func @band(%x: !x {resnet.value = dense<[[[[1., 2., 3., 4., 5.], [6., 7., 8., 9., 10.],
                                             [11., 12., 13., 14., 15.]]]]> : !x},
                %f: !g {resnet.value = dense<1.> : !g}) -> tensor<1x1x1x5xf32> {
  %u = resnet.winograd_filter %f tile 4 : (!g) -> tensor<1x6x6x1xf32>
  %z = resnet.conv2d_winograd %x, %u padding [0, 1, 0, 1] : (!x, tensor<1x6x6x1xf32>) -> tensor<1x1x1x5xf32>
  return %z : tensor<1x1x1x5xf32>
}
