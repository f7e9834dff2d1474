//===- RuntimePredictTest.cpp - Images in, classes out --------------------===//

#include "support/Npy.h"
#include "test/unit/ProgramFixture.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

using namespace resin;

namespace {

class Predict : public Program {
protected:
  std::string weights, input;

  void SetUp() override {
    Program::SetUp();
    expectOk(run(train("run", {"--epochs", "0"})));
    weights = folder / "run/last.safetensors";
    input = folder / "x.npy";
    ASSERT_TRUE(npy::write(input, std::vector<int64_t>{2, 3, 32, 32}, std::vector<float>(2 * 3072)).ok());
  }
  Outcome predict(std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"predict", "--weights", weights, "--input", input};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
};

TEST_F(Predict, NeverWritesOverItsInputs) {
  const std::string images = folder.read("x.npy"), checkpoint = last("run");
  std::filesystem::create_symlink(weights, folder / "link");
  std::filesystem::create_hard_link(input, folder / "hard");
  for (const std::string &output : {weights, input, folder / "link", folder / "hard"}) {
    const Outcome outcome = predict({"--output", output});
    EXPECT_EQ(outcome.code, 73);
    EXPECT_TRUE(contains(outcome.err, "which would be lost")) << outcome.err;
  }
  EXPECT_TRUE(folder.read("x.npy") == images && last("run") == checkpoint);
}

TEST_F(Predict, WritesIntoWhatIsNoFile) {
  expectOk(predict({"--output", folder / "y.npy"}));
  const std::string wanted = folder.read("y.npy");
  const Outcome piped = predict({"--output", "/dev/stdout"});
  expectOk(piped);
  EXPECT_EQ(piped.out, wanted);
  expectOk(predict({"--output", "/dev/null"}));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(predict({"--output", "/dev/full"}).code, 74);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const Running running = start({"predict", "--weights", weights, "--input", input, "--output", folder / "pipe"});
  EXPECT_EQ(folder.read("pipe"), wanted);
  expectOk(running.wait());
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
}

} // namespace
