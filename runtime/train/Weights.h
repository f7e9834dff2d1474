//===- Weights.h - Variables from a file's tensors --------------*- C++ -*-===//
//
// Holds a file's names, types, shapes and numbers against the network's variables
// and copies them. What is wrong is said of the tensor and the element.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_TRAIN_WEIGHTS_H
#define RESIN_RUNTIME_TRAIN_WEIGHTS_H

#include "support/Safetensors.h"
#include "support/Status.h"

#include <vector>

namespace resin::runtime {

class Model;
struct Variable;

/// Gives the variables the file's values. A prefix that all names of the file have more or less than the network's, as
/// wrappers of modules leave it, is passed over and said. Names, types and shapes are looked at before the first
/// variable changes, numbers on the way.
Status restoreVariables(Model &model, const safetensors::File &file, const std::vector<const Variable *> &wanted);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TRAIN_WEIGHTS_H
