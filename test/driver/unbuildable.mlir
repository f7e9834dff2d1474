// A kernel that no template takes is named with its layer, at its line: here a convolution that stores nothing, which
// `fuse` does not make.

// RUN: %python %S/Inputs/expect_exit.py 1 resin build %s --target v2 -o %t | FileCheck %s
// CHECK: net.resin:3:5: error: cannot compile the kernel conv2d_{{.*}}__channel_sum__{{[0-9a-f]+}} of 'layer1': a
// CHECK-SAME: convolution that only sums, and stores nothing, has no template
// CHECK-NOT: {{.}}

module attributes {resnet.model = "tiny", resnet.classes = 2 : i64, resnet.recipe = {epochs = 3 : i64},
    resnet.task = {inputs = [{name = "image", kind = "image"}]}} {
  kernel.variable "parameter" @w : !kernel.view<16x16x1x1xf32, k16c16> init {name = "constant", value = 0.0}
  func.func @step() {
    %w = kernel.slot @w : !kernel.view<16x16x1x1xf32, k16c16>
    %x = kernel.alloc : !kernel.view<1x16x4x4xf32, c16>
    %sum = kernel.alloc : !kernel.view<1x16xf64, c16>
    kernel.parallel pieces 1 {
    ^bb0(%piece: index):
      kernel.launch @sum(%x, %w) -> (%sum) spec
          "(f32[1,16,4,4]c16, f32[16,16,1,1]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, padding=[0,0,0,0], strides=[1,1]} : f32[1,16,4,4]; %3 = channel_sum(%2) {pieces=1} : f64[1,16] } -> (%3: f64[1,16]c16)" layer "layer1"
        : (!kernel.view<1x16x4x4xf32, c16>, !kernel.view<16x16x1x1xf32, k16c16>) -> (!kernel.view<1x16xf64,
            c16>) loc(fused<"layer1">["net.resin":3:5])
    }
    return
  }
}
