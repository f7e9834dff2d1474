//===- RuntimeTrainingTest.cpp - What a program saves while it trains -----===//
//
// Runs as a user would train, and as one who pulls the plug and fills the disk.
//
//===----------------------------------------------------------------------===//

#include "support/Files.h"
#include "support/Safetensors.h"
#include "test/unit/ProgramFixture.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <sstream>

using namespace resin;

namespace {

using Training = Program;

TEST_F(Training, TrainsAndReports) {
  const Outcome outcome = run(train("run", {"--epochs", "4", "--lr", "0.0005", "--set", "train.augment=none"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.out, "epoch 4  step 20  train_loss "));
  EXPECT_TRUE(contains(outcome.err, "30730 parameters"));
  EXPECT_TRUE(exists("run/best.safetensors") && exists("run/previous.safetensors"));
  const std::string csv = folder.read("run/metrics.csv");
  EXPECT_EQ(csv.find("epoch,step,train_loss,train_top1,eval_loss,eval_top1,lr,images_per_second,seconds,"
                     "data_seconds\n1,5,"),
            0u)
      << csv;
  std::istringstream lines(folder.read("run/metrics.jsonl"));
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(lines, line);)
    rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_GT(rows[0]["data_seconds"].get<double>(), 0) << "what steps waited for their batches";
  EXPECT_LE(rows[0]["data_seconds"].get<double>(), rows[0]["seconds"].get<double>());
  EXPECT_LT(rows[3]["train_loss"].get<double>(), rows[0]["train_loss"].get<double>());
  EXPECT_GT(rows[3]["eval_top1"].get<double>(), 30) << "it learns";
}

/// Metrics of a program that did not say how long steps waited have a column less.
TEST_F(Training, GoesOnWithMetricsOfAnEarlierProgram) {
  expectOk(run(train("run", {"--epochs", "2"})));
  folder.write("run/metrics.csv", "epoch,step,train_loss,train_top1,eval_loss,eval_top1,lr,images_per_second,seconds\n"
                                  "1,5,2.5,10,2.25,12.5,0.125,100,0.5\n2,10,2,20,1.75,25,0.0625,100,1\n");
  const Outcome outcome = run({"train", "--out", folder / "run", "--resume", "--epochs", "3"});
  expectOk(outcome);
  EXPECT_FALSE(contains(outcome.err, "is no row of an epoch")) << outcome.err;
  EXPECT_TRUE(folder.read("run/metrics.csv")
                  .starts_with(
                      "epoch,step,train_loss,train_top1,eval_loss,eval_top1,lr,images_per_second,seconds,data_seconds\n"
                      "1,5,2.5,10,2.25,12.5,0.125,100,0.5,0\n2,10,2,20,1.75,25,0.0625,100,1,0\n3,15,"))
      << folder.read("run/metrics.csv");
}

TEST_F(Training, GivesTheSameBitsForAnyThreads) {
  for (const char *threads : {"1", "2", "3"})
    expectOk(
        run({"train", "--data", folder / "data", "--out", folder / threads, "--epochs", "2", "--threads", threads}));
  EXPECT_TRUE(sameRuns("1", "2"));
  EXPECT_TRUE(sameRuns("1", "3"));
  expectOk(run(train("other", {"--epochs", "2", "--seed", "5"})));
  EXPECT_NE(last("1"), last("other"));
}

TEST_F(Training, WritesInitialWeightsForNoEpochs) {
  expectOk(run(train("run", {"--epochs", "0"})));
  expectOk(run(train("run", {"--epochs", "0", "--seed", "3"}))); // initial weights are nothing to lose
  StatusOr<safetensors::File> file = safetensors::File::read(folder / "run/last.safetensors");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->find("fc.weight") && file->find("optimizer.momentum.fc.bias"));
  EXPECT_FALSE(file->find("prepared.0"));
  EXPECT_EQ(file->metadata().at("resin.hash"), "0123456789abcdef");
  EXPECT_TRUE(contains(file->metadata().at("resin.settings"), "\"seed\":3"));
}

TEST_F(Training, ResumesBitForBit) {
  expectOk(run(train("whole", {"--epochs", "3"})));
  expectOk(run(train("parts", {"--epochs", "3", "--steps", "7"})));
  EXPECT_NE(last("parts"), last("whole"));
  expectOk(run({"train", "--out", folder / "parts", "--resume", "--steps", "10"}));
  expectOk(run({"train", "--out", folder / "parts", "--resume"}));
  EXPECT_TRUE(sameRuns("parts", "whole"));
  // The row of the epoch that --steps cut short is not kept.
  const std::string csv = folder.read("parts/metrics.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  // A run that is over has nothing more to do.
  expectOk(run({"train", "--out", folder / "parts", "--resume"}));
  EXPECT_TRUE(sameRuns("parts", "whole"));
}

TEST_F(Training, SurvivesKill) {
  expectOk(run(train("whole", {"--epochs", "3"})));
  sleep = 8;
  Running first = start(train("killed", {"--epochs", "3"}));
  waitFor("killed/last.safetensors");
  int kills = 0;
  for (int after : {10, 35, 60, 85, 110, 135}) {
    std::this_thread::sleep_for(std::chrono::milliseconds(after));
    ::kill(first.process, SIGKILL);
    kills += first.wait().code == 128 + SIGKILL;
    first = start(train("killed", {"--epochs", "3", "--resume"}));
  }
  expectOk(first.wait());
  EXPECT_GE(kills, 3) << "some of the kills came before the end";
  EXPECT_TRUE(sameRuns("killed", "whole"));
}

TEST(StagedFile, LetsGoOfWhatAKilledRunLeft) {
  TemporaryFolder folder;
  folder.write("best", "of the run that was killed");
  std::filesystem::create_hard_link(folder / "best", folder / "last.part");
  StatusOr<StagedFile> file = StagedFile::create(folder / "last");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->write("of this one").ok() && file->sync().ok() && file->publish().ok());
  EXPECT_EQ(folder.read("last"), "of this one");
  EXPECT_EQ(folder.read("best"), "of the run that was killed");
}

TEST_F(Training, SavesAndLeavesWhenAsked) {
  expectOk(run(train("whole", {"--epochs", "3"})));
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const std::string out = "run" + std::to_string(signal);
    sleep = 30;
    Running running = start(train(out, {"--epochs", "3"}));
    waitFor(out + "/last.safetensors");
    std::this_thread::sleep_for(std::chrono::milliseconds(70));
    ::kill(running.process, signal);
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.code, 128 + signal) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "--resume goes on from there")) << outcome.err;
    sleep = 0;
    expectOk(run(train(out, {"--resume"})));
    EXPECT_TRUE(sameRuns(out, "whole"));
  }
}

TEST_F(Training, DiesAtTheSecondSignal) {
  sleep = 5000;
  Running running = start(train("run", {"--epochs", "3"}));
  waitFor("run/last.safetensors");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto begin = std::chrono::steady_clock::now();
  ::kill(running.process, SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ::kill(running.process, SIGINT);
  EXPECT_EQ(running.wait().code, 128 + SIGINT);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

// A terminal that closes sends SIGHUP twice, a service manager sends it behind SIGTERM: neither cuts the saving short.
TEST_F(Training, SavesWhateverIsSentBesideHangUps) {
  expectOk(run(train("whole", {"--epochs", "3"})));
  for (auto [first, second] : {std::pair(SIGHUP, SIGHUP), std::pair(SIGTERM, SIGHUP), std::pair(SIGHUP, SIGTERM)}) {
    const std::string out = "run" + std::to_string(first) + "-" + std::to_string(second);
    sleep = 200;
    Running running = start(train(out, {"--epochs", "3"}));
    waitFor(out + "/last.safetensors");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ::kill(running.process, first);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ::kill(running.process, second);
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.code, 128 + first) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "--resume goes on from there")) << outcome.err;
    sleep = 0;
    expectOk(run(train(out, {"--resume"})));
    EXPECT_TRUE(sameRuns(out, "whole"));
  }
}

TEST_F(Training, SavesAndGoesOnWhenAsked) {
  expectOk(run(train("whole", {"--epochs", "2"})));
  sleep = 100;
  Running running = start(train("run", {"--epochs", "2"}));
  waitFor("run/last.safetensors");
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  ::kill(running.process, SIGUSR1);
  waitFor("run/previous.safetensors"); // long before the epoch's end
  EXPECT_TRUE(contains(last("run"), "\\\"epoch\\\":0")) << "saved within the first epoch";
  expectOk(running.wait());
  EXPECT_TRUE(sameRuns("run", "whole"));
}

TEST_F(Training, IgnoresWhatItsParentHadIgnored) {
  expectOk(run(train("whole", {"--epochs", "1"})));
  ignoreHangUps = true;
  sleep = 50;
  Running running = start(train("run", {"--epochs", "1"}));
  waitFor("run/last.safetensors");
  ::kill(running.process, SIGHUP);
  ::kill(running.process, SIGINT);
  expectOk(running.wait());
  EXPECT_TRUE(sameRuns("run", "whole"));
}

TEST_F(Training, GoesBackToThePreviousCheckpoint) {
  expectOk(run(train("whole", {"--epochs", "4"})));
  for (int damage : {0, 1, 2}) {
    const std::string out = "run" + std::to_string(damage);
    expectOk(run(train(out, {"--epochs", "4", "--steps", "10"})));
    std::string bytes = last(out);
    if (damage == 0)
      bytes.resize(bytes.size() / 2);
    else if (damage == 1)
      bytes[bytes.size() - 1000] ^= 1;
    else
      bytes = "";
    folder.write(out + "/other", bytes);
    std::filesystem::rename(folder / (out + "/other"), folder / (out + "/last.safetensors"));
    const Outcome outcome = run(train(out, {"--resume"}));
    expectOk(outcome);
    EXPECT_TRUE(contains(outcome.err, "warning: going on from " + (folder / (out + "/previous.safetensors (step 5)"))))
        << outcome.err;
    EXPECT_TRUE(sameRuns(out, "whole"));
  }
  // With both gone there is nothing to go on from.
  folder.write("run0/last.safetensors", "x");
  folder.write("run0/previous.safetensors", "x");
  EXPECT_EQ(run(train("run0", {"--resume"})).code, 65);
  EXPECT_EQ(run(train("none", {"--resume"})).code, 66);
}

TEST_F(Training, KeepsWhatIsSavedWhenTheDiskIsFull) {
  expectOk(run(train("run", {"--epochs", "4", "--steps", "5"})));
  const std::string before = last("run");
  largestFile = 100'000; // a checkpoint has 246 KB
  const Outcome outcome = run(train("run", {"--resume"}));
  EXPECT_EQ(outcome.code, 74) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "last.safetensors: cannot write: File too large")) << outcome.err;
  EXPECT_EQ(last("run"), before);
  EXPECT_FALSE(exists("run/last.safetensors.part"));
  largestFile = RLIM_INFINITY;
  expectOk(run(train("run", {"--resume"})));
  expectOk(run(train("whole", {"--epochs", "4"})));
  EXPECT_TRUE(sameRuns("run", "whole"));
}

TEST_F(Training, StopsWhenItDiverges) {
  const Outcome outcome = run(train("run", {"--set", "train.lr=constant(1e36)", "--epochs", "3"}));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(contains(outcome.err, "error: step ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "training has diverged")) << outcome.err;
  EXPECT_TRUE(safetensors::File::read(folder / "run/last.safetensors").ok());
}

TEST_F(Training, DoesNotWriteOverARun) {
  expectOk(run(train("run", {"--epochs", "1"})));
  const std::string before = last("run");
  const Outcome outcome = run(train("run", {"--epochs", "1"}));
  EXPECT_EQ(outcome.code, 73);
  EXPECT_TRUE(contains(outcome.err, "--resume")) << outcome.err;
  EXPECT_EQ(last("run"), before);
  expectOk(run(train("run", {"--epochs", "1", "--overwrite", "--seed", "2"})));
  EXPECT_NE(last("run"), before);
}

TEST_F(Training, TrainsOncePerFolder) {
  sleep = 100;
  Running running = start(train("run", {"--epochs", "3"}));
  waitFor("run/last.safetensors");
  const Outcome outcome = run(train("run", {"--resume"}));
  EXPECT_EQ(outcome.code, 73);
  EXPECT_TRUE(contains(outcome.err, "another program is training into it")) << outcome.err;
  ::kill(running.process, SIGKILL);
  running.wait();
}

TEST_F(Training, TakesSettings) {
  expectOk(run(train("plain", {"--epochs", "1", "--no-shuffle", "--set", "train.augment=none", "--set",
                               "train.normalize=none", "--lr", "0.001"})));
  StatusOr<safetensors::File> file = safetensors::File::read(folder / "plain/last.safetensors");
  ASSERT_TRUE(file.ok());
  const std::string &settings = file->metadata().at("resin.settings");
  EXPECT_TRUE(contains(settings, "\"augment\":[]") && contains(settings, "\"shuffle\":false") &&
              contains(settings, "\"peak\":0.001"))
      << settings;
  EXPECT_EQ(file->metadata().at("resin.normalize"), R"({"mean":[0.0,0.0,0.0],"std":[1.0,1.0,1.0]})");
}

TEST_F(Training, StartsFromWeights) {
  expectOk(run(train("a", {"--epochs", "1"})));
  expectOk(run(train("b", {"--epochs", "0", "--weights", folder / "a/last.safetensors"})));
  StatusOr<safetensors::File> a = safetensors::File::read(folder / "a/last.safetensors"),
                              b = safetensors::File::read(folder / "b/last.safetensors");
  auto weights = [](safetensors::File &file, const char *name) { return *file.floats(*file.find(name)); };
  EXPECT_EQ(weights(*a, "fc.weight"), weights(*b, "fc.weight"));
  EXPECT_EQ(weights(*b, "optimizer.momentum.fc.weight"), std::vector<float>(30720)) << "the optimizer begins anew";
}

// The pictures of another folder have another mean: weights would meet pixels that they have never seen.
TEST_F(Training, KeepsTheScaleOfWeights) {
  auto scaleOf = [&](const std::string &out) {
    return safetensors::File::read(folder / (out + "/last.safetensors"))->metadata().at("resin.normalize");
  };
  expectOk(run(train("a", {"--epochs", "0"})));
  folder.write("data/data_batch_1.bin", records(80, 99));
  expectOk(run(train("anew", {"--epochs", "0"})));
  const std::vector<std::string> more = {"--epochs", "0", "--weights", folder / "a/last.safetensors"};
  const Outcome outcome = run(train("kept", more));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "note: images are normalised as " + more[3] + " says")) << outcome.err;
  EXPECT_NE(scaleOf("anew"), scaleOf("a"));
  EXPECT_EQ(scaleOf("kept"), scaleOf("a"));
  std::vector<std::string> asked = more;
  asked.insert(asked.end(), {"--set", "train.normalize=dataset"});
  expectOk(run(train("asked", asked)));
  EXPECT_EQ(scaleOf("asked"), scaleOf("anew"));
}

} // namespace
