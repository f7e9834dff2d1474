// RUN: resin-opt %s --append-optimizer --split-input-file | FileCheck %s

// Weight decay leaves a variable marked no_decay alone. The update stands before the running average's write, its own
// writes behind it.
module attributes {resnet.recipe = {optimizer = {name = "sgd", momentum = 0.9 : f64, nesterov = true,
    weight_decay = 0.5 : f64}}} {
  resnet.variable "parameter" @w : tensor<5x3xf32> init {name = "constant", value = 1.0 : f64}
  resnet.variable "parameter" @b : tensor<5xf32> init {name = "constant", value = 1.0 : f64} no_decay
  resnet.variable "statistic" @s : tensor<5xf32> init {name = "constant", value = 1.0 : f64}
  // CHECK: resnet.variable "slot" @optimizer.momentum.w of @w : tensor<5x3xf32> init {name = "constant",
  // CHECK-SAME: value = 0.000000e+00 : f64}
  // CHECK: resnet.variable "slot" @optimizer.momentum.b of @b : tensor<5xf32>

  // CHECK-LABEL: func.func @train_step
  //  CHECK-SAME:   %[[LR:.*]]: tensor<f32> {resnet.name = "learning_rate"},
  //  CHECK-SAME:   %{{.*}}: tensor<f32> {resnet.name = "step"}, %[[DW:.*]]: tensor<5x3xf32>, %[[DB:.*]]: tensor<5xf32>)
  //  CHECK-SAME:   -> (tensor<5xf32> {resnet.name = "loss"})
  //       CHECK:   %[[W:.*]] = resnet.read @w :
  //       CHECK:   %[[M:.*]] = resnet.read @optimizer.momentum.w :
  //       CHECK:   %[[NEW:.*]], %[[NEW_M:.*]] = resnet.sgd %[[W]], %[[DW]], %[[M]],
  //       CHECK-SAME: %[[LR]] momentum 9.000000e-01 nesterov true weight_decay 5.000000e-01
  //       CHECK:   resnet.sgd %{{.*}}, %[[DB]], {{.*}} weight_decay 0.000000e+00
  //       CHECK:   resnet.write @s
  //       CHECK:   resnet.write @w, %[[NEW]]
  //       CHECK:   resnet.write @optimizer.momentum.w, %[[NEW_M]]
  //       CHECK:   return %{{.*}} : tensor<5xf32>
  func.func @train_step(%lr: tensor<f32> {resnet.name = "learning_rate"}, %step: tensor<f32> {resnet.name = "step"},
      %dw: tensor<5x3xf32>, %db: tensor<5xf32>)
      -> (tensor<5xf32> {resnet.name = "loss"}, tensor<5x3xf32> {resnet.name = "gradient.w"},
          tensor<5xf32> {resnet.name = "gradient.b"}) {
    %s = resnet.read @s : tensor<5xf32>
    resnet.write @s, %s : tensor<5xf32>
    return %s, %dw, %db : tensor<5xf32>, tensor<5x3xf32>, tensor<5xf32>
  }
}

// -----

// Without momentum there is nothing to remember.
module attributes {resnet.recipe = {optimizer = {name = "sgd", momentum = 0.0 : f64, nesterov = false,
    weight_decay = 0.0 : f64}}} {
  resnet.variable "parameter" @w : tensor<5x3xf32> init {name = "constant", value = 1.0 : f64}
  // CHECK-LABEL: optimizer = {momentum = 0.000000e+00
  //   CHECK-NOT:   "slot"
  //       CHECK:   resnet.sgd
  func.func @train_step(%lr: tensor<f32> {resnet.name = "learning_rate"}, %step: tensor<f32> {resnet.name = "step"},
      %dw: tensor<5x3xf32>) -> (tensor<5x3xf32> {resnet.name = "gradient.w"}) {
    return %dw : tensor<5x3xf32>
  }
}

// -----

module attributes {resnet.recipe = {optimizer = {name = "adamw", beta1 = 0.9 : f64, beta2 = 0.99 : f64,
    epsilon = 1.0e-8 : f64, weight_decay = 0.1 : f64}}} {
  resnet.variable "parameter" @w : tensor<5x3xf32> init {name = "constant", value = 1.0 : f64}
  // CHECK-LABEL: optimizer = {beta1
  //   CHECK-DAG:   %[[FIRST:.*]] = resnet.read @optimizer.exp_avg.w
  //   CHECK-DAG:   %[[SECOND:.*]] = resnet.read @optimizer.exp_avg_sq.w
  //       CHECK:   resnet.adam %{{.*}}, %{{.*}}, %[[FIRST]], %[[SECOND]],
  //       CHECK-SAME: %{{.*}} beta1 9.000000e-01 {{.*}} decoupled true
  func.func @train_step(%lr: tensor<f32> {resnet.name = "learning_rate"}, %step: tensor<f32> {resnet.name = "step"},
      %dw: tensor<5x3xf32>)
      -> (tensor<5x3xf32> {resnet.name = "gradient.w"}) {
    return %dw : tensor<5x3xf32>
  }
}
