//===- Names.cpp - What a file's names mean -------------------------------===//
//
//   1. Declarations: a name is given once, and not that of a layer.
//   2. Bodies: each call is of a layer, a block or a function and names arguments
//      that it has; each variable is a parameter or assigned somewhere in its
//      body. Whether it has a value *when* it is used, the elaborator sees.
//
//===----------------------------------------------------------------------===//

#include "frontend/Names.h"
#include "frontend/Layers.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;
using namespace resin::frontend;

constexpr StringRef functions[] = {"shape", "channels", "height", "width"};

const Block *resin::frontend::findBlock(const File &file, StringRef name) {
  for (const Block &block : file.blocks)
    if (block.name.text == name)
      return &block;
  return nullptr;
}

bool resin::frontend::isFunction(StringRef name) { return is_contained(functions, name); }

namespace {

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

void declare(StringMap<SMRange> &names, const Name &name, const Twine &what, Diagnostics &diagnostics) {
  auto [other, isNew] = names.try_emplace(name.text, name.range);
  if (!isNew)
    diagnostics.error(name.range, what + " '" + name.text + "' is declared twice",
                      Note{other->second.Start, "it was declared here"});
}

void checkDeclarations(const File &file, Diagnostics &diagnostics) {
  StringMap<SMRange> blocks, models;
  for (const Block &block : file.blocks) {
    declare(blocks, block.name, "the block", diagnostics);
    if (findLayer(block.name.text) || isFunction(block.name.text))
      diagnostics.error(block.name.range, "'" + block.name.text + "' is a " +
                                              (isFunction(block.name.text) ? "function" : "layer") +
                                              ": give the block another name");
    StringMap<SMRange> parameters;
    for (const Parameter &parameter : block.parameters)
      declare(parameters, parameter.name, "the parameter", diagnostics);
  }
  for (const Model &model : file.models)
    declare(models, model.name, "the model", diagnostics);
  for (const Train &train : ArrayRef(file.trains).drop_front(!file.trains.empty()))
    diagnostics.error(train.range, "a file has one 'train'",
                      Note{file.trains.front().range.Start, "the first is here"});
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

class BodyChecker {
public:
  BodyChecker(const File &file, Diagnostics &diagnostics) : file(file), diagnostics(diagnostics) {}

  void run(ArrayRef<StringRef> parameters, const Body &body) {
    setKnown(parameters);
    collect(body);
    check(body);
  }
  /// A parameter's default sees the parameters before it.
  void runDefault(ArrayRef<StringRef> parameters, const Expr &value) {
    setKnown(parameters);
    check(value);
  }

private:
  void setKnown(ArrayRef<StringRef> parameters) {
    known.assign(getArgumentWords().begin(), getArgumentWords().end());
    append_range(known, parameters);
  }
  void collect(const Body &body);
  void check(const Body &body);
  void check(const Expr &expr);
  void checkCall(const CallExpr &call);
  void checkVariable(const VariableExpr &variable);
  template <typename Nodes> void checkAll(const Nodes &nodes) {
    for (const ExprPtr &node : nodes)
      check(*node);
  }

  const File &file;
  Diagnostics &diagnostics;
  SmallVector<StringRef> known; // variables and words
};

void BodyChecker::collect(const Body &body) {
  for (const StmtPtr &statement : body) {
    if (const auto *assign = dyn_cast<AssignStmt>(statement.get()))
      known.push_back(assign->target.text);
    if (const auto *branch = dyn_cast<IfStmt>(statement.get())) {
      collect(branch->then);
      collect(branch->otherwise);
    }
    if (const auto *repeat = dyn_cast<RepeatStmt>(statement.get())) {
      if (repeat->index)
        known.push_back(repeat->index->text);
      collect(repeat->body);
    }
  }
}

void BodyChecker::check(const Body &body) {
  for (const StmtPtr &statement : body) {
    if (const auto *assign = dyn_cast<AssignStmt>(statement.get()))
      check(*assign->value);
    if (const auto *result = dyn_cast<ReturnStmt>(statement.get()))
      check(*result->value);
    if (const auto *branch = dyn_cast<IfStmt>(statement.get())) {
      check(*branch->condition);
      check(branch->then);
      check(branch->otherwise);
    }
    if (const auto *repeat = dyn_cast<RepeatStmt>(statement.get())) {
      check(*repeat->count);
      check(repeat->body);
    }
  }
}

void BodyChecker::check(const Expr &expr) {
  if (diagnostics.isFull())
    return;
  if (const auto *variable = dyn_cast<VariableExpr>(&expr))
    return checkVariable(*variable);
  if (const auto *list = dyn_cast<ListExpr>(&expr))
    return checkAll(list->elements);
  if (const auto *unary = dyn_cast<UnaryExpr>(&expr))
    return check(*unary->operand);
  if (const auto *binary = dyn_cast<BinaryExpr>(&expr)) {
    check(*binary->lhs);
    return check(*binary->rhs);
  }
  if (const auto *choice = dyn_cast<IfExpr>(&expr)) {
    check(*choice->condition);
    check(*choice->then);
    return check(*choice->otherwise);
  }
  if (const auto *call = dyn_cast<CallExpr>(&expr))
    return checkCall(*call);
  if (const auto *group = dyn_cast<GroupExpr>(&expr))
    return checkAll(group->stages);
  if (const auto *pipe = dyn_cast<PipeExpr>(&expr)) {
    check(*pipe->head);
    checkAll(pipe->stages);
  }
}

void BodyChecker::checkCall(const CallExpr &call) {
  for (const Argument &argument : call.arguments)
    check(*argument.value);

  StringRef name = call.callee.text;
  SmallVector<StringRef> parameters;
  if (const LayerDefinition *layer = findLayer(name)) {
    for (const ArgumentSpec &spec : layer->arguments)
      parameters.push_back(spec.name);
  } else if (const Block *block = findBlock(file, name)) {
    for (const Parameter &parameter : block->parameters)
      parameters.push_back(parameter.name.text);
  } else if (isFunction(name)) {
    parameters.push_back("x");
    if (call.label)
      diagnostics.error(call.label->range,
                        "a label names a layer, a block or a group, and '" + name + "' is a function");
  } else {
    SmallVector<StringRef> callees(std::begin(functions), std::end(functions));
    for (const LayerDefinition &layer : getLayers())
      callees.push_back(layer.name);
    for (const Block &block : file.blocks)
      callees.push_back(block.name.text);
    diagnostics.error(call.callee.range, "unknown layer or block '" + name + "'" + didYouMean(name, callees));
    return;
  }
  for (const Argument &argument : call.arguments)
    if (argument.name && !is_contained(parameters, argument.name->text))
      diagnostics.error(argument.name->range, "'" + name + "' has no argument '" + argument.name->text + "'" +
                                                  didYouMeanArgument(argument.name->text, parameters));
}

void BodyChecker::checkVariable(const VariableExpr &variable) {
  StringRef name = variable.name;
  if (is_contained(known, name))
    return;
  bool isLayer = findLayer(name);
  if (!isLayer && !findBlock(file, name)) {
    diagnostics.error(variable.range, "unknown name '" + name + "'" + didYouMean(name, known));
    return;
  }
  diagnostics.error(variable.range, "'" + name + "' is a " + (isLayer ? "layer" : "block") +
                                        ": give it an input, as in 'x |> " + name + "'");
}

} // namespace

void resin::frontend::checkNames(const File &file, Diagnostics &diagnostics) {
  checkDeclarations(file, diagnostics);
  for (const Block &block : file.blocks) {
    SmallVector<StringRef> parameters;
    BodyChecker checker(file, diagnostics);
    for (const Parameter &parameter : block.parameters) {
      if (parameter.defaultValue)
        checker.runDefault(parameters, *parameter.defaultValue);
      parameters.push_back(parameter.name.text);
    }
    checker.run(parameters, block.body);
  }
  for (const Model &model : file.models) {
    BodyChecker checker(file, diagnostics);
    checker.runDefault({}, *model.imageShape);
    checker.runDefault({}, *model.resultShape);
    checker.run({model.image.text}, model.body);
  }
}
