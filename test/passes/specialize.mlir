// RUN: resin-opt %s --specialize=predict-batch=1,3 | FileCheck %s

// The names are the task's: here others than the front end's.
module attributes {resnet.classes = 5 : i64, resnet.recipe = {batch = 4 : i64, loss = {name = "cross_entropy",
    label_smoothing = 0.1 : f64}},
                   resnet.task = {loss = "cost", inputs = [{name = "photo", kind = "image"}],
                       targets = [{name = "answer", kind = "class"}],
                                  outputs = [{name = "votes", kind = "scores"}], metrics = [{name = "place",
                                      kind = "top-k"}]}} {
  resnet.variable "parameter" @g : tensor<3xf32> init {name = "constant", value = 1.0 : f64}
  resnet.variable "parameter" @b : tensor<3xf32> init {name = "constant", value = 0.0 : f64}
  resnet.variable "statistic" @mean : tensor<3xf32> init {name = "constant", value = 0.0 : f64}
  resnet.variable "statistic" @var : tensor<3xf32> init {name = "constant", value = 1.0 : f64}
  func.func @model(%image: tensor<?x3x2x2xf32> {resnet.name = "photo"}, %seed: tensor<2xi32> {resnet.name = "seed"})
      -> tensor<?x3xf32> {
    %g = resnet.read @g : tensor<3xf32>
    %b = resnet.read @b : tensor<3xf32>
    %z = resnet.batch_norm %image, %g, %b running @mean @var epsilon 1.0e-5 momentum 0.1 : (tensor<?x3x2x2xf32>,
        tensor<3xf32>, tensor<3xf32>) -> tensor<?x3x2x2xf32>
    %p = resnet.global_avg_pool %z : (tensor<?x3x2x2xf32>) -> tensor<?x3xf32>
    %d = resnet.dropout %p, %seed rate 0.5 layer 0 : (tensor<?x3xf32>, tensor<2xi32>) -> tensor<?x3xf32>
    %s = resnet.softmax %d : (tensor<?x3xf32>) -> tensor<?x3xf32>
    return %s : tensor<?x3xf32>
  }
}

// Batch norm uses the batch's statistics and moves the averages: with 4 images of 2x2, the variance by 16/15.
//       CHECK: func.func @train_step(%[[IMAGE:.*]]: tensor<4x3x2x2xf32> {resnet.name = "photo"},
//       CHECK-SAME: %[[LABEL:.*]]: tensor<4xi32> {resnet.name = "answer"},
//  CHECK-SAME:   tensor<f32> {resnet.name = "learning_rate"}, %{{.*}}: tensor<f32> {resnet.name = "step"},
//  CHECK-SAME:   %[[SEED:.*]]: tensor<2xi32> {resnet.name = "seed"})
//  CHECK-SAME:   -> (tensor<4xf32> {resnet.name = "cost"}, tensor<4xi32> {resnet.name = "place"})
//   CHECK-DAG:   %[[OLD_MEAN:.*]] = resnet.read @mean
//   CHECK-DAG:   %[[OLD_VAR:.*]] = resnet.read @var
//       CHECK:   %[[Z:.*]], %[[MEAN:.*]], %[[VAR:.*]] = resnet.batch_norm_train %[[IMAGE]]
//       CHECK:   %[[NEW_MEAN:.*]] = resnet.running_average %[[OLD_MEAN]],
//       CHECK-SAME: %[[MEAN]] momentum 1.000000e-01 factor 1.000000e+00
//       CHECK:   %[[NEW_VAR:.*]] = resnet.running_average %[[OLD_VAR]], %[[VAR]] momentum 1.000000e-01 factor 1.066
//       CHECK:   %[[POOL:.*]] = resnet.global_avg_pool %[[Z]] : (tensor<4x3x2x2xf32>) -> tensor<4x3xf32>
//       CHECK:   %[[LOGITS:.*]] = resnet.dropout %[[POOL]], %[[SEED]]
//   CHECK-NOT:   resnet.softmax
//       CHECK:   %[[LOSS:.*]] = resnet.cross_entropy %[[LOGITS]], %[[LABEL]] label_smoothing 1.000000e-01
//       CHECK:   %[[RANK:.*]] = resnet.label_rank %[[LOGITS]], %[[LABEL]]
//       CHECK:   resnet.write @mean, %[[NEW_MEAN]]
//       CHECK:   resnet.write @var, %[[NEW_VAR]]
//       CHECK:   return %[[LOSS]], %[[RANK]]

// CHECK-LABEL: func.func @evaluate
//  CHECK-SAME:   {resnet.name = "photo"}, %{{.*}}: tensor<4xi32> {resnet.name = "answer"})
//  CHECK-SAME:   -> (tensor<4xf32> {resnet.name = "cost"}, tensor<4xi32> {resnet.name = "place"})
//       CHECK:   resnet.batch_norm_inference %{{.*}} : (tensor<4x3x2x2xf32>
//   CHECK-NOT:   resnet.dropout
//   CHECK-NOT:   resnet.write

// CHECK-LABEL: func.func @predict_1
//  CHECK-SAME:   {resnet.name = "photo"}) -> (tensor<1x3xf32> {resnet.name = "votes"})
//       CHECK:   %[[LOGITS:.*]] = resnet.global_avg_pool
//       CHECK:   return %[[LOGITS]] : tensor<1x3xf32>
// CHECK-LABEL: func.func @predict_3
//       CHECK:   return %{{.*}} : tensor<3x3xf32>
//   CHECK-NOT: @model
