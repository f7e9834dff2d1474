//===- Build.cpp - `resin build`: from a file to a program ----------------===//
//
//   1. Read the file: a `.resin`, or the `.mlir` that any phase left.
//   2. Run the phases from there on, up to the one asked for.
//   3. Compile the set of kernels and the program's own code, and link.
//
//===----------------------------------------------------------------------===//

#include "driver/Build.h"

#include "codegen/KernelLibrary.h"
#include "machine/Targets.h"
#include "codegen/host/HostObject.h"
#include "codegen/host/Linker.h"
#include "codegen/host/ManifestWriter.h"
#include "dialects/Kernel/Kernel.h"
#include "dialects/Kernel/KernelRows.h"
#include "dialects/Kernel/Traffic.h"
#include "dialects/Resnet/Fusion.h"
#include "dialects/Resnet/Resnet.h"
#include "dialects/Resnet/Target.h"
#include "frontend/Frontend.h"
#include "passes/EntryPoints.h"
#include "passes/KernelPhases.h"
#include "passes/Pipelines.h"
#include "support/Files.h"
#include "support/ScratchFolder.h"
#include "driver/BuildProgress.h"
#include "driver/Paths.h"
#include "driver/Tune.h"
#include "tuning/ChooseKnobs.h"
#include "tuning/TuningDatabase.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <chrono>
#include <map>

using namespace mlir;
using namespace resin;

namespace path = llvm::sys::path;

//===----------------------------------------------------------------------===//
// 1. Reading
//===----------------------------------------------------------------------===//

static int openSource(const BuildOptions &options, llvm::SourceMgr &sources) {
  auto buffer = llvm::MemoryBuffer::getFile(options.file, /*IsText=*/true);
  if (std::error_code error = buffer.getError())
    return complain(Status::noInput("cannot read '", options.file, "': ", error.message()));
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  return kOk;
}

static bool isMlir(const BuildOptions &options) { return path::extension(options.file) == ".mlir"; }

static int frontendOptions(const BuildOptions &options, frontend::Options &result) {
  result.modelName = options.model;
  for (StringRef setting : options.settings) {
    auto [key, value] = setting.split('=');
    if (key.empty() || value.empty())
      return complain(Status::usage("--set wants key=value, not '", setting.str(), "'"));
    result.overrides.emplace_back(key.str(), value.str());
  }
  if (options.batch)
    result.overrides.emplace_back("train.batch", std::to_string(options.batch));
  return kOk;
}

int resin::check(const BuildOptions &options) {
  llvm::SourceMgr sources;
  frontend::Options settings;
  if (int code = openSource(options, sources))
    return code;
  if (int code = frontendOptions(options, settings))
    return code;
  return frontend::check(sources, settings) ? kOk : kBadInput;
}

int resin::summarize(const BuildOptions &options) {
  llvm::SourceMgr sources;
  frontend::Options settings;
  if (int code = openSource(options, sources))
    return code;
  if (int code = frontendOptions(options, settings))
    return code;
  std::optional<std::string> table = frontend::summarize(sources, settings);
  if (!table)
    return kBadInput;
  llvm::outs() << *table;
  return kOk;
}

/// The stage that left this module, told by what is in it.
static Stage stageOf(ModuleOp module) {
  Stage stage = module.lookupSymbol("model") ? Stage::Resnet : Stage::Train;
  module.walk([&](Operation *op) {
    if (isa<LLVM::LLVMDialect>(op->getDialect()))
      stage = Stage::LLVM;
    else if (isa<kernel::KernelDialect>(op->getDialect()))
      stage = std::max(stage, Stage::Kernel);
    else if (isa<resnet::FusedOp>(op))
      stage = std::max(stage, Stage::Fused);
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && tensor.getEncoding())
        stage = std::max(stage, Stage::Layout);
  });
  if (stage == Stage::Kernel && module->hasAttr("kernel.arena_bytes"))
    return Stage::Planned;
  return stage;
}

//===----------------------------------------------------------------------===//
// 2. Phases
//===----------------------------------------------------------------------===//

/// What the fused phase has brought shows only in what the next one makes of it.
static void printTrafficBehind(ModuleOp fused, llvm::raw_ostream &out) {
  OwningOpRef<ModuleOp> lowered(cast<ModuleOp>(fused->clone()));
  PassManager manager(fused.getContext());
  addKernelPhase(manager);
  // Whoever goes on to that phase will hear of what is wrong there.
  ScopedDiagnosticHandler silence(fused.getContext(), [](Diagnostic &) { return success(); });
  if (succeeded(manager.run(*lowered)))
    kernel::printTraffic(out, *lowered);
}

static int writeText(ModuleOp module, StringRef file) {
  std::string text;
  llvm::raw_string_ostream out(text);
  if (stageOf(module) == Stage::Fused)
    printTrafficBehind(module, out);
  module.print(out, OpPrintingFlags().enableDebugInfo());
  return complain(writeOutput(file.str(), text));
}

static int dump(const BuildOptions &options, ModuleOp module, Stage stage) {
  if (options.dumpPhases.empty())
    return kOk;
  if (std::error_code error = llvm::sys::fs::create_directories(options.dumpPhases))
    return complain(Status(ExitCode::CannotCreate, concat("cannot create '", options.dumpPhases, "': ", error.message())));
  return writeText(module, dumpOf(options, stage));
}

static void addPhase(PassManager &manager, Stage stage, const BuildOptions &options) {
  switch (stage) {
  case Stage::Train:
    return addTrainPhase(manager, {.batch = options.batch, .predictBatch = options.predictBatch});
  case Stage::Layout:
    return addLayoutPhase(manager);
  case Stage::Fused:
    return addFusedPhase(manager);
  case Stage::Kernel:
    return addKernelPhase(manager);
  case Stage::Planned:
    return addPlannedPhase(manager);
  case Stage::LLVM:
    return addLLVMPhase(manager);
  case Stage::Resnet:
  case Stage::Object:
  case Stage::Executable:
    llvm_unreachable("no phase leads there");
  }
}

/// What is left of the compiler's work once the module is lowered.
namespace {
struct Layer {
  std::string path;
  Location place;
};
struct Lowered {
  TargetInfo target;
  codegen::Numerics numerics = codegen::Numerics::Fast;
  std::vector<codegen::KernelRequest> kernels;
  std::map<std::string, Layer> layers; ///< by symbol, the first that launches the kernel
  std::vector<EntryPoint> entries;
  BuildProgress progress;
};
} // namespace

/// Says that the work of `stage` begins, if the build has taken long already.
static void announce(const BuildOptions &options, const Lowered &lowered, Stage stage, const Twine &name) {
  if (!options.quiet)
    lowered.progress.begin(name.str(), static_cast<int>(stage) + 1, static_cast<int>(options.emit) + 1);
}

/// What an entry function computes and on what shapes, whatever the numbers in its attributes: these change nothing about how it is best fused.
static std::string signatureOf(func::FuncOp function) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  function.walk([&](Operation *op) { stream << op->getName() << " " << op->getOperandTypes() << " " << op->getResultTypes() << "\n"; });
  return llvm::formatv("entry {0} {1:x-16}", function.getName(), resin::hash(std::string_view(text)));
}

static std::vector<KernelSpec> kernelsOf(ModuleOp module) {
  std::vector<KernelSpec> specs;
  llvm::StringSet<> known;
  module.walk([&](kernel::LaunchOp launch) {
    if (known.insert(launch.getKernel()).second)
      specs.push_back(kernel::specOf(launch));
  });
  return specs;
}

static codegen::Numerics numericsOf(ModuleOp module) {
  return wantsStrictNumerics(module) ? codegen::Numerics::Strict : codegen::Numerics::Fast;
}

/// The records that the program is built by.
static tuning::KnobChooser readRecords(const BuildOptions &options, const Lowered &lowered) {
  std::vector<tuning::TuningRecord> user, shipped;
  if (options.tuning && options.emit >= Stage::Layout) {
    std::string userWarning, shippedWarning;
    user = tuning::readDatabase(tuningDatabase(options.database), userWarning);
    shipped = tuning::readRecordLines(tuning::shippedRecords(), shippedWarning);
    for (const std::string &warning : {userWarning, shippedWarning})
      if (!warning.empty() && !options.quiet)
        llvm::errs() << "resin: warning: " << warning << "\n";
  }
  return tuning::KnobChooser(user, shipped, lowered.target, tuning::cpuModel(), codegen::codegenVersion(), lowered.numerics);
}

/// Says of each entry function how it is to be fused, where that is not as usual.
static void chooseFusion(const BuildOptions &options, ModuleOp module, const tuning::KnobChooser &chooser, Lowered &lowered, ManifestTarget &target) {
  for (auto function : module.getOps<func::FuncOp>()) {
    const std::string name = function.getName().str();
    if (name != kTrainStep && !StringRef(name).starts_with(kPredict))
      continue;
    lowered.entries.push_back({name, signatureOf(function), ""});
    if (auto given = options.fusion.find(name); given != options.fusion.end()) {
      resnet::setFusionKnobs(function, given->second);
      continue;
    }
    const tuning::FusionChoice choice = chooser.chooseFusion(lowered.entries.back().signature);
    if (choice.source == tuning::KnobSource::Default)
      continue;
    target.fusion[name] = (choice.source == tuning::KnobSource::Tuned ? "tuned: " : "borrowed: ") + print(choice.knobs);
    if (choice.knobs != usualFusion(lowered.target.machine))
      resnet::setFusionKnobs(function, choice.knobs);
  }
}

/// Asks the tuning records for the knobs of each kernel, and counts where they came from.
static void chooseKnobs(const tuning::KnobChooser &chooser, std::vector<KernelSpec> specs, Lowered &lowered, ManifestTarget &counts) {
  for (KernelSpec &spec : specs) {
    tuning::KnobChoice choice = chooser.choose(spec);
    counts.tuned += choice.source == tuning::KnobSource::Tuned;
    counts.borrowed += choice.source == tuning::KnobSource::Borrowed;
    counts.untuned += choice.source == tuning::KnobSource::Default;
    const std::unique_ptr<codegen::KnobSpace> space = codegen::backendOf(lowered.target).plan(spec, lowered.target);
    const Knobs knobs = choice.knobs.empty() ? space->untuned() : choice.knobs;
    if (choice.source != tuning::KnobSource::Fixed)
      ++counts.templates[knobs.form];
    counts.choices.push_back(symbol(spec) + " " + printKnobs(knobs));
    if (const codegen::KernelForm form = space->formOf(knobs); !form.name.empty())
      counts.forms[symbol(spec)] = {form.name, form.operations};
    lowered.kernels.push_back({std::move(spec), std::move(choice.knobs)});
  }
}

static int runPhases(const BuildOptions &options, ModuleOp module, Lowered &lowered) {
  Stage stage = stageOf(module);
  if (stage > std::min(options.emit, Stage::LLVM))
    return complain(Status::usage("'", options.file, "' is past the stage that --emit asks for"));
  if (stage == Stage::Planned) {
    PassManager gate(module.getContext());
    addPlannedGate(gate);
    if (failed(gate.run(module)))
      return kBadInput;
  }
  auto reached = [&] { return std::min(options.emit, Stage::LLVM) <= stage; };
  if (int code = dump(options, module, stage))
    return code;
  lowered.numerics = numericsOf(module);
  if (!reached())
    resnet::setTarget(module, lowered.target);
  const tuning::KnobChooser chooser = readRecords(options, lowered);
  ManifestTarget target{.name = lowered.target.name, .features = lowered.target.features};
  while (!reached()) {
    if (stage == Stage::Train)
      chooseFusion(options, module, chooser, lowered, target);
    if (stage == Stage::Planned) {
      target.choices.push_back(codegen::codegenVersion());
      chooseKnobs(chooser, kernelsOf(module), lowered, target);
      for (kernel::KernelRow &row : kernel::KernelRows(module).rows)
        lowered.layers.try_emplace(symbol(kernel::specOf(row.launch)), Layer{row.launch.getLayer().str(), row.launch.getLoc()});
      std::string manifest = writeManifest(module, target);
      module->setAttr("kernel.manifest", StringAttr::get(module.getContext(), manifest));
    }
    stage = static_cast<Stage>(static_cast<int>(stage) + 1);
    announce(options, lowered, stage, kStageNames[static_cast<int>(stage)]);
    PassManager manager(module.getContext());
    addPhase(manager, stage, options);
    if (failed(manager.run(module)))
      return isMlir(options) ? kBadInput : kFailure;
    if (int code = dump(options, module, stage))
      return code;
  }
  return kOk;
}

//===----------------------------------------------------------------------===//
// 3. Objects and the program
//===----------------------------------------------------------------------===//

/// Says which layers' kernels could not be compiled, and why.
static void blameLayers(const Lowered &lowered, ArrayRef<codegen::CompiledKernel> kernels, StringRef error) {
  bool blamed = false;
  for (const codegen::CompiledKernel &kernel : kernels)
    if (auto layer = lowered.layers.find(kernel.symbol); layer != lowered.layers.end() && !kernel.complaint.empty()) {
      emitError(layer->second.place) << "cannot compile the kernel " << kernel.symbol << " of '" << layer->second.path << "': " << kernel.complaint;
      blamed = true;
    }
  if (!blamed)
    complain({ExitCode::Failure, error.str()});
}

static int compileKernels(const BuildOptions &options, const Lowered &lowered, std::vector<codegen::CompiledKernel> &kernels) {
  codegen::CompileOptions compile{.target = options.target, .jobs = options.jobs, .cacheDirectory = cacheDirectory()};
  std::string error, warning;
  bool compiled = codegen::compileKernels(lowered.kernels, compile, kernels, error, &warning);
  auto untunedKnobs = [&](const KernelSpec &spec) {
    return lowered.numerics == codegen::Numerics::Fast ? Knobs() : codegen::backendOf(lowered.target).plan(spec, lowered.target)->untuned(lowered.numerics);
  };
  if (!compiled && llvm::any_of(lowered.kernels, [&](const codegen::KernelRequest &request) { return request.knobs != untunedKnobs(request.spec); })) {
    // Whatever a record says, it must not stand in the way of a program.
    llvm::errs() << "resin: warning: tuned kernels do not compile, their defaults are taken: " << error << "\n";
    std::vector<codegen::KernelRequest> untuned = lowered.kernels;
    for (codegen::KernelRequest &request : untuned)
      request.knobs = untunedKnobs(request.spec);
    compiled = codegen::compileKernels(untuned, compile, kernels, error, &warning);
  }
  if (!compiled) {
    blameLayers(lowered, kernels, error);
    return kFailure;
  }
  if (!warning.empty())
    llvm::errs() << "resin: warning: " << warning << "\n";
  if (options.quiet)
    return kOk;
  size_t cached = llvm::count_if(kernels, [](const codegen::CompiledKernel &kernel) { return kernel.cached; });
  llvm::errs() << llvm::formatv("resin: {0} kernels, {1} of them from the cache\n", kernels.size(), cached);
  return kOk;
}

static int linkProgram(const BuildOptions &options, ModuleOp module, const Lowered &lowered, const HostTarget &target) {
  std::vector<codegen::CompiledKernel> kernels;
  announce(options, lowered, Stage::Object, Twine(lowered.kernels.size()) + " kernels");
  if (options.kernelObjects.empty())
    if (int code = compileKernels(options, lowered, kernels))
      return code;
  announce(options, lowered, Stage::Executable, "exe");
  FailureOr<std::string> program = makeHostObject(module, target);
  if (failed(program))
    return kFailure;

  StatusOr<ScratchFolder> folder = ScratchFolder::create();
  if (folder.failed())
    return complain(folder.status());
  LinkJob job{.folder = *folder, .objects = {}, .libraries = options.kernelObjects};
  job.libraries.push_back(runtimeOf(options));
  auto add = [&](StringRef bytes) {
    job.objects.push_back(std::to_string(job.objects.size()) + ".o"); // kernels' names may be longer than a file's
    return complain(folder->write(job.objects.back(), bytes));
  };
  for (const codegen::CompiledKernel &kernel : kernels)
    if (int code = add(kernel.object))
      return code;
  if (int code = add(*program))
    return code;
  const StatusOr<std::string> linked = resin::link(job);
  if (linked.failed())
    return complain(linked.status());
  const StatusOr<std::vector<std::byte>> bytes = readFile(*linked);
  return complain(bytes.failed() ? bytes.status() : writeOutput(outputOf(options), *bytes, 0777));
}

static int finish(const BuildOptions &options, ModuleOp module, const Lowered &lowered) {
  if (options.emit <= Stage::LLVM)
    return writeText(module, outputOf(options));
  HostTarget target{.triple = hostTriple(), .cpu = lowered.target.name, .features = {}};
  if (options.emit == Stage::Executable)
    return linkProgram(options, module, lowered, target);
  FailureOr<std::string> object = makeHostObject(module, target);
  return failed(object) ? kFailure : complain(writeOutput(outputOf(options), *object));
}

static OwningOpRef<ModuleOp> load(const BuildOptions &options, const frontend::Options &settings, llvm::SourceMgr &sources, MLIRContext &context) {
  if (isMlir(options))
    return parseSourceFile<ModuleOp>(sources, &context);
  return frontend::compile(sources, context, settings);
}

static bool isInFile(Location location) {
  return location->walk([](Location each) { return isa<FileLineColLoc>(each) ? WalkResult::interrupt() : WalkResult::advance(); }).wasInterrupted();
}

/// What is wrong nowhere in particular is wrong with the file.
static LogicalResult printWithFile(StringRef file, Diagnostic &diagnostic) {
  if (isInFile(diagnostic.getLocation()))
    return failure();
  static constexpr StringRef kinds[] = {"note", "warning", "error", "remark"};
  auto print = [&](Diagnostic &each) { llvm::errs() << file << ": " << kinds[static_cast<int>(each.getSeverity())] << ": " << each << "\n"; };
  print(diagnostic);
  for (Diagnostic &note : diagnostic.getNotes())
    print(note);
  return success();
}

/// Reads the file and hands its module to `then`.
static int withModule(const BuildOptions &options, llvm::function_ref<int(ModuleOp)> then) {
  frontend::Options settings;
  if (int code = frontendOptions(options, settings))
    return code;
  llvm::SourceMgr sources;
  if (int code = openSource(options, sources))
    return code;

  DialectRegistry registry;
  registry.insert<func::FuncDialect, resnet::ResnetDialect, kernel::KernelDialect, LLVM::LLVMDialect>();
  // One thread: modules are small, and kernels are compiled in forks of this process.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  ScopedDiagnosticHandler withoutPlace(&context, [&](Diagnostic &diagnostic) { return printWithFile(options.file, diagnostic); });
  OwningOpRef<ModuleOp> module = load(options, settings, sources, context);
  return module ? then(*module) : kBadInput;
}

int resin::collectParts(const BuildOptions &options, ProgramParts &parts) {
  return withModule(options, [&](ModuleOp module) -> int {
    BuildOptions upToKernels = options;
    upToKernels.emit = Stage::Kernel;
    Lowered lowered;
    std::string error;
    if (!findTarget(options.target, lowered.target, error))
      return complain(Status::usage(error));
    if (int code = runPhases(upToKernels, module, lowered))
      return code;
    parts = {kernelsOf(module), std::move(lowered.entries), lowered.numerics};
    for (EntryPoint &entry : parts.entries) {
      llvm::raw_string_ostream text(entry.text);
      module.lookupSymbol(entry.name)->print(text, OpPrintingFlags().enableDebugInfo(false));
    }
    return kOk;
  });
}

int resin::build(const BuildOptions &options) {
  auto start = std::chrono::steady_clock::now();
  if (Status status = checkOutputs(options); status.failed())
    return complain(status);
  Lowered lowered;
  std::string error;
  if (!findTarget(options.target, lowered.target, error))
    return complain(Status::usage(error));
  return withModule(options, [&](ModuleOp module) -> int {
    if (isMlir(options) && stageOf(module) >= Stage::LLVM && options.emit == Stage::Executable && options.kernelObjects.empty())
      return complain(Status::usage("'", options.file, "' is past its kernels: a program is built from the planned phase or one before it"));
    if (int code = runPhases(options, module, lowered))
      return code;
    if (int code = finish(options, module, lowered))
      return code;
    if (options.emit == Stage::Executable && !options.quiet) {
      std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      llvm::errs() << llvm::formatv("resin: built for {0} in {1:f1} s\n", lowered.target.name, seconds.count());
    }
    return kOk;
  });
}
