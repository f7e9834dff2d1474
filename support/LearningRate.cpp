//===- LearningRate.cpp - The rate of each update -------------------------===//

#include "support/LearningRate.h"

#include <algorithm>
#include <cassert>
#include <cmath>

using namespace resin;
using namespace resin::recipe;

static double constantRate(const std::vector<double> &values, const Moment &) { return values[0]; }

static double stepRate(const std::vector<double> &values, const Moment &at) {
  const double peak = values[0], every = values[1], factor = values[2];
  return peak * std::pow(factor, std::floor(at.done / (every * at.perEpoch)));
}

static double cosineRate(const std::vector<double> &values, const Moment &at) {
  const double peak = values[0], final = values[2], length = at.all - at.warmup;
  const double done = length > 0 ? std::min(1.0, (at.done - at.warmup) / length) : 1;
  return final + (peak - final) * (1 + std::cos(M_PI * done)) / 2;
}

const std::vector<ScheduleSpec> &resin::getSchedules() {
  const Value zero = Value::ofNumber(0);
  static const std::vector<ScheduleSpec> schedules = {
      {{"constant", {{"value", Type::Positive}}}, constantRate},
      {{"step",
        {{"peak", Type::Positive},
         {"every", Type::Span},
         {"factor", Type::Positive, Value::ofNumber(0.1)},
         {"warmup", Type::NonNegative, zero}}},
       stepRate},
      {{"cosine", {{"peak", Type::Positive}, {"warmup", Type::NonNegative, zero}, {"final", Type::NonNegative, zero}}},
       cosineRate},
  };
  return schedules;
}

double Schedule::warmup() const {
  const std::vector<FieldSpec> &fields = spec->record.fields;
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == "warmup")
      return values[i];
  return 0;
}

Schedule resin::makeSchedule(const Value &record) {
  Schedule schedule;
  auto isIt = [&](const ScheduleSpec &spec) { return spec.record.name == record.name; };
  auto found = std::find_if(getSchedules().begin(), getSchedules().end(), isIt);
  assert(found != getSchedules().end() && "a settled record is one of the table's");
  schedule.spec = &*found;
  schedule.values.clear();
  for (const Field &field : record.fields)
    schedule.values.push_back(field.value.getNumber());
  return schedule;
}

Value resin::toValue(const Schedule &schedule) {
  std::vector<Field> fields;
  for (size_t i = 0; i < schedule.values.size(); ++i)
    fields.push_back({schedule.spec->record.fields[i].name, Value::ofNumber(schedule.values[i])});
  return Value::ofRecord(schedule.name(), std::move(fields));
}

double resin::learningRate(const Schedule &schedule, int64_t done, int64_t perEpoch, int64_t epochs) {
  const double t = static_cast<double>(done), epoch = static_cast<double>(perEpoch);
  const double warmup = schedule.warmup() * epoch;
  if (t < warmup)
    return schedule.peak() * std::min(1.0, (t + 1) / warmup);
  return schedule.spec->rateAt(schedule.values, {t, epoch, warmup, static_cast<double>(epochs) * epoch});
}
