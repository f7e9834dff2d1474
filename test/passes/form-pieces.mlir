// RUN: resin-opt %s --form-pieces | FileCheck %s
// RUN: resin-opt %s --form-pieces=strategy=none | FileCheck %s --check-prefix=NONE

// Both loops cut %t alike: a worker goes on with its piece, which is then all that is ever needed of %t.
// CHECK-LABEL: @piece_by_piece
// NONE-LABEL: @piece_by_piece
func.func @piece_by_piece() {
  %x = kernel.argument "x" : !kernel.view<8x16x2x2xf32, c16>
  %y = kernel.result "y" : !kernel.view<8x16x2x2xf32, c16>
  // CHECK-NOT: kernel.alloc
  %t = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  // CHECK: kernel.parallel pieces 4
  // CHECK: %[[T:.*]] = kernel.scratch : <2x16x2x2xf32, c16>
  // CHECK: kernel.copy %{{.*}} to %[[T]]
  // CHECK: kernel.copy %[[T]] to
  // CHECK-NOT: kernel.parallel
  // NONE-COUNT-2: kernel.parallel
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %to = kernel.slice %t[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    kernel.copy %from to %to : !kernel.view<2x16x2x2xf32, c16>
  }
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %t[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %to = kernel.slice %y[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    kernel.copy %from to %to : !kernel.view<2x16x2x2xf32, c16>
  }
  return
}

// The second loop needs all of %t in each piece: a barrier stands between them.
// CHECK-LABEL: @other_pieces_wait
func.func @other_pieces_wait() {
  %x = kernel.argument "x" : !kernel.view<8x16x2x2xf32, c16>
  %y = kernel.result "y" : !kernel.view<8x16x2x2xf32, c16>
  // CHECK: kernel.alloc
  %t = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  // CHECK: kernel.parallel pieces 4
  // CHECK: kernel.parallel pieces 2
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %to = kernel.slice %t[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    kernel.copy %from to %to : !kernel.view<2x16x2x2xf32, c16>
  }
  kernel.parallel pieces 2 {
  ^bb0(%piece: index):
    %from = kernel.slice %t[%piece] dim 0 of 2 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<4x16x2x2xf32, c16>
    %to = kernel.slice %y[%piece] dim 0 of 2 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<4x16x2x2xf32, c16>
    kernel.copy %from to %to : !kernel.view<4x16x2x2xf32, c16>
  }
  return
}

kernel.variable "parameter" @v : !kernel.view<16xf32> init {}
kernel.variable "parameter" @w : !kernel.view<16xf32> init {}

// Updates of variables depend on nothing of each other: one region, a piece each. That of @v waits for its reader.
// CHECK-LABEL: @side_by_side
func.func @side_by_side() {
  %a = kernel.argument "a" : !kernel.view<16xf32>
  %b = kernel.result "b" : !kernel.view<16xf32>
  %v = kernel.slot @v : !kernel.view<16xf32>
  %w = kernel.slot @w : !kernel.view<16xf32>
  // CHECK: kernel.sections
  // CHECK: kernel.parallel pieces 1
  // CHECK: kernel.copy %[[V:.*]] to %[[B:.*]] :
  // CHECK: kernel.copy %[[A:.*]] to %[[V]] :
  // CHECK: kernel.parallel pieces 1
  // CHECK: kernel.copy %[[A]] to
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %v to %b : !kernel.view<16xf32>
  }
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %a to %v : !kernel.view<16xf32>
  }
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %a to %w : !kernel.view<16xf32>
  }
  return
}

// %big could be made at once, but is needed only behind the barrier: it is made then, beside its reader, and lives in
// scratch.
// CHECK-LABEL: @made_when_needed
func.func @made_when_needed() {
  %x = kernel.argument "x" : !kernel.view<8x16x2x2xf32, c16>
  %y = kernel.result "y" : !kernel.view<8x16x2x2xf32, c16>
  %all = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  %all2 = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  %big = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  // CHECK: kernel.parallel pieces 1
  // CHECK: kernel.parallel pieces 4
  // CHECK: kernel.scratch
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %x to %all : !kernel.view<8x16x2x2xf32, c16>
  }
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %to = kernel.slice %big[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    kernel.copy %from to %to : !kernel.view<2x16x2x2xf32, c16>
  }
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %whole = kernel.slice %all[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %from = kernel.slice %big[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %to = kernel.slice %y[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    kernel.copy %whole to %to : !kernel.view<2x16x2x2xf32, c16>
    kernel.copy %from to %to : !kernel.view<2x16x2x2xf32, c16>
  }
  return
}

// Between two barriers stand a copy that the next loop waits for, one that nobody waits for, and one of @w that could
// have been made before. The second fills up the loop behind, the third that before: both come after its pieces.
// CHECK-LABEL: @filled_up
func.func @filled_up() {
  %x = kernel.argument "x" : !kernel.view<8x16x2x2xf32, c16>
  %y = kernel.result "y" : !kernel.view<8x16x2x2xf32, c16>
  %w = kernel.slot @w : !kernel.view<16xf32>
  %all = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  %all2 = kernel.alloc : !kernel.view<8x16x2x2xf32, c16>
  %gradient = kernel.alloc : !kernel.view<4x16xf32>
  %sum = kernel.alloc : !kernel.view<4x16xf32>
  %ready = kernel.alloc : !kernel.view<16xf32>
  // CHECK: kernel.sections
  // CHECK: kernel.parallel pieces 4
  // CHECK: kernel.parallel pieces 1
  // CHECK: kernel.copy %{{.*}} to %[[READY:.*]] :
  // CHECK: kernel.parallel pieces 1
  // CHECK: kernel.copy %{{.*}} to %{{.*}} : <8x16x2x2xf32, c16>
  // CHECK: kernel.sections
  // CHECK: kernel.parallel pieces 4
  // CHECK: kernel.copy %[[READY]] to
  // CHECK: kernel.parallel pieces 1
  // CHECK: kernel.copy %{{.*}} to %{{.*}} : <4x16xf32>
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %to = kernel.slice %all[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %lane = kernel.slice %gradient[%piece] dim 0 of 4 : !kernel.view<4x16xf32> -> !kernel.view<1x16xf32>
    kernel.copy %from to %to : !kernel.view<2x16x2x2xf32, c16>
    kernel.copy %lane to %lane : !kernel.view<1x16xf32>
  }
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %w to %ready : !kernel.view<16xf32>
  }
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %all to %all2 : !kernel.view<8x16x2x2xf32, c16>
  }
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    kernel.copy %gradient to %sum : !kernel.view<4x16xf32>
  }
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %all2[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %to = kernel.slice %y[%piece] dim 0 of 4 : !kernel.view<8x16x2x2xf32, c16> -> !kernel.view<2x16x2x2xf32, c16>
    %private = kernel.scratch : !kernel.view<16xf32>
    kernel.copy %ready to %private : !kernel.view<16xf32>
    kernel.copy %from to %to : !kernel.view<2x16x2x2xf32, c16>
  }
  return
}
