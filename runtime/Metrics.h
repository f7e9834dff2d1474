//===- Metrics.h - A row for each epoch -------------------------*- C++ -*-===//
//
// The same rows in `metrics.csv` and `metrics.jsonl`. Losses are means in nats,
// top-1 is in percent, seconds are those spent training since the run began.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_METRICS_H
#define RESIN_RUNTIME_METRICS_H

#include "runtime/RunFolder.h"
#include "support/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace resin::runtime {

struct MetricsRow {
  int64_t epoch = 0, step = 0;
  double trainLoss = 0, trainTop1 = 0, evalLoss = 0, evalTop1 = 0;
  double learningRate = 0, imagesPerSecond = 0, seconds = 0;
};

class Metrics {
public:
  /// Keeps the rows of epochs up to `epochs` that are there, for a run that goes on.
  static StatusOr<Metrics> open(const RunFolder &folder, int64_t epochs);

  Status add(const MetricsRow &row);
  const std::vector<MetricsRow> &rows() const { return all; }

private:
  Status rewrite() const;
  std::string csvPath, jsonPath;
  std::vector<MetricsRow> all;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_METRICS_H
