// RUN: resin-opt %s --differentiate | FileCheck %s

module {
  resnet.variable "parameter" @w : tensor<5x3xf32> init {name = "constant", value = 1.0 : f64}
  resnet.variable "parameter" @f : tensor<3x3x1x1xf32> init {name = "constant", value = 1.0 : f64}

  // x is used twice, so its gradients are added; the image needs none, so there is no conv2d_grad_data. The mean is
  // over 4 images.
  // CHECK-LABEL: func.func @train_step
  //  CHECK-SAME:   %[[IMAGE:.*]]: tensor<4x3x2x2xf32>, %[[LABEL:.*]]: tensor<4xi32>
  //  CHECK-SAME:   tensor<3x3x1x1xf32> {resnet.name = "gradient.f"}, tensor<5x3xf32> {resnet.name = "gradient.w"})
  //       CHECK:   %[[W:.*]] = resnet.read @w
  //       CHECK:   %[[D:.*]] = resnet.cross_entropy_grad %{{.*}}, %[[LABEL]]
  //       CHECK-SAME: label_smoothing 0.000000e+00 factor 2.500000e-01
  //   CHECK-DAG:   %[[DW:.*]] = resnet.linear_grad_weight %[[D]]
  //   CHECK-DAG:   %[[DP:.*]] = resnet.linear_grad_data %[[D]], %[[W]]
  //       CHECK:   %[[DS:.*]] = resnet.global_avg_pool_grad %[[DP]]
  //       CHECK:   %[[DR:.*]] = resnet.relu_grad %[[DS]]
  //       CHECK:   %[[DX:.*]] = resnet.add %[[DS]], %[[DR]]
  //   CHECK-NOT:   resnet.conv2d_grad_data
  //       CHECK:   %[[DF:.*]] = resnet.conv2d_grad_weight %[[IMAGE]], %[[DX]]
  //       CHECK:   return %{{.*}}, %{{.*}}, %[[DF]], %[[DW]]
  func.func @train_step(%image: tensor<4x3x2x2xf32>, %label: tensor<4xi32>) -> (tensor<4xf32> {resnet.name = "loss"},
      tensor<4xi32> {resnet.name = "rank"}) {
    %f = resnet.read @f : tensor<3x3x1x1xf32>
    %x = resnet.conv2d %image, %f strides [1, 1] padding [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<4x3x2x2xf32>,
        tensor<3x3x1x1xf32>) -> tensor<4x3x2x2xf32>
    %r = resnet.relu %x : (tensor<4x3x2x2xf32>) -> tensor<4x3x2x2xf32>
    %s = resnet.add %x, %r : (tensor<4x3x2x2xf32>, tensor<4x3x2x2xf32>) -> tensor<4x3x2x2xf32>
    %p = resnet.global_avg_pool %s : (tensor<4x3x2x2xf32>) -> tensor<4x3xf32>
    %w = resnet.read @w : tensor<5x3xf32>
    %logits = resnet.linear %p, %w : (tensor<4x3xf32>, tensor<5x3xf32>) -> tensor<4x5xf32>
    %loss = resnet.cross_entropy %logits, %label label_smoothing 0.0 : (tensor<4x5xf32>, tensor<4xi32>) -> tensor<4xf32>
    %rank = resnet.label_rank %logits, %label : (tensor<4x5xf32>, tensor<4xi32>) -> tensor<4xi32>
    return %loss, %rank : tensor<4xf32>, tensor<4xi32>
  }
}
