// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Batch norm: what breaks a constraint is told at its line. Constraints are numbered in NormOps.td.

func.func @batch_norm_train_c1(%x: tensor<2x4x6x6xf32>, %s: tensor<4xf32>, %o: tensor<5xf32>) {
  // expected-error@+1 {{'batch_norm_train' takes an offset of shape [4], not [5]}}
  %r:3 = resnet.batch_norm_train %x, %s, %o epsilon 1.0e-5 : (tensor<2x4x6x6xf32>, tensor<4xf32>, tensor<5xf32>)
      -> (tensor<2x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_train_c2(%x: tensor<2x4x6x6xf32>, %s: tensor<4xf32>, %o: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_train' takes a positive epsilon, not 0}}
  %r:3 = resnet.batch_norm_train %x, %s, %o epsilon 0.0 : (tensor<2x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>)
      -> (tensor<2x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_grad_c1(%g: tensor<2x4x6x5xf32>, %x: tensor<2x4x6x6xf32>, %s: tensor<4xf32>, %m: tensor<4xf32>,
    %v: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_grad' takes a gradient in the shape of the input: [2, 4, 6, 5] and [2, 4, 6, 6]: the shapes differ}}
  %r:3 = resnet.batch_norm_grad %g, %x, %s, %m, %v epsilon 1.0e-5 : (tensor<2x4x6x5xf32>, tensor<2x4x6x6xf32>,
      tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<2x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_grad_c2(%g: tensor<2x4x6x6xf32>, %x: tensor<2x4x6x6xf32>, %s: tensor<4xf32>, %m: tensor<4xf32>,
    %v: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_grad' takes a positive epsilon, not -1}}
  %r:3 = resnet.batch_norm_grad %g, %x, %s, %m, %v epsilon -1.0 : (tensor<2x4x6x6xf32>, tensor<2x4x6x6xf32>,
      tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<2x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_inference_c1(%x: tensor<2x4x6xf32>, %s: tensor<4xf32>, %o: tensor<4xf32>, %m: tensor<4xf32>,
    %v: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_inference' takes an activation of rank 4 or 2, not [2, 4, 6]}}
  %r = resnet.batch_norm_inference %x, %s, %o, %m, %v epsilon 1.0e-5 : (tensor<2x4x6xf32>, tensor<4xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @batch_norm_inference_c2(%x: tensor<2x4x6x6xf32>, %s: tensor<4xf32>, %o: tensor<4xf32>, %m: tensor<4xf32>,
    %v: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_inference' takes a positive epsilon, not 0}}
  %r = resnet.batch_norm_inference %x, %s, %o, %m, %v epsilon 0.0 : (tensor<2x4x6x6xf32>, tensor<4xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @running_average_c1(%a: tensor<4xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{'running_average' takes channel vectors of one shape: [4] and [5]: the shapes differ}}
  %r = resnet.running_average %a, %b momentum 0.1 factor 1.0 : (tensor<4xf32>, tensor<5xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @channel_sum_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{'channel_sum' takes an activation of rank 4 or 2, not [4]}}
  %r = resnet.channel_sum %x pieces 1 : (tensor<4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @channel_sum_c2(%x: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'channel_sum' cannot cut 2 images into 3 equal pieces}}
  %r = resnet.channel_sum %x pieces 3 : (tensor<2x4x6x6xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @channel_sum_c3(%x: tensor<2x4x6x6xf64>) {
  // expected-error@+1 {{'channel_sum' gives 'tensor<1x4xf64>', not 'tensor<1x4xf32>'}}
  %r = resnet.channel_sum %x pieces 1 : (tensor<2x4x6x6xf64>) -> tensor<1x4xf32>
  return
}

// -----

func.func @channel_dot_c1(%x: tensor<2x4x6x6xf32>, %y: tensor<2x4x6x5xf32>) {
  // expected-error@+1 {{'channel_dot' multiplies activations of one shape, not [2, 4, 6, 6] and [2, 4, 6, 5]: the shapes differ}}
  %r = resnet.channel_dot %x, %y pieces 1 : (tensor<2x4x6x6xf32>, tensor<2x4x6x5xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @channel_dot_c2(%x: tensor<2x4x6x6xf32>, %y: tensor<2x4x6x6xf32>) {
  // expected-error@+1 {{'channel_dot' takes pieces from 1 to 1048576, not 0}}
  %r = resnet.channel_dot %x, %y pieces 0 : (tensor<2x4x6x6xf32>, tensor<2x4x6x6xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @channel_dot_c3(%x: tensor<2x4x6x6xf64>) {
  // expected-error@+1 {{'channel_dot' gives 'tensor<1x4xf64>', not 'tensor<1x4xf32>'}}
  %r = resnet.channel_dot %x, %x pieces 1 : (tensor<2x4x6x6xf64>, tensor<2x4x6x6xf64>) -> tensor<1x4xf32>
  return
}

// -----

func.func @batch_norm_finalize_c1(%a: tensor<2x4xf32>, %b: tensor<3x4xf32>, %s: tensor<4xf32>, %o: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_finalize' takes partial sums of one shape, not [2, 4] and [3, 4]: the shapes differ}}
  %r:4 = resnet.batch_norm_finalize %a, %b, %s, %o count 72.0 epsilon 1.0e-5 : (tensor<2x4xf32>, tensor<3x4xf32>,
      tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_finalize_c2(%a: tensor<2x4xf32>, %b: tensor<2x4xf32>, %s: tensor<4xf32>, %o: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_finalize' takes a positive epsilon, not 0}}
  %r:4 = resnet.batch_norm_finalize %a, %b, %s, %o count 72.0 epsilon 0.0 : (tensor<2x4xf32>, tensor<2x4xf32>,
      tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_finalize_c3(%a: tensor<2x4xf32>, %b: tensor<2x4xf32>, %s: tensor<4xf32>, %o: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_finalize' takes a count from 1 on, not 0.5}}
  %r:4 = resnet.batch_norm_finalize %a, %b, %s, %o count 0.5 epsilon 1.0e-5 : (tensor<2x4xf32>, tensor<2x4xf32>,
      tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_grad_finalize_c1(%a: tensor<2x4xf32>, %b: tensor<2x4xf32>, %s: tensor<4xf32>, %m: tensor<4xf32>,
    %v: tensor<5xf32>) {
  // expected-error@+1 {{'batch_norm_grad_finalize' takes a channel vector of shape [4], not [5]}}
  %r:5 = resnet.batch_norm_grad_finalize %a, %b, %s, %m, %v count 72.0 epsilon 1.0e-5 : (tensor<2x4xf32>,
      tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<5xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>,
          tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_grad_finalize_c2(%a: tensor<2x4xf32>, %b: tensor<2x4xf32>, %s: tensor<4xf32>, %m: tensor<4xf32>,
    %v: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_grad_finalize' takes a positive epsilon, not 0}}
  %r:5 = resnet.batch_norm_grad_finalize %a, %b, %s, %m, %v count 72.0 epsilon 0.0 : (tensor<2x4xf32>, tensor<2x4xf32>,
      tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>,
          tensor<4xf32>)
  return
}

// -----

func.func @batch_norm_grad_finalize_c3(%a: tensor<2x4xf32>, %b: tensor<2x4xf32>, %s: tensor<4xf32>, %m: tensor<4xf32>,
    %v: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm_grad_finalize' takes a count from 1 on, not 0}}
  %r:5 = resnet.batch_norm_grad_finalize %a, %b, %s, %m, %v count 0.0 epsilon 1.0e-5 : (tensor<2x4xf32>,
      tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>,
          tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @scale_shift_c1(%x: tensor<2x4x6x6xf32>, %m: tensor<4xf32>, %a: tensor<4x1xf32>) {
  // expected-error@+1 {{'scale_shift' takes an addend of rank 1, not [4, 1]}}
  %r = resnet.scale_shift %x, %m, %a : (tensor<2x4x6x6xf32>, tensor<4xf32>, tensor<4x1xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @affine_combine_c1(%x: tensor<2x4x6x6xf32>, %y: tensor<2x4x1x1xf32>, %a: tensor<4xf32>, %b: tensor<4xf32>,
    %c: tensor<4xf32>) {
  // expected-error@+1 {{'affine_combine' combines activations of one shape, not [2, 4, 6, 6] and [2, 4, 1, 1]: the shapes differ}}
  %r = resnet.affine_combine %x, %y, %a, %b, %c : (tensor<2x4x6x6xf32>, tensor<2x4x1x1xf32>, tensor<4xf32>,
      tensor<4xf32>, tensor<4xf32>) -> tensor<2x4x6x6xf32>
  return
}

// -----

func.func @inference_affine_c1(%s: tensor<4xf32>, %o: tensor<4xf32>, %m: tensor<4xf32>, %v: tensor<5xf32>) {
  // expected-error@+1 {{'inference_affine' takes channel vectors of one shape: [4] and [5]: the shapes differ}}
  %r:2 = resnet.inference_affine %s, %o, %m, %v epsilon 1.0e-5 : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>,
      tensor<5xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @inference_affine_c2(%s: tensor<4xf32>, %o: tensor<4xf32>, %m: tensor<4xf32>, %v: tensor<4xf32>) {
  // expected-error@+1 {{'inference_affine' takes a positive epsilon, not 0}}
  %r:2 = resnet.inference_affine %s, %o, %m, %v epsilon 0.0 : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>,
      tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @scale_filter_c1(%f: tensor<4x3x3x3xf32>, %m: tensor<3xf32>) {
  // expected-error@+1 {{'scale_filter' takes a multiplier of shape [4], not [3]}}
  %r = resnet.scale_filter %f, %m : (tensor<4x3x3x3xf32>, tensor<3xf32>) -> tensor<4x3x3x3xf32>
  return
}

// -----

func.func @scale_add_c1(%x: tensor<4xf32>, %m: tensor<4xf32>, %a: tensor<4xf64>) {
  // expected-error@+1 {{'scale_add' takes operands of one element type, not f32 and f64}}
  %r = resnet.scale_add %x, %m, %a : (tensor<4xf32>, tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

resnet.variable "statistic" @m : tensor<4xf32> init {name = "constant", value = 0.0 : f64}
func.func @batch_norm_c1(%x: tensor<2x3x6x6xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm' takes a scale of shape [3], not [4]}}
  %y = resnet.batch_norm %x, %s, %s running @m @m epsilon 1.0e-5 momentum 0.1 : (tensor<2x3x6x6xf32>, tensor<4xf32>,
      tensor<4xf32>) -> tensor<2x3x6x6xf32>
  return
}

// -----

resnet.variable "statistic" @m : tensor<4xf32> init {name = "constant", value = 0.0 : f64}
func.func @batch_norm_c2(%x: tensor<2x4xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm' takes a positive epsilon, not 0}}
  %y = resnet.batch_norm %x, %s, %s running @m @m epsilon 0.0 momentum 0.1 : (tensor<2x4xf32>, tensor<4xf32>,
      tensor<4xf32>) -> tensor<2x4xf32>
  return
}

// -----

resnet.variable "statistic" @m : tensor<4xf32> init {name = "constant", value = 0.0 : f64}
func.func @batch_norm_c3(%x: tensor<2x4xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm' keeps its statistics in 'v', which is no variable}}
  %y = resnet.batch_norm %x, %s, %s running @m @v epsilon 1.0e-5 momentum 0.1 : (tensor<2x4xf32>, tensor<4xf32>,
      tensor<4xf32>) -> tensor<2x4xf32>
  return
}

// -----

resnet.variable "statistic" @m : tensor<3xf32> init {name = "constant", value = 0.0 : f64}
func.func @batch_norm_c3_shape(%x: tensor<2x4xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{'batch_norm' keeps 'tensor<4xf32>' in 'm', which is 'tensor<3xf32>'}}
  %y = resnet.batch_norm %x, %s, %s running @m @m epsilon 1.0e-5 momentum 0.1 : (tensor<2x4xf32>, tensor<4xf32>,
      tensor<4xf32>) -> tensor<2x4xf32>
  return
}
