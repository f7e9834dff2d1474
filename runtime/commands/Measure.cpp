//===- Measure.cpp - Entry points and their kernels under the clock -------===//

#include "runtime/commands/Measure.h"

#include "runtime/Signals.h"
#include "support/Philox.h"

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace resin;
using namespace resin::runtime;
using Clock = std::chrono::steady_clock;

static double median(std::vector<double> values) {
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
  std::vector<double> outputs;        ///< of the first call
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
  model.write<float>(*function.input(), subject.image);
  if (const Tensor *label = function.target()) {
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
  const int32_t seed[] = {0, 0};
  if (const Tensor *argument = function.argument("seed"))
    model.write<int32_t>(*argument, seed);
}

/// A kernel may serve several functions, so each call is counted by itself.
static void addCounters(Model &model, Subject &subject, int sign) {
  for (size_t k = 0; k < subject.counters.size(); ++k) {
    const ResinCounter now = model.device().counter(k);
    subject.counters[k].ticks += static_cast<uint64_t>(sign) * now.ticks;
    subject.counters[k].calls += static_cast<uint64_t>(sign) * now.calls;
  }
}

/// Prepared weights share memory with a training step's temporaries: after one they are made anew, before anything is
/// timed or counted.
static void prepareFor(Model &model, const Subject &subject) {
  if (subject.function->name != "train_step")
    model.prepare();
}

/// Seconds of one call.
static double call(Model &model, const Subject &subject) {
  writeArguments(model, subject);
  const Clock::time_point start = Clock::now();
  model.call(*subject.function);
  return since(start);
}

static std::vector<double> outputsOf(Model &model, const Function &function) {
  std::vector<double> outputs;
  if (const Tensor *loss = function.loss())
    for (float value : model.read<float>(*loss))
      outputs.push_back(value);
  if (const Tensor *logits = function.output()) {
    const std::vector<float> all = model.read<float>(*logits);
    outputs.insert(outputs.end(), all.begin(), all.begin() + model.manifest().classes);
  }
  for (const Variable &variable : model.manifest().variables) {
    if (function.name != "train_step" || variable.role != Role::Slot)
      continue;
    double squares = 0;
    for (float value : model.elements(variable))
      squares += static_cast<double>(value) * value;
    outputs.push_back(std::sqrt(squares));
  }
  return outputs;
}

/// Calls in a row, as a server or a training loop makes them. The first, which finds the caches as others left them,
/// counts only if it fills the turn by itself.
static void takeTurn(Model &model, Subject &subject) {
  constexpr double kTurn = 0.05;
  prepareFor(model, subject);
  const std::vector<ResinCounter> before = subject.counters;
  addCounters(model, subject, -1);
  double spent = call(model, subject);
  if (spent >= kTurn)
    subject.seconds.push_back(spent);
  else {
    subject.counters = before;
    addCounters(model, subject, -1);
  }
  for (; spent < kTurn; spent += subject.seconds.back())
    subject.seconds.push_back(call(model, subject));
  addCounters(model, subject, 1);
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

static bool isAsked(const std::string &function, const std::string &only) {
  const bool trains = function == "train_step", predicts = function.starts_with("predict_");
  return (trains || predicts) &&
         (only.empty() || only == function || (only == "train" && trains) || (only == "predict" && predicts));
}

static StatusOr<std::vector<Subject>> subjectsOf(const Manifest &manifest, const std::string &only) {
  std::vector<Subject> subjects;
  std::string known = "train, predict";
  for (const Function &function : manifest.functions) {
    if (isAsked(function.name, only))
      subjects.push_back({&function, randomImages(*function.input()), {}, {}, {}});
    if (isAsked(function.name, "predict"))
      known += ", " + function.name;
  }
  if (subjects.empty())
    return Status::usage("--only: '", only, "' is not one of ", known);
  return subjects;
}

StatusOr<Measurement> resin::runtime::measure(Model &model, double limit, const std::string &only) {
  StatusOr<std::vector<Subject>> asked = subjectsOf(model.manifest(), only);
  if (asked.failed())
    return asked.status();
  std::vector<Subject> &subjects = *asked;
  for (Subject &subject : subjects) { // caches and pages
    prepareFor(model, subject);
    call(model, subject);
    subject.outputs = outputsOf(model, *subject.function);
    subject.counters.assign(model.manifest().kernels.size(), {});
  }
  std::vector<double> peaks;
  const Clock::time_point start = Clock::now();
  const uint64_t firstTick = model.device().clock();
  while ((peaks.size() < 3 || since(start) < limit) && (peaks.empty() || !stopSignal())) {
    peaks.push_back(model.device().measurePeak());
    for (Subject &subject : subjects)
      takeTurn(model, subject);
  }
  const double secondsPerTick = since(start) / static_cast<double>(model.device().clock() - firstTick);
  Measurement result{.peak = *std::max_element(peaks.begin(), peaks.end()), .functions = {}, .kernels = {}};
  for (const Subject &subject : subjects) {
    result.functions.push_back({subject.function, median(subject.seconds),
                                *std::min_element(subject.seconds.begin(), subject.seconds.end()),
                                subject.seconds.size(), subject.outputs});
    for (const KernelRow &row : kernelRows(model.manifest(), subject, secondsPerTick))
      result.kernels.push_back(row);
  }
  return result;
}
