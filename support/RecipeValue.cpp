//===- RecipeValue.cpp - What a setting of a recipe is worth --------------===//

#include "support/RecipeValue.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>

using namespace resin;
using namespace resin::recipe;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static Value make(Value::Kind kind, Span span) {
  Value value;
  value.kind = kind;
  value.span = span;
  return value;
}

Value Value::ofInteger(int64_t integer, Span span) {
  Value value = make(Integer, span);
  value.integer = integer;
  return value;
}

Value Value::ofNumber(double number, Span span) {
  Value value = make(Number, span);
  value.number = number;
  return value;
}

Value Value::ofBoolean(bool boolean, Span span) {
  Value value = make(Boolean, span);
  value.boolean = boolean;
  return value;
}

Value Value::ofWord(std::string_view name, Span span) {
  Value value = make(Word, span);
  value.name = name;
  return value;
}

Value Value::ofList(std::vector<Value> elements, Span span) {
  Value value = make(List, span);
  value.elements = std::move(elements);
  return value;
}

Value Value::ofRecord(std::string_view name, std::vector<Field> fields, Span span) {
  Value value = make(Record, span);
  value.name = name;
  value.fields = std::move(fields);
  return value;
}

const Field *Value::find(std::string_view key) const {
  auto found = std::find_if(fields.begin(), fields.end(), [&](const Field &field) { return field.key == key; });
  return found == fields.end() ? nullptr : &*found;
}

const Value &Value::get(std::string_view key) const {
  const Field *field = find(key);
  assert(field && "the record has the field");
  return field->value;
}

static std::string describeList(const Value &value) {
  constexpr size_t kMost = 8;
  std::string text;
  for (size_t i = 0; i < std::min(kMost, value.elements.size()); ++i)
    text += (i ? ", " : "") + describe(value.elements[i]);
  return "[" + text + (value.elements.size() > kMost ? ", ...]" : "]");
}

std::string resin::recipe::describe(const Value &value) {
  switch (value.kind) {
  case Value::Integer:
    return std::to_string(value.integer);
  case Value::Number:
    return printNumber(value.number);
  case Value::Boolean:
    return value.boolean ? "true" : "false";
  case Value::Word:
    return "'" + value.name + "'";
  case Value::List:
    return describeList(value);
  case Value::Record:
    return value.name + "(...)";
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

/// Recursive descent, a function a rule; none of them says anything after the first mistake.
class Reader {
public:
  Reader(std::string_view text, Mistake &mistake) : at(text.data()), end(at + text.size()), mistake(mistake) {}

  std::optional<Value> readAll() {
    std::optional<Value> value = readValue();
    if (value && peek() != '\0')
      return fail("expected nothing after the value, found " + found());
    return value;
  }

private:
  static constexpr unsigned kMaxDepth = 200;

  char peek() {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
      ++at;
    return at < end ? *at : '\0';
  }
  bool take(char c) { return peek() == c && at < end && (++at, true); }

  /// The character that stands here, all of its bytes.
  std::string found() const {
    const char *next = at < end ? at + 1 : at;
    while (next < end && (*next & 0xc0) == 0x80)
      ++next;
    return at < end ? "'" + std::string(at, next) + "'" : "the end";
  }
  std::nullopt_t fail(std::string what, Span where = {}) {
    mistake = {where.begin ? where : Span{at, at + (at < end)}, std::move(what)};
    return std::nullopt;
  }

  std::string_view takeWhile(bool (*isPart)(char)) {
    const char *start = at;
    while (at < end && isPart(*at))
      ++at;
    return {start, static_cast<size_t>(at - start)};
  }

  std::optional<Value> readValue() {
    if (depth == kMaxDepth)
      return fail("the value is nested more than 200 deep");
    ++depth;
    std::optional<Value> value = readAny();
    --depth;
    return value;
  }

  std::optional<Value> readAny() {
    const char c = peek();
    if (c == '[')
      return readList();
    if (c == '"')
      return readString();
    if (isNameStart(c))
      return readNamed();
    if (isDigit(c) || c == '-')
      return readNumber();
    return fail("expected a value, found " + found());
  }

  // number = digits ["." digits] [("e" | "E") ["+" | "-"] digits]
  std::optional<Value> readNumber() {
    const char *start = at;
    const bool isNegative = take('-');
    (void)peek();
    const char *first = at;
    takeWhile(isDigit);
    bool isInteger = true;
    auto takeDigits = [&](const char *from) {
      if (from >= end || !isDigit(*from))
        return;
      at = from;
      takeWhile(isDigit);
      isInteger = false;
    };
    if (at < end && *at == '.')
      takeDigits(at + 1);
    if (at < end && (*at == 'e' || *at == 'E'))
      takeDigits(at + 1 + (at + 1 < end && (at[1] == '-' || at[1] == '+')));
    if (first == at)
      return fail("expected a number after '-', found " + found());
    if (!takeWhile([](char c) { return isNamePart(c) || c == '.'; }).empty())
      return fail("'" + shorten(start) + "' is not a number", {start, at});
    return isInteger ? makeInteger(start, first, isNegative) : makeNumber(start, first, isNegative);
  }

  std::optional<Value> makeInteger(const char *start, const char *first, bool isNegative) {
    int64_t integer = 0;
    if (std::from_chars(first, at, integer).ec != std::errc())
      return fail("the number " + shorten(first) + " is too large: the largest integer is 9223372036854775807",
                  {start, at});
    return Value::ofInteger(isNegative ? -integer : integer, {start, at});
  }

  std::optional<Value> makeNumber(const char *start, const char *first, bool isNegative) {
    double number = 0;
    // What is too small for a double is 0, as in the language.
    if (std::from_chars(first, at, number).ec != std::errc())
      number = std::strtod(std::string(first, at).c_str(), nullptr);
    if (!std::isfinite(number))
      return fail("the number '" + shorten(first) + "' is too large", {start, at});
    return Value::ofNumber(isNegative ? -number : number, {start, at});
  }

  std::string shorten(const char *first) const {
    return at - first > 24 ? std::string(first, first + 24) + "..." : std::string(first, at);
  }

  std::optional<Value> readString() {
    const char *start = at++;
    const std::string_view body = takeWhile([](char c) { return c != '"'; });
    if (at == end)
      return fail("the string is not closed", {start, at});
    ++at;
    return Value::ofWord(body, {start, at});
  }

  std::optional<Value> readNamed() {
    const char *start = at;
    const std::string_view name = takeWhile(isNamePart);
    if (name == "true" || name == "false")
      return Value::ofBoolean(name == "true", {start, at});
    if (peek() != '(')
      return Value::ofWord(name, {start, start + name.size()});
    ++at;
    std::vector<Field> fields;
    if (!readAll(')', [&] { return readArgument(fields); }))
      return std::nullopt;
    return Value::ofRecord(name, std::move(fields), {start, at});
  }

  bool readArgument(std::vector<Field> &fields) {
    const char first = peek();
    const char *start = at;
    std::string key;
    if (isNameStart(first)) {
      key = takeWhile(isNamePart);
      if (!take('=')) {
        key.clear();
        at = start;
      }
    }
    if (key.empty() && !fields.empty() && !fields.back().key.empty())
      return fail("an argument without a name can't follow one with a name"), false;
    std::optional<Value> value = readValue();
    if (value)
      fields.push_back({std::move(key), std::move(*value), {start, at}});
    return value.has_value();
  }

  std::optional<Value> readList() {
    const char *start = at++;
    std::vector<Value> elements;
    auto readElement = [&] {
      std::optional<Value> element = readValue();
      if (element)
        elements.push_back(std::move(*element));
      return element.has_value();
    };
    if (!readAll(']', readElement))
      return std::nullopt;
    return Value::ofList(std::move(elements), {start, at});
  }

  /// Elements with commas between them, and perhaps after the last, up to `close`.
  template <typename Element> bool readAll(char close, Element readElement) {
    while (!take(close)) {
      if (!readElement())
        return false;
      if (!take(',') && peek() != close)
        return fail(std::string("expected ',' or '") + close + "', found " + found()), false;
    }
    return true;
  }

  const char *at, *end;
  unsigned depth = 0;
  Mistake &mistake;
};

} // namespace

std::optional<Value> resin::recipe::readValue(std::string_view text, Mistake &mistake) {
  return Reader(text, mistake).readAll();
}
