//===- KernelSpecText.cpp - Print and read a kernel -----------------------===//
//
// The grammar of the canonical text, spaces as shown:
//
//   spec   := "(" tensor* ")" " { " node* "} -> (" yields ")"     lists are separated by ", ", nodes by "; "
//   tensor := type "[" sizes "]" layout? halo? stored?              dense is the absence of a layout
//   halo   := "h" integer      stored := ("s" | "r") integer        channels, rows
//   node   := values " = " op "(" values ") {" attributes "} : " results
//   result := type "[" sizes "]"                                    one for each value that the node defines
//
// Reading checks everything that the text says by itself: numbers in range, values
// defined before use, layouts that suit their rank. What an op wants of its operands
// is the business of code generation.
//
//===----------------------------------------------------------------------===//

#include "support/KernelSpec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace resin {

namespace {

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

template <typename List, typename Print> std::string join(const List &list, std::string_view separator, Print print) {
  std::string text;
  for (const auto &item : list) {
    if (!text.empty())
      text += separator;
    text += print(item);
  }
  return text;
}

std::string printShape(const std::vector<int64_t> &shape) {
  return "[" + join(shape, ",", [](int64_t extent) { return std::to_string(extent); }) + "]";
}

std::string printResult(const ValueSpec &value) { return std::string(nameOf(value.type)) + printShape(value.shape); }

std::string printTensor(const TensorSpec &tensor) {
  std::string text = printResult({tensor.type, tensor.shape});
  if (tensor.layout != LayoutKind::Dense)
    text += nameOf(tensor.layout);
  if (tensor.halo)
    text += "h" + std::to_string(tensor.halo);
  if (tensor.storedChannels)
    text += "s" + std::to_string(tensor.storedChannels);
  if (tensor.storedRows)
    text += "r" + std::to_string(tensor.storedRows);
  return text;
}

/// The shortest text that reads back as the same number, and not as an integer.
std::string printReal(double value) {
  std::array<char, 32> buffer;
  std::string text(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr);
  return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

std::string printAttribute(const std::pair<std::string, AttributeValue> &attribute) {
  std::string text = attribute.first + "=";
  if (const auto *integer = std::get_if<int64_t>(&attribute.second))
    return text + std::to_string(*integer);
  if (const auto *real = std::get_if<double>(&attribute.second))
    return text + printReal(*real);
  return text + printShape(std::get<std::vector<int64_t>>(attribute.second));
}

std::string printValue(int value) { return "%" + std::to_string(value); }

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

constexpr int64_t kMaxExtent = int64_t(1) << 31;
constexpr int64_t kMaxElements = int64_t(1) << 40;
constexpr size_t kMaxRank = 8;
constexpr size_t kMaxList = 4096;

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isWordCharacter(char c) { return isDigit(c) || c == '_' || (c >= 'a' && c <= 'z'); }

/// Every member returns false once something is wrong; the first mistake wins.
class Reader {
public:
  Reader(const std::string &text, KernelSpec &spec, std::string &error) : text(text), spec(spec), error(error) {}

  bool readSpec() {
    return expect("(") && list(")", [&] { return readOperand(); }) && expect(") { ") && readNodes() &&
           expect("} -> (") && list(")", [&] { return readYield(); }) && expect(")") &&
           (position == text.size() || fail("text after the end"));
  }

private:
  bool fail(const std::string &what) {
    if (error.empty())
      error = "column " + std::to_string(position + 1) + ": " + what;
    return false;
  }

  bool peek(std::string_view word) const { return std::string_view(text).substr(position).starts_with(word); }
  bool accept(std::string_view word) {
    if (!peek(word))
      return false;
    position += word.size();
    return true;
  }
  bool expect(std::string_view word) { return accept(word) || fail("expected '" + std::string(word) + "'"); }

  /// Items separated by ", " up to `end`, which stays unread.
  template <typename Item> bool list(std::string_view end, Item item, std::string_view separator = ", ") {
    if (peek(end))
      return true;
    for (size_t count = 0; count < kMaxList; ++count) {
      if (!item())
        return false;
      if (!accept(separator))
        return true;
    }
    return fail("list too long");
  }

  bool readInteger(int64_t &value, int64_t least, int64_t most) {
    const char *begin = text.data() + position, *end = text.data() + text.size();
    auto [rest, code] = std::from_chars(begin, end, value);
    if (code != std::errc() || value < least || value > most)
      return fail("expected an integer from " + std::to_string(least) + " to " + std::to_string(most));
    if (std::to_string(value) != std::string_view(begin, rest - begin))
      return fail("an integer is not written in its shortest form");
    position += rest - begin;
    return true;
  }

  bool readWord(std::string &word) {
    size_t begin = position;
    while (position < text.size() && isWordCharacter(text[position]))
      ++position;
    word = text.substr(begin, position - begin);
    return (!word.empty() && !isDigit(word[0])) || fail("expected a name");
  }

  bool readSizes(std::vector<int64_t> &sizes, int64_t least, int64_t most) {
    auto item = [&] {
      sizes.emplace_back();
      return (sizes.size() <= kMaxRank || fail("more than 8 numbers")) && readInteger(sizes.back(), least, most);
    };
    return expect("[") && list("]", item, ",") && expect("]");
  }

  bool readShape(std::vector<int64_t> &shape) {
    if (!readSizes(shape, 1, kMaxExtent))
      return false;
    int64_t size = 1;
    for (int64_t extent : shape) {
      if (size > kMaxElements / extent)
        return fail("more than 2^40 elements");
      size *= extent;
    }
    return true;
  }

  bool readType(ElementType &type) {
    const size_t end = std::min(text.find('[', position), text.size());
    const std::string name = text.substr(position, end - position);
    const std::optional<ElementType> known = elementTypeNamed(name);
    if (!known)
      return fail("expected a type of " + elementTypeNames());
    type = *known;
    position = end;
    return true;
  }

  bool readResult(ValueSpec &value) { return readType(value.type) && readShape(value.shape); }

  /// The longest name: `k16` begins `k16c16`.
  LayoutKind readLayout() {
    LayoutKind found = LayoutKind::Dense;
    size_t length = 0;
    for (LayoutKind kind : kLayoutKinds)
      if (kind != LayoutKind::Dense && nameOf(kind).size() > length && peek(nameOf(kind)))
        found = kind, length = nameOf(kind).size();
    position += length;
    return found;
  }

  bool readTensor(TensorSpec &tensor) {
    if (!readType(tensor.type) || !readShape(tensor.shape))
      return false;
    tensor.layout = readLayout();
    if (accept("h") && !readInteger(tensor.halo, 1, kMaxExtent))
      return false;
    if (accept("s") && !readInteger(tensor.storedChannels, 1, kMaxExtent))
      return false;
    if (accept("r") && !readInteger(tensor.storedRows, 1, kMaxExtent))
      return false;
    return checkTensor(tensor);
  }

  bool checkTensor(const TensorSpec &tensor) {
    const size_t rank = tensor.shape.size();
    if (!hasRank(tensor.layout, rank))
      return fail("the layout does not suit rank " + std::to_string(rank));
    const bool image = isImage(tensor.layout, rank);
    if (tensor.halo && !image)
      return fail("only images have a halo");
    if (const int64_t most = mostHalo(tensor.layout, rank); tensor.halo > most)
      return fail("a halo is at most " + std::to_string(most) + ", not " + std::to_string(tensor.halo));
    if (tensor.storedChannels && !image)
      return fail("only images are slices of channels");
    if (tensor.storedChannels && tensor.storedChannels < tensor.shape[1])
      return fail("the slice has more channels than the tensor");
    if (tensor.storedRows && (!image || tensor.storedChannels))
      return fail("only images, with all of their channels, are bands of rows");
    if (tensor.storedRows && tensor.storedRows + 2 * tensor.halo < tensor.shape[2])
      return fail("the band has more rows than the tensor");
    return storageElements(tensor) <= kMaxElements || fail("more than 2^40 elements with padding");
  }

  bool readValue(int &value) {
    int64_t number = 0;
    if (!expect("%") || !readInteger(number, 0, kMaxExtent - 1))
      return false;
    value = static_cast<int>(number);
    return true;
  }
  bool readUse(int &value) {
    return readValue(value) &&
           (value < static_cast<int>(values.size()) || fail(printValue(value) + " is not defined before its use"));
  }

  bool readOperand() {
    TensorSpec tensor;
    if (!readTensor(tensor))
      return false;
    values.push_back({tensor.type, tensor.shape});
    spec.operands.push_back(std::move(tensor));
    return true;
  }

  bool readNodes() {
    for (size_t count = 0; !peek("}"); ++count) {
      if (count == kMaxList)
        return fail("too many nodes");
      if (!readNode())
        return false;
      if (!accept("; "))
        return expect(" ");
    }
    return true;
  }

  bool readNode() {
    KernelNode node;
    size_t defined = 0;
    auto result = [&] {
      int value = 0;
      if (!readValue(value))
        return false;
      int next = static_cast<int>(values.size() + defined++);
      return value == next || fail("expected " + printValue(next) + ": values are numbered in order");
    };
    auto operand = [&] {
      node.operands.emplace_back();
      return readUse(node.operands.back());
    };
    auto made = [&] {
      node.results.emplace_back();
      return readResult(node.results.back());
    };
    if (!list(" ", result) || !expect(" = ") || !readWord(node.op) || !expect("(") || !list(")", operand) ||
        !expect(") {") || !list("}", [&] { return readAttribute(node); }) || !expect("} : ") || !list(" ", made))
      return false;
    if (node.results.size() != defined || !defined)
      return fail("as many types as results are needed, and at least one");
    values.insert(values.end(), node.results.begin(), node.results.end());
    spec.nodes.push_back(std::move(node));
    return true;
  }

  bool readAttribute(KernelNode &node) {
    std::pair<std::string, AttributeValue> attribute;
    if (!readWord(attribute.first) || !expect("="))
      return false;
    if (!node.attributes.empty() && node.attributes.back().first >= attribute.first)
      return fail("attributes are sorted by name");
    if (!readAttributeValue(attribute.second))
      return false;
    node.attributes.push_back(std::move(attribute));
    return true;
  }

  bool readAttributeValue(AttributeValue &value) {
    if (peek("["))
      return readSizes(value.emplace<std::vector<int64_t>>(), -kMaxExtent, kMaxExtent);
    size_t end = std::min(text.find_first_of(",}", position), text.size());
    if (text.find_first_of(".e", position) >= end)
      return readInteger(value.emplace<int64_t>(), INT64_MIN, INT64_MAX);
    double &real = value.emplace<double>();
    auto [rest, code] = std::from_chars(text.data() + position, text.data() + end, real);
    if (code != std::errc() || rest != text.data() + end || !std::isfinite(real))
      return fail("expected a number");
    position = end;
    return true;
  }

  bool readYield() {
    TensorSpec tensor;
    int value = 0;
    if (!readUse(value) || !expect(": ") || !readTensor(tensor))
      return false;
    if (ValueSpec{tensor.type, tensor.shape} != values[value])
      return fail("the result is not " + printResult(values[value]) + ", as " + printValue(value) + " is");
    spec.yields.push_back(value);
    spec.results.push_back(std::move(tensor));
    return true;
  }

  const std::string &text;
  KernelSpec &spec;
  std::string &error;
  size_t position = 0;
  std::vector<ValueSpec> values; ///< so far
};

} // namespace

std::string print(const KernelSpec &spec) {
  int next = static_cast<int>(spec.operands.size());
  auto printNode = [&](const KernelNode &node) {
    auto defined = [&](const ValueSpec &) { return printValue(next++); };
    return join(node.results, ", ", defined) + " = " + node.op + "(" + join(node.operands, ", ", printValue) + ") {" +
           join(node.attributes, ", ", printAttribute) + "} : " + join(node.results, ", ", printResult);
  };
  size_t result = 0;
  auto printYield = [&](int value) { return printValue(value) + ": " + printTensor(spec.results[result++]); };
  std::string nodes = join(spec.nodes, "; ", printNode);
  return "(" + join(spec.operands, ", ", printTensor) + ") { " + nodes + (nodes.empty() ? "" : " ") + "} -> (" +
         join(spec.yields, ", ", printYield) + ")";
}

bool parse(const std::string &text, KernelSpec &spec, std::string &error) {
  spec = {};
  error.clear();
  return Reader(text, spec, error).readSpec();
}

} // namespace resin
