// RUN: resin-opt %s --specialize --split-input-file --verify-diagnostics

// expected-error @+1 {{specialize: there is no function @model}}
module {
}

// -----

// expected-error @+1 {{specialize: the module has no resnet.recipe}}
module {
  func.func @model(%image: tensor<?x3xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    return %image : tensor<?x3xf32>
  }
}

// -----

// expected-error @+1 {{specialize: the module has no resnet.task}}
module attributes {resnet.recipe = {batch = 4 : i64}} {
  func.func @model(%image: tensor<?x3xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    return %image : tensor<?x3xf32>
  }
}

// -----

// expected-error @+1 {{specialize: resnet.task is of no known task: one input of the kind 'image', one target 'class', one output 'scores', a loss, and metrics 'top-k'}}
module attributes {resnet.recipe = {batch = 4 : i64}, resnet.task = {loss = "loss", inputs = [{name = "image",
    kind = "image"}], targets = [{name = "boxes", kind = "box"}], outputs = [{name = "logits", kind = "scores"}]}} {
  func.func @model(%image: tensor<?x3xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    return %image : tensor<?x3xf32>
  }
}

// -----

module attributes {resnet.recipe = {batch = 4 : i64}, resnet.task = {loss = "loss", inputs = [{name = "image",
    kind = "image"}], targets = [{name = "label", kind = "class"}], outputs = [{name = "logits", kind = "scores"}]}} {
  // expected-error @+1 {{specialize: @model takes 'image' and 'seed' (resnet.name), not argument 0}}
  func.func @model(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
    return %x : tensor<?x3xf32>
  }
}

// -----

module attributes {resnet.recipe = {batch = 4 : i64}, resnet.task = {loss = "loss", inputs = [{name = "image",
    kind = "image"}], targets = [{name = "label", kind = "class"}], outputs = [{name = "logits", kind = "scores"}]}} {
  // expected-error @+1 {{specialize: @model takes 'image' of type [n, c, h, w]}}
  func.func @model(%image: tensor<?x3xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    return %image : tensor<?x3xf32>
  }
}

// -----

module attributes {resnet.recipe = {batch = 4 : i64}, resnet.task = {loss = "loss", inputs = [{name = "image",
    kind = "image"}], targets = [{name = "label", kind = "class"}], outputs = [{name = "logits", kind = "scores"}]}} {
  // expected-error @+1 {{specialize: @model returns one result of type [n, classes]}}
  func.func @model(%image: tensor<?x3x2x2xf32> {resnet.name = "image"}) -> tensor<?x3x2x2xf32> {
    return %image : tensor<?x3x2x2xf32>
  }
}

// -----

// expected-error @+1 {{specialize: the batch is 0, which is less than 1}}
module attributes {resnet.recipe = {batch = 0 : i64}, resnet.task = {loss = "loss", inputs = [{name = "image",
    kind = "image"}], targets = [{name = "label", kind = "class"}], outputs = [{name = "logits", kind = "scores"}]}} {
  func.func @model(%image: tensor<?x3x2x2xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    %p = resnet.global_avg_pool %image : (tensor<?x3x2x2xf32>) -> tensor<?x3xf32>
    return %p : tensor<?x3xf32>
  }
}

// -----

// With a batch of 2 the norm has two values a channel.
module attributes {resnet.recipe = {batch = 1 : i64}, resnet.task = {loss = "loss", inputs = [{name = "image",
    kind = "image"}], targets = [{name = "label", kind = "class"}], outputs = [{name = "logits", kind = "scores"}]}} {
  resnet.variable "parameter" @g : tensor<3xf32> init {name = "constant", value = 1.0 : f64}
  resnet.variable "parameter" @b : tensor<3xf32> init {name = "constant", value = 0.0 : f64}
  resnet.variable "statistic" @mean : tensor<3xf32> init {name = "constant", value = 0.0 : f64}
  resnet.variable "statistic" @var : tensor<3xf32> init {name = "constant", value = 1.0 : f64}
  func.func @model(%image: tensor<?x3x1x1xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    %g = resnet.read @g : tensor<3xf32>
    %b = resnet.read @b : tensor<3xf32>
    // expected-error @+1 {{specialize: in training, a batch norm of 'tensor<1x3x1x1xf32>' has one value a channel and makes it 0}}
    %z = resnet.batch_norm %image, %g, %b running @mean @var epsilon 1.0e-5 momentum 0.1 : (tensor<?x3x1x1xf32>,
        tensor<3xf32>, tensor<3xf32>) -> tensor<?x3x1x1xf32>
    %p = resnet.global_avg_pool %z : (tensor<?x3x1x1xf32>) -> tensor<?x3xf32>
    return %p : tensor<?x3xf32>
  }
}
