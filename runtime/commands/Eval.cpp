//===- Eval.cpp - net eval ------------------------------------------------===//

#include "runtime/commands/Commands.h"
#include "runtime/commands/Scale.h"
#include "runtime/data/Registry.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Evaluate.h"

#include <cstdio>

using namespace resin;
using namespace resin::runtime;

/// What the weights were trained with if their file says so, else what the recipe
/// comes to on the training set.
static StatusOr<PixelScale> scaleFor(Model &model, const Arguments &arguments, const Recipe &recipe,
                                     const PixelScale &ofFile, const DataNeeds &needs) {
  if (!asksForNormalize(arguments.sets) && !ofFile.mean.empty())
    return ofFile;
  std::unique_ptr<Source> train;
  if (recipe.normalize.kind == Normalize::Kind::DataSet) {
    DataNeeds all = needs;
    all.limit = -1;
    StatusOr<std::unique_ptr<Source>> set = openSource(*arguments.data, Part::Train, all, model.pool());
    if (set.failed())
      return Status(set.status().code(),
                    concat(set.status().message(), "\n  the mean of the training images is needed, since ",
                           *arguments.weights,
                           " does not say how its images were normalised; "
                           "or give --set train.normalize"));
    train = std::move(*set);
  }
  return pixelScale(model, recipe.normalize, train.get());
}

Status resin::runtime::runEval(const ResinProgram &program, const Arguments &arguments) {
  StatusOr<std::unique_ptr<Model>> loaded = Model::load(program, arguments.threads);
  if (loaded.failed())
    return loaded.status();
  Model &model = **loaded;
  Recipe recipe = model.manifest().recipe;
  for (const std::string &assignment : arguments.sets)
    if (Status status = setRecipe(recipe, assignment); status.failed())
      return status;

  PixelScale ofFile;
  if (Status status = loadWeights(model, *arguments.weights, ofFile); status.failed())
    return status;
  const DataNeeds needs{model.manifest().image, model.manifest().classes, arguments.limit.value_or(-1)};
  StatusOr<std::unique_ptr<Source>> test = openSource(*arguments.data, Part::Test, needs, model.pool());
  if (test.failed())
    return test.status();
  StatusOr<PixelScale> scale = scaleFor(model, arguments, recipe, ofFile, needs);
  if (scale.failed())
    return scale.status();
  StatusOr<Score> score = evaluate(model, **test, *scale);
  if (score.failed())
    return score.status();
  if (score->notFinite)
    return Status::badData(*arguments.weights, ": the loss of image ", *score->notFinite, " of ", *arguments.data,
                           " is not finite: these weights and that image overflow float32");
  std::printf("Acc@1 %.2f Acc@5 %.2f loss %.4f\n", score->top1, score->top5, score->loss);
  return {};
}
