//===- RunFolder.h - Where a run keeps what it has reached ------*- C++ -*-===//
//
//   last.safetensors       the newest checkpoint
//   previous.safetensors   the one before, should the newest be damaged
//   best.safetensors       the one with the highest top-1 on the test set
//   metrics.csv, .jsonl    a row for each epoch
//
// At every moment, whatever is killed or runs full, a good checkpoint has its name.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_TRAIN_RUNFOLDER_H
#define RESIN_RUNTIME_TRAIN_RUNFOLDER_H

#include "runtime/train/RunState.h"
#include "support/Status.h"

#include <string>

namespace resin {
class StagedFile;
} // namespace resin

namespace resin::runtime {

class Model;

class RunFolder {
public:
  /// Makes the folder where it is missing, and locks it against a second run.
  static StatusOr<RunFolder> open(const std::string &path);
  RunFolder(RunFolder &&other) noexcept;
  ~RunFolder();

  std::string file(const char *name) const { return path + "/" + name; }

  bool holdsRun() const;
  /// What is saved next takes the place of all that an earlier run left. Nothing of that goes before.
  void beginAnew() { replaces = true; }
  /// Loads the newest good checkpoint.
  Status load(Model &model, RunState &state);
  /// Saves `last`, keeping the one before; `isBest` makes it the best as well. If that fails, it is kept in memory and
  /// becomes the best with the next save.
  Status save(Model &model, const RunState &state, bool isBest);

private:
  RunFolder(std::string path, int lock) : path(std::move(path)), lock(lock) {}
  Status standUp();
  Status trySave(Model &model, const RunState &state, bool isBest);
  Status payBest();
  Status publish(StagedFile &verified, bool isBest);
  void removeOthers();

  std::string path;
  int lock = -1;
  bool lastIsGood = false, replaces = false;
  std::string owedBest; ///< the bytes of a best checkpoint that is not on the disk yet
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TRAIN_RUNFOLDER_H
