//===- Value.h - What expressions are worth at compile time -----*- C++ -*-===//

#ifndef RESIN_FRONTEND_VALUE_H
#define RESIN_FRONTEND_VALUE_H

#include "support/Numbers.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace resin::frontend {

/// Sizes without the batch: [channels, height, width] or [features].
using Shape = llvm::SmallVector<int64_t, 3>;

/// "[64, 56, 56]"
std::string print(llvm::ArrayRef<int64_t> shape);

class Value {
public:
  enum Kind {
    Poison,  ///< the outcome of a mistake that has been reported
    Integer, //
    Float,
    Boolean,
    Word,   ///< `same`, `cifar10`, "text"
    List,   ///< of anything but lists
    Record, ///< `sgd(momentum = 0.9)`: a name and fields
    Tensor, ///< the image or a layer's result, by number
  };
  struct Field;

  Value() = default;
  /// `rounded`: the division that left a remainder on the way to it.
  static Value integer(int64_t value, std::optional<Division> rounded = {});
  static Value number(double value);
  static Value boolean(bool value);
  static Value word(llvm::StringRef text);
  static Value list(std::vector<Value> elements);
  static Value list(llvm::ArrayRef<int64_t> integers);
  static Value record(llvm::StringRef name, std::vector<Field> fields);
  static Value tensor(unsigned number);

  Kind kind() const { return tag; }
  bool is(Kind kind) const { return tag == kind; }
  bool isNumber() const { return is(Integer) || is(Float); }
  bool isWord(llvm::StringRef text) const { return is(Word) && name == text; }

  int64_t getInteger() const { return whole; }
  /// An integer's value too.
  double getNumber() const { return is(Integer) ? static_cast<double>(whole) : real; }
  /// Why an integer is not to be taken for a number.
  const std::optional<Division> &getRounded() const { return rounded; }
  bool isReal() const { return isNumber() && !rounded; }
  bool getBoolean() const { return whole; }
  llvm::StringRef getWord() const { return name; }
  llvm::StringRef getName() const { return name; }
  llvm::ArrayRef<Value> getElements() const { return *elements; }
  llvm::ArrayRef<Field> getFields() const;
  const Value *getField(llvm::StringRef key) const;
  llvm::SMRange getFieldRange(llvm::StringRef key) const;
  unsigned getTensor() const { return whole; }

  /// The elements of a list of integers; false if it isn't one.
  bool getIntegers(llvm::SmallVectorImpl<int64_t> &integers) const;

  /// As a message shows it: "-3", "[1, 2]", "'same'", "a tensor".
  std::string describe() const;
  /// The same where a number was wanted: says what is wrong with one.
  std::string describeAsNumber() const;

  friend bool operator==(const Value &a, const Value &b);

private:
  Kind tag = Poison;
  int64_t whole = 0;
  double real = 0;
  std::optional<Division> rounded;
  std::string name;
  std::shared_ptr<const std::vector<Value>> elements;
  std::shared_ptr<const std::vector<Field>> fields;
};

struct Value::Field {
  std::string key;
  Value value;
  llvm::SMRange range = {}; ///< where the text has it
};

} // namespace resin::frontend

#endif // RESIN_FRONTEND_VALUE_H
