//===- ElementType.h - What a tensor's elements are -------------*- C++ -*-===//
//
// Every type that a tensor may have, with its name and its size: the only place that
// knows either. What names no type is refused by whoever reads the name.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_ELEMENTTYPE_H
#define RESIN_SUPPORT_ELEMENTTYPE_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace resin {

enum class ElementType : uint8_t { F64, F32, BF16, F16, I32, U8 };

struct ElementTypeRow {
  ElementType type;
  std::string_view name;
  int64_t bytes;
};

/// In the order of the enumeration.
inline constexpr std::array<ElementTypeRow, 6> kElementTypes = {{{ElementType::F64, "f64", 8},
                                                                 {ElementType::F32, "f32", 4},
                                                                 {ElementType::BF16, "bf16", 2},
                                                                 {ElementType::F16, "f16", 2},
                                                                 {ElementType::I32, "i32", 4},
                                                                 {ElementType::U8, "u8", 1}}};

/// Of one element.
constexpr int64_t bytesOf(ElementType type) { return kElementTypes[static_cast<size_t>(type)].bytes; }

/// `f32`, as manifests, kernel specs and MLIR say it.
constexpr std::string_view nameOf(ElementType type) { return kElementTypes[static_cast<size_t>(type)].name; }
std::optional<ElementType> elementTypeNamed(std::string_view name);
/// "f64, f32, bf16, f16, i32, u8", for messages.
std::string elementTypeNames();

/// Of C++'s types that elements are computed with.
template <typename T> inline constexpr ElementType kElementTypeOf = T::hasNoElementType;
template <> inline constexpr ElementType kElementTypeOf<double> = ElementType::F64;
template <> inline constexpr ElementType kElementTypeOf<float> = ElementType::F32;
template <> inline constexpr ElementType kElementTypeOf<int32_t> = ElementType::I32;
template <> inline constexpr ElementType kElementTypeOf<uint8_t> = ElementType::U8;

} // namespace resin

#endif // RESIN_SUPPORT_ELEMENTTYPE_H
