//===- EntrySearch.h - How entry functions are best fused -------*- C++ -*-===//
//
// Which data gradients have riders, what is kept, how finely is cut: that decides over
// a whole training step or prediction, so whole programs are raced (Race.h), on all
// threads. A program carries a candidate for each entry function; its bench times them
// in turns.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_ENTRYSEARCH_H
#define RESIN_TUNING_ENTRYSEARCH_H

#include "machine/FusionKnobs.h"
#include "support/Status.h"
#include "tuning/Race.h"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace resin::tuning {

/// How entry functions are fused, by their names.
using Fusion = std::map<std::string, FusionKnobs>;

/// An entry function that can be fused in several ways.
struct EntryPoint {
  std::string name;      ///< "train_step"
  std::string signature; ///< its key in tuning records: "entry train_step" and 16 hex digits
  std::string text;      ///< what fusion makes of it
};

/// What one run of a program's bench says of an entry function.
struct BenchReport {
  double seconds = 0, peak = 0; ///< of a call; GFLOP/s of the machine meanwhile
  std::vector<double> outputs;
};

/// A network whose entry functions are tuned. The driver knows how to build it.
class FusedPrograms {
public:
  virtual ~FusedPrograms() = default;
  /// The entry functions as fusion makes them; nothing if the network cannot be lowered.
  virtual std::optional<std::vector<EntryPoint>> lower(const Fusion &fusion) = 0;
  /// The file of a program.
  virtual StatusOr<std::string> build(const Fusion &fusion) = 0;
  /// Runs the program's bench for about `seconds`.
  virtual StatusOr<BenchReport> bench(const std::string &program, const std::string &entry, double seconds) = 0;
};

struct EntrySearchOptions {
  TargetInfo target;
  codegen::Numerics numerics = codegen::Numerics::Fast;
  SearchHooks hooks = {};
};

class EntrySearch {
public:
  EntrySearch(FusedPrograms &programs, EntrySearchOptions options);

  /// Searches for about `seconds`. Returns what was found; an entry function for which time did not suffice has no
  /// record. `error` says what went wrong, if anything.
  std::vector<TuningRecord> tune(const std::vector<EntryPoint> &points, double seconds, std::string &error);

  /// Measures `knobs` beside the usual ones; nothing if it could not, and `error` says why.
  std::optional<TuningRecord> measure(const EntryPoint &point, const FusionKnobs &knobs, std::string &error);

private:
  struct Entry;
  struct Candidate : Runner {
    Candidate(Entry &entry, const FusionKnobs &knobs, std::string program)
        : entry(entry), knobs(knobs), program(std::move(program)) {}
    Entry &entry;
    FusionKnobs knobs;
    std::string program;
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
  std::map<const Entry *, std::vector<FusionKnobs>> findNeighbours();
  void addNeighbours(double deadline, std::string &error);
  void step(Entry &entry, double deadline);
  Lap runLap(Candidate &candidate);
  bool runFinal(Entry &entry);
  TuningRecord recordOf(const Entry &entry) const;

  FusedPrograms &programs;
  const EntrySearchOptions options;
  Race race;
  std::deque<Entry> entries;
  double benchSeconds = 1; ///< of a run
  std::string mistake;
};

} // namespace resin::tuning

#endif // RESIN_TUNING_ENTRYSEARCH_H
