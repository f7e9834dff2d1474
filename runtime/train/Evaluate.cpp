//===- Evaluate.cpp - How good the network is on a set --------------------===//

#include "runtime/train/Evaluate.h"
#include "runtime/Signals.h"
#include "runtime/data/Loader.h"
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

/// Adds the images first .. first+images-1.
static void addBatch(Model &model, const Function &function, int64_t first, int64_t images, Totals &totals) {
  const std::vector<float> loss = model.read<float>(*function.loss());
  const std::vector<int32_t> rank = model.read<int32_t>(*function.rank());
  for (int64_t i = 0; i < images; ++i) {
    totals.loss += loss[i];
    totals.top1 += rank[i] < 1;
    totals.top5 += rank[i] < 5;
    if (!std::isfinite(loss[i]) && !totals.notFinite)
      totals.notFinite = first + i;
  }
}

StatusOr<Score> resin::runtime::evaluate(Model &model, const Source &source, const PixelScale &scale) {
  const Function *function = model.function("evaluate");
  if (!function)
    return Status(ExitCode::Failure, "this program was built without 'evaluate'");
  assert(source.size() > 0 && "there is an image");
  Loader loader(model, *function, source, scale);
  loader.begin({filesOrder(source.size()), 0, {}});
  const int64_t batches = (source.size() + function->batch - 1) / function->batch;
  model.prepare();
  Totals totals;
  Progress progress("evaluate", batches);
  for (int64_t i = 0; i < batches; ++i) {
    if (stopSignal())
      return stopped("before the evaluation was over");
    const int64_t first = i * function->batch;
    if (Status status = loader.next(); status.failed())
      return status;
    model.call(*function);
    addBatch(model, *function, first, std::min(function->batch, source.size() - first), totals);
    progress.update(i + 1, [] { return std::string(); });
  }
  const double images = static_cast<double>(source.size());
  return Score{totals.loss / images, 100.0 * static_cast<double>(totals.top1) / images,
               100.0 * static_cast<double>(totals.top5) / images, totals.notFinite};
}
