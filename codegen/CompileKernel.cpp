//===- CompileKernel.cpp - One KernelSpec to one object file --------------===//

#include "codegen/CompileKernel.h"

#include "codegen/Builder.h"
#include "codegen/KernelLibrary.h"
#include "codegen/kernels/Values.h"
#include "codegen/schedules/FetchAhead.h"
#include "codegen/schedules/Loops.h"
#include "codegen/schedules/Maps.h"

using namespace Halide;

namespace resin::codegen {

Pipeline BuiltKernel::pipeline() const {
  Pipeline whole(outputs);
  whole.add_custom_lowering_pass(new LowerFetches);
  return whole;
}

bool compileKernel(const KernelSpec &spec, const std::vector<int> &knobs, const std::string &halideTarget,
                   const std::string &path, std::string &error) {
  try {
    const Target target = Target(halideTarget)
                              .with_feature(Target::NoAsserts)
                              .with_feature(Target::NoBoundsQuery)
                              .with_feature(Target::NoRuntime);
    const Machine machine = machineOf(target);
    BuiltKernel kernel;
    if (!buildConv(spec, machine, kernel, knobs) && !buildMap(spec, machine, kernel))
      buildLoops(spec, machine, kernel);
    // Plain linkage: the function alone, without the wrapper and the metadata that
    // Halide adds by default.
    Module module = kernel.pipeline().compile_to_module(kernel.arguments, symbol(spec), target, LinkageType::External);
    module.compile({{OutputFileType::object, path}});
    return true;
  } catch (const Error &problem) {
    error = problem.what();
  } catch (const std::exception &problem) {
    error = problem.what();
  }
  return false;
}

std::vector<std::string> kernelFamilies() {
  std::vector<std::string> names = nodeNames();
  names.insert(names.end(), {"conv2d", "conv2d_winograd", "conv2d_grad_data", "conv2d_grad_weight"});
  return names;
}

} // namespace resin::codegen
