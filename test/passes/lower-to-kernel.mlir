// RUN: resin-opt %s --lower-to-kernel --split-input-file | FileCheck %s

// A region becomes a loop over its pieces, its argument and result the places that the runtime knows.
// CHECK-LABEL: func.func @pieces()
// CHECK:   %[[X:.*]] = kernel.argument "image" : <8x16x4x4xf32, c16>
// CHECK:   %[[Y:.*]] = kernel.result "y" : <8x16x4x4xf32, c16>
// CHECK:   kernel.parallel pieces 4
// CHECK:     %[[A:.*]] = kernel.slice %[[X]][%{{.*}}] dim 0 of 4
// CHECK:     %[[B:.*]] = kernel.slice %[[Y]][%{{.*}}] dim 0 of 4
// CHECK:     kernel.launch @relu_{{.*}}(%[[A]]) -> (%[[B]]) spec
// CHECK-SAME: "(f32[2,16,4,4]c16) { %1 = relu(%0) {} : f32[2,16,4,4] } -> (%1: f32[2,16,4,4]c16)" layer "layer1.0"
// CHECK-NOT: kernel.copy
func.func @pieces(%x: tensor<8x16x4x4xf32, #resnet.layout<c16>> {resnet.name = "image"}) -> (tensor<8x16x4x4xf32,
    #resnet.layout<c16>> {resnet.name = "y"}) {
  %y = resnet.fused(%x) pieces 4 dims [0] to [0] : (tensor<8x16x4x4xf32, #resnet.layout<c16>>) -> tensor<8x16x4x4xf32,
      #resnet.layout<c16>> {
  ^bb0(%a: tensor<2x16x4x4xf32, #resnet.layout<c16>>):
    %b = resnet.relu %a : (tensor<2x16x4x4xf32, #resnet.layout<c16>>) -> tensor<2x16x4x4xf32,
        #resnet.layout<c16>> loc(fused<"layer1.0">["net.resin":1:1])
    resnet.yield %b : tensor<2x16x4x4xf32, #resnet.layout<c16>>
  }
  return %y : tensor<8x16x4x4xf32, #resnet.layout<c16>>
}

// -----

resnet.variable "parameter" @w : tensor<16xf32> init {name = "constant", value = 0.0}
resnet.variable "slot" @v of @w : tensor<16xf32> init {name = "constant", value = 0.0}

// The optimizer finishes with an element before it writes it, so it works in place.
// CHECK: kernel.variable "parameter" @w : !kernel.view<16xf32>
// CHECK: kernel.variable "slot" @v of @w : !kernel.view<16xf32>
// CHECK-LABEL: func.func @update_in_place()
// CHECK-DAG: %[[W:.*]] = kernel.slot @w
// CHECK-DAG: %[[V:.*]] = kernel.slot @v
// CHECK: kernel.launch @sgd_{{[^(]*}}(%[[W2:.*]], %{{.*}}, %[[V2:.*]], %{{.*}}) -> (%{{.*}}, %{{.*}})
// CHECK-NOT: kernel.copy
// CHECK-NOT: kernel.alloc
func.func @update_in_place(%g: tensor<16xf32> {resnet.name = "gradient"},
    %rate: tensor<f32> {resnet.name = "learning_rate"}) {
  %w = resnet.read @w : tensor<16xf32>
  %v = resnet.read @v : tensor<16xf32>
  %w1, %v1 = resnet.fused(%w, %g, %v, %rate) pieces 1 dims [-1, -1, -1, -1] to [-1, -1]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>) -> (tensor<16xf32>, tensor<16xf32>) {
  ^bb0(%p: tensor<16xf32>, %d: tensor<16xf32>, %m: tensor<16xf32>, %lr: tensor<f32>):
    %p1, %m1 = resnet.sgd %p, %d, %m, %lr momentum 0.9 nesterov false weight_decay 0.0
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>) -> (tensor<16xf32>, tensor<16xf32>)
    resnet.yield %p1, %m1 : tensor<16xf32>, tensor<16xf32>
  }
  resnet.write @w, %w1 : tensor<16xf32>
  resnet.write @v, %v1 : tensor<16xf32>
  return
}

// -----

resnet.variable "prepared" @p : tensor<4x16xf32> init {name = "constant", value = 0.0}

// Somebody reads the old value behind the producer: the new one is made apart and copied at the write.
// CHECK-LABEL: func.func @old_value_is_read_later()
// CHECK: %[[P:.*]] = kernel.slot @p
// CHECK: kernel.parallel
// CHECK:   kernel.launch @relu_{{[^(]*}}(%{{.*}}) -> (%[[NEW:.*]]) spec
// CHECK: kernel.parallel
// CHECK:   kernel.launch @relu_{{[^(]*}}(%[[P]]) -> (%{{.*}}) spec
// CHECK: kernel.parallel
// CHECK:   kernel.copy %[[NEW]] to %{{.*}}
func.func @old_value_is_read_later(%x: tensor<4x16xf32> {resnet.name = "x"}) -> (tensor<4x16xf32> {resnet.name = "y"}) {
  %old = resnet.read @p : tensor<4x16xf32>
  %new = resnet.fused(%x) pieces 1 dims [-1] to [-1] : (tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%a: tensor<4x16xf32>):
    %b = resnet.relu %a : (tensor<4x16xf32>) -> tensor<4x16xf32>
    resnet.yield %b : tensor<4x16xf32>
  }
  %y = resnet.fused(%old) pieces 1 dims [-1] to [-1] : (tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%a: tensor<4x16xf32>):
    %b = resnet.relu %a : (tensor<4x16xf32>) -> tensor<4x16xf32>
    resnet.yield %b : tensor<4x16xf32>
  }
  resnet.write @p, %new : tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

resnet.variable "prepared" @p : tensor<4x16xf32> init {name = "constant", value = 0.0}

// The write comes first, and the old value is needed behind it: it is kept.
// CHECK-LABEL: func.func @old_value_is_kept()
// CHECK: %[[P:.*]] = kernel.slot @p
// CHECK: %[[KEPT:.*]] = kernel.alloc
// CHECK: kernel.copy %[[P]] to %[[KEPT]]
// CHECK: kernel.launch @relu_{{[^(]*}}(%[[KEPT]])
func.func @old_value_is_kept(%x: tensor<4x16xf32> {resnet.name = "x"}) -> (tensor<4x16xf32> {resnet.name = "y"}) {
  %old = resnet.read @p : tensor<4x16xf32>
  resnet.write @p, %x : tensor<4x16xf32>
  %y = resnet.fused(%old) pieces 1 dims [-1] to [-1] : (tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%a: tensor<4x16xf32>):
    %b = resnet.relu %a : (tensor<4x16xf32>) -> tensor<4x16xf32>
    resnet.yield %b : tensor<4x16xf32>
  }
  return %y : tensor<4x16xf32>
}
