// RUN: resin-opt %s --fuse --split-input-file | FileCheck %s
// RUN: resin-opt %s --fuse=most-lanes=32 --split-input-file | FileCheck %s --check-prefix=MOST

!x = tensor<8x16x32x32xf32, #resnet.layout<c16, halo = 1>>
!y = tensor<8x16x32x32xf32, #resnet.layout<c16>>
!f = tensor<16x16x3x3xf32, #resnet.layout<k16c16>>
!c = tensor<16xf32, #resnet.layout<c16>>
!p = tensor<4x16xf64, #resnet.layout<c16>>

// The sums ride with the convolution; the finish needs all of them, so what is behind it is another kernel; running
// averages go with the finish.
// An image is 64 KiB, so 4 of the 8 images would stay in L2; but a batch is cut into four pieces at least.
// CHECK-LABEL: @train_step
//       CHECK:   %[[CONV:.*]]:3 = resnet.fused(%{{.*}}, %{{.*}}) pieces 4 dims [0, -1] to [0, 0, 0]
//       CHECK:     ^bb0(%{{.*}}: tensor<2x16x32x32xf32, #resnet.layout<c16, halo = 1>>, %{{.*}}: tensor<16x16x3x3xf32,
//       CHECK-SAME: #resnet.layout<k16c16>>)
//       CHECK:     %[[Y:.*]] = resnet.conv2d
//       CHECK:     %[[SUM:.*]] = resnet.channel_sum %[[Y]] pieces 1 : {{.*}} -> tensor<1x16xf64, #resnet.layout<c16>>
//       CHECK:     %[[DOT:.*]] = resnet.channel_dot %[[Y]], %[[Y]] pieces 1
//       CHECK:     resnet.yield %[[Y]], %[[SUM]], %[[DOT]]
//       CHECK:   %[[FINISH:.*]]:3 = resnet.fused(%[[CONV]]#1, %[[CONV]]#2, %{{.*}}) pieces 1 dims [-1, -1, -1] to [-1,
//       CHECK-SAME: -1, -1]
//       CHECK:     resnet.batch_norm_finalize
//       CHECK:     resnet.running_average
//       CHECK:   %[[Z:.*]] = resnet.fused(%[[CONV]]#0, %[[FINISH]]#0, %[[FINISH]]#1, %{{.*}}) pieces 4 dims [0, -1, -1,
//       CHECK-SAME: 0] to [0]
//       CHECK:     resnet.scale_shift
//       CHECK:     resnet.add
//       CHECK:     resnet.relu
//       CHECK:   resnet.write @mean, %[[FINISH]]#2
//       CHECK:   return %[[Z]]
resnet.variable "statistic" @mean : !c init {name = "constant", value = 0.0 : f64}
resnet.variable "parameter" @f : !f init {name = "constant", value = 0.0 : f64}
func.func @train_step(%x: !x) -> !x {
  %f = resnet.read @f : !f
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !y
  %g = resnet.read @mean : !c
  %s = resnet.channel_sum %y pieces 4 : (!y) -> !p
  %q = resnet.channel_dot %y, %y pieces 4 : (!y, !y) -> !p
  %m, %a, %mean, %var = resnet.batch_norm_finalize %s, %q, %g, %g count 8192.0 epsilon 1.0e-5 : (!p, !p, !c, !c) -> (!c,
      !c, !c, !c)
  %moved = resnet.running_average %g, %mean momentum 0.1 factor 1.0 : (!c, !c) -> !c
  %n = resnet.scale_shift %y, %m, %a : (!y, !c, !c) -> !y
  %j = resnet.add %n, %x : (!y, !x) -> !y
  %z = resnet.relu %j : (!y) -> !x
  resnet.write @mean, %moved : !c
  return %z : !x
}

// -----

!x = tensor<8x16x32x32xf32, #resnet.layout<c16, halo = 1>>
!y = tensor<8x16x32x32xf32, #resnet.layout<c16>>
!f = tensor<16x16x3x3xf32, #resnet.layout<k16c16>>
!t = tensor<16x16x3x3xf32, #resnet.layout<c16k16>>
!p = tensor<4x16xf64, #resnet.layout<c16>>

// Backward, with all riders: data gradient, join, mask and both sums are one kernel; the filter's gradient is four
// lanes, the pieces of what it reads, and their sum.
// CHECK-LABEL: @train_step
//       CHECK:   resnet.fused{{.*}} pieces 4 dims [0, -1, 0, 0, 0] to [0, 0, 0]
//       CHECK:     resnet.conv2d_grad_data
//       CHECK:     resnet.add
//       CHECK:     resnet.relu_grad
//       CHECK:     resnet.channel_sum
//       CHECK:     resnet.channel_dot
//       CHECK:   %[[LANES:.*]] = resnet.fused{{.*}} pieces 4 dims [0, 0] to [0] : {{.*}} -> tensor<4x16x16x3x3xf32,
//       CHECK-SAME: #resnet.layout<k16c16>>
//       CHECK:     resnet.conv2d_grad_weight {{.*}} lane {{.*}} -> tensor<1x16x16x3x3xf32, #resnet.layout<k16c16>>
//       CHECK:   resnet.fused(%[[LANES]]) pieces 1
//       CHECK:     resnet.batch_sum
func.func @train_step(%x: !x, %y: !y, %dy: !x, %skip: !y, %t: !t) -> (!y, !p, !p,
    !f) attributes {resnet.fusion = {epilogues = 2 : i64}} {
  %dx = resnet.conv2d_grad_data %dy, %t size [32, 32] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !t) -> !y
  %j = resnet.add %dx, %skip : (!y, !y) -> !y
  %dz = resnet.relu_grad %j, %x : (!y, !x) -> !y
  %s = resnet.channel_sum %dz pieces 4 : (!y) -> !p
  %q = resnet.channel_dot %dz, %y pieces 4 : (!y, !y) -> !p
  %df = resnet.conv2d_grad_weight %x, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  return %dz, %s, %q, %df : !y, !p, !p, !f
}

// -----

!x = tensor<8x16x32x32xf32, #resnet.layout<c16, halo = 1>>
!y = tensor<8x16x32x32xf32, #resnet.layout<c16>>
!t = tensor<16x16x3x3xf32, #resnet.layout<c16k16>>
!u = tensor<16x16x1x1xf32, #resnet.layout<c16k16>>
!p = tensor<4x16xf64, #resnet.layout<c16>>

// Without riders the data gradient is a kernel of its own.
// CHECK-LABEL: @train_step
//       CHECK:   resnet.fused{{.*}} pieces 4 dims [0, -1] to [0]
//       CHECK:     resnet.conv2d_grad_data
//  CHECK-NEXT:     resnet.yield
//       CHECK:   resnet.fused{{.*}} pieces 4
//       CHECK:     resnet.relu_grad
//       CHECK:     resnet.channel_sum
func.func @train_step(%x: !x, %dy: !x, %u: !u) -> (!y, !p) attributes {resnet.fusion = {epilogues = 0 : i64}} {
  %dx = resnet.conv2d_grad_data %dy, %u size [32, 32] strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1
      : (!x, !u) -> !y
  %dz = resnet.relu_grad %dx, %x : (!y, !x) -> !y
  %s = resnet.channel_sum %dz pieces 4 : (!y) -> !p
  return %dz, %s : !y, !p
}

// As a rule it has them unless there is a form of Winograd's.
// CHECK-LABEL: @plain_sums
//       CHECK:     resnet.conv2d_grad_data
//  CHECK-NEXT:     resnet.relu_grad
//       CHECK:     resnet.conv2d_grad_data
//  CHECK-NEXT:     resnet.yield
//       CHECK:     resnet.relu_grad
func.func @plain_sums(%x: !x, %dy: !x, %t: !t, %u: !u) -> (!y, !y) {
  %dx = resnet.conv2d_grad_data %dy, %u size [32, 32] strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1
      : (!x, !u) -> !y
  %dz = resnet.relu_grad %dx, %x : (!y, !x) -> !y
  %dw = resnet.conv2d_grad_data %dy, %t size [32, 32] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !t) -> !y
  %dv = resnet.relu_grad %dw, %x : (!y, !x) -> !y
  return %dz, %dv : !y, !y
}

// For a smaller cache a batch is cut into smaller pieces: here of one image, not two.
// CHECK-LABEL: @small_cache
//       CHECK:   resnet.fused{{.*}} pieces 8
func.func @small_cache(%y: !y) -> !y attributes {resnet.fusion = {piece_kib = 128 : i64}} {
  %z = resnet.relu %y : (!y) -> !y
  return %z : !y
}

// One image is cut no finer than asked.
// CHECK-LABEL: @predict_1
//       CHECK:   resnet.fused{{.*}} pieces 2
func.func @predict_1(%x: tensor<1x32x32x32xf32, #resnet.layout<c16, halo = 1>>, %f: tensor<32x32x3x3xf32,
    #resnet.layout<k16c16>>) -> tensor<1x32x32x32xf32, #resnet.layout<c16>>
    attributes {resnet.fusion = {most_pieces = 2 : i64}} {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x32x32x32xf32,
      #resnet.layout<c16, halo = 1>>, tensor<32x32x3x3xf32, #resnet.layout<k16c16>>) -> tensor<1x32x32x32xf32,
      #resnet.layout<c16>>
  return %y : tensor<1x32x32x32xf32, #resnet.layout<c16>>
}

// -----

!x = tensor<8x512x7x7xf32, #resnet.layout<c16, halo = 1>>
!f = tensor<512x512x3x3xf32, #resnet.layout<k16c16>>

// 9 MB of filters: pieces are ranges of 64 output channels, and the update is cut along them too.
// CHECK-LABEL: @train_step
//       CHECK:   %[[DF:.*]] = resnet.fused(%{{.*}}, %{{.*}}) pieces 8 dims [-1, 1] to [0]
//       CHECK:     ^bb0(%{{.*}}: tensor<8x512x7x7xf32, {{.*}}, %{{.*}}: tensor<8x64x7x7xf32,
//   CHECK-NOT:     lane
//       CHECK:   resnet.fused({{.*}}%[[DF]]{{.*}}) pieces 32 dims [0, 0, 0, -1] to [0, 0]
func.func @train_step(%x: !x, %dy: !x, %w: !f, %m: !f, %lr: tensor<f32>) -> (!f, !f) {
  %df = resnet.conv2d_grad_weight %x, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  %u, %v = resnet.sgd %w, %df, %m, %lr momentum 0.9 nesterov false weight_decay 0.0 : (!f, !f, !f, tensor<f32>) -> (!f,
      !f)
  return %u, %v : !f, !f
}

// -----

!x = tensor<1x64x8x8xf32, #resnet.layout<c16, halo = 1>>
!y = tensor<1x64x8x8xf32, #resnet.layout<c16>>
!f = tensor<64x64x3x3xf32, #resnet.layout<k16c16>>
!c = tensor<64xf32, #resnet.layout<c16>>

// Inference: all in one kernel, for one image cut by output channels, 2 MFLOP a piece at least. The image that is
// joined is read twice: whole by the convolution, cut by the join.
// CHECK-LABEL: @predict_1
//  CHECK-SAME:   %[[X:.*]]: tensor<1x64x8x8xf32
//       CHECK:   %[[Z:.*]] = resnet.fused(%[[X]], %{{.*}}, %{{.*}}, %[[X]]) pieces 2 dims [-1, 0, 0, 1] to [1]
//       CHECK:     resnet.conv2d
//       CHECK:     resnet.add_bias
//       CHECK:     resnet.add
//       CHECK:     resnet.relu
//       CHECK:   return %[[Z]]
func.func @predict_1(%x: !x, %f: !f, %b: !c) -> !y {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !y
  %z = resnet.add_bias %y, %b : (!y, !c) -> !y
  %j = resnet.add %z, %x : (!y, !x) -> !y
  %r = resnet.relu %j : (!y) -> !y
  return %r : !y
}

// -----

// A filter smaller than the map is read again by bands of rows, which read the rows above and below with their own;
// none is less than 2 MFLOP.
// CHECK-LABEL: @predict_1
//  CHECK-SAME:   %[[X:.*]]: tensor<1x32x32x32xf32
//       CHECK:   %[[Z:.*]] = resnet.fused(%[[X]], %{{.*}}, %{{.*}}, %[[X]]) pieces 8 dims [2, -1, -1,
//       CHECK-SAME: 2] to [2] overlaps [1, 0, 0, 0]
//       CHECK:     resnet.conv2d {{.*}} padding [0, 1, 0, 1] {{.*}} -> tensor<1x32x4x32xf32
//       CHECK:     resnet.relu
//       CHECK:   return %[[Z]]
func.func @predict_1(%x: tensor<1x32x32x32xf32, #resnet.layout<c16, halo = 1>>, %f: tensor<32x32x3x3xf32,
    #resnet.layout<k16c16>>, %b: tensor<32xf32, #resnet.layout<c16>>) -> tensor<1x32x32x32xf32, #resnet.layout<c16>> {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<1x32x32x32xf32,
      #resnet.layout<c16, halo = 1>>, tensor<32x32x3x3xf32, #resnet.layout<k16c16>>) -> tensor<1x32x32x32xf32,
      #resnet.layout<c16>>
  %z = resnet.add_bias %y, %b : (tensor<1x32x32x32xf32, #resnet.layout<c16>>, tensor<32xf32, #resnet.layout<c16>>)
      -> tensor<1x32x32x32xf32, #resnet.layout<c16>>
  %j = resnet.add %z, %x : (tensor<1x32x32x32xf32, #resnet.layout<c16>>, tensor<1x32x32x32xf32, #resnet.layout<c16,
      halo = 1>>) -> tensor<1x32x32x32xf32, #resnet.layout<c16>>
  %r = resnet.relu %j : (tensor<1x32x32x32xf32, #resnet.layout<c16>>) -> tensor<1x32x32x32xf32, #resnet.layout<c16>>
  return %r : tensor<1x32x32x32xf32, #resnet.layout<c16>>
}

// -----

!x = tensor<1x64x56x56xf32, #resnet.layout<c16, halo = 1>>
!y = tensor<1x64x56x56xf32, #resnet.layout<c16>>
!u = tensor<64x6x6x64xf32, #resnet.layout<k16>>

// Bands of a convolution by Winograd's method are whole rows of its tiles.
// CHECK-LABEL: @predict_1
//       CHECK:   resnet.fused(%{{.*}}, %{{.*}}) pieces 7 dims [2, -1] to [2] overlaps [1, 0]
//       CHECK:     resnet.conv2d_winograd {{.*}} padding [0, 1, 0, 1] : (tensor<1x64x10x56xf32
//       CHECK-SAME: -> tensor<1x64x8x56xf32
func.func @predict_1(%x: !x, %u: !u) -> !y {
  %y = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1] : (!x, !u) -> !y
  return %y : !y
}

// -----

!x = tensor<1x64x8x8xf32, #resnet.layout<c16, halo = 1>>
!y = tensor<1x64x8x8xf32, #resnet.layout<c16>>
!u = tensor<64x6x6x64xf32, #resnet.layout<k16>>

// A filter at its points is larger than this image: each piece reads its own part of it.
// CHECK-LABEL: @predict_1
//       CHECK:   resnet.fused(%{{.*}}, %{{.*}}) pieces 2 dims [-1, 0] to [1]
//       CHECK:     resnet.conv2d_winograd {{.*}} padding [1, 1, 1, 1] : (tensor<1x64x8x8xf32
//       CHECK-SAME: , tensor<32x6x6x64xf32{{.*}} -> tensor<1x32x8x8xf32
func.func @predict_1(%x: !x, %u: !u) -> !y {
  %y = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1] : (!x, !u) -> !y
  return %y : !y
}

// -----

!x = tensor<16x16x64x64xf32, #resnet.layout<c16, halo = 1>>
!f = tensor<16x16x3x3xf32, #resnet.layout<k16c16>>

// As many lanes as pieces of the gradient, one image each: 16 filters of 9 KiB are less than 16 images of 256 KiB.
// CHECK-LABEL: @train_step
//       CHECK:   resnet.fused{{.*}} pieces 16 dims [0, 0] to [0] : {{.*}} -> tensor<16x16x16x3x3xf32
func.func @train_step(%x: !x, %dy: !x) -> !f {
  %df = resnet.conv2d_grad_weight %x, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  return %df : !f
}

// -----

!x = tensor<32x16x64x64xf32, #resnet.layout<c16, halo = 1>>
!f = tensor<16x16x3x3xf32, #resnet.layout<k16c16>>

// 32 lanes like these are more streams than the kernel that adds them reads well, unless it is asked for them.
// CHECK-LABEL: @many_lanes
//       CHECK:   resnet.fused{{.*}} pieces 8 dims [0, 0] to [0]
//  MOST-LABEL: @many_lanes
//        MOST:   resnet.fused{{.*}} pieces 32 dims [0, 0] to [0]
func.func @many_lanes(%x: !x, %dy: !x) -> !f {
  %df = resnet.conv2d_grad_weight %x, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  return %df : !f
}

// -----

!y = tensor<8x16x32x32xf32, #resnet.layout<c16>>
!x = tensor<8x16x32x32xf32, #resnet.layout<c16, halo = 1>>
!c = tensor<16xf32, #resnet.layout<c16>>
!f = tensor<16x16x3x3xf32, #resnet.layout<k16c16>>
!s = tensor<2xi32>

// Dropout is pointwise: it rides along, cut by images, and is told of how many pieces it is one. Not on a convolution's
// registers, though.
// CHECK-LABEL: @train_step
//       CHECK:   %[[D:.*]] = resnet.fused(%{{.*}}, %{{.*}}, %{{.*}}, %[[SEED:.*]]) pieces 4 dims [0, -1, -1, -1] to [0]
//       CHECK:     resnet.scale_shift
//       CHECK:     resnet.relu
//       CHECK:     resnet.dropout %{{.*}}, %{{.*}} rate 5.000000e-01 layer 0 piece_of 4 : (tensor<2x16x32x32xf32
//       CHECK:   %[[C:.*]] = resnet.fused(%[[D]], %{{.*}}) pieces 4 dims [0, -1] to [0]
//       CHECK:     resnet.conv2d
//  CHECK-NEXT:     resnet.yield
//       CHECK:   %[[E:.*]] = resnet.fused(%[[C]], %[[SEED]]) pieces 4 dims [0, -1] to [0]
//       CHECK:     resnet.dropout {{.*}} layer 1 piece_of 4
//       CHECK:     resnet.relu
//       CHECK:   resnet.fused(%[[E]], %[[SEED]]) pieces 4 dims [0, -1] to [0]
//       CHECK:     resnet.global_avg_pool
//       CHECK:     resnet.dropout {{.*}} layer 2 piece_of 4 : (tensor<2x16xf32>
func.func @train_step(%y: !y, %m: !c, %a: !c, %seed: !s, %f: !f) -> tensor<8x16xf32> {
  %n = resnet.scale_shift %y, %m, %a : (!y, !c, !c) -> !y
  %r = resnet.relu %n : (!y) -> !y
  %d = resnet.dropout %r, %seed rate 0.5 layer 0 : (!y, !s) -> !x
  %c = resnet.conv2d %d, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !y
  %e = resnet.dropout %c, %seed rate 0.5 layer 1 : (!y, !s) -> !y
  %h = resnet.relu %e : (!y) -> !y
  %v = resnet.global_avg_pool %h : (!y) -> tensor<8x16xf32>
  %w = resnet.dropout %v, %seed rate 0.5 layer 2 : (tensor<8x16xf32>, !s) -> tensor<8x16xf32>
  return %w : tensor<8x16xf32>
}

// -----

!y = tensor<8x16x32x32xf32, #resnet.layout<c16>>
!x = tensor<8x16x32x32xf32, #resnet.layout<c16, halo = 1>>
!c = tensor<16xf32, #resnet.layout<c16>>
!p = tensor<4x16xf64, #resnet.layout<c16>>
!t = tensor<16x16x3x3xf32, #resnet.layout<c16k16>>
!s = tensor<2xi32>

// Backwards: the same mask on the gradient, with the sums.
// CHECK-LABEL: @train_step
//       CHECK:   resnet.fused
//       CHECK:     resnet.conv2d_grad_data
//  CHECK-NEXT:     resnet.yield
//       CHECK:   resnet.fused{{.*}} pieces 4 dims [0, -1, 0] to [0, 0, 0]
//       CHECK:     resnet.dropout {{.*}} piece_of 4
//       CHECK:     resnet.relu_grad
//       CHECK:     resnet.channel_sum
//       CHECK:     resnet.channel_dot
func.func @train_step(%dy: !x, %t: !t, %y: !y, %seed: !s) -> (!y, !p, !p) {
  %dx = resnet.conv2d_grad_data %dy, %t size [32, 32] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !t) -> !y
  %d = resnet.dropout %dx, %seed rate 0.5 layer 0 : (!y, !s) -> !y
  %dz = resnet.relu_grad %d, %y : (!y, !y) -> !y
  %s = resnet.channel_sum %dz pieces 4 : (!y) -> !p
  %q = resnet.channel_dot %dz, %y pieces 4 : (!y, !y) -> !p
  return %dz, %s, %q : !y, !p, !p
}

// -----

!x = tensor<8x128x8x8xf32, #resnet.layout<c16, halo = 1>>
!f = tensor<128x128x3x3xf32, #resnet.layout<k16c16>>
!t = tensor<128x128x3x3xf32, #resnet.layout<c16k16>>
!s = tensor<64x16x3x3xf32, #resnet.layout<k16c16>>

// A filter of 576 KiB is transposed in ranges of input channels, and its gradient's lanes are summed in those ranges of
// output channels that the update follows in; what is small stays whole.
// CHECK-LABEL: @train_step
//  CHECK-SAME:   %[[W:[^:]*]]: tensor<128x128x3x3xf32, #resnet.layout<k16c16>>
//       CHECK:   resnet.fused(%[[W]]) pieces 2 dims [-1] to [1]
//       CHECK:     %[[P:.*]] = resnet.part %{{.*}} dim 1 piece_of 2 : {{.*}} to tensor<128x64x3x3xf32,
//       CHECK-SAME: #resnet.layout<k16c16>>
//       CHECK:     resnet.relayout %[[P]] : {{.*}} to tensor<128x64x3x3xf32, #resnet.layout<c16k16>>
//       CHECK:   %[[LANES:.*]] = resnet.fused{{.*}} -> tensor<4x128x128x3x3xf32
//       CHECK:   %[[SUM:.*]] = resnet.fused(%[[LANES]]) pieces 2 dims [-1] to [0]
//       CHECK:     %[[Q:.*]] = resnet.part %{{.*}} dim 1 piece_of 2 : {{.*}} to tensor<4x64x128x3x3xf32,
//       CHECK-SAME: #resnet.layout<k16c16>>
//       CHECK:     resnet.batch_sum %[[Q]] : {{.*}} -> tensor<64x128x3x3xf32, #resnet.layout<k16c16>>
//       CHECK:   resnet.fused({{.*}}%[[SUM]]{{.*}}) pieces 2 dims [0, 0, 0, -1] to [0, 0]
//       CHECK:   resnet.fused({{.*}}) pieces 1 dims [-1] to [-1]
//  CHECK-NEXT:     ^bb0
//  CHECK-NEXT:     resnet.relayout
func.func @train_step(%x: !x, %dy: !x, %w: !f, %m: !f, %lr: tensor<f32>, %small: !s) -> (!t, !f, !f,
    tensor<64x16x3x3xf32, #resnet.layout<c16k16>>) {
  %t = resnet.relayout %w : !f to !t
  %df = resnet.conv2d_grad_weight %x, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  %u, %v = resnet.sgd %w, %df, %m, %lr momentum 0.9 nesterov false weight_decay 0.0 : (!f, !f, !f, tensor<f32>) -> (!f,
      !f)
  %s = resnet.relayout %small : !s to tensor<64x16x3x3xf32, #resnet.layout<c16k16>>
  return %t, %u, %v, %s : !t, !f, !f, tensor<64x16x3x3xf32, #resnet.layout<c16k16>>
}

// -----

!x = tensor<8x16x32x32xf32, #resnet.layout<c16>>
!y = tensor<8x16x16x16xf32, #resnet.layout<c16>>
!p = tensor<4x16xf64, #resnet.layout<c16>>

// Nothing rides with what only moves elements; the two sums of its result are one kernel all the same, as are those of
// its gradient.
// CHECK-LABEL: @norm_of_a_sample
//       CHECK:   %[[Y:.*]] = resnet.fused
//       CHECK:     resnet.subsample
//       CHECK:   resnet.fused(%[[Y]]) {{.*}} -> (tensor<4x16xf64, {{.*}}>, tensor<4x16xf64, {{.*}}>)
//       CHECK:     resnet.channel_sum
//       CHECK:     resnet.channel_dot
//       CHECK:   %[[DZ:.*]] = resnet.fused
//       CHECK:     resnet.subsample_grad
//       CHECK:   resnet.fused(%[[DZ]], %{{.*}}) {{.*}} -> (tensor<4x16xf64, {{.*}}>, tensor<4x16xf64, {{.*}}>)
//       CHECK:     resnet.channel_sum
//       CHECK:     resnet.channel_dot
func.func @norm_of_a_sample(%x: !x) -> (!p, !p, !p, !p) {
  %y = resnet.subsample %x stride 2 : (!x) -> !y
  %s = resnet.channel_sum %y pieces 4 : (!y) -> !p
  %q = resnet.channel_dot %y, %y pieces 4 : (!y, !y) -> !p
  %dz = resnet.subsample_grad %y stride 2 size [32, 32] : (!y) -> !x
  %ds = resnet.channel_sum %dz pieces 4 : (!x) -> !p
  %dq = resnet.channel_dot %dz, %x pieces 4 : (!x, !x) -> !p
  return %s, %q, %ds, %dq : !p, !p, !p, !p
}

!d = tensor<8x16x16x16xf32, #resnet.layout<c16, halo = 1>>
!t = tensor<16x16x3x3xf32, #resnet.layout<c16k16>>

// Of a norm on the image nobody wants the gradient, so that the gradient before it is only summed. A convolution's
// kernel stores what it makes.
// CHECK-LABEL: @norm_of_the_image
//       CHECK:   %[[DZ:.*]] = resnet.fused
//       CHECK:     %[[DATA:.*]] = resnet.conv2d_grad_data
//       CHECK:     resnet.yield %[[DATA]]
//       CHECK:   resnet.fused(%[[DZ]], %{{.*}}) {{.*}} -> (tensor<4x16xf64, {{.*}}>, tensor<4x16xf64, {{.*}}>)
//       CHECK:     resnet.channel_sum
//       CHECK:     resnet.channel_dot
func.func @norm_of_the_image(%x: !x, %dy: !d, %t: !t) -> (!p, !p) {
  %dz = resnet.conv2d_grad_data %dy, %t size [32, 32] strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!d, !t) -> !x
  %s = resnet.channel_sum %dz pieces 4 : (!x) -> !p
  %q = resnet.channel_dot %dz, %x pieces 4 : (!x, !x) -> !p
  return %s, %q : !p, !p
}

// -----

!x = tensor<8x16x32x32xf32, #resnet.layout<c16, halo = 1>>
!y = tensor<8x16x32x32xf32, #resnet.layout<c16>>
!u = tensor<16x16x1x1xf32, #resnet.layout<c16k16>>
!f = tensor<16x16x1x1xf32, #resnet.layout<k16c16>>
!c = tensor<16xf32, #resnet.layout<c16>>
!p = tensor<4x16xf64, #resnet.layout<c16>>

// Another activation function rides along as ReLU does, forwards and backwards.
// CHECK-LABEL: @silu
//       CHECK:   resnet.fused
//       CHECK:     resnet.conv2d
//  CHECK-NEXT:     resnet.add_bias
//  CHECK-NEXT:     resnet.silu
//  CHECK-NEXT:     resnet.yield
//       CHECK:   resnet.fused
//       CHECK:     resnet.conv2d_grad_data
//  CHECK-NEXT:     resnet.silu_grad
//  CHECK-NEXT:     resnet.channel_sum
//  CHECK-NEXT:     resnet.yield
func.func @silu(%x: !x, %f: !f, %b: !c, %z: !y, %dy: !x, %u: !u) -> (!y, !y, !p) {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (!x, !f) -> !y
  %n = resnet.add_bias %y, %b : (!y, !c) -> !y
  %r = resnet.silu %n : (!y) -> !y
  %dx = resnet.conv2d_grad_data %dy, %u size [32, 32] strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1
      : (!x, !u) -> !y
  %dz = resnet.silu_grad %dx, %z : (!y, !y) -> !y
  %s = resnet.channel_sum %dz pieces 4 : (!y) -> !p
  return %r, %dz, %s : !y, !y, !p
}
