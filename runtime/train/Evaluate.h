//===- Evaluate.h - How good the network is on a set ------------*- C++ -*-===//

#ifndef RESIN_RUNTIME_TRAIN_EVALUATE_H
#define RESIN_RUNTIME_TRAIN_EVALUATE_H

#include "runtime/Model.h"
#include "runtime/data/PixelScale.h"
#include "runtime/data/Source.h"

#include <optional>

namespace resin::runtime {

struct Score {
  double loss = 0;                  ///< mean, in nats
  double top1 = 0, top5 = 0;        ///< percent
  std::optional<int64_t> notFinite; ///< the first image whose loss is no number; `loss` is none either then
};

/// Runs every image of the source, of which there is one at least; the last batch is
/// filled up with images that count nothing. Fails when asked to stop.
StatusOr<Score> evaluate(Model &model, const Source &source, const PixelScale &scale);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TRAIN_EVALUATE_H
