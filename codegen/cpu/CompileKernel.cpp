//===- CompileKernel.cpp - One KernelSpec to one object file --------------===//

#include "codegen/cpu/CompileKernel.h"

#include "codegen/cpu/Builder.h"
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

/// What Halide calls a target.
static Target halideTargetOf(const TargetInfo &target) {
  // Halide compiles for Skylake-SP, Haswell and Penryn.
  if (target.name == "x86-64-v4")
    return Target("x86-64-linux-sse41-avx-avx2-f16c-fma-avx512_skylake");
  if (target.name == "x86-64-v3")
    return Target("x86-64-linux-sse41-avx-avx2-f16c-fma");
  assert(target.name == "x86-64-v2" && "every target is called something by Halide");
  return Target("x86-64-linux-sse41");
}

/// A kernel for a machine, before Halide lowers it.
struct Order {
  const KernelSpec &spec;
  const Knobs &knobs;
  const Target target;
  KernelMachine machine;
};

static Module lowerKernel(const Order &order) {
  BuiltKernel kernel;
  if (!buildConv(order.spec, order.machine, kernel, order.knobs) && !buildMap(order.spec, order.machine, kernel))
    buildLoops(order.spec, order.machine, kernel);
  // Plain linkage: the function alone, without the wrapper and the metadata that
  // Halide adds by default.
  return kernel.pipeline().compile_to_module(kernel.arguments, symbol(order.spec), order.target, LinkageType::External);
}

/// In the form that keeps most at hand, if that is no more than `most` bytes, which Halide itself may find too many.
static std::optional<Module> lowerAmply(const Order &order, int64_t most) {
  try {
    Module module = lowerKernel(order);
    return stackScratchOf(module) <= most ? std::optional(module) : std::nullopt;
  } catch (const CompileError &) {
    return std::nullopt; // the frugal form has the last word
  }
}

static Module lower(Order order, int64_t mostScratch) {
  if (std::optional<Module> ample = lowerAmply(order, mostScratch))
    return *ample;
  order.machine.frugal = true;
  Module module = lowerKernel(order);
  checkStackScratch(module);
  return module;
}

bool compileKernel(const Backend::Job &job, std::string &error) {
  try {
    const Target target = halideTargetOf(job.target)
                              .with_feature(Target::NoAsserts)
                              .with_feature(Target::NoBoundsQuery)
                              .with_feature(Target::NoRuntime);
    checkTypes(job.spec);
    Module module = lower({job.spec, job.knobs, target, {job.target.machine}}, job.mostScratch);
    module.compile({{OutputFileType::object, job.path}});
    return true;
  } catch (const Error &problem) {
    error = problem.what();
  } catch (const std::exception &problem) {
    error = problem.what();
  }
  return false;
}

} // namespace resin::codegen
