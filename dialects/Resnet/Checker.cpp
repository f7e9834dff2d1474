//===- Checker.cpp - Checks an op's operands while it infers types --------===//

#include "dialects/Resnet/Checker.h"

#include "llvm/Support/Format.h"

using namespace mlir;

namespace resin::resnet {

// No real network comes near these; below them no arithmetic on shapes overflows.
static constexpr int64_t kLargest = int64_t(1) << 20; // of an attribute
static constexpr int64_t kLargestExtent = int64_t(1) << 31;

std::string describe(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [i, extent] : llvm::enumerate(shape))
    text += (i ? ", " : "") + (ShapedType::isDynamic(extent) ? std::string("?") : std::to_string(extent));
  return text + "]";
}

std::string spell(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", number);
  return text;
}

bool agree(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs) {
  return lhs.size() == rhs.size() &&
         llvm::all_of(llvm::zip(lhs, rhs), [](auto pair) { return agree(std::get<0>(pair), std::get<1>(pair)); });
}

Shape merge(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs) {
  Shape merged(lhs);
  for (auto [extent, other] : llvm::zip(merged, rhs))
    if (ShapedType::isDynamic(extent))
      extent = other;
  return merged;
}

int64_t product(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents) {
    if (ShapedType::isDynamic(extent))
      return ShapedType::kDynamic;
    if (llvm::MulOverflow(result, extent, result))
      return std::numeric_limits<int64_t>::max();
  }
  return result;
}

bool sameUpToLayout(TypeRange lhs, TypeRange rhs) {
  if (lhs.size() != rhs.size())
    return false;
  return llvm::all_of(llvm::zip(lhs, rhs), [](auto pair) {
    auto left = dyn_cast<RankedTensorType>(std::get<0>(pair)), right = dyn_cast<RankedTensorType>(std::get<1>(pair));
    return left && right && left.getElementType() == right.getElementType() && agree(left.getShape(), right.getShape());
  });
}

bool sameOrDouble(TypeRange lhs, TypeRange rhs) {
  auto widened = llvm::map_to_vector(llvm::zip(lhs, rhs), [](auto pair) -> Type {
    auto left = dyn_cast<RankedTensorType>(std::get<0>(pair)), right = dyn_cast<RankedTensorType>(std::get<1>(pair));
    const bool widens = left && right && isa<FloatType>(left.getElementType()) && right.getElementType().isF64();
    return widens ? left.clone(right.getElementType()) : std::get<0>(pair);
  });
  return lhs.size() == rhs.size() && sameUpToLayout(widened, rhs);
}

LogicalResult verifyInferredTypes(Operation *op) {
  SmallVector<Type> inferred;
  auto inference = cast<InferTypeOpInterface>(op);
  if (failed(inference.inferReturnTypes(op->getContext(), op->getLoc(), op->getOperands(),
                                        op->getDiscardableAttrDictionary(), op->getPropertiesStorage(),
                                        op->getRegions(), inferred)))
    return failure();
  for (auto [type, actual] : llvm::zip(inferred, op->getResultTypes()))
    if (!inference.isCompatibleReturnTypes(type, actual))
      return emitError(op->getLoc()) << "'" << op->getName().stripDialect() << "' gives " << type << ", not " << actual;
  return success();
}

Checker::Checker(std::optional<Location> location, StringRef op)
    : location(location), name(op.substr(op.find('.') + 1)) {}

void Checker::that(bool holds, const Twine &complaint) {
  if (holds || !ok)
    return;
  ok = false;
  (void)emitOptionalError(location, "'", name, "' ", complaint.str());
}

Shape Checker::shape(Value operand, StringRef what, ArrayRef<unsigned> ranks) {
  Shape shape(cast<RankedTensorType>(operand.getType()).getShape());
  auto isInRange = [](int64_t extent) { return extent != 0 && extent <= kLargestExtent; };
  const bool isStatic = shape.empty() || llvm::none_of(ArrayRef(shape).drop_front(), ShapedType::isDynamic);
  if (llvm::is_contained(ranks, shape.size()) && llvm::all_of(shape, isInRange) && isStatic)
    return shape; // every op comes here after every pass: words cost more than the check
  std::string wanted;
  for (unsigned rank : ranks)
    wanted += (wanted.empty() ? "" : " or ") + std::to_string(rank);
  that(llvm::is_contained(ranks, shape.size()), "takes " + what + " of rank " + wanted + ", not " + describe(shape));
  that(llvm::all_of(shape, isInRange), "takes extents from 1 to " + Twine(kLargestExtent) + ": " + describe(shape));
  that(isStatic, "takes no dynamic extent but the first: " + describe(shape));
  return shape;
}

void Checker::channels(Value operand, StringRef what, int64_t channels) {
  Shape actual = shape(operand, what, {1});
  if (ok && !agree(actual[0], channels))
    that(false, "takes " + what + " of shape " + describe(channels) + ", not " + describe(actual));
}

void Checker::sameElementType(ValueRange operands) {
  for (Value operand : operands) {
    Type first = getElementTypeOrSelf(operands.front()), other = getElementTypeOrSelf(operand);
    if (first == other)
      continue;
    std::string text;
    llvm::raw_string_ostream(text) << "takes operands of one element type, not " << first << " and " << other;
    that(false, text);
  }
}

Shape Checker::sameShape(ValueRange operands, StringRef what) {
  Shape common(cast<RankedTensorType>(operands.front().getType()).getShape());
  for (Value operand : operands) {
    ArrayRef<int64_t> other = cast<RankedTensorType>(operand.getType()).getShape();
    if (!agree(common, other))
      that(false, what + " " + describe(common) + " and " + describe(other) + ": the shapes differ");
    common = merge(common, other);
  }
  return common;
}

void Checker::numbers(ArrayRef<int64_t> values, StringRef what, unsigned count, int64_t least) {
  that(values.size() == count, "takes " + Twine(count) + (count == 1 ? " number" : " numbers") + " as " + what +
                                   ", not " + Twine(values.size()));
  for (int64_t value : values)
    that(least <= value && value <= kLargest,
         "takes " + what + " from " + Twine(least) + " to " + Twine(kLargest) + ", not " + Twine(value));
}

int64_t Checker::windows(unsigned dimension, int64_t extent, int64_t kernel, int64_t stride, ArrayRef<int64_t> padding,
                         int64_t dilation) {
  if (!ok || ShapedType::isDynamic(extent) || ShapedType::isDynamic(kernel))
    return ShapedType::kDynamic;
  const int64_t padded = extent + padding[dimension] + padding[dimension + 2];
  const int64_t window = dilation * (kernel - 1) + 1;
  that(window <= padded,
       "has a window of " + Twine(window) + (dimension ? " columns" : " rows") + " over only " + Twine(padded));
  return (padded - window) / stride + 1;
}

LogicalResult Checker::infer(SmallVectorImpl<Type> &types, Value like, ArrayRef<Shape> shapes) {
  if (!ok)
    return failure();
  for (const Shape &shape : shapes)
    types.push_back(RankedTensorType::get(shape, getElementTypeOrSelf(like)));
  return success();
}

} // namespace resin::resnet
