// RUN: resin-opt %s --plan-memory --verify-plan | FileCheck %s
// RUN: resin-opt %s --plan-memory=strategy=none --verify-plan | FileCheck %s --check-prefix=APART

// What @prepare hands over stands behind the transients of @predict_1 that reads it, where @train_step, which changes
// the weights, has transients of its own.
// CHECK: module attributes
// CHECK-SAME: kernel.arena_bytes = 12288
// APART: kernel.arena_bytes = 16384

// CHECK: kernel.variable "parameter" @w {{.*}} at 0
kernel.variable "parameter" @w : !kernel.view<8x16x2x2xf32, c16> init {}
// CHECK: kernel.variable "prepared" @prepared.0 {{.*}} at 6144
// APART: kernel.variable "prepared" @prepared.0 {{.*}} at 12288
kernel.variable "prepared" @prepared.0 : !kernel.view<8x16x2x2xf32, c16> init {}

// CHECK-LABEL: @train_step
func.func @train_step() {
  %w = kernel.slot @w : !kernel.view<8x16x2x2xf32, c16>
  // CHECK: kernel.alloc at 4096
  %a = kernel.alloc : !kernel.view<32x16x2x2xf32, c16>
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %part = kernel.slice %a[%piece] dim 0 of 4 : !kernel.view<32x16x2x2xf32, c16> -> !kernel.view<8x16x2x2xf32, c16>
    kernel.copy %w to %part : !kernel.view<8x16x2x2xf32, c16>
  }
  return
}

// CHECK-LABEL: @predict_1
func.func @predict_1() {
  %u = kernel.slot @prepared.0 : !kernel.view<8x16x2x2xf32, c16>
  // CHECK: kernel.alloc at 4096
  %a = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %u to %a : !kernel.view<8x16x2x2xf32, c16>
  }
  return
}
