//===- RaceTest.cpp - Races by a clock that is told what to show ----------===//

#include "tuning/Race.h"
#include "tuning/EntrySearch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>

using namespace resin;
using namespace resin::tuning;

namespace {

/// Takes `pace` seconds each time; gives up in its run number `lastRun`.
struct Fake : Runner {
  explicit Fake(double pace, int lastRun = 0) : pace(pace), lastRun(lastRun) {}
  double pace;
  int lastRun, runs = 0;
};

constexpr RaceRules kTogether = {
    .apart = false, .firstHeat = 3, .growth = 2, .retries = 2, .finalRounds = 5, .fewestFinal = 1};
constexpr RaceRules kApart = {
    .apart = true, .firstHeat = 2, .growth = 1, .retries = 1, .finalRounds = 7, .fewestFinal = 3};

class RaceTest : public testing::Test {
protected:
  std::deque<double> rates; ///< what the yardstick shows, lap by lap; then 100
  double now = 0;           ///< moves by what runners take
  size_t laps = 0, mostLaps = 1000;

  Race make(const RaceRules &rules) {
    return {rules,
            {.runLap = [this](const std::vector<Runner *> &runners) { return run(runners); },
             .isStopped = [this] { return laps >= mostLaps; },
             .now = [this] { return now; }}};
  }

private:
  /// On a machine that is half as fast, everything takes twice as long.
  Lap run(const std::vector<Runner *> &runners) {
    ++laps;
    Lap lap;
    lap.lowest = lap.highest = 100;
    if (!rates.empty()) {
      lap.lowest = lap.highest = rates.front();
      rates.pop_front();
    }
    for (Runner *runner : runners) {
      auto &fake = static_cast<Fake &>(*runner);
      lap.seconds.push_back(fake.pace * 100 / lap.lowest);
      now += lap.seconds.back();
      if (++fake.runs == fake.lastRun)
        fake.giveUp();
    }
    return lap;
  }
};

std::vector<Runner *> pointersTo(std::deque<Fake> &fakes) {
  std::vector<Runner *> pointers;
  for (Fake &fake : fakes)
    pointers.push_back(&fake);
  return pointers;
}

TEST_F(RaceTest, TheSlowerHalfLeavesAfterEachHeatAndTheLeaderStays) {
  Fake leader(10);
  std::deque<Fake> others;
  for (double pace : {8, 3, 7, 2, 6, 5, 9, 4})
    others.emplace_back(pace);
  EXPECT_EQ(&make(kTogether).runHeats(leader, pointersTo(others)), &others[3]);
  // Heats of 3, 5, 7 and 9 rounds for 8, 4, 2 and 1 beside the leader.
  EXPECT_EQ(leader.runs, 3 + 5 + 7 + 9);
  EXPECT_EQ(others[3].runs, 3 + 5 + 7 + 9);
  EXPECT_EQ(others[1].runs, 3 + 5 + 7);
  EXPECT_EQ(others[7].runs, 3 + 5);
  EXPECT_EQ(others[6].runs, 3);
}

TEST_F(RaceTest, TheLeaderWinsWhereItIsFastest) {
  Fake leader(1);
  std::deque<Fake> others;
  others.emplace_back(2);
  EXPECT_EQ(&make(kTogether).runHeats(leader, pointersTo(others)), &leader);
}

TEST_F(RaceTest, WhatTheMachineSlowedDownIsTimedAgain) {
  Fake winner(2), untuned(3);
  rates = {100, 50, 100, 92, 94};
  EXPECT_TRUE(make(kTogether).runFinal(winner, untuned));
  EXPECT_EQ(laps, 7u); // five rounds, and the two at less than 93 % of the best again
  EXPECT_EQ(winner.samples.size(), 5u);
  EXPECT_LE(*std::ranges::max_element(winner.samples), 2 / 0.93);
}

TEST_F(RaceTest, WhereTheMachineNeverKeepsStillWhatThereIsMustDo) {
  Fake winner(2), untuned(3);
  rates.assign(100, 50);
  rates.front() = 100;
  EXPECT_TRUE(make(kTogether).runFinal(winner, untuned));
  EXPECT_EQ(laps, 5u + 2 * 5u);
  EXPECT_EQ(untuned.samples.size(), 5u);
}

TEST_F(RaceTest, RunnersWithLapsOfTheirOwnAreTimedAgainAlone) {
  Fake winner(2), untuned(3);
  rates = {100, 50};
  EXPECT_TRUE(make(kApart).runFinal(winner, untuned));
  EXPECT_EQ(untuned.runs, 7);
  EXPECT_EQ(winner.runs, 8); // its first at half the rate, and again
  EXPECT_EQ(winner.samples.size(), 7u);
}

TEST_F(RaceTest, WhoGivesUpIsOut) {
  Fake leader(5);
  std::deque<Fake> others;
  others.emplace_back(1, /*lastRun=*/2);
  others.emplace_back(4);
  EXPECT_EQ(&make(kTogether).runHeats(leader, pointersTo(others)), &others[1]);
  EXPECT_TRUE(others[0].isOut);
  EXPECT_TRUE(others[0].samples.empty());
  EXPECT_EQ(others[0].runs, 2);
}

TEST_F(RaceTest, WithoutItsLeaderARaceIsOver) {
  Fake leader(5, /*lastRun=*/1);
  std::deque<Fake> others;
  others.emplace_back(4);
  EXPECT_EQ(&make(kTogether).runHeats(leader, pointersTo(others)), &leader);
  EXPECT_TRUE(leader.isOut);
}

TEST_F(RaceTest, HeatsEndAtTheDeadline) {
  Fake leader(5);
  std::deque<Fake> others;
  for (double pace : {3, 1, 2})
    others.emplace_back(pace);
  EXPECT_EQ(&make(kApart).runHeats(leader, pointersTo(others), /*deadline=*/12), &others[1]);
  EXPECT_EQ(leader.runs, 2); // a round takes 11 s, and is gone through with
  EXPECT_EQ(&make(kApart).runHeats(leader, pointersTo(others), /*deadline=*/12), &leader);
  EXPECT_TRUE(leader.samples.empty());
}

TEST_F(RaceTest, AFinalThatIsStoppedNeedsAFewRounds) {
  Fake winner(2), untuned(3);
  mostLaps = 4; // two rounds of both
  EXPECT_FALSE(make(kApart).runFinal(winner, untuned));
  laps = 0, mostLaps = 6;
  EXPECT_TRUE(make(kApart).runFinal(winner, untuned));
  laps = 0, mostLaps = 0;
  EXPECT_FALSE(make(kTogether).runFinal(winner, untuned));
}

TEST_F(RaceTest, AFinalOfOneRunsItOnce) {
  Fake untuned(3);
  EXPECT_TRUE(make(kTogether).runFinal(untuned, untuned));
  EXPECT_EQ(untuned.runs, 5);
}

TEST(RaceVerdictTest, StepsGainOnePercentAndWinnersTwoByBestAndMedian) {
  Runner from, to;
  EXPECT_FALSE(isStep(from, to));
  from.samples = {100, 110, 120};
  EXPECT_FALSE(isStep(from, to));
  to.samples = {99, 150, 150};
  EXPECT_TRUE(isStep(from, to));
  to.samples = {99.1};
  EXPECT_FALSE(isStep(from, to));
  to.samples = {97, 107, 120};
  EXPECT_TRUE(wins(to, from));
  to.samples = {97, 108, 120}; // the median is above 107.8
  EXPECT_FALSE(wins(to, from));
  to.samples = {98, 100, 120};
  EXPECT_FALSE(wins(to, from));
}

TEST(RaceVerdictTest, ARecordKeepsMedianSpreadAndError) {
  Runner winner, untuned;
  winner.samples = {1e-6, 2e-6, 3e-6, 4e-6, 9e-6};
  winner.error = 3e-7;
  untuned.samples = {5e-6};
  TuningRecord record;
  setTimes(record, winner, untuned);
  EXPECT_EQ(record.median, 3000);
  EXPECT_EQ(record.spread, 2000);
  EXPECT_EQ(record.untuned, 5000);
  EXPECT_EQ(record.error, 300);
}

//===----------------------------------------------------------------------===//
// The search for how entry functions are fused
//===----------------------------------------------------------------------===//

TargetInfo targetOf() {
  TargetInfo target;
  std::string error;
  EXPECT_TRUE(findTarget("x86-64-v3", target, error)) << error;
  return target;
}

/// Programs of two entry functions: the larger the pieces of `train_step` up to 1024 KiB the faster it is, and
/// `predict_1` is always the same. Epilogues make nothing else, and activations that are kept make it wrong.
class FakePrograms : public FusedPrograms {
public:
  std::vector<Fusion> built;

  std::optional<std::vector<EntryPoint>> lower(const Fusion &fusion) override {
    std::vector<EntryPoint> points;
    for (const auto &[name, knobs] : fusion)
      points.push_back({name, "", name == "predict_1" ? "" : std::to_string(knobs.pieceKib + knobs.rebuild)});
    return points;
  }
  StatusOr<std::string> build(const Fusion &fusion) override {
    built.push_back(fusion);
    return std::to_string(built.size() - 1);
  }
  StatusOr<BenchReport> bench(const std::string &program, const std::string &entry, double) override {
    const FusionKnobs knobs = built[std::stoul(program)].at(entry);
    const double seconds = entry == "predict_1" ? 1 : 1 + std::fabs(std::log2(1024.0 / knobs.pieceKib));
    return BenchReport{.seconds = seconds, .peak = 100, .outputs = {knobs.rebuild ? 1.0 : 2.0}};
  }
};

const std::vector<EntryPoint> kPoints = {{"train_step", "entry train_step 1", ""},
                                         {"predict_1", "entry predict_1 2", ""}};

TEST(EntrySearchTest, GoesOnFromTheFastestUntilNoStepGains) {
  FakePrograms programs;
  EntrySearch search(programs, {.target = targetOf()});
  std::string error;
  const std::vector<TuningRecord> records = search.tune(kPoints, /*seconds=*/60, error);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(fusionKnobsFrom(records[0].knobs)->pieceKib, 1024);
  EXPECT_EQ(records[0].spec, "entry train_step 1");
  EXPECT_EQ(records[0].median, 1'000'000'000);
  EXPECT_EQ(records[0].untuned, 2'000'000'000);
  EXPECT_EQ(*fusionKnobsFrom(records[1].knobs), usualFusion(targetOf().machine));
  EXPECT_EQ(error,
            "train_step with epilogues 1, rebuild 0, piece_kib 1024, most_pieces 8 does not compute what it does "
            "as usual");
  // The usual one; 256, 1024 and what is kept; 2048 and what is kept. What changes nothing is not built.
  EXPECT_EQ(programs.built.size(), 6u);
}

TEST(EntrySearchTest, MeasuresWhatItIsTold) {
  FusionKnobs knobs = usualFusion(targetOf().machine);
  knobs.pieceKib = 256;
  FakePrograms programs;
  EntrySearch search(programs, {.target = targetOf()});
  std::string error;
  const std::optional<TuningRecord> record = search.measure(kPoints[0], knobs, error);
  ASSERT_TRUE(record) << error;
  EXPECT_EQ(record->median, 3'000'000'000);
  EXPECT_EQ(record->untuned, 2'000'000'000);
}

TEST(EntrySearchTest, StopsWhenItIsTold) {
  FakePrograms programs;
  EntrySearch search(programs, {.target = targetOf(), .hooks = {.isStopped = [] { return true; }}});
  std::string error;
  EXPECT_TRUE(search.tune(kPoints, 60, error).empty());
  EXPECT_FALSE(EntrySearch(programs, {.target = targetOf(), .hooks = {.isStopped = [] { return true; }}})
                   .measure(kPoints[0], usualFusion(targetOf().machine), error));
  EXPECT_EQ(error, "stopped");
}

} // namespace
