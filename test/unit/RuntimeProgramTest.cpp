//===- RuntimeProgramTest.cpp - A program from its command line -----------===//
//
// Evaluates, predicts, benchmarks and informs, and is fed the wrong files.
// RuntimeTrainingTest.cpp trains.
//
//===----------------------------------------------------------------------===//

#include "runtime/MemoryPlan.h"
#include "runtime/Program.h"
#include "support/Npy.h"
#include "support/Safetensors.h"
#include "test/unit/ProgramFixture.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>

using namespace resin;

namespace {

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
  expectOk(run({"predict", "--raw", "--weights", weights, "--input", folder / "x.npy", "--output", folder / "y.npy"}));
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

TEST_F(Program, SaysWhichImageOverflows) {
  // Weights of 1e36 for the first class: with an image that is white all over their sum is 3e39.
  expectOk(run(train("run", {"--epochs", "0", "--set", "train.normalize=none"})));
  std::string bytes = last("run");
  const size_t data = 8 + *reinterpret_cast<const uint64_t *>(bytes.data());
  for (size_t i = 0; i < 3072; ++i) {
    const float weight = 1e36f;
    std::memcpy(bytes.data() + data + 4 * i, &weight, 4);
  }
  bytes.replace(bytes.find("resin.checksum"), 14, "other.checksum");
  folder.write("w.safetensors", bytes);
  std::string images(37 * 3073, '\0'); // black ones, but for 21
  std::fill_n(images.begin() + 21 * 3073 + 1, 3072, '\xff');
  folder.write("data/test_batch.bin", images);
  const Outcome outcome = run({"eval", "--weights", folder / "w.safetensors", "--data", folder / "data"});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(contains(outcome.err, "w.safetensors: the loss of image 21 of ")) << outcome.err;
}

TEST_F(Program, EvaluatesOneImageAtLeast) {
  expectOk(run(train("run", {"--epochs", "0"})));
  EXPECT_EQ(run({"eval", "--weights", folder / "run/last.safetensors", "--data", folder / "data", "--limit", "0"}).code,
            64);
  EXPECT_EQ(run(train("none", {"--limit", "0"})).code, 64);
}

// A table is larger than what the stream holds back: it failed before the end, where no more was to be flushed.
TEST_F(Program, SaysThatTheOutputIsFull) {
  expectOk(run(train("run", {"--epochs", "0"})));
  ASSERT_TRUE(npy::write(folder / "x.npy", std::vector<int64_t>{200, 3, 32, 32}, std::vector<float>(200 * 3072)).ok());
  const std::string weights = folder / "run/last.safetensors";
  standardOutput = "/dev/full";
  for (const std::vector<std::string> &arguments : std::vector<std::vector<std::string>>{
           {"eval", "--weights", weights, "--data", folder / "data"},
           {"predict", "--weights", weights, "--input", folder / "x.npy", "--topk", "9"},
           {"info", "--json"},
           {"info"},
           {"bench", "--json", "--seconds", "0", "--only", "predict_1"},
           {"profile", "--json", "--seconds", "0", "--only", "predict_1"},
           train("full", {"--epochs", "2"})}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 74) << arguments[0];
    EXPECT_TRUE(contains(outcome.err, "error: standard output: cannot write")) << outcome.err;
  }
  EXPECT_TRUE(exists("full/best.safetensors")) << "the run went on";
}

TEST_F(Program, WritesNoResultIntoAFileThatTookTheNumberOfAClosedStream) {
  standardOutput = "closed";
  EXPECT_EQ(run(train("run", {"--epochs", "2"})).code, 74);
  standardOutput = "";
  expectOk(run({"eval", "--weights", folder / "run/last.safetensors", "--data", folder / "data"}));
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
  expectOk(run({"profile", "--seconds", "0", "--only", "predict_1", "--svg", "/dev/null"}));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
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
  for (const char *code : {"64", "65", "66", "69", "71", "73", "74", "129, 130, 143"})
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

TEST(ProgramStart, RefusesWhatTheMachineHasNoMemoryFor) {
  const std::string manifest = programDoubleManifest();
  const size_t at = manifest.find("\"arena_bytes\": ") + 15, end = manifest.find(',', at);
  testing::internal::CaptureStderr();
  EXPECT_EQ(runWith(replaced(manifest.substr(at, end - at), "1125899906842624")), 71);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(contains(text, "error: this program, at its batch of 16, would take 1073741824.")) << text;
  EXPECT_TRUE(contains(text, " MiB of memory, and the ")) << text;
}

TEST(ProgramStart, SaysWhichBatchFits) {
  StatusOr<runtime::Manifest> manifest = runtime::parseManifest(programDoubleManifest());
  ASSERT_TRUE(manifest.ok());
  const runtime::MemoryPlan plan = runtime::memoryOf(*manifest, 1);
  EXPECT_TRUE(runtime::checkArena(*manifest, 1, {plan.total, "the machine"}).ok());
  // Half of the transients: half of the batch.
  const Status half =
      runtime::checkArena(*manifest, 1, {plan.variables + plan.scratch + plan.transients / 2, "the machine"});
  EXPECT_EQ(half.code(), ExitCode::NoMemory);
  EXPECT_TRUE(contains(half.message(), "a batch of about 8 would fit: rebuild with 'resin build --batch 8'"))
      << half.message();
  const Status none = runtime::checkArena(*manifest, 1, {1000, "the control group /job"});
  EXPECT_TRUE(contains(none.message(), "the control group /job leaves 0.0 MiB; variables and scratch alone are "))
      << none.message();
}

/// The manifest with other names for all that the task names.
std::string renamed() {
  std::string text = programDoubleManifest();
  for (const auto &[from, to] : {std::pair<std::string, std::string>("image", "photo"),
                                 {"label", "answer"},
                                 {"logits", "votes"},
                                 {"rank", "place"},
                                 {"loss", "cost"}})
    for (const char *key : {"\"name\": \"", "\"loss\": \""}) {
      const std::string what = key + from + "\"", by = key + to + "\"";
      for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
        text.replace(at, what.size(), by);
    }
  return text;
}

TEST(ProgramStart, KnowsNoNameByHeart) {
  const StatusOr<runtime::Manifest> manifest = runtime::parseManifest(renamed());
  ASSERT_TRUE(manifest.ok()) << manifest.status().message();
  const runtime::Function &step = *manifest->function("train_step");
  EXPECT_EQ(step.input()->name, "photo");
  EXPECT_EQ(step.target()->name, "answer");
  EXPECT_EQ(step.loss()->name, "cost");
  EXPECT_EQ(step.rank()->name, "place");
  EXPECT_EQ(manifest->function("predict_1")->output()->name, "votes");
  testing::internal::CaptureStdout();
  EXPECT_EQ(runWith(renamed()), 0);
  const std::string with = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(contains(with, "train_step") && contains(with, "predict_4")) << with;
}

TEST(ProgramStart, RefusesATaskThatItDoesNotKnow) {
  for (const auto &[what, by, list] : {std::array{"\"kind\": \"class\"", "\"kind\": \"box\"", "targets"},
                                       std::array{"\"metrics\": [", "\"metrics\": [{\"name\": \"x\"}, ", "metrics"},
                                       std::array{"\"kind\": \"image\"", "\"kind\": \"text\"", "inputs"}}) {
    const Status status = runtime::parseManifest(replaced(what, by)).status();
    EXPECT_TRUE(contains(status.message(), concat("the task has other ", list, " than one of the kind '")))
        << status.message();
  }
}

TEST(ProgramStart, RefusesAManifestThatIsWrong) {
  EXPECT_EQ(runWith("{"), 1);
  EXPECT_EQ(runWith("{}"), 1);
  EXPECT_EQ(runWith(replaced("\"arena_bytes\"", "\"arena_bites\"")), 1);
  EXPECT_EQ(runWith(replaced("\"layout\": \"k16\"", "\"layout\": \"k8\"")), 1);
  EXPECT_EQ(runWith(replaced("\"offset\": 0", "\"offset\": 99999999")), 1);
  EXPECT_EQ(runWith(replaced("\"shape\": [10, 3072]", "\"shape\": [4611686018427387904, 4]")), 1);
  EXPECT_EQ(runWith(replaced("\"rank\"", "\"rang\"")), 1);
  // Another's state has another's shape.
  EXPECT_EQ(runWith(replaced("\"parameter\": \"fc.bias\"", "\"parameter\": \"fc.weight\"")), 1);
  EXPECT_EQ(runWith(replaced("\"parameter\": \"fc.bias\"", "\"parameter\": \"fc.none\"")), 1);
  ResinProgram later = programDoubleWith(programDoubleManifest());
  later.abi_version = 999;
  const char *argv[] = {"net", "bench"};
  EXPECT_EQ(runtime::runProgram(later, 2, argv), 1);
}

} // namespace
