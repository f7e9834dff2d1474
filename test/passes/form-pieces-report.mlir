// RUN: resin-opt %s --form-pieces="report=true cache-kib=8" --verify-diagnostics | FileCheck %s

// CHECK-LABEL: @goes_on
// CHECK-COUNT-1: kernel.parallel
// CHECK-NOT: kernel.parallel
func.func @goes_on() {
  %x = kernel.argument "x" : !kernel.view<8x16x4x4xf32, c16>
  %y = kernel.result "y" : !kernel.view<8x16x4x4xf32, c16>
  %t = kernel.alloc : !kernel.view<8x16x4x4xf32, c16>
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %to = kernel.slice %t[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    kernel.copy %from to %to : !kernel.view<2x16x4x4xf32, c16>
  }
  // expected-remark @+1 {{loop 1 of 4 pieces, beside loop 0: goes on with each piece that the other has done, no barrier between}}
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %t[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %to = kernel.slice %y[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    kernel.copy %from to %to : !kernel.view<2x16x4x4xf32, c16>
  }
  return
}

// A part of %x is 2 * 16 * 4 * 4 floats, 2 KiB. Beside it there is room for both tables of 1 KiB.
// CHECK-LABEL: @share
// CHECK-COUNT-1: kernel.parallel
// CHECK-NOT: kernel.parallel
func.func @share() {
  %x = kernel.argument "x" : !kernel.view<8x16x4x4xf32, c16>
  %f = kernel.argument "f" : !kernel.view<256xf32>
  %g = kernel.argument "g" : !kernel.view<256xf32>
  %y = kernel.result "y" : !kernel.view<8x16x4x4xf32, c16>
  %z = kernel.result "z" : !kernel.view<8x16x4x4xf32, c16>
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %to = kernel.slice %y[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %s = kernel.scratch : !kernel.view<256xf32>
    kernel.copy %f to %s : !kernel.view<256xf32>
    kernel.copy %from to %to : !kernel.view<2x16x4x4xf32, c16>
  }
  // expected-remark @+1 {{loop 1 of 4 pieces, beside loop 0: reads the same 2 KiB a piece, and their 2 KiB of filters stay in cache together}}
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %to = kernel.slice %z[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %s = kernel.scratch : !kernel.view<256xf32>
    kernel.copy %g to %s : !kernel.view<256xf32>
    kernel.copy %from to %to : !kernel.view<2x16x4x4xf32, c16>
  }
  return
}

// Either table of 5 KiB stays in 8 KiB beside a part of %x; the two do not, and 10 KiB a piece are more than the 2 KiB
// that sharing saves.
// CHECK-LABEL: @stand_apart
// CHECK: kernel.sections
// CHECK-COUNT-2: kernel.parallel
func.func @stand_apart() {
  %x = kernel.argument "x" : !kernel.view<8x16x4x4xf32, c16>
  %f = kernel.argument "f" : !kernel.view<1280xf32>
  %g = kernel.argument "g" : !kernel.view<1280xf32>
  %y = kernel.result "y" : !kernel.view<8x16x4x4xf32, c16>
  %z = kernel.result "z" : !kernel.view<8x16x4x4xf32, c16>
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %to = kernel.slice %y[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %s = kernel.scratch : !kernel.view<1280xf32>
    kernel.copy %f to %s : !kernel.view<1280xf32>
    kernel.copy %from to %to : !kernel.view<2x16x4x4xf32, c16>
  }
  // expected-remark @+1 {{loop 1 of 4 pieces, beside loop 0: stands apart: reads the same 2 KiB a piece, and together they lose 10 KiB of filters a piece}}
  kernel.parallel pieces 4 {
  ^bb0(%piece: index):
    %from = kernel.slice %x[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %to = kernel.slice %z[%piece] dim 0 of 4 : !kernel.view<8x16x4x4xf32, c16> -> !kernel.view<2x16x4x4xf32, c16>
    %s = kernel.scratch : !kernel.view<1280xf32>
    kernel.copy %g to %s : !kernel.view<1280xf32>
    kernel.copy %from to %to : !kernel.view<2x16x4x4xf32, c16>
  }
  return
}
