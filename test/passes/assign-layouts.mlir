// RUN: resin-opt %s --assign-layouts --split-input-file | FileCheck %s

// The stem reads planes, three zeros around; its filters have too few input channels for blocks of them. The
// optimizer's state of them stands as they do, whatever it is called. The second convolution reads one zero around,
// its gradient with respect to data two minus one, with the filters transposed.
//       CHECK: resnet.variable "parameter" @stem : tensor<16x3x7x7xf32, #resnet.layout<k16>>
//       CHECK: resnet.variable "parameter" @f : tensor<32x16x3x3xf32, #resnet.layout<k16c16>>
//       CHECK: resnet.variable "slot" @optimizer.momentum.stem of @stem : tensor<16x3x7x7xf32, #resnet.layout<k16>>
//       CHECK: resnet.variable "slot" @trust.ratio of @stem : tensor<16x3x7x7xf32, #resnet.layout<k16>>
//       CHECK: resnet.variable "parameter" @b : tensor<16xf32, #resnet.layout<c16>>
resnet.variable "parameter" @stem : tensor<16x3x7x7xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "parameter" @f : tensor<32x16x3x3xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "slot" @optimizer.momentum.stem of @stem : tensor<16x3x7x7xf32> init {name = "constant",
    value = 1.0 : f64}
resnet.variable "slot" @trust.ratio of @stem : tensor<16x3x7x7xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "parameter" @b : tensor<16xf32> init {name = "constant", value = 1.0 : f64}

// CHECK-LABEL: func.func @train_step
//  CHECK-SAME:   %{{.*}}: tensor<2x3x8x8xf32, #resnet.layout<dense, halo = 3>>
//       CHECK:   resnet.conv2d {{.*}} -> tensor<2x16x4x4xf32, #resnet.layout<c16>>
//       CHECK:   resnet.add_bias {{.*}} -> tensor<2x16x4x4xf32, #resnet.layout<c16, halo = 1>>
//       CHECK:   %[[Y:.*]] = resnet.conv2d {{.*}} -> tensor<2x32x4x4xf32, #resnet.layout<c16>>
//       CHECK:   %[[DY:.*]] = resnet.relu %[[Y]] : {{.*}} -> tensor<2x32x4x4xf32, #resnet.layout<c16, halo = 1>>
//       CHECK:   %[[T:.*]] = resnet.relayout %{{.*}} : tensor<32x16x3x3xf32, #resnet.layout<k16c16>>
//       CHECK-SAME: to tensor<32x16x3x3xf32, #resnet.layout<c16k16>>
//       CHECK:   resnet.conv2d_grad_data %[[DY]], %[[T]]
//       CHECK:   resnet.conv2d_grad_weight {{.*}} -> tensor<32x16x3x3xf32, #resnet.layout<k16c16>>
func.func @train_step(%image: tensor<2x3x8x8xf32>) -> (tensor<2x16x4x4xf32>, tensor<32x16x3x3xf32>) {
  %stem = resnet.read @stem : tensor<16x3x7x7xf32>
  %f = resnet.read @f : tensor<32x16x3x3xf32>
  %b = resnet.read @b : tensor<16xf32>
  %x = resnet.conv2d %image, %stem strides [2, 2] padding [3, 3, 3, 3] dilations [1, 1] groups 1 : (tensor<2x3x8x8xf32>,
      tensor<16x3x7x7xf32>) -> tensor<2x16x4x4xf32>
  %z = resnet.add_bias %x, %b : (tensor<2x16x4x4xf32>, tensor<16xf32>) -> tensor<2x16x4x4xf32>
  %y = resnet.conv2d %z, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x16x4x4xf32>,
      tensor<32x16x3x3xf32>) -> tensor<2x32x4x4xf32>
  %dy = resnet.relu %y : (tensor<2x32x4x4xf32>) -> tensor<2x32x4x4xf32>
  %dz = resnet.conv2d_grad_data %dy, %f size [4, 4] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x32x4x4xf32>, tensor<32x16x3x3xf32>) -> tensor<2x16x4x4xf32>
  %df = resnet.conv2d_grad_weight %z, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x16x4x4xf32>, tensor<2x32x4x4xf32>) -> tensor<32x16x3x3xf32>
  return %dz, %df : tensor<2x16x4x4xf32>, tensor<32x16x3x3xf32>
}

// -----

// Whoever is not a stem reads the image in blocks. Groups of 8 channels do not fill blocks; matrices are blocked by
// their rows; features are dense.
//       CHECK: @f : tensor<16x8x3x3xf32, #resnet.layout<k16>>
//       CHECK: @w : tensor<5x16xf32, #resnet.layout<k16>>
resnet.variable "parameter" @f : tensor<16x8x3x3xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "parameter" @w : tensor<5x16xf32> init {name = "constant", value = 1.0 : f64}
// CHECK-LABEL: func.func @predict_2
//  CHECK-SAME:   %[[IMAGE:.*]]: tensor<2x16x4x4xf32>) -> tensor<2x5xf32>
//       CHECK:   %[[X:.*]] = resnet.relayout %[[IMAGE]] : tensor<2x16x4x4xf32> to tensor<2x16x4x4xf32,
//       CHECK-SAME: #resnet.layout<c16, halo = 1>>
//       CHECK:   resnet.conv2d %[[X]]
//       CHECK:   resnet.global_avg_pool {{.*}} -> tensor<2x16xf32>
func.func @predict_2(%image: tensor<2x16x4x4xf32>) -> tensor<2x5xf32> {
  %f = resnet.read @f : tensor<16x8x3x3xf32>
  %w = resnet.read @w : tensor<5x16xf32>
  %y = resnet.conv2d %image, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 2 : (tensor<2x16x4x4xf32>,
      tensor<16x8x3x3xf32>) -> tensor<2x16x4x4xf32>
  %p = resnet.global_avg_pool %y : (tensor<2x16x4x4xf32>) -> tensor<2x16xf32>
  %z = resnet.linear %p, %w : (tensor<2x16xf32>, tensor<5x16xf32>) -> tensor<2x5xf32>
  return %z : tensor<2x5xf32>
}

// -----

// A prepared variable stands as the function reads it, and @prepare writes it so.
//       CHECK: @prepared.0 : tensor<16x3x3x3xf32, #resnet.layout<k16>>
resnet.variable "parameter" @f : tensor<16x3x3x3xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "parameter" @g : tensor<16xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "prepared" @prepared.0 : tensor<16x3x3x3xf32> init {name = "constant", value = 0.0 : f64}
func.func @predict_1(%image: tensor<1x3x4x4xf32>) -> tensor<1x16x2x2xf32> {
  %f = resnet.read @prepared.0 : tensor<16x3x3x3xf32>
  %y = resnet.conv2d %image, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x4x4xf32>,
      tensor<16x3x3x3xf32>) -> tensor<1x16x2x2xf32>
  return %y : tensor<1x16x2x2xf32>
}
// CHECK-LABEL: func.func @prepare
//       CHECK:   resnet.write @prepared.0, %{{.*}} : tensor<16x3x3x3xf32, #resnet.layout<k16>>
func.func @prepare() {
  %f = resnet.read @f : tensor<16x3x3x3xf32>
  %g = resnet.read @g : tensor<16xf32>
  %s = resnet.scale_filter %f, %g : (tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<16x3x3x3xf32>
  resnet.write @prepared.0, %s : tensor<16x3x3x3xf32>
  return
}

// -----

// Inside a network activations are blocked, however few channels they have, and so are the filters that meet them: the
// last block is filled up with zeros.
//       CHECK: @stem : tensor<12x3x3x3xf32, #resnet.layout<k16>>
//       CHECK: @f : tensor<20x12x3x3xf32, #resnet.layout<k16c16>>
resnet.variable "parameter" @stem : tensor<12x3x3x3xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "parameter" @f : tensor<20x12x3x3xf32> init {name = "constant", value = 1.0 : f64}
// CHECK-LABEL: func.func @train_step
//       CHECK:   resnet.conv2d {{.*}} -> tensor<2x12x4x4xf32, #resnet.layout<c16, halo = 1>>
//       CHECK:   resnet.conv2d_grad_weight {{.*}} -> tensor<20x12x3x3xf32, #resnet.layout<k16c16>>
func.func @train_step(%image: tensor<2x3x4x4xf32>) -> tensor<20x12x3x3xf32> {
  %stem = resnet.read @stem : tensor<12x3x3x3xf32>
  %f = resnet.read @f : tensor<20x12x3x3xf32>
  %x = resnet.conv2d %image, %stem strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x3x4x4xf32>,
      tensor<12x3x3x3xf32>) -> tensor<2x12x4x4xf32>
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x12x4x4xf32>,
      tensor<20x12x3x3xf32>) -> tensor<2x20x4x4xf32>
  %df = resnet.conv2d_grad_weight %x, %y kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (tensor<2x12x4x4xf32>, tensor<2x20x4x4xf32>) -> tensor<20x12x3x3xf32>
  return %df : tensor<20x12x3x3xf32>
}

// -----

// A filter at Winograd's points has its channels last, and so has the variable that hands it over; the taps that it is
// made from stand as ever.
//       CHECK: @f : tensor<16x16x3x3xf32, #resnet.layout<k16c16>>
//       CHECK: @prepared.0 : tensor<16x6x6x16xf32, #resnet.layout<k16>>
resnet.variable "parameter" @f : tensor<16x16x3x3xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "prepared" @prepared.0 : tensor<16x6x6x16xf32> init {name = "constant", value = 0.0 : f64}
// CHECK-LABEL: func.func @predict_1
//       CHECK:   resnet.relu {{.*}} -> tensor<1x16x4x4xf32, #resnet.layout<c16, halo = 1>>
func.func @predict_1(%image: tensor<1x16x4x4xf32>) -> tensor<1x16x4x4xf32> {
  %x = resnet.relu %image : (tensor<1x16x4x4xf32>) -> tensor<1x16x4x4xf32>
  %u = resnet.read @prepared.0 : tensor<16x6x6x16xf32>
  %y = resnet.conv2d_winograd %x, %u padding [1, 1, 1, 1] : (tensor<1x16x4x4xf32>, tensor<16x6x6x16xf32>)
      -> tensor<1x16x4x4xf32>
  return %y : tensor<1x16x4x4xf32>
}
// CHECK-LABEL: func.func @prepare
//       CHECK:   resnet.winograd_filter {{.*}} -> tensor<16x6x6x16xf32, #resnet.layout<k16>>
func.func @prepare() {
  %f = resnet.read @f : tensor<16x16x3x3xf32>
  %u = resnet.winograd_filter %f tile 4 : (tensor<16x16x3x3xf32>) -> tensor<16x6x6x16xf32>
  resnet.write @prepared.0, %u : tensor<16x6x6x16xf32>
  return
}

// -----

// In training the stem reads what dropout left of the image, in blocks, and so its filter is in blocks. @predict reads
// the image's planes, with the filter put in another order.
//       CHECK: @f : tensor<16x3x3x3xf32, #resnet.layout<k16c16>>
//       CHECK: @prepared.0 : tensor<16x3x3x3xf32, #resnet.layout<k16c16>>
resnet.variable "parameter" @f : tensor<16x3x3x3xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "parameter" @g : tensor<16xf32> init {name = "constant", value = 1.0 : f64}
resnet.variable "prepared" @prepared.0 : tensor<16x3x3x3xf32> init {name = "constant", value = 0.0 : f64}
// CHECK-LABEL: func.func @train_step
//       CHECK:   resnet.conv2d {{.*}} : (tensor<1x3x4x4xf32, #resnet.layout<c16>>, tensor<16x3x3x3xf32,
//       CHECK-SAME: #resnet.layout<k16c16>>)
func.func @train_step(%image: tensor<1x3x4x4xf32>, %seed: tensor<2xi32>) -> tensor<1x16x2x2xf32> {
  %x = resnet.dropout %image, %seed rate 0.1 layer 1 : (tensor<1x3x4x4xf32>, tensor<2xi32>) -> tensor<1x3x4x4xf32>
  %f = resnet.read @f : tensor<16x3x3x3xf32>
  %y = resnet.conv2d %x, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x4x4xf32>,
      tensor<16x3x3x3xf32>) -> tensor<1x16x2x2xf32>
  return %y : tensor<1x16x2x2xf32>
}
// CHECK-LABEL: func.func @predict_1
//       CHECK:   %[[F:.*]] = resnet.read @prepared.0
//       CHECK:   %[[PLANES:.*]] = resnet.relayout %[[F]] : {{.*}} to tensor<16x3x3x3xf32, #resnet.layout<k16>>
//       CHECK:   resnet.conv2d %{{.*}}, %[[PLANES]] {{.*}} : (tensor<1x3x4x4xf32>, tensor<16x3x3x3xf32,
//       CHECK-SAME: #resnet.layout<k16>>)
func.func @predict_1(%image: tensor<1x3x4x4xf32>) -> tensor<1x16x2x2xf32> {
  %f = resnet.read @prepared.0 : tensor<16x3x3x3xf32>
  %y = resnet.conv2d %image, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x4x4xf32>,
      tensor<16x3x3x3xf32>) -> tensor<1x16x2x2xf32>
  return %y : tensor<1x16x2x2xf32>
}
func.func @prepare() {
  %f = resnet.read @f : tensor<16x3x3x3xf32>
  %g = resnet.read @g : tensor<16xf32>
  %s = resnet.scale_filter %f, %g : (tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<16x3x3x3xf32>
  resnet.write @prepared.0, %s : tensor<16x3x3x3xf32>
  return
}
