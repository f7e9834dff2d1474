// RUN: resin-opt %s --interpret="function=sgd,adam,rmsprop" -o /dev/null | FileCheck %s

!p = tensor<1xf32>
!s = tensor<f32>

// p = 2, g = 3, v = 4, lr = 0.1. Plain: 2 - 0.1 * 3, the slot stays. Momentum 0.5: v = 0.5 * 4 + 3 = 5, p = 2 - 0.5.
// Nesterov with decay 0.5: g = 3 + 1, v = 2 + 4 = 6, p = 2 - 0.1 * (4 + 0.5 * 6).
// CHECK-LABEL: @sgd
// CHECK-NEXT: result 0 [1]: 1.7
// CHECK-NEXT: result 1 [1]: 4
// CHECK-NEXT: result 2 [1]: 1.5
// CHECK-NEXT: result 3 [1]: 5
// CHECK-NEXT: result 4 [1]: 1.3
// CHECK-NEXT: result 5 [1]: 6
func.func @sgd(%p: !p {resnet.value = dense<2.> : !p}, %g: !p {resnet.value = dense<3.> : !p},
    %v: !p {resnet.value = dense<4.> : !p},
               %lr: !s {resnet.name = "learning_rate"}) -> (!p, !p, !p, !p, !p, !p) {
  %0:2 = resnet.sgd %p, %g, %v, %lr momentum 0.0 nesterov false weight_decay 0.0 : (!p, !p, !p, !s) -> (!p, !p)
  %1:2 = resnet.sgd %p, %g, %v, %lr momentum 0.5 nesterov false weight_decay 0.0 : (!p, !p, !p, !s) -> (!p, !p)
  %2:2 = resnet.sgd %p, %g, %v, %lr momentum 0.5 nesterov true weight_decay 0.5 : (!p, !p, !p, !s) -> (!p, !p)
  return %0#0, %0#1, %1#0, %1#1, %2#0, %2#1 : !p, !p, !p, !p, !p, !p
}

// The first step from empty slots, g = 3: the corrected moments are 3 and 9, so p moves by lr whatever the gradient.
// AdamW first shrinks p by 1 - 0.1 * 0.5.
// CHECK-LABEL: @adam
// CHECK-NEXT: result 0 [1]: 1.9
// CHECK-NEXT: result 1 [1]: 0.3
// CHECK-NEXT: result 2 [1]: 0.009
// CHECK-NEXT: result 3 [1]: 1.8
func.func @adam(%p: !p {resnet.value = dense<2.> : !p}, %g: !p {resnet.value = dense<3.> : !p},
    %m: !p {resnet.value = dense<0.> : !p},
                %lr: !s {resnet.name = "learning_rate"}, %step: !s {resnet.name = "step"}) -> (!p, !p, !p, !p) {
  %0:3 = resnet.adam %p, %g, %m, %m, %lr, %step beta1 0.9 beta2 0.999 epsilon 0.0 weight_decay 0.0 decoupled false
      : (!p, !p, !p, !p, !s, !s) -> (!p, !p, !p)
  %1:3 = resnet.adam %p, %g, %m, %m, %lr, %step beta1 0.9 beta2 0.999 epsilon 0.0 weight_decay 0.5 decoupled true : (!p,
      !p, !p, !p, !s, !s) -> (!p, !p, !p)
  return %0#0, %0#1, %0#2, %1#0 : !p, !p, !p, !p
}

// s = 0.75 * 0 + 0.25 * 9, its root 1.5, so the step is 3 / (1.5 + 0.5) = 1.5 times lr; with momentum 0.5 the slot
// becomes 0.5 * 4 + 1.5.
// CHECK-LABEL: @rmsprop
// CHECK-NEXT: result 0 [1]: 1.85
// CHECK-NEXT: result 1 [1]: 2.25
// CHECK-NEXT: result 2 [1]: 4
// CHECK-NEXT: result 3 [1]: 1.65
// CHECK-NEXT: result 4 [1]: 3.5
func.func @rmsprop(%p: !p {resnet.value = dense<2.> : !p}, %g: !p {resnet.value = dense<3.> : !p},
    %s: !p {resnet.value = dense<0.> : !p},
                   %v: !p {resnet.value = dense<4.> : !p}, %lr: !s {resnet.name = "learning_rate"}) -> (!p, !p, !p, !p,
                       !p) {
  %0:3 = resnet.rmsprop %p, %g, %s, %v, %lr alpha 0.75 epsilon 0.5 momentum 0.0 weight_decay 0.0 : (!p, !p, !p, !p, !s)
      -> (!p, !p, !p)
  %1:3 = resnet.rmsprop %p, %g, %s, %v, %lr alpha 0.75 epsilon 0.5 momentum 0.5 weight_decay 0.0 : (!p, !p, !p, !p, !s)
      -> (!p, !p, !p)
  return %0#0, %0#1, %0#2, %1#0, %1#2 : !p, !p, !p, !p, !p
}
