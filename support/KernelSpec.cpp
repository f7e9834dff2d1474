//===- KernelSpec.cpp - Name and measure a kernel -------------------------===//

#include "support/KernelSpec.h"

#include "support/OpFacts.h"
#include "support/Saturated.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <string_view>

namespace resin {

namespace {

int64_t product(const std::vector<int64_t> &shape, size_t first = 0) {
  int64_t size = 1;
  for (size_t d = first; d < shape.size(); ++d)
    size = multiply({size, shape[d]});
  return size;
}

//===----------------------------------------------------------------------===//
// Names and costs
//===----------------------------------------------------------------------===//

bool isConvolution(const KernelNode &node) { return factsOf(node.op).isConvolution; }

/// The loop nest the kernel is named after: its convolution, pool or matrix product, else its first node.
size_t anchorIndex(const KernelSpec &spec) {
  auto isAnchor = [](const KernelNode &node) { return factsOf(node.op).role == OpRole::Anchor; };
  auto found = std::find_if(spec.nodes.begin(), spec.nodes.end(), isAnchor);
  if (found == spec.nodes.end()) // the first that does more than take its part
    found =
        std::find_if(spec.nodes.begin(), spec.nodes.end(), [](const KernelNode &node) { return node.op != "part"; });
  return found == spec.nodes.end() ? 0 : found - spec.nodes.begin();
}

std::string letters(const std::vector<int64_t> &shape, std::string_view names) {
  std::string text;
  for (size_t d = 0; d < shape.size(); ++d)
    text += names[d] + std::to_string(shape[d]);
  return text;
}

std::string shapeName(const std::vector<int64_t> &shape) {
  switch (shape.size()) {
  case 0:
    return "scalar";
  case 1:
    return letters(shape, "c");
  case 2:
    return letters(shape, "nc");
  case 4:
    return letters(shape, "nchw");
  default:
    break;
  }
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

/// `n4c16h32w32k16r3s1`: input, output channels, kernel and stride.
std::string convolutionName(const KernelNode &node, const std::vector<ValueSpec> &values) {
  const auto &first = values[node.operands[0]].shape, &second = values[node.operands[1]].shape,
             &result = node.results[0].shape;
  const Product made = factsOf(node.op).product;
  const auto &input = made == Product::Image ? result : first;
  const auto &filter = made == Product::Filter ? result : second;
  if (input.size() != 4 || filter.size() < 4)
    return shapeName(first);
  if (node.op == "conv2d_winograd")
    return shapeName(input) + "k" + std::to_string(filter[0]) + "r3s1";
  size_t lane = filter.size() - 4;
  std::string text = shapeName(input) + "k" + std::to_string(filter[lane]) + "r" + std::to_string(filter[lane + 2]);
  for (const auto &[name, value] : node.attributes) {
    const auto *list = std::get_if<std::vector<int64_t>>(&value);
    const auto *number = std::get_if<int64_t>(&value);
    if (name == "strides" && list && !list->empty())
      text += "s" + std::to_string(list->front());
    if (name == "groups" && number && *number > 1)
      text += "g" + std::to_string(*number);
  }
  return text;
}

/// Two for each element of the output and each of the filter's that make it.
int64_t productOperations(const KernelNode &node, const OpFacts &facts, const std::vector<ValueSpec> &values) {
  const auto &made = node.results[0].shape;
  const auto &output = facts.product == Product::Output ? made : values[node.operands[facts.gradient()]].shape;
  const auto &filter = facts.product == Product::Filter ? made : values[node.operands[1]].shape;
  if (filter.size() < 2)
    return 0;
  if (node.op == "conv2d_winograd") // as the plain sum
    return multiply({2, product(output), 9, filter.back()});
  return multiply({2, product(output), product(filter, filter.size() == 5 ? 2 : 1)});
}

int64_t nodeOperations(const KernelNode &node, const std::vector<ValueSpec> &values) {
  const OpFacts &facts = factsOf(node.op);
  if (node.operands.empty())
    return 0;
  if (facts.product != Product::None && node.operands.size() == facts.operands.size())
    return productOperations(node, facts, values);
  int64_t result = product(node.results[0].shape), input = product(values[node.operands[0]].shape);
  for (const auto &[name, value] : node.attributes) // pools
    if (const auto *window = std::get_if<std::vector<int64_t>>(&value); name == "kernel" && window)
      return multiply({facts.operations, result, product(*window)});
  return multiply({facts.operations, std::max(result, input)});
}

const AttributeValue &attribute(const KernelNode &node, const std::string &name) {
  auto found = std::find_if(node.attributes.begin(), node.attributes.end(),
                            [&](const auto &entry) { return entry.first == name; });
  assert(found != node.attributes.end() && "the node has the attribute");
  return found->second;
}

} // namespace

int64_t KernelNode::integer(const std::string &name) const { return std::get<int64_t>(attribute(*this, name)); }
double KernelNode::real(const std::string &name) const { return std::get<double>(attribute(*this, name)); }
const std::vector<int64_t> &KernelNode::integers(const std::string &name) const {
  return std::get<std::vector<int64_t>>(attribute(*this, name));
}

std::vector<ValueSpec> valuesOf(const KernelSpec &spec) {
  std::vector<ValueSpec> values;
  for (const TensorSpec &operand : spec.operands)
    values.push_back({operand.type, operand.shape});
  for (const KernelNode &node : spec.nodes)
    values.insert(values.end(), node.results.begin(), node.results.end());
  return values;
}

/// Of how many pieces of the batch the node sees one.
static int64_t pieceOf(const KernelNode &node) {
  for (const auto &[name, value] : node.attributes)
    if (const auto *pieces = std::get_if<int64_t>(&value); pieces && name == "piece_of")
      return *pieces;
  return 1;
}

bool countsPieces(const KernelSpec &spec) {
  return std::any_of(spec.nodes.begin(), spec.nodes.end(), [](const KernelNode &node) { return pieceOf(node) > 1; });
}

bool asksForPiece(const KernelSpec &spec) {
  return countsPieces(spec) || std::any_of(spec.results.begin(), spec.results.end(),
                                           [](const TensorSpec &result) { return result.storedRows && result.halo; });
}

int64_t piecesOf(const KernelSpec &spec) {
  for (const TensorSpec &result : spec.results)
    if (result.storedRows)
      return result.storedRows / result.shape[2];
  int64_t pieces = 1;
  for (const KernelNode &node : spec.nodes)
    pieces = std::max(pieces, pieceOf(node));
  return pieces;
}

uint64_t hash(std::string_view text) {
  uint64_t state = 0xcbf29ce484222325; // FNV-1a, then a finaliser (its high bits mix badly)
  for (unsigned char c : text)
    state = (state ^ c) * 0x100000001b3;
  state = (state ^ (state >> 33)) * 0xff51afd7ed558ccd;
  return state ^ (state >> 33);
}

uint64_t hash(const KernelSpec &spec) { return hash(print(spec)); }

std::string symbol(const KernelSpec &spec) {
  constexpr size_t most = 6; // ops named after the anchor
  std::array<char, 16> digits;
  std::snprintf(digits.data(), digits.size(), "%08x", static_cast<unsigned>(hash(spec)));
  if (spec.nodes.empty())
    return std::string("copy__") + digits.data();
  const std::vector<ValueSpec> values = valuesOf(spec);
  size_t anchor = anchorIndex(spec);
  const KernelNode &node = spec.nodes[anchor];
  const auto &shape = node.operands.empty() ? node.results[0].shape : values[node.operands[0]].shape;
  std::string name =
      node.op + "_" +
      (isConvolution(node) && node.operands.size() >= 2 ? convolutionName(node, values) : shapeName(shape)) + "__";
  size_t named = 0;
  for (size_t i = 0; i < spec.nodes.size(); ++i)
    if (i != anchor && named++ < most)
      name += spec.nodes[i].op + "_";
  return name + (named ? "_" : "") + digits.data();
}

int64_t floatingPointOperations(const KernelSpec &spec) {
  const std::vector<ValueSpec> values = valuesOf(spec);
  int64_t operations = 0;
  for (const KernelNode &node : spec.nodes)
    operations = std::min(operations, INT64_MAX / 2) + nodeOperations(node, values);
  return operations;
}

int64_t bytesTouched(const KernelSpec &spec) {
  int64_t bytes = 0;
  const auto add = [&](TensorSpec tensor, int64_t pieces) {
    tensor.storedChannels = tensor.storedRows = 0; // what lies between the slices is not touched
    bytes += storageBytes(tensor) / pieces;
  };
  for (size_t i = 0; i < spec.operands.size(); ++i) {
    auto part = std::find_if(spec.nodes.begin(), spec.nodes.end(), [&](const KernelNode &node) {
      return node.op == "part" && node.operands[0] == static_cast<int>(i);
    });
    add(spec.operands[i], part == spec.nodes.end() ? 1 : std::max<int64_t>(1, pieceOf(*part)));
  }
  for (const TensorSpec &result : spec.results)
    add(result, 1);
  return bytes;
}

} // namespace resin
