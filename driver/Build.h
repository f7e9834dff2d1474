//===- Build.h - `resin build`: from a file to a program --------*- C++ -*-===//

#ifndef RESIN_DRIVER_BUILD_H
#define RESIN_DRIVER_BUILD_H

#include "machine/FusionKnobs.h"
#include "support/Status.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace resin {

/// Where the compiler can stop, in order.
enum class Stage { Resnet, Train, Layout, Fused, Kernel, Planned, LLVM, Object, Executable };
/// As `--emit` says them.
inline constexpr const char *kStageNames[] = {"resnet",  "train", "layout", "fused", "kernel",
                                              "planned", "llvm",  "object", "exe"};

struct BuildOptions {
  std::string file;
  std::string output; ///< "-": standard output; empty: that for text, the file's stem for a program
  std::string model;
  int64_t batch = 0; ///< 0: the recipe's
  std::vector<int64_t> predictBatch = {1, 32};
  std::string target = "host";
  Stage emit = Stage::Executable;
  std::vector<std::string> settings; ///< `train.key=value`
  unsigned jobs = 0;
  bool tuning = true;                        ///< take knobs from tuning records
  std::string database;                      ///< the user's records; empty: where `tuningDatabase` says
  std::map<std::string, FusionKnobs> fusion; ///< of entry functions by name, whatever records say
  bool quiet = false;                        ///< say nothing of a success, nor of bad tuning records
  std::string dumpPhases;                    ///< a folder for the text behind each phase
  std::string resinPath;                     ///< of this executable
  /// For tests: link these instead of compiling kernels, and this runtime.
  std::vector<std::string> kernelObjects;
  std::string runtime;
};

// Of these, as of all commands: a failure without a message has been told by diagnostics.

/// `resin build`.
Status build(const BuildOptions &options);
/// `resin check` and `resin summary`.
Status check(const BuildOptions &options);
Status summarize(const BuildOptions &options);

} // namespace resin

#endif // RESIN_DRIVER_BUILD_H
