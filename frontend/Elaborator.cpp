//===- Elaborator.cpp - Unroll a model into layers ------------------------===//
//
// Runs the model's body at compile time. Numbers and shapes are known; a tensor
// is the number of the layer that makes it. A call of a block is run in a frame
// of its own; a call of a layer appends it.
//
// The path of a layer, which is its name in checkpoints:
//   - a label adds its component; a labelled `repeat` adds label and index,
//   - a stage without a label in a labelled group `{ }` adds its position there,
//   - a call of a block without a label adds nothing,
//   - any other layer is called after its kind and counted: `conv1`.
//
// After a mistake the outcome is poison, which every use passes on silently, so
// that the rest is still checked.
//
//===----------------------------------------------------------------------===//

#include "frontend/Evaluator.h"
#include "frontend/Layers.h"
#include "frontend/Names.h"
#include "frontend/Sema.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;
using namespace resin::frontend;

namespace {

// Far beyond every network in use, and small enough to stop a mistake at once.
constexpr unsigned maxSteps = 1'000'000, maxLayers = 20'000, maxCalls = 64;
constexpr int64_t maxRepeats = 100'000;

/// A call of a block, or the model's own body.
struct Frame {
  const Block *block = nullptr; // null: the model
  SMRange call;
  StringMap<Value> variables;
  std::optional<Value> result;
};

/// What a layer or a block is called by where it stands.
struct Naming {
  const Name *label = nullptr;
  std::optional<unsigned> position; // in a labelled group
};

/// How a body ended.
enum class Flow { End, Return, Stop };

class Elaborator : Evaluator {
public:
  Elaborator(const File &file, Diagnostics &diagnostics) : Evaluator(diagnostics), file(file) {}

  std::optional<Network> run(const Model &model);

private:
  // ---- statements
  Flow execute(const Body &body);
  Flow execute(const Stmt &statement);
  Flow executeIf(const IfStmt &statement);
  Flow executeRepeat(const RepeatStmt &statement);

  // ---- expressions
  Value evaluateVariable(const VariableExpr &expr) override;
  Value evaluateCall(const CallExpr &expr) override {
    return call(expr, nullptr, {expr.label ? &*expr.label : nullptr, std::nullopt});
  }
  Value evaluatePipe(const PipeExpr &expr) override;
  Value evaluateAdd(const BinaryExpr &expr, const Value &lhs, const Value &rhs) override;
  Value applyStage(const Expr &stage, const Value &input, Naming naming);
  Value applyGroup(const GroupExpr &group, const Value &input, Naming naming);

  // ---- calls
  Value call(const CallExpr &expr, const Value *input, Naming naming);
  Value callBlock(const CallExpr &expr, const Block &block, ArrayRef<Actual> actuals, bool hasInput, Naming naming);
  bool bindParameters(const CallExpr &expr, const Block &block, ArrayRef<Actual> actuals, ArrayRef<int> bound);
  Value callLayer(const CallExpr &expr, const LayerDefinition &layer, ArrayRef<Actual> actuals, bool hasInput,
                  Naming naming);
  Value callFunction(const CallExpr &expr, ArrayRef<Actual> actuals);
  Value appendLayer(const LayerDefinition &definition, ArrayRef<LayerArguments::Bound> arguments, SMRange range,
                    Naming naming);
  std::string namePath(StringRef kind, Naming naming);
  bool claimPath(StringRef path, SMRange range);

  // ---- the end
  void checkResult(const Model &model);
  void checkUse();

  Value fail(SMRange where, const Twine &what, ArrayRef<Note> notes = {}) override;
  bool countStep(SMRange where);
  SMLoc getOrigin(unsigned tensor) const {
    return tensor ? network.layers[tensor - 1].range.Start : network.range.Start;
  }

  const File &file;
  Network network;
  std::vector<Frame> frames;
  std::string prefix;           // of paths: "layer1.0."
  StringMap<unsigned> counters; // of layers without a label, by prefix and kind
  StringMap<SMRange> paths;     // taken
  unsigned steps = 0;
  bool isStopped = false;
};

//===----------------------------------------------------------------------===//
// Mistakes and limits
//===----------------------------------------------------------------------===//

/// Adds how one came here: the calls around, innermost first.
Value Elaborator::fail(SMRange where, const Twine &what, ArrayRef<Note> notes) {
  constexpr size_t maxShown = 3;
  SmallVector<Note> all(notes);
  size_t shown = 0;
  for (const Frame &frame : reverse(frames))
    if (frame.block && shown++ < maxShown)
      all.push_back({frame.call.Start, "in '" + frame.block->name.text + "', called here"});
  diagnostics.error(where, what, all);
  return {};
}

bool Elaborator::countStep(SMRange where) {
  if (isStopped)
    return false;
  if (++steps <= maxSteps)
    return true;
  isStopped = true;
  fail(where, "unrolling the model takes more than " + Twine(maxSteps) + " steps");
  return false;
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

Flow Elaborator::execute(const Body &body) {
  for (const StmtPtr &statement : body) {
    if (!countStep(statement->range))
      return Flow::Stop;
    if (Flow flow = execute(*statement); flow != Flow::End)
      return flow;
  }
  return Flow::End;
}

Flow Elaborator::execute(const Stmt &statement) {
  switch (statement.kind) {
  case Stmt::Assign: {
    const auto &assign = cast<AssignStmt>(statement);
    Value value = evaluate(*assign.value);
    frames.back().variables[assign.target.text] = std::move(value);
    return Flow::End;
  }
  case Stmt::Return: {
    Value value = evaluate(*cast<ReturnStmt>(statement).value);
    frames.back().result = std::move(value);
    return Flow::Return;
  }
  case Stmt::If:
    return executeIf(cast<IfStmt>(statement));
  case Stmt::Repeat:
    return executeRepeat(cast<RepeatStmt>(statement));
  }
  llvm_unreachable("all kinds are listed");
}

Flow Elaborator::executeIf(const IfStmt &statement) {
  Value condition = evaluate(*statement.condition);
  if (!condition.is(Value::Poison) && !condition.is(Value::Boolean))
    condition = fail(statement.condition->range, "a condition is true or false, not " + condition.describe());
  if (condition.is(Value::Poison))
    return Flow::Stop; // which way is unknown
  return execute(condition.getBoolean() ? statement.then : statement.otherwise);
}

Flow Elaborator::executeRepeat(const RepeatStmt &statement) {
  Value count = evaluate(*statement.count);
  if (count.is(Value::Poison))
    return Flow::Stop;
  if (!count.is(Value::Integer) || count.getInteger() < 0 || count.getInteger() > maxRepeats) {
    fail(statement.count->range,
         "'repeat' takes an integer from 0 to " + Twine(maxRepeats) + ", not " + count.describe());
    return Flow::Stop;
  }

  std::string outer = prefix;
  scope_exit leave([&] { prefix = outer; });
  for (int64_t i = 0; i < count.getInteger(); ++i) {
    if (!countStep(statement.range))
      return Flow::Stop;
    if (statement.label)
      prefix = outer + statement.label->text + "." + std::to_string(i) + ".";
    if (statement.index)
      frames.back().variables[statement.index->text] = Value::integer(i);
    if (Flow flow = execute(statement.body); flow != Flow::End)
      return flow;
  }
  return Flow::End;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

Value Elaborator::evaluateVariable(const VariableExpr &expr) {
  const StringMap<Value> &variables = frames.back().variables;
  if (auto found = variables.find(expr.name); found != variables.end())
    return found->second;
  if (is_contained(getArgumentWords(), expr.name))
    return Value::word(expr.name);
  return fail(expr.range, "'" + expr.name + "' has no value yet here");
}

Value Elaborator::evaluatePipe(const PipeExpr &expr) {
  Value value = evaluate(*expr.head);
  for (const ExprPtr &stage : expr.stages)
    value = applyStage(*stage, value, {});
  return value;
}

Value Elaborator::applyStage(const Expr &stage, const Value &input, Naming naming) {
  if (const auto *group = dyn_cast<GroupExpr>(&stage)) {
    naming.label = group->label ? &*group->label : nullptr;
    return applyGroup(*group, input, naming);
  }
  const auto &expr = cast<CallExpr>(stage);
  naming.label = expr.label ? &*expr.label : nullptr;
  return call(expr, &input, naming);
}

Value Elaborator::applyGroup(const GroupExpr &group, const Value &input, Naming naming) {
  std::string outer = prefix;
  scope_exit leave([&] { prefix = outer; });
  if (naming.label)
    prefix += naming.label->text + ".";
  Value value = input;
  for (auto [position, stage] : enumerate(group.stages)) {
    Naming inner;
    if (naming.label)
      inner.position = position;
    value = applyStage(*stage, value, inner);
  }
  return value;
}

Value Elaborator::evaluateAdd(const BinaryExpr &expr, const Value &lhs, const Value &rhs) {
  std::vector<LayerArguments::Bound> arguments;
  for (auto [value, range] : {std::pair(lhs, expr.lhs->range), std::pair(rhs, expr.rhs->range)})
    arguments.push_back({value, range, Shape(network.getShape(value.getTensor())), getOrigin(value.getTensor())});
  return appendLayer(*findLayer("add"), arguments, expr.opRange, {});
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

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

Value Elaborator::callLayer(const CallExpr &expr, const LayerDefinition &layer, ArrayRef<Actual> actuals, bool hasInput,
                            Naming naming) {
  SmallVector<StringRef> names;
  for (const ArgumentSpec &spec : layer.arguments)
    names.push_back(spec.name);
  std::optional<std::vector<int>> bound = bindArguments(expr.callee, names, actuals, hasInput, diagnostics);
  if (!bound)
    return {};

  std::vector<LayerArguments::Bound> arguments;
  bool isPoisoned = false;
  for (auto [spec, number] : zip(layer.arguments, *bound)) {
    if (number < 0) {
      if (!spec.defaultValue && !spec.isComputed) {
        fail(expr.range, "'" + layer.name + "' needs '" + spec.name + "': " + describe(spec.type));
        return {};
      }
      arguments.push_back({spec.defaultValue.value_or(Value()), expr.range, {}, {}});
      continue;
    }
    const Actual &actual = actuals[number];
    LayerArguments::Bound argument{actual.value, actual.range, {}, {}};
    if (actual.value.is(Value::Tensor)) {
      argument.shape = Shape(network.getShape(actual.value.getTensor()));
      argument.origin = getOrigin(actual.value.getTensor());
    }
    if (actual.value.is(Value::Poison)) {
      isPoisoned = true;
    } else if (!isOfType(actual.value, argument.shape, spec.type)) {
      isPoisoned = true;
      std::string found = actual.value.describe() + (argument.shape.empty() ? "" : " " + print(argument.shape));
      bool wantsFlat = spec.type == ArgumentType::Vector && argument.shape.size() == 3;
      fail(actual.range, "'" + spec.name + "' of '" + layer.name + "' is " + describe(spec.type) + ", not " + found +
                             (wantsFlat ? ": use flatten or global_avg_pool before" : ""));
    }
    arguments.push_back(std::move(argument));
  }
  return isPoisoned ? Value() : appendLayer(layer, arguments, expr.callee.range, naming);
}

Value Elaborator::appendLayer(const LayerDefinition &definition, ArrayRef<LayerArguments::Bound> arguments,
                              SMRange range, Naming naming) {
  if (network.layers.size() == maxLayers) {
    isStopped = true;
    return fail(range, "the model has more than " + Twine(maxLayers) + " layers");
  }
  Layer layer;
  layer.kind = definition.kind;
  layer.range = range;
  for (const LayerArguments::Bound &argument : arguments)
    if (argument.value.is(Value::Tensor))
      layer.inputs.push_back(argument.value.getTensor());
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

/// Two layers can't have one name.
bool Elaborator::claimPath(StringRef path, SMRange range) {
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

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// The sizes of `list`, or nothing after a mistake.
static bool getShape(const Value &value, const ListExpr &list, size_t rank, StringRef what, Shape &shape,
                     Diagnostics &diagnostics) {
  if (value.is(Value::Poison))
    return false;
  bool isShape = value.getIntegers(shape) && shape.size() == rank &&
                 all_of(shape, [](int64_t size) { return size >= 1 && size <= 1 << 20; });
  if (!isShape)
    diagnostics.error(list.range, what + ", each from 1 to 1048576, not " + value.describe());
  return isShape;
}

std::optional<Network> Elaborator::run(const Model &model) {
  network.name = model.name.text;
  network.range = model.image.range;
  frames.emplace_back();
  if (!getShape(evaluate(*model.imageShape), *model.imageShape, 3, "the image is [channels, height, width]",
                network.image, diagnostics))
    return std::nullopt;
  if (countElements(network.image) > maxElements) {
    diagnostics.error(model.imageShape->range,
                      "the image " + print(network.image) + " has more than " + Twine(maxElements) + " elements");
    return std::nullopt;
  }
  frames.back().variables[model.image.text] = Value::tensor(0);

  Flow flow = execute(model.body);
  if (flow == Flow::End)
    diagnostics.error(model.end, "the model '" + model.name.text + "' ends without 'return'");
  if (flow != Flow::Return || frames.back().result->is(Value::Poison))
    return std::nullopt;
  checkResult(model);
  if (diagnostics.hasErrors())
    return std::nullopt;
  checkUse();
  return std::move(network);
}

void Elaborator::checkResult(const Model &model) {
  const Value &result = *frames.back().result;
  Shape declared;
  if (!getShape(evaluate(*model.resultShape), *model.resultShape, 1, "the result is [classes]", declared, diagnostics))
    return;
  if (!result.is(Value::Tensor)) {
    diagnostics.error(model.name.range,
                      "the model '" + model.name.text + "' returns " + result.describe() + " instead of a tensor");
    return;
  }
  network.result = result.getTensor();
  if (network.getShape(network.result) != ArrayRef(declared))
    diagnostics.error(model.resultShape->range,
                      "the model returns " + print(network.getShape(network.result)) + ", not " + print(declared),
                      Note{getOrigin(network.result), "the result is made here"});
}

/// What is not used can't be trained.
void Elaborator::checkUse() {
  std::vector<bool> isUsed(network.layers.size() + 1);
  isUsed[network.result] = true;
  for (const Layer &layer : network.layers)
    for (unsigned input : layer.inputs)
      isUsed[input] = true;
  int64_t parameters = 0;
  for (auto [number, layer] : enumerate(network.layers)) {
    parameters += layer.countParameters();
    if (!isUsed[number + 1])
      diagnostics.error(layer.range, "the result of '" + layer.path + "' is never used");
  }
  if (parameters == 0)
    diagnostics.error(network.range, "the model has no parameters to train");
}

} // namespace

std::optional<Network> resin::frontend::elaborate(const File &file, const Model &model, Diagnostics &diagnostics) {
  return Elaborator(file, diagnostics).run(model);
}
