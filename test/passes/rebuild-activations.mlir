// RUN: resin-opt %s --rebuild-activations | FileCheck %s

!x = tensor<2x16x8x8xf32>
!f = tensor<16x16x3x3xf32>
!c = tensor<16xf32>

// Each reader of the backward half has its own; a mask needs no relu. The forward half goes on with the first.
// CHECK-LABEL: @block
//  CHECK-SAME:   %[[Y:.*]]: tensor<2x16x8x8xf32>, %[[M:.*]]: tensor<16xf32>, %[[A:.*]]: tensor<16xf32>,
//  CHECK-SAME:   %[[F:.*]]: tensor<16x16x3x3xf32>, %[[DY:.*]]: tensor<2x16x8x8xf32>
//       CHECK:   %[[N:.*]] = resnet.scale_shift %[[Y]], %[[M]], %[[A]]
//       CHECK:   %[[Z:.*]] = resnet.relu %[[N]]
//       CHECK:   resnet.conv2d %[[Z]], %[[F]]
//       CHECK:   %[[N2:.*]] = resnet.scale_shift %[[Y]], %[[M]], %[[A]]
//       CHECK:   %[[Z2:.*]] = resnet.relu %[[N2]]
//       CHECK:   resnet.conv2d_grad_weight %[[Z2]], %[[DY]]
//       CHECK:   %[[DZ:.*]] = resnet.conv2d_grad_data
//       CHECK:   %[[N3:.*]] = resnet.scale_shift %[[Y]], %[[M]], %[[A]]
//       CHECK:   resnet.relu_grad %[[DZ]], %[[N3]]
func.func @block(%y: !x, %m: !c, %a: !c, %f: !f, %dy: !x) -> (!x, !f, !x) {
  %n = resnet.scale_shift %y, %m, %a : (!x, !c, !c) -> !x
  %z = resnet.relu %n : (!x) -> !x
  %u = resnet.conv2d %z, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !x
  %df = resnet.conv2d_grad_weight %z, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  %dz = resnet.conv2d_grad_data %dy, %f size [8, 8] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x,
      !f) -> !x
  %dn = resnet.relu_grad %dz, %z : (!x, !x) -> !x
  return %u, %df, %dn : !x, !f, !x
}

// A join's activation is kept.
// CHECK-LABEL: @join
// CHECK-COUNT-1: resnet.scale_shift
// CHECK-NOT:     resnet.scale_shift
func.func @join(%y: !x, %m: !c, %a: !c, %skip: !x, %dz: !x) -> !x {
  %n = resnet.scale_shift %y, %m, %a : (!x, !c, !c) -> !x
  %j = resnet.add %n, %skip : (!x, !x) -> !x
  %z = resnet.relu %j : (!x) -> !x
  %dj = resnet.relu_grad %dz, %z : (!x, !x) -> !x
  return %dj : !x
}

// Nothing is made again where the fusion knobs say so.
// CHECK-LABEL: @keeps_all
// CHECK-COUNT-1: resnet.scale_shift
// CHECK-NOT:     resnet.scale_shift
func.func @keeps_all(%y: !x, %m: !c, %a: !c, %dy: !x) -> !f attributes {resnet.fusion = {rebuild = 0 : i64}} {
  %n = resnet.scale_shift %y, %m, %a : (!x, !c, !c) -> !x
  %z = resnet.relu %n : (!x) -> !x
  %df = resnet.conv2d_grad_weight %z, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  return %df : !f
}

// The gradient of silu reads what silu reads: it gets the norm, and nothing of it is kept.
// CHECK-LABEL: @silu
//  CHECK-SAME:   %[[Y:.*]]: tensor<2x16x8x8xf32>, %[[M:.*]]: tensor<16xf32>, %[[A:.*]]: tensor<16xf32>,
//  CHECK-SAME:   %[[DY:.*]]: tensor<2x16x8x8xf32>, %[[DZ:.*]]: tensor<2x16x8x8xf32>
//       CHECK:   %[[N:.*]] = resnet.scale_shift %[[Y]], %[[M]], %[[A]]
//       CHECK:   %[[Z:.*]] = resnet.silu %[[N]]
//       CHECK:   %[[N2:.*]] = resnet.scale_shift %[[Y]], %[[M]], %[[A]]
//       CHECK:   %[[Z2:.*]] = resnet.silu %[[N2]]
//       CHECK:   resnet.conv2d_grad_weight %[[Z2]], %[[DY]]
//       CHECK:   %[[N3:.*]] = resnet.scale_shift %[[Y]], %[[M]], %[[A]]
//       CHECK:   resnet.silu_grad %[[DZ]], %[[N3]]
func.func @silu(%y: !x, %m: !c, %a: !c, %dy: !x, %dz: !x) -> (!x, !f, !x) {
  %n = resnet.scale_shift %y, %m, %a : (!x, !c, !c) -> !x
  %z = resnet.silu %n : (!x) -> !x
  %df = resnet.conv2d_grad_weight %z, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  %dn = resnet.silu_grad %dz, %n : (!x, !x) -> !x
  return %z, %df, %dn : !x, !f, !x
}

// Behind a join the gradient keeps the sum, and silu is made of it again: one activation is kept, not two.
// CHECK-LABEL: @silu_of_a_join
//  CHECK-SAME:   %[[S:.*]]: tensor<2x16x8x8xf32>, %[[T:.*]]: tensor<2x16x8x8xf32>, %[[DY:.*]]: tensor<2x16x8x8xf32>,
//  CHECK-SAME:   %[[DZ:.*]]: tensor<2x16x8x8xf32>
//       CHECK:   %[[J:.*]] = resnet.add %[[S]], %[[T]]
//       CHECK:   %[[Z:.*]] = resnet.silu %[[J]]
//       CHECK:   %[[Z2:.*]] = resnet.silu %[[J]]
//       CHECK:   resnet.conv2d_grad_weight %[[Z2]], %[[DY]]
//   CHECK-NOT:   resnet.add
//       CHECK:   resnet.silu_grad %[[DZ]], %[[J]]
func.func @silu_of_a_join(%s: !x, %t: !x, %dy: !x, %dz: !x) -> (!x, !f, !x) {
  %j = resnet.add %s, %t : (!x, !x) -> !x
  %z = resnet.silu %j : (!x) -> !x
  %df = resnet.conv2d_grad_weight %z, %dy kernel [3, 3] strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1
      : (!x, !x) -> !f
  %dj = resnet.silu_grad %dz, %j : (!x, !x) -> !x
  return %z, %df, %dj : !x, !f, !x
}

// leaky_relu's gradient wants a sign, as ReLU's does: the norm has it.
// CHECK-LABEL: @leaky_relu
//  CHECK-SAME:   %[[Y:.*]]: tensor<2x16x8x8xf32>, %[[M:.*]]: tensor<16xf32>, %[[A:.*]]: tensor<16xf32>,
//  CHECK-SAME:   %[[DZ:.*]]: tensor<2x16x8x8xf32>
//       CHECK:   resnet.leaky_relu
//       CHECK:   %[[N:.*]] = resnet.scale_shift %[[Y]], %[[M]], %[[A]]
//       CHECK:   resnet.leaky_relu_grad %[[DZ]], %[[N]] slope
func.func @leaky_relu(%y: !x, %m: !c, %a: !c, %dz: !x) -> (!x, !x) {
  %n = resnet.scale_shift %y, %m, %a : (!x, !c, !c) -> !x
  %z = resnet.leaky_relu %n slope 0.01 : (!x) -> !x
  %dn = resnet.leaky_relu_grad %dz, %z slope 0.01 : (!x, !x) -> !x
  return %z, %dn : !x, !x
}
