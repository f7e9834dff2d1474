//===- Train.cpp - net train ----------------------------------------------===//
//
//   1. Settle what is asked for: the program's recipe, then what a resumed run was
//      started with, then the command line.
//   2. Read the data and measure it.
//   3. Set the variables: initial values, a weights file, or the checkpoint.
//   4. Train.
//
//===----------------------------------------------------------------------===//

#include "runtime/Signals.h"
#include "runtime/commands/Commands.h"
#include "runtime/commands/Facts.h"
#include "runtime/commands/Resume.h"
#include "runtime/commands/Scale.h"
#include "runtime/data/Registry.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Initialize.h"
#include "runtime/train/TrainLoop.h"

#include <cstdio>
#include <filesystem>

using namespace resin;
using namespace resin::runtime;

/// Those with an option of their own go after the others.
static Status applySettings(const Arguments &arguments, Recipe &recipe) {
  for (const std::string &assignment : arguments.sets)
    if (Status status = setRecipe(recipe, assignment); status.failed())
      return status;
  const struct {
    const char *option;
    std::string key;
    const std::optional<std::string> &text;
  } options[] = {{"--epochs", "epochs", arguments.epochs},
                 {"--seed", "seed", arguments.seed},
                 {"--lr", "lr." + recipe.schedule.spec->record.fields.front().name, arguments.rate}};
  for (const auto &[option, key, text] : options)
    if (text)
      if (Status status = setRecipe(recipe, "train." + key + "=" + *text, concat(option, " ", *text)); status.failed())
        return status;
  return {};
}

static Status applyArguments(const Arguments &arguments, Settings &settings) {
  if (Status status = applySettings(arguments, settings.recipe); status.failed())
    return status;
  settings.limit = arguments.limit.value_or(settings.limit);
  settings.data = arguments.data.value_or(settings.data);
  settings.shuffle &= !arguments.noShuffle;
  if (settings.data.empty())
    return Status::usage("train: --data is needed: ", describeSources());
  return {};
}

static StatusOr<RunFolder> openFolder(const Arguments &arguments) {
  std::error_code error;
  if (arguments.resume && !std::filesystem::exists(arguments.out, error))
    return Status::noInput(arguments.out, ": is not there: --resume goes on with a run that is");
  return RunFolder::open(arguments.out);
}

/// Starts the state: fresh, or where the folder's run stands.
static Status openRun(Model &model, const Arguments &arguments, RunFolder &folder, RunState &state) {
  state.settings.recipe = model.manifest().recipe;
  state.settings.batch = model.function("train_step")->batch;
  if (arguments.resume)
    return folder.load(model, state);
  if (!folder.holdsRun() || arguments.overwrite)
    return {};
  // Initial weights alone are nothing to lose.
  RunState there = state;
  if (folder.load(model, there).ok() && there.position.step == 0)
    return {};
  return {ExitCode::CannotCreate, concat(arguments.out, ": holds a run already; go on with --resume, begin anew with "
                                                        "--overwrite, or name another folder")};
}

static StatusOr<DataSet> loadData(Model &model, const Settings &settings) {
  const DataNeeds needs{model.manifest().image, model.manifest().classes, settings.limit};
  StatusOr<std::unique_ptr<Source>> train = openSource(settings.data, Part::Train, needs, model.pool());
  if (train.failed())
    return train.status();
  StatusOr<std::unique_ptr<Source>> test = openSource(settings.data, Part::Test, needs, model.pool());
  if (test.failed())
    return test.status();
  return DataSet{std::move(*train), std::move(*test)};
}

/// The values a fresh run starts from. Weights keep the scale of pixels that they were made with, unless another is
/// asked for.
static Status setVariables(Model &model, const Arguments &arguments, RunState &state) {
  initialize(model, state.settings.recipe.seed);
  PixelScale ofFile;
  if (arguments.weights)
    if (Status status = loadWeights(model, *arguments.weights, ofFile); status.failed())
      return status;
  if (ofFile.mean.empty() || asksForNormalize(arguments.sets))
    return {};
  std::fprintf(stderr, "note: images are normalised as %s says; --set train.normalize=.. would change that\n",
               arguments.weights->c_str());
  state.scale = ofFile;
  return {};
}

/// A run that goes on keeps the scale it began with, whatever its data are by now, unless another is asked for.
static Status setScale(Model &model, const Arguments &arguments, const DataSet &data, RunState &state) {
  if (!state.scale.mean.empty() && !asksForNormalize(arguments.sets))
    return {};
  StatusOr<PixelScale> scale = pixelScale(model, state.settings.recipe.normalize, data.train.get());
  if (scale.ok())
    state.scale = *scale;
  return scale.status();
}

static void introduce(const Model &model, const Arguments &arguments, const RunState &state, const DataSet &data) {
  const Recipe &recipe = state.settings.recipe;
  printFacts(model.manifest(), arguments.threads, stderr);
  const StatusOr<const SourceKind *> kind = kindOf(state.settings.data);
  std::fprintf(stderr, "data     %s: %s, %lld training and %lld test images\nrecipe   %s\n",
               state.settings.data.c_str(), kind.ok() ? (*kind)->title : "unknown",
               static_cast<long long>(data.train->size()), static_cast<long long>(data.test->size()),
               printRecipe(recipe).c_str());
  if (state.position.step > 0)
    std::fprintf(stderr, "resume   after step %lld, in epoch %lld\n", static_cast<long long>(state.position.step),
                 static_cast<long long>(state.position.epoch + 1));
}

Status resin::runtime::runTrain(const ResinProgram &program, const Arguments &arguments) {
  if (arguments.resume && (arguments.weights || arguments.overwrite))
    return Status::usage(
        "train: --resume goes on from the folder's checkpoint: --weights and --overwrite do not go with it");
  if (arguments.newData && !arguments.resume)
    return Status::usage("train: --new-data goes with --resume: a run that begins takes any data");
  StatusOr<std::unique_ptr<Model>> loaded = Model::load(program, arguments.threads);
  if (loaded.failed())
    return loaded.status();
  Model &model = **loaded;
  const Function *function = model.function("train_step");
  if (!function)
    return {ExitCode::Failure, "this program was built without 'train_step'"};

  RunState state;
  // Before a folder is made for nothing.
  Settings asked{model.manifest().recipe, arguments.resume ? "resumed" : "", -1, true};
  if (Status status = applyArguments(arguments, asked); status.failed())
    return status;
  StatusOr<RunFolder> folder = openFolder(arguments);
  if (folder.failed())
    return folder.status();
  if (Status status = openRun(model, arguments, *folder, state); status.failed())
    return status;
  const RunState before = state;
  state.settings.batch = function->batch;
  if (Status status = applyArguments(arguments, state.settings); status.failed())
    return status;

  StatusOr<DataSet> data = loadData(model, state.settings);
  if (data.failed())
    return data.status();
  if (data->train->size() < function->batch)
    return Status::badData(state.settings.data, ": has ", data->train->size(),
                           " training images, fewer than the program's batch of ", function->batch);
  state.train = data->train->fingerprint();
  state.test = data->test->fingerprint();
  if (Status status = meetData(before, state, arguments.newData); status.failed())
    return status;
  if (Status status = setScale(model, arguments, *data, state); status.failed())
    return status;

  if (!arguments.resume) {
    if (Status status = setVariables(model, arguments, state); status.failed())
      return status;
    folder->beginAnew();
  }
  Metrics metrics = Metrics::open(*folder, state.position.epoch);
  introduce(model, arguments, state, *data);
  const int64_t lastStep = arguments.steps.value_or(-1);
  sayWarmupIsLong(state.settings.recipe);
  if (arguments.resume) {
    meetOrder(before, state);
    sayRateJump(before, state);
    sayIsOver(state, lastStep);
  }
  Status status = TrainLoop(model, *data, state, *folder, metrics, lastStep).run();
  std::fprintf(stderr, "peak     %.1f MiB of memory\n", static_cast<double>(peakMemory()) / (1 << 20));
  return status;
}
