// RUN: resin-opt %s | resin-opt | FileCheck %s

// CHECK: kernel.variable "parameter" @conv1.weight : !kernel.view<16x3x3x3xf32, k16> init {fan = 27 : i64,
// CHECK-SAME: name = "he_normal"}
kernel.variable "parameter" @conv1.weight : !kernel.view<16x3x3x3xf32, k16> init {name = "he_normal", fan = 27 : i64}
// CHECK: kernel.variable "statistic" @bn1.running_mean : !kernel.view<16xf32, c16> init {name = "constant",
// CHECK-SAME: value = 0.000000e+00 : f64} at 1728
kernel.variable "statistic" @bn1.running_mean : !kernel.view<16xf32, c16> init {name = "constant", value = 0.0} at 1728

// CHECK-LABEL: @views_print_as_they_are_read
func.func @views_print_as_they_are_read() {
  // CHECK: kernel.slot @conv1.weight : <16x3x3x3xf32, k16>
  %w = kernel.slot @conv1.weight : !kernel.view<16x3x3x3xf32, k16>
  // CHECK: kernel.argument "image" at 4096 : <8x3x32x32xf32, halo = 1>
  %image = kernel.argument "image" at 4096 : !kernel.view<8x3x32x32xf32, halo = 1>
  // CHECK: kernel.argument "learning_rate" : <f32>
  %rate = kernel.argument "learning_rate" : !kernel.view<f32>
  // CHECK: kernel.result "rank" : <8xi32>
  %rank = kernel.result "rank" : !kernel.view<8xi32>
  // CHECK: kernel.alloc at 64 : <8x64x4x4xf32, c16, halo = 1>
  %a = kernel.alloc at 64 : !kernel.view<8x64x4x4xf32, c16, halo = 1>
  return
}

// CHECK-LABEL: @a_loop_takes_parts
func.func @a_loop_takes_parts() {
  %x = kernel.alloc : !kernel.view<8x64x4x4xf32, c16, halo = 1>
  %y = kernel.alloc : !kernel.view<8x64x4x4xf32, c16, halo = 1>
  // CHECK: kernel.parallel pieces 4 {
  // CHECK-NEXT: ^bb0(%[[PIECE:.*]]: index):
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    // CHECK: kernel.slice %{{.*}}[%[[PIECE]]] dim 0 of 4 : <8x64x4x4xf32, c16, halo = 1> -> <2x64x4x4xf32, c16,
    // CHECK-SAME: halo = 1>
    %part = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x64x4x4xf32, c16, halo = 1> -> !kernel.view<2x64x4x4xf32,
        c16, halo = 1>
    // CHECK: kernel.slice %{{.*}}[%[[PIECE]]] dim 1 of 4 : <8x64x4x4xf32, c16, halo = 1> -> <8x16x4x4xf32, c16,
    // CHECK-SAME: halo = 1, stored = 64>
    %channels = kernel.slice %y[%piece] dim 1 of 4 : !kernel.view<8x64x4x4xf32, c16, halo = 1>
        -> !kernel.view<8x16x4x4xf32, c16, halo = 1, stored = 64>
    // CHECK: kernel.slice %{{.*}}[%[[PIECE]]] dim 2 of 4 overlap 1 : <8x64x4x4xf32, c16, halo = 1> -> <8x64x3x4xf32,
    // CHECK-SAME: c16, halo = 1, rows = 4>
    %rows = kernel.slice %y[%piece] dim 2 of 4 overlap 1 : !kernel.view<8x64x4x4xf32, c16, halo = 1>
        -> !kernel.view<8x64x3x4xf32, c16, halo = 1, rows = 4>
    // CHECK: %[[SCRATCH:.*]] = kernel.scratch : <2x64x4x4xf32, c16, halo = 1>
    %scratch = kernel.scratch : !kernel.view<2x64x4x4xf32, c16, halo = 1>
    // CHECK: kernel.copy %{{.*}} to %[[SCRATCH]] : <2x64x4x4xf32, c16, halo = 1>
    kernel.copy %part to %scratch : !kernel.view<2x64x4x4xf32, c16, halo = 1>
  }
  return
}

// CHECK-LABEL: @loops_stand_side_by_side
func.func @loops_stand_side_by_side() {
  %x = kernel.alloc : !kernel.view<4x16x2x2xf32, c16>
  %y = kernel.alloc : !kernel.view<4x16x2x2xf32, c16>
  // CHECK: kernel.sections {
  kernel.sections {
    // CHECK: kernel.parallel pieces 2
    kernel.parallel pieces 2 {
    ^bb0(%piece: index):
      %from = kernel.slice %x[%piece] dim 0 of 2 : !kernel.view<4x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
      %to = kernel.slice %y[%piece] dim 0 of 2 : !kernel.view<4x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
      // CHECK: kernel.launch @relu_x(%{{.*}}) -> (%{{.*}}) spec "{{.*}}" layer "layer1.0" : (!kernel.view<2x16x2x2xf32,
      // CHECK-SAME: c16>) -> (!kernel.view<2x16x2x2xf32, c16>)
      kernel.launch @relu_x(%from) -> (%to) spec
          "(f32[2,16,2,2]c16) { %1 = relu(%0) {} : f32[2,16,2,2] } -> (%1: f32[2,16,2,2]c16)" layer "layer1.0"
        : (!kernel.view<2x16x2x2xf32, c16>) -> (!kernel.view<2x16x2x2xf32, c16>)
    }
    // CHECK: kernel.parallel pieces 1
    kernel.parallel pieces 1 {
    ^bb0(%piece: index):
    }
  }
  return
}

// Of a filter that the data gradient reads, input channels are outermost.
// CHECK-LABEL: @input_channels_of_a_transposed_filter
func.func @input_channels_of_a_transposed_filter() {
  %t = kernel.alloc : !kernel.view<32x64x3x3xf32, c16k16>
  kernel.parallel pieces 2 {
  ^bb0(%piece: index):
    // CHECK: kernel.slice %{{.*}} dim 1 of 2 : <32x64x3x3xf32, c16k16> -> <32x32x3x3xf32, c16k16>
    %part = kernel.slice %t[%piece] dim 1 of 2 : !kernel.view<32x64x3x3xf32, c16k16> -> !kernel.view<32x32x3x3xf32,
        c16k16>
  }
  return
}
