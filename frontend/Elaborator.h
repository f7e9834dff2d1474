//===- Elaborator.h - Unroll a model into layers ----------------*- C++ -*-===//

#ifndef RESIN_FRONTEND_ELABORATOR_H
#define RESIN_FRONTEND_ELABORATOR_H

#include "frontend/Evaluator.h"
#include "frontend/Layers.h"
#include "frontend/Network.h"

#include "llvm/ADT/StringMap.h"

namespace resin::frontend {

/// A call of a block, or the model's own body.
struct Frame {
  const Block *block = nullptr; // null: the model
  llvm::SMRange call;
  llvm::StringMap<Value> variables;
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
  Value callBlock(const CallExpr &expr, const Block &block, llvm::ArrayRef<Actual> actuals, bool hasInput,
                  Naming naming);
  bool bindParameters(const CallExpr &expr, const Block &block, llvm::ArrayRef<Actual> actuals,
                      llvm::ArrayRef<int> bound);
  std::optional<LayerArguments::Bound> checkArgument(const CallExpr &expr, const LayerDefinition &layer,
                                                     const ArgumentSpec &spec, const Actual *actual);
  Value callLayer(const CallExpr &expr, const LayerDefinition &layer, llvm::ArrayRef<Actual> actuals, bool hasInput,
                  Naming naming);
  Value callFunction(const CallExpr &expr, llvm::ArrayRef<Actual> actuals);
  Value appendLayer(const LayerDefinition &definition, llvm::ArrayRef<LayerArguments::Bound> arguments,
                    llvm::SMRange range, Naming naming);
  std::string namePath(llvm::StringRef kind, Naming naming);
  bool claimPath(llvm::StringRef path, llvm::SMRange range);

  // ---- the end
  void checkResult(const Model &model);
  void checkUse();

  Value fail(llvm::SMRange where, const llvm::Twine &what, llvm::ArrayRef<Note> notes = {}) override;
  bool countStep(llvm::SMRange where) override;
  llvm::SMLoc getOrigin(unsigned tensor) const {
    return tensor ? network.layers[tensor - 1].range.Start : network.range.Start;
  }

  const File &file;
  Network network;
  std::vector<Frame> frames;
  std::string prefix;                   // of paths: "layer1.0."
  llvm::StringMap<unsigned> counters;   // of layers without a label, by prefix and kind
  llvm::StringMap<llvm::SMRange> paths; // taken
  unsigned steps = 0;
  bool isStopped = false;
};

} // namespace resin::frontend

#endif // RESIN_FRONTEND_ELABORATOR_H
