//===- Build.h - `resin build`: from a file to a program --------*- C++ -*-===//

#ifndef RESIN_DRIVER_BUILD_H
#define RESIN_DRIVER_BUILD_H

#include "codegen/Backend.h"
#include "machine/FusionKnobs.h"
#include "support/KernelSpec.h"
#include "support/Status.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace resin {

/// Exit codes of `resin`.
inline constexpr int kOk = static_cast<int>(ExitCode::Ok), kFailure = static_cast<int>(ExitCode::Failure),
                     kUsage = static_cast<int>(ExitCode::Usage), kBadInput = static_cast<int>(ExitCode::BadData),
                     kNoInput = static_cast<int>(ExitCode::NoInput),
                     kCannotCreate = static_cast<int>(ExitCode::CannotCreate),
                     kIoError = static_cast<int>(ExitCode::IoError);

/// Says what is wrong; returns the exit code.
int complain(const Status &status);

/// Where the compiler can stop, in order.
enum class Stage { Resnet, Train, Layout, Fused, Kernel, Planned, LLVM, Object, Executable };
/// As `--emit` says them.
inline constexpr const char *kStageNames[] = {"resnet", "train", "layout", "fused", "kernel", "planned", "llvm", "object", "exe"};

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
  bool tuning = true;     ///< take knobs from tuning records
  std::string database;   ///< the user's records; empty: where `tuningDatabase` says
  std::map<std::string, FusionKnobs> fusion; ///< of entry functions by name, whatever records say
  bool quiet = false;     ///< say nothing of a success, nor of bad tuning records
  std::string dumpPhases; ///< a folder for the text behind each phase
  std::string resinPath;  ///< of this executable
  /// For tests: link these instead of compiling kernels, and this runtime.
  std::vector<std::string> kernelObjects;
  std::string runtime;
};

int build(const BuildOptions &options);

/// An entry function that can be fused in several ways.
struct EntryPoint {
  std::string name;      ///< "train_step"
  std::string signature; ///< its key in tuning records: "entry train_step" and 16 hex digits
  std::string text;      ///< what fusion makes of it, as `options.fusion` or else the records say
};

/// What of the program that `build` would make can be tuned.
struct ProgramParts {
  std::vector<KernelSpec> kernels; ///< each once
  std::vector<EntryPoint> entries;
  codegen::Numerics numerics = codegen::Numerics::Fast; ///< how they may round
};

int collectParts(const BuildOptions &options, ProgramParts &parts);

/// `resin check` and `resin summary`.
int check(const BuildOptions &options);
int summarize(const BuildOptions &options);

} // namespace resin

#endif // RESIN_DRIVER_BUILD_H
