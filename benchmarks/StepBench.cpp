//===- StepBench.cpp - Whole training steps and predictions ---------------===//
//
//   StepBench PROGRAM...              every program as `resin build` made it
//   StepBench --benchmark_filter=...  and the other flags of Google Benchmark
//
// A program measures itself (`PROGRAM bench --json`), since its step lives in its
// own arena and on its own threads; an iteration here is the median step of one
// such run. `peak_share` is of the multiply-adds that its threads reached in the
// same run, with Winograd's convolutions counted as the plain sum.
//
//===----------------------------------------------------------------------===//

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

/// Standard output of a program run with `arguments`; nothing if it fails. No shell is involved.
std::optional<std::string> outputOf(const std::vector<std::string> &arguments) {
  int ends[2];
  if (pipe(ends))
    return std::nullopt;
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]), close(ends[1]);
    std::vector<char *> argv;
    for (const std::string &argument : arguments)
      argv.push_back(const_cast<char *>(argument.c_str()));
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) != child || status)
    return std::nullopt;
  return text;
}

/// What `PROGRAM bench --json` or `info --json` says.
nlohmann::json ask(const std::string &program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program);
  const std::optional<std::string> text = outputOf(arguments);
  return text ? nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false) : nlohmann::json();
}

/// Floating-point operations of one call of `function`, by its kernels' rows.
double operationsOf(const nlohmann::json &report, const std::string &function) {
  double sum = 0;
  for (const nlohmann::json &row : report["kernels"])
    if (row["function"] == function)
      sum += row["gflops"].get<double>() * row["milliseconds"].get<double>() * 1e6;
  return sum;
}

/// One iteration is one run of `bench`; `milliseconds` finds the time of a step in its report.
template <typename Time>
void runBench(benchmark::State &state, const std::string &program, const char *only, const std::string &function,
              int64_t batch, Time milliseconds) {
  double peak = 0, operations = 0, memory = 0, total = 0;
  for (auto _ : state) {
    const nlohmann::json report = ask(program, {"bench", "--json", "--seconds", "2", "--only", only});
    if (!report.is_object()) {
      state.SkipWithError("the program's bench failed");
      return;
    }
    const double seconds = 1e-3 * milliseconds(report);
    state.SetIterationTime(seconds);
    total += seconds;
    peak = std::max(peak, report["peak_gflops"].get<double>());
    operations = operationsOf(report, function);
    memory = report["peak_memory_bytes"].get<double>();
  }
  const double rate = operations * static_cast<double>(state.iterations()) / total * 1e-9;
  state.counters["images/s"] = static_cast<double>(batch * state.iterations()) / total;
  state.counters["GFLOP/s"] = rate;
  state.counters["peak_share"] = rate / peak;
  state.counters["MiB"] = memory / (1 << 20);
}

void addPredict(const std::string &program, const std::string &model, int64_t batch) {
  const std::string function = "predict_" + std::to_string(batch);
  auto milliseconds = [batch](const nlohmann::json &report) {
    for (const nlohmann::json &row : report["predict"])
      if (row["batch"] == batch)
        return row["milliseconds"].get<double>();
    return 0.0;
  };
  benchmark::RegisterBenchmark(
      ("BM_Predict/" + model + "/b" + std::to_string(batch)).c_str(),
      [=](benchmark::State &state) { runBench(state, program, "predict", function, batch, milliseconds); })
      ->UseManualTime()
      ->Iterations(3)
      ->Unit(benchmark::kMillisecond);
}

void addTrainStep(const std::string &program, const std::string &model, int64_t batch) {
  auto milliseconds = [](const nlohmann::json &report) { return report["train_milliseconds"].get<double>(); };
  benchmark::RegisterBenchmark(
      ("BM_TrainStep/" + model + "/b" + std::to_string(batch)).c_str(),
      [=](benchmark::State &state) { runBench(state, program, "train", "train_step", batch, milliseconds); })
      ->UseManualTime()
      ->Iterations(3)
      ->Unit(benchmark::kMillisecond);
}

/// False if `program` is not one that Resin built.
bool addProgram(const std::string &program) {
  const nlohmann::json info = ask(program, {"bench", "--json", "--seconds", "0"});
  if (!info.is_object() || !info.contains("train_batch"))
    return false;
  const std::string model = info["model"];
  addTrainStep(program, model, info["train_batch"]);
  for (const nlohmann::json &row : info["predict"])
    addPredict(program, model, row["batch"]);
  return true;
}

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (argc < 2) {
    std::cerr << "usage: StepBench PROGRAM... [--benchmark_filter=REGEX]\n  PROGRAM is what `resin build` made, with "
                 "its path\n";
    return 64;
  }
  for (int i = 1; i < argc; ++i)
    if (!addProgram(argv[i])) {
      std::cerr << "error: '" << argv[i] << "' is not a program that Resin built, or cannot run here\n";
      return 66;
    }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
