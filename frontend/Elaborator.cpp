//===- Elaborator.cpp - Unroll a model into layers ------------------------===//
//
// Runs the model's body at compile time. Numbers and shapes are known; a tensor
// is the number of the layer that makes it. A call of a block is run in a frame
// of its own; a call of a layer appends it (Calls.cpp).
//
// After a mistake the outcome is poison, which every use passes on silently, so
// that the rest is still checked.
//
//===----------------------------------------------------------------------===//

#include "frontend/Elaborator.h"
#include "frontend/Sema.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"

using namespace llvm;
using namespace resin::frontend;

// Far beyond every network in use, and small enough to stop a mistake at once.
static constexpr unsigned maxSteps = 1'000'000;
static constexpr int64_t maxRepeats = 100'000;

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

std::optional<Network> resin::frontend::elaborate(const File &file, const Model &model, Diagnostics &diagnostics) {
  return Elaborator(file, diagnostics).run(model);
}
