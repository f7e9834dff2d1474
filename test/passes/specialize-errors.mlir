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

module attributes {resnet.recipe = {batch = 4 : i64}} {
  // expected-error @+1 {{specialize: @model takes 'image' and 'seed' (resnet.name), not argument 0}}
  func.func @model(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
    return %x : tensor<?x3xf32>
  }
}

// -----

module attributes {resnet.recipe = {batch = 4 : i64}} {
  // expected-error @+1 {{specialize: @model takes 'image' of type [n, c, h, w]}}
  func.func @model(%image: tensor<?x3xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    return %image : tensor<?x3xf32>
  }
}

// -----

module attributes {resnet.recipe = {batch = 4 : i64}} {
  // expected-error @+1 {{specialize: @model returns one result of type [n, classes]}}
  func.func @model(%image: tensor<?x3x2x2xf32> {resnet.name = "image"}) -> tensor<?x3x2x2xf32> {
    return %image : tensor<?x3x2x2xf32>
  }
}

// -----

// expected-error @+1 {{specialize: the batch is 0, which is less than 1}}
module attributes {resnet.recipe = {batch = 0 : i64}} {
  func.func @model(%image: tensor<?x3x2x2xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    %p = resnet.global_avg_pool %image : (tensor<?x3x2x2xf32>) -> tensor<?x3xf32>
    return %p : tensor<?x3xf32>
  }
}
