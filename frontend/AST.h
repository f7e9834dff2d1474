//===- AST.h - What the parser found ----------------------------*- C++ -*-===//
//
// A plain tree with source ranges. `depth` bounds the recursion of whoever walks
// it: the parser refuses trees deeper than `maxDepth`.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_FRONTEND_AST_H
#define RESIN_FRONTEND_AST_H

#include "frontend/Lexer.h"

#include "llvm/Support/Casting.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace resin::frontend {

constexpr unsigned maxDepth = 200;

struct Name {
  std::string text;
  llvm::SMRange range;
};

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

struct Expr {
  enum Kind { Integer, Float, Boolean, String, Variable, List, Unary, Binary, If, Call, Group, Pipe };

  Expr(Kind kind, llvm::SMRange range, unsigned depth = 1) : kind(kind), depth(depth), range(range) {}
  virtual ~Expr() = default;

  const Kind kind;
  unsigned depth;
  llvm::SMRange range;
};
using ExprPtr = std::unique_ptr<Expr>;

template <Expr::Kind K> struct ExprOf : Expr {
  explicit ExprOf(llvm::SMRange range) : Expr(K, range) {}
  static bool classof(const Expr *expr) { return expr->kind == K; }
};

struct IntegerExpr : ExprOf<Expr::Integer> {
  using ExprOf::ExprOf;
  int64_t value = 0;
};
struct FloatExpr : ExprOf<Expr::Float> {
  using ExprOf::ExprOf;
  double value = 0;
};
struct BooleanExpr : ExprOf<Expr::Boolean> {
  using ExprOf::ExprOf;
  bool value = false;
};
struct StringExpr : ExprOf<Expr::String> {
  using ExprOf::ExprOf;
  std::string value;
};
struct VariableExpr : ExprOf<Expr::Variable> {
  using ExprOf::ExprOf;
  std::string name;
};
struct ListExpr : ExprOf<Expr::List> {
  using ExprOf::ExprOf;
  std::vector<ExprPtr> elements;
};
struct UnaryExpr : ExprOf<Expr::Unary> {
  using ExprOf::ExprOf;
  Token::Kind op = Token::Minus; // Minus or KeywordNot
  ExprPtr operand;
};
struct BinaryExpr : ExprOf<Expr::Binary> {
  using ExprOf::ExprOf;
  Token::Kind op = Token::Plus;
  llvm::SMRange opRange;
  ExprPtr lhs, rhs;
};
struct IfExpr : ExprOf<Expr::If> {
  using ExprOf::ExprOf;
  ExprPtr condition, then, otherwise;
};

struct Argument {
  std::optional<Name> name;
  ExprPtr value;
};
/// A layer, a block or a function with its arguments: `conv1: conv(64, kernel = 3)`; as a stage of a pipe also without
/// parentheses.
struct CallExpr : ExprOf<Expr::Call> {
  using ExprOf::ExprOf;
  std::optional<Name> label;
  Name callee;
  std::vector<Argument> arguments;
};
/// Stages in braces: `downsample: { conv(64) |> batch_norm }`. Only a stage of a pipe.
struct GroupExpr : ExprOf<Expr::Group> {
  using ExprOf::ExprOf;
  std::optional<Name> label;
  std::vector<ExprPtr> stages; // CallExpr or GroupExpr
};
struct PipeExpr : ExprOf<Expr::Pipe> {
  using ExprOf::ExprOf;
  ExprPtr head;
  std::vector<ExprPtr> stages; // CallExpr or GroupExpr
};

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

struct Stmt {
  enum Kind { Assign, Return, If, Repeat };

  Stmt(Kind kind, llvm::SMRange range) : kind(kind), range(range) {}
  virtual ~Stmt() = default;

  const Kind kind;
  llvm::SMRange range; // of its first tokens
};
using StmtPtr = std::unique_ptr<Stmt>;
using Body = std::vector<StmtPtr>;

template <Stmt::Kind K> struct StmtOf : Stmt {
  explicit StmtOf(llvm::SMRange range) : Stmt(K, range) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == K; }
};

struct AssignStmt : StmtOf<Stmt::Assign> {
  using StmtOf::StmtOf;
  Name target;
  ExprPtr value;
};
struct ReturnStmt : StmtOf<Stmt::Return> {
  using StmtOf::StmtOf;
  ExprPtr value;
};
struct IfStmt : StmtOf<Stmt::If> {
  using StmtOf::StmtOf;
  ExprPtr condition;
  Body then, otherwise;
};
struct RepeatStmt : StmtOf<Stmt::Repeat> {
  using StmtOf::StmtOf;
  std::optional<Name> label, index;
  ExprPtr count;
  Body body;
};

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

struct Parameter {
  Name name;
  ExprPtr defaultValue; // or null
};
struct Block {
  Name name;
  std::vector<Parameter> parameters;
  Body body;
  llvm::SMRange end; // the closing brace
};
struct Model {
  Name name, image;
  std::unique_ptr<ListExpr> imageShape, resultShape;
  Body body;
  llvm::SMRange end;
};
struct Setting {
  Name key;
  ExprPtr value;
};
struct Train {
  llvm::SMRange range;
  std::vector<Setting> settings;
};

struct File {
  std::vector<Block> blocks;
  std::vector<Model> models;
  std::vector<Train> trains;
};

} // namespace resin::frontend

#endif // RESIN_FRONTEND_AST_H
