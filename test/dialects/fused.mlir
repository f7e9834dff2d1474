// RUN: resin-opt %s --verify-roundtrip -o /dev/null \
// RUN:   --interpret="function=plain,pieces,channels,bands,layout,sum,parts batch=4 limit=4" | FileCheck %s
// RUN: resin-opt %s --verify-roundtrip | FileCheck %s --check-prefix=PRINT

!x = tensor<4x2x3x3xf32>
!f = tensor<6x2x3x3xf32>
!y = tensor<4x6x3x3xf32>

// CHECK-LABEL: @plain
// CHECK-NEXT: result 0 [4, 6, 3, 3]: [[Y:.*]]
// CHECK-NEXT: result 1 [2, 6]: [[S:.*]]
// CHECK-NEXT: result 2 [6, 2, 3, 3]: [[W:.*]]
func.func @plain(%x: !x, %f: !f) -> (!y, tensor<2x6xf32>, !f) {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !y
  %r = resnet.relu %y : (!y) -> !y
  %s = resnet.channel_sum %r pieces 2 : (!y) -> tensor<2x6xf32>
  %w = resnet.conv2d_grad_weight %x, %r kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !y) -> !f
  return %r, %s, %w : !y, tensor<2x6xf32>, !f
}

// The same, two images at a time: each piece gives its row of the sums.
// CHECK-LABEL: @pieces
// CHECK-NEXT: result 0 [4, 6, 3, 3]: [[Y]]
// CHECK-NEXT: result 1 [2, 6]: [[S]]
func.func @pieces(%x: !x, %f: !f) -> (!y, tensor<2x6xf32>) {
  %0:2 = resnet.fused(%x, %f) pieces 2 dims [0, -1] to [0, 0] : (!x, !f) -> (!y, tensor<2x6xf32>) {
  ^bb0(%a: tensor<2x2x3x3xf32>, %b: !f):
    %y = resnet.conv2d %a, %b strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x2x3x3xf32>, !f)
        -> tensor<2x6x3x3xf32>
    %r = resnet.relu %y : (tensor<2x6x3x3xf32>) -> tensor<2x6x3x3xf32>
    %s = resnet.channel_sum %r pieces 1 : (tensor<2x6x3x3xf32>) -> tensor<1x6xf32>
    resnet.yield %r, %s : tensor<2x6x3x3xf32>, tensor<1x6xf32>
  }
  return %0#0, %0#1 : !y, tensor<2x6xf32>
}

// Pieces may be ranges of channels: results lie side by side along dimension 1, filters' gradients along 0.
// CHECK-LABEL: @channels
// CHECK-NEXT: result 0 [4, 6, 3, 3]: [[Y]]
// CHECK-NEXT: result 1 [6, 2, 3, 3]: [[W]]
func.func @channels(%x: !x, %f: !f) -> (!y, !f) {
  %0 = resnet.fused(%x, %f) pieces 3 dims [-1, 0] to [1] : (!x, !f) -> !y {
  ^bb0(%a: !x, %b: tensor<2x2x3x3xf32>):
    %y = resnet.conv2d %a, %b strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, tensor<2x2x3x3xf32>)
        -> tensor<4x2x3x3xf32>
    %r = resnet.relu %y : (tensor<4x2x3x3xf32>) -> tensor<4x2x3x3xf32>
    resnet.yield %r : tensor<4x2x3x3xf32>
  }
  %1 = resnet.fused(%x, %0) pieces 3 dims [-1, 1] to [0] : (!x, !y) -> !f {
  ^bb0(%a: !x, %g: tensor<4x2x3x3xf32>):
    %w = resnet.conv2d_grad_weight %a, %g kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
        : (!x, tensor<4x2x3x3xf32>) -> tensor<2x2x3x3xf32>
    resnet.yield %w : tensor<2x2x3x3xf32>
  }
  return %0, %1 : !y, !f
}

// Or bands of rows, that bring with them the rows which the filter reaches above and below, zeros beyond the image.
// CHECK-LABEL: @bands
// CHECK-NEXT: result 0 [4, 6, 3, 3]: [[Y]]
// PRINT-LABEL: @bands
// PRINT: resnet.fused(%{{.*}}, %{{.*}}) pieces 3 dims [2, -1] to [2] overlaps [1, 0]
!h = tensor<4x2x3x3xf32, #resnet.layout<dense, halo = 1>>
func.func @bands(%x: !x, %f: !f) -> !y {
  %h = resnet.relayout %x : !x to !h
  %0 = resnet.fused(%h, %f) pieces 3 dims [2, -1] to [2] overlaps [1, 0] : (!h, !f) -> !y {
  ^bb0(%a: tensor<4x2x3x3xf32, #resnet.layout<dense, halo = 1>>, %b: !f):
    %y = resnet.conv2d %a, %b strides [1, 1] padding [0, 1, 0, 1] dilations [1, 1] groups 1 : (tensor<4x2x3x3xf32,
        #resnet.layout<dense, halo = 1>>, !f) -> tensor<4x6x1x3xf32>
    %r = resnet.relu %y : (tensor<4x6x1x3xf32>) -> tensor<4x6x1x3xf32>
    resnet.yield %r : tensor<4x6x1x3xf32>
  }
  return %0 : !y
}

// A layout changes nothing that is computed; it is printed as it was written.
// CHECK-LABEL: @layout
// CHECK-NEXT: result 0 [4, 6, 3, 3]: [[Y]]
// PRINT-LABEL: @layout
// PRINT: resnet.relayout %{{.*}} : tensor<4x2x3x3xf32> to tensor<4x2x3x3xf32, #resnet.layout<c16, halo = 1>>
// PRINT: resnet.conv2d {{.*}} -> tensor<4x6x3x3xf32, #resnet.layout<c16>>
func.func @layout(%x: !x, %f: !f) -> tensor<4x6x3x3xf32, #resnet.layout<c16>> {
  %0 = resnet.relayout %x : !x to tensor<4x2x3x3xf32, #resnet.layout<c16, halo = 1>>
  %y = resnet.conv2d %0, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<4x2x3x3xf32,
      #resnet.layout<c16, halo = 1>>, !f) -> tensor<4x6x3x3xf32, #resnet.layout<c16>>
  %r = resnet.relu %y : (tensor<4x6x3x3xf32, #resnet.layout<c16>>) -> tensor<4x6x3x3xf32, #resnet.layout<c16>>
  return %r : tensor<4x6x3x3xf32, #resnet.layout<c16>>
}

// Where a part of an operand is no run of memory, each piece takes its own of the whole; elsewhere the first is meant.
// CHECK-LABEL: @sum
// CHECK-NEXT: result 0 [6, 2]: [[SUM:.*]]
func.func @sum(%x: tensor<3x6x2xf32>) -> tensor<6x2xf32> {
  %0 = resnet.batch_sum %x : (tensor<3x6x2xf32>) -> tensor<6x2xf32>
  return %0 : tensor<6x2xf32>
}
// CHECK-LABEL: @parts
// CHECK-NEXT: result 0 [6, 2]: [[SUM]]
// CHECK-NEXT: result 1 [6, 1]: [[SUM0:[^ ]+]]
func.func @parts(%x: tensor<3x6x2xf32>) -> (tensor<6x2xf32>, tensor<6x1xf32>) {
  %0 = resnet.fused(%x) pieces 3 dims [-1] to [0] : (tensor<3x6x2xf32>) -> tensor<6x2xf32> {
  ^bb0(%a: tensor<3x6x2xf32>):
    %p = resnet.part %a dim 1 piece_of 3 : tensor<3x6x2xf32> to tensor<3x2x2xf32>
    %s = resnet.batch_sum %p : (tensor<3x2x2xf32>) -> tensor<2x2xf32>
    resnet.yield %s : tensor<2x2xf32>
  }
  %1 = resnet.part %0 dim 1 piece_of 2 : tensor<6x2xf32> to tensor<6x1xf32>
  return %0, %1 : tensor<6x2xf32>, tensor<6x1xf32>
}
