// RUN: resin-opt %s --plan-memory --verify-plan | FileCheck %s

// Within one loop of a single piece, lives are counted by launches: %a is done when %c is written.
// CHECK: lower_bound = {one_loop = 4096 : i64, scratch = 0 : i64}
// CHECK-LABEL: @one_loop
func.func @one_loop() {
  // CHECK: kernel.alloc at 0
  // CHECK: kernel.alloc at 2048
  // CHECK: kernel.alloc at 0
  %a = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  %b = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  %c = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %a to %b : !kernel.view<8x16x2x2xf32, c16>
    kernel.copy %b to %c : !kernel.view<8x16x2x2xf32, c16>
  }
  return
}

// Scratch has offsets of its own, in each worker's.
// CHECK-LABEL: @scratch
func.func @scratch() {
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    // CHECK: kernel.scratch at 0
    // CHECK: kernel.scratch at 2048
    // CHECK: kernel.scratch at 0
    %a = kernel.scratch : !kernel.view<8x16x2x2xf32, c16>
    %b = kernel.scratch : !kernel.view<8x16x2x2xf32, c16>
    %c = kernel.scratch : !kernel.view<8x16x2x2xf32, c16>
    kernel.copy %a to %b : !kernel.view<8x16x2x2xf32, c16>
    kernel.copy %b to %c : !kernel.view<8x16x2x2xf32, c16>
  }
  return
}
