// RUN: resin-opt %s --interpret="function=relu,leaky_relu,silu,add,dropout,dropout_in_pieces,first_of_pieces" -o \
// RUN:   /dev/null | FileCheck %s

!x = tensor<2x2xf32>

// Zero is not positive: its gradient is zero.
// CHECK-LABEL: @relu
// CHECK-NEXT: result 0 [2, 2]: 0 0 2 3
// CHECK-NEXT: result 1 [2, 2]: 0 0 7 8
func.func @relu(%x: !x {resnet.value = dense<[[-1., 0.], [2., 3.]]> : !x},
    %g: !x {resnet.value = dense<[[5., 6.], [7., 8.]]> : !x}) -> (!x, !x) {
  %y = resnet.relu %x : (!x) -> !x
  %dx = resnet.relu_grad %g, %y : (!x, !x) -> !x
  return %y, %dx : !x, !x
}

// torch.nn.functional.leaky_relu: at zero its gradient is that of the negative side.
// CHECK-LABEL: @leaky_relu
// CHECK-NEXT: result 0 [2, 2]: -0.25 0 2 -0.75
// CHECK-NEXT: result 1 [2, 2]: 1.25 1.5 7 2
// CHECK-NEXT: result 2 [2, 2]: 1.25 1.5 7 2
func.func @leaky_relu(%x: !x {resnet.value = dense<[[-1., 0.], [2., -3.]]> : !x},
    %g: !x {resnet.value = dense<[[5., 6.], [7., 8.]]> : !x}) -> (!x, !x, !x) {
  %y = resnet.leaky_relu %x slope 0.25 : (!x) -> !x
  %dx = resnet.leaky_relu_grad %g, %y slope 0.25 : (!x, !x) -> !x
  %dx1 = resnet.leaky_relu_grad %g, %x slope 0.25 : (!x, !x) -> !x
  return %y, %dx, %dx1 : !x, !x, !x
}

// torch.nn.functional.silu and its autograd in double: -1, 0, 1, -20.
// CHECK-LABEL: @silu
// CHECK-NEXT: result 0 [2, 2]: -0.268941 0 0.731059 -4.12231e-08
// CHECK-NEXT: result 1 [2, 2]: 0.361647 3 6.49369 -3.13295e-07
func.func @silu(%x: !x {resnet.value = dense<[[-1., 0.], [1., -20.]]> : !x},
    %g: !x {resnet.value = dense<[[5., 6.], [7., 8.]]> : !x}) -> (!x, !x) {
  %y = resnet.silu %x : (!x) -> !x
  %dx = resnet.silu_grad %g, %x : (!x, !x) -> !x
  return %y, %dx : !x, !x
}

// CHECK-LABEL: @add
// CHECK-NEXT: result 0 [2, 2]: 4 6 9 11
// CHECK-NEXT: result 1 [1, 2, 1, 2]: 11 12 23 24
func.func @add(%x: !x {resnet.value = dense<[[-1., 0.], [2., 3.]]> : !x},
    %y: !x {resnet.value = dense<[[5., 6.], [7., 8.]]> : !x},
               %i: tensor<1x2x1x2xf32> {resnet.value = dense<[[[[1., 2.]], [[3., 4.]]]]> : tensor<1x2x1x2xf32>},
               %b: tensor<2xf32> {resnet.value = dense<[10., 20.]> : tensor<2xf32>}) -> (!x, tensor<1x2x1x2xf32>) {
  %0 = resnet.add %x, %y : (!x, !x) -> !x
  %1 = resnet.add_bias %i, %b : (tensor<1x2x1x2xf32>, tensor<2xf32>) -> tensor<1x2x1x2xf32>
  return %0, %1 : !x, tensor<1x2x1x2xf32>
}

// Kept elements are divided by 1 - rate. With key (0, 0) and counter 0 the words are 6627e8d5 e169c58d bc57ac4c
// 9b00dbd8 (Random123's known answer), of which the first is below 0.5 * 2^32.
// CHECK-LABEL: @dropout
// CHECK-NEXT: result 0 [1, 4]: 0 4 6 8
func.func @dropout(%x: tensor<1x4xf32> {resnet.value = dense<[[1., 2., 3., 4.]]> : tensor<1x4xf32>},
                   %s: tensor<2xi32> {resnet.value = dense<0> : tensor<2xi32>}) -> tensor<1x4xf32> {
  %0 = resnet.dropout %x, %s rate 0.5 layer 0 : (tensor<1x4xf32>, tensor<2xi32>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}

// A piece of the batch draws what the batch draws there: the second image the words 4 to 7, whether it stands in a
// piece of its own or not.
// CHECK-LABEL: @dropout_in_pieces
// CHECK-NEXT: result 0 [4, 4]: [[D:.*]]
// CHECK-NEXT: result 1 [4, 4]: [[D]]
// CHECK-NEXT: result 2 [4, 4]: [[D]]
!d = tensor<4x4xf32>
!s = tensor<2xi32>
func.func @dropout_in_pieces(%x: !d {resnet.value = dense<1.> : !d}, %s: !s {resnet.value = dense<0> : !s}) -> (!d, !d,
    !d) {
  %0 = resnet.dropout %x, %s rate 0.5 layer 0 : (!d, !s) -> !d
  %1 = resnet.fused(%x, %s) pieces 2 dims [0, -1] to [0] : (!d, !s) -> !d {
  ^bb0(%a: tensor<2x4xf32>, %b: !s):
    %r = resnet.relu %a : (tensor<2x4xf32>) -> tensor<2x4xf32>
    %d = resnet.dropout %r, %b rate 0.5 layer 0 piece_of 2 : (tensor<2x4xf32>, !s) -> tensor<2x4xf32>
    resnet.yield %d : tensor<2x4xf32>
  }
  %2 = resnet.fused(%x, %s) pieces 4 dims [0, -1] to [0] : (!d, !s) -> !d {
  ^bb0(%a: tensor<1x4xf32>, %b: !s):
    %d = resnet.dropout %a, %b rate 0.5 layer 0 piece_of 4 : (tensor<1x4xf32>, !s) -> tensor<1x4xf32>
    resnet.yield %d : tensor<1x4xf32>
  }
  return %0, %1, %2 : !d, !d, !d
}

// Where nobody says which piece it is, it is the first.
// CHECK-LABEL: @first_of_pieces
// CHECK-NEXT: result 0 [1, 4]: 0 4 6 8
func.func @first_of_pieces(%x: tensor<1x4xf32> {resnet.value = dense<[[1., 2., 3., 4.]]> : tensor<1x4xf32>},
                           %s: tensor<2xi32> {resnet.value = dense<0> : tensor<2xi32>}) -> tensor<1x4xf32> {
  %0 = resnet.dropout %x, %s rate 0.5 layer 0 piece_of 3 : (tensor<1x4xf32>, tensor<2xi32>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}
