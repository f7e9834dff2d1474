// RUN: resin-opt %s --verify-plan --split-input-file --verify-diagnostics

// expected-error@+1 {{memory is not planned}}
module {
}

// -----

module attributes {kernel.arena_bytes = 4096 : i64, kernel.scratch_bytes = 0 : i64} {
  func.func @outside() {
    // expected-error@+1 {{at 4000 with 2048 bytes is not on a multiple of 64 within 4096}}
    %a = kernel.alloc at 4000 : !kernel.view<8x16x2x2xf32, c16>
    return
  }
}

// -----

module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 0 : i64} {
  func.func @overlap() {
    // expected-note@+1 {{which stands at bytes 0 to 2048}}
    %a = kernel.alloc at 0 : !kernel.view<8x16x2x2xf32, c16>
    // expected-error@+1 {{at bytes 1024 to 3072 overlaps a place that is needed at the same time}}
    %b = kernel.alloc at 1024 : !kernel.view<8x16x2x2xf32, c16>
    kernel.parallel pieces 1 {
    ^bb0(%piece: index):
      kernel.copy %a to %b : !kernel.view<8x16x2x2xf32, c16>
    }
    return
  }
}

// -----

module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 2048 : i64} {
  func.func @scratch_overlap() {
    kernel.parallel pieces 2 {
    ^bb0(%piece: index):
      // expected-note@+1 {{which stands at bytes 0 to 2048}}
      %a = kernel.scratch at 0 : !kernel.view<8x16x2x2xf32, c16>
      // expected-error@+1 {{at bytes 0 to 2048 overlaps a place that is needed at the same time}}
      %b = kernel.scratch at 0 : !kernel.view<8x16x2x2xf32, c16>
      kernel.copy %a to %b : !kernel.view<8x16x2x2xf32, c16>
    }
    return
  }
}

// -----

module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 0 : i64} {
  // expected-note@+1 {{which stands at bytes 0 to 2048}}
  kernel.variable "prepared" @prepared.0 : !kernel.view<8x16x2x2xf32, c16> init {} at 0
  // A step may use the place, ...
  func.func @train_step() {
    %a = kernel.alloc at 0 : !kernel.view<8x16x2x2xf32, c16>
    return
  }
  // ... a prediction may not.
  func.func @predict_1() {
    // expected-error@+1 {{at bytes 0 to 2048 overlaps a place that is needed at the same time}}
    %a = kernel.alloc at 0 : !kernel.view<8x16x2x2xf32, c16>
    return
  }
}

// -----

module attributes {kernel.arena_bytes = 8192 : i64, kernel.scratch_bytes = 0 : i64} {
  kernel.variable "prepared" @prepared.0 : !kernel.view<8x16x2x2xf32, c16> init {} at 0
  func.func @train_step() {
    // expected-error@+1 {{of a prepared variable, which @train_step may overwrite}}
    %a = kernel.slot @prepared.0 : !kernel.view<8x16x2x2xf32, c16>
    return
  }
}
