//===- Frontend.h - From a `.resin` file to the resnet dialect --*- C++ -*-===//
//
// The whole front end in three calls. Mistakes are printed to `errors`, with
// caret lines, several in one run.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_FRONTEND_FRONTEND_H
#define RESIN_FRONTEND_FRONTEND_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace resin::frontend {

struct Options {
  /// Which model of the file; may be empty where it has one only.
  std::string modelName;
  /// Settings that win over the `train` block's: {"train.lr", "0.1"} or {"lr", "0.1"}; values are expressions of the
  /// language.
  std::vector<std::pair<std::string, std::string>> overrides;
};

/// Checks the main buffer of `sources`; true if it holds no mistake.
bool check(llvm::SourceMgr &sources, const Options &options = {}, llvm::raw_ostream &errors = llvm::errs());

/// The table of layers with shapes, parameters and FLOPs; nothing after a mistake.
std::optional<std::string> summarize(llvm::SourceMgr &sources, const Options &options = {},
                                     llvm::raw_ostream &errors = llvm::errs());

/// The model as a module of the resnet dialect (`@model` and its variables); null after a mistake. Loads the dialects
/// it needs. The buffer's identifier is the file name in locations.
mlir::OwningOpRef<mlir::ModuleOp> compile(llvm::SourceMgr &sources, mlir::MLIRContext &context,
                                          const Options &options = {}, llvm::raw_ostream &errors = llvm::errs());

} // namespace resin::frontend

#endif // RESIN_FRONTEND_FRONTEND_H
