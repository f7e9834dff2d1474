//===- TuneEntries.h - How entry functions are best fused -------*- C++ -*-===//
//
// Which data gradients have riders, what is kept, how finely is cut: that decides over
// a whole training step or prediction, so whole programs are raced, on all threads. A
// program carries a candidate for each entry function; `net bench` times them in turns.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DRIVER_TUNEENTRIES_H
#define RESIN_DRIVER_TUNEENTRIES_H

#include "support/ScratchFolder.h"
#include "driver/Build.h"
#include "tuning/TuningRecord.h"

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace resin {

struct EntryTunerOptions {
  BuildOptions build; ///< of the network, with the records that its kernels are built by
  TargetInfo target;
  /// Asked between steps: true ends the search with what it has.
  std::function<bool()> isStopped = [] { return false; };
  /// Told what goes on.
  std::function<void(const std::string &)> report = [](const std::string &) {};
};

class EntryTuner {
public:
  EntryTuner(EntryTunerOptions options, codegen::Numerics numerics) : options(std::move(options)), numerics(numerics) {}

  /// Searches for about `seconds`. Returns what was found; an entry function for which time did not suffice has no
  /// record. `error` says what went wrong, if anything.
  std::vector<tuning::TuningRecord> tune(const std::vector<EntryPoint> &points, double seconds, std::string &error);

  /// Measures `knobs` beside the usual ones; nothing if it could not, and `error` says why.
  std::optional<tuning::TuningRecord> measure(const EntryPoint &point, const FusionKnobs &knobs, std::string &error);

private:
  struct Candidate {
    FusionKnobs knobs;
    std::string program;
    double error = 0;              ///< beside what the usual program makes
    std::vector<double> samples{}; ///< seconds of a call
    bool isWrong = false;
  };
  struct Entry {
    EntryPoint point;
    std::deque<Candidate> candidates{}; ///< the first has the usual knobs
    Candidate *best = nullptr;
    std::vector<double> outputs{}; ///< of the usual program
    std::set<std::string> texts{}; ///< what fusion made by the knobs that were seen
    bool isOver = false;
  };

  bool open(const std::vector<EntryPoint> &points, std::string &error);
  std::string buildProgram(const std::map<std::string, FusionKnobs> &fusion, std::string &error);
  void addNeighbours(double deadline, std::string &error);
  void step(Entry &entry, double deadline);
  bool time(Entry &entry, Candidate &candidate);
  bool giveUp(Candidate &candidate, const std::string &reason);
  void runRounds(Entry &entry, const std::vector<Candidate *> &runners, size_t rounds, double deadline);
  bool runFinal(Entry &entry);
  tuning::TuningRecord recordOf(const Entry &entry) const;

  const EntryTunerOptions options;
  const codegen::Numerics numerics;
  std::optional<ScratchFolder> folder; ///< of programs
  std::deque<Entry> entries;
  size_t programs = 0;
  double benchSeconds = 1; ///< of a run
  double bestPeak = 0;     ///< GFLOP/s that a run of `net bench` saw
  std::string mistake;
};

} // namespace resin

#endif // RESIN_DRIVER_TUNEENTRIES_H
