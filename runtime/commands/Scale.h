//===- Scale.h - What `normalize` comes to ----------------------*- C++ -*-===//

#ifndef RESIN_RUNTIME_COMMANDS_SCALE_H
#define RESIN_RUNTIME_COMMANDS_SCALE_H

#include "runtime/Model.h"
#include "runtime/data/PixelScale.h"
#include "runtime/data/Source.h"

#include <algorithm>

namespace resin::runtime {

/// Whether the command line says how images are normalised, whatever a file of weights says.
inline bool asksForNormalize(const std::vector<std::string> &sets) {
  return std::any_of(sets.begin(), sets.end(),
                     [](const std::string &set) { return set.starts_with("train.normalize"); });
}

/// One mean and deviation for each channel of the network's images; `train` is there if the data set is to be measured.
inline StatusOr<PixelScale> pixelScale(Model &model, const Normalize &normalize, const Source *train) {
  const size_t channels = static_cast<size_t>(model.manifest().image[0]);
  if (normalize.kind == Normalize::Kind::DataSet)
    return measure(*train, model.pool());
  if (normalize.kind == Normalize::Kind::None)
    return PixelScale{std::vector<double>(channels, 0.0), std::vector<double>(channels, 1.0)};
  if (normalize.mean.size() != channels)
    return Status::usage("train.normalize: gives ", normalize.mean.size(), " means for ", channels, " channels");
  return PixelScale{normalize.mean, normalize.deviation};
}

} // namespace resin::runtime

#endif // RESIN_RUNTIME_COMMANDS_SCALE_H
