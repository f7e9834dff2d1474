//===- resin.cpp - The compiler's command line ----------------------------===//

#include "tools/Build.h"
#include "tools/Doctor.h"
#include "tools/ExplainSpeed.h"
#include "tools/Tune.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"

namespace cl = llvm::cl;
using namespace resin;

namespace {

cl::OptionCategory options("Options");
cl::SubCommand buildCommand("build", "Compile a network into a program");
cl::SubCommand explainCommand("explain-speed", "Build a network, profile it, and say what limits each kernel");
cl::SubCommand checkCommand("check", "Look for mistakes without building anything");
cl::SubCommand summaryCommand("summary", "Print a table of the network's layers");
cl::SubCommand tuneCommand("tune", "Measure which knobs make the kernels of networks fastest here");
cl::SubCommand doctorCommand("doctor", "Say which of the things that resin needs are there");

cl::opt<std::string> file(cl::Positional, cl::Required, cl::desc("FILE"), cl::cat(options), cl::sub(buildCommand), cl::sub(explainCommand), cl::sub(checkCommand),
                          cl::sub(summaryCommand));
cl::opt<std::string> model("model", cl::desc("Which model of the file"), cl::value_desc("NAME"), cl::cat(options), cl::sub(buildCommand), cl::sub(explainCommand),
                           cl::sub(checkCommand), cl::sub(summaryCommand));
cl::list<std::string> settings("set", cl::desc("Override a setting of the train block"), cl::value_desc("train.key=value"), cl::cat(options),
                               cl::sub(buildCommand), cl::sub(explainCommand), cl::sub(checkCommand), cl::sub(summaryCommand), cl::sub(tuneCommand));
cl::opt<int64_t> batch("batch", cl::desc("Images of a training step"), cl::value_desc("N"), cl::cat(options), cl::sub(buildCommand), cl::sub(explainCommand), cl::sub(tuneCommand));
cl::opt<std::string> output("o", cl::desc("Where to write"), cl::value_desc("OUT"), cl::cat(options), cl::sub(buildCommand));
cl::list<int64_t> predictBatch("predict-batch", cl::CommaSeparated, cl::desc("Batch sizes to predict with (default: 1,32)"), cl::value_desc("N,N"),
                               cl::cat(options), cl::sub(buildCommand), cl::sub(explainCommand), cl::sub(tuneCommand));
cl::opt<std::string> target("target", cl::desc("host, x86-64-v4, x86-64-v3 or x86-64-v2"), cl::value_desc("T"), cl::init("host"), cl::cat(options),
                            cl::sub(buildCommand), cl::sub(explainCommand), cl::sub(tuneCommand));
cl::opt<Stage> emit("emit", cl::desc("Stop behind a stage and write that"), cl::init(Stage::Executable), cl::cat(options), cl::sub(buildCommand),
                    cl::values(clEnumValN(Stage::Resnet, "resnet", "what the front end made"), clEnumValN(Stage::Train, "train", "entry functions"),
                               clEnumValN(Stage::Layout, "layout", "with layouts"), clEnumValN(Stage::Fused, "fused", "with kernels formed"),
                               clEnumValN(Stage::Kernel, "kernel", "launches on views"), clEnumValN(Stage::Planned, "planned", "with memory planned"),
                               clEnumValN(Stage::LLVM, "llvm", "the LLVM dialect"), clEnumValN(Stage::Object, "object", "the program's own object file"),
                               clEnumValN(Stage::Executable, "exe", "the program (default)")));
cl::opt<unsigned> jobs("j", cl::desc("Kernels to compile at once (default: one a processor)"), cl::value_desc("N"), cl::Prefix, cl::cat(options),
                       cl::sub(buildCommand), cl::sub(explainCommand), cl::sub(tuneCommand));
cl::opt<std::string> dumpPhases("dump-phases", cl::desc("Write the text behind each phase into a folder"), cl::value_desc("DIR"), cl::cat(options),
                                cl::sub(buildCommand));
cl::list<std::string> tuneFiles(cl::Positional, cl::desc("FILE..."), cl::cat(options), cl::sub(tuneCommand));
cl::opt<bool> zoo("zoo", cl::desc("The models that come with Resin"), cl::cat(options), cl::sub(tuneCommand));
cl::opt<std::string> budget("budget", cl::desc("How long to search: 90s, 10m, 2h (default: 10m)"), cl::value_desc("TIME"), cl::init("10m"), cl::cat(options),
                            cl::sub(tuneCommand));
cl::opt<bool> resume("resume", cl::desc("Leave out kernels that are tuned already"), cl::cat(options), cl::sub(tuneCommand));
cl::opt<bool> verify("verify", cl::desc("Measure a sample of the records again"), cl::cat(options), cl::sub(tuneCommand));
cl::opt<std::string> tuneOnly("only", cl::desc("Tune kernels alone, or how entry functions are fused"), cl::value_desc("kernels|entries"), cl::cat(options),
                              cl::sub(tuneCommand));
cl::opt<std::string> exportTo("export", cl::desc("Only write the records as text"), cl::value_desc("FILE"), cl::cat(options), cl::sub(tuneCommand));
cl::opt<bool> noTuning("no-tuning", cl::desc("Build every kernel by its default, whatever tuning found out"), cl::cat(options), cl::sub(buildCommand), cl::sub(explainCommand));
cl::opt<std::string> database("database", cl::desc("Tuning records (default: tuning.db in the cache folder)"), cl::value_desc("FILE"), cl::cat(options),
                              cl::sub(buildCommand), cl::sub(explainCommand), cl::sub(tuneCommand));
// What explain-speed hands on to the program's `profile`, which judges it.
cl::opt<std::string> profileOnly("only", cl::desc("Measure train or predict alone"), cl::value_desc("train|predict"), cl::cat(options),
                                 cl::sub(explainCommand));
cl::opt<std::string> profileSvg("svg", cl::desc("Draw the kernels under their roofs into this file"), cl::value_desc("FILE"), cl::cat(options),
                                cl::sub(explainCommand));
cl::opt<std::string> profileSeconds("seconds", cl::desc("How long to measure"), cl::value_desc("S"), cl::cat(options), cl::sub(explainCommand));
cl::opt<std::string> profileThreads("threads", cl::desc("Workers"), cl::value_desc("T"), cl::cat(options), cl::sub(explainCommand));
cl::opt<bool> profileJson("json", cl::desc("For tools"), cl::cat(options), cl::sub(explainCommand));

std::vector<std::string> gatherProfileArguments() {
  std::vector<std::string> arguments;
  for (const cl::opt<std::string> *option : {&profileOnly, &profileSvg, &profileSeconds, &profileThreads})
    if (option->getNumOccurrences()) {
      arguments.push_back("--" + option->ArgStr.str());
      arguments.push_back(option->getValue());
    }
  if (profileJson)
    arguments.push_back("--json");
  return arguments;
}

cl::list<std::string> kernelObjects("kernel-object", cl::Hidden, cl::desc("Link this instead of compiling kernels"), cl::cat(options),
                                    cl::sub(buildCommand));
cl::opt<std::string> runtime("runtime", cl::Hidden, cl::desc("The runtime to link"), cl::cat(options), cl::sub(buildCommand));

BuildOptions gather(const char *argv0) {
  BuildOptions result;
  result.file = file;
  result.output = output;
  result.model = model;
  result.batch = batch;
  if (!predictBatch.empty())
    result.predictBatch.assign(predictBatch.begin(), predictBatch.end());
  result.target = target;
  result.emit = emit;
  result.settings.assign(settings.begin(), settings.end());
  result.jobs = jobs;
  result.dumpPhases = dumpPhases;
  result.tuning = !noTuning;
  result.database = database;
  result.kernelObjects.assign(kernelObjects.begin(), kernelObjects.end());
  result.runtime = runtime;
  static int anchor; // an address in this executable
  result.resinPath = llvm::sys::fs::getMainExecutable(argv0, &anchor);
  return result;
}

bool isLegal(const BuildOptions &build) {
  auto positive = [](int64_t n) { return n > 0; };
  if ((batch.getNumOccurrences() && !positive(build.batch)) || !llvm::all_of(build.predictBatch, positive)) {
    llvm::errs() << "resin: error: a batch is at least one image\n";
    return false;
  }
  return true;
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(options);
  for (cl::SubCommand *command : {&buildCommand, &explainCommand, &checkCommand, &summaryCommand, &tuneCommand, &doctorCommand})
    cl::HideUnrelatedOptions(options, *command);
  cl::SetVersionPrinter([](llvm::raw_ostream &out) { out << "resin " RESIN_VERSION "\n"; });
  if (!cl::ParseCommandLineOptions(argc, argv, "Compiles residual networks into programs that train them\n", &llvm::errs()))
    return kUsage;
  BuildOptions build = gather(argv[0]);
  if (!isLegal(build))
    return kUsage;
  if (buildCommand)
    return resin::build(build);
  if (explainCommand)
    return resin::explainSpeed(build, gatherProfileArguments());
  if (checkCommand)
    return resin::check(build);
  if (summaryCommand)
    return resin::summarize(build);
  if (tuneCommand)
    return resin::tune({.build = build,
                        .files = {tuneFiles.begin(), tuneFiles.end()},
                        .zoo = zoo,
                        .budget = budget,
                        .resume = resume,
                        .verify = verify,
                        .only = tuneOnly,
                        .exportTo = exportTo});
  if (doctorCommand)
    return resin::doctor(build.resinPath);
  cl::PrintHelpMessage();
  return kUsage;
}
