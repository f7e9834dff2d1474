//===- ExpressionParser.cpp - Tokens to expressions: a function per rule --===//
//
// Recursive descent. Every node knows how deep it is, and what is deeper than
// `maxDepth` is refused, so that whoever walks the tree may recurse.
//
//===----------------------------------------------------------------------===//

#include "frontend/ExpressionParser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"

using namespace llvm;
using namespace resin::frontend;

static SMRange join(SMRange a, SMRange b) { return {a.Start, b.End}; }

static unsigned deepest(ArrayRef<ExprPtr> nodes) {
  unsigned depth = 0;
  for (const ExprPtr &node : nodes)
    depth = std::max(depth, node->depth);
  return depth;
}

ExprPtr ExpressionParser::checkDepth(ExprPtr expr) {
  if (expr && expr->depth > maxDepth)
    return fail(expr->range, "the expression is nested more than " + Twine(maxDepth) + " deep");
  return expr;
}

// expression = if-expression | pipe
ExprPtr ExpressionParser::parseExpr() {
  ++nesting;
  scope_exit leave([&] { --nesting; });
  if (nesting > maxDepth)
    return fail("the expression is nested more than " + Twine(maxDepth) + " deep");
  return checkDepth(peek().is(Token::KeywordIf) ? parseIfExpr() : parsePipe());
}

// if-expression = "if" expression "then" expression "else" expression
ExprPtr ExpressionParser::parseIfExpr() {
  auto expr = std::make_unique<IfExpr>(take().range);
  if (!(expr->condition = parseExpr()) || !expect(Token::KeywordThen, "after the condition") ||
      !(expr->then = parseExpr()) || !expect(Token::KeywordElse, "and the other value") ||
      !(expr->otherwise = parseExpr()))
    return nullptr;
  expr->depth = 1 + std::max({expr->condition->depth, expr->then->depth, expr->otherwise->depth});
  expr->range.End = expr->otherwise->range.End;
  return expr;
}

// pipe = binary { "|>" stage }
ExprPtr ExpressionParser::parsePipe() {
  ExprPtr head = parseBinary(0);
  if (!head || !peek().is(Token::Pipe))
    return head;
  auto pipe = std::make_unique<PipeExpr>(head->range);
  pipe->head = std::move(head);
  while (takeIf(Token::Pipe)) {
    ExprPtr stage = parseStage();
    if (!stage)
      return nullptr;
    pipe->range.End = stage->range.End;
    pipe->stages.push_back(std::move(stage));
  }
  pipe->depth = 1 + std::max(pipe->head->depth, deepest(pipe->stages));
  return pipe;
}

// binary = unary { operator unary }, with the levels
//   "or"   "and"   "==" "!=" "<" "<=" ">" ">="   "+" "-"   "*" "/" "%"
// from loosest to tightest; all group to the left, comparisons don't chain.
ExprPtr ExpressionParser::parseBinary(unsigned level) {
  static const std::vector<Token::Kind> levels[] = {
      {Token::KeywordOr},
      {Token::KeywordAnd},
      {Token::Equal, Token::NotEqual, Token::Less, Token::LessEqual, Token::Greater, Token::GreaterEqual},
      {Token::Plus, Token::Minus},
      {Token::Star, Token::Slash, Token::Percent},
  };
  constexpr unsigned comparisons = 2;
  if (level == std::size(levels))
    return parseUnary();

  ExprPtr lhs = parseBinary(level + 1);
  bool isFirst = true;
  while (lhs && is_contained(levels[level], peek().kind)) {
    if (level == comparisons && !isFirst)
      return fail("comparisons don't chain: join them with 'and'");
    isFirst = false;
    auto expr = std::make_unique<BinaryExpr>(lhs->range);
    expr->opRange = peek().range;
    expr->op = take().kind;
    expr->rhs = parseBinary(level + 1);
    if (!expr->rhs)
      return nullptr;
    expr->depth = 1 + std::max(lhs->depth, expr->rhs->depth);
    expr->range = join(lhs->range, expr->rhs->range);
    expr->lhs = std::move(lhs);
    lhs = checkDepth(std::move(expr));
  }
  return lhs;
}

// unary = { "-" | "not" } primary
ExprPtr ExpressionParser::parseUnary() {
  if (!peek().is(Token::Minus) && !peek().is(Token::KeywordNot))
    return parsePrimary();
  ++nesting;
  scope_exit leave([&] { --nesting; });
  if (nesting > maxDepth)
    return fail("the expression is nested more than " + Twine(maxDepth) + " deep");
  auto expr = std::make_unique<UnaryExpr>(peek().range);
  expr->op = take().kind;
  expr->operand = parseUnary();
  if (!expr->operand)
    return nullptr;
  expr->depth = 1 + expr->operand->depth;
  expr->range.End = expr->operand->range.End;
  return expr;
}

template <typename Node, typename Value> static ExprPtr makeLiteral(SMRange range, Value value) {
  auto expr = std::make_unique<Node>(range);
  expr->value = std::move(value);
  return expr;
}

// primary = number | string | "true" | "false" | name | call | list | "(" expression ")"
ExprPtr ExpressionParser::parsePrimary() {
  const Token &token = peek();
  switch (token.kind) {
  case Token::Integer:
    return makeLiteral<IntegerExpr>(take().range, token.integer);
  case Token::Float:
    return makeLiteral<FloatExpr>(take().range, token.number);
  case Token::String:
    return makeLiteral<StringExpr>(take().range, token.text.str());
  case Token::KeywordTrue:
  case Token::KeywordFalse:
    return makeLiteral<BooleanExpr>(take().range, token.is(Token::KeywordTrue));
  case Token::Identifier:
    if (atLabel() || peek(1).is(Token::LeftParen)) {
      std::optional<Name> label = takeLabel();
      if (peek().is(Token::LeftBrace))
        return fail("a group in braces needs an input: write 'x |> " + label->text + ": { ... }'");
      return parseCall(label, /*isStage=*/false);
    }
    break;
  case Token::LeftBracket:
    return parseList();
  case Token::LeftParen: {
    take();
    ExprPtr inner = parseExpr();
    return inner && expect(Token::RightParen, "after the expression") ? std::move(inner) : nullptr;
  }
  case Token::LeftBrace:
    return fail("a group in braces needs an input: write 'x |> { ... }'");
  default:
    return fail("expected a value, found " + found());
  }
  auto variable = std::make_unique<VariableExpr>(token.range);
  variable->name = take().text.str();
  return variable;
}

// list = "[" [ expression { "," expression } ] "]"
std::unique_ptr<ListExpr> ExpressionParser::parseList() {
  auto list = std::make_unique<ListExpr>(peek().range);
  if (!expect(Token::LeftBracket, "before a list"))
    return nullptr;
  bool isParsed = parseCommaList(Token::RightBracket, [&] {
    ExprPtr element = parseExpr();
    return element && (list->elements.push_back(std::move(element)), true);
  });
  if (!isParsed)
    return nullptr;
  list->range.End = peek(-1).range.End;
  list->depth = 1 + deepest(list->elements);
  return list;
}

// stage = [ label ] ( call | group )
ExprPtr ExpressionParser::parseStage() {
  std::optional<Name> label = takeLabel();
  if (peek().is(Token::LeftBrace))
    return parseGroup(label);
  if (!peek().is(Token::Identifier))
    return fail("expected a layer or a block after '|>', found " + found());
  return parseCall(label, /*isStage=*/true);
}

// group = "{" stage { "|>" stage } "}"
ExprPtr ExpressionParser::parseGroup(std::optional<Name> label) {
  ++nesting;
  scope_exit leave([&] { --nesting; });
  if (nesting > maxDepth)
    return fail("groups are nested more than " + Twine(maxDepth) + " deep");
  auto group = std::make_unique<GroupExpr>(peek().range);
  group->label = label;
  take();
  do {
    ExprPtr stage = parseStage();
    if (!stage)
      return nullptr;
    group->stages.push_back(std::move(stage));
  } while (takeIf(Token::Pipe));
  group->range.End = peek().range.End;
  group->depth = 1 + deepest(group->stages);
  return expect(Token::RightBrace, "after the group") ? checkDepth(std::move(group)) : nullptr;
}

// call = [ label ] name [ "(" [ argument { "," argument } ] ")" ]
ExprPtr ExpressionParser::parseCall(std::optional<Name> label, bool isStage) {
  auto call = std::make_unique<CallExpr>(peek().range);
  std::optional<Name> callee = expectName("a layer or a block");
  if (!callee)
    return nullptr;
  call->label = label;
  call->callee = *callee;
  if (!peek().is(Token::LeftParen)) {
    if (isStage)
      return call;
    return fail("expected '(' and the layer's input after '" + callee->text + "', found " + found());
  }
  if (!parseArguments(*call))
    return nullptr;
  call->range.End = peek(-1).range.End;
  for (const Argument &argument : call->arguments)
    call->depth = std::max(call->depth, 1 + argument.value->depth);
  return call;
}

// argument = [ name "=" ] expression
bool ExpressionParser::parseArguments(CallExpr &call) {
  take();
  return parseCommaList(Token::RightParen, [&] {
    Argument argument;
    if (peek().is(Token::Identifier) && peek(1).is(Token::Assign)) {
      const Token &name = take();
      argument.name = Name{name.text.str(), name.range};
      take();
    } else if (!call.arguments.empty() && call.arguments.back().name) {
      fail("an argument without a name can't follow one with a name");
      return false;
    }
    argument.value = parseExpr();
    if (!argument.value)
      return false;
    call.arguments.push_back(std::move(argument));
    return true;
  });
}

ExprPtr ExpressionParser::parseWholeExpression() {
  ExprPtr expr = parseExpr();
  if (expr && !peek().is(Token::End))
    return fail("expected nothing after the value, found " + found());
  return expr;
}
