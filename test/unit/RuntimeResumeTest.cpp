//===- RuntimeResumeTest.cpp - Runs that go on differently ----------------===//
//
// With other data, for longer, by another program: said, and right from there on.
//
//===----------------------------------------------------------------------===//

#include "support/Safetensors.h"
#include "test/unit/ProgramFixture.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <sstream>

using namespace resin;

namespace {

class Resuming : public Program {
protected:
  std::string metadata(const std::string &out, const char *key) {
    StatusOr<safetensors::File> file = safetensors::File::read(folder / (out + "/last.safetensors"));
    return file.ok() ? file->metadata().at(key) : "";
  }
  nlohmann::json lastRow(const std::string &out) {
    std::istringstream lines(folder.read(out + "/metrics.jsonl"));
    std::string last;
    for (std::string line; std::getline(lines, line);)
      last = line;
    return nlohmann::json::parse(last);
  }
  /// Every other image of the first batch brighter.
  void brighten(const std::string &name) {
    std::string bytes = folder.read(name);
    for (size_t i = 1; i < bytes.size() / 2; ++i)
      if (i % 3073)
        bytes[i] = static_cast<char>(200);
    folder.write(name, bytes);
  }
};

TEST_F(Resuming, StopsAtOtherData) {
  expectOk(run(train("run", {"--epochs", "3", "--steps", "7"})));
  const std::string before = last("run"), train1 = folder.read("data/data_batch_1.bin"),
                    test = folder.read("data/test_batch.bin");
  struct Case {
    std::function<void()> change;
    std::vector<std::string> more;
    std::string says;
  };
  const Case cases[] = {
      {[&] { folder.write("data/data_batch_2.bin", records(16, 9)); }, {}, "\n  96 training images, before 80\n"},
      {[&] { brighten("data/data_batch_1.bin"); },
       {},
       "\n  80 training images as before, but other pixels, labels or order"},
      {[&] { brighten("data/test_batch.bin"); }, {}, "\n  37 test images as before, but other pixels"},
      {[] {}, {"--limit", "32"}, "\n  --limit 32, before none"},
  };
  for (const Case &row : cases) {
    row.change();
    std::vector<std::string> arguments = train("run", row.more);
    arguments.push_back("--resume");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 65);
    EXPECT_TRUE(contains(outcome.err, row.says)) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "these are not the data of the run")) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "--new-data")) << outcome.err;
    EXPECT_EQ(last("run"), before);
    std::filesystem::remove(folder / "data/data_batch_2.bin");
    folder.write("data/data_batch_1.bin", train1);
    folder.write("data/test_batch.bin", test);
  }
  // The same images elsewhere are the same data.
  std::filesystem::rename(folder / "data", folder / "moved");
  expectOk(run({"train", "--out", folder / "run", "--resume", "--data", folder / "moved"}));
}

TEST_F(Resuming, GoesOnWithOtherDataWhenTold) {
  expectOk(run(train("run", {"--epochs", "3", "--steps", "7"})));
  const std::string scale = metadata("run", "resin.normalize");
  brighten("data/data_batch_1.bin");
  folder.write("data/data_batch_2.bin", records(16, 9));
  const Outcome outcome = run(train("run", {"--resume", "--new-data"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "warning: " + (folder / "data") + ": these are not the data of the run"))
      << outcome.err;
  EXPECT_EQ(metadata("run", "resin.normalize"), scale) << "weights mean what they meant under the scale they grew in";
  // Step 7 was the second of its epoch, which began anew: 5 + 2 + 6 + 6.
  EXPECT_EQ(nlohmann::json::parse(metadata("run", "resin.position")).at("step"), 19);
  // From here on these are its data.
  expectOk(run(train("run", {"--resume", "--epochs", "4"})));
  EXPECT_EQ(run(train("new", {"--new-data"})).code, 64);
}

TEST_F(Resuming, BeginsTheEpochAnewInAnotherOrder) {
  expectOk(run(train("run", {"--epochs", "2", "--steps", "7"})));
  Outcome outcome = run(train("run", {"--resume", "--seed", "77", "--steps", "8"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "warning: the order of the images is that of seed 77, and was that of seed "))
      << outcome.err;
  EXPECT_TRUE(contains(outcome.err, ": epoch 2, in which 32 images were seen, begins anew")) << outcome.err;
  // Step 8 is the epoch's first, step 9 its second: only the order of the files is another now.
  outcome = run(train("run", {"--resume", "--seed", "77", "--no-shuffle"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "is that of the files, and was that of seed 77: epoch 2, in which 16 images"))
      << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(metadata("run", "resin.position")).at("step"), 8 + 5);
  // Between epochs there is nothing to repeat.
  outcome = run(train("run", {"--resume", "--epochs", "3", "--seed", "78"}));
  expectOk(outcome);
  EXPECT_FALSE(contains(outcome.err, "begins anew")) << outcome.err;
}

TEST_F(Resuming, MeasuresAnewOnlyWhereItIsAsked) {
  expectOk(run(train("run", {"--epochs", "2", "--steps", "5"})));
  expectOk(run(train("run", {"--resume", "--set", "train.normalize=none"})));
  EXPECT_EQ(metadata("run", "resin.normalize"), R"({"mean":[0.0,0.0,0.0],"std":[1.0,1.0,1.0]})");
}

TEST_F(Resuming, SaysThatTheRateJumps) {
  expectOk(run(train("run", {"--epochs", "2"})));
  Outcome outcome = run(train("run", {"--resume"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "finished: all 2 epochs are done, at step 10; a larger --epochs goes on"))
      << outcome.err;
  outcome = run(train("run", {"--resume", "--steps", "10", "--epochs", "4"}));
  EXPECT_TRUE(contains(outcome.err, "finished: step 10 is reached, and --steps asks for 10")) << outcome.err;
  outcome = run(train("run", {"--resume", "--epochs", "6"}));
  expectOk(outcome);
  // A cosine over 2 epochs of 5 is at its end after 10; over 6, after 10 of 30, at 0.01 (1 + cos 60°) / 2.
  EXPECT_TRUE(contains(outcome.err, "warning: the learning rate of step 11 is 0.0075, where the run's own schedule has "
                                    "0: it is laid out for a peak of 0.01, 6 epochs of 5 updates, and was for a "
                                    "peak of 0.01, 2 epochs of 5 updates"))
      << outcome.err;
  expectOk(run(train("same", {"--epochs", "2", "--steps", "7"})));
  EXPECT_FALSE(contains(run(train("same", {"--resume"})).err, "warning"));
}

TEST_F(Resuming, SaysThatTheWarmUpIsNeverLeft) {
  const Outcome outcome = run(train("run", {"--epochs", "2", "--set", "train.lr=cosine(peak=0.01, warmup=5)"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err,
                       "warning: the warm-up takes 5 epochs and the run has 2: it never leaves it, and its "
                       "rate ends at 0.004 of a peak of 0.01"))
      << outcome.err;
  EXPECT_NEAR(lastRow("run").at("lr").get<double>(), 0.004, 1e-12);
}

// At a rate too small to move a weight the epoch's loss and top-1 are those of the initial weights, however the images
// are cut into batches.
TEST_F(Resuming, CountsImagesWhateverTheBatch) {
  const std::vector<std::string> still = {"--lr", "1e-30", "--epochs", "1", "--set", "train.augment=none"};
  expectOk(run(train("whole", still)));
  std::vector<std::string> part = still;
  part.insert(part.end(), {"--steps", "2"});
  expectOk(run(train("run", part)));
  program = PROGRAM_DOUBLE_8;
  const Outcome outcome = run(train("run", {"--resume"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "last.safetensors was written by this program built for another target, by other "
                                    "tuning records or another Resin (b16, this is b8)"))
      << outcome.err;
  EXPECT_EQ(lastRow("run").at("step"), 2 + 6) << "80 images: two batches of 16, six of 8";
  EXPECT_NEAR(lastRow("run").at("train_loss").get<double>(), lastRow("whole").at("train_loss").get<double>(), 1e-6);
  EXPECT_EQ(lastRow("run").at("train_top1"), lastRow("whole").at("train_top1"));
}

} // namespace
