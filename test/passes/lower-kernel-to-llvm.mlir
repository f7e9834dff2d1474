// RUN: resin-opt %s --lower-kernel-to-llvm --split-input-file --verify-diagnostics | FileCheck %s

module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 4096 : i64, kernel.manifest = "{}"} {
  kernel.variable "parameter" @w : !kernel.view<16xf32> init {} at 64

  // A kernel takes buffers alone.
  // CHECK: llvm.func @relu_x(!llvm.ptr, !llvm.ptr) -> i32

  func.func @step() {
    %w = kernel.slot @w : !kernel.view<16xf32>
    %x = kernel.argument "x" at 4096 : !kernel.view<4x16xf32>
    kernel.parallel pieces 4 {
    ^bb0(%piece: index):
      %scratch = kernel.scratch at 128 : !kernel.view<1x16xf32>
      %part = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<4x16xf32> -> !kernel.view<1x16xf32>
      kernel.launch @relu_x(%part) -> (%scratch) spec "(f32[1,16]) { %1 = relu(%0) {} : [1,16] } -> (%1: f32[1,16])"
        : (!kernel.view<1x16xf32>) -> (!kernel.view<1x16xf32>)
    }
    kernel.parallel pieces 1 {
    ^bb0(%piece: index):
      kernel.copy %w to %w : !kernel.view<16xf32>
    }
    return
  }
}
// A loop of several pieces goes through the runtime, one of a single piece is called.
// CHECK: llvm.func internal @entry.step(%[[CALL:.*]]: !llvm.ptr)
// CHECK:   %[[PARALLEL:.*]] = llvm.load
// CHECK:   %[[BODY:.*]] = llvm.mlir.addressof @step.0
// CHECK:   %[[FOUR:.*]] = llvm.mlir.constant(4 : i64)
// CHECK:   %[[NONE:.*]] = llvm.mlir.constant(0 : i64)
// CHECK:   llvm.call %[[PARALLEL]](%[[CALL]], %[[BODY]], %[[FOUR]], %[[NONE]])
// CHECK:   llvm.call @step.1(%[[CALL]],

// The part begins 64 bytes a piece behind the argument's start; scratch begins behind the arena, 4096 bytes a worker.
// CHECK: llvm.func internal @step.0(%[[CALL:.*]]: !llvm.ptr, %[[PIECE:.*]]: i64, %[[WORKER:.*]]: i64)
// CHECK:   llvm.mlir.constant(4096 : i64)
// CHECK:   %[[STRIDE:.*]] = llvm.mlir.constant(64 : i64)
// CHECK:   llvm.mul %[[PIECE]], %[[STRIDE]]
// CHECK:   %[[SCRATCH:.*]] = llvm.mlir.constant(4096 : i64)
// CHECK:   llvm.mul %[[WORKER]], %[[SCRATCH]]
// CHECK:   llvm.mlir.constant(8320 : i64)
// CHECK:   llvm.call_intrinsic "llvm.readcyclecounter"
// CHECK:   llvm.call @relu_x(
// CHECK:   llvm.call_intrinsic "llvm.readcyclecounter"
// CHECK: "llvm.intr.memcpy"

// CHECK: llvm.mlir.global internal constant @resin.manifest("{}\00")
// CHECK: llvm.mlir.global external constant @resin_program()

// -----

// Whoever writes bands with a halo is told which one, between operands and results; a band that overlaps starts one row of 6 x 16 floats earlier.
module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 4096 : i64, kernel.manifest = "{}"} {
  // CHECK: llvm.func @relu_band(!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
  // CHECK: llvm.func internal @step.0(%{{.*}}: !llvm.ptr, %[[PIECE:.*]]: i64, %{{.*}}: i64)
  // CHECK:   %[[NUMBER:.*]] = llvm.alloca %{{.*}} x i32
  // CHECK:   llvm.store %{{.*}}, %[[NUMBER]] : i32, !llvm.ptr
  // CHECK:   llvm.mlir.constant(-384 : i64)
  // CHECK:   llvm.store %[[NUMBER]], %{{.*}} : !llvm.ptr, !llvm.ptr
  // CHECK:   llvm.call @relu_band(
  func.func @step() {
    %x = kernel.argument "x" at 0 : !kernel.view<1x16x4x4xf32, c16, halo = 1>
    %y = kernel.alloc at 4096 : !kernel.view<1x16x8x4xf32, c16, halo = 1>
    kernel.parallel pieces 2 {
    ^bb0(%piece: index):
      %part = kernel.slice %x[%piece] dim 2 of 2 overlap 1 : !kernel.view<1x16x4x4xf32, c16, halo = 1> -> !kernel.view<1x16x4x4xf32, c16, halo = 1, rows = 4>
      %band = kernel.slice %y[%piece] dim 2 of 2 : !kernel.view<1x16x8x4xf32, c16, halo = 1> -> !kernel.view<1x16x4x4xf32, c16, halo = 1, rows = 8>
      kernel.launch @relu_band(%part) -> (%band) spec "(f32[1,16,4,4]c16h1r4) { %1 = relu(%0) {} : [1,16,4,4] } -> (%1: f32[1,16,4,4]c16h1r8)"
        : (!kernel.view<1x16x4x4xf32, c16, halo = 1, rows = 4>) -> (!kernel.view<1x16x4x4xf32, c16, halo = 1, rows = 8>)
    }
    return
  }
}

// -----

// So is whoever counts from the batch's first image.
module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 4096 : i64, kernel.manifest = "{}"} {
  // CHECK: llvm.func @dropout_piece(!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
  // CHECK: llvm.func internal @step.0(%{{.*}}: !llvm.ptr, %[[PIECE:.*]]: i64, %{{.*}}: i64)
  // CHECK:   %[[NUMBER:.*]] = llvm.alloca %{{.*}} x i32
  // CHECK:   %[[SHORT:.*]] = llvm.trunc %[[PIECE]] : i64 to i32
  // CHECK:   llvm.store %[[SHORT]], %[[NUMBER]] : i32, !llvm.ptr
  // CHECK:   llvm.store %[[NUMBER]], %{{.*}} : !llvm.ptr, !llvm.ptr
  // CHECK:   llvm.call @dropout_piece(
  func.func @step() {
    %seed = kernel.argument "seed" at 0 : !kernel.view<2xi32>
    %x = kernel.alloc at 64 : !kernel.view<4x16xf32>
    kernel.parallel pieces 2 {
    ^bb0(%piece: index):
      %part = kernel.slice %x[%piece] dim 0 of 2 : !kernel.view<4x16xf32> -> !kernel.view<2x16xf32>
      kernel.launch @dropout_piece(%part, %seed) -> (%part) spec "(f32[2,16], i32[2]) { %2 = dropout(%0, %1) {layer=0, piece_of=2, rate=0.5} : [2,16] } -> (%2: f32[2,16])"
        : (!kernel.view<2x16xf32>, !kernel.view<2xi32>) -> (!kernel.view<2x16xf32>)
    }
    return
  }
}

// -----

// Of four pieces side by side the last two have a loop each to themselves, behind one that is cut: they are fillers.
module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 0 : i64, kernel.manifest = "{}"} {
  // CHECK-LABEL: llvm.func internal @entry.fill(
  // CHECK: llvm.mlir.addressof @fill.0
  // CHECK: %[[PIECES:.*]] = llvm.mlir.constant(4 : i64)
  // CHECK: %[[FILLERS:.*]] = llvm.mlir.constant(2 : i64)
  // CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[PIECES]], %[[FILLERS]])
  func.func @fill() {
    %x = kernel.alloc at 0 : !kernel.view<4x16xf32>
    %y = kernel.alloc at 256 : !kernel.view<4x16xf32>
    %a = kernel.alloc at 512 : !kernel.view<16xf32>
    %b = kernel.alloc at 576 : !kernel.view<16xf32>
    %c = kernel.alloc at 640 : !kernel.view<16xf32>
    kernel.sections {
      kernel.parallel pieces 2 {
      ^bb0(%piece: index):
        %from = kernel.slice %x[%piece] dim 0 of 2 : !kernel.view<4x16xf32> -> !kernel.view<2x16xf32>
        %to = kernel.slice %y[%piece] dim 0 of 2 : !kernel.view<4x16xf32> -> !kernel.view<2x16xf32>
        kernel.copy %from to %to : !kernel.view<2x16xf32>
      }
      kernel.parallel pieces 1 {
      ^bb0(%piece: index):
        kernel.copy %a to %b : !kernel.view<16xf32>
      }
      kernel.parallel pieces 1 {
      ^bb0(%piece: index):
        kernel.copy %a to %c : !kernel.view<16xf32>
      }
    }
    return
  }
}

// -----

// expected-error@+1 {{memory is not planned: the module has no 'kernel.arena_bytes'}}
module {
}

// -----

module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 4096 : i64} {
  func.func @step() {
    // expected-error@+1 {{has no offset: memory is not planned}}
    %x = kernel.alloc : !kernel.view<16xf32>
    return
  }
}
