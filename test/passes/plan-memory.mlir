// RUN: resin-opt %s --plan-memory --verify-plan | FileCheck %s
// RUN: resin-opt %s --plan-memory=strategy=none --verify-plan | FileCheck %s --check-prefix=APART
// RUN: not resin-opt %s --plan-memory=strategy=best 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: plan-memory knows the strategies 'reuse' and 'none', not 'best'

// The variable and the image keep their places; three views of 2048 bytes stand in a chain, so two places do: the bound
// is 4096.
// CHECK: module attributes
// CHECK-SAME: kernel.arena_bytes = 8192
// CHECK-SAME: lower_bound = {chain = 4096 : i64, other = 0 : i64}
// CHECK-SAME: transients = {chain = 4096 : i64, other = 0 : i64}
// APART: transients = {chain = 6144 : i64, other = 0 : i64}

// CHECK: kernel.variable "parameter" @w {{.*}} at 0
kernel.variable "parameter" @w : !kernel.view<16xf32, c16> init {}

// CHECK-LABEL: @chain
func.func @chain() {
  // CHECK: kernel.argument "image" at 64
  %image = kernel.argument "image" : !kernel.view<8x16x2x2xf32, c16>
  // CHECK: kernel.result "logits" at 2112
  %logits = kernel.result "logits" : !kernel.view<8xf32>
  // CHECK: kernel.alloc at 4096
  // CHECK: kernel.alloc at 6144
  // CHECK: kernel.alloc at 4096
  %a = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  %b = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  %c = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %image to %a : !kernel.view<8x16x2x2xf32, c16>
  }
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %a to %b : !kernel.view<8x16x2x2xf32, c16>
  }
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %b to %c : !kernel.view<8x16x2x2xf32, c16>
  }
  return
}

// An argument of the same name stands where the other function's does: it is the same image by image.
// CHECK-LABEL: @other
func.func @other() {
  // CHECK: kernel.argument "image" at 64
  %image = kernel.argument "image" : !kernel.view<2x16x2x2xf32, c16>
  return
}
