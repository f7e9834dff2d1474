//===- TrainLoop.h - Training -----------------------------------*- C++ -*-===//

#ifndef RESIN_RUNTIME_TRAIN_TRAINLOOP_H
#define RESIN_RUNTIME_TRAIN_TRAINLOOP_H

#include "runtime/Model.h"
#include "runtime/data/Loader.h"
#include "runtime/train/Metrics.h"
#include "runtime/train/RunFolder.h"
#include "runtime/train/RunState.h"

#include <chrono>

namespace resin::runtime {

struct DataSet {
  std::unique_ptr<Source> train, test;
};

class TrainLoop {
public:
  /// Trains until the recipe's epochs are over or `steps` updates were made (-1: no
  /// such end).
  TrainLoop(Model &model, const DataSet &data, RunState &state, RunFolder &folder, Metrics &metrics, int64_t steps);

  Status run();

private:
  bool isOver() const;
  bool epochIsOver() const;
  Status trainEpoch();
  Pass passOf(int64_t epoch) const;
  Status step(double rate);
  Status closeEpoch();
  Status trySave(bool isBest);
  Status save(bool isBest = false);
  Status saveNowAndThen();
  Status saveAtLast();
  Status saveAndLeave();

  double rateOf(int64_t step) const;
  std::string facts(double rate) const;

  using Clock = std::chrono::steady_clock;

  Model &model;
  const DataSet &data;
  RunState &state;
  Position &at;
  RunFolder &folder;
  Metrics &metrics;
  const int64_t lastStep;
  const Function &function; ///< train_step
  Loader loader;
  const int64_t stepsPerEpoch;
  Clock::time_point saved;
  int64_t failures = 0;              ///< saves that failed since the last that did not
  double secondsBefore, seconds = 0; ///< training, before this start and since
  double epochSeconds = 0;
  double epochWaited = 0;  ///< of those, for data
  int64_t epochImages = 0; ///< for images a second
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TRAIN_TRAINLOOP_H
