//===- Race.cpp - Which is fastest, on a machine that does not keep still -===//

#include "tuning/Race.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace resin::tuning {

namespace {

/// A lap counts if the yardstick stayed within this share of its best.
constexpr double kSteady = 0.93;
/// How much faster a step must be for the search to move, and a winner for the untuned to be given up.
constexpr double kStep = 0.99, kWin = 0.98;

bool isFaster(const Runner *a, const Runner *b) { return a->best() < b->best(); }

} // namespace

double Runner::best() const { return samples.empty() ? Race::kNever : quantile(samples, 0); }

double Runner::median() const { return samples.empty() ? Race::kNever : quantile(samples, 0.5); }

void Runner::giveUp() {
  isOut = true;
  samples.clear();
}

bool isStep(const Runner &from, const Runner &to) {
  return !from.samples.empty() && !to.samples.empty() && to.best() <= kStep * from.best();
}

bool wins(const Runner &winner, const Runner &untuned) {
  return winner.best() < kWin * untuned.best() && winner.median() < kWin * untuned.median();
}

void setTimes(TuningRecord &record, const Runner &winner, const Runner &untuned) {
  auto nanoseconds = [](double seconds) { return std::max<int64_t>(1, std::llround(seconds * 1e9)); };
  record.median = nanoseconds(winner.median());
  record.spread = std::llround((quantile(winner.samples, 0.75) - quantile(winner.samples, 0.25)) * 1e9);
  record.untuned = nanoseconds(untuned.median());
  record.error = std::llround(winner.error * 1e9);
}

std::vector<Race::Group> Race::groupsOf(const std::vector<Runner *> &runners, size_t rounds) const {
  if (!rules.apart)
    return {{runners, rules.retries * rounds}};
  std::vector<Group> groups;
  for (Runner *runner : runners)
    groups.push_back({{runner}, rules.retries * rounds});
  return groups;
}

/// One lap that counts. Where the machine never keeps still, what there is must do.
void Race::runLap(Group &group) {
  while (!track.isStopped()) {
    std::erase_if(group.runners, [](const Runner *runner) { return runner->isOut; });
    if (group.runners.empty())
      return;
    const Lap lap = track.runLap(group.runners);
    bestRate = std::max(bestRate, lap.highest);
    if (lap.lowest < kSteady * bestRate && group.retries > 0) {
      --group.retries;
      continue;
    }
    assert(lap.seconds.size() == group.runners.size() && "every runner has a time, if it is not out");
    for (size_t i = 0; i < group.runners.size(); ++i)
      if (!group.runners[i]->isOut)
        group.runners[i]->samples.push_back(lap.seconds[i]);
    return;
  }
}

void Race::runRounds(const std::vector<Runner *> &runners, size_t rounds, double deadline) {
  std::vector<Group> groups = groupsOf(runners, rounds);
  for (size_t round = 0; round < rounds && track.now() < deadline && !track.isStopped(); ++round)
    for (Group &group : groups)
      runLap(group);
}

Runner &Race::runHeats(Runner &leader, std::vector<Runner *> others, double deadline) {
  std::erase(others, &leader);
  others.insert(others.begin(), &leader);
  for (Runner *runner : others)
    runner->samples.clear();
  for (size_t rounds = rules.firstHeat;; rounds += rules.growth) {
    runRounds(others, rounds, deadline);
    std::sort(others.begin() + 1, others.end(), isFaster);
    if (leader.samples.empty())
      return leader;
    if (others.size() <= 2 || track.isStopped() || track.now() >= deadline)
      return **std::min_element(others.begin(), others.end(), isFaster);
    others.resize(1 + others.size() / 2);
  }
}

bool Race::runFinal(Runner &winner, Runner &untuned) {
  std::vector<Runner *> runners = {&untuned};
  if (&winner != &untuned)
    runners.push_back(&winner);
  for (Runner *runner : runners)
    runner->samples.clear();
  runRounds(runners, rules.finalRounds, kNever);
  return std::all_of(runners.begin(), runners.end(),
                     [&](const Runner *runner) { return runner->samples.size() >= rules.fewestFinal; });
}

} // namespace resin::tuning
