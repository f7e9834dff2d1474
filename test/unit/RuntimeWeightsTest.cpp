//===- RuntimeWeightsTest.cpp - Weights from anywhere ---------------------===//
//
// Files of other programs, damaged ones, and ones that hold what is no number.
//
//===----------------------------------------------------------------------===//

#include "runtime/Program.h"
#include "support/Safetensors.h"
#include "test/unit/ProgramFixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

using namespace resin;

namespace {

class Weights : public Program {
protected:
  std::map<std::string, std::vector<int64_t>> shapes = {
      {"fc.weight", {10, 3072}}, {"fc.bias", {10}}, {"bn.running_mean", {1}}};
  std::map<std::string, std::string> metadata;

  /// Writes a file of zeros; element `place` of `name` is `value`.
  void writeWeights(const std::string &name = "", size_t place = 0, float value = 0) {
    std::vector<safetensors::Heading> headings;
    std::string data;
    for (const auto &[tensor, shape] : shapes) {
      headings.push_back({tensor, shape});
      size_t count = 1;
      for (int64_t extent : shape)
        count *= static_cast<size_t>(extent);
      std::vector<float> elements(count);
      if (tensor == name)
        elements[place] = value;
      data.append(reinterpret_cast<const char *>(elements.data()), 4 * count);
    }
    folder.write("w.safetensors", safetensors::header(headings, metadata) + data);
  }
  Outcome eval() { return run({"eval", "--weights", folder / "w.safetensors", "--data", folder / "data"}); }
  /// What `eval` says of a file that it refuses, behind "error: PATH: ".
  std::string refusal() {
    const Outcome outcome = eval();
    EXPECT_EQ(outcome.code, 65) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    const std::string start = "error: " + folder / "w.safetensors" + ": ";
    return outcome.err.starts_with(start) ? outcome.err.substr(start.size()) : outcome.err;
  }
};

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

TEST_F(Weights, TakesWeightsOfOtherPrograms) {
  // As PyTorch's safetensors.torch.save_file leaves them: no metadata of ours, a
  // counter of batches, another order.
  const std::string header = R"({"bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                             R"("fc.bias":{"dtype":"F32","shape":[10],"data_offsets":[8,48]},)"
                             R"("bn.running_mean":{"dtype":"F32","shape":[1],"data_offsets":[48,52]},)"
                             R"("fc.weight":{"dtype":"F32","shape":[10,3072],"data_offsets":[52,122932]}})";
  const uint64_t length = header.size();
  folder.write("w.safetensors",
               std::string(reinterpret_cast<const char *>(&length), 8) + header + std::string(122932, '\0'));
  const Outcome outcome = run({"eval", "--weights", folder / "w.safetensors", "--data", folder / "data"});
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.out, "loss 2.3026")) << outcome.out; // all logits 0: log 10
  // Normalising then needs the training images, or a recipe that does not.
  std::filesystem::remove(folder / "data/data_batch_1.bin");
  EXPECT_EQ(run({"eval", "--weights", folder / "w.safetensors", "--data", folder / "data"}).code, 66);
  expectOk(
      run({"eval", "--weights", folder / "w.safetensors", "--data", folder / "data", "--set", "train.normalize=none"}));
}

TEST_F(Weights, SaysWhichAreForeign) {
  shapes = {{"fc.wieght", {10, 3072}}, {"fc.bias", {10}}, {"bn.running_mean", {1}}, {"layer1.conv", {1}}};
  writeWeights();
  const std::string names = refusal();
  EXPECT_TRUE(contains(names, "1 missing, 2 unknown")) << names;
  EXPECT_TRUE(contains(names, "unknown 'fc.wieght'; did you mean 'fc.weight'?")) << names;
  EXPECT_TRUE(contains(names, "missing 'fc.weight'")) << names;
  shapes = {{"fc.weight", {3072, 10}}, {"fc.bias", {10}}, {"bn.running_mean", {1}}};
  writeWeights();
  EXPECT_EQ(refusal(), "'fc.weight' has the shape [3072, 10]; this network has [10, 3072]\n");
  EXPECT_EQ(run({"eval", "--weights", folder / "none", "--data", folder / "data"}).code, 66);
}

// torch.nn.DataParallel, Lightning and torch.compile put "module.", "model." and "_orig_mod." in front.
TEST_F(Weights, PassesOverAPrefix) {
  shapes = {{"module.fc.weight", {10, 3072}}, {"module.fc.bias", {10}}, {"module.bn.running_mean", {1}}};
  writeWeights("module.fc.bias", 1, 3);
  Outcome outcome = eval();
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.err, "begin with 'module.': taken as this network's")) << outcome.err;
  const std::string result = outcome.out;
  shapes = {{"fc.weight", {10, 3072}}, {"fc.bias", {10}}, {"bn.running_mean", {1}}};
  writeWeights("fc.bias", 1, 3);
  outcome = eval();
  EXPECT_EQ(outcome.out, result) << "the weights are the same";
  EXPECT_FALSE(contains(outcome.err, "note"));
}

// The other way round: the network has a block in front of what was saved.
TEST_F(Weights, PassesOverAPrefixOfTheNetwork) {
  std::string manifest = programDoubleManifest();
  for (const std::string name : {"\"fc.weight\"", "\"fc.bias\"", "\"bn.running_mean\""}) // slots name theirs too
    for (size_t at = 0; (at = manifest.find(name, at)) != std::string::npos; at += name.size())
      manifest.insert(at + 1, "backbone.");
  const ResinProgram program = programDoubleWith(manifest);
  writeWeights();
  const std::string weights = folder / "w.safetensors", data = folder / "data";
  const char *argv[] = {"net", "eval", "--weights", weights.c_str(), "--data", data.c_str()};
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  EXPECT_EQ(runtime::runProgram(program, 6, argv), 0);
  EXPECT_TRUE(contains(testing::internal::GetCapturedStdout(), "loss 2.3026"));
  EXPECT_TRUE(contains(testing::internal::GetCapturedStderr(), "lack 'backbone.' in front: taken as this network's"));
}

TEST_F(Weights, SaysWhatIsWrongBehindAPrefix) {
  shapes = {{"module.fc.weight", {10, 3072}}, {"module.fc.bias", {10}}, {"module.bn.mean", {1}}};
  writeWeights();
  const std::string names = refusal();
  EXPECT_TRUE(contains(names, "1 missing, 1 unknown; its names begin with 'module.'\n")) << names;
  EXPECT_TRUE(contains(names, "missing 'module.bn.running_mean'")) << names;
  shapes = {{"ema.fc.weight", {10, 3072}}, {"ema.fc.bias", {10}}, {"ema.bn.running_mean", {1}},
            {"net.fc.weight", {10, 3072}}, {"net.fc.bias", {10}}, {"net.bn.running_mean", {1}}};
  writeWeights();
  EXPECT_EQ(refusal(), "has this network's weights twice: names that begin with 'ema.', and names that begin with "
                       "'net.'; keep those that you want\n");
}

TEST_F(Weights, LooksAtTheTypeOfWhatItWants) {
  const std::string header = R"({"bn.num_batches_tracked":{"dtype":"F8_E8M0","shape":[2],"data_offsets":[0,2]},)"
                             R"("fc.bias":{"dtype":"I32","shape":[10],"data_offsets":[2,42]},)"
                             R"("bn.running_mean":{"dtype":"F32","shape":[1],"data_offsets":[42,46]},)"
                             R"("fc.weight":{"dtype":"F16","shape":[10,3072],"data_offsets":[46,61486]}})";
  const uint64_t length = header.size();
  const std::string head = std::string(reinterpret_cast<const char *>(&length), 8);
  folder.write("w.safetensors", head + header + std::string(61486, '\0'));
  EXPECT_EQ(refusal(), "'fc.bias' is of type I32; F32, F64, F16 or BF16 is needed\n");
}

TEST_F(Weights, TakesThemFromAFileLargerThanMemory) {
  const std::string header = R"({"fc.bias":{"dtype":"F32","shape":[10],"data_offsets":[0,40]},)"
                             R"("bn.running_mean":{"dtype":"F32","shape":[1],"data_offsets":[40,44]},)"
                             R"("fc.weight":{"dtype":"F32","shape":[10,3072],"data_offsets":[44,122924]},)"
                             R"("bn.num_batches_tracked":{"dtype":"I8","shape":[5368709120],)"
                             R"("data_offsets":[122924,5368832044]}})";
  const uint64_t length = header.size();
  folder.write("w.safetensors", std::string(reinterpret_cast<const char *>(&length), 8) + header);
  std::filesystem::resize_file(folder / "w.safetensors", 8 + length + 5368832044); // a hole, not 5 GiB of disk
  mostMemory = rlim_t(2) << 30;
  const Outcome outcome = eval();
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.out, "loss 2.3026")) << outcome.out;
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

TEST_F(Weights, NamesTheFirstThatIsNotFinite) {
  writeWeights("fc.weight", 3072 * 4 + 17, NAN);
  EXPECT_EQ(refusal(), "'fc.weight' holds nan at [4, 17]: weights are finite\n");
  writeWeights("fc.weight", 5, -NAN);
  EXPECT_EQ(refusal(), "'fc.weight' holds nan at [0, 5]: weights are finite\n");
  writeWeights("fc.bias", 9, -INFINITY);
  EXPECT_EQ(refusal(), "'fc.bias' holds -inf at [9]: weights are finite\n");
  writeWeights("bn.running_mean", 0, INFINITY);
  EXPECT_EQ(refusal(), "'bn.running_mean' holds inf at [0]: weights are finite\n");
  const Outcome outcome = run(train("new", {"--weights", folder / "w.safetensors"}));
  EXPECT_EQ(outcome.code, 65) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "'bn.running_mean' holds inf at [0]")) << outcome.err;
}

TEST_F(Weights, TakesNoNegativeVariance) {
  std::string manifest = programDoubleManifest();
  manifest.replace(manifest.find("bn.running_mean"), 15, "bn.running_var");
  const ResinProgram program = programDoubleWith(manifest);
  shapes.erase("bn.running_mean");
  shapes["bn.running_var"] = {1};
  auto evaluate = [&](float variance) {
    writeWeights("bn.running_var", 0, variance);
    const std::string weights = folder / "w.safetensors", data = folder / "data";
    const char *argv[] = {"net", "eval", "--weights", weights.c_str(), "--data", data.c_str()};
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const int code = runtime::runProgram(program, 6, argv);
    testing::internal::GetCapturedStdout();
    return std::pair(code, testing::internal::GetCapturedStderr());
  };
  EXPECT_EQ(evaluate(0).first, 0);
  const auto [code, text] = evaluate(-0.5);
  EXPECT_EQ(code, 65);
  EXPECT_TRUE(contains(text, "'bn.running_var' holds -0.5 at [0]: a variance is finite and not negative")) << text;
}

//===----------------------------------------------------------------------===//
// The scale of pixels
//===----------------------------------------------------------------------===//

TEST_F(Weights, RefusesAScaleThatItDoesNotUnderstand) {
  for (const char *scale :
       {"", "{", "[]", "7", "null", R"({"mean": [0, 0, 0]})", R"({"mean": [0, 0, 0], "std": [1, 1]})",
        R"({"mean": [], "std": []})", R"({"mean": [0, 0, 0], "std": [1, 1, 0]})", R"({"mean": "0", "std": "1"})",
        R"({"mean": [0, 0, 1e999], "std": [1, 1, 1]})", R"({"mean": [0, 0, null], "std": [1, 1, 1]})"}) {
    metadata["resin.normalize"] = scale;
    writeWeights();
    const std::string text = refusal();
    EXPECT_TRUE(contains(text, "says in 'resin.normalize' how its images were normalised, but not as")) << text;
    EXPECT_FALSE(contains(text, "exception")) << text;
  }
  metadata["resin.normalize"] = R"({"mean": [0], "std": [1]})";
  writeWeights();
  EXPECT_TRUE(contains(refusal(), "its images had 1 channels ('resin.normalize'), and this network's have 3"));
}

} // namespace
