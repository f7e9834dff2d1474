// RUN: resin-opt %s --decompose-batch-norm | FileCheck %s

// An image of 16x64x64 floats is 256 KiB: one image a piece, so 2 pieces; 2 * 64 * 64 = 8192 elements in a channel.
// CHECK-LABEL: @train
//  CHECK-SAME:   %[[Y:.*]]: tensor<2x16x64x64xf32>, %[[G:.*]]: tensor<16xf32>
//       CHECK:   %[[SUM:.*]] = resnet.channel_sum %[[Y]] pieces 2 : (tensor<2x16x64x64xf32>) -> tensor<2x16xf64>
//       CHECK:   %[[SQUARES:.*]] = resnet.channel_dot %[[Y]], %[[Y]] pieces 2
//       CHECK:   %[[MULTIPLIER:.*]], %[[ADDEND:.*]], %[[MEAN:.*]], %[[VARIANCE:.*]] = resnet.batch_norm_finalize
//       CHECK-SAME: %[[SUM]], %[[SQUARES]], %[[G]], %[[G]] count 8.192000e+03
//       CHECK:   %[[Z:.*]] = resnet.scale_shift %[[Y]], %[[MULTIPLIER]], %[[ADDEND]]
//       CHECK:   return %[[Z]], %[[MEAN]], %[[VARIANCE]]
func.func @train(%y: tensor<2x16x64x64xf32>, %g: tensor<16xf32>) -> (tensor<2x16x64x64xf32>, tensor<16xf32>,
    tensor<16xf32>) {
  %z, %mean, %variance = resnet.batch_norm_train %y, %g, %g epsilon 1.0e-5 : (tensor<2x16x64x64xf32>, tensor<16xf32>,
      tensor<16xf32>) -> (tensor<2x16x64x64xf32>, tensor<16xf32>, tensor<16xf32>)
  return %z, %mean, %variance : tensor<2x16x64x64xf32>, tensor<16xf32>, tensor<16xf32>
}

// 8 images of 4 KiB would all stay in L2, but a batch is cut into four pieces at least.
// CHECK-LABEL: @grad
//  CHECK-SAME:   %[[DZ:.*]]: tensor<8x16x8x8xf32>, %[[Y:.*]]: tensor<8x16x8x8xf32>, %[[V:.*]]: tensor<16xf32>
//       CHECK:   %[[SUM:.*]] = resnet.channel_sum %[[DZ]] pieces 4
//       CHECK:   %[[DOT:.*]] = resnet.channel_dot %[[DZ]], %[[Y]] pieces 4
//       CHECK:   %[[A:.*]], %[[B:.*]], %[[C:.*]], %[[DG:.*]], %[[DB:.*]] = resnet.batch_norm_grad_finalize %[[SUM]],
//       CHECK-SAME: %[[DOT]], %[[V]], %[[V]], %[[V]] count 5.120000e+02
//       CHECK:   %[[DY:.*]] = resnet.affine_combine %[[DZ]], %[[Y]], %[[A]], %[[B]], %[[C]]
//       CHECK:   return %[[DY]], %[[DG]], %[[DB]]
func.func @grad(%dz: tensor<8x16x8x8xf32>, %y: tensor<8x16x8x8xf32>, %v: tensor<16xf32>) -> (tensor<8x16x8x8xf32>,
    tensor<16xf32>, tensor<16xf32>) {
  %dy, %dg, %db = resnet.batch_norm_grad %dz, %y, %v, %v, %v epsilon 1.0e-5 : (tensor<8x16x8x8xf32>,
      tensor<8x16x8x8xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<8x16x8x8xf32>, tensor<16xf32>,
          tensor<16xf32>)
  return %dy, %dg, %db : tensor<8x16x8x8xf32>, tensor<16xf32>, tensor<16xf32>
}

// A bias's gradient is cut by the same rule.
// CHECK-LABEL: @bias
//       CHECK:   resnet.channel_sum %{{.*}} pieces 2
func.func @bias(%dy: tensor<2x16x64x64xf32>) -> tensor<16xf32> {
  %s = resnet.channel_sum %dy pieces 1 : (tensor<2x16x64x64xf32>) -> tensor<1x16xf32>
  %b = resnet.batch_sum %s : (tensor<1x16xf32>) -> tensor<16xf32>
  return %b : tensor<16xf32>
}

// 2.25 MiB of filters are streamed by each piece, so a piece has more images than the one whose 196 KiB would stay in
// L2: as many as leave four pieces.
// CHECK-LABEL: @large_filters
//       CHECK:   resnet.channel_sum %{{.*}} pieces 4
func.func @large_filters(%x: tensor<16x256x14x14xf32>, %f: tensor<256x256x3x3xf32>, %g: tensor<256xf32>)
    -> tensor<16x256x14x14xf32> {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<16x256x14x14xf32>,
      tensor<256x256x3x3xf32>) -> tensor<16x256x14x14xf32>
  %z, %mean, %variance = resnet.batch_norm_train %y, %g, %g epsilon 1.0e-5 : (tensor<16x256x14x14xf32>, tensor<256xf32>,
      tensor<256xf32>) -> (tensor<16x256x14x14xf32>, tensor<256xf32>, tensor<256xf32>)
  return %z : tensor<16x256x14x14xf32>
}

// 576 KiB of filters are streamed too, but of one image's 392 KiB half does not stay either, and of two much more: one
// it is.
// CHECK-LABEL: @large_images
//       CHECK:   resnet.channel_sum %{{.*}} pieces 16
func.func @large_images(%x: tensor<16x128x28x28xf32>, %f: tensor<128x128x3x3xf32>, %g: tensor<128xf32>)
    -> tensor<16x128x28x28xf32> {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<16x128x28x28xf32>,
      tensor<128x128x3x3xf32>) -> tensor<16x128x28x28xf32>
  %z, %mean, %variance = resnet.batch_norm_train %y, %g, %g epsilon 1.0e-5 : (tensor<16x128x28x28xf32>, tensor<128xf32>,
      tensor<128xf32>) -> (tensor<16x128x28x28xf32>, tensor<128xf32>, tensor<128xf32>)
  return %z : tensor<16x128x28x28xf32>
}
