// RUN: resin-opt %s --verify-phase=phase=layout --split-input-file --verify-diagnostics

!x = tensor<1x16x4x4xf32, #resnet.layout<c16>>
!f = tensor<16x16x3x3xf32, #resnet.layout<k16c16>>
func.func @train_step(%x: !x, %f: !f) {
  // expected-error @+1 {{pads by 1 and finds a halo of 0}}
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !x
  // expected-error @+1 {{has a result without a layout after the layout phase}}
  %z = resnet.relu %x : (!x) -> tensor<1x16x4x4xf32>
  return
}
func.func @prepare() {
  return
}
func.func @evaluate() {
  return
}
