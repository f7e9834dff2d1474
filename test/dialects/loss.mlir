// RUN: resin-opt %s --interpret="function=softmax,cross_entropy,rank" -o /dev/null | FileCheck %s

!x = tensor<2x2xf32>
!l = tensor<2xi32>

// exp(ln 3) / (exp(ln 3) + exp(0)) = 3/4; large logits do not overflow. The gradient is s * (g - (4 * 3/4 + 0)).
// CHECK-LABEL: @softmax
// CHECK-NEXT: result 0 [2, 2]: 0.75 0.25 0.5 0.5
// CHECK-NEXT: result 1 [2, 2]: 0.75 -0.75 0 0
func.func @softmax(%x: !x {resnet.value = dense<[[1.0986122886681098, 0.], [10000., 10000.]]> : !x},
    %g: !x {resnet.value = dense<[[4., 0.], [1., 1.]]> : !x}) -> (!x, !x) {
  %s = resnet.softmax %x : (!x) -> !x
  %d = resnet.softmax_grad %g, %s : (!x, !x) -> !x
  return %s, %d : !x, !x
}

// p = [3/4, 1/4], label 0: -ln 3/4; smoothed by 0.2: -(0.9 ln 3/4 + 0.1 ln 1/4); (p - q) / 2. Of label -1 all is zero.
// CHECK-LABEL: @cross_entropy
// CHECK-NEXT: result 0 [2]: 0.287682 0
// CHECK-NEXT: result 1 [2]: 0.397543 0
// CHECK-NEXT: result 2 [2, 2]: -0.075 0.075 0 0
func.func @cross_entropy(%x: !x {resnet.value = dense<[[1.0986122886681098, 0.], [5., 1.]]> : !x},
    %l: !l {resnet.value = dense<[0, -1]> : !l})
    -> (tensor<2xf32>, tensor<2xf32>, !x) {
  %0 = resnet.cross_entropy %x, %l label_smoothing 0.0 : (!x, !l) -> tensor<2xf32>
  %1 = resnet.cross_entropy %x, %l label_smoothing 0.2 : (!x, !l) -> tensor<2xf32>
  %2 = resnet.cross_entropy_grad %x, %l label_smoothing 0.2 factor 0.5 : (!x, !l) -> !x
  return %0, %1, %2 : tensor<2xf32>, tensor<2xf32>, !x
}

// One logit is larger than the label's; of equal ones only the lower class counts; padding has all classes before it,
// and so has a label that is none.
// CHECK-LABEL: @rank
// CHECK-NEXT: result 0 [5]: 1 0 1 3 3
func.func @rank(%x: tensor<5x3xf32> {resnet.value =
    dense<[[5., 9., 1.], [2., 2., 1.], [2., 2., 1.], [1., 2., 3.], [1., 2., 3.]]> : tensor<5x3xf32>},
                %l: tensor<5xi32> {resnet.value = dense<[0, 0, 1, -1, 3]> : tensor<5xi32>}) -> tensor<5xi32> {
  %0 = resnet.label_rank %x, %l : (tensor<5x3xf32>, tensor<5xi32>) -> tensor<5xi32>
  return %0 : tensor<5xi32>
}
