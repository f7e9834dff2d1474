// RUN: resin-opt %s --interpret="function=linear" -o /dev/null | FileCheck %s

!x = tensor<2x2xf32>
!w = tensor<3x2xf32>
!y = tensor<2x3xf32>

// CHECK: result 0 [2, 3]: 1 2 3 3 4 7
// CHECK: result 1 [2, 2]: 4 5 1 1
// CHECK: result 2 [3, 2]: 1 2 3 4 4 6
// CHECK: result 3 [3]: 1 1 4
func.func @linear(%x: !x {resnet.value = dense<[[1., 2.], [3., 4.]]> : !x},
    %w: !w {resnet.value = dense<[[1., 0.], [0., 1.], [1., 1.]]> : !w},
                  %g: !y {resnet.value = dense<[[1., 2., 3.], [0., 0., 1.]]> : !y},
                      %h: !y {resnet.value = dense<[[1., 0., 1.], [0., 1., 1.]]> : !y},
                  %s: !y {resnet.value = dense<[[1., 2., 3.], [0., -1., 1.]]> : !y}) -> (!y, !x, !w, tensor<3xf32>) {
  %0 = resnet.linear %x, %w : (!x, !w) -> !y
  %1 = resnet.linear_grad_data %g, %w : (!y, !w) -> !x
  %2 = resnet.linear_grad_weight %h, %x : (!y, !x) -> !w
  %3 = resnet.batch_sum %s : (!y) -> tensor<3xf32>
  return %0, %1, %2, %3 : !y, !x, !w, tensor<3xf32>
}
