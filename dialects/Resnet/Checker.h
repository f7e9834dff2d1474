//===- Checker.h - Checks an op's operands while it infers types -*- C++ -*-===//
//
// An op's `inferReturnTypes` is its verifier too: it asks a Checker for the shapes
// it needs, states its constraints, and gives the result shapes. The first mistake
// is reported, at the op's location; a check after it stays silent.
//
// Extents may be dynamic (the batch before `specialize`): a dynamic extent agrees
// with any other. Layouts play no part, and inferred types carry none.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_CHECKER_H
#define RESIN_DIALECTS_RESNET_CHECKER_H

#include "dialects/Resnet/Resnet.h"

namespace resin::resnet {

using Shape = llvm::SmallVector<int64_t, 5>;

/// "[?, 64, 56, 56]"
std::string describe(llvm::ArrayRef<int64_t> shape);

/// "0.1"
std::string spell(double number);

inline bool agree(int64_t lhs, int64_t rhs) {
  return lhs == rhs || mlir::ShapedType::isDynamic(lhs) || mlir::ShapedType::isDynamic(rhs);
}
bool agree(llvm::ArrayRef<int64_t> lhs, llvm::ArrayRef<int64_t> rhs);

/// The extents of `lhs`, and where they are dynamic, those of `rhs`.
Shape merge(llvm::ArrayRef<int64_t> lhs, llvm::ArrayRef<int64_t> rhs);

/// A product of extents; dynamic if one is.
int64_t product(llvm::ArrayRef<int64_t> extents);

class Checker {
public:
  /// `op` is the op's full name; messages show it without the dialect's.
  Checker(std::optional<mlir::Location> location, llvm::StringRef op);

  /// The operand's shape; it must have one of the ranks.
  Shape shape(mlir::Value operand, llvm::StringRef what, llvm::ArrayRef<unsigned> ranks);
  /// The operand's shape, which must be [channels].
  void channels(mlir::Value operand, llvm::StringRef what, int64_t channels);
  /// All operands have one element type.
  void sameElementType(mlir::ValueRange operands);
  /// The operands' common shape.
  Shape sameShape(mlir::ValueRange operands, llvm::StringRef what);
  /// The attribute has `count` numbers from `least` to 2^20.
  void numbers(llvm::ArrayRef<int64_t> values, llvm::StringRef what, unsigned count, int64_t least);
  void that(bool holds, const llvm::Twine &complaint);

  /// How often a window fits into a padded extent, in rows (dimension 0) or columns (1); padding is [top, left, bottom,
  /// right].
  int64_t windows(unsigned dimension, int64_t extent, int64_t kernel, int64_t stride, llvm::ArrayRef<int64_t> padding,
                  int64_t dilation);

  bool failed() const { return !ok; }
  /// One result type for each shape, with the element type of `like`, unless a check failed.
  llvm::LogicalResult infer(llvm::SmallVectorImpl<mlir::Type> &types, mlir::Value like, llvm::ArrayRef<Shape> shapes);

private:
  std::optional<mlir::Location> location;
  llvm::StringRef name;
  bool ok = true;
};

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_CHECKER_H
