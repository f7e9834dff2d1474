//===- RecipeSchema.h - The settings of a recipe ----------------*- C++ -*-===//
//
// One table of what a `train` block and the program's `--set` can say: settings,
// the words and records they take, types, ranges and defaults (PyTorch's). The
// compiler (frontend/Recipe.cpp) and the program (runtime/Recipe.cpp) check by it,
// and so say the same of the same mistake.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_RECIPESCHEMA_H
#define RESIN_SUPPORT_RECIPESCHEMA_H

#include "support/RecipeValue.h"

namespace resin::recipe {

/// What a setting or a record's field may be.
enum class Type {
  Positive,    ///< a number above 0
  NonNegative, ///< a number from 0
  BelowOne,    ///< a number from 0, below 1
  Span,        ///< a number above 0, of epochs: an integer stays one
  Boolean,     //
  Batch,       ///< an integer from 1 to kMostBatch
  Epochs,      ///< an integer from 0 to 1000000000
  Seed,        ///< an integer from 0
  Pad,         ///< an integer from 0 to 4096
  Numbers,     ///< a list of numbers
};

/// Images of one call: of a training step or a prediction.
constexpr int64_t kMostBatch = 65536;

/// "a number above 0"
std::string describe(Type type);

struct FieldSpec {
  std::string name;
  Type type;
  std::optional<Value> defaultValue = {}; ///< none: must be given
};

/// `sgd(momentum = 0.9)`: a record's name and fields, and what holds between the fields.
struct RecordSpec {
  std::string name;
  std::vector<FieldSpec> fields;
  std::optional<Mistake> (*check)(const Value &record) = nullptr;
};

/// What stands behind a setting's `=`.
enum class Form {
  Plain,   ///< a value of `type`
  Word,    ///< one of `words`
  Record,  ///< one of `records`
  Records, ///< a list of `records`
};

struct SettingSpec {
  std::string name;
  Form form;
  bool atRunTime; ///< `net train --set` changes it; else it is compiled in
  Value defaultValue;
  Type type = Type::Boolean;
  std::vector<std::string> words = {};
  std::vector<RecordSpec> records = {};
};

/// In the order of docs/Manifest.md.
const std::vector<SettingSpec> &getSettings();
const SettingSpec *findSetting(std::string_view name);
/// All names, or those of the settings that can be changed at run time.
std::vector<std::string> getSettingNames(bool atRunTimeOnly = false);

/// "step(peak, every, factor = 0.1, warmup = 0)"
std::string describe(const RecordSpec &record);
/// What stands behind its `=`: "fast or strict", "an integer from 1 to 65536".
std::string describe(const SettingSpec &setting);

/// The rate where a recipe says none.
Value getDefaultRate(std::string_view optimizer);

/// What is known where a value is checked.
struct Context {
  std::optional<size_t> channels = {}; ///< of the image
  /// The value comes from a program or a checkpoint, which were checked by the rules of their day: any finite number
  /// from 0 goes for a number.
  bool isStored = false;
};

/// Checks `value` and fills in its defaults.
std::optional<Mistake> settle(const SettingSpec &setting, Value &value, const Context &context = {});

/// Sets one field of a settled record, as `--set train.lr.peak=0.2` does, and checks the whole again.
std::optional<Mistake> setField(const SettingSpec &setting, Value &record, const Field &field,
                                const Context &context = {});

} // namespace resin::recipe

#endif // RESIN_SUPPORT_RECIPESCHEMA_H
