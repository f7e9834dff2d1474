//===- Value.cpp - What expressions are worth at compile time -------------===//

#include "frontend/Value.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace resin::frontend;

std::string resin::frontend::print(ArrayRef<int64_t> shape) {
  std::string text;
  raw_string_ostream out(text);
  out << '[';
  interleaveComma(shape, out);
  out << ']';
  return text;
}

Value Value::integer(int64_t value, std::optional<Division> rounded) {
  Value result;
  result.tag = Integer;
  result.whole = value;
  result.rounded = rounded;
  return result;
}

Value Value::number(double value) {
  Value result;
  result.tag = Float;
  result.real = value;
  return result;
}

Value Value::boolean(bool value) {
  Value result = integer(value);
  result.tag = Boolean;
  return result;
}

Value Value::word(StringRef text) {
  Value result;
  result.tag = Word;
  result.name = text.str();
  return result;
}

Value Value::list(std::vector<Value> elements) {
  Value result;
  result.tag = List;
  result.elements = std::make_shared<const std::vector<Value>>(std::move(elements));
  return result;
}

Value Value::list(ArrayRef<int64_t> integers) {
  std::vector<Value> elements;
  for (int64_t each : integers)
    elements.push_back(integer(each));
  return list(std::move(elements));
}

Value Value::record(StringRef name, std::vector<Field> fields) {
  Value result = word(name);
  result.tag = Record;
  result.fields = std::make_shared<const std::vector<Field>>(std::move(fields));
  return result;
}

Value Value::tensor(unsigned number) {
  Value result = integer(number);
  result.tag = Tensor;
  return result;
}

ArrayRef<Value::Field> Value::getFields() const { return *fields; }

const Value *Value::getField(StringRef key) const {
  const Field *field = find_if(getFields(), [&](const Field &field) { return field.key == key; });
  return field == getFields().end() ? nullptr : &field->value;
}

SMRange Value::getFieldRange(StringRef key) const {
  const Field *field = find_if(getFields(), [&](const Field &field) { return field.key == key; });
  return field == getFields().end() ? SMRange() : field->range;
}

bool Value::getIntegers(SmallVectorImpl<int64_t> &integers) const {
  if (!is(List) || !all_of(getElements(), [](const Value &element) { return element.is(Integer); }))
    return false;
  for (const Value &element : getElements())
    integers.push_back(element.getInteger());
  return true;
}

std::string Value::describe() const {
  switch (tag) {
  case Poison:
    return "a mistake";
  case Integer:
    return std::to_string(whole);
  case Float:
    return printNumber(real);
  case Boolean:
    return whole ? "true" : "false";
  case Word:
    return "'" + name + "'";
  case List:
    return "[" + join(map_range(getElements(), [](const Value &element) { return element.describe(); }), ", ") + "]";
  case Record:
    return name + "(...)";
  case Tensor:
    return "a tensor";
  }
  llvm_unreachable("all kinds are listed");
}

std::string Value::describeAsNumber() const {
  if (rounded)
    return describeRounded(whole, *rounded);
  return isNumber() ? describeNumber(getNumber()) : describe();
}

bool resin::frontend::operator==(const Value &a, const Value &b) {
  if (a.isNumber() && b.isNumber())
    return a.is(Value::Integer) && b.is(Value::Integer) ? a.whole == b.whole : a.getNumber() == b.getNumber();
  if (a.tag != b.tag)
    return false;
  if (a.is(Value::List))
    return a.getElements() == b.getElements();
  return a.whole == b.whole && a.name == b.name;
}
