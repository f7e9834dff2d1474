// RUN: resin-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{only a dense or c16 view of rank 4 has a halo, of at most 1024}}
func.func @view_halo(%x: !kernel.view<16xf32, c16, halo = 1>) { return }

// -----

// expected-error@+1 {{only a dense or c16 view of rank 4 has a halo, of at most 1024}}
func.func @view_wide_halo(%x: !kernel.view<1x16x4x4xf32, c16, halo = 1025>) { return }

// -----

// expected-error@+1 {{layout k16c16 has no rank 1}}
func.func @view_rank(%x: !kernel.view<16xf32, k16c16>) { return }

// -----

// expected-error@+1 {{layout k16 has no rank 3}}
func.func @view_of_lanes(%x: !kernel.view<4x16x3xf32, k16>) { return }

// -----

// expected-error@+1 {{a view's elements are one of f64, f32, bf16, f16, i32, u8, not 'i64'}}
func.func @view_element(%x: !kernel.view<16xi64>) { return }

// -----

// expected-error@+1 {{unknown layout 'c32'}}
func.func @view_layout(%x: !kernel.view<16xf32, c32>) { return }

// -----

// expected-error@+1 {{a view's extents are positive and their product below 2^40}}
func.func @view_size(%x: !kernel.view<1048576x1048576x2xf32>) { return }

// -----

func.func @slot_c1() {
  // expected-error@+1 {{names @missing, which is no kernel.variable}}
  %w = kernel.slot @missing : !kernel.view<16xf32>
  return
}

// -----

kernel.variable "parameter" @w : !kernel.view<8xf32> init {}
func.func @slot_c1() {
  // expected-error@+1 {{has type '!kernel.view<16xf32>' but its variable '!kernel.view<8xf32>'}}
  %w = kernel.slot @w : !kernel.view<16xf32>
  return
}

// -----

func.func @parallel_c1() {
  // expected-error@+1 {{has 0 pieces; there is at least one}}
  kernel.parallel pieces 0 {
  ^bb0(%piece: index):
  }
  return
}

// -----

func.func @parallel_c1() {
  // expected-error@+1 {{has a body with one argument, the piece, of type index}}
  kernel.parallel pieces 2 {
  ^bb0(%piece: i64):
  }
  return
}

// -----

func.func @sections_c1() {
  // expected-error@+1 {{is empty}}
  kernel.sections {
  }
  return
}

// -----

func.func @slice_c1() {
  %x = kernel.alloc : !kernel.view<8x24x4x4xf32, c16>
  kernel.parallel pieces 2 {
  ^bb0(%piece: index):
    // expected-error@+1 {{cannot cut '!kernel.view<8x24x4x4xf32, c16>' into 2 views along dimension 1}}
    %part = kernel.slice %x[%piece] dim 1 of 2 : !kernel.view<8x24x4x4xf32, c16> -> !kernel.view<8x12x4x4xf32, c16,
        stored = 24>
  }
  return
}

// -----

// No more rows than the halo has may overlap, and nothing but rows.
func.func @slice_c1_overlap() {
  %x = kernel.alloc : !kernel.view<8x16x8x4xf32, c16, halo = 1>
  kernel.parallel pieces 2 {
  ^bb0(%piece: index):
    // expected-error@+1 {{cannot cut '!kernel.view<8x16x8x4xf32, c16, halo = 1>' into 2 views along dimension 2}}
    %part = kernel.slice %x[%piece] dim 2 of 2 overlap 2 : !kernel.view<8x16x8x4xf32, c16, halo = 1>
        -> !kernel.view<8x16x8x4xf32, c16, halo = 1, rows = 8>
  }
  return
}

// -----

func.func @slice_c1_rows() {
  %x = kernel.alloc : !kernel.view<8x16x8x4xf32, c16, halo = 1>
  kernel.parallel pieces 2 {
  ^bb0(%piece: index):
    // expected-error@+1 {{yields '!kernel.view<8x16x4x4xf32, c16, halo = 1, rows = 8>' but such a part is '!kernel.view<8x16x6x4xf32, c16, halo = 1, rows = 8>'}}
    %part = kernel.slice %x[%piece] dim 2 of 2 overlap 1 : !kernel.view<8x16x8x4xf32, c16, halo = 1>
        -> !kernel.view<8x16x4x4xf32, c16, halo = 1, rows = 8>
  }
  return
}

// -----

func.func @slice_c2() {
  %x = kernel.alloc : !kernel.view<8x16x4x4xf32, c16>
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    // expected-error@+1 {{is indexed by the piece of a kernel.parallel with 2 pieces}}
    %part = kernel.slice %x[%piece] dim 0 of 2 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<4x16x4x4xf32, c16>
  }
  return
}

// -----

func.func @launch_c1() {
  %x = kernel.alloc : !kernel.view<8xf32>
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    // expected-error@+1 {{has no kernel spec}}
    kernel.launch @k(%x) -> (%x) spec "nonsense" : (!kernel.view<8xf32>) -> (!kernel.view<8xf32>)
  }
  return
}

// -----

func.func @launch_c2() {
  %x = kernel.alloc : !kernel.view<8xf32>
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    // expected-error@+1 {{operand 0 is '!kernel.view<8xf32>' but its spec says '!kernel.view<4xf32>'}}
    kernel.launch @k(%x) -> (%x) spec "(f32[4]) { %1 = relu(%0) {} : f32[4] } -> (%1: f32[4])" : (!kernel.view<8xf32>)
        -> (!kernel.view<8xf32>)
  }
  return
}

// -----

func.func @launch_c2() {
  %x = kernel.alloc : !kernel.view<4xf32>
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    // expected-error@+1 {{has 2 results but its spec 1}}
    kernel.launch @k(%x) -> (%x, %x) spec "(f32[4]) { %1 = relu(%0) {} : f32[4] } -> (%1: f32[4])"
        : (!kernel.view<4xf32>) -> (!kernel.view<4xf32>, !kernel.view<4xf32>)
  }
  return
}

// -----

func.func @launch_c3(%seed: !kernel.view<2xi32>) {
  %x = kernel.alloc : !kernel.view<2x4xf32>
  kernel.parallel pieces 1 {
  ^bb0(%piece: index):
    // expected-error@+1 {{computes one of 3 pieces in a loop of 1}}
    kernel.launch @k(%x, %seed) -> (%x) spec
        "(f32[2,4], i32[2]) { %2 = dropout(%0, %1) {layer=0, piece_of=3, rate=0.5} : f32[2,4] } -> (%2: f32[2,4])"
            : (!kernel.view<2x4xf32>, !kernel.view<2xi32>) -> (!kernel.view<2x4xf32>)
  }
  return
}

// -----

func.func @copy_c1() {
  %x = kernel.alloc : !kernel.view<8x32x4x4xf32, c16>
  kernel.parallel pieces 2 {
  ^bb0(%piece: index):
    %part = kernel.slice %x[%piece] dim 1 of 2 : !kernel.view<8x32x4x4xf32, c16> -> !kernel.view<8x16x4x4xf32, c16,
        stored = 32>
    // expected-error@+1 {{copies whole images only, not part of their channels}}
    kernel.copy %part to %part : !kernel.view<8x16x4x4xf32, c16, stored = 32>
  }
  return
}
