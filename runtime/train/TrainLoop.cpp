//===- TrainLoop.cpp - Training -------------------------------------------===//
//
// For each epoch:
//
//   1. Put the training images into the epoch's order and drop the last incomplete
//      batch. For each batch: load its images and labels where the network reads
//      them, set the rate, make one update.
//   2. Evaluate on the test set, report a row, save.
//
// What a step does is a function of (seed, epoch, sample, step) and of the weights;
// a run that stops anywhere and resumes makes the very updates it would have made.
//
//===----------------------------------------------------------------------===//

#include "runtime/train/TrainLoop.h"
#include "runtime/Signals.h"
#include "runtime/report/Progress.h"
#include "runtime/train/Evaluate.h"
#include "support/Philox.h"

#include <cmath>
#include <cstdio>
#include <numeric>
#include <thread>

using namespace resin;
using namespace resin::runtime;

// A long epoch is saved on the way, so that a power cut costs minutes.
static constexpr std::chrono::minutes kBetweenSaves(10);
// Whoever stops a program waits some ten seconds before killing it.
static constexpr int kLastTries = 2;
static constexpr std::chrono::seconds kBetweenLastTries(1);

TrainLoop::TrainLoop(Model &model, const DataSet &data, RunState &state, RunFolder &folder, Metrics &metrics,
                     int64_t steps)
    : model(model), data(data), state(state), at(state.position), folder(folder), metrics(metrics), lastStep(steps),
      function(*model.function("train_step")), loader(model, function, *data.train, state.scale),
      stepsPerEpoch(data.train->size() / function.batch), saved(Clock::now()),
      secondsBefore(metrics.rows().empty() ? 0 : metrics.rows().back().seconds) {}

Status TrainLoop::run() {
  // A folder that takes nothing is found now, while nothing is lost.
  if (Status status = at.step == 0 ? trySave(false) : metrics.save(); status.failed())
    return status;
  while (!isOver()) {
    if (Status status = trainEpoch(); status.failed())
      return status;
    if (Status status = closeEpoch(); status.failed())
      return status;
  }
  return failures > 0 ? saveAtLast() : Status();
}

bool TrainLoop::isOver() const {
  return at.epoch >= state.settings.recipe.epochs || (lastStep >= 0 && at.step >= lastStep);
}

bool TrainLoop::epochIsOver() const { return at.imagesInEpoch + function.batch > data.train->size(); }

//===----------------------------------------------------------------------===//
// 1. The updates of an epoch
//===----------------------------------------------------------------------===//

static std::vector<int64_t> orderOf(const Settings &settings, int64_t images, int64_t epoch) {
  return settings.shuffle ? shuffled(images, settings.recipe.seed, epoch) : filesOrder(images);
}

/// What is left of an epoch.
Pass TrainLoop::passOf(int64_t epoch) const {
  const Recipe &recipe = state.settings.recipe;
  Pass pass{orderOf(state.settings, data.train->size(), epoch), at.imagesInEpoch, {}};
  const int64_t left = std::max<int64_t>(0, data.train->size() - pass.first);
  pass.order.resize(static_cast<size_t>(pass.first + left / function.batch * function.batch));
  pass.view = [&recipe, epoch, width = data.train->fields().front().shape.back()](int64_t sample) {
    return drawView(recipe.augment, recipe.seed, epoch, sample, width);
  };
  return pass;
}

Status TrainLoop::trainEpoch() {
  loader.begin(passOf(at.epoch));
  Progress progress(concat("epoch ", at.epoch + 1, "/", state.settings.recipe.epochs), stepsPerEpoch,
                    at.imagesInEpoch / function.batch);
  while (!epochIsOver() && !isOver()) {
    if (stopSignal())
      return saveAndLeave();
    const double rate = rateOf(at.step);
    const Clock::time_point start = Clock::now();
    const double waited = loader.waited();
    if (Status status = loader.next(); status.failed())
      return status;
    if (Status status = step(rate); status.failed())
      return status;
    const double took = std::chrono::duration<double>(Clock::now() - start).count();
    seconds += took;
    epochSeconds += took;
    epochWaited += loader.waited() - waited;
    epochImages += function.batch;
    progress.update(at.imagesInEpoch / function.batch, [&] { return facts(rate); });
    if (Status status = saveNowAndThen(); status.failed())
      return status;
  }
  return {};
}

/// Makes one update and adds its losses to the epoch's.
Status TrainLoop::step(double rate) {
  const float number = static_cast<float>(at.step + 1), learningRate = static_cast<float>(rate);
  const philox::Words words = philox::block(philox::keyOf(state.settings.recipe.seed), philox::hashName("dropout"),
                                            static_cast<uint64_t>(at.step));
  const int32_t seed[] = {static_cast<int32_t>(words[0]), static_cast<int32_t>(words[1])};
  if (const Tensor *argument = function.argument("learning_rate"))
    model.write<float>(*argument, {&learningRate, 1});
  if (const Tensor *argument = function.argument("step"))
    model.write<float>(*argument, {&number, 1});
  if (const Tensor *argument = function.argument("seed"))
    model.write<int32_t>(*argument, seed);

  model.call(function);

  const std::vector<float> loss = model.read<float>(*function.loss());
  const std::vector<int32_t> rank = model.read<int32_t>(*function.rank());
  const double sum = std::accumulate(loss.begin(), loss.end(), 0.0);
  if (!std::isfinite(sum))
    return {ExitCode::Failure, concat("step ", at.step + 1, " (epoch ", at.epoch + 1, "): the loss is ", sum,
                                      ": training has diverged; the last good checkpoint is ",
                                      folder.file("last.safetensors"), "; try a lower rate (--lr)")};
  at.lossSum += sum;
  at.correct += std::count(rank.begin(), rank.end(), 0);
  ++at.step;
  at.imagesInEpoch += function.batch;
  return {};
}

//===----------------------------------------------------------------------===//
// 2. The end of an epoch
//===----------------------------------------------------------------------===//

Status TrainLoop::closeEpoch() {
  StatusOr<Score> score = evaluate(model, *data.test, state.scale);
  if (score.failed())
    return stopSignal() ? saveAndLeave() : score.status();
  if (!std::isfinite(score->loss))
    return {ExitCode::Failure,
            concat("epoch ", at.epoch + 1, ": the loss on the test set is ", score->loss,
                   ": training has diverged; the last good checkpoint is ", folder.file("last.safetensors"))};

  const double images = static_cast<double>(at.imagesInEpoch);
  MetricsRow row;
  row.epoch = at.epoch + 1;
  row.step = at.step;
  row.trainLoss = at.lossSum / images;
  row.trainTop1 = 100 * static_cast<double>(at.correct) / images;
  row.evalLoss = score->loss;
  row.evalTop1 = score->top1;
  row.learningRate = rateOf(at.step - 1);
  row.imagesPerSecond = epochSeconds > 0 ? static_cast<double>(epochImages) / epochSeconds : 0;
  row.seconds = secondsBefore + seconds;
  row.dataSeconds = epochWaited;
  epochSeconds = epochWaited = 0;
  epochImages = 0;

  const bool isBest = row.evalTop1 > at.bestTop1;
  // An epoch cut short by --steps is reported, but stays open for a run that goes on.
  if (epochIsOver())
    at = {.epoch = at.epoch + 1, .step = at.step, .bestTop1 = std::max(at.bestTop1, row.evalTop1)};

  metrics.add(row);
  if (Status status = save(isBest); status.failed())
    return status;
  std::printf("epoch %lld  step %lld  train_loss %.4f  train_top1 %.2f  eval_loss %.4f  eval_top1 %.2f  lr %.4g  "
              "images_per_second %.1f  data_seconds %.3g\n",
              static_cast<long long>(row.epoch), static_cast<long long>(row.step), row.trainLoss, row.trainTop1,
              row.evalLoss, row.evalTop1, row.learningRate, row.imagesPerSecond, row.dataSeconds);
  std::fflush(stdout);
  return {};
}

//===----------------------------------------------------------------------===//
// Saving and saying
//===----------------------------------------------------------------------===//

Status TrainLoop::trySave(bool isBest) {
  saved = Clock::now();
  takeSaveRequest();
  // A row comes before the checkpoint that counts its epoch: a run killed in between
  // writes it again rather than never. Where rows cannot be written, weights may still.
  Status rows = at.step > 0 ? metrics.save() : Status();
  if (Status status = folder.save(model, state, isBest); status.failed())
    return status;
  // The rows of a run that this one replaces stay until it has a checkpoint.
  return at.step > 0 ? rows : metrics.save();
}

static bool cannotWrite(const Status &status) {
  return status.code() == ExitCode::IoError || status.code() == ExitCode::CannotCreate;
}

/// What cannot be written ends no run: it is said, and tried again at the next save.
Status TrainLoop::save(bool isBest) {
  Status status = trySave(isBest);
  if (!cannotWrite(status)) {
    if (failures > 0 && status.ok())
      std::fprintf(stderr, "saved    step %lld, after %lld failed attempts\n", static_cast<long long>(at.step),
                   static_cast<long long>(std::exchange(failures, 0)));
    return status;
  }
  ++failures;
  std::fprintf(stderr, "warning: %s (step %lld, failure %lld in a row): the run goes on and will try again\n",
               status.message().c_str(), static_cast<long long>(at.step), static_cast<long long>(failures));
  return {};
}

Status TrainLoop::saveNowAndThen() {
  const bool isDue = Clock::now() - saved >= kBetweenSaves;
  return takeSaveRequest() || isDue ? save() : Status();
}

/// The save that the program ends with.
Status TrainLoop::saveAtLast() {
  Status status = trySave(false);
  for (int again = 0; again < kLastTries && cannotWrite(status); ++again) {
    std::this_thread::sleep_for(kBetweenLastTries);
    status = trySave(false);
  }
  if (!cannotWrite(status))
    return status;
  return Status::ioError(status.message(), ": what was trained up to step ", at.step,
                         " is lost but for what an earlier save left in ", folder.file("last.safetensors"));
}

Status TrainLoop::saveAndLeave() {
  if (Status status = saveAtLast(); status.failed())
    return status;
  return stopped(
      concat("saved ", folder.file("last.safetensors"), " at step ", at.step, "; --resume goes on from there"));
}

double TrainLoop::rateOf(int64_t step) const {
  const Recipe &recipe = state.settings.recipe;
  return learningRate(recipe.schedule, step, stepsPerEpoch, recipe.epochs);
}

std::string TrainLoop::facts(double rate) const {
  const double images = static_cast<double>(at.imagesInEpoch);
  char text[160];
  std::snprintf(text, sizeof text, "loss %.4f  top-1 %.1f %%  lr %.4g  %.0f images/s  data %.1f %%",
                at.lossSum / images, 100 * static_cast<double>(at.correct) / images, rate,
                static_cast<double>(epochImages) / epochSeconds, 100 * epochWaited / epochSeconds);
  return text;
}
