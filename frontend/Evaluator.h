//===- Evaluator.h - Expressions to values ----------------------*- C++ -*-===//
//
// Literals, lists, arithmetic, comparisons and `if ... then ... else`. What names
// and calls mean differs between models and recipes: subclasses say.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_FRONTEND_EVALUATOR_H
#define RESIN_FRONTEND_EVALUATOR_H

#include "frontend/AST.h"
#include "frontend/Value.h"

namespace resin::frontend {

class Evaluator {
public:
  explicit Evaluator(Diagnostics &diagnostics) : diagnostics(diagnostics) {}
  virtual ~Evaluator() = default;

  Value evaluate(const Expr &expr);

protected:
  virtual Value evaluateVariable(const VariableExpr &expr) = 0;
  virtual Value evaluateCall(const CallExpr &expr) = 0;
  virtual Value evaluatePipe(const PipeExpr &expr) = 0;
  /// `+` of two tensors.
  virtual Value evaluateAdd(const BinaryExpr &expr, const Value &lhs, const Value &rhs) = 0;

  /// Reports a mistake; its value is poison.
  virtual Value fail(llvm::SMRange where, const llvm::Twine &what, llvm::ArrayRef<Note> notes = {});

  /// Asked before each expression; false stops the evaluation.
  virtual bool countStep(llvm::SMRange where) { return true; }

  Diagnostics &diagnostics;

private:
  Value evaluateList(const ListExpr &expr);
  Value evaluateUnary(const UnaryExpr &expr);
  Value evaluateBinary(const BinaryExpr &expr);
  Value evaluateLogic(const BinaryExpr &expr);
  Value evaluateComparison(const BinaryExpr &expr, const Value &lhs, const Value &rhs);
  Value evaluateArithmetic(const BinaryExpr &expr, int64_t lhs, int64_t rhs);
  Value evaluateArithmetic(const BinaryExpr &expr, double lhs, double rhs);
  Value evaluateIf(const IfExpr &expr);
  static Value keepRounded(Value result, const Value &lhs, const Value &rhs);
  bool checkMixed(const BinaryExpr &expr, const Value &lhs, const Value &rhs);
};

/// A call's argument with its value.
struct Actual {
  std::optional<Name> name;
  Value value;
  llvm::SMRange range;
};

/// For each parameter the number of the actual that is its, or -1. Arguments without a name go by position. Nothing
/// after a mistake. `hasInput` says that the first actual came through a pipe.
std::optional<std::vector<int>> bindArguments(const Name &callee, llvm::ArrayRef<llvm::StringRef> parameters,
                                              llvm::ArrayRef<Actual> actuals, bool hasInput, Diagnostics &diagnostics);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_EVALUATOR_H
