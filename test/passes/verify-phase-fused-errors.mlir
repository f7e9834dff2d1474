// RUN: resin-opt %s --verify-phase=phase=fused --split-input-file --verify-diagnostics

func.func @train_step(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{must be in a resnet.fused after the fused phase}}
  %z = resnet.relu %x : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}
func.func @prepare() {
  return
}
func.func @evaluate() {
  return
}
