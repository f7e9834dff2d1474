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

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace resin {

bool evaluateSpec(const KernelSpec &spec, const std::vector<Elements> &operands, std::vector<Elements> &results,
                  std::string &error, int64_t piece) {
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
  auto kernel = cast<func::FuncOp>(module->lookupSymbol("kernel"));
  resnet::FusedOp fused = *kernel.getOps<resnet::FusedOp>().begin();
  FailureOr<std::vector<resnet::Tensor>> values = resnet::evaluate(fused, arguments, resnet::Precision::F64, piece);
  if (failed(values))
    return false;
  results.clear();
  for (resnet::Tensor &value : *values)
    results.push_back(std::move(value.data));
  return true;
}

} // namespace resin
