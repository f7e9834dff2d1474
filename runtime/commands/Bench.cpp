//===- Bench.cpp - net bench ----------------------------------------------===//
//
// Trains and predicts on random numbers that stay in memory, in rounds: a round is
// the peak of the machine, one train step, and each size of predict. Medians over
// the rounds are reported, so that what else the machine does touches all alike.
//
// A kernel's time is the sum over its calls and workers, by the cycle counter,
// which is held against the clock over the whole run.
//
//===----------------------------------------------------------------------===//

#include "runtime/FmaPeak.h"
#include "runtime/Initialize.h"
#include "runtime/Model.h"
#include "runtime/Signals.h"
#include "runtime/commands/Commands.h"
#include "runtime/commands/Facts.h"
#include "support/Philox.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <x86intrin.h>

using namespace resin;
using namespace resin::runtime;
using Clock = std::chrono::steady_clock;

static double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

static double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

namespace {
/// One entry point under the clock.
struct Subject {
  const Function *function;
  std::vector<float> image; ///< its random images
  std::vector<double> seconds;
  std::vector<ResinCounter> counters; ///< what its calls added, by kernel
};

struct KernelRow {
  const Kernel *kernel;
  const Function *function;
  double calls = 0, seconds = 0; ///< in one call of the function; seconds of all workers together
  double share = 0;              ///< of all kernels of that function
};

struct Report {
  double peak = 0; ///< GFLOP/s
  std::vector<Subject> subjects;
  std::vector<KernelRow> kernels;
};
} // namespace

static std::vector<float> randomImages(const Tensor &image) {
  std::vector<float> numbers(image.elements());
  for (uint64_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(4 * philox::uniform(1, philox::hashName("bench"), i) - 2);
  return numbers;
}

/// Memory is reused within a step, so the arguments are written anew before each.
static void writeArguments(Model &model, const Subject &subject) {
  const Function &function = *subject.function;
  model.write<float>(*function.argument("image"), subject.image);
  if (const Tensor *label = function.argument("label")) {
    std::vector<int32_t> labels(function.batch);
    for (size_t i = 0; i < labels.size(); ++i)
      labels[i] = static_cast<int32_t>(static_cast<int64_t>(i * 7) % model.manifest().classes);
    model.write<int32_t>(*label, labels);
  }
  // A rate of almost nothing: weights stay finite however long it runs.
  const float rate = 1e-6f, step = 1;
  if (const Tensor *argument = function.argument("learning_rate"))
    model.write<float>(*argument, {&rate, 1});
  if (const Tensor *argument = function.argument("step"))
    model.write<float>(*argument, {&step, 1});
}

/// A kernel may serve several functions, so each call is counted by itself.
static void addCounters(Model &model, Subject &subject, int sign) {
  for (size_t k = 0; k < subject.counters.size(); ++k) {
    const ResinCounter now = model.counter(k);
    subject.counters[k].ticks += static_cast<uint64_t>(sign) * now.ticks;
    subject.counters[k].calls += static_cast<uint64_t>(sign) * now.calls;
  }
}

static void runOnce(Model &model, Subject &subject) {
  if (subject.function->name != "train_step")
    model.prepare();
  writeArguments(model, subject);
  addCounters(model, subject, -1);
  const Clock::time_point start = Clock::now();
  model.call(*subject.function);
  subject.seconds.push_back(since(start));
  addCounters(model, subject, 1);
}

/// `only` is "train", "predict", or empty for both.
static std::vector<Subject> subjectsOf(const Manifest &manifest, const std::string &only) {
  std::vector<Subject> subjects;
  for (const Function &function : manifest.functions)
    if ((function.name == "train_step" && only != "predict") || (function.name.starts_with("predict_") && only != "train"))
      subjects.push_back({&function, randomImages(*function.argument("image")), {}, {}});
  return subjects;
}

/// Ticks of every kernel become seconds of one call of its function, longest first.
static std::vector<KernelRow> kernelRows(const Manifest &manifest, const Subject &subject, double secondsPerTick) {
  std::vector<KernelRow> rows;
  const double runs = static_cast<double>(subject.seconds.size());
  double sum = 0;
  for (size_t k = 0; k < subject.counters.size(); ++k) {
    const ResinCounter &counter = subject.counters[k];
    if (counter.calls == 0)
      continue;
    rows.push_back({&manifest.kernels[k], subject.function, static_cast<double>(counter.calls) / runs,
                    static_cast<double>(counter.ticks) * secondsPerTick / runs, 0});
    sum += rows.back().seconds;
  }
  for (KernelRow &row : rows)
    row.share = row.seconds / sum;
  std::sort(rows.begin(), rows.end(), [](const KernelRow &a, const KernelRow &b) { return a.seconds > b.seconds; });
  return rows;
}

static Report measureAll(Model &model, double limit, const std::string &only) {
  Report report;
  report.subjects = subjectsOf(model.manifest(), only);
  for (Subject &subject : report.subjects) { // caches and pages
    runOnce(model, subject);
    subject.seconds.clear();
    subject.counters.resize(model.manifest().kernels.size());
  }
  std::vector<double> peaks;
  const Clock::time_point start = Clock::now();
  const uint64_t firstTick = __rdtsc();
  while ((peaks.size() < 3 || since(start) < limit) && !stopSignal()) {
    peaks.push_back(measureFmaPeak(model.pool()));
    for (Subject &subject : report.subjects)
      runOnce(model, subject);
  }
  const double secondsPerTick = since(start) / static_cast<double>(__rdtsc() - firstTick);
  report.peak = *std::max_element(peaks.begin(), peaks.end());
  for (const Subject &subject : report.subjects)
    for (const KernelRow &row : kernelRows(model.manifest(), subject, secondsPerTick))
      report.kernels.push_back(row);
  return report;
}

static double gflops(const KernelRow &row) {
  return row.seconds > 0 ? row.calls * row.kernel->flops / row.seconds / 1e9 : 0;
}

static void printJson(const Report &report, const Manifest &manifest, unsigned threads) {
  nlohmann::ordered_json json = {{"model", manifest.model},
                                 {"hash", manifest.hash},
                                 {"target", manifest.target},
                                 {"threads", threads},
                                 {"peak_gflops", report.peak},
                                 {"train_batch", manifest.batch},
                                 {"train_images_per_second", 0.0},
                                 {"train_milliseconds", 0.0},
                                 {"predict", nlohmann::ordered_json::array()}};
  for (const Subject &subject : report.subjects) {
    const double seconds = median(subject.seconds), rate = static_cast<double>(subject.function->batch) / seconds;
    if (subject.function->name != "train_step") {
      json["predict"].push_back(
          {{"batch", subject.function->batch}, {"milliseconds", 1e3 * seconds}, {"images_per_second", rate}});
      continue;
    }
    json["train_batch"] = subject.function->batch;
    json["train_images_per_second"] = rate;
    json["train_milliseconds"] = 1e3 * seconds;
  }
  json["kernels"] = nlohmann::ordered_json::array();
  for (const KernelRow &row : report.kernels)
    json["kernels"].push_back({{"name", row.kernel->name},
                               {"function", row.function->name},
                               {"layer", row.kernel->layer},
                               {"source", row.kernel->source},
                               {"calls", row.calls},
                               {"milliseconds", 1e3 * row.seconds},
                               {"gflops", gflops(row)},
                               {"share", row.share}});
  json["peak_memory_bytes"] = peakMemory();
  std::printf("%s\n", json.dump(2).c_str());
}

static void printTable(const Report &report, const Manifest &manifest, unsigned threads) {
  const double perThread = report.peak / threads;
  for (const Subject &subject : report.subjects) {
    const double seconds = median(subject.seconds);
    std::printf("%-12s batch %4lld  %9.3f ms  %9.1f images/s  median of %zu, fastest %.3f ms\n",
                subject.function->name.c_str(), static_cast<long long>(subject.function->batch), 1e3 * seconds,
                static_cast<double>(subject.function->batch) / seconds, subject.seconds.size(),
                1e3 * *std::min_element(subject.seconds.begin(), subject.seconds.end()));
  }
  std::printf("machine      %u thread%s, %.1f GFLOP/s of multiply-adds, peak memory %.1f MiB\n", threads,
              threads == 1 ? "" : "s", report.peak, static_cast<double>(peakMemory()) / (1 << 20));
  std::string function;
  for (const KernelRow &row : report.kernels) {
    if (function != row.function->name)
      std::printf(
          "\n%s\n  share  thread-ms   calls  GFLOP/s  peak  layer                    source                 kernel\n",
          (function = row.function->name).c_str());
    std::printf("%6.1f%% %10.3f %7.0f %8.1f %4.0f%%  %-24s %-22s %s\n", 100 * row.share, 1e3 * row.seconds, row.calls,
                gflops(row), 100 * gflops(row) / perThread, row.kernel->layer.c_str(), row.kernel->source.c_str(),
                row.kernel->name.c_str());
  }
}

Status resin::runtime::runBench(const ResinProgram &program, const Arguments &arguments) {
  StatusOr<std::unique_ptr<Model>> loaded = Model::load(program, arguments.threads);
  if (loaded.failed())
    return loaded.status();
  Model &model = **loaded;
  initialize(model, model.manifest().recipe.seed);
  std::fprintf(stderr, "bench: %s on %u threads for about %.0f s\n", model.manifest().model.c_str(), arguments.threads,
               arguments.seconds);
  const Report report = measureAll(model, arguments.seconds, arguments.only);
  if (stopSignal())
    return stopped("before the measurement was over");
  arguments.json ? printJson(report, model.manifest(), arguments.threads)
                 : printTable(report, model.manifest(), arguments.threads);
  return {};
}
