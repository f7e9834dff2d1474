//===- Compiler.h - The phases of the compiler, as functions ----*- C++ -*-===//

#ifndef RESIN_DRIVER_COMPILER_H
#define RESIN_DRIVER_COMPILER_H

#include "codegen/KernelLibrary.h"
#include "driver/Build.h"
#include "driver/BuildProgress.h"
#include "machine/Targets.h"
#include "tuning/EntrySearch.h"

#include "mlir/IR/BuiltinOps.h"

namespace resin {

/// Who first launches a kernel.
struct Layer {
  std::string path;
  mlir::Location place;
};

/// What is left of the compiler's work once the module is lowered.
struct Lowered {
  TargetInfo target;
  codegen::Numerics numerics = codegen::Numerics::Fast;
  std::vector<codegen::KernelRequest> kernels;
  std::map<std::string, Layer> layers; ///< by the kernel's symbol
  std::vector<tuning::EntryPoint> entries;
  BuildProgress progress;
};

/// The stage that left this module, told by what is in it.
Stage stageOf(mlir::ModuleOp module);

/// Fills in the target that the options name.
Status findTarget(const BuildOptions &options, TargetInfo &target);

/// Runs the phases behind the one that left the module, up to the one asked for.
Status runPhases(const BuildOptions &options, mlir::ModuleOp module, Lowered &lowered);

/// Writes the module as text, with what fusion brought before it.
Status writeText(mlir::ModuleOp module, llvm::StringRef file);

/// Says that the work of `stage` begins, if the build has taken long already.
void announce(const BuildOptions &options, const Lowered &lowered, Stage stage, const llvm::Twine &name);

/// What of the program that `build` would make can be tuned.
struct ProgramParts {
  std::vector<KernelSpec> kernels;         ///< each once
  std::vector<tuning::EntryPoint> entries; ///< as `options.fusion` or else the records say that they are fused
  codegen::Numerics numerics = codegen::Numerics::Fast; ///< how they may round
};

Status collectParts(const BuildOptions &options, ProgramParts &parts);

} // namespace resin

#endif // RESIN_DRIVER_COMPILER_H
