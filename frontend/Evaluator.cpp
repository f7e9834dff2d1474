//===- Evaluator.cpp - Expressions to values ------------------------------===//

#include "frontend/Evaluator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>

using namespace llvm;
using namespace resin::frontend;

Value Evaluator::fail(SMRange where, const Twine &what, ArrayRef<Note> notes) {
  diagnostics.error(where, what, notes);
  return {};
}

Value Evaluator::evaluate(const Expr &expr) {
  if (!countStep(expr.range))
    return {};
  switch (expr.kind) {
  case Expr::Integer:
    return Value::integer(cast<IntegerExpr>(expr).value);
  case Expr::Float:
    return Value::number(cast<FloatExpr>(expr).value);
  case Expr::Boolean:
    return Value::boolean(cast<BooleanExpr>(expr).value);
  case Expr::String:
    return Value::word(cast<StringExpr>(expr).value);
  case Expr::Variable:
    return evaluateVariable(cast<VariableExpr>(expr));
  case Expr::List:
    return evaluateList(cast<ListExpr>(expr));
  case Expr::Unary:
    return evaluateUnary(cast<UnaryExpr>(expr));
  case Expr::Binary:
    return evaluateBinary(cast<BinaryExpr>(expr));
  case Expr::If:
    return evaluateIf(cast<IfExpr>(expr));
  case Expr::Call:
    return evaluateCall(cast<CallExpr>(expr));
  case Expr::Pipe:
    return evaluatePipe(cast<PipeExpr>(expr));
  case Expr::Group:
    break; // only a stage of a pipe
  }
  llvm_unreachable("all kinds are listed");
}

Value Evaluator::evaluateList(const ListExpr &expr) {
  std::vector<Value> elements;
  bool isPoisoned = false;
  for (const ExprPtr &element : expr.elements) {
    elements.push_back(evaluate(*element));
    isPoisoned |= elements.back().is(Value::Poison);
    if (elements.back().is(Value::List) || elements.back().is(Value::Tensor))
      return fail(element->range, "a list holds numbers and words, not " + elements.back().describe());
  }
  return isPoisoned ? Value() : Value::list(std::move(elements));
}

Value Evaluator::evaluateUnary(const UnaryExpr &expr) {
  Value operand = evaluate(*expr.operand);
  if (operand.is(Value::Poison))
    return {};
  if (expr.op == Token::KeywordNot && operand.is(Value::Boolean))
    return Value::boolean(!operand.getBoolean());
  if (expr.op == Token::Minus && operand.is(Value::Integer)) // no literal is the smallest integer
    return operand.getInteger() == std::numeric_limits<int64_t>::min()
               ? fail(expr.range, "the result is too large for an integer")
               : Value::integer(-operand.getInteger(), operand.getRounded());
  if (expr.op == Token::Minus && operand.is(Value::Float))
    return Value::number(-operand.getNumber());
  return fail(expr.operand->range, describe(expr.op) + " takes " +
                                       (expr.op == Token::Minus ? "a number" : "true or false") + ", not " +
                                       operand.describe());
}

Value Evaluator::evaluateBinary(const BinaryExpr &expr) {
  if (expr.op == Token::KeywordAnd || expr.op == Token::KeywordOr)
    return evaluateLogic(expr);
  Value lhs = evaluate(*expr.lhs), rhs = evaluate(*expr.rhs);
  if (lhs.is(Value::Poison) || rhs.is(Value::Poison))
    return {};
  if (expr.op >= Token::Equal && expr.op <= Token::Greater)
    return evaluateComparison(expr, lhs, rhs);
  if (expr.op == Token::Plus && lhs.is(Value::Tensor) && rhs.is(Value::Tensor))
    return evaluateAdd(expr, lhs, rhs);
  if (lhs.is(Value::Integer) && rhs.is(Value::Integer))
    return keepRounded(evaluateArithmetic(expr, lhs.getInteger(), rhs.getInteger()), lhs, rhs);
  if (!checkMixed(expr, lhs, rhs))
    return {};
  if (lhs.isNumber() && rhs.isNumber())
    return evaluateArithmetic(expr, lhs.getNumber(), rhs.getNumber());
  return fail(expr.opRange, describe(expr.op) + " can't join " + lhs.describe() + " and " + rhs.describe());
}

/// An integer stays rounded in whatever is made of it.
Value Evaluator::keepRounded(Value result, const Value &lhs, const Value &rhs) {
  if (!result.is(Value::Integer) || result.getRounded())
    return result;
  return Value::integer(result.getInteger(), lhs.getRounded() ? lhs.getRounded() : rhs.getRounded());
}

/// Beside a number an integer becomes one, which a rounded one may not.
bool Evaluator::checkMixed(const BinaryExpr &expr, const Value &lhs, const Value &rhs) {
  bool isMixed = lhs.isNumber() && rhs.isNumber() && lhs.kind() != rhs.kind();
  for (auto [value, side] : {std::pair(&lhs, expr.lhs.get()), std::pair(&rhs, expr.rhs.get())})
    if (isMixed && value->getRounded()) {
      fail(side->range, "a number is wanted beside " + describe(expr.op) + ", not " + value->describeAsNumber());
      return false;
    }
  return true;
}

Value Evaluator::evaluateLogic(const BinaryExpr &expr) {
  for (const Expr *side : {expr.lhs.get(), expr.rhs.get()}) {
    Value value = evaluate(*side);
    if (value.is(Value::Poison))
      return {};
    if (!value.is(Value::Boolean))
      return fail(side->range, describe(expr.op) + " takes true or false, not " + value.describe());
    if (side == expr.rhs.get() || value.getBoolean() == (expr.op == Token::KeywordOr))
      return value;
  }
  llvm_unreachable("the right side returns");
}

Value Evaluator::evaluateComparison(const BinaryExpr &expr, const Value &lhs, const Value &rhs) {
  bool isSameKind = lhs.kind() == rhs.kind() || (lhs.isNumber() && rhs.isNumber());
  bool isOrdered = lhs.isNumber() && rhs.isNumber();
  bool isEquality = expr.op == Token::Equal || expr.op == Token::NotEqual;
  if (isEquality ? !isSameKind || lhs.is(Value::Tensor) : !isOrdered)
    return fail(expr.opRange, describe(expr.op) + " can't compare " + lhs.describe() + " and " + rhs.describe(),
                lhs.is(Value::Tensor) && rhs.is(Value::Tensor)
                    ? ArrayRef(Note{expr.opRange.Start, "shapes can be compared: shape(x) == shape(y)"})
                    : ArrayRef<Note>());
  if (!checkMixed(expr, lhs, rhs))
    return {};
  bool areIntegers = lhs.is(Value::Integer) && rhs.is(Value::Integer);
  bool isLess = isOrdered && (areIntegers ? lhs.getInteger() < rhs.getInteger() : lhs.getNumber() < rhs.getNumber());
  bool isEqual = lhs == rhs;
  switch (expr.op) {
  case Token::Equal:
    return Value::boolean(isEqual);
  case Token::NotEqual:
    return Value::boolean(!isEqual);
  case Token::Less:
    return Value::boolean(isLess);
  case Token::LessEqual:
    return Value::boolean(isLess || isEqual);
  case Token::Greater:
    return Value::boolean(!isLess && !isEqual);
  default:
    return Value::boolean(!isLess);
  }
}

Value Evaluator::evaluateArithmetic(const BinaryExpr &expr, int64_t lhs, int64_t rhs) {
  if (rhs == 0 && (expr.op == Token::Slash || expr.op == Token::Percent))
    return fail(expr.opRange, "division by zero");
  int64_t result = 0;
  bool isTooLarge = false;
  switch (expr.op) {
  case Token::Plus:
    isTooLarge = AddOverflow(lhs, rhs, result);
    break;
  case Token::Minus:
    isTooLarge = SubOverflow(lhs, rhs, result);
    break;
  case Token::Star:
    isTooLarge = MulOverflow(lhs, rhs, result);
    break;
  default:
    isTooLarge = rhs == -1 && lhs == std::numeric_limits<int64_t>::min();
    if (!isTooLarge)
      result = expr.op == Token::Slash ? lhs / rhs : lhs % rhs;
  }
  if (isTooLarge)
    return fail(expr.opRange, "the result is too large for an integer");
  bool leavesRemainder = expr.op == Token::Slash && lhs % rhs != 0;
  return Value::integer(result, leavesRemainder ? std::optional(Division{lhs, rhs}) : std::nullopt);
}

Value Evaluator::evaluateArithmetic(const BinaryExpr &expr, double lhs, double rhs) {
  if (rhs == 0 && (expr.op == Token::Slash || expr.op == Token::Percent))
    return fail(expr.opRange, "division by zero");
  double result = expr.op == Token::Plus    ? lhs + rhs
                  : expr.op == Token::Minus ? lhs - rhs
                  : expr.op == Token::Star  ? lhs * rhs
                  : expr.op == Token::Slash ? lhs / rhs
                                            : std::fmod(lhs, rhs);
  return std::isfinite(result) ? Value::number(result) : fail(expr.opRange, "the result is too large for a number");
}

Value Evaluator::evaluateIf(const IfExpr &expr) {
  Value condition = evaluate(*expr.condition);
  if (condition.is(Value::Poison))
    return {};
  if (!condition.is(Value::Boolean))
    return fail(expr.condition->range, "a condition is true or false, not " + condition.describe());
  return evaluate(condition.getBoolean() ? *expr.then : *expr.otherwise);
}

static std::string sayArguments(size_t count) {
  return count == 0 ? "no arguments" : count == 1 ? "1 argument" : std::to_string(count) + " arguments";
}

std::optional<std::vector<int>> resin::frontend::bindArguments(const Name &callee, ArrayRef<StringRef> parameters,
                                                               ArrayRef<Actual> actuals, bool hasInput,
                                                               Diagnostics &diagnostics) {
  std::vector<int> bound(parameters.size(), -1);
  for (auto [number, actual] : enumerate(actuals)) {
    size_t position = number;
    if (actual.name) {
      position = find(parameters, actual.name->text) - parameters.begin();
      if (position == parameters.size()) {
        diagnostics.error(actual.name->range, "'" + callee.text + "' has no argument '" + actual.name->text + "'" +
                                                  didYouMeanArgument(actual.name->text, parameters));
        return std::nullopt;
      }
    } else if (position >= parameters.size()) {
      size_t hidden = hasInput && !parameters.empty();
      diagnostics.error(number == 0 && hasInput ? callee.range : actual.range,
                        "'" + callee.text + "' takes " + sayArguments(parameters.size() - hidden) +
                            (hidden ? " beside its input" : "") + ", not " + std::to_string(actuals.size() - hidden));
      return std::nullopt;
    }
    if (bound[position] >= 0) {
      const Actual &other = actuals[bound[position]];
      diagnostics.error(actual.name ? actual.name->range : actual.range,
                        "'" + parameters[position] + "' of '" + callee.text + "' is given twice",
                        Note{other.range.Start, "it is given here too"});
      return std::nullopt;
    }
    bound[position] = number;
  }
  return bound;
}
