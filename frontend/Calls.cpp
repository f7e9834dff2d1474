//===- Calls.cpp - Call blocks, functions and layers ----------------------===//
//
// The elaborator's second half: a call's arguments are evaluated and bound, then
//   - a block's body is run in a new frame,
//   - a function of shapes gives its number,
//   - a layer is checked against its definition (Layers.cpp), named and appended.
//
// The path of a layer, which is its name in checkpoints:
//   - a label adds its component; a labelled `repeat` adds label and index,
//   - a stage without a label in a labelled group `{ }` adds its position there,
//   - a call of a block without a label adds nothing,
//   - any other layer is called after its kind and counted: `conv1`.
//
//===----------------------------------------------------------------------===//

#include "frontend/Elaborator.h"
#include "frontend/Names.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"

using namespace llvm;
using namespace resin::frontend;

static constexpr unsigned maxLayers = 20'000, maxCalls = 64;

/// `input` is what a pipe brings, or null.
Value Elaborator::call(const CallExpr &expr, const Value *input, Naming naming) {
  if (!countStep(expr.range))
    return {};
  std::vector<Actual> actuals;
  if (input)
    actuals.push_back({std::nullopt, *input, expr.callee.range});
  for (const Argument &argument : expr.arguments)
    actuals.push_back({argument.name, evaluate(*argument.value), argument.value->range});

  if (const LayerDefinition *layer = findLayer(expr.callee.text))
    return callLayer(expr, *layer, actuals, input, naming);
  if (isFunction(expr.callee.text))
    return callFunction(expr, actuals);
  if (const Block *block = findBlock(file, expr.callee.text))
    return callBlock(expr, *block, actuals, input, naming);
  return {}; // reported by checkNames
}

Value Elaborator::callFunction(const CallExpr &expr, ArrayRef<Actual> actuals) {
  StringRef name = expr.callee.text;
  std::optional<std::vector<int>> bound = bindArguments(expr.callee, {"x"}, actuals, false, diagnostics);
  if (!bound)
    return {};
  if (actuals.empty())
    return fail(expr.range, "'" + name + "' needs 'x'");
  if (actuals[0].value.is(Value::Poison))
    return {};
  if (!actuals[0].value.is(Value::Tensor))
    return fail(actuals[0].range, "'" + name + "' takes a tensor, not " + actuals[0].value.describe());
  ArrayRef<int64_t> shape = network.getShape(actuals[0].value.getTensor());
  if (name == "shape")
    return Value::list(shape);
  if (name == "channels")
    return Value::integer(shape[0]);
  if (shape.size() == 1)
    return fail(actuals[0].range, "a tensor " + print(shape) + " has no " + name);
  return Value::integer(shape[name == "height" ? 1 : 2]);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

Value Elaborator::callBlock(const CallExpr &expr, const Block &block, ArrayRef<Actual> actuals, bool hasInput,
                            Naming naming) {
  for (const Frame &frame : frames)
    if (frame.block == &block)
      return fail(expr.range, "the block '" + block.name.text + "' calls itself",
                  Note{frame.call.Start, "it is entered here"});
  if (frames.size() > maxCalls)
    return fail(expr.range, "blocks call each other more than " + Twine(maxCalls) + " deep");

  SmallVector<StringRef> names;
  for (const Parameter &parameter : block.parameters)
    names.push_back(parameter.name.text);
  std::optional<std::vector<int>> bound = bindArguments(expr.callee, names, actuals, hasInput, diagnostics);
  if (!bound)
    return {};

  frames.push_back({&block, expr.range, {}, std::nullopt});
  std::string outer = prefix;
  scope_exit leave([&] {
    frames.pop_back();
    prefix = outer;
  });
  if (naming.label)
    prefix += naming.label->text + ".";
  if (!bindParameters(expr, block, actuals, *bound))
    return {};
  Flow flow = execute(block.body);
  if (flow == Flow::End)
    return fail(block.end, "the block '" + block.name.text + "' ends without 'return'");
  return flow == Flow::Return ? *frames.back().result : Value();
}

bool Elaborator::bindParameters(const CallExpr &expr, const Block &block, ArrayRef<Actual> actuals,
                                ArrayRef<int> bound) {
  for (auto [parameter, number] : zip(block.parameters, bound)) {
    Value value;
    if (number >= 0)
      value = actuals[number].value;
    else if (parameter.defaultValue)
      value = evaluate(*parameter.defaultValue); // may use the parameters before it
    else {
      diagnostics.error(expr.range, "'" + block.name.text + "' needs '" + parameter.name.text + "'",
                        Note{parameter.name.range.Start, "it is declared here without a default"});
      return false;
    }
    frames.back().variables[parameter.name.text] = std::move(value);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// The argument for `spec`, or its default where `actual` is null; nothing after a mistake.
std::optional<LayerArguments::Bound> Elaborator::checkArgument(const CallExpr &expr, const LayerDefinition &layer,
                                                               const ArgumentSpec &spec, const Actual *actual) {
  if (!actual) {
    if (spec.defaultValue || spec.isComputed)
      return LayerArguments::Bound{spec.defaultValue.value_or(Value()), expr.range, {}, {}};
    fail(expr.range, "'" + layer.name + "' needs '" + spec.name + "': " + describe(spec.type));
    return std::nullopt;
  }
  if (actual->value.is(Value::Poison))
    return std::nullopt;

  LayerArguments::Bound argument{actual->value, actual->range, {}, {}};
  if (actual->value.is(Value::Tensor)) {
    argument.shape = Shape(network.getShape(actual->value.getTensor()));
    argument.origin = getOrigin(actual->value.getTensor());
  }
  if (isOfType(actual->value, argument.shape, spec.type))
    return argument;
  std::string found = (isReal(spec.type) ? actual->value.describeAsNumber() : actual->value.describe()) +
                      (argument.shape.empty() ? "" : " " + print(argument.shape));
  bool wantsFlat = spec.type == ArgumentType::Vector && argument.shape.size() == 3;
  fail(actual->range, "'" + spec.name + "' of '" + layer.name + "' is " + describe(spec.type) + ", not " + found +
                          (wantsFlat ? ": use flatten or global_avg_pool before" : ""));
  return std::nullopt;
}

Value Elaborator::callLayer(const CallExpr &expr, const LayerDefinition &layer, ArrayRef<Actual> actuals, bool hasInput,
                            Naming naming) {
  SmallVector<StringRef> names;
  for (const ArgumentSpec &spec : layer.arguments)
    names.push_back(spec.name);
  std::optional<std::vector<int>> bound = bindArguments(expr.callee, names, actuals, hasInput, diagnostics);
  if (!bound)
    return {};

  std::vector<LayerArguments::Bound> arguments;
  for (auto [spec, number] : zip(layer.arguments, *bound)) {
    const Actual *actual = number < 0 ? nullptr : &actuals[number];
    if (std::optional<LayerArguments::Bound> argument = checkArgument(expr, layer, spec, actual))
      arguments.push_back(std::move(*argument));
  }
  if (arguments.size() != layer.arguments.size())
    return {};
  return appendLayer(layer, arguments, expr.callee.range, naming);
}

Value Elaborator::appendLayer(const LayerDefinition &definition, ArrayRef<LayerArguments::Bound> arguments,
                              SMRange range, Naming naming) {
  if (network.layers.size() == maxLayers) {
    isStopped = true;
    return fail(range, "the model has more than " + Twine(maxLayers) + " layers");
  }
  Layer layer;
  layer.kind = definition.kind;
  layer.name = definition.name;
  layer.range = range;
  for (auto [spec, argument] : zip(definition.arguments, arguments))
    if (argument.value.is(Value::Tensor)) {
      if (spec.type != ArgumentType::Like)
        layer.inputs.push_back(argument.value.getTensor());
    } else if (definition.kind == LayerKind::Op) {
      const bool widens = isReal(spec.type); // 0 for 0.0
      layer.attributes.push_back({spec.name, widens ? Value::number(argument.value.getNumber()) : argument.value});
    }
  layer.path = namePath(definition.name, naming);
  if (!claimPath(layer.path, range) || !definition.build({arguments}, layer, diagnostics))
    return {};
  network.layers.push_back(std::move(layer));
  return Value::tensor(network.layers.size());
}

std::string Elaborator::namePath(StringRef kind, Naming naming) {
  if (naming.label)
    return prefix + naming.label->text;
  if (naming.position)
    return prefix + std::to_string(*naming.position);
  std::string path = prefix + kind.str();
  return path + std::to_string(++counters[path]);
}

/// Two layers can't have one name, and what an optimizer keeps has names too.
bool Elaborator::claimPath(StringRef path, SMRange range) {
  if (path.split('.').first == "optimizer") {
    fail(range, "the path '" + path + "' begins with 'optimizer', as the names of the optimizer's state do: " +
                    "give the label another name");
    return false;
  }
  auto [other, isNew] = paths.try_emplace(path, range);
  if (isNew)
    return true;
  if (other->second.Start == range.Start)
    fail(range, "two layers are named '" + path +
                    "': this one is made twice; give the 'repeat' or the calls around it a label");
  else
    fail(range, "two layers are named '" + path + "'", Note{other->second.Start, "the other is here"});
  return false;
}
