//===- ElementType.cpp - What a tensor's elements are ---------------------===//

#include "support/ElementType.h"

namespace resin {

static constexpr bool isInOrder() {
  for (size_t i = 0; i < kElementTypes.size(); ++i)
    if (static_cast<size_t>(kElementTypes[i].type) != i)
      return false;
  return true;
}
static_assert(isInOrder(), "rows are found by their place");

std::optional<ElementType> elementTypeNamed(std::string_view name) {
  for (const ElementTypeRow &row : kElementTypes)
    if (row.name == name)
      return row.type;
  return std::nullopt;
}

std::string elementTypeNames() {
  std::string names;
  for (const ElementTypeRow &row : kElementTypes)
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

} // namespace resin
