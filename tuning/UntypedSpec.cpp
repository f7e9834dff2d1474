//===- UntypedSpec.cpp - Kernel specs as older records have them ----------===//
//
//   1. Note the types of operands and of what is yielded, which were always said.
//   2. Go through the nodes: what is not yielded is of the type of the node's last
//      operand of floats, or of its operands if they are all integers; a rank is i32.
//
// The text may be anything: what does not look like a spec is left alone, and whoever
// parses the result has the last word.
//
//===----------------------------------------------------------------------===//

#include "tuning/UntypedSpec.h"

#include <map>
#include <string_view>
#include <vector>

namespace resin::tuning {

namespace {

using Text = std::string_view;

std::vector<Text> split(Text text, Text separator) {
  std::vector<Text> parts;
  for (size_t end; (end = text.find(separator)) != Text::npos; text.remove_prefix(end + separator.size()))
    parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

/// What stands between two marks, the second behind the first; empty if either is missing.
Text between(Text text, Text from, Text to) {
  const size_t begin = text.find(from);
  const size_t end = begin == Text::npos ? Text::npos : text.find(to, begin + from.size());
  return end == Text::npos ? Text() : text.substr(begin + from.size(), end - begin - from.size());
}

/// `f32` of `f32[2,16]c16`.
Text typeOf(Text tensor) { return tensor.substr(0, tensor.find('[')); }

class Writer {
public:
  Writer(Text operands, Text yields) {
    for (Text operand : split(operands, ", "))
      if (!operand.empty())
        define(typeOf(operand));
    for (Text yield : split(yields, ", "))
      if (const size_t colon = yield.find(": "); colon != Text::npos)
        yielded[yield.substr(0, colon)] = typeOf(yield.substr(colon + 2));
  }

  /// `%2 = relu(%0) {} : [2,16]` with the type before each shape.
  std::string write(Text node) {
    constexpr Text mark = "} : ";
    const size_t end = node.find(mark);
    if (end == Text::npos)
      return std::string(node);
    const Text made = typeOfResults(node);
    std::string text(node.substr(0, end + mark.size()));
    for (Text shape : split(node.substr(end + mark.size()), ", ")) {
      const auto yield = yielded.find(nextName());
      const Text type = yield == yielded.end() ? made : yield->second;
      define(type);
      text.append(text.ends_with(mark) ? "" : ", ").append(type).append(shape);
    }
    return text;
  }

private:
  std::string nextName() const { return "%" + std::to_string(types.size()); }
  void define(Text type) { types.emplace(nextName(), type); }

  Text typeOfResults(Text node) const {
    if (between(node, " = ", "(") == "label_rank")
      return "i32";
    Text type = "i32";
    for (Text operand : split(between(node, "(", ")"), ", "))
      if (const auto known = types.find(operand); known != types.end() && known->second != "i32")
        type = known->second;
    return type;
  }

  std::map<std::string, Text, std::less<>> types; ///< by name, as the others
  std::map<Text, Text, std::less<>> yielded;
};

} // namespace

std::string withTypes(const std::string &spec) {
  constexpr Text body = ") { ", end = " } -> (";
  const size_t first = spec.find(body), last = spec.rfind(end);
  if (spec.find("} : [") == std::string::npos || !spec.starts_with('(') || last == std::string::npos || first >= last)
    return spec;
  Writer writer(Text(spec).substr(1, first - 1), Text(spec).substr(last + end.size()));
  std::string text = spec.substr(0, first + body.size());
  const size_t begin = text.size();
  for (Text node : split(Text(spec).substr(begin, last - begin), "; "))
    text += (text.size() == begin ? "" : "; ") + writer.write(node);
  return text + spec.substr(last);
}

} // namespace resin::tuning
