//===- OpFacts.h - What is known of each op ---------------------*- C++ -*-===//
//
// A row for each op of the resnet dialect, made from its definition (what a field
// means stands in dialects/Resnet/OpFacts.td). Passes, kernels and the tuner ask an op
// here instead of knowing names; neither MLIR nor Halide is needed for it.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_OPFACTS_H
#define RESIN_SUPPORT_OPFACTS_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace resin {

/// How an op takes part in a fused kernel.
enum class OpRole : uint8_t {
  Anchor,    ///< the one loop nest of its kernel: convolutions, pools, matrix products
  Pointwise, ///< element by element, vectors broadcast
  Reduction, ///< sums over pixels, in the epilogue
  Update,    ///< an optimizer's step for one parameter
  View,      ///< moves elements and computes nothing
  Alone,     ///< its own kernel
};

/// Which of the three a product of an image (or features) and a filter makes.
enum class Product : uint8_t { None, Output, Image, Filter };

/// What an operand may hold. Where several ops read a value, the greatest counts.
enum class Domain : uint8_t {
  Real,
  Positive,
  Squares, ///< sums of squares, so large that a variance made of them is positive
  Seed,    ///< random bits
  Step,    ///< a whole number from 1
  Class,   ///< below the last extent of the op's first operand; or -1, padding
};

/// What an attribute holds. Flags, Bool and Unit, are the integers 0 and 1 in a KernelSpec.
enum class AttributeKind : uint8_t { Real, Integer, Integers, Bool, Unit, Other };

struct OperandFacts {
  std::string_view name;
  Domain domain = Domain::Real;
};

struct AttributeFacts {
  std::string_view name;
  AttributeKind kind = AttributeKind::Other;
};

/// A short list that a constant can hold.
template <typename Item> struct Few {
  Item items[8];
  size_t count = 0;

  constexpr size_t size() const { return count; }
  constexpr bool empty() const { return count == 0; }
  constexpr const Item *begin() const { return items; }
  constexpr const Item *end() const { return items + count; }
  constexpr const Item &operator[](size_t i) const { return items[i]; }
};

struct OpFacts {
  std::string_view name; ///< `conv2d`: without the dialect's prefix
  OpRole role = OpRole::Alone;
  unsigned operations = 0;
  Product product = Product::None;
  bool isConvolution = false;
  bool isJoinable = false;
  bool isElementwise = false;
  bool isExpression = false;
  bool isHeavy = false;
  Few<std::string_view> gradientReads;
  std::string_view gradientOf;
  Few<OperandFacts> operands;
  Few<AttributeFacts> attributes;
  Few<std::string_view> results;

  /// Null if the op has none of that name.
  const AttributeFacts *attribute(std::string_view attribute) const;
  /// Of a gradient, the operand that is the gradient of the other op's result; the number of operands if there is none.
  size_t gradient() const;
  /// Whether the op's gradient may read its input where it would read its result.
  bool readsInputOrResult() const { return gradientReads.size() == 1 && gradientReads[0] == "input|result"; }
};

/// All ops, sorted by name.
std::span<const OpFacts> allOpFacts();

/// The row of `op`; of an op that the dialect does not have, one that stands alone and says nothing else.
const OpFacts &factsOf(std::string_view op);

} // namespace resin

#endif // RESIN_SUPPORT_OPFACTS_H
