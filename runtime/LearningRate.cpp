//===- LearningRate.cpp - The rate of each step ---------------------------===//

#include "runtime/LearningRate.h"

#include <algorithm>
#include <cmath>

using namespace resin::runtime;

double resin::runtime::learningRate(const Schedule &schedule, int64_t step, int64_t stepsPerEpoch, int64_t epochs) {
  const double t = static_cast<double>(step), epoch = static_cast<double>(stepsPerEpoch);
  const double warmup = schedule.kind == Schedule::Kind::Constant ? 0 : schedule.warmup * epoch;
  if (t < warmup)
    return schedule.peak * std::min(1.0, (t + 1) / warmup);
  switch (schedule.kind) {
  case Schedule::Kind::Constant:
    return schedule.peak;
  case Schedule::Kind::Step:
    return schedule.peak * std::pow(schedule.factor, std::floor(t / (schedule.every * epoch)));
  case Schedule::Kind::Cosine:
    break;
  }
  const double length = static_cast<double>(epochs) * epoch - warmup;
  const double done = length > 0 ? std::min(1.0, (t - warmup) / length) : 1;
  return schedule.final + (schedule.peak - schedule.final) * (1 + std::cos(M_PI * done)) / 2;
}
