//===- TuneRun.h - One run of `resin tune` ----------------------*- C++ -*-===//

#ifndef RESIN_DRIVER_TUNERUN_H
#define RESIN_DRIVER_TUNERUN_H

#include "driver/Tune.h"
#include "driver/TuneRecords.h"
#include "tuning/EntrySearch.h"
#include "tuning/KernelSearch.h"

#include <functional>

namespace resin {

class TuneRun {
public:
  /// Stops when `signal`, else 0, is the number of one.
  TuneRun(const TuneRequest &request, TargetInfo target, const std::string &path, std::function<int()> signal);

  /// Reads the networks, and their entry functions.
  Status collectNetworks(const std::vector<std::string> &files);
  /// Searches for so long.
  Status search(double seconds);
  /// Measures every n-th kernel's record again, eight at most, and those of all entry functions.
  Status verify();

private:
  struct Network {
    BuildOptions build;
    std::vector<tuning::EntryPoint> entries; ///< that no network before it has
    codegen::Numerics numerics;
  };

  Status collectKernels();
  void searchEntries();
  void searchEntriesOf(Network &network, double seconds);
  void searchKernels();
  void searchKernel(const tuning::TuningSubject &kernel, double seconds);
  void verifyKernels();
  void verifyEntries();
  void compare(const tuning::TuningRecord &before, const std::optional<tuning::TuningRecord> &again,
               const std::string &error);
  tuning::SearchHooks hooks() const;
  tuning::EntrySearchOptions optionsOf(const Network &network) const;
  void showProgress(const std::string &text) const;
  void clearProgress() const;
  bool isStopped() const { return signal() != 0; }
  bool wantsKernels() const { return request.only != "entries"; }
  bool wantsEntries() const { return request.only != "kernels"; }
  Status settle() const;

  const TuneRequest &request;
  const TargetInfo target;
  const std::function<int()> signal;
  TuneRecords records;
  tuning::KernelSearch kernelSearch;
  std::vector<Network> networks;
  std::vector<tuning::TuningSubject> kernels; ///< to do, heaviest first
  size_t doneBefore = 0;                      ///< kernels and entry functions that --resume leaves out
  size_t entriesLeft = 0;
  size_t failures = 0;          ///< kernels and networks that could not be tuned
  size_t checked = 0, held = 0; ///< by `verify`
  size_t current = 0;
  double deadline = 0;
};

} // namespace resin

#endif // RESIN_DRIVER_TUNERUN_H
