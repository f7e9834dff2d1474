//===- RuntimeSavingTest.cpp - Runs whose saving goes wrong ---------------===//
//
// Every call by which a run changes its folder fails once, fails from then on, and is
// the last thing before the program is killed (FailingCalls.c). The run then goes on or
// ends as docs/Program.md says, and its bits are those of a run that nothing befell.
//
//===----------------------------------------------------------------------===//

#include "support/Safetensors.h"
#include "test/unit/ProgramFixture.h"

#include <nlohmann/json.hpp>

#include <algorithm>

using namespace resin;

namespace {

class Saving : public Program {
protected:
  /// Two epochs of two steps each.
  std::vector<std::string> shortTrain(const std::string &out, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"train", "--data", folder / "data", "--out", folder / out, "--epochs", "2", "--limit",
                               "32", "--threads", "1"});
    return more;
  }

  /// The library without a fault: only nothing is synced.
  void mendCalls() { environment = {{"LD_PRELOAD", FAILING_CALLS}}; }

  void SetUp() override {
    Program::SetUp();
    mendCalls();
  }

  /// What goes wrong in the programs that are started from here on.
  void breakCalls(int first, const std::string &count = "1", bool kill = false) {
    environment = {{"LD_PRELOAD", FAILING_CALLS},
                   {"FAULT_FOLDER", folder / "faulty"},
                   {"FAULT_LOG", folder / "went-wrong"},
                   {"FAULT_FIRST", std::to_string(first)},
                   {"FAULT_COUNT", count}};
    if (kill)
      environment["FAULT_KILL"] = "1";
    std::filesystem::remove(folder / "went-wrong");
  }
  bool wentWrong() { return exists("went-wrong"); }

  /// Runs until `count` calls from the `first` on have gone wrong; in `faulty`, which is new.
  Outcome runBroken(int first, const std::string &count, bool kill = false) {
    std::filesystem::remove_all(folder / "faulty");
    breakCalls(first, count, kill);
    const Outcome outcome = run(shortTrain("faulty"));
    mendCalls();
    return outcome;
  }

  int64_t stepOf(const std::string &out) {
    StatusOr<safetensors::File> file = safetensors::File::read(folder / (out + "/last.safetensors"));
    return file.ok() ? nlohmann::json::parse(file->metadata().at("resin.position")).at("step").get<int64_t>() : -1;
  }
  int64_t rowsOf(const std::string &out) {
    const std::string json = folder.read(out + "/metrics.jsonl");
    return std::count(json.begin(), json.end(), '\n');
  }
};

TEST_F(Saving, GoesOnWhenAnyCallFailsOnce) {
  expectOk(run(shortTrain("whole")));
  int went = 0, ended = 0;
  for (int call = 1;; ++call) {
    const Outcome outcome = runBroken(call, "1");
    if (!wentWrong())
      break;
    ++went;
    if (outcome.code != 0) {
      // Only at the start, where nothing is lost yet and somebody is there.
      ++ended;
      EXPECT_TRUE(outcome.code == 73 || outcome.code == 74) << outcome.code;
      EXPECT_LE(stepOf("faulty"), 0) << outcome.err;
      expectOk(run(shortTrain("faulty")));
    } else if (folder.read("went-wrong") != "link") { // where there are no links, files are copied
      EXPECT_TRUE(contains(outcome.err, "failure 1 in a row")) << call << outcome.err;
    }
    EXPECT_TRUE(sameRuns("faulty", "whole")) << "call " << call << " failed: " << outcome.err;
    EXPECT_EQ(rowsOf("faulty"), 2) << "call " << call << " failed";
  }
  EXPECT_GE(went, 50) << "three checkpoints and as many pairs of metrics";
  EXPECT_LT(ended, went / 2);
}

TEST_F(Saving, SurvivesKillAtAnyCall) {
  expectOk(run(shortTrain("whole")));
  int kills = 0;
  for (int call = 1;; ++call) {
    const Outcome outcome = runBroken(call, "1", /*kill=*/true);
    if (!wentWrong())
      break;
    ++kills;
    EXPECT_EQ(outcome.code, 128 + SIGKILL);
    // Before its first checkpoint a run has only to begin again.
    expectOk(run(exists("faulty/last.safetensors") ? shortTrain("faulty", {"--resume"}) : shortTrain("faulty")));
    EXPECT_TRUE(sameRuns("faulty", "whole")) << "killed before call " << call;
    EXPECT_EQ(rowsOf("faulty"), 2) << "killed before call " << call;
  }
  EXPECT_GE(kills, 50);
}

TEST_F(Saving, EndsWithACodeWhenNothingCanBeSavedAnyMore) {
  expectOk(run(shortTrain("whole")));
  for (int call :
       {30, 45}) { // the first behind the checkpoint of the initial weights, and one behind the first epoch's
    const Outcome outcome = runBroken(call, "1000000");
    EXPECT_EQ(outcome.code, 74);
    EXPECT_TRUE(contains(outcome.out, "epoch 2  step 4")) << "trained to the end: " << outcome.out;
    EXPECT_TRUE(contains(outcome.err, "in a row): the run goes on and will try again")) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "what was trained up to step 4 is lost")) << outcome.err;
    EXPECT_LT(stepOf("faulty"), 4);
    expectOk(run(shortTrain("faulty", {"--resume"})));
    EXPECT_TRUE(sameRuns("faulty", "whole"));
  }
}

TEST_F(Saving, EndsWithACodeWhenItIsStoppedAndCannotSave) {
  sleep = 50;
  breakCalls(30, "1000000");
  Running running = start(train("faulty", {"--epochs", "100"}));
  waitFor("faulty/metrics.jsonl");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ::kill(running.process, SIGTERM);
  const Outcome outcome = running.wait();
  EXPECT_EQ(outcome.code, 74);
  EXPECT_TRUE(contains(outcome.err, "is lost")) << outcome.err;
}

TEST_F(Saving, BeginsAnewFromTheRunItReplaces) {
  expectOk(run(train("run", {"--epochs", "2"})));
  expectOk(run(train("other", {"--epochs", "1", "--weights", folder / "run/best.safetensors"})));
  const std::string best = folder / "run/best.safetensors";
  expectOk(run(train("run", {"--epochs", "1", "--overwrite", "--weights", best})));
  EXPECT_TRUE(sameRuns("run", "other"));
  EXPECT_EQ(rowsOf("run"), 1);
}

TEST_F(Saving, KeepsTheRunThatCannotBeReplaced) {
  expectOk(run(train("faulty", {"--epochs", "2"})));
  auto everything = [&] {
    std::string all;
    for (const char *name : {"last.safetensors", "best.safetensors", "previous.safetensors", "metrics.csv"})
      all += folder.read(std::string("faulty/") + name) + "|";
    return all;
  };
  const std::string before = everything();
  EXPECT_EQ(run(train("faulty", {"--overwrite", "--weights", folder / "faulty/bset.safetensors"})).code, 66);
  EXPECT_EQ(run(train("faulty", {"--overwrite", "--limit", "3"})).code, 65);
  folder.write("w.safetensors", "no weights");
  EXPECT_EQ(run(train("faulty", {"--overwrite", "--weights", folder / "w.safetensors"})).code, 65);
  breakCalls(3, "1000000");
  EXPECT_EQ(run(train("faulty", {"--overwrite"})).code, 74);
  mendCalls();
  EXPECT_TRUE(everything() == before);
}

TEST_F(Saving, MakesAFolderAnewThatWasRemoved) {
  expectOk(run(train("whole", {"--epochs", "2"})));
  sleep = 50;
  Running running = start(train("run", {"--epochs", "2"}));
  waitFor("run/metrics.jsonl");
  std::filesystem::rename(folder / "run", folder / "moved");
  const Outcome outcome = running.wait();
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "run: is no longer there: made anew")) << outcome.err;
  EXPECT_EQ(last("run"), last("whole"));
  EXPECT_EQ(rowsOf("run"), 2);
}

TEST_F(Saving, GoesOnWhereAFileWasRemoved) {
  expectOk(run(train("whole", {"--epochs", "2"})));
  sleep = 50;
  Running running = start(train("run", {"--epochs", "2"}));
  waitFor("run/metrics.jsonl");
  std::filesystem::remove(folder / "run/last.safetensors");
  const Outcome outcome = running.wait();
  expectOk(outcome);
  EXPECT_FALSE(contains(outcome.err, "warning")) << outcome.err;
  EXPECT_TRUE(sameRuns("run", "whole"));
}

TEST_F(Saving, LeavesOutRowsThatWereCutShort) {
  expectOk(run(train("run", {"--epochs", "3", "--steps", "10"})));
  const std::string csv = folder.read("run/metrics.csv");
  folder.write("run/metrics.csv", csv.substr(0, csv.size() - 3)); // "..,12.3456\n" is "..,12.34": still a number
  const Outcome outcome = run(train("run", {"--resume"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "metrics.csv:3: is no row of an epoch")) << outcome.err;
  EXPECT_EQ(rowsOf("run"), 2) << "the first and the third";
}

TEST_F(Saving, MakesNoFolderForARunThatIsNotThere) {
  EXPECT_EQ(run(train("none", {"--resume"})).code, 66);
  EXPECT_FALSE(exists("none"));
}

} // namespace
