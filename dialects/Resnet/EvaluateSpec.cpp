//===- EvaluateSpec.cpp - What a KernelSpec means, by the interpreter -----===//
//
// Makes each node's op over block arguments of the right types, has it verified, and
// evaluates it. Layouts play no part: the interpreter computes what tensors mean.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/EvaluateSpec.h"

#include "dialects/Resnet/Interpreter.h"
#include "dialects/Resnet/Resnet.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace resin {

namespace {

Attribute toAttribute(OpBuilder &builder, StringRef name, const AttributeValue &value) {
  if (const auto *integer = std::get_if<int64_t>(&value)) {
    if (name == "lane")
      return builder.getUnitAttr();
    if (name == "nesterov" || name == "decoupled" || name == "count_include_pad")
      return builder.getBoolAttr(*integer);
    return builder.getI64IntegerAttr(*integer);
  }
  if (const auto *real = std::get_if<double>(&value))
    return builder.getF64FloatAttr(*real);
  return builder.getDenseI64ArrayAttr(std::get<std::vector<int64_t>>(value));
}

/// The op of `node` over values of `types`, in `block`; null if it is not valid.
Operation *makeOp(OpBuilder &builder, Block &block, const KernelNode &node, ArrayRef<Type> types) {
  OperationState state(builder.getUnknownLoc(), "resnet." + node.op);
  for (int operand : node.operands)
    state.addOperands(block.addArgument(types[operand], builder.getUnknownLoc()));
  for (const auto &[name, value] : node.attributes)
    state.addAttribute(name, toAttribute(builder, name, value));
  Type element = node.op == "label_rank" ? Type(builder.getI32Type()) : builder.getF32Type();
  for (const std::vector<int64_t> &shape : node.results)
    state.addTypes(RankedTensorType::get(shape, element));
  if (!state.name.isRegistered())
    return mlir::emitError(state.location) << "there is no op '" << node.op << "'", nullptr;
  Operation *op = builder.create(state);
  return succeeded(verify(op)) ? op : nullptr;
}

} // namespace

bool evaluateSpec(const KernelSpec &spec, const std::vector<Elements> &operands, std::vector<Elements> &results,
                  std::string &error) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<resnet::ResnetDialect>();
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    error += diagnostic.str();
    return success();
  });
  OpBuilder builder(&context);
  Block block;
  builder.setInsertionPointToEnd(&block);
  std::vector<Type> types;
  std::vector<resnet::Tensor> values;
  for (size_t i = 0; i < spec.operands.size(); ++i) {
    Type element = spec.operands[i].type == ElementType::I32 ? Type(builder.getI32Type()) : builder.getF32Type();
    types.push_back(RankedTensorType::get(spec.operands[i].shape, element));
    values.emplace_back(spec.operands[i].shape);
    values.back().data = operands[i];
  }
  for (const KernelNode &node : spec.nodes) {
    Operation *op = makeOp(builder, block, node, types);
    if (!op)
      return false;
    llvm::SmallVector<resnet::Tensor> inputs;
    for (int operand : node.operands)
      inputs.push_back(values[operand]);
    FailureOr<std::vector<resnet::Tensor>> outputs = resnet::evaluate(op, inputs, resnet::Precision::F64);
    if (failed(outputs))
      return false;
    types.insert(types.end(), op->getResultTypes().begin(), op->getResultTypes().end());
    values.insert(values.end(), outputs->begin(), outputs->end());
  }
  results.clear();
  for (int yield : spec.yields)
    results.push_back(values[yield].data);
  return true;
}

} // namespace resin
