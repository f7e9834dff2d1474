//===- Race.h - Which is fastest, on a machine that does not keep still -*- C++ -*-===//
//
// Runners are timed in turns, beside a yardstick that tells when the machine itself
// slowed down: what was timed then is timed again, a few times.
//
//   heats  the slower half leaves after each, and the leader stays, until two are left
//   final  of a winner and the untuned: many rounds, whose numbers a record keeps
//
// What a runner does, a call of a kernel or a run of a program, and what the time is,
// the track says.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_RACE_H
#define RESIN_TUNING_RACE_H

#include "tuning/KernelClock.h"
#include "tuning/TuningRecord.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace resin::tuning {

struct Runner {
  std::vector<double> samples; ///< seconds of a call, by round
  double error = 0;            ///< beside what it should compute
  bool isOut = false;          ///< it does not run, or computes something else

  /// Infinite without samples.
  double best() const;
  double median() const;

  /// Out of the race, and what it was timed before with it.
  void giveUp();
};

/// Whether a search that stands at `from` goes on from `to`: it is 1 % faster.
bool isStep(const Runner &from, const Runner &to);
/// Whether the untuned is given up for the winner of a final: by its best and by its median it is 2 % faster.
bool wins(const Runner &winner, const Runner &untuned);
/// The record's numbers, from a final.
void setTimes(TuningRecord &record, const Runner &winner, const Runner &untuned);

/// What a search says and is told while it goes on.
struct SearchHooks {
  /// Asked between steps: true ends the search with what it has.
  std::function<bool()> isStopped = [] { return false; };
  /// Told what goes on.
  std::function<void(const std::string &)> report = [](const std::string &) {};
};

/// Runners timed between two looks at the yardstick.
struct Lap {
  std::vector<double> seconds;    ///< of each runner, but of those that are out
  double lowest = 0, highest = 0; ///< how fast the yardstick was
};

struct Track {
  /// Times each of the runners once, or lets it give up.
  std::function<Lap(const std::vector<Runner *> &)> runLap;
  std::function<bool()> isStopped = [] { return false; };
  std::function<double()> now = wallSeconds;
};

struct RaceRules {
  bool apart;                      ///< each runner has a lap of its own; else those of a round share one
  size_t firstHeat, growth;        ///< rounds of the first heat, and how many more of each one behind it
  size_t retries;                  ///< unsteady laps that are run again, for each round
  size_t finalRounds, fewestFinal; ///< rounds of a final, and how many do if it is stopped
};

class Race {
public:
  Race(const RaceRules &rules, Track track) : rules(rules), track(std::move(track)) {}

  /// The fastest of all; `leader` if time was up before the first round was over.
  Runner &runHeats(Runner &leader, std::vector<Runner *> others, double deadline = kNever);
  /// False if too few rounds could be run.
  bool runFinal(Runner &winner, Runner &untuned);

  static constexpr double kNever = std::numeric_limits<double>::infinity();

private:
  struct Group {
    std::vector<Runner *> runners;
    size_t retries;
  };
  std::vector<Group> groupsOf(const std::vector<Runner *> &runners, size_t rounds) const;
  void runRounds(const std::vector<Runner *> &runners, size_t rounds, double deadline);
  void runLap(Group &group);

  const RaceRules rules;
  const Track track;
  double bestRate = 0; ///< of the yardstick, in all heats
};

} // namespace resin::tuning

#endif // RESIN_TUNING_RACE_H
