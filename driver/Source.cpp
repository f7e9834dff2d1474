//===- Source.cpp - From a file to a module -------------------------------===//

#include "driver/Source.h"

#include "dialects/Kernel/Kernel.h"
#include "dialects/Resnet/Resnet.h"
#include "driver/Told.h"
#include "frontend/Frontend.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace resin;

static Status openSource(const BuildOptions &options, llvm::SourceMgr &sources) {
  auto buffer = llvm::MemoryBuffer::getFile(options.file, /*IsText=*/true);
  if (std::error_code error = buffer.getError())
    return Status::noInput("cannot read '", options.file, "': ", error.message());
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  return {};
}

bool resin::isMlir(const BuildOptions &options) { return llvm::sys::path::extension(options.file) == ".mlir"; }

static Status frontendOptions(const BuildOptions &options, frontend::Options &result) {
  result.modelName = options.model;
  for (StringRef setting : options.settings) {
    auto [key, value] = setting.split('=');
    if (key.empty() || value.empty())
      return Status::usage("--set wants key=value, not '", setting.str(), "'");
    result.overrides.emplace_back(key.str(), value.str());
  }
  if (options.batch)
    result.overrides.emplace_back("train.batch", std::to_string(options.batch));
  return {};
}

static Status openWithSettings(const BuildOptions &options, llvm::SourceMgr &sources, frontend::Options &settings) {
  Status status = frontendOptions(options, settings);
  return status.failed() ? status : openSource(options, sources);
}

Status resin::check(const BuildOptions &options) {
  llvm::SourceMgr sources;
  frontend::Options settings;
  if (Status status = openWithSettings(options, sources, settings); status.failed())
    return status;
  return frontend::check(sources, settings) ? Status() : alreadyTold(ExitCode::BadData);
}

Status resin::summarize(const BuildOptions &options) {
  llvm::SourceMgr sources;
  frontend::Options settings;
  if (Status status = openWithSettings(options, sources, settings); status.failed())
    return status;
  std::optional<std::string> table = frontend::summarize(sources, settings);
  if (!table)
    return alreadyTold(ExitCode::BadData);
  llvm::outs() << *table;
  return {};
}

static OwningOpRef<ModuleOp> load(const BuildOptions &options, const frontend::Options &settings,
                                  llvm::SourceMgr &sources, MLIRContext &context) {
  if (isMlir(options))
    return parseSourceFile<ModuleOp>(sources, &context);
  return frontend::compile(sources, context, settings);
}

static bool isInFile(Location location) {
  return location
      ->walk([](Location each) { return isa<FileLineColLoc>(each) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

/// What is wrong nowhere in particular is wrong with the file.
static LogicalResult printWithFile(StringRef file, Diagnostic &diagnostic) {
  if (isInFile(diagnostic.getLocation()))
    return failure();
  static constexpr StringRef kinds[] = {"note", "warning", "error", "remark"};
  auto print = [&](Diagnostic &each) {
    llvm::errs() << file << ": " << kinds[static_cast<int>(each.getSeverity())] << ": " << each << "\n";
  };
  print(diagnostic);
  for (Diagnostic &note : diagnostic.getNotes())
    print(note);
  return success();
}

Status resin::withModule(const BuildOptions &options, llvm::function_ref<Status(ModuleOp)> then) {
  llvm::SourceMgr sources;
  frontend::Options settings;
  if (Status status = openWithSettings(options, sources, settings); status.failed())
    return status;

  DialectRegistry registry;
  registry.insert<func::FuncDialect, resnet::ResnetDialect, kernel::KernelDialect, LLVM::LLVMDialect>();
  // One thread: modules are small, and kernels are compiled in forks of this process.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  ScopedDiagnosticHandler withoutPlace(&context,
                                       [&](Diagnostic &diagnostic) { return printWithFile(options.file, diagnostic); });
  OwningOpRef<ModuleOp> module = load(options, settings, sources, context);
  return module ? then(*module) : alreadyTold(ExitCode::BadData);
}
