//===- resin.cpp - The compiler's command line ----------------------------===//

#include "driver/Build.h"
#include "driver/Doctor.h"
#include "driver/ExplainSpeed.h"
#include "driver/Tune.h"
#include "support/CommandLine.h"
#include "support/Leavings.h"
#include "support/RecipeSchema.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <functional>
#include <iterator>
#include <new>

#include <unistd.h>

using namespace resin;

static constexpr const char *kExitCodes =
    "Text that was asked for goes to standard output, everything else to standard error.\n\n"
    "Exit codes:\n"
    "  0    done\n"
    "  1    a mistake of ours, or something that resin needs is missing\n"
    "  64   the command line cannot be understood\n"
    "  65   the file has mistakes; each is shown at its place\n"
    "  66   an input file is not there\n"
    "  71   there is not enough memory\n"
    "  73   the output cannot be created, or would overwrite an input\n"
    "  74   reading or writing failed on the way\n"
    "  129, 130, 143   `tune` was stopped by SIGHUP, SIGINT or SIGTERM; what it found is saved\n";

namespace {

struct Arguments {
  TuneRequest tune; ///< with the options of every command that builds
  std::string emit = "exe";
  bool noTuning = false;
  ProfileOptions profile;
};

struct Command {
  CLI::App *app;
  std::function<Status()> run;
};

const std::vector<std::string> kStages(std::begin(kStageNames), std::end(kStageNames));

} // namespace

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static void addSettings(CLI::App *command, BuildOptions &build) {
  command->add_option("--set", build.settings, "override a setting of the train block: train.key=value")
      ->allow_extra_args(false);
}

static void addFile(CLI::App *command, BuildOptions &build) {
  command->add_option("FILE", build.file, "a .resin, or the .mlir that a phase left")->required();
  command->add_option("--model", build.model, "which model of the file");
  addSettings(command, build);
}

static void addCompiling(CLI::App *command, BuildOptions &build) {
  CLI::Validator batch = wholeNumber(1, recipe::kMostBatch);
  command->add_option("--batch", build.batch, "images of a training step")->transform(batch);
  command->add_option("--predict-batch", build.predictBatch, "batch sizes to predict with: 1,32 if not given")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->transform(batch);
  command->add_option("--target", build.target, "host, x86-64-v4, x86-64-v3 or x86-64-v2");
  command->add_option("-j", build.jobs, "kernels to compile at once (default: one a processor)")
      ->transform(wholeNumber(1, 1024));
  command->add_option("--database", build.database, "tuning records (default: tuning.db in the cache folder)");
}

static void addNoTuning(CLI::App *command, Arguments &arguments) {
  command->add_flag("--no-tuning", arguments.noTuning, "build every kernel by its default, whatever tuning found out");
}

static Command addBuild(CLI::App &app, Arguments &arguments) {
  BuildOptions &build = arguments.tune.build;
  CLI::App *command = app.add_subcommand("build", "compile a network into a program");
  addFile(command, build);
  command->add_option("-o", build.output, "where to write; - is standard output");
  command->add_option("--emit", arguments.emit, "stop behind a stage and write that: " + llvm::join(kStages, ", "))
      ->transform(oneOf(kStages));
  addCompiling(command, build);
  addNoTuning(command, arguments);
  command->add_option("--dump-phases", build.dumpPhases, "write the text behind each phase into a folder");
  command->add_option("--kernel-object", build.kernelObjects, "link this instead of compiling kernels")
      ->allow_extra_args(false)
      ->group("");
  command->add_option("--runtime", build.runtime, "the runtime to link")->group("");
  return {command, [&] { return resin::build(build); }};
}

static Command addExplain(CLI::App &app, Arguments &arguments) {
  CLI::App *command =
      app.add_subcommand("explain-speed", "build a network, profile it, and say what limits each kernel");
  addFile(command, arguments.tune.build);
  addCompiling(command, arguments.tune.build);
  addNoTuning(command, arguments);
  command->add_option("--only", arguments.profile.only, "measure train or predict alone");
  command->add_option("--svg", arguments.profile.svg, "draw the kernels under their roofs into this file");
  command->add_option("--seconds", arguments.profile.seconds, "how long to measure")->transform(realNumber(0, 86400));
  command->add_option("--threads", arguments.profile.threads, "workers")->transform(wholeNumber(1, 1024));
  command->add_flag("--json", arguments.profile.json, "for tools");
  return {command, [&] { return explainSpeed(arguments.tune.build, arguments.profile); }};
}

static Command addCheck(CLI::App &app, Arguments &arguments) {
  CLI::App *command = app.add_subcommand("check", "look for mistakes without building anything");
  addFile(command, arguments.tune.build);
  return {command, [&] { return check(arguments.tune.build); }};
}

static Command addSummary(CLI::App &app, Arguments &arguments) {
  CLI::App *command = app.add_subcommand("summary", "print a table of the network's layers");
  addFile(command, arguments.tune.build);
  return {command, [&] { return summarize(arguments.tune.build); }};
}

static Command addTune(CLI::App &app, Arguments &arguments) {
  TuneRequest &request = arguments.tune;
  CLI::App *command = app.add_subcommand("tune", "measure which knobs make the kernels of networks fastest here");
  command->add_option("FILE", request.files, "networks");
  addSettings(command, request.build);
  addCompiling(command, request.build);
  command->add_flag("--zoo", request.zoo, "the models that come with Resin");
  command->add_option("--budget", request.budget, "how long to search: 90s, 10m, 2h (default: 10m)");
  command->add_flag("--resume", request.resume, "leave out kernels that are tuned already");
  command->add_flag("--verify", request.verify, "measure a sample of the records again");
  command->add_option("--only", request.only, "tune kernels alone, or how entry functions are fused")
      ->transform(oneOf({"kernels", "entries"}));
  command->add_option("--export", request.exportTo, "only write the records as text");
  return {command, [&] { return tune(request); }};
}

static Command addDoctor(CLI::App &app, Arguments &arguments) {
  CLI::App *command = app.add_subcommand("doctor", "say which of the things that resin needs are there");
  return {command, [&] { return doctor(arguments.tune.build.resinPath); }};
}

//===----------------------------------------------------------------------===//
// Ends
//===----------------------------------------------------------------------===//

/// Says what went wrong, unless that has been said; what was printed has to arrive.
static ExitCode settle(Status status) {
  if (!status.message().empty())
    llvm::errs() << "resin: error: " << status.message() << "\n";
  llvm::outs().flush();
  const std::error_code error = llvm::outs().error();
  llvm::outs().clear_error(); // whose destructor would call it a crash
  if (error && status.ok())
    return settle(Status::ioError("standard output: cannot write: ", error.message()));
  llvm::errs().clear_error();
  return status.code();
}

[[noreturn]] static void runOutOfMemory() {
  static constexpr char text[] = "resin: error: out of memory\n";
  (void)!::write(STDERR_FILENO, text, sizeof text - 1);
  leaveNothing();
  ::_exit(71);
}

int main(int argc, char **argv) {
  cleanUpOnSignals();
  std::set_new_handler(runOutOfMemory);
  Arguments arguments;
  CLI::App app("Compiles residual networks into programs that train them.");
  app.require_subcommand(1);
  app.set_version_flag("--version", "resin " RESIN_VERSION);
  app.footer(kExitCodes);
  const Command commands[] = {addBuild(app, arguments),   addExplain(app, arguments), addCheck(app, arguments),
                              addSummary(app, arguments), addTune(app, arguments),    addDoctor(app, arguments)};
  if (const std::optional<ExitCode> code = parseCommandLine(app, argc, argv, "resin: error: "))
    return static_cast<int>(*code);
  BuildOptions &build = arguments.tune.build;
  build.emit = static_cast<Stage>(llvm::find(kStages, arguments.emit) - kStages.begin());
  build.tuning = !arguments.noTuning;
  static int anchor; // an address in this executable
  build.resinPath = llvm::sys::fs::getMainExecutable(argv[0], &anchor);
  const Command *command = llvm::find_if(commands, [](const Command &each) { return each.app->parsed(); });
  return static_cast<int>(settle(command->run()));
}
