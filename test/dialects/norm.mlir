// RUN: resin-opt %s --interpret="function=train,pieces,grad,grad_pieces,inference,average,fold" -o /dev/null \
// RUN:   | FileCheck %s

!x = tensor<4x1xf32>
!c = tensor<1xf32>

// Of 1, 3, 5, 7 the mean is 4 and the biased variance (9 + 1 + 1 + 9) / 4 = 5; with epsilon 4 the deviation is 3, and z
// = (x - 4) / 3 * 6 + 10.
// CHECK-LABEL: @train
// CHECK-NEXT: result 0 [4, 1]: 4 8 12 16
// CHECK-NEXT: result 1 [1]: 4
// CHECK-NEXT: result 2 [1]: 5
func.func @train(%x: !x {resnet.value = dense<[[1.], [3.], [5.], [7.]]> : !x}, %s: !c {resnet.value = dense<6.> : !c},
    %o: !c {resnet.value = dense<10.> : !c}) -> (!x, !c, !c) {
  %y:3 = resnet.batch_norm_train %x, %s, %o epsilon 4.0 : (!x, !c, !c) -> (!x, !c, !c)
  return %y#0, %y#1, %y#2 : !x, !c, !c
}

// The same in pieces of two: sums 4 and 12, of squares 10 and 74; multiplier 6 / 3, addend 10 - 4 * 2.
// CHECK-LABEL: @pieces
// CHECK-NEXT: result 0 [2, 1]: 4 12
// CHECK-NEXT: result 1 [2, 1]: 10 74
// CHECK-NEXT: result 2 [1]: 2
// CHECK-NEXT: result 3 [1]: 2
// CHECK-NEXT: result 4 [1]: 4
// CHECK-NEXT: result 5 [1]: 5
// CHECK-NEXT: result 6 [4, 1]: 4 8 12 16
func.func @pieces(%x: !x {resnet.value = dense<[[1.], [3.], [5.], [7.]]> : !x}, %s: !c {resnet.value = dense<6.> : !c},
    %o: !c {resnet.value = dense<10.> : !c})
    -> (tensor<2x1xf64>, tensor<2x1xf64>, !c, !c, !c, !c, !x) {
  %sum = resnet.channel_sum %x pieces 2 : (!x) -> tensor<2x1xf64>
  %squares = resnet.channel_dot %x, %x pieces 2 : (!x, !x) -> tensor<2x1xf64>
  %m, %a, %mean, %variance = resnet.batch_norm_finalize %sum, %squares, %s, %o count 4.0 epsilon 4.0 : (tensor<2x1xf64>,
      tensor<2x1xf64>, !c, !c) -> (!c, !c, !c, !c)
  %z = resnet.scale_shift %x, %m, %a : (!x, !c, !c) -> !x
  return %sum, %squares, %m, %a, %mean, %variance, %z : tensor<2x1xf64>, tensor<2x1xf64>, !c, !c, !c, !c, !x
}

// h = -1, -1/3, 1/3, 1. dz = 3, 0, 0, 3: d offset = 6, d scale = 0, and dx = 6 / 3 * (dz - 6 / 4).
// CHECK-LABEL: @grad
// CHECK-NEXT: result 0 [4, 1]: 3 -3 -3 3
// CHECK-NEXT: result 1 [1]: 0
// CHECK-NEXT: result 2 [1]: 6
func.func @grad(%dz: !x {resnet.value = dense<[[3.], [0.], [0.], [3.]]> : !x},
    %x: !x {resnet.value = dense<[[1.], [3.], [5.], [7.]]> : !x},
                %s: !c {resnet.value = dense<6.> : !c}, %mean: !c {resnet.value = dense<4.> : !c},
                    %variance: !c {resnet.value = dense<5.> : !c}) -> (!x, !c, !c) {
  %y:3 = resnet.batch_norm_grad %dz, %x, %s, %mean, %variance epsilon 4.0 : (!x, !x, !c, !c, !c) -> (!x, !c, !c)
  return %y#0, %y#1, %y#2 : !x, !c, !c
}

// dz = 0, 0, 0, 3: S = 3, D = 21, d scale = (21 - 4 * 3) / 3 = 3, a = 2, b = -2 / 3 * 3 / 4 = -0.5, c = -2 * 3 / 4 +
// 0.5 * 4 = 0.5; dx = 2 dz - x / 2 + 1/2.
// CHECK-LABEL: @grad_pieces
// CHECK-NEXT: result 0 [4, 1]: 0 -1 -2 3
// CHECK-NEXT: result 1 [1]: 3
// CHECK-NEXT: result 2 [1]: 3
func.func @grad_pieces(%dz: !x {resnet.value = dense<[[0.], [0.], [0.], [3.]]> : !x},
    %x: !x {resnet.value = dense<[[1.], [3.], [5.], [7.]]> : !x},
                       %s: !c {resnet.value = dense<6.> : !c}, %mean: !c {resnet.value = dense<4.> : !c},
                           %variance: !c {resnet.value = dense<5.> : !c}) -> (!x, !c, !c) {
  %sum = resnet.channel_sum %dz pieces 1 : (!x) -> tensor<1x1xf32>
  %dot = resnet.channel_dot %dz, %x pieces 1 : (!x, !x) -> tensor<1x1xf32>
  %a, %b, %c, %ds, %do = resnet.batch_norm_grad_finalize %sum, %dot, %s, %mean, %variance count 4.0 epsilon 4.0
      : (tensor<1x1xf32>, tensor<1x1xf32>, !c, !c, !c) -> (!c, !c, !c, !c, !c)
  %dx = resnet.affine_combine %dz, %x, %a, %b, %c : (!x, !x, !c, !c, !c) -> !x
  return %dx, %ds, %do : !x, !c, !c
}

// The neutral form is inference: both give (x - 4) / 3 * 6 + 10.
resnet.variable "statistic" @mean : !c init {name = "constant", value = 4.0 : f64}
resnet.variable "statistic" @variance : !c init {name = "constant", value = 5.0 : f64}
// CHECK-LABEL: @inference
// CHECK-NEXT: result 0 [4, 1]: 4 8 12 16
// CHECK-NEXT: result 1 [4, 1]: 4 8 12 16
func.func @inference(%x: !x {resnet.value = dense<[[1.], [3.], [5.], [7.]]> : !x},
    %s: !c {resnet.value = dense<6.> : !c}, %o: !c {resnet.value = dense<10.> : !c}) -> (!x, !x) {
  %mean = resnet.read @mean : !c
  %variance = resnet.read @variance : !c
  %0 = resnet.batch_norm_inference %x, %s, %o, %mean, %variance epsilon 4.0 : (!x, !c, !c, !c, !c) -> !x
  %1 = resnet.batch_norm %x, %s, %o running @mean @variance epsilon 4.0 momentum 0.1 : (!x, !c, !c) -> !x
  return %0, %1 : !x, !x
}

// 0.9 * 10 + 0.1 * 5 * 4/3, the unbiased variance of four
// CHECK-LABEL: @average
// CHECK-NEXT: result 0 [1]: 9.66667
func.func @average(%old: !c {resnet.value = dense<10.> : !c}, %new: !c {resnet.value = dense<5.> : !c}) -> !c {
  %0 = resnet.running_average %old, %new momentum 0.1 factor 1.3333333333333333 : (!c, !c) -> !c
  return %0 : !c
}

// The multiplier is 6 / 3 = 2 and the addend 10 - 4 * 2 = 2: the filters double, a bias of 7 becomes 7 * 2 + 2.
// CHECK-LABEL: @fold
// CHECK-NEXT: result 0 [1, 2]: 2 4
// CHECK-NEXT: result 1 [1]: 16
func.func @fold(%f: tensor<1x2xf32> {resnet.value = dense<[[1., 2.]]> : tensor<1x2xf32>},
    %bias: !c {resnet.value = dense<7.> : !c},
                %s: !c {resnet.value = dense<6.> : !c}, %o: !c {resnet.value = dense<10.> : !c}) -> (tensor<1x2xf32>,
                    !c) {
  %mean = resnet.read @mean : !c
  %variance = resnet.read @variance : !c
  %m, %a = resnet.inference_affine %s, %o, %mean, %variance epsilon 4.0 : (!c, !c, !c, !c) -> (!c, !c)
  %0 = resnet.scale_filter %f, %m : (tensor<1x2xf32>, !c) -> tensor<1x2xf32>
  %1 = resnet.scale_add %bias, %m, %a : (!c, !c, !c) -> !c
  return %0, %1 : tensor<1x2xf32>, !c
}
