//===- Checkpoint.h - The network in a file ---------------------*- C++ -*-===//
//
// A checkpoint holds every variable that is not derived from others, under its
// name and in row-major order, and the run's state as metadata. A file of
// parameters and statistics alone, as other frameworks write it, can be read too.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_TRAIN_CHECKPOINT_H
#define RESIN_RUNTIME_TRAIN_CHECKPOINT_H

#include "runtime/train/RunState.h"
#include "support/Files.h"
#include "support/Safetensors.h"
#include "support/Status.h"

#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace resin::runtime {

class Model;

/// Gives the bytes of a checkpoint to `sink`, part by part. Fails if a variable is not finite.
Status writeCheckpoint(Model &model, const RunState &state,
                       const std::function<Status(std::span<const std::byte>)> &sink);

/// Writes the file aside, syncs it, reads it back and leaves the renaming to
/// `publish`, which gets the verified file. Fails if a variable is not finite.
Status saveCheckpoint(Model &model, const RunState &state, const std::string &path,
                      const std::function<Status(StagedFile &)> &publish);

/// Reads all variables and the state.
Status loadCheckpoint(Model &model, const std::string &path, RunState &state);

/// Reads parameters and statistics, and the scale of pixels; that is empty if the file has none.
Status loadWeights(Model &model, const std::string &path, PixelScale &scale);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TRAIN_CHECKPOINT_H
