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
  // expected-error @+1 {{specialize: @model takes an argument named 'image' and returns one result}}
  func.func @model(%image: tensor<?x3xf32>) -> tensor<?x3xf32> {
    return %image : tensor<?x3xf32>
  }
}

// -----

// expected-error @+1 {{specialize: the batch is 0, which is less than 1}}
module attributes {resnet.recipe = {batch = 0 : i64}} {
  func.func @model(%image: tensor<?x3xf32> {resnet.name = "image"}) -> tensor<?x3xf32> {
    return %image : tensor<?x3xf32>
  }
}
