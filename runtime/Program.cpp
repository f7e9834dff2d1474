//===- Program.cpp - The command line of a compiled network ---------------===//

#include "runtime/Program.h"
#include "runtime/Recipe.h"
#include "runtime/Signals.h"
#include "runtime/commands/Commands.h"
#include "runtime/data/Registry.h"
#include "runtime/device/cpu/ThreadPool.h"
#include "support/CommandLine.h"
#include "support/KernelStack.h"

#include <cstdio>
#include <exception>
#include <functional>

#include <fcntl.h>
#include <unistd.h>

using namespace resin;
using namespace resin::runtime;

static constexpr const char *kExitCodes =
    "Results go to standard output, everything else to standard error.\n\n"
    "Exit codes:\n"
    "  0    done\n"
    "  1    training diverged, or a mistake of the program\n"
    "  64   the command line cannot be understood\n"
    "  65   an input file is not what it should be\n"
    "  66   an input file is not there\n"
    "  69   this CPU lacks what the program was built for\n"
    "  71   there is not enough memory\n"
    "  73   the output cannot be created\n"
    "  74   reading or writing failed on the way\n"
    "  129, 130, 143   stopped by SIGHUP, SIGINT or SIGTERM, after saving; a second SIGINT or SIGTERM kills at once\n";

namespace {
struct Command {
  CLI::App *app;
  Status (*run)(const ResinProgram &, const Arguments &);
};
} // namespace

static void addThreads(CLI::App &app, Arguments &arguments) {
  app.add_option("--threads", arguments.threads, "workers (default: the CPUs this process may use)")
      ->transform(wholeNumber(1, 1024));
}

static Command addTrain(CLI::App &app, Arguments &arguments) {
  CLI::App *train = app.add_subcommand("train", "train the network, or go on training it");
  train->add_option("--data", arguments.data, describeSources());
  train->add_option("--out", arguments.out, "folder for checkpoints and metrics")->required();
  train->add_option("--epochs", arguments.epochs, "times through the training set; 0 writes the initial weights");
  train->add_option("--steps", arguments.steps, "stop after this many updates in all")->transform(wholeNumber());
  train->add_flag("--resume", arguments.resume, "go on from the folder's last good checkpoint, with its settings");
  train->add_option("--seed", arguments.seed, "of initial values, order and augmentation")->transform(wholeNumber());
  addThreads(*train, arguments);
  train->add_option("--limit", arguments.limit, "use only the first images of each part")->transform(wholeNumber(1));
  train->add_option("--lr", arguments.rate, "peak of the learning rate");
  train->add_flag("--no-shuffle", arguments.noShuffle, "take the training images in the order of the files");
  train->add_option("--set", arguments.sets, "change the recipe, as train.epochs=20 or train.lr.peak=0.1")
      ->allow_extra_args(false);
  train->add_option("--weights", arguments.weights, "safetensors file to start from");
  train->add_flag("--new-data", arguments.newData, "with --resume: go on although the data are not the run's");
  train->add_flag("--overwrite", arguments.overwrite, "begin anew in a folder that holds a run");
  train->footer("What --set takes:\n" + describeSettable());
  return {train, runTrain};
}

static Command addEval(CLI::App &app, Arguments &arguments) {
  CLI::App *eval = app.add_subcommand("eval", "top-1, top-5 and loss on the test set");
  eval->add_option("--weights", arguments.weights, "safetensors file")->required();
  eval->add_option("--data", arguments.data, describeSources())->required();
  eval->add_option("--limit", arguments.limit, "use only the first images")->transform(wholeNumber(1));
  eval->add_option("--set", arguments.sets, "train.normalize=..: how images are normalised")->allow_extra_args(false);
  addThreads(*eval, arguments);
  return {eval, runEval};
}

static Command addPredict(CLI::App &app, Arguments &arguments) {
  CLI::App *predict = app.add_subcommand("predict", "logits of images in a .npy file");
  predict->add_option("--weights", arguments.weights, "safetensors file")->required();
  predict->add_option("--input", arguments.input, ".npy file: pixels [n, c, h, w], [n, h, w, c], or of one image")
      ->required();
  predict->add_option("--output", arguments.output, ".npy file to write the logits to");
  predict->add_flag("--raw", arguments.form.raw, "numbers are normalised already: hand them on as they are");
  predict->add_option("--white", arguments.form.white, "number of a white pixel (default: 255 of integers, else 1)")
      ->excludes("--raw");
  predict->add_option("--layout", arguments.form.layout, "nchw or nhwc (default: as the shape says)")
      ->transform(oneOf({"nchw", "nhwc"}));
  predict->add_option("--set", arguments.sets, "train.normalize=..: how images are normalised")
      ->allow_extra_args(false);
  predict->add_option("--topk", arguments.topk, "print the likeliest classes of each image")->transform(wholeNumber(1));
  addThreads(*predict, arguments);
  return {predict, runPredict};
}

static Command addBench(CLI::App &app, Arguments &arguments) {
  CLI::App *bench = app.add_subcommand("bench", "time a train step, predictions and every kernel");
  bench->add_flag("--json", arguments.json, "for tools");
  bench->add_option("--seconds", arguments.seconds, "how long to measure")->transform(realNumber(0, 86400));
  bench->add_option("--only", arguments.only, "time nothing else: train, predict, or one of its sizes as predict_1");
  addThreads(*bench, arguments);
  return {bench, runBench};
}

static Command addProfile(CLI::App &app, Arguments &arguments) {
  CLI::App *profile = app.add_subcommand("profile", "every kernel under its roof, and what would help");
  profile->add_flag("--json", arguments.json, "for tools");
  profile->add_option("--svg", arguments.output, "draw the kernels under their roofs into this file");
  profile->add_option("--seconds", arguments.seconds, "how long to measure")->transform(realNumber(0, 86400));
  profile->add_option("--only", arguments.only,
                      "measure nothing else: train, predict, or one of its sizes as predict_1");
  addThreads(*profile, arguments);
  return {profile, runProfile};
}

static Command addInfo(CLI::App &app, Arguments &arguments) {
  CLI::App *info = app.add_subcommand("info", "what this program is: model, memory plan, kernels");
  info->add_flag("--json", arguments.json, "for tools");
  addThreads(*info, arguments);
  return {info, runInfo};
}

/// A file that takes the number of a closed stream would get what is printed: what is in its place refuses that.
static void holdStandardStreams() {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0)
      ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY); // the lowest number that is free
}

/// Whether all that was printed has arrived. A line that failed on the way is remembered by the stream alone.
static Status closeOutput() {
  errno = 0;
  const bool isFlushed = std::fflush(stdout) == 0;
  if (isFlushed && !std::ferror(stdout))
    return {};
  return Status::ioError("standard output: cannot write", isFlushed ? " all of it" : ": " + systemError());
}

/// Carries out the command; what it printed has to arrive as well.
static Status runCommand(const Command &command, const ResinProgram &program, const Arguments &arguments) {
  Status status = command.run(program, arguments);
  Status printed = closeOutput();
  return status.failed() ? status : printed;
}

static int leave(const Status &status) {
  if (status.failed())
    std::fprintf(stderr, "%s%s\n", wasAskedToStop(status) ? "" : "error: ", status.message().c_str());
  return static_cast<int>(status.code());
}

static int parseAndRun(const ResinProgram &program, int argc, const char *const *argv) {
  holdStandardStreams();
  Arguments arguments;
  arguments.threads = usableCpus();
  CLI::App app("A network compiled by Resin: trains, evaluates, predicts.");
  app.require_subcommand(1);
  app.footer(kExitCodes);
  const Command commands[] = {addTrain(app, arguments), addEval(app, arguments),    addPredict(app, arguments),
                              addBench(app, arguments), addProfile(app, arguments), addInfo(app, arguments)};
  if (const std::optional<ExitCode> code = parseCommandLine(app, argc, argv, "error: "))
    return static_cast<int>(*code);
  installSignalHandlers();
  for (const Command &command : commands)
    if (command.app->parsed())
      return leave(runCommand(command, program, arguments));
  return static_cast<int>(ExitCode::Usage);
}

int resin::runtime::runProgram(const ResinProgram &program, int argc, const char *const *argv) {
  try {
    int code = 0;
    onKernelStack([&] { code = parseAndRun(program, argc, argv); }); // once, not anew for each region
    return code;
  } catch (const std::bad_alloc &) {
    return leave({ExitCode::NoMemory, "out of memory"});
  } catch (const std::exception &error) {
    return leave({ExitCode::Failure, error.what()});
  }
}
