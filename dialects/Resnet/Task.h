//===- Task.h - What a network is trained for -------------------*- C++ -*-===//
//
// Which arguments of the entry functions are the network's inputs and which the
// targets that it learns, and which results are its outputs, its loss and its
// metrics; each with its kind. The front end writes it into the attribute
// `resnet.task` of the module, passes and the manifest follow it, and the program
// reads it there: nobody else knows these names.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_TASK_H
#define RESIN_DIALECTS_RESNET_TASK_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace resin::resnet {

inline constexpr llvm::StringLiteral kTaskAttr = "resnet.task";

/// The kinds that there are.
inline constexpr llvm::StringLiteral kImageKind = "image";   ///< of an input: [n, c, h, w], floats
inline constexpr llvm::StringLiteral kClassKind = "class";   ///< of a target: [n], the number of a class, or -1
inline constexpr llvm::StringLiteral kScoresKind = "scores"; ///< of an output: [n, classes], the higher the likelier
inline constexpr llvm::StringLiteral kTopKKind = "top-k";    ///< of a metric: [n], how many classes are likelier

struct TaskField {
  llvm::StringRef name, kind;
};

struct Task {
  llvm::StringRef name, loss;
  llvm::SmallVector<TaskField, 1> inputs, targets, outputs, metrics;

  /// Of an image, the class.
  static Task classification();
  /// What the module's attribute says; nothing if it has none. What is missing there is empty.
  static std::optional<Task> of(mlir::ModuleOp module);

  mlir::DictionaryAttr toAttribute(mlir::Builder builder) const;
  bool hasInput(llvm::StringRef name) const;
};

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_TASK_H
