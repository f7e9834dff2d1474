//===- Predict.cpp - net predict ------------------------------------------===//
//
//   1. Read weights and images, and normalise these as the weights' training images
//      were.
//   2. Cut them into the batches that were compiled: the largest that fits what is
//      left, and at the end the smallest, filled up.
//   3. Write the logits, or print the likeliest classes.
//
//===----------------------------------------------------------------------===//

#include "runtime/Model.h"
#include "runtime/Signals.h"
#include "runtime/commands/Commands.h"
#include "runtime/commands/PredictInput.h"
#include "runtime/commands/Scale.h"
#include "runtime/data/Loader.h"
#include "runtime/data/Registry.h"
#include "runtime/train/Checkpoint.h"
#include "support/Files.h"
#include "support/Npy.h"
#include "support/Shape.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

using namespace resin;
using namespace resin::runtime;

/// How the images are to be normalised: as the weights' file says, or else as the recipe does.
static StatusOr<PixelScale> scaleFor(Model &model, const Arguments &arguments, const PixelScale &ofFile) {
  if (!asksForNormalize(arguments.sets) && !ofFile.mean.empty())
    return ofFile;
  Recipe recipe = model.manifest().recipe;
  for (const std::string &assignment : arguments.sets)
    if (Status status = setRecipe(recipe, assignment); status.failed())
      return status;
  if (recipe.normalize.kind == Normalize::Kind::DataSet)
    return Status::badData(*arguments.weights, ": does not say how its images were normalised; give --raw if those of ",
                           arguments.input, " are already, or --set train.normalize=fixed(mean = [..], std = [..])");
  return pixelScale(model, recipe.normalize, nullptr);
}

static StatusOr<Images> readInput(Model &model, const Arguments &arguments) {
  PixelScale scale;
  if (Status status = loadWeights(model, *arguments.weights, scale); status.failed())
    return status;
  if (!arguments.form.raw) {
    StatusOr<PixelScale> asked = scaleFor(model, arguments, scale);
    if (asked.failed())
      return asked.status();
    scale = *asked;
  }
  return readImages(arguments.input, model.manifest().image, arguments.form, scale);
}

/// The compiled sizes, largest first.
static std::vector<const Function *> predictors(const Manifest &manifest) {
  std::vector<const Function *> found;
  for (const Function &function : manifest.functions)
    if (function.name.starts_with("predict_"))
      found.push_back(&function);
  std::sort(found.begin(), found.end(), [](auto *a, auto *b) { return a->batch > b->batch; });
  return found;
}

static const Function &choose(const std::vector<const Function *> &sizes, int64_t left) {
  for (const Function *function : sizes)
    if (function->batch <= left)
      return *function;
  return *sizes.back();
}

/// Predicts images of `source` from `first` on by one function: as many batches as it fills, one at least. Adds their
/// logits and says how many images those were.
static StatusOr<int64_t> predictWith(Model &model, const Function &function, const Source &source, int64_t first,
                                     std::vector<float> &logits) {
  const int64_t left = source.size() - first, batches = std::max<int64_t>(1, left / function.batch);
  Loader loader(model, function, source, PixelScale());
  loader.begin({filesOrder(source.size()), first, {}});
  int64_t done = 0;
  for (int64_t i = 0; i < batches; ++i) {
    if (stopSignal())
      return stopped(concat("after ", first + done, " of ", source.size(), " images"));
    if (Status status = loader.next(); status.failed())
      return status;
    model.call(function);
    const std::vector<float> all = model.read<float>(*function.output());
    const int64_t count = std::min(function.batch, left - done);
    logits.insert(logits.end(), all.begin(), all.begin() + count * model.manifest().classes);
    done += count;
  }
  return done;
}

/// A logit that is no number has no place among the others.
static Status checkLogits(const std::string &input, const std::vector<float> &logits, int64_t classes) {
  for (size_t i = 0; i < logits.size(); ++i)
    if (!std::isfinite(logits[i]))
      return Status::badData(input, ": image ", static_cast<int64_t>(i) / classes, ": the logit of class ",
                             static_cast<int64_t>(i) % classes, " is ", printNumber(logits[i]),
                             ": the weights and this image overflow float32");
  return {};
}

static void printTop(const float *logits, int64_t classes, int64_t topk, int64_t index, const std::string &data) {
  std::vector<int64_t> order(classes);
  std::iota(order.begin(), order.end(), int64_t(0));
  auto likelier = [&](int64_t a, int64_t b) { return std::pair(-logits[a], a) < std::pair(-logits[b], b); };
  std::sort(order.begin(), order.end(), likelier);
  const double largest = logits[order[0]];
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c)
    sum += std::exp(logits[c] - largest);
  std::printf("image %lld:", static_cast<long long>(index));
  for (int64_t i = 0; i < std::min(topk, classes); ++i)
    std::printf("%s %lld %s %.4f", i ? "," : "", static_cast<long long>(order[i]), className(data, order[i]).c_str(),
                std::exp(logits[order[i]] - largest) / sum);
  std::printf("\n");
}

Status resin::runtime::runPredict(const ResinProgram &program, const Arguments &arguments) {
  if (arguments.output)
    if (Status status = checkOutput(*arguments.output, {*arguments.weights, arguments.input}); status.failed())
      return status;
  StatusOr<std::unique_ptr<Model>> loaded = Model::load(program, arguments.threads);
  if (loaded.failed())
    return loaded.status();
  Model &model = **loaded;
  const std::vector<const Function *> sizes = predictors(model.manifest());
  if (sizes.empty())
    return {ExitCode::Failure, "this program was built without 'predict'; rebuild it with --predict-batch"};
  const StatusOr<Images> images = readInput(model, arguments);
  if (images.failed())
    return images.status();

  const int64_t count = images->count, classes = model.manifest().classes;
  std::vector<float> logits;
  model.prepare();
  for (int64_t done = 0; done < count;) {
    const StatusOr<int64_t> more = predictWith(model, choose(sizes, count - done), *images, done, logits);
    if (more.failed())
      return more.status();
    done += *more;
  }

  if (Status status = checkLogits(arguments.input, logits, classes); status.failed())
    return status;
  if (arguments.output)
    if (Status status = npy::write(*arguments.output, std::vector<int64_t>{count, classes}, logits); status.failed())
      return status;
  if (arguments.topk || !arguments.output)
    for (int64_t i = 0; i < count; ++i)
      printTop(logits.data() + i * classes, classes, arguments.topk.value_or(1), i, model.manifest().recipe.data);
  return {};
}
