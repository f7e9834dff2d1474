//===- Spec.cpp - Between fused regions and KernelSpecs -------------------===//

#include "dialects/Resnet/Spec.h"
#include "dialects/Resnet/Resnet.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace resin::resnet {

//===----------------------------------------------------------------------===//
// To a spec
//===----------------------------------------------------------------------===//

static ValueSpec valueSpecOf(RankedTensorType type) {
  const std::optional<ElementType> element = elementTypeOf(type.getElementType());
  assert(element && "the verifier has seen the type");
  return {*element, type.getShape().vec()};
}

TensorSpec tensorSpecOf(RankedTensorType type) {
  const ValueSpec value = valueSpecOf(type);
  return {value.type, value.shape, LayoutAttr::kindOf(type), LayoutAttr::haloOf(type)};
}

/// The spec of one of `pieces` of `whole`, cut along `dim`. A band of rows may, with what overlaps, be as large as the
/// whole.
static TensorSpec pieceSpecOf(Type piece, Type whole, int64_t dim, int64_t pieces) {
  TensorSpec spec = tensorSpecOf(cast<RankedTensorType>(piece));
  if (pieces == 1 || !isImage(spec.layout, spec.shape.size()))
    return spec;
  if (dim == 1)
    spec.storedChannels = cast<RankedTensorType>(whole).getDimSize(1);
  if (dim == 2)
    spec.storedRows = cast<RankedTensorType>(whole).getDimSize(2);
  return spec;
}

static AttributeValue valueOf(Attribute attribute) {
  if (!attribute)
    return int64_t(0); // an absent flag
  if (isa<UnitAttr>(attribute))
    return int64_t(1);
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return integer.getType().isInteger(1) ? int64_t(integer.getValue().getBoolValue()) : integer.getInt();
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return real.getValueAsDouble();
  return cast<DenseI64ArrayAttr>(attribute).asArrayRef().vec();
}

static KernelNode nodeOf(Operation &op, const llvm::DenseMap<Value, int> &numbers) {
  KernelNode node;
  node.op = op.getName().stripDialect().str();
  for (Value operand : op.getOperands())
    node.operands.push_back(numbers.at(operand));
  for (StringAttr name : op.getName().getAttributeNames())
    node.attributes.emplace_back(name.str(), valueOf(op.getAttr(name)));
  llvm::sort(node.attributes, [](const auto &lhs, const auto &rhs) { return lhs.first < rhs.first; });
  for (Type type : op.getResultTypes())
    node.results.push_back(valueSpecOf(cast<RankedTensorType>(type)));
  return node;
}

KernelSpec specOf(FusedOp op) {
  KernelSpec spec;
  llvm::DenseMap<Value, int> numbers;
  Block &body = op.getBody().front();
  for (auto [argument, input, dim] : llvm::zip(body.getArguments(), op.getInputs(), op.getOperandDims())) {
    numbers.try_emplace(argument, numbers.size());
    spec.operands.push_back(pieceSpecOf(argument.getType(), input.getType(), dim, op.getPieces()));
  }
  for (Operation &inner : body.without_terminator()) {
    spec.nodes.push_back(nodeOf(inner, numbers));
    for (Value result : inner.getResults())
      numbers.try_emplace(result, numbers.size());
  }
  for (auto [value, output, dim] :
       llvm::zip(body.getTerminator()->getOperands(), op.getOutputs(), op.getResultDims())) {
    spec.yields.push_back(numbers.at(value));
    spec.results.push_back(pieceSpecOf(value.getType(), output.getType(), dim, op.getPieces()));
  }
  return spec;
}

//===----------------------------------------------------------------------===//
// From a spec
//===----------------------------------------------------------------------===//

namespace {

/// Builds the body of @kernel; `fail` keeps the first complaint as a diagnostic.
class SpecReader {
public:
  SpecReader(MLIRContext *context, const KernelSpec &spec)
      : builder(context), spec(spec), location(builder.getUnknownLoc()) {}

  OwningOpRef<ModuleOp> build();

private:
  RankedTensorType tensorType(const ValueSpec &value, LayoutKind layout, int64_t halo);
  FailureOr<SmallVector<Type>> typesOf(const std::vector<TensorSpec> &tensors);
  LogicalResult buildNode(const KernelNode &node);
  Attribute attribute(AttributeKind kind, const AttributeValue &value);
  Type resultType(const KernelNode &node, unsigned result);
  LogicalResult fail(const Twine &complaint) { return mlir::emitError(location) << "kernel spec: " << complaint; }

  OpBuilder builder;
  const KernelSpec &spec;
  Location location;
  SmallVector<Value> values;
};

/// Null, after a diagnostic, where there is no such tensor.
RankedTensorType SpecReader::tensorType(const ValueSpec &value, LayoutKind layout, int64_t halo) {
  Attribute encoding;
  if (layout != LayoutKind::Dense || halo != 0)
    encoding = LayoutAttr::get(builder.getContext(), layout, halo);
  return RankedTensorType::getChecked([&] { return mlir::emitError(location); }, value.shape,
                                      typeOf(builder.getContext(), value.type), encoding);
}

FailureOr<SmallVector<Type>> SpecReader::typesOf(const std::vector<TensorSpec> &tensors) {
  SmallVector<Type> types;
  for (const TensorSpec &tensor : tensors) {
    types.push_back(tensorType({tensor.type, tensor.shape}, tensor.layout, tensor.halo));
    if (!types.back())
      return failure();
  }
  return types;
}

/// Null for a flag that is absent: flags are numbers in a spec.
Attribute SpecReader::attribute(AttributeKind kind, const AttributeValue &value) {
  if (const auto *real = std::get_if<double>(&value))
    return builder.getF64FloatAttr(*real);
  if (const auto *numbers = std::get_if<std::vector<int64_t>>(&value))
    return builder.getDenseI64ArrayAttr(*numbers);
  const int64_t number = std::get<int64_t>(value);
  if (kind == AttributeKind::Bool)
    return builder.getBoolAttr(number);
  if (kind == AttributeKind::Unit)
    return number ? builder.getUnitAttr() : Attribute();
  return builder.getI64IntegerAttr(number);
}

/// A result that the kernel yields has the layout that it is yielded in.
Type SpecReader::resultType(const KernelNode &node, unsigned result) {
  auto yield = llvm::find(spec.yields, int(values.size() + result));
  if (yield == spec.yields.end())
    return tensorType(node.results[result], LayoutKind::Dense, 0);
  const TensorSpec &tensor = spec.results[yield - spec.yields.begin()];
  return tensorType(node.results[result], tensor.layout, tensor.halo);
}

LogicalResult SpecReader::buildNode(const KernelNode &node) {
  OperationState state(location, "resnet." + node.op);
  if (!state.name.isRegistered())
    return fail("unknown op '" + node.op + "'");
  for (int operand : node.operands) {
    if (operand < 0 || operand >= int(values.size()))
      return fail("'" + node.op + "' uses %" + Twine(operand) + ", which is not defined before it");
    state.operands.push_back(values[operand]);
  }
  if (state.operands.empty())
    return fail("'" + node.op + "' has no operand");
  for (const auto &[name, value] : node.attributes) {
    const AttributeFacts *known = resin::factsOf(node.op).attribute(name);
    if (!known)
      return fail("'" + node.op + "' has no attribute '" + name + "'");
    if (Attribute given = attribute(known->kind, value))
      state.addAttribute(name, given);
  }
  for (unsigned i = 0; i < node.results.size(); ++i) {
    Type type = resultType(node, i);
    if (!type)
      return failure();
    state.types.push_back(type);
  }
  llvm::append_range(values, builder.create(state)->getResults());
  return success();
}

OwningOpRef<ModuleOp> SpecReader::build() {
  builder.getContext()->loadDialect<func::FuncDialect, ResnetDialect>();
  FailureOr<SmallVector<Type>> operands = typesOf(spec.operands), results = typesOf(spec.results);
  if (failed(operands) || failed(results))
    return {};
  OwningOpRef<ModuleOp> module(ModuleOp::create(location));
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, location, "kernel", builder.getFunctionType(*operands, *results));
  builder.setInsertionPointToEnd(function.addEntryBlock());
  const SmallVector<int64_t> wholeOperands(operands->size(), -1), wholeResults(results->size(), -1);
  auto fused =
      FusedOp::create(builder, location, *results, function.getArguments(), /*pieces=*/1, wholeOperands, wholeResults);
  func::ReturnOp::create(builder, location, fused.getOutputs());
  Block *body = builder.createBlock(&fused.getBody(), {}, *operands, SmallVector<Location>(operands->size(), location));
  llvm::append_range(values, body->getArguments());
  for (const KernelNode &node : spec.nodes)
    if (failed(buildNode(node)))
      return {};
  SmallVector<Value> yielded;
  for (int value : spec.yields) {
    if (value < 0 || value >= int(values.size())) {
      (void)fail("it yields %" + Twine(value) + ", which is not defined");
      return {};
    }
    yielded.push_back(values[value]);
  }
  YieldOp::create(builder, location, yielded);
  if (failed(verify(*module)))
    return {};
  return module;
}

} // namespace

OwningOpRef<ModuleOp> fusedFromSpec(MLIRContext *context, const KernelSpec &spec) {
  if (spec.yields.size() != spec.results.size()) {
    mlir::emitError(UnknownLoc::get(context))
        << "kernel spec: " << spec.yields.size() << " yields for " << spec.results.size() << " results";
    return {};
  }
  return SpecReader(context, spec).build();
}

} // namespace resin::resnet
