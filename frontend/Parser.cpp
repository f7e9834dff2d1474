//===- Parser.cpp - Tokens to a tree: a function per grammar rule ---------===//
//
// Recursive descent with one token of lookahead (two for `name =`, `name :`).
// Ends of lines mean nothing: no statement begins with a token that could
// continue an expression. After a mistake the parser goes on at the next
// statement, so that one run reports several.
//
//===----------------------------------------------------------------------===//

#include "frontend/Parser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"

using namespace llvm;
using namespace resin::frontend;

namespace {

SMRange join(SMRange a, SMRange b) { return {a.Start, b.End}; }

class Parser {
public:
  Parser(StringRef text, Diagnostics &diagnostics) : diagnostics(diagnostics), tokens(lex(text, diagnostics)) {}

  File parseFile();
  ExprPtr parseWholeExpression();

private:
  // ---- declarations
  bool parseBlock(File &file);
  bool parseModel(File &file);
  bool parseTrain(File &file);
  bool parseParameters(std::vector<Parameter> &parameters);

  // ---- statements
  bool parseBody(Body &body, SMRange *end = nullptr);
  StmtPtr parseStatement();
  StmtPtr parseAssign();
  StmtPtr parseReturn();
  StmtPtr parseIf();
  StmtPtr parseRepeat();

  // ---- expressions, loosest binding first
  ExprPtr parseExpr();
  ExprPtr parseIfExpr();
  ExprPtr parsePipe();
  ExprPtr parseBinary(unsigned level);
  ExprPtr parseUnary();
  ExprPtr parsePrimary();
  std::unique_ptr<ListExpr> parseList();
  ExprPtr parseStage();
  ExprPtr parseGroup(std::optional<Name> label);
  ExprPtr parseCall(std::optional<Name> label, bool isStage);
  bool parseArguments(CallExpr &call);
  template <typename Element> bool parseCommaList(Token::Kind close, Element parseElement);

  // ---- tokens
  const Token &peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  bool atLabel() const { return peek().is(Token::Identifier) && peek(1).is(Token::Colon); }
  const Token &take() {
    const Token &token = peek();
    at = std::min(at + 1, tokens.size() - 1);
    return token;
  }
  bool takeIf(Token::Kind kind) { return peek().is(kind) && (take(), true); }
  bool expect(Token::Kind kind, const Twine &where);
  std::optional<Name> expectName(const Twine &what);
  std::optional<Name> takeLabel();
  void skipToStatement();
  void skipToDeclaration();

  // ---- mistakes
  std::nullptr_t fail(const Twine &what) { return fail(peek().range, what); }
  std::nullptr_t fail(SMRange where, const Twine &what, ArrayRef<Note> notes = {}) {
    diagnostics.error(where, what, notes);
    return nullptr;
  }
  std::string found() const;
  ExprPtr checkDepth(ExprPtr expr);
  template <typename Node> static unsigned deepest(const Node &nodes) {
    unsigned depth = 0;
    for (const ExprPtr &node : nodes)
      depth = std::max(depth, node->depth);
    return depth;
  }

  Diagnostics &diagnostics;
  std::vector<Token> tokens;
  size_t at = 0;
  unsigned nesting = 0;
};

//===----------------------------------------------------------------------===//
// Tokens and mistakes
//===----------------------------------------------------------------------===//

std::string Parser::found() const {
  const Token &token = peek();
  if (token.is(Token::Identifier))
    return ("'" + token.text + "'").str();
  return describe(token.kind).str();
}

bool Parser::expect(Token::Kind kind, const Twine &where) {
  if (takeIf(kind))
    return true;
  fail("expected " + describe(kind) + " " + where + ", found " + found());
  return false;
}

std::optional<Name> Parser::expectName(const Twine &what) {
  if (peek().is(Token::Identifier)) {
    const Token &token = take();
    return Name{token.text.str(), token.range};
  }
  bool isKeyword = peek().kind >= Token::KeywordBlock;
  fail("expected " + what + ", found " + found() + (isKeyword ? ", which is a word of the language" : ""));
  return std::nullopt;
}

// label = name ":"
std::optional<Name> Parser::takeLabel() {
  if (!atLabel())
    return std::nullopt;
  const Token &token = take();
  take();
  return Name{token.text.str(), token.range};
}

/// Goes on where a statement may begin, or stops before what ends the body.
void Parser::skipToStatement() {
  unsigned open = 0;
  while (!peek().is(Token::End)) {
    Token::Kind kind = peek().kind;
    if (kind == Token::KeywordBlock || kind == Token::KeywordModel || kind == Token::KeywordTrain)
      return;
    if (kind == Token::RightBrace && open-- == 0)
      return;
    if (kind == Token::LeftBrace)
      ++open;
    bool startsStatement = kind == Token::KeywordReturn || kind == Token::KeywordRepeat ||
                           (kind == Token::Identifier && peek(1).is(Token::Assign) && !peek(-1).is(Token::Comma) &&
                            !peek(-1).is(Token::LeftParen));
    if (startsStatement && open == 0)
      return;
    take();
  }
}

void Parser::skipToDeclaration() {
  while (!is_contained({Token::End, Token::KeywordBlock, Token::KeywordModel, Token::KeywordTrain}, peek().kind))
    take();
}

ExprPtr Parser::checkDepth(ExprPtr expr) {
  if (expr && expr->depth > maxDepth)
    return fail(expr->range, "the expression is nested more than " + Twine(maxDepth) + " deep");
  return expr;
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

// file = { block | model | train }
File Parser::parseFile() {
  File file;
  while (!peek().is(Token::End)) {
    bool isParsed = false;
    if (peek().is(Token::KeywordBlock))
      isParsed = parseBlock(file);
    else if (peek().is(Token::KeywordModel))
      isParsed = parseModel(file);
    else if (peek().is(Token::KeywordTrain))
      isParsed = parseTrain(file);
    else
      fail("expected 'block', 'model' or 'train', found " + found());
    if (!isParsed)
      skipToDeclaration();
  }
  return file;
}

// block = "block" name "(" [ parameter { "," parameter } ] ")" body
bool Parser::parseBlock(File &file) {
  take();
  Block block;
  std::optional<Name> name = expectName("the block's name");
  if (!name || !parseParameters(block.parameters))
    return false;
  block.name = *name;
  if (!parseBody(block.body, &block.end))
    return false;
  file.blocks.push_back(std::move(block));
  return true;
}

// parameter = name [ "=" expression ]
bool Parser::parseParameters(std::vector<Parameter> &parameters) {
  if (!expect(Token::LeftParen, "before the parameters"))
    return false;
  return parseCommaList(Token::RightParen, [&] {
    std::optional<Name> name = expectName("a parameter's name");
    if (!name)
      return false;
    ExprPtr value;
    if (takeIf(Token::Assign) && !(value = parseExpr()))
      return false;
    parameters.push_back({*name, std::move(value)});
    return true;
  });
}

// model = "model" name "(" name ":" list ")" "->" list body
bool Parser::parseModel(File &file) {
  take();
  Model model;
  std::optional<Name> name = expectName("the model's name");
  if (!name || !expect(Token::LeftParen, "before the model's image"))
    return false;
  std::optional<Name> image = expectName("the image's name");
  if (!image || !expect(Token::Colon, "and the image's shape [channels, height, width]") ||
      !(model.imageShape = parseList()) || !expect(Token::RightParen, "after the image") ||
      !expect(Token::Arrow, "and the result's shape [classes]") || !(model.resultShape = parseList()))
    return false;
  model.name = *name;
  model.image = *image;
  if (!parseBody(model.body, &model.end))
    return false;
  file.models.push_back(std::move(model));
  return true;
}

// train = "train" "{" { name "=" expression } "}"
bool Parser::parseTrain(File &file) {
  Train train;
  train.range = take().range;
  if (!expect(Token::LeftBrace, "after 'train'"))
    return false;
  while (!peek().is(Token::RightBrace)) {
    std::optional<Name> key = expectName("a setting or '}'");
    if (!key || !expect(Token::Assign, "after '" + key->text + "'")) {
      if (peek().is(Token::End))
        return false;
      skipToStatement();
      if (!peek().is(Token::Identifier) && !peek().is(Token::RightBrace))
        return false;
      continue;
    }
    if (ExprPtr value = parseExpr())
      train.settings.push_back({*key, std::move(value)});
    else
      skipToStatement();
  }
  take();
  file.trains.push_back(std::move(train));
  return true;
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

// body = "{" { statement } "}"
bool Parser::parseBody(Body &body, SMRange *end) {
  SMRange open = peek().range;
  if (!expect(Token::LeftBrace, "before the body"))
    return false;
  ++nesting;
  scope_exit leave([&] { --nesting; });
  if (nesting > maxDepth) {
    fail(open, "statements are nested more than " + Twine(maxDepth) + " deep");
    return false;
  }

  while (!peek().is(Token::RightBrace)) {
    if (is_contained({Token::End, Token::KeywordBlock, Token::KeywordModel, Token::KeywordTrain}, peek().kind)) {
      fail(peek().range, "expected '}' before " + found(), Note{open.Start, "the brace was opened here"});
      return false;
    }
    size_t before = at;
    if (StmtPtr statement = parseStatement())
      body.push_back(std::move(statement));
    else if (nesting > maxDepth / 2 && diagnostics.hasErrors())
      return false; // unwinding from far too deep: no use to go on here
    else {
      skipToStatement();
      if (at == before)
        take();
    }
  }
  if (end)
    *end = peek().range;
  take();
  return true;
}

// statement = assign | return | if | repeat
StmtPtr Parser::parseStatement() {
  switch (peek().kind) {
  case Token::KeywordReturn:
    return parseReturn();
  case Token::KeywordIf:
    return parseIf();
  case Token::KeywordRepeat:
    return parseRepeat();
  default:
    break;
  }
  if (atLabel() && peek(2).is(Token::KeywordRepeat))
    return parseRepeat();
  if (atLabel())
    return fail(peek().range,
                "a label here must stand before 'repeat'; to name a layer, write 'x = " + peek().text + ": ...'"),
           nullptr;
  if (peek().is(Token::Identifier))
    return parseAssign();
  return fail("expected a statement, found " + found());
}

// assign = name "=" expression
StmtPtr Parser::parseAssign() {
  auto statement = std::make_unique<AssignStmt>(peek().range);
  const Token &name = take();
  statement->target = {name.text.str(), name.range};
  if (!expect(Token::Assign, "after '" + name.text + "'"))
    return nullptr;
  statement->value = parseExpr();
  return statement->value ? std::move(statement) : nullptr;
}

// return = "return" expression
StmtPtr Parser::parseReturn() {
  auto statement = std::make_unique<ReturnStmt>(take().range);
  statement->value = parseExpr();
  return statement->value ? std::move(statement) : nullptr;
}

// if = "if" expression body [ "else" ( if | body ) ]
StmtPtr Parser::parseIf() {
  auto statement = std::make_unique<IfStmt>(take().range);
  statement->condition = parseExpr();
  if (!statement->condition || !parseBody(statement->then))
    return nullptr;
  if (!takeIf(Token::KeywordElse))
    return statement;
  if (!peek().is(Token::KeywordIf))
    return parseBody(statement->otherwise) ? std::move(statement) : nullptr;

  ++nesting;
  scope_exit leave([&] { --nesting; });
  if (nesting > maxDepth)
    return fail("statements are nested more than " + Twine(maxDepth) + " deep");
  StmtPtr next = parseIf();
  if (!next)
    return nullptr;
  statement->otherwise.push_back(std::move(next));
  return statement;
}

// repeat = [ label ] "repeat" expression [ "as" name ] body
StmtPtr Parser::parseRepeat() {
  std::optional<Name> label = takeLabel();
  auto statement = std::make_unique<RepeatStmt>(take().range);
  statement->label = label;
  statement->count = parseExpr();
  if (!statement->count)
    return nullptr;
  if (takeIf(Token::KeywordAs) && !(statement->index = expectName("the index's name")))
    return nullptr;
  return parseBody(statement->body) ? std::move(statement) : nullptr;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

// expression = if-expression | pipe
ExprPtr Parser::parseExpr() {
  ++nesting;
  scope_exit leave([&] { --nesting; });
  if (nesting > maxDepth)
    return fail("the expression is nested more than " + Twine(maxDepth) + " deep");
  return checkDepth(peek().is(Token::KeywordIf) ? parseIfExpr() : parsePipe());
}

// if-expression = "if" expression "then" expression "else" expression
ExprPtr Parser::parseIfExpr() {
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
ExprPtr Parser::parsePipe() {
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
ExprPtr Parser::parseBinary(unsigned level) {
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
ExprPtr Parser::parseUnary() {
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

template <typename Node, typename Value> ExprPtr makeLiteral(SMRange range, Value value) {
  auto expr = std::make_unique<Node>(range);
  expr->value = std::move(value);
  return expr;
}

// primary = number | string | "true" | "false" | name | call | list | "(" expression ")"
ExprPtr Parser::parsePrimary() {
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
std::unique_ptr<ListExpr> Parser::parseList() {
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
ExprPtr Parser::parseStage() {
  std::optional<Name> label = takeLabel();
  if (peek().is(Token::LeftBrace))
    return parseGroup(label);
  if (!peek().is(Token::Identifier))
    return fail("expected a layer or a block after '|>', found " + found());
  return parseCall(label, /*isStage=*/true);
}

// group = "{" stage { "|>" stage } "}"
ExprPtr Parser::parseGroup(std::optional<Name> label) {
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
ExprPtr Parser::parseCall(std::optional<Name> label, bool isStage) {
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
bool Parser::parseArguments(CallExpr &call) {
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

/// Elements with commas between them, and perhaps after the last, up to `close`.
template <typename Element> bool Parser::parseCommaList(Token::Kind close, Element parseElement) {
  while (!takeIf(close)) {
    if (!parseElement())
      return false;
    if (!takeIf(Token::Comma) && !peek().is(close)) {
      fail("expected ',' or " + describe(close) + ", found " + found());
      return false;
    }
  }
  return true;
}

ExprPtr Parser::parseWholeExpression() {
  ExprPtr expr = parseExpr();
  if (expr && !peek().is(Token::End))
    return fail("expected nothing after the value, found " + found());
  return expr;
}

} // namespace

File resin::frontend::parseFile(StringRef text, Diagnostics &diagnostics) {
  return Parser(text, diagnostics).parseFile();
}

ExprPtr resin::frontend::parseExpression(StringRef text, Diagnostics &diagnostics) {
  return Parser(text, diagnostics).parseWholeExpression();
}
