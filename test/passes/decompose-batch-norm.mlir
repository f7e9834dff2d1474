// RUN: resin-opt %s --decompose-batch-norm | FileCheck %s

// An image of 16x64x64 floats is 256 KiB: one image a piece, so 2 pieces; 2 * 64 * 64 = 8192 elements in a channel.
// CHECK-LABEL: @train
//  CHECK-SAME:   %[[Y:.*]]: tensor<2x16x64x64xf32>, %[[G:.*]]: tensor<16xf32>
//       CHECK:   %[[SUM:.*]] = resnet.channel_sum %[[Y]] pieces 2 : (tensor<2x16x64x64xf32>) -> tensor<2x16xf32>
//       CHECK:   %[[SQUARES:.*]] = resnet.channel_dot %[[Y]], %[[Y]] pieces 2
//       CHECK:   %[[MULTIPLIER:.*]], %[[ADDEND:.*]], %[[MEAN:.*]], %[[VARIANCE:.*]] = resnet.batch_norm_finalize %[[SUM]], %[[SQUARES]], %[[G]], %[[G]] count 8.192000e+03
//       CHECK:   %[[Z:.*]] = resnet.scale_shift %[[Y]], %[[MULTIPLIER]], %[[ADDEND]]
//       CHECK:   return %[[Z]], %[[MEAN]], %[[VARIANCE]]
func.func @train(%y: tensor<2x16x64x64xf32>, %g: tensor<16xf32>) -> (tensor<2x16x64x64xf32>, tensor<16xf32>, tensor<16xf32>) {
  %z, %mean, %variance = resnet.batch_norm_train %y, %g, %g epsilon 1.0e-5 : (tensor<2x16x64x64xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<2x16x64x64xf32>, tensor<16xf32>, tensor<16xf32>)
  return %z, %mean, %variance : tensor<2x16x64x64xf32>, tensor<16xf32>, tensor<16xf32>
}

// CHECK-LABEL: @grad
//  CHECK-SAME:   %[[DZ:.*]]: tensor<8x16x8x8xf32>, %[[Y:.*]]: tensor<8x16x8x8xf32>, %[[V:.*]]: tensor<16xf32>
//       CHECK:   %[[SUM:.*]] = resnet.channel_sum %[[DZ]] pieces 1
//       CHECK:   %[[DOT:.*]] = resnet.channel_dot %[[DZ]], %[[Y]] pieces 1
//       CHECK:   %[[A:.*]], %[[B:.*]], %[[C:.*]], %[[DG:.*]], %[[DB:.*]] = resnet.batch_norm_grad_finalize %[[SUM]], %[[DOT]], %[[V]], %[[V]], %[[V]] count 5.120000e+02
//       CHECK:   %[[DY:.*]] = resnet.affine_combine %[[DZ]], %[[Y]], %[[A]], %[[B]], %[[C]]
//       CHECK:   return %[[DY]], %[[DG]], %[[DB]]
func.func @grad(%dz: tensor<8x16x8x8xf32>, %y: tensor<8x16x8x8xf32>, %v: tensor<16xf32>) -> (tensor<8x16x8x8xf32>, tensor<16xf32>, tensor<16xf32>) {
  %dy, %dg, %db = resnet.batch_norm_grad %dz, %y, %v, %v, %v epsilon 1.0e-5 : (tensor<8x16x8x8xf32>, tensor<8x16x8x8xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> (tensor<8x16x8x8xf32>, tensor<16xf32>, tensor<16xf32>)
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
