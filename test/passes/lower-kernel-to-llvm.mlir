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
      kernel.launch @relu_x(%part) -> (%scratch) spec "(f32[1,16]) { %1 = relu(%0) {} : f32[1,16] } -> (%1: f32[1,16])"
        : (!kernel.view<1x16xf32>) -> (!kernel.view<1x16xf32>)
    }
    kernel.parallel pieces 1 {
    ^bb0(%piece: index):
      kernel.copy %w to %w : !kernel.view<16xf32>
    }
    return
  }
}
// A kernel is called with the buffers that it is handed, 56 bytes each; a copy reads their addresses, 16 bytes behind
// their start.
// CHECK: llvm.func internal @call.relu_x(%{{.*}}: !llvm.ptr, %[[BUFFERS:.*]]: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// CHECK:   %[[FIRST:.*]] = llvm.getelementptr %[[BUFFERS]][0]
// CHECK:   %[[SECOND:.*]] = llvm.getelementptr %[[BUFFERS]][56]
// CHECK:   llvm.call @relu_x(%[[FIRST]], %[[SECOND]])
// CHECK: llvm.func internal @copy.64(
// CHECK:   llvm.getelementptr %{{.*}}[16]
// CHECK:   %[[BYTES:.*]] = llvm.mlir.constant(64 : i64)
// CHECK:   "llvm.intr.memcpy"(%{{.*}}, %{{.*}}, %[[BYTES]])

// CHECK: llvm.mlir.global internal constant @resin.manifest("{}\00")
// CHECK: llvm.mlir.global internal constant @name.step("step\00")

// @step is the two regions from 0 on; each is a loop, of 4 pieces and of 1.
// CHECK: llvm.mlir.global internal constant @resin.functions
// CHECK:   llvm.mlir.addressof @name.step
// CHECK:   llvm.mlir.constant(0 : i32)
// CHECK:   llvm.mlir.constant(2 : i32)
// CHECK: llvm.mlir.global internal constant @resin.kernels
// CHECK:   llvm.mlir.addressof @call.relu_x
// CHECK:   llvm.mlir.addressof @copy.64
// CHECK: @resin.regions(dense<[0, 1, 4, 0, 1, 1, 1, 0]>
// A loop: its first launch and how many, its first piece and how many.
// CHECK: @resin.loops(dense<[0, 1, 0, 4, 1, 1, 0, 1]>
// A launch: its kernel, its counter (a copy has none), its first operand and how many.
// CHECK: @resin.launches(dense<[0, 0, 0, 2, 1, -1, 2, 2]>
// The part begins 64 bytes a piece behind the argument's start; scratch begins behind the arena, 4096 bytes a worker.
// CHECK: @resin.operands(dense<[4096, 64, 0, 8320, 0, 4096, 64, 0, 0, 64, 0, 0]>
// CHECK: llvm.mlir.global external constant @resin_program()

// -----

// Whoever writes bands with a halo is told which one, between operands and results; a band that overlaps starts one row
// of 6 x 16 floats earlier.
module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 4096 : i64, kernel.manifest = "{}"} {
  // CHECK: llvm.func @relu_band(!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
  // CHECK: llvm.func internal @call.relu_band(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[PIECE:.*]]: i64, %{{.*}}: i64)
  // CHECK:   %[[NUMBER:.*]] = llvm.alloca %{{.*}} x i32
  // CHECK:   %[[SHORT:.*]] = llvm.trunc %[[PIECE]] : i64 to i32
  // CHECK:   llvm.store %[[SHORT]], %[[NUMBER]] : i32, !llvm.ptr
  // CHECK:   %[[BUFFER:.*]] = llvm.alloca
  // CHECK:   llvm.store %[[NUMBER]], %{{.*}} : !llvm.ptr, !llvm.ptr
  // CHECK:   llvm.call @relu_band(%{{.*}}, %[[BUFFER]], %{{.*}})
  // 4 rows of 6 x 16 floats a piece are 768 bytes of the source, and 4 of 8 as many of the result.
  // CHECK: @resin.operands(dense<[-384, 768, 0, 4096, 1536, 0]>
  func.func @step() {
    %x = kernel.argument "x" at 0 : !kernel.view<1x16x4x4xf32, c16, halo = 1>
    %y = kernel.alloc at 4096 : !kernel.view<1x16x8x4xf32, c16, halo = 1>
    kernel.parallel pieces 2 {
    ^bb0(%piece: index):
      %part = kernel.slice %x[%piece] dim 2 of 2 overlap 1 : !kernel.view<1x16x4x4xf32, c16, halo = 1>
          -> !kernel.view<1x16x4x4xf32, c16, halo = 1, rows = 4>
      %band = kernel.slice %y[%piece] dim 2 of 2 : !kernel.view<1x16x8x4xf32, c16, halo = 1>
          -> !kernel.view<1x16x4x4xf32, c16, halo = 1, rows = 8>
      kernel.launch @relu_band(%part) -> (%band) spec
          "(f32[1,16,4,4]c16h1r4) { %1 = relu(%0) {} : f32[1,16,4,4] } -> (%1: f32[1,16,4,4]c16h1r8)"
        : (!kernel.view<1x16x4x4xf32, c16, halo = 1, rows = 4>) -> (!kernel.view<1x16x4x4xf32, c16, halo = 1, rows = 8>)
    }
    return
  }
}

// -----

// So is whoever counts from the batch's first image.
module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 4096 : i64, kernel.manifest = "{}"} {
  // CHECK: llvm.func @dropout_piece(!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
  // CHECK: llvm.func internal @call.dropout_piece(
  // CHECK:   %[[BUFFER:.*]] = llvm.alloca %{{.*}} x i8
  // CHECK:   llvm.call @dropout_piece(%{{.*}}, %{{.*}}, %[[BUFFER]], %{{.*}})
  func.func @step() {
    %seed = kernel.argument "seed" at 0 : !kernel.view<2xi32>
    %x = kernel.alloc at 64 : !kernel.view<4x16xf32>
    kernel.parallel pieces 2 {
    ^bb0(%piece: index):
      %part = kernel.slice %x[%piece] dim 0 of 2 : !kernel.view<4x16xf32> -> !kernel.view<2x16xf32>
      kernel.launch @dropout_piece(%part, %seed) -> (%part) spec
          "(f32[2,16], i32[2]) { %2 = dropout(%0, %1) {layer=0, piece_of=2, rate=0.5} : f32[2,16] } -> (%2: f32[2,16])"
        : (!kernel.view<2x16xf32>, !kernel.view<2xi32>) -> (!kernel.view<2x16xf32>)
    }
    return
  }
}

// -----

// Of four pieces side by side the last two have a loop each to themselves, behind one that is cut: they are fillers.
module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 0 : i64, kernel.manifest = "{}"} {
  // CHECK: @resin.regions(dense<[0, 3, 4, 2]>
  // CHECK: @resin.loops(dense<[0, 1, 0, 2, 1, 1, 2, 1, 2, 1, 3, 1]>
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
