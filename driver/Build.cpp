//===- Build.cpp - `resin build`: from a file to a program ----------------===//
//
//   1. Read the file (Source.h).
//   2. Run the phases from there on, up to the one asked for (Compiler.h).
//   3. Compile the set of kernels and the program's own code, and link.
//
//===----------------------------------------------------------------------===//

#include "driver/Build.h"

#include "codegen/Backends.h"
#include "codegen/host/HostObject.h"
#include "codegen/host/Linker.h"
#include "driver/Cache.h"
#include "driver/Compiler.h"
#include "driver/Paths.h"
#include "driver/Source.h"
#include "driver/Told.h"
#include "support/Files.h"
#include "support/ScratchFolder.h"

#include "llvm/Support/FormatVariadic.h"

#include <chrono>

using namespace mlir;
using namespace resin;

/// Says which layers' kernels could not be compiled, and why.
static Status blameLayers(const Lowered &lowered, ArrayRef<codegen::CompiledKernel> kernels, const std::string &error) {
  bool blamed = false;
  for (const codegen::CompiledKernel &kernel : kernels)
    if (auto layer = lowered.layers.find(kernel.symbol); layer != lowered.layers.end() && !kernel.complaint.empty()) {
      emitError(layer->second.place) << "cannot compile the kernel " << kernel.symbol << " of '" << layer->second.path
                                     << "': " << kernel.complaint;
      blamed = true;
    }
  return blamed ? alreadyTold(ExitCode::Failure) : Status(ExitCode::Failure, error);
}

static Status compileKernels(const BuildOptions &options, const Lowered &lowered,
                             std::vector<codegen::CompiledKernel> &kernels) {
  codegen::CompileOptions compile{.target = options.target, .jobs = options.jobs, .cacheDirectory = cacheDirectory()};
  std::string error, warning;
  bool compiled = codegen::compileKernels(lowered.kernels, compile, kernels, error, &warning);
  auto untunedKnobs = [&](const KernelSpec &spec) {
    return lowered.numerics == codegen::Numerics::Fast
               ? Knobs()
               : codegen::backendOf(lowered.target).plan(spec, lowered.target)->untuned(lowered.numerics);
  };
  if (!compiled && llvm::any_of(lowered.kernels, [&](const codegen::KernelRequest &request) {
        return request.knobs != untunedKnobs(request.spec);
      })) {
    // Whatever a record says, it must not stand in the way of a program.
    llvm::errs() << "resin: warning: tuned kernels do not compile, their defaults are taken: " << error << "\n";
    std::vector<codegen::KernelRequest> untuned = lowered.kernels;
    for (codegen::KernelRequest &request : untuned)
      request.knobs = untunedKnobs(request.spec);
    compiled = codegen::compileKernels(untuned, compile, kernels, error, &warning);
  }
  if (!compiled)
    return blameLayers(lowered, kernels, error);
  if (!warning.empty())
    llvm::errs() << "resin: warning: " << warning << "\n";
  if (options.quiet)
    return {};
  size_t cached = llvm::count_if(kernels, [](const codegen::CompiledKernel &kernel) { return kernel.cached; });
  llvm::errs() << llvm::formatv("resin: {0} kernels, {1} of them from the cache\n", kernels.size(), cached);
  return {};
}

static Status linkProgram(const BuildOptions &options, ModuleOp module, const Lowered &lowered,
                          const HostTarget &target) {
  std::vector<codegen::CompiledKernel> kernels;
  announce(options, lowered, Stage::Object, Twine(lowered.kernels.size()) + " kernels");
  if (options.kernelObjects.empty())
    if (Status status = compileKernels(options, lowered, kernels); status.failed())
      return status;
  announce(options, lowered, Stage::Executable, "exe");
  FailureOr<std::string> program = makeHostObject(module, target);
  if (failed(program))
    return alreadyTold(ExitCode::Failure);

  StatusOr<ScratchFolder> folder = ScratchFolder::create();
  if (folder.failed())
    return folder.status();
  LinkJob job{.folder = *folder, .objects = {}, .libraries = options.kernelObjects};
  job.libraries.push_back(runtimeOf(options));
  auto add = [&](StringRef bytes) {
    job.objects.push_back(std::to_string(job.objects.size()) + ".o"); // kernels' names may be longer than a file's
    return folder->write(job.objects.back(), bytes);
  };
  for (const codegen::CompiledKernel &kernel : kernels)
    if (Status status = add(kernel.object); status.failed())
      return status;
  if (Status status = add(*program); status.failed())
    return status;
  const StatusOr<std::string> linked = resin::link(job);
  if (linked.failed())
    return linked.status();
  const StatusOr<std::vector<std::byte>> bytes = readFile(*linked);
  return bytes.failed() ? bytes.status() : writeOutput(outputOf(options), *bytes, 0777);
}

static Status finish(const BuildOptions &options, ModuleOp module, const Lowered &lowered) {
  if (options.emit <= Stage::LLVM)
    return writeText(module, outputOf(options));
  HostTarget target{.triple = hostTriple(), .cpu = lowered.target.name, .features = {}};
  if (options.emit == Stage::Executable)
    return linkProgram(options, module, lowered, target);
  FailureOr<std::string> object = makeHostObject(module, target);
  return failed(object) ? alreadyTold(ExitCode::Failure) : writeOutput(outputOf(options), *object);
}

Status resin::build(const BuildOptions &options) {
  auto start = std::chrono::steady_clock::now();
  if (Status status = checkOutputs(options); status.failed())
    return status;
  Lowered lowered;
  if (Status status = findTarget(options, lowered.target); status.failed())
    return status;
  return withModule(options, [&](ModuleOp module) -> Status {
    if (isMlir(options) && stageOf(module) >= Stage::LLVM && options.emit == Stage::Executable &&
        options.kernelObjects.empty())
      return Status::usage("'", options.file,
                           "' is past its kernels: a program is built from the planned phase or one before it");
    if (Status status = runPhases(options, module, lowered); status.failed())
      return status;
    if (Status status = finish(options, module, lowered); status.failed())
      return status;
    if (options.emit == Stage::Executable && !options.quiet) {
      std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      llvm::errs() << llvm::formatv("resin: built for {0} in {1:f1} s\n", lowered.target.name, seconds.count());
    }
    return {};
  });
}
