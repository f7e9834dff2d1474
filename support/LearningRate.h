//===- LearningRate.h - The rate of each update -----------------*- C++ -*-===//
//
// A table of schedules: name, fields, and the rate as a function of how far a run
// has come. With t the updates made so far, E the updates of an epoch,
// W = warmup * E and T = epochs * E:
//
//   t < W      peak * (t + 1) / W
//   constant   value
//   step       peak * factor ^ floor(t / (every * E))
//   cosine     final + (peak - final) * (1 + cos(pi * (t - W) / (T - W))) / 2
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_LEARNINGRATE_H
#define RESIN_SUPPORT_LEARNINGRATE_H

#include "support/RecipeSchema.h"

namespace resin {

/// Where a run stands, in updates.
struct Moment {
  double done;     ///< t
  double perEpoch; ///< E
  double warmup;   ///< W
  double all;      ///< T
};

/// A schedule of the language; its first field is the rate that the warm-up leads to.
struct ScheduleSpec {
  recipe::RecordSpec record;
  /// The rate behind the warm-up; `values` are those of the record's fields, in their order.
  double (*rateAt)(const std::vector<double> &values, const Moment &at);
};

const std::vector<ScheduleSpec> &getSchedules();

/// A schedule with its numbers.
struct Schedule {
  const ScheduleSpec *spec = &getSchedules().front();
  std::vector<double> values = {0.1};

  const std::string &name() const { return spec->record.name; }
  double peak() const { return values.front(); }
  /// Epochs; 0 where the schedule has none.
  double warmup() const;
};

/// Of a settled record, and back.
Schedule makeSchedule(const recipe::Value &record);
recipe::Value toValue(const Schedule &schedule);

/// The rate of the update after `done` ones.
double learningRate(const Schedule &schedule, int64_t done, int64_t perEpoch, int64_t epochs);

} // namespace resin

#endif // RESIN_SUPPORT_LEARNINGRATE_H
