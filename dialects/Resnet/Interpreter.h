//===- Interpreter.h - Runs a function of the dialect -----------*- C++ -*-===//
//
// The oracle of every pass and kernel: calls each op's `evaluate`, in double. It
// computes what the tensors mean; layouts play no part.
//
//   Interpreter interpreter(module, Precision::F64);
//   Store store;
//   if (failed(initialise(module, /*seed=*/1, store))) ...
//   FailureOr<std::vector<Tensor>> results = interpreter.run("train_step", arguments, store);
//
// What is wrong (no such function, arguments of other shapes, a variable without a
// value) is a diagnostic and failure.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_INTERPRETER_H
#define RESIN_DIALECTS_RESNET_INTERPRETER_H

#include "dialects/Resnet/Tensor.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>
#include <string>

namespace resin::resnet {

/// The values of the variables, by name.
using Store = std::map<std::string, Tensor>;

enum class Precision {
  F32, ///< every op's results are rounded to float, as the program's are
  F64, ///< nothing is rounded
};

/// Gives every `resnet.variable` of the module its initial value: numbers that a float holds, as docs/Manifest.md says.
llvm::LogicalResult initialise(mlir::ModuleOp module, uint64_t seed, Store &store);

/// The operands' meaning under one op other than a call or an effect; `fused` runs its region once for each piece, of
/// which the first is number `piece`.
mlir::FailureOr<std::vector<Tensor>> evaluate(mlir::Operation *op, llvm::ArrayRef<Tensor> operands, Precision precision,
                                              int64_t piece = 0);

class Interpreter {
public:
  explicit Interpreter(mlir::ModuleOp module, Precision precision = Precision::F64)
      : module(module), precision(precision) {}

  /// Runs a function, reading and writing the variables in `store`. Arguments may fill in dynamic extents.
  mlir::FailureOr<std::vector<Tensor>> run(llvm::StringRef function, llvm::ArrayRef<Tensor> arguments, Store &store);

private:
  mlir::ModuleOp module;
  Precision precision;
};

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_INTERPRETER_H
