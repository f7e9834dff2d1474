//===- OpFacts.cpp - What is known of each op -----------------------------===//

#include "support/OpFacts.h"

#include <algorithm>

namespace resin {

#define GET_OpTable_IMPL
#include "support/OpFacts.inc" // OpTable

static_assert(std::ranges::is_sorted(OpTable, {}, &OpFacts::name), "a row is found by bisection");

std::span<const OpFacts> allOpFacts() { return OpTable; }

const OpFacts &factsOf(std::string_view op) {
  static constexpr OpFacts unknown;
  const OpFacts *found = std::ranges::lower_bound(OpTable, op, {}, &OpFacts::name);
  return found != std::end(OpTable) && found->name == op ? *found : unknown;
}

const AttributeFacts *OpFacts::attribute(std::string_view attribute) const {
  const AttributeFacts *found = std::ranges::find(attributes, attribute, &AttributeFacts::name);
  return found == attributes.end() ? nullptr : found;
}

size_t OpFacts::gradient() const {
  return std::ranges::find(operands, "gradient", &OperandFacts::name) - operands.begin();
}

} // namespace resin
