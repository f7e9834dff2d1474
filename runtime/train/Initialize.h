//===- Initialize.h - The values training starts from -----------*- C++ -*-===//

#ifndef RESIN_RUNTIME_TRAIN_INITIALIZE_H
#define RESIN_RUNTIME_TRAIN_INITIALIZE_H

#include "runtime/Manifest.h"

#include <cstdint>
#include <vector>

namespace resin::runtime {

class Model;

/// A function of (seed, the variable's name, element): the same in every program.
std::vector<float> initialValues(const Variable &variable, uint64_t seed);

/// Sets every variable of the model that is kept in checkpoints.
void initialize(Model &model, uint64_t seed);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TRAIN_INITIALIZE_H
