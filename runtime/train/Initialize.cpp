//===- Initialize.cpp - The values training starts from -------------------===//

#include "runtime/train/Initialize.h"
#include "runtime/Model.h"
#include "support/Philox.h"

#include <cmath>

using namespace resin;
using namespace resin::runtime;

/// Half the width of a uniform distribution.
static double limit(const Initializer &init) {
  if (init.name == "glorot_uniform")
    return std::sqrt(6 / (init.fanIn + init.fanOut));
  return 1 / std::sqrt(init.fan); // linear_uniform
}

std::vector<float> resin::runtime::initialValues(const Variable &variable, uint64_t seed) {
  const Initializer &init = variable.init;
  const uint64_t stream = philox::hashName(variable.name);
  std::vector<float> values(variable.elements(), static_cast<float>(init.value));
  if (init.name == "constant")
    return values;
  const bool normal = init.name == "he_normal";
  const double scale = normal ? std::sqrt(2 / init.fan) : limit(init);
  for (uint64_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(
        scale * (normal ? philox::normal(seed, stream, i) : 2 * philox::uniform(seed, stream, i) - 1));
  return values;
}

void resin::runtime::initialize(Model &model, uint64_t seed) {
  for (const Variable &variable : model.manifest().variables)
    if (variable.role != Role::Prepared)
      model.setElements(variable, initialValues(variable, seed));
}
