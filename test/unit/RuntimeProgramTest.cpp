//===- RuntimeProgramTest.cpp - A program from its command line -----------===//
//
// Runs `program-double`, a program with a hand-written network, as a user would:
// and as one who pulls the plug, fills the disk, and feeds it the wrong files.
//
//===----------------------------------------------------------------------===//

#include "runtime/Program.h"
#include "support/Npy.h"
#include "support/Safetensors.h"
#include "test/unit/ProgramDouble.h"
#include "test/unit/TemporaryFolder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace resin;

namespace {

struct Outcome {
  int code = -1; ///< exit code; 128 + signal if one killed it
  std::string out, err;
};

/// A program under way.
struct Running {
  pid_t process;
  std::string out, err; ///< paths

  Outcome wait() const {
    int state = 0;
    ::waitpid(process, &state, 0);
    auto text = [](const std::string &path) -> std::string {
      if (!std::filesystem::is_regular_file(path)) // /dev/full never ends
        return "";
      std::ifstream file(path);
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    return {WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state), text(out), text(err)};
  }
};

class Program : public testing::Test {
protected:
  TemporaryFolder folder;
  int started = 0;
  int sleep = 0; ///< milliseconds a train step
  rlim_t largestFile = RLIM_INFINITY;
  std::string standardOutput; ///< instead of a file of ours

  void SetUp() override {
    folder.write("data/data_batch_1.bin", records(80, 1));
    folder.write("data/test_batch.bin", records(37, 2));
  }

  /// Images whose brightness in one place tells their class, with noise.
  static std::string records(int count, uint32_t seed) {
    std::string bytes;
    const int first = static_cast<int>(seed);
    for (int i = 0; i < count; ++i) {
      const int label = (i * 7 + first) % 10;
      bytes += static_cast<char>(label);
      for (int p = 0; p < 3072; ++p) {
        seed = seed * 1664525 + 1013904223;
        bytes += static_cast<char>((p % 1024 / 100 == label ? 150 : 60) + (seed >> 26));
      }
    }
    return bytes;
  }

  Running start(std::vector<std::string> arguments) {
    const std::string name = std::to_string(started++);
    Running running{0, standardOutput.empty() ? folder / (name + ".out") : standardOutput, folder / (name + ".err")};
    arguments.insert(arguments.begin(), PROGRAM_DOUBLE);
    std::vector<char *> argv;
    for (std::string &argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    running.process = ::fork();
    if (running.process != 0)
      return running;
    ::dup2(::open(running.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO);
    ::dup2(::open(running.err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
    const rlimit limit{largestFile, largestFile};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    if (sleep)
      ::setenv("RESIN_DOUBLE_SLEEP", std::to_string(sleep).c_str(), 1);
    ::execv(PROGRAM_DOUBLE, argv.data());
    ::_exit(99);
  }
  Outcome run(std::vector<std::string> arguments) { return start(std::move(arguments)).wait(); }

  /// train on the folder's data into `out`.
  std::vector<std::string> train(const std::string &out, std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"train", "--data", folder / "data", "--out", folder / out, "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void expectOk(const Outcome &outcome) { EXPECT_EQ(outcome.code, 0) << outcome.err; }
  std::string last(const std::string &out) { return folder.read(out + "/last.safetensors"); }
  bool exists(const std::string &name) { return std::filesystem::exists(folder / name); }

  void waitFor(const std::string &name) {
    for (int i = 0; i < 1000 && !exists(name); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(exists(name));
  }
};

bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

//===----------------------------------------------------------------------===//
// Training
//===----------------------------------------------------------------------===//

TEST_F(Program, TrainsAndReports) {
  const Outcome outcome = run(train("run", {"--epochs", "4", "--lr", "0.0005", "--set", "train.augment=none"}));
  expectOk(outcome);
  EXPECT_TRUE(contains(outcome.out, "epoch 4  step 20  train_loss "));
  EXPECT_TRUE(contains(outcome.err, "30730 parameters"));
  EXPECT_TRUE(exists("run/best.safetensors") && exists("run/previous.safetensors"));
  const std::string csv = folder.read("run/metrics.csv");
  EXPECT_EQ(csv.find("epoch,step,train_loss,train_top1,eval_loss,eval_top1,lr,images_per_second,seconds\n1,5,"), 0u)
      << csv;
  std::istringstream lines(folder.read("run/metrics.jsonl"));
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(lines, line);)
    rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_LT(rows[3]["train_loss"].get<double>(), rows[0]["train_loss"].get<double>());
  EXPECT_GT(rows[3]["eval_top1"].get<double>(), 30) << "it learns";
}

TEST_F(Program, GivesTheSameBitsForAnyThreads) {
  for (const char *threads : {"1", "2", "3"})
    expectOk(
        run({"train", "--data", folder / "data", "--out", folder / threads, "--epochs", "2", "--threads", threads}));
  EXPECT_EQ(last("1"), last("2"));
  EXPECT_EQ(last("1"), last("3"));
  expectOk(run(train("other", {"--epochs", "2", "--seed", "5"})));
  EXPECT_NE(last("1"), last("other"));
}

TEST_F(Program, WritesInitialWeightsForNoEpochs) {
  expectOk(run(train("run", {"--epochs", "0"})));
  expectOk(run(train("run", {"--epochs", "0", "--seed", "3"}))); // initial weights are nothing to lose
  StatusOr<safetensors::File> file = safetensors::File::read(folder / "run/last.safetensors");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->find("fc.weight") && file->find("optimizer.momentum.fc.bias"));
  EXPECT_FALSE(file->find("prepared.0"));
  EXPECT_EQ(file->metadata().at("resin.hash"), "0123456789abcdef");
  EXPECT_TRUE(contains(file->metadata().at("resin.settings"), "\"seed\":3"));
}

TEST_F(Program, ResumesBitForBit) {
  expectOk(run(train("whole", {"--epochs", "3"})));
  expectOk(run(train("parts", {"--epochs", "3", "--steps", "7"})));
  EXPECT_NE(last("parts"), last("whole"));
  expectOk(run({"train", "--out", folder / "parts", "--resume", "--steps", "10"}));
  expectOk(run({"train", "--out", folder / "parts", "--resume"}));
  EXPECT_EQ(last("parts"), last("whole"));
  // The row of the epoch that --steps cut short is not kept.
  const std::string csv = folder.read("parts/metrics.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  // A run that is over has nothing more to do.
  expectOk(run({"train", "--out", folder / "parts", "--resume"}));
  EXPECT_EQ(last("parts"), last("whole"));
}

TEST_F(Program, SurvivesKill) {
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
  EXPECT_EQ(last("killed"), last("whole"));
  EXPECT_EQ(folder.read("killed/best.safetensors"), folder.read("whole/best.safetensors"));
}

TEST_F(Program, SavesAndLeavesWhenAsked) {
  expectOk(run(train("whole", {"--epochs", "3"})));
  for (int signal : {SIGINT, SIGTERM}) {
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
    EXPECT_EQ(last(out), last("whole"));
  }
}

TEST_F(Program, DiesAtTheSecondSignal) {
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

TEST_F(Program, GoesBackToThePreviousCheckpoint) {
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
    EXPECT_EQ(last(out), last("whole"));
  }
  // With both gone there is nothing to go on from.
  folder.write("run0/last.safetensors", "x");
  folder.write("run0/previous.safetensors", "x");
  EXPECT_EQ(run(train("run0", {"--resume"})).code, 65);
  EXPECT_EQ(run(train("none", {"--resume"})).code, 66);
}

TEST_F(Program, KeepsWhatIsSavedWhenTheDiskIsFull) {
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
  EXPECT_EQ(last("run"), last("whole"));
}

TEST_F(Program, StopsWhenItDiverges) {
  const Outcome outcome = run(train("run", {"--set", "train.lr=constant(1e36)", "--epochs", "3"}));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(contains(outcome.err, "error: step ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "training has diverged")) << outcome.err;
  EXPECT_TRUE(safetensors::File::read(folder / "run/last.safetensors").ok());
}

TEST_F(Program, DoesNotWriteOverARun) {
  expectOk(run(train("run", {"--epochs", "1"})));
  const std::string before = last("run");
  const Outcome outcome = run(train("run", {"--epochs", "1"}));
  EXPECT_EQ(outcome.code, 73);
  EXPECT_TRUE(contains(outcome.err, "--resume")) << outcome.err;
  EXPECT_EQ(last("run"), before);
  expectOk(run(train("run", {"--epochs", "1", "--overwrite", "--seed", "2"})));
  EXPECT_NE(last("run"), before);
}

TEST_F(Program, TrainsOncePerFolder) {
  sleep = 100;
  Running running = start(train("run", {"--epochs", "3"}));
  waitFor("run/last.safetensors");
  const Outcome outcome = run(train("run", {"--resume"}));
  EXPECT_EQ(outcome.code, 73);
  EXPECT_TRUE(contains(outcome.err, "another program is training into it")) << outcome.err;
  ::kill(running.process, SIGKILL);
  running.wait();
}

TEST_F(Program, TakesSettings) {
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

TEST_F(Program, StartsFromWeights) {
  expectOk(run(train("a", {"--epochs", "1"})));
  expectOk(run(train("b", {"--epochs", "0", "--weights", folder / "a/last.safetensors"})));
  StatusOr<safetensors::File> a = safetensors::File::read(folder / "a/last.safetensors"),
                              b = safetensors::File::read(folder / "b/last.safetensors");
  auto weights = [](safetensors::File &file, const char *name) {
    return safetensors::toFloats(*file.find(name), file.bytes(*file.find(name)));
  };
  EXPECT_EQ(weights(*a, "fc.weight"), weights(*b, "fc.weight"));
  EXPECT_EQ(weights(*b, "optimizer.momentum.fc.weight"), std::vector<float>(30720)) << "the optimizer begins anew";
}

//===----------------------------------------------------------------------===//
// Evaluating and predicting
//===----------------------------------------------------------------------===//

/// The test images as `predict` takes them: normalised by the run's scale.
std::vector<float> normalised(const std::string &records, const std::string &scale) {
  const nlohmann::json json = nlohmann::json::parse(scale);
  std::vector<float> numbers;
  for (size_t i = 0; i < records.size(); ++i) {
    if (i % 3073 == 0)
      continue;
    const size_t c = (i % 3073 - 1) / 1024;
    numbers.push_back(static_cast<float>((static_cast<uint8_t>(records[i]) / 255.0 - json["mean"][c].get<double>()) /
                                         json["std"][c].get<double>()));
  }
  return numbers;
}

TEST_F(Program, EvaluatesWhatItPredicts) {
  expectOk(run(train("run", {"--epochs", "2"})));
  const std::string weights = folder / "run/best.safetensors", test = folder.read("data/test_batch.bin");
  StatusOr<safetensors::File> file = safetensors::File::read(weights);
  ASSERT_TRUE(npy::write(folder / "x.npy", std::vector<int64_t>{37, 3, 32, 32},
                         normalised(test, file->metadata().at("resin.normalize")))
                  .ok());
  expectOk(run({"predict", "--weights", weights, "--input", folder / "x.npy", "--output", folder / "y.npy"}));
  StatusOr<npy::Array> logits = npy::read(folder / "y.npy");
  ASSERT_TRUE(logits.ok());
  ASSERT_EQ(logits->shape, (std::vector<int64_t>{37, 10}));

  double loss = 0;
  int top1 = 0, top5 = 0;
  for (int i = 0; i < 37; ++i) {
    const float *row = logits->elements.data() + i * 10;
    const int label = test[i * 3073];
    double sum = 0;
    int rank = 0;
    for (int c = 0; c < 10; ++c) {
      sum += std::exp(static_cast<double>(row[c]));
      rank += row[c] > row[label];
    }
    loss += std::log(sum) - row[label];
    top1 += rank < 1;
    top5 += rank < 5;
  }
  char wanted[80];
  std::snprintf(wanted, sizeof wanted, "Acc@1 %.2f Acc@5 %.2f loss %.4f\n", top1 / .37, top5 / .37, loss / 37);
  const Outcome outcome = run({"eval", "--weights", weights, "--data", folder / "data"});
  expectOk(outcome);
  EXPECT_EQ(outcome.out, wanted);
}

TEST_F(Program, PredictsAnyNumberOfImages) {
  expectOk(run(train("run", {"--epochs", "0"})));
  std::vector<float> images(7 * 3072), all;
  for (size_t i = 0; i < images.size(); ++i)
    images[i] = static_cast<float>(i % 97) / 97 - 0.5f + static_cast<float>(i / 3072);
  for (int64_t count : {7, 6, 4, 1, 0}) {
    ASSERT_TRUE(
        npy::write(folder / "x.npy", std::vector<int64_t>{count, 3, 32, 32}, std::span(images).first(count * 3072))
            .ok());
    expectOk(run({"predict", "--weights", folder / "run/last.safetensors", "--input", folder / "x.npy", "--output",
                  folder / "y.npy"}));
    const npy::Array logits = *npy::read(folder / "y.npy");
    ASSERT_EQ(logits.shape, (std::vector<int64_t>{count, 10}));
    if (all.empty())
      all = logits.elements;
    EXPECT_TRUE(std::equal(logits.elements.begin(), logits.elements.end(), all.begin())) << count;
  }
  ASSERT_TRUE(npy::write(folder / "x.npy", std::vector<int64_t>{2, 3, 32, 32}, std::span(images).first(2 * 3072)).ok());
  const Outcome outcome =
      run({"predict", "--weights", folder / "run/last.safetensors", "--input", folder / "x.npy", "--topk", "3"});
  expectOk(outcome);
  EXPECT_EQ(outcome.out.find("image 0: "), 0u);
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), ','), 4) << outcome.out;
}

TEST_F(Program, RefusesImagesOfAnotherShape) {
  expectOk(run(train("run", {"--epochs", "0"})));
  auto predict = [&](const std::vector<int64_t> &shape, size_t count) {
    EXPECT_TRUE(npy::write(folder / "x.npy", shape, std::vector<float>(count)).ok());
    return run({"predict", "--weights", folder / "run/last.safetensors", "--input", folder / "x.npy"});
  };
  EXPECT_TRUE(
      contains(predict({1, 3, 32, 31}, 2976).err, "has the shape [1, 3, 32, 31]; this network takes [any, 3, 32, 32]"));
  EXPECT_EQ(predict({3, 32, 32}, 3072).code, 65);
  EXPECT_EQ(predict({}, 1).code, 65);
  EXPECT_EQ(run({"predict", "--weights", folder / "run/last.safetensors", "--input", folder / "none.npy"}).code, 66);
}

TEST_F(Program, TakesWeightsOfOtherPrograms) {
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

TEST_F(Program, SaysWhichWeightsAreForeign) {
  auto eval = [&](const std::vector<safetensors::Heading> &tensors) {
    size_t bytes = 0;
    for (const safetensors::Heading &tensor : tensors) {
      size_t size = 4;
      for (int64_t extent : tensor.shape)
        size *= static_cast<size_t>(extent);
      bytes += size;
    }
    folder.write("w.safetensors", safetensors::header(tensors, {}) + std::string(bytes, '\0'));
    const Outcome outcome = run({"eval", "--weights", folder / "w.safetensors", "--data", folder / "data"});
    EXPECT_EQ(outcome.code, 65);
    return outcome.err;
  };
  const std::string names =
      eval({{"fc.wieght", {10, 3072}}, {"fc.bias", {10}}, {"bn.running_mean", {1}}, {"layer1.conv", {1}}});
  EXPECT_TRUE(contains(names, "1 missing, 2 unknown")) << names;
  EXPECT_TRUE(contains(names, "unknown 'fc.wieght'; did you mean 'fc.weight'?")) << names;
  EXPECT_TRUE(contains(names, "missing 'fc.weight'")) << names;
  const std::string shape = eval({{"fc.weight", {3072, 10}}, {"fc.bias", {10}}, {"bn.running_mean", {1}}});
  EXPECT_TRUE(contains(shape, "'fc.weight' has the shape [3072, 10]; this network has [10, 3072]")) << shape;
  EXPECT_EQ(run({"eval", "--weights", folder / "none", "--data", folder / "data"}).code, 66);
}

TEST_F(Program, SaysThatTheOutputIsFull) {
  expectOk(run(train("run", {"--epochs", "0"})));
  standardOutput = "/dev/full";
  EXPECT_EQ(run({"eval", "--weights", folder / "run/last.safetensors", "--data", folder / "data"}).code, 74);
}

//===----------------------------------------------------------------------===//
// Bench and info
//===----------------------------------------------------------------------===//

TEST_F(Program, Benches) {
  const Outcome outcome = run({"bench", "--json", "--seconds", "0.2", "--threads", "2"});
  expectOk(outcome);
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["train_batch"], 16);
  EXPECT_GT(json["train_images_per_second"].get<double>(), 0);
  EXPECT_GT(json["peak_gflops"].get<double>(), 1);
  ASSERT_EQ(json["predict"].size(), 2u);
  EXPECT_EQ(json["predict"][1]["batch"], 4);
  double share = 0;
  for (const nlohmann::json &row : json["kernels"])
    if (row["function"] == "train_step") {
      share += row["share"].get<double>();
      EXPECT_EQ(row["calls"].get<double>(), row["name"] == "linear" ? 16 : 3072);
      EXPECT_GT(row["gflops"].get<double>(), 0);
    }
  EXPECT_NEAR(share, 1, 1e-9);
  EXPECT_TRUE(contains(run({"bench", "--seconds", "0.1"}).out, "images/s"));
}

TEST_F(Program, ProfilesKernelsUnderTheirRoofs) {
  const std::string plot = folder / "roof.svg";
  const Outcome outcome = run({"profile", "--json", "--seconds", "0.1", "--threads", "2", "--svg", plot});
  expectOk(outcome);
  const nlohmann::json json = nlohmann::json::parse(outcome.out), machine = json["machine"];
  for (const char *key : {"peak_gflops", "cache_gigabytes_per_second", "memory_gigabytes_per_second", "cache_bytes"})
    EXPECT_GT(machine[key].get<double>(), 0) << key;
  const double peak = machine["peak_gflops"].get<double>() / 2;
  size_t rows = 0;
  for (const nlohmann::json &function : json["functions"]) {
    const double whole = 2 * function["milliseconds"].get<double>();
    EXPECT_LE(function["outside_kernels_milliseconds"].get<double>(), whole);
    for (const nlohmann::json &row : function["kernels"]) {
      ++rows;
      EXPECT_FALSE(row["advice"].get<std::string>().empty());
      // The rate is the plain sum's; "linear" takes a quarter of its multiply-adds by the form that it claims to have.
      const bool isWinograd = row["name"] == "linear";
      EXPECT_EQ(row["form"], isWinograd ? "winograd 4x4" : "");
      EXPECT_NEAR(row["form_gflops"].get<double>(), row["gflops"].get<double>() / (isWinograd ? 4 : 1), 1e-9);
      // The roof is the longer of what its multiply-adds and its bytes take.
      const double arithmetic = row["form_gflops"].get<double>() / peak, share = row["share_of_roof"].get<double>();
      EXPECT_GE(share, arithmetic * (1 - 1e-9));
      if (row["roof"] == "fma")
        EXPECT_NEAR(share, arithmetic, 1e-9 * arithmetic);
      EXPECT_NEAR(row["predicted_milliseconds"].get<double>(), share * row["milliseconds"].get<double>(), 1e-9);
    }
  }
  EXPECT_GT(rows, 2u);
  const std::string svg = folder.read("roof.svg");
  EXPECT_TRUE(contains(svg, "</svg>"));
  size_t circles = 0;
  for (size_t at = 0; (at = svg.find("<circle", at)) != std::string::npos; ++at)
    ++circles;
  EXPECT_EQ(circles, rows);
  EXPECT_TRUE(contains(run({"profile", "--seconds", "0"}).out, "what would help train_step"));
  EXPECT_EQ(run({"profile", "--seconds", "0", "--svg", folder / "none/roof.svg"}).code, 73);
}

TEST_F(Program, Informs) {
  const Outcome outcome = run({"info", "--json"});
  expectOk(outcome);
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["hash"], "0123456789abcdef");
  EXPECT_EQ(json["parameters"], 30730);
  EXPECT_GT(json["memory"]["predicted_peak_bytes"].get<int64_t>(), 30730 * 4);
  EXPECT_TRUE(contains(run({"info"}).out, "30730 parameters"));
}

//===----------------------------------------------------------------------===//
// Exit codes
//===----------------------------------------------------------------------===//

TEST_F(Program, HelpDocumentsTheExitCodes) {
  const Outcome outcome = run({"--help"});
  expectOk(outcome);
  for (const char *code : {"64", "65", "66", "69", "73", "74", "130, 143"})
    EXPECT_TRUE(contains(outcome.out, code));
  expectOk(run({"train", "--help"}));
}

TEST_F(Program, RefusesWrongCommandLines) {
  for (const std::vector<std::string> &arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"trian"},
                                             {"train"},
                                             {"train", "--out", folder / "x"},
                                             {"eval"},
                                             {"predict", "--weights", "x"},
                                             {"info", "--jso"},
                                             {"bench", "--threads", "0"},
                                             {"bench", "--threads", "two"},
                                             train("x", {"--epochs", "-1"}),
                                             train("x", {"--set", "train.batch=3"}),
                                             train("x", {"--resume", "--weights", "y"}),
                                             {"train", "--data", "d", "--out"}}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 64) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err, "");
  }
  EXPECT_FALSE(exists("x")) << "nothing is made for a wrong command line";
}

TEST_F(Program, RefusesWrongData) {
  EXPECT_EQ(run({"train", "--data", folder / "none", "--out", folder / "x"}).code, 66);
  folder.write("few/data_batch_1.bin", records(15, 1));
  folder.write("few/test_batch.bin", records(1, 1));
  Outcome outcome = run({"train", "--data", folder / "few", "--out", folder / "x"});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_TRUE(contains(outcome.err, "15 training images, fewer than the program's batch of 16")) << outcome.err;
  folder.write("few/data_batch_1.bin", records(15, 1).substr(3));
  EXPECT_EQ(run({"train", "--data", folder / "few", "--out", folder / "x"}).code, 65);
  folder.write("file", "");
  EXPECT_EQ(run(train("file")).code, 73);
  EXPECT_EQ(run(train("file/below")).code, 73);
}

int runWith(const std::string &manifest) {
  const ResinProgram program = programDoubleWith(manifest);
  const char *argv[] = {"net", "bench", "--seconds", "0"};
  return runtime::runProgram(program, 4, argv);
}

std::string replaced(const std::string &what, const std::string &by) {
  std::string text = programDoubleManifest();
  return text.replace(text.find(what), what.size(), by);
}

TEST(ProgramStart, RefusesACpuThatLacksFeatures) {
  testing::internal::CaptureStderr();
  // Intel's tiles and AMD's XOP were never in one CPU.
  EXPECT_EQ(runWith(replaced("\"sse2\"", "\"sse2\", \"amx-tile\", \"xop\"")), 69);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(contains(text, "this CPU lacks: ") && contains(text, "xop")) << text;
  EXPECT_FALSE(contains(text, "sse2,")) << text;
}

TEST(ProgramStart, RefusesAManifestThatIsWrong) {
  EXPECT_EQ(runWith("{"), 1);
  EXPECT_EQ(runWith("{}"), 1);
  EXPECT_EQ(runWith(replaced("\"arena_bytes\"", "\"arena_bites\"")), 1);
  EXPECT_EQ(runWith(replaced("\"layout\": \"k16\"", "\"layout\": \"k8\"")), 1);
  EXPECT_EQ(runWith(replaced("\"offset\": 0", "\"offset\": 99999999")), 1);
  EXPECT_EQ(runWith(replaced("\"shape\": [10, 3072]", "\"shape\": [4611686018427387904, 4]")), 1);
  EXPECT_EQ(runWith(replaced("\"rank\"", "\"rang\"")), 1);
  ResinProgram later = programDoubleWith(programDoubleManifest());
  later.abi_version = 999;
  const char *argv[] = {"net", "bench"};
  EXPECT_EQ(runtime::runProgram(later, 2, argv), 1);
}

} // namespace
