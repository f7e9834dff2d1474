// A module at the kernel phase becomes a program: hand-written kernels and a hand-written runtime stand in for ours.

// RUN: %cc -c %S/Inputs/stub-kernels.c -o %t.kernels.o
// RUN: %cc -I%source -c %S/Inputs/stub-runtime.c -o %t.runtime.o
// RUN: resin build %s --target v2 --kernel-object %t.kernels.o --runtime %t.runtime.o -o %t
// RUN: %t | FileCheck %s
// RUN: %t manifest | %python -m json.tool | FileCheck %s --check-prefix=MANIFEST

// Half of the 128 elements are 1, the others negative: each call adds 64.
// CHECK: step: weight 64
// CHECK: step: weight 128
// Four pieces and one, each twice. Several pieces run on the worker that the runtime says (1), a single one directly
// (0).
// CHECK: kernel 0: 0 + 8 calls
// CHECK: kernel 1: 2 + 0 calls

// MANIFEST: "arena_bytes": 8192
// MANIFEST: "functions": [
// MANIFEST:   "batch": 4
// MANIFEST:   "name": "step"
// MANIFEST: "hash": "{{[0-9a-f]+}}"
// MANIFEST: "kernels": [
// MANIFEST:   "calls": 4,
// MANIFEST:   "flops": 32,
// MANIFEST:   "layer": "layer1"
// MANIFEST:   "name": "relu_stub"
// MANIFEST:   "source": "net.resin:3:5"
// MANIFEST: "memory": {
// MANIFEST:   "parameters": 64,
// MANIFEST: "model": "tiny"
// MANIFEST: "epochs": 3
// MANIFEST: "name": "x86-64-v2"
// MANIFEST: "role": "parameter"

module attributes {resnet.model = "tiny", resnet.classes = 2 : i64, resnet.recipe = {epochs = 3 : i64},
    resnet.task = {inputs = [{name = "image", kind = "image"}]}} {
  kernel.variable "parameter" @w : !kernel.view<16xf32, c16> init {name = "constant", value = 0.0}
  func.func @step() {
    %w = kernel.slot @w : !kernel.view<16xf32, c16>
    %image = kernel.argument "image" : !kernel.view<4x2x4x4xf32>
    %y = kernel.alloc : !kernel.view<4x2x4x4xf32>
    kernel.parallel pieces 4 {
    ^bb0(%piece: index):
      %from = kernel.slice %image[%piece] dim 0 of 4 : !kernel.view<4x2x4x4xf32> -> !kernel.view<1x2x4x4xf32>
      %to = kernel.slice %y[%piece] dim 0 of 4 : !kernel.view<4x2x4x4xf32> -> !kernel.view<1x2x4x4xf32>
      kernel.launch @relu_stub(%from) -> (%to) spec
          "(f32[1,2,4,4]) { %1 = relu(%0) {} : f32[1,2,4,4] } -> (%1: f32[1,2,4,4])" layer "layer1"
        : (!kernel.view<1x2x4x4xf32>) -> (!kernel.view<1x2x4x4xf32>) loc(fused<"layer1">["net.resin":3:5])
    }
    kernel.parallel pieces 1 {
    ^bb0(%piece: index):
      kernel.launch @sum_stub(%y, %w) -> (%w) spec
          "(f32[4,2,4,4], f32[16]c16) { %2 = sum(%0, %1) {} : f32[16] } -> (%2: f32[16]c16)" layer "layer1"
        : (!kernel.view<4x2x4x4xf32>, !kernel.view<16xf32, c16>) -> (!kernel.view<16xf32, c16>)
    }
    return
  }
}
