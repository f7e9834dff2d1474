//===- Trainable.cpp - Whether the network learns by its recipe -----------===//
//
// What is right by itself, but learns nothing as model and recipe stand together:
//
//   - a batch norm over one value a channel, which it makes 0;
//   - cross-entropy over one class, which is always 0.
//
//===----------------------------------------------------------------------===//

#include "frontend/Sema.h"

using namespace llvm;
using namespace resin::frontend;

static void checkNorm(const Layer &layer, int64_t batch, Diagnostics &diagnostics) {
  if (layer.kind == LayerKind::BatchNorm && batch == 1 && countElements(layer.result) == layer.result.front())
    diagnostics.error(layer.range,
                      "in training '" + layer.path + "' would have one value a channel and make it 0: " + "its map " +
                          print(layer.result) + " is one pixel and the batch is 1; take a batch of 2 or more");
}

void resin::frontend::checkTrainable(const Network &network, SMRange result, Diagnostics &diagnostics) {
  const Value *batch = network.recipe.getField("batch");
  for (const Layer &layer : network.layers)
    if (batch->is(Value::Integer))
      checkNorm(layer, batch->getInteger(), diagnostics);
  if (network.getClasses() == 1)
    diagnostics.error(result, "cross_entropy over one class is always 0: a model has two classes or more");
}
