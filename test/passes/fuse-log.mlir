// What is grouped, what stays apart and why, and how it is cut, is told on request.
// RUN: resin-opt %s --fuse --log=fuse -o /dev/null 2>&1 | FileCheck %s
// RUN: resin-opt %s --fuse -o /dev/null 2>&1 | count 0

// CHECK: resnet.relu at {{.*}} joins resnet.conv2d at
// CHECK: resnet.add at {{.*}} joins resnet.conv2d at
// CHECK: resnet.add at {{.*}} stays apart from resnet.max_pool at {{.*}}: each has a loop nest of its own
// CHECK: resnet.conv2d at {{.*}}, with 1 more, is cut into 4 pieces: images
!x = tensor<8x16x32x32xf32, #resnet.layout<c16, halo = 1>>
!y = tensor<8x16x32x32xf32, #resnet.layout<c16>>
!s = tensor<8x16x16x16xf32, #resnet.layout<c16>>
!f = tensor<16x16x3x3xf32, #resnet.layout<k16c16>>
func.func @train_step(%x: !x, %f: !f) -> (!y, !s) {
  %y = resnet.conv2d %x, %f strides [1, 1] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !y
  %z = resnet.relu %y : (!y) -> !y
  %p = resnet.max_pool %z kernel [2, 2] strides [2, 2] padding [0, 0, 0, 0] : (!y) -> !s
  %q = resnet.conv2d %x, %f strides [2, 2] padding [1, 1, 1, 1] dilations [1, 1] groups 1 : (!x, !f) -> !s
  %j = resnet.add %p, %q : (!s, !s) -> !s
  return %z, %j : !y, !s
}
