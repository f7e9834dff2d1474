//===- MlirGen.cpp - From a network to ops of the resnet dialect ----------===//
//
//   1. The module's attributes: name, source, classes, recipe, task.
//   2. A `resnet.variable` for each parameter and statistic.
//   3. `@model`: an op or two for each layer, parameters read where they are
//      used. Every op has its layer's path and place in the text.
//
//===----------------------------------------------------------------------===//

#include "frontend/MlirGen.h"
#include "frontend/Places.h"

#include "dialects/Resnet/Resnet.h"
#include "dialects/Resnet/Task.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace resin;
using resin::frontend::Layer;
using resin::frontend::LayerKind;
using resin::frontend::Network;
using resin::frontend::Variable;
using resin::frontend::Window;

namespace {

class Generator {
public:
  Generator(const Network &network, llvm::SourceMgr &sources, MLIRContext &context)
      : network(network), text(*sources.getMemoryBuffer(sources.getMainFileID())), places(text.getBuffer()),
        builder(&context) {}

  OwningOpRef<ModuleOp> run();

private:
  void setAttributes(ModuleOp module);
  void generateVariables(const Layer &layer);
  void generateModel();
  Value generateLayer(const Layer &layer);
  Value generateConv(const Layer &layer, Value input);
  Value generateBatchNorm(const Layer &layer, Value input);
  Value generateLinear(const Layer &layer, Value input);
  Value generateOp(const Layer &layer);
  Value addBias(const Layer &layer, Value input);

  Value read(const Layer &layer, StringRef suffix);
  Attribute convert(const frontend::Value &value);
  DictionaryAttr convertRecord(const frontend::Value &record, bool hasName);
  RankedTensorType getType(ArrayRef<int64_t> shape) { return RankedTensorType::get(shape, builder.getF32Type()); }
  /// With the batch, which is open.
  RankedTensorType getBatchType(ArrayRef<int64_t> shape);
  Location getLocation(llvm::SMRange range);
  DenseI64ArrayAttr getArray(ArrayRef<int64_t> values) { return builder.getDenseI64ArrayAttr(values); }
  FloatAttr getFloat(double value) { return builder.getF64FloatAttr(value); }

  const Network &network;
  const resnet::Task task = resnet::Task::classification(); ///< the only one that losses are for
  const llvm::MemoryBuffer &text;
  frontend::Places places;
  OpBuilder builder;
  Location loc = builder.getUnknownLoc(); // of the present layer
  SmallVector<Value> tensors;
  Value seed;
  int64_t dropouts = 0;
};

Location Generator::getLocation(llvm::SMRange range) {
  auto [line, column] = places.find(range.Start.getPointer());
  return FileLineColLoc::get(builder.getContext(), text.getBufferIdentifier(), line, column);
}

RankedTensorType Generator::getBatchType(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> sizes{ShapedType::kDynamic};
  llvm::append_range(sizes, shape);
  return getType(sizes);
}

Attribute Generator::convert(const frontend::Value &value) {
  switch (value.kind()) {
  case frontend::Value::Integer:
    return builder.getI64IntegerAttr(value.getInteger());
  case frontend::Value::Float:
    return getFloat(value.getNumber());
  case frontend::Value::Boolean:
    return builder.getBoolAttr(value.getBoolean());
  case frontend::Value::Word:
    return builder.getStringAttr(value.getWord());
  case frontend::Value::List: {
    SmallVector<Attribute> elements;
    for (const frontend::Value &element : value.getElements())
      elements.push_back(convert(element));
    return builder.getArrayAttr(elements);
  }
  case frontend::Value::Record: // `fixed(mean, std)` has no name in the manifest
    return convertRecord(value, value.getName() != "fixed");
  case frontend::Value::Poison:
  case frontend::Value::Tensor:
    break;
  }
  llvm_unreachable("Sema lets neither mistakes nor tensors into records");
}

DictionaryAttr Generator::convertRecord(const frontend::Value &record, bool hasName) {
  SmallVector<NamedAttribute> entries;
  if (hasName)
    entries.push_back(builder.getNamedAttr("name", builder.getStringAttr(record.getName())));
  for (const frontend::Value::Field &field : record.getFields())
    entries.push_back(builder.getNamedAttr(field.key, convert(field.value)));
  return builder.getDictionaryAttr(entries);
}

OwningOpRef<ModuleOp> Generator::run() {
  loc = getLocation(network.range);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  setAttributes(*module);
  builder.setInsertionPointToEnd(module->getBody());
  for (const Layer &layer : network.layers)
    generateVariables(layer);
  generateModel();
  return module;
}

void Generator::setAttributes(ModuleOp module) {
  StringRef source = text.getBufferIdentifier();
  module->setAttr("resnet.model", builder.getStringAttr(network.name));
  module->setAttr("resnet.source", builder.getStringAttr(llvm::sys::path::filename(source)));
  module->setAttr("resnet.classes", builder.getI64IntegerAttr(network.getClasses()));
  module->setAttr("resnet.recipe", convertRecord(network.recipe, /*hasName=*/false));
  module->setAttr(resnet::kTaskAttr, task.toAttribute(builder));
}

static Location nameLocation(const Layer &layer, Location place) {
  return FusedLoc::get(place.getContext(), {place}, StringAttr::get(place.getContext(), layer.path));
}

void Generator::generateVariables(const Layer &layer) {
  Location place = nameLocation(layer, getLocation(layer.range));
  for (const Variable &variable : layer.variables) {
    auto noDecay = variable.isParameter && !variable.isDecayed ? builder.getUnitAttr() : UnitAttr();
    resnet::VariableOp::create(builder, place, builder.getStringAttr(layer.path + "." + variable.suffix),
                               TypeAttr::get(getType(variable.shape)),
                               builder.getStringAttr(variable.isParameter ? "parameter" : "statistic"),
                               convertRecord(variable.init, /*hasName=*/true), noDecay,
                               /*parameter=*/FlatSymbolRefAttr());
  }
}

void Generator::generateModel() {
  SmallVector<Type> arguments{getBatchType(network.image)};
  bool hasDropout = llvm::any_of(network.layers, [](const Layer &layer) { return layer.kind == LayerKind::Dropout; });
  if (hasDropout)
    arguments.push_back(RankedTensorType::get({2}, builder.getI32Type()));
  auto type = builder.getFunctionType(arguments, getBatchType(network.getShape(network.result)));
  auto function = func::FuncOp::create(builder, loc, "model", type);
  const StringRef names[] = {task.inputs.front().name, "seed"};
  for (unsigned number = 0; number < arguments.size(); ++number)
    function.setArgAttr(number, "resnet.name", builder.getStringAttr(names[number]));

  Block *body = function.addEntryBlock();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(body);
  tensors = {body->getArgument(0)};
  if (hasDropout)
    seed = body->getArgument(1);
  for (const Layer &layer : network.layers) {
    loc = nameLocation(layer, getLocation(layer.range));
    tensors.push_back(generateLayer(layer));
  }
  func::ReturnOp::create(builder, getLocation(network.range), tensors[network.result]);
}

Value Generator::read(const Layer &layer, StringRef suffix) {
  auto variable = llvm::find_if(layer.variables, [&](const Variable &each) { return each.suffix == suffix; });
  assert(variable != layer.variables.end() && "the layer has the variable");
  return resnet::ReadOp::create(builder, loc, getType(variable->shape), layer.path + "." + suffix.str());
}

Value Generator::addBias(const Layer &layer, Value input) {
  if (layer.variables.size() < 2)
    return input;
  return resnet::AddBiasOp::create(builder, loc, input.getType(), input, read(layer, "bias"));
}

Value Generator::generateConv(const Layer &layer, Value input) {
  const Window &window = layer.window;
  Value filter = read(layer, "weight");
  Value result = resnet::Conv2dOp::create(builder, loc, getBatchType(layer.result), input, filter,
                                          getArray(window.strides), getArray(window.padding),
                                          getArray(window.dilations), builder.getI64IntegerAttr(layer.groups));
  return addBias(layer, result);
}

Value Generator::generateBatchNorm(const Layer &layer, Value input) {
  Value scale = read(layer, "weight"), offset = read(layer, "bias");
  auto symbol = [&](StringRef suffix) {
    return FlatSymbolRefAttr::get(builder.getContext(), layer.path + "." + suffix.str());
  };
  return resnet::BatchNormOp::create(builder, loc, input.getType(), input, scale, offset, symbol("running_mean"),
                                     symbol("running_var"), getFloat(layer.epsilon), getFloat(layer.momentum));
}

Value Generator::generateLinear(const Layer &layer, Value input) {
  Value weight = read(layer, "weight");
  return addBias(layer, resnet::LinearOp::create(builder, loc, getBatchType(layer.result), input, weight));
}

Value Generator::generateOp(const Layer &layer) {
  OperationState state(loc, ("resnet." + layer.name).str());
  for (unsigned input : layer.inputs)
    state.operands.push_back(tensors[input]);
  for (const auto &[name, value] : layer.attributes)
    state.addAttribute(name, convert(value));
  state.addTypes(getBatchType(layer.result));
  return builder.create(state)->getResult(0);
}

Value Generator::generateLayer(const Layer &layer) {
  Value input = tensors[layer.inputs[0]];
  RankedTensorType type = getBatchType(layer.result);
  const Window &window = layer.window;
  DenseI64ArrayAttr kernel = getArray(window.kernel), strides = getArray(window.strides),
                    padding = getArray(window.padding);
  switch (layer.kind) {
  case LayerKind::Conv:
    return generateConv(layer, input);
  case LayerKind::BatchNorm:
    return generateBatchNorm(layer, input);
  case LayerKind::MaxPool:
    return resnet::MaxPoolOp::create(builder, loc, type, input, kernel, strides, padding);
  case LayerKind::AvgPool:
    return resnet::AvgPoolOp::create(builder, loc, type, input, builder.getBoolAttr(layer.countPadding), kernel,
                                     strides, padding);
  case LayerKind::Linear:
    return generateLinear(layer, input);
  case LayerKind::Dropout:
    return resnet::DropoutOp::create(builder, loc, type, input, seed, getFloat(layer.rate),
                                     builder.getI64IntegerAttr(dropouts++));
  case LayerKind::Subsample:
    return resnet::SubsampleOp::create(builder, loc, type, input, builder.getI64IntegerAttr(layer.amount));
  case LayerKind::Op:
    return generateOp(layer);
  }
  llvm_unreachable("all kinds are listed");
}

} // namespace

OwningOpRef<ModuleOp> resin::frontend::generateModule(const Network &network, llvm::SourceMgr &sources,
                                                      MLIRContext &context) {
  context.loadDialect<func::FuncDialect, resnet::ResnetDialect>();
  return Generator(network, sources, context).run();
}
