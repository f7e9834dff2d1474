//===- CompileKernel.cpp - One KernelSpec to one object file --------------===//

#include "codegen/cpu/CompileKernel.h"

#include "codegen/cpu/Builder.h"
#include "codegen/KernelLibrary.h"
#include "codegen/cpu/StackScratch.h"
#include "codegen/cpu/kernels/Values.h"
#include "codegen/cpu/schedules/FetchAhead.h"
#include "codegen/cpu/schedules/Loops.h"
#include "codegen/cpu/schedules/Maps.h"

#include <optional>

using namespace Halide;

namespace resin::codegen {

Pipeline BuiltKernel::pipeline() const {
  Pipeline whole(outputs);
  whole.add_custom_lowering_pass(new LowerFetches);
  return whole;
}

/// Templates load, store and compute these alone, so far.
static void checkTypes(const KernelSpec &spec) {
  for (const ValueSpec &value : valuesOf(spec))
    if (value.type != ElementType::F64 && value.type != ElementType::F32 && value.type != ElementType::I32)
      throw CompileError("no template computes with " + std::string(nameOf(value.type)));
}

static Module lowerKernel(const KernelSpec &spec, const Machine &machine, const std::vector<int> &knobs) {
  BuiltKernel kernel;
  if (!buildConv(spec, machine, kernel, knobs) && !buildMap(spec, machine, kernel))
    buildLoops(spec, machine, kernel);
  // Plain linkage: the function alone, without the wrapper and the metadata that
  // Halide adds by default.
  return kernel.pipeline().compile_to_module(kernel.arguments, symbol(spec), machine.target, LinkageType::External);
}

/// In the form that keeps most at hand, if that is no more than `most` bytes, which Halide itself may find too many.
static std::optional<Module> lowerAmply(const KernelSpec &spec, const Machine &machine, const std::vector<int> &knobs,
                                        int64_t most) {
  try {
    Module module = lowerKernel(spec, machine, knobs);
    return stackScratchOf(module) <= most ? std::optional(module) : std::nullopt;
  } catch (const CompileError &) {
    return std::nullopt; // the frugal form has the last word
  }
}

static Module lower(const KernelSpec &spec, Machine machine, const std::vector<int> &knobs, int64_t mostScratch) {
  if (std::optional<Module> ample = lowerAmply(spec, machine, knobs, mostScratch))
    return *ample;
  machine.frugal = true;
  Module module = lowerKernel(spec, machine, knobs);
  checkStackScratch(module);
  return module;
}

bool compileKernel(const KernelSpec &spec, const std::vector<int> &knobs, const std::string &halideTarget,
                   int64_t mostScratch, const std::string &path, std::string &error) {
  try {
    const Target target = Target(halideTarget)
                              .with_feature(Target::NoAsserts)
                              .with_feature(Target::NoBoundsQuery)
                              .with_feature(Target::NoRuntime);
    checkTypes(spec);
    Module module = lower(spec, machineOf(target), knobs, mostScratch);
    module.compile({{OutputFileType::object, path}});
    return true;
  } catch (const Error &problem) {
    error = problem.what();
  } catch (const std::exception &problem) {
    error = problem.what();
  }
  return false;
}

} // namespace resin::codegen
