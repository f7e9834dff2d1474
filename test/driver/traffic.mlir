// RUN: resin build %s --emit=fused | FileCheck %s
// RUN: resin build %s --emit=fused | resin-opt -o /dev/null

// An image of 16x25x25 floats is 40 kB. Three ops by themselves read and write 6 of them. %a is rebuilt: two pieces go
// through both regions;
// %b, which the last region cuts otherwise, is stored. So x, b, b again and c are moved.
// CHECK:      // @predict_8 moves 0.16 MB an image; with every op by itself it would be 0.24. Activations: 1 stored,
// CHECK-SAME: 0.04 MB an image; 1 rebuilt in cache, 0.04
// CHECK-NEXT: // stored 0.040 MB 16x25x25 add layer1.1
// CHECK-NEXT: // rebuilt 0.040 MB 16x25x25 relu layer1.0
// Sums are f64: of 4096 channels 33 kB an image, beside 66 kB of 2x2 pixels. x, z, z again and the sums; fused, x and
// the sums.
// CHECK:      // @sums moves 0.10 MB an image; with every op by itself it would be 0.23. Activations: 0 stored,
// CHECK-SAME: 0.00 MB an image; 0 rebuilt in cache, 0.00
// CHECK: module
!x = tensor<8x16x25x25xf32, #resnet.layout<c16>>
!a = tensor<2x16x25x25xf32, #resnet.layout<c16>>
!b = tensor<4x16x25x25xf32, #resnet.layout<c16>>
!wide = tensor<8x4096x2x2xf32, #resnet.layout<c16>>
!one = tensor<1x4096x2x2xf32, #resnet.layout<c16>>
!rows = tensor<8x4096xf64, #resnet.layout<c16>>
!row = tensor<1x4096xf64, #resnet.layout<c16>>
module attributes {resnet.task = {inputs = [{name = "image", kind = "image"}]}} {
  func.func @predict_8(%x: !x {resnet.name = "image"}) -> (!x {resnet.name = "logits"}) {
    %a = resnet.fused(%x) pieces 4 dims [0] to [0] : (!x) -> !x {
    ^bb0(%0: !a):
      %1 = resnet.relu %0 : (!a) -> !a loc(fused<"layer1.0">["net.resin":1:1])
      resnet.yield %1 : !a
    }
    %b = resnet.fused(%a) pieces 4 dims [0] to [0] : (!x) -> !x {
    ^bb0(%0: !a):
      %1 = resnet.add %0, %0 : (!a, !a) -> !a loc(fused<"layer1.1">["net.resin":2:1])
      resnet.yield %1 : !a
    }
    %c = resnet.fused(%b) pieces 2 dims [0] to [0] : (!x) -> !x {
    ^bb0(%0: !b):
      %1 = resnet.relu %0 : (!b) -> !b
      resnet.yield %1 : !b
    }
    return %c : !x
  }

  func.func @sums(%x: !wide {resnet.name = "image"}) -> (!rows {resnet.name = "logits"}) {
    %s = resnet.fused(%x) pieces 8 dims [0] to [0] : (!wide) -> !rows {
    ^bb0(%0: !one):
      %1 = resnet.relu %0 : (!one) -> !one
      %2 = resnet.channel_sum %1 pieces 1 : (!one) -> !row
      resnet.yield %2 : !row
    }
    return %s : !rows
  }
}
