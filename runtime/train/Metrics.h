//===- Metrics.h - A row for each epoch -------------------------*- C++ -*-===//
//
// The same rows in `metrics.csv` and `metrics.jsonl`. Losses are means in nats,
// top-1 is in percent, seconds are those spent training since the run began.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_TRAIN_METRICS_H
#define RESIN_RUNTIME_TRAIN_METRICS_H

#include "runtime/train/RunFolder.h"
#include "support/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace resin::runtime {

struct MetricsRow {
  int64_t epoch = 0, step = 0;
  double trainLoss = 0, trainTop1 = 0, evalLoss = 0, evalTop1 = 0;
  double learningRate = 0, imagesPerSecond = 0, seconds = 0;
  double dataSeconds = 0; ///< for which its steps waited for data
};

class Metrics {
public:
  /// Takes the rows of epochs up to `epochs` that are there, for a run that goes on; writes nothing yet.
  static Metrics open(const RunFolder &folder, int64_t epochs);

  /// For the next `save`.
  void add(const MetricsRow &row);
  /// Writes both files, if they are not as the rows are.
  Status save();
  const std::vector<MetricsRow> &rows() const { return all; }

private:
  void read(int64_t epochs);

  std::string csvPath, jsonPath;
  std::vector<MetricsRow> all;
  bool isSaved = false;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_TRAIN_METRICS_H
