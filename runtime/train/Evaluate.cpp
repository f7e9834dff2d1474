//===- Evaluate.cpp - How good the network is on a set --------------------===//

#include "runtime/train/Evaluate.h"
#include "runtime/Signals.h"
#include "runtime/data/BatchWriter.h"
#include "runtime/device/cpu/ThreadPool.h"
#include "runtime/report/Progress.h"

#include <cmath>

using namespace resin;
using namespace resin::runtime;

namespace {
struct Totals {
  double loss = 0;
  int64_t top1 = 0, top5 = 0;
  std::optional<int64_t> notFinite;
};
} // namespace

/// Writes images first .. first+batch-1; beyond the set, label -1.
static void writeBatch(Model &model, const Function &function, const BatchWriter &writer, const ImageSet &set,
                       int64_t first) {
  float *image = model.staging<float>(*function.argument("image"));
  std::vector<int32_t> labels(function.batch, -1);
  model.pool().run(function.batch, [&](int64_t slot, int64_t) {
    const int64_t index = first + slot;
    if (index >= set.size())
      return writer.clear(image, slot);
    writer.writePixels(image, slot, set.image(index), View());
    labels[slot] = set.labels[index];
  });
  model.upload(*function.argument("image"));
  model.write<int32_t>(*function.argument("label"), labels);
}

/// Adds the images first .. first+images-1.
static void addBatch(Model &model, const Function &function, int64_t first, int64_t images, Totals &totals) {
  const std::vector<float> loss = model.read<float>(*function.result("loss"));
  const std::vector<int32_t> rank = model.read<int32_t>(*function.result("rank"));
  for (int64_t i = 0; i < images; ++i) {
    totals.loss += loss[i];
    totals.top1 += rank[i] < 1;
    totals.top5 += rank[i] < 5;
    if (!std::isfinite(loss[i]) && !totals.notFinite)
      totals.notFinite = first + i;
  }
}

StatusOr<Score> resin::runtime::evaluate(Model &model, const ImageSet &set, const PixelScale &scale) {
  const Function *function = model.function("evaluate");
  if (!function)
    return Status(ExitCode::Failure, "this program was built without 'evaluate'");
  assert(set.size() > 0 && "there is an image");
  const BatchWriter writer(*function->argument("image"), scale);
  const int64_t batches = (set.size() + function->batch - 1) / function->batch;
  model.prepare();
  Totals totals;
  Progress progress("evaluate", batches);
  for (int64_t i = 0; i < batches; ++i) {
    if (stopSignal())
      return stopped("before the evaluation was over");
    const int64_t first = i * function->batch;
    writeBatch(model, *function, writer, set, first);
    model.call(*function);
    addBatch(model, *function, first, std::min(function->batch, set.size() - first), totals);
    progress.update(i + 1, [] { return std::string(); });
  }
  const double images = static_cast<double>(set.size());
  return Score{totals.loss / images, 100.0 * static_cast<double>(totals.top1) / images,
               100.0 * static_cast<double>(totals.top5) / images, totals.notFinite};
}
