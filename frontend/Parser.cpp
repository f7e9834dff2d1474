//===- Parser.cpp - Tokens to a tree: a function per grammar rule ---------===//
//
// Recursive descent with one token of lookahead (two for `name =`, `name :`).
// Ends of lines mean nothing: no statement begins with a token that could
// continue an expression. After a mistake the parser goes on at the next
// statement, so that one run reports several.
//
//===----------------------------------------------------------------------===//

#include "frontend/Parser.h"
#include "frontend/ExpressionParser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"

using namespace llvm;
using namespace resin::frontend;

namespace {

class Parser : ExpressionParser {
public:
  using ExpressionParser::ExpressionParser;

  File parseFile();

private:
  bool parseBlock(File &file);
  bool parseModel(File &file);
  bool parseTrain(File &file);
  bool parseParameters(std::vector<Parameter> &parameters);

  bool parseBody(Body &body, SMRange *end = nullptr);
  StmtPtr parseStatement();
  StmtPtr parseAssign();
  StmtPtr parseReturn();
  StmtPtr parseIf();
  StmtPtr parseRepeat();

  void skipToStatement();
  void skipToDeclaration();
};

//===----------------------------------------------------------------------===//
// After a mistake
//===----------------------------------------------------------------------===//

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

} // namespace

/// A network is a page or two; what is longer is no network.
static constexpr size_t maxBytes = 1 << 20;

File resin::frontend::parseFile(StringRef text, Diagnostics &diagnostics) {
  if (text.size() > maxBytes) {
    diagnostics.errorInFile("the file has more than " + Twine(maxBytes) + " bytes");
    return {};
  }
  return Parser(text, diagnostics).parseFile();
}

ExprPtr resin::frontend::parseExpression(StringRef text, Diagnostics &diagnostics) {
  return ExpressionParser(text, diagnostics).parseWholeExpression();
}
