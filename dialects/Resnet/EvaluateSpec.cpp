//===- EvaluateSpec.cpp - What a KernelSpec means, by the interpreter -----===//
//
// Reads the spec back as a fused region and runs it. Layouts play no part: the
// interpreter computes what tensors mean.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/EvaluateSpec.h"

#include "dialects/Resnet/Interpreter.h"
#include "dialects/Resnet/Resnet.h"
#include "dialects/Resnet/Spec.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace resin {

bool evaluateSpec(const KernelSpec &spec, const std::vector<Elements> &operands, std::vector<Elements> &results,
                  std::string &error) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    error += diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = resnet::fusedFromSpec(&context, spec);
  if (!module)
    return false;
  std::vector<resnet::Tensor> arguments;
  for (size_t i = 0; i < spec.operands.size(); ++i) {
    arguments.emplace_back(spec.operands[i].shape);
    arguments.back().data = operands[i];
  }
  resnet::Store store;
  FailureOr<std::vector<resnet::Tensor>> values = resnet::Interpreter(*module).run("kernel", arguments, store);
  if (failed(values))
    return false;
  results.clear();
  for (resnet::Tensor &value : *values)
    results.push_back(std::move(value.data));
  return true;
}

} // namespace resin
