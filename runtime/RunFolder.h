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

#ifndef RESIN_RUNTIME_RUNFOLDER_H
#define RESIN_RUNTIME_RUNFOLDER_H

#include "runtime/RunState.h"
#include "support/Status.h"

#include <string>

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
  /// Forgets the checkpoints of an earlier run that stand behind its last.
  void beginAnew();
  /// Loads the newest good checkpoint.
  Status load(Model &model, RunState &state);
  /// Saves `last`, keeping the one before; `isBest` makes it the best as well.
  Status save(Model &model, const RunState &state, bool isBest);

private:
  RunFolder(std::string path, int lock) : path(std::move(path)), lock(lock) {}

  std::string path;
  int lock = -1;
  bool lastIsGood = false;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_RUNFOLDER_H
