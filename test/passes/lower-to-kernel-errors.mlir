// RUN: resin-opt %s --lower-to-kernel --split-input-file --verify-diagnostics

func.func @unfused(%x: tensor<4x16xf32> {resnet.name = "x"}) -> (tensor<4x16xf32> {resnet.name = "y"}) {
  // expected-error@+1 {{is in no resnet.fused: run --fuse before --lower-to-kernel}}
  %y = resnet.relu %x : (tensor<4x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

// expected-error@+1 {{argument 0 of an entry function has no 'resnet.name'}}
func.func @unnamed(%x: tensor<16xf32>) {
  return
}

// -----

// expected-error@+1 {{a program needs tensors of known shape, not 'tensor<?xf32>'}}
func.func @unshaped(%x: tensor<?xf32> {resnet.name = "x"}) {
  return
}
