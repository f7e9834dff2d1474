//===- LearningRate.h - The rate of each step -------------------*- C++ -*-===//
//
// With t the updates made so far, E the updates of an epoch, W = warmup * E and
// T = epochs * E:
//
//   t < W      peak * (t + 1) / W
//   constant   peak
//   step       peak * factor ^ floor(t / (every * E))
//   cosine     final + (peak - final) * (1 + cos(pi * (t - W) / (T - W))) / 2
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_LEARNINGRATE_H
#define RESIN_RUNTIME_LEARNINGRATE_H

#include "runtime/Recipe.h"

namespace resin::runtime {

double learningRate(const Schedule &schedule, int64_t step, int64_t stepsPerEpoch, int64_t epochs);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_LEARNINGRATE_H
