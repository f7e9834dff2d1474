//===- Compiler.cpp - The phases of the compiler, as functions ------------===//

#include "driver/Compiler.h"

#include "codegen/host/ManifestWriter.h"
#include "dialects/Kernel/Kernel.h"
#include "dialects/Kernel/KernelRows.h"
#include "dialects/Kernel/Traffic.h"
#include "dialects/Resnet/Resnet.h"
#include "dialects/Resnet/Target.h"
#include "driver/Choices.h"
#include "driver/Paths.h"
#include "driver/Source.h"
#include "driver/Told.h"
#include "passes/EntryPoints.h"
#include "passes/KernelPhases.h"
#include "passes/Pipelines.h"
#include "support/Files.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace resin;

Stage resin::stageOf(ModuleOp module) {
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

Status resin::writeText(ModuleOp module, StringRef file) {
  std::string text;
  llvm::raw_string_ostream out(text);
  if (stageOf(module) == Stage::Fused)
    printTrafficBehind(module, out);
  module.print(out, OpPrintingFlags().enableDebugInfo());
  return writeOutput(file.str(), text);
}

static Status dump(const BuildOptions &options, ModuleOp module, Stage stage) {
  if (options.dumpPhases.empty())
    return {};
  if (std::error_code error = llvm::sys::fs::create_directories(options.dumpPhases))
    return Status(ExitCode::CannotCreate, concat("cannot create '", options.dumpPhases, "': ", error.message()));
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

void resin::announce(const BuildOptions &options, const Lowered &lowered, Stage stage, const Twine &name) {
  if (!options.quiet)
    lowered.progress.begin(name.str(), static_cast<int>(stage) + 1, static_cast<int>(options.emit) + 1);
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

Status resin::findTarget(const BuildOptions &options, TargetInfo &target) {
  std::string error;
  return findTarget(options.target, target, error) ? Status() : Status::usage(error);
}

/// What only the launches of a planned module say: the choices for each kernel, and the manifest that has them.
static void chooseForKernels(ModuleOp module, const tuning::KnobChooser &chooser, Lowered &lowered,
                             ManifestTarget &target) {
  target.choices.push_back(codegen::codegenVersion());
  chooseKnobs(chooser, kernelsOf(module), lowered, target);
  for (kernel::KernelRow &row : kernel::KernelRows(module).rows)
    lowered.layers.try_emplace(symbol(kernel::specOf(row.launch)),
                               Layer{row.launch.getLayer().str(), row.launch.getLoc()});
  const std::string manifest = writeManifest(module, target);
  module->setAttr("kernel.manifest", StringAttr::get(module.getContext(), manifest));
}

/// A module that comes from a file may hold anything.
static LogicalResult checkPlan(ModuleOp module) {
  PassManager gate(module.getContext());
  addPlannedGate(gate);
  return gate.run(module);
}

Status resin::runPhases(const BuildOptions &options, ModuleOp module, Lowered &lowered) {
  Stage stage = stageOf(module);
  if (stage > std::min(options.emit, Stage::LLVM))
    return Status::usage("'", options.file, "' is past the stage that --emit asks for");
  if (stage == Stage::Planned && failed(checkPlan(module)))
    return alreadyTold(ExitCode::BadData);
  if (Status status = dump(options, module, stage); status.failed())
    return status;
  lowered.numerics = numericsOf(module);
  const Stage last = std::min(options.emit, Stage::LLVM);
  if (stage < last)
    resnet::setTarget(module, lowered.target);
  const tuning::KnobChooser chooser = readRecords(options, lowered);
  ManifestTarget target{.name = lowered.target.name, .features = lowered.target.features};
  while (stage < last) {
    if (stage == Stage::Train)
      chooseFusion(options, module, chooser, lowered, target);
    if (stage == Stage::Planned)
      chooseForKernels(module, chooser, lowered, target);
    stage = static_cast<Stage>(static_cast<int>(stage) + 1);
    announce(options, lowered, stage, kStageNames[static_cast<int>(stage)]);
    PassManager manager(module.getContext());
    addPhase(manager, stage, options);
    if (failed(manager.run(module)))
      return alreadyTold(isMlir(options) ? ExitCode::BadData : ExitCode::Failure);
    if (Status status = dump(options, module, stage); status.failed())
      return status;
  }
  return {};
}

Status resin::collectParts(const BuildOptions &options, ProgramParts &parts) {
  return withModule(options, [&](ModuleOp module) -> Status {
    BuildOptions upToKernels = options;
    upToKernels.emit = Stage::Kernel;
    Lowered lowered;
    if (Status status = findTarget(options, lowered.target); status.failed())
      return status;
    if (Status status = runPhases(upToKernels, module, lowered); status.failed())
      return status;
    parts = {kernelsOf(module), std::move(lowered.entries), lowered.numerics};
    for (tuning::EntryPoint &entry : parts.entries) {
      llvm::raw_string_ostream text(entry.text);
      module.lookupSymbol(entry.name)->print(text, OpPrintingFlags().enableDebugInfo(false));
    }
    return {};
  });
}
