//===- RecipeValue.h - What a setting of a recipe is worth ------*- C++ -*-===//
//
// `sgd(momentum = 0.9)`, `[pad_crop(4), flip]`, `20`: what the compiler evaluates
// in a `train` block and what the program reads behind `--set`. The places in the
// text stay with it, for messages.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_RECIPEVALUE_H
#define RESIN_SUPPORT_RECIPEVALUE_H

#include "support/Numbers.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resin::recipe {

/// Where a text says something; null where nothing was written. The text outlives it.
struct Span {
  const char *begin = nullptr, *end = nullptr;
};

/// What is wrong, and the other place concerned.
struct Mistake {
  Span where;
  std::string what;
  Span other = {};
  std::string note = {};
};

struct Field;

struct Value {
  enum Kind { Integer, Number, Boolean, Word, List, Record };

  static Value ofInteger(int64_t integer, Span span = {});
  static Value ofNumber(double number, Span span = {});
  static Value ofBoolean(bool boolean, Span span = {});
  static Value ofWord(std::string_view name, Span span = {});
  static Value ofList(std::vector<Value> elements, Span span = {});
  static Value ofRecord(std::string_view name, std::vector<Field> fields, Span span = {});

  bool is(Kind other) const { return kind == other; }
  bool isNumber() const { return is(Integer) || is(Number); }
  bool isNamed() const { return is(Word) || is(Record); }
  /// Of an integer too.
  double getNumber() const { return is(Integer) ? static_cast<double>(integer) : number; }
  const Value &get(std::string_view key) const; ///< the record's field, which is there
  const Field *find(std::string_view key) const;

  Kind kind = Word;
  int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  std::string name;                ///< a word, or a record's name
  std::vector<Value> elements;     ///< of a list
  std::vector<Field> fields;       ///< of a record
  std::optional<Division> rounded; ///< why an integer is not to be taken for a number
  Span span;
};

/// An argument of a call; without a key it goes by its position.
struct Field {
  std::string key;
  Value value;
  Span span = {};
};

/// As a message shows it: "-3", "[1, 2]", "'same'", "cosine(...)".
std::string describe(const Value &value);

/// Reads a value as the language writes it, but for arithmetic and `if`:
///
///   value    = ["-"] number | "true" | "false" | word | string | word "(" [argument {"," argument}] ")" | list
///   argument = [name "="] value
///   list     = "[" [value {"," value}] "]"
///
/// Nothing, and `mistake`, where the text is something else.
std::optional<Value> readValue(std::string_view text, Mistake &mistake);

} // namespace resin::recipe

#endif // RESIN_SUPPORT_RECIPEVALUE_H
