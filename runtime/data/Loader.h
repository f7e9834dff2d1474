//===- Loader.h - A source's samples as batches of the network --*- C++ -*-===//
//
// Brings the samples of a pass, in its order, to where a function reads its batch:
// reads each, moves its pixels as the pass says, normalises them and writes them in
// the layout of the first convolution. What a slot gets depends on the pass and the
// sample alone, so batches are the same whoever makes them and whenever.
//
// There are two ways. Samples that lie in memory are written by the pool's workers,
// straight into their place, when the batch is asked for. A slow source's batches are
// made ahead of the step by threads of the loader's own (data/Ahead.h), and copied.
// docs/Rationale.md has the measurement.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_LOADER_H
#define RESIN_RUNTIME_DATA_LOADER_H

#include "runtime/Model.h"
#include "runtime/data/Ahead.h"
#include "runtime/data/BatchWriter.h"

#include <functional>
#include <optional>

namespace resin::runtime {

/// Which samples, in which order, and how each is looked at.
struct Pass {
  std::vector<int64_t> order;
  int64_t first = 0;                        ///< place in the order at which it begins
  std::function<View(int64_t sample)> view; ///< none: as it is
};

class Loader {
public:
  Loader(Model &model, const Function &function, const Source &source, const PixelScale &scale);

  /// From now on batches are of this pass; what is left of the one before is dropped.
  void begin(Pass pass);
  /// Brings the next batch to the device. Slots behind the last sample are black and have the label -1. Fails as the
  /// first of its samples does that cannot be read.
  Status next();

  /// Seconds that `next` took, all together.
  double waited() const { return seconds; }

private:
  Status fillSlot(int64_t place, int64_t slot, float *images, int32_t *labels, std::vector<uint8_t> &room) const;
  Status fillInPlace(float *images);
  Status copyPrepared(float *images);

  Model &model;
  const Source &source;
  const Tensor &image;
  const Tensor *label; ///< null if the function has none
  const int64_t slots;
  const BatchWriter writer;
  Pass pass;
  int64_t at = 0; ///< place in the order of the next batch
  double seconds = 0;
  std::vector<int32_t> labels;
  std::vector<std::vector<uint8_t>> rooms; ///< of the workers
  std::optional<Ahead> ahead;              ///< of a slow source; it asks the members above
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_LOADER_H
