//===- RuntimePredictTest.cpp - Images in, classes out --------------------===//

#include "support/Npy.h"
#include "support/Safetensors.h"
#include "test/unit/ProgramFixture.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>

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

//===----------------------------------------------------------------------===//
// Shapes and numbers
//===----------------------------------------------------------------------===//

TEST_F(Predict, TakesAnyNumberOfImages) {
  std::vector<float> images(7 * 3072), all;
  for (size_t i = 0; i < images.size(); ++i)
    images[i] = static_cast<float>(i % 97) / 97 - 0.5f + static_cast<float>(i / 3072);
  for (int64_t count : {7, 6, 4, 1, 0}) {
    ASSERT_TRUE(npy::write(input, std::vector<int64_t>{count, 3, 32, 32}, std::span(images).first(count * 3072)).ok());
    expectOk(predict({"--raw", "--output", folder / "y.npy"}));
    const npy::Array logits = *npy::read(folder / "y.npy");
    ASSERT_EQ(logits.shape, (std::vector<int64_t>{count, 10}));
    if (all.empty())
      all = logits.elements;
    EXPECT_TRUE(std::equal(logits.elements.begin(), logits.elements.end(), all.begin())) << count;
  }
  ASSERT_TRUE(npy::write(input, std::vector<int64_t>{2, 3, 32, 32}, std::span(images).first(2 * 3072)).ok());
  const Outcome outcome = predict({"--raw", "--topk", "3"});
  expectOk(outcome);
  EXPECT_EQ(outcome.out.find("image 0: "), 0u);
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), ','), 4) << outcome.out;
}

/// Pixels of four images as the forms below have them: bytes, [image][channel][y][x].
std::vector<uint8_t> pixels() {
  std::vector<uint8_t> bytes(4 * 3072);
  uint32_t state = 7;
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

/// The pixels as numbers of another type, each divided by `white`.
template <typename T> std::vector<T> as(const std::vector<uint8_t> &bytes, double white = 1) {
  std::vector<T> numbers;
  for (uint8_t byte : bytes)
    numbers.push_back(static_cast<T>(byte / white));
  return numbers;
}

/// From [image][channel][y][x] to [image][y][x][channel].
template <typename T> std::vector<T> channelsLast(const std::vector<T> &numbers) {
  std::vector<T> result;
  for (size_t image = 0; image < numbers.size(); image += 3072)
    for (size_t p = 0; p < 1024; ++p)
      for (size_t c = 0; c < 3; ++c)
        result.push_back(numbers[image + c * 1024 + p]);
  return result;
}

class PredictForms : public Predict {
protected:
  template <typename T>
  void write(const std::string &type, const std::string &shape, const std::vector<T> &numbers,
             const char *fortran = "False") {
    const std::string header =
        "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
    const uint16_t length = static_cast<uint16_t>(header.size());
    folder.write("x.npy", std::string("\x93NUMPY\x01\x00", 8) +
                              std::string(reinterpret_cast<const char *>(&length), 2) + header +
                              std::string(reinterpret_cast<const char *>(numbers.data()), sizeof(T) * numbers.size()));
  }
  std::vector<float> logits(const std::vector<std::string> &more = {}) {
    std::vector<std::string> all = {"--output", folder / "y.npy"};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = predict(all);
    expectOk(outcome);
    notes = outcome.err;
    return outcome.code == 0 ? npy::read(folder / "y.npy")->elements : std::vector<float>();
  }
  std::string refusal(const std::vector<std::string> &more = {}) {
    const Outcome outcome = predict(more);
    EXPECT_EQ(outcome.code, 65) << outcome.err;
    const std::string start = "error: " + input + ": ";
    return outcome.err.starts_with(start) ? outcome.err.substr(start.size()) : outcome.err;
  }
  static void expectNear(const std::vector<float> &some, const std::vector<float> &wanted) {
    ASSERT_EQ(some.size(), wanted.size());
    for (size_t i = 0; i < some.size(); ++i)
      EXPECT_NEAR(some[i], wanted[i], 1e-4);
  }
  std::string notes;
};

// Normalised by hand, from the mean and deviation that the checkpoint says.
TEST_F(PredictForms, NormalisesAsTheCheckpointSays) {
  const nlohmann::json scale =
      nlohmann::json::parse(safetensors::File::read(weights)->metadata().at("resin.normalize"));
  std::vector<float> ready;
  for (size_t i = 0; i < 4 * 3072; ++i) {
    const size_t c = i / 1024 % 3;
    ready.push_back(
        static_cast<float>((pixels()[i] / 255.0 - scale["mean"][c].get<double>()) / scale["std"][c].get<double>()));
  }
  write("<f4", "(4, 3, 32, 32)", ready);
  const std::vector<float> wanted = logits({"--raw"});
  write("|u1", "(4, 3, 32, 32)", pixels());
  EXPECT_EQ(logits(), wanted) << "to the bit";
  EXPECT_NE(logits({"--set", "train.normalize=none"}), wanted);
  EXPECT_EQ(notes, "");
}

TEST_F(PredictForms, TakesEveryTypeAndOrder) {
  const std::vector<uint8_t> bytes = pixels();
  const std::string shape = "(4, 3, 32, 32)";
  write("|u1", shape, bytes);
  const std::vector<float> wanted = logits();
  write("<i8", shape, as<int64_t>(bytes));
  EXPECT_EQ(logits(), wanted);
  write("<f8", shape, as<double>(bytes, 255));
  expectNear(logits(), wanted);
  write("<f4", shape, as<float>(bytes, 255));
  expectNear(logits(), wanted);
  write("<f4", shape, as<float>(bytes));
  EXPECT_EQ(logits({"--white", "255"}), wanted);
  write("<u2", shape, as<uint16_t>(bytes, 1 / 257.0));
  EXPECT_EQ(logits({"--white", "65535"}), wanted);
  // x.T of x [32, 32, 3, 4] is x [4, 3, 32, 32] in Fortran's order, whose columns and rows are swapped here.
  std::vector<uint8_t> fortran(bytes.size());
  for (size_t n = 0; n < 4; ++n)
    for (size_t c = 0; c < 3; ++c)
      for (size_t p = 0; p < 1024; ++p)
        fortran[((p % 32 * 32 + p / 32) * 3 + c) * 4 + n] = bytes[(n * 3 + c) * 1024 + p];
  write("|u1", shape, fortran, "True");
  EXPECT_EQ(logits(), wanted);
}

TEST_F(PredictForms, TakesOneImageAndChannelsLast) {
  const std::vector<uint8_t> bytes = pixels(), last = channelsLast(bytes);
  write("|u1", "(4, 3, 32, 32)", bytes);
  const std::vector<float> wanted = logits();
  write("|u1", "(4, 32, 32, 3)", last);
  EXPECT_EQ(logits(), wanted);
  EXPECT_EQ(notes, "note: " + input + " has its channels last, by its shape [4, 32, 32, 3]\n");
  EXPECT_EQ(logits({"--layout", "nhwc"}), wanted);
  EXPECT_EQ(notes, "");
  EXPECT_EQ(refusal({"--layout", "nchw"}),
            "has the shape [4, 32, 32, 3]; this network takes [any, 3, 32, 32] or [3, 32, 32]\n");
  const std::vector<float> first(wanted.begin(), wanted.begin() + 10);
  write("|u1", "(3, 32, 32)", std::vector(bytes.begin(), bytes.begin() + 3072));
  EXPECT_EQ(logits(), first);
  write("|u1", "(32, 32, 3)", std::vector(last.begin(), last.begin() + 3072));
  EXPECT_EQ(logits(), first);
}

TEST_F(PredictForms, RefusesOtherShapes) {
  auto refusalOf = [&](const std::string &shape, size_t count) {
    write("|u1", shape, std::vector<uint8_t>(count));
    return refusal();
  };
  EXPECT_EQ(refusalOf("(1, 3, 32, 31)", 2976), "has the shape [1, 3, 32, 31]; this network takes [any, 3, 32, 32] or "
                                               "[3, 32, 32], or channels last\n");
  for (const char *shape : {"(1, 1, 3, 32, 32)", "(3072,)", "(1, 3072)", "(3, 1024)"})
    EXPECT_TRUE(contains(refusalOf(shape, 3072), "this network takes"));
  EXPECT_TRUE(contains(refusalOf("()", 1), "has the shape []"));
  input = folder / "none.npy";
  EXPECT_EQ(predict().code, 66);
}

TEST_F(PredictForms, RefusesNumbersThatAreNoPixels) {
  const std::string shape = "(4, 3, 32, 32)", range = " and pixels from 0 (black) to ";
  std::vector<float> numbers(4 * 3072, 0.25f);
  auto refusalWith = [&](float number) {
    numbers[3 * 3072 + 2 * 1024 + 5 * 32 + 7] = number;
    write("<f4", shape, numbers);
    return refusal();
  };
  EXPECT_EQ(refusalWith(NAN), "image 3 holds nan in channel 2, row 5, column 7\n");
  EXPECT_EQ(refusalWith(-INFINITY), "image 3 holds -inf in channel 2, row 5, column 7\n");
  EXPECT_EQ(refusal({"--raw"}), "image 3 holds -inf in channel 2, row 5, column 7\n");
  EXPECT_EQ(refusalWith(-2),
            "its numbers go from -2 to 0.25," + range + "1 (white); --raw takes numbers that are normalised already\n");
  EXPECT_EQ(refusalWith(255),
            "its numbers go from 0.25 to 255," + range +
                "1 (white); --white 255 says what white is, --raw that they are normalised already\n");
  numbers[3 * 3072 + 2 * 1024 + 5 * 32 + 7] = 1.25; // sharpened
  write("<f4", shape, numbers);
  expectOk(predict());
  write("<i4", shape, std::vector<int32_t>(4 * 3072, 256));
  EXPECT_EQ(refusal(), "its numbers go from 256 to 256," + range + "255 (white); --white 65535 says what white is\n");
  EXPECT_EQ(refusal({"--raw"}), "holds integers, and --raw takes numbers that are normalised already\n");
  write("<i4", shape, std::vector<int32_t>(4 * 3072, -1));
  EXPECT_EQ(refusal(), "its numbers go from -1 to -1," + range + "255 (white)\n");
  for (const std::vector<std::string> &more : std::vector<std::vector<std::string>>{
           {"--raw", "--white", "1"}, {"--white", "0"}, {"--white", "nan"}, {"--layout", "chwn"}})
    EXPECT_EQ(predict(more).code, 64) << more[0];
}

TEST_F(PredictForms, WantsAScaleOfForeignWeights) {
  std::string bytes = last("run");
  for (const char *key : {"resin.normalize", "resin.checksum"})
    bytes[bytes.find(key)] = 'x';
  folder.write("foreign", bytes);
  weights = folder / "foreign";
  write("|u1", "(4, 3, 32, 32)", pixels());
  const Outcome outcome = predict();
  EXPECT_EQ(outcome.code, 65);
  EXPECT_TRUE(contains(outcome.err, "foreign: does not say how its images were normalised; give --raw if"))
      << outcome.err;
  const std::vector<float> none = logits({"--set", "train.normalize=none"});
  write("<f4", "(4, 3, 32, 32)", as<float>(pixels(), 255));
  expectNear(logits({"--raw"}), none);
}

TEST_F(PredictForms, NamesTheImageThatOverflows) {
  // Weights of 1 for the first class, and an image of 1e38 everywhere: their sum is 3e41.
  std::string bytes = last("run");
  const size_t data = 8 + *reinterpret_cast<const uint64_t *>(bytes.data());
  const std::vector<float> ones(3072, 1.0f);
  std::memcpy(bytes.data() + data, ones.data(), 4 * ones.size());
  bytes[bytes.find("resin.checksum")] = 'x';
  folder.write("overflowing", bytes);
  weights = folder / "overflowing";
  std::vector<float> numbers(4 * 3072);
  std::fill_n(numbers.begin() + 2 * 3072, 3072, 1e38f);
  write("<f4", "(4, 3, 32, 32)", numbers);
  const Outcome outcome = predict({"--raw", "--topk", "3"});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_EQ(outcome.out, "") << "no class is printed of the others either";
  EXPECT_TRUE(contains(outcome.err, "x.npy: image 2: the logit of class 0 is inf: ")) << outcome.err;
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

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
