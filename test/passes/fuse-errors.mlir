// RUN: resin-opt %s --fuse --split-input-file --verify-diagnostics

func.func @predict_1(%x: tensor<1x16x4x4xf32>) {
  // expected-error @+1 {{fuse: 'tensor<1x16x4x4xf32>' has no layout; assign-layouts comes first}}
  %y = resnet.relu %x : (tensor<1x16x4x4xf32>) -> tensor<1x16x4x4xf32>
  return
}

// -----

// expected-error @+1 {{fuse: @predict_1 takes 'tensor<?x16x4x4xf32>', which is no tensor of known shape}}
func.func @predict_1(%x: tensor<?x16x4x4xf32>) {
  return
}

// -----

func.func @predict_1(%x: tensor<4x16xf32>) {
  // expected-error @+1 {{fuse: 'tensor<?x16xf32>' is no tensor of known shape}}
  %y = resnet.relu %x : (tensor<4x16xf32>) -> tensor<?x16xf32>
  return
}
