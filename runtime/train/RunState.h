//===- RunState.h - What a training run is and how far it has come -*- C++ -*-===//
//
// Together with the variables this is all that determines the rest of a run: it is
// what checkpoints keep beside them. Nothing here depends on clocks or threads, so
// two runs that stand at the same place write the same bytes.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_TRAIN_RUNSTATE_H
#define RESIN_RUNTIME_TRAIN_RUNSTATE_H

#include "runtime/Recipe.h"
#include "runtime/data/PixelScale.h"
#include "runtime/data/Source.h"
#include "support/Safetensors.h"

namespace resin::runtime {

struct Settings {
  Recipe recipe;
  std::string data; ///< as --data names it (data/Registry.h)
  int64_t limit = -1;
  bool shuffle = true;
  int64_t batch = 0; ///< the program's
};

struct Position {
  int64_t epoch = 0;         ///< epochs completed
  int64_t step = 0;          ///< updates made
  int64_t imagesInEpoch = 0; ///< trained on in the epoch under way
  double lossSum = 0;        ///< over this epoch's images
  int64_t correct = 0;
  double bestTop1 = -1; ///< percent

  void beginEpochAnew() {
    imagesInEpoch = correct = 0;
    lossSum = 0;
  }
};

struct RunState {
  Settings settings;
  Position position;
  PixelScale scale; ///< what `normalize` came to on the training set
  Fingerprint train, test;
};

/// To and from the metadata of a checkpoint.
safetensors::Metadata describe(const RunState &state, const std::string &model, const std::string &hash,
                               const std::string &build);
Status understand(const std::string &path, const safetensors::Metadata &metadata, RunState &state);
/// The scale alone; empty if the file has none. One that cannot be understood is an error.
StatusOr<PixelScale> scaleOf(const std::string &path, const safetensors::Metadata &metadata);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TRAIN_RUNSTATE_H
