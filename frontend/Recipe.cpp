//===- Recipe.cpp - The train block, with every default filled in ---------===//
//
// A recipe is a record with exactly the keys of "recipe" in docs/Manifest.md and
// `batch`. Defaults are PyTorch's.
//
//===----------------------------------------------------------------------===//

#include "frontend/Evaluator.h"
#include "frontend/Sema.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace resin::frontend;

namespace {

/// What a setting or a record's field may be.
enum class FieldType { Positive, NonNegative, BelowOne, Boolean, Batch, Count, Whole, Numbers };

struct FieldSpec {
  StringRef name;
  FieldType type;
  std::optional<Value> defaultValue; // none: must be given
};

/// `sgd(momentum = 0.9)`: a record's name and fields.
struct RecordSpec {
  StringRef name;
  std::vector<FieldSpec> fields;
};

StringRef describe(FieldType type) {
  switch (type) {
  case FieldType::Positive:
    return "a number above 0";
  case FieldType::NonNegative:
    return "a number from 0";
  case FieldType::BelowOne:
    return "a number from 0, below 1";
  case FieldType::Boolean:
    return "true or false";
  case FieldType::Batch:
    return "an integer from 1 to 65536";
  case FieldType::Count:
    return "an integer from 1 to 1000000000";
  case FieldType::Whole:
    return "an integer from 0 to 1000000000";
  case FieldType::Numbers:
    return "a list of numbers";
  }
  llvm_unreachable("all types are listed");
}

bool isOfType(const Value &value, FieldType type) {
  double number = value.isNumber() ? value.getNumber() : -1;
  switch (type) {
  case FieldType::Positive:
    return number > 0;
  case FieldType::NonNegative:
    return number >= 0;
  case FieldType::BelowOne:
    return number >= 0 && number < 1;
  case FieldType::Boolean:
    return value.is(Value::Boolean);
  case FieldType::Batch:
    return value.is(Value::Integer) && value.getInteger() >= 1 && value.getInteger() <= kMostBatch;
  case FieldType::Count:
    return value.is(Value::Integer) && value.getInteger() >= 1 && value.getInteger() <= 1'000'000'000;
  case FieldType::Whole:
    return value.is(Value::Integer) && value.getInteger() >= 0 && value.getInteger() <= 1'000'000'000;
  case FieldType::Numbers:
    return value.is(Value::List) && all_of(value.getElements(), [](const Value &each) { return each.isNumber(); });
  }
  llvm_unreachable("all types are listed");
}

/// Numbers that are not integers by their type are floats, however they are written.
Value normalize(const Value &value, FieldType type) {
  if (type == FieldType::Numbers) {
    std::vector<Value> numbers;
    for (const Value &each : value.getElements())
      numbers.push_back(Value::number(each.getNumber()));
    return Value::list(std::move(numbers));
  }
  return value.isNumber() && type != FieldType::Count && type != FieldType::Whole ? Value::number(value.getNumber())
                                                                                  : value;
}

//===----------------------------------------------------------------------===//
// The tables
//===----------------------------------------------------------------------===//

using enum FieldType;
Value zero() { return Value::number(0); }

const std::vector<RecordSpec> &getOptimizers() {
  static const std::vector<RecordSpec> specs = {
      {"sgd",
       {{"momentum", BelowOne, zero()},
        {"nesterov", FieldType::Boolean, Value::boolean(false)},
        {"weight_decay", NonNegative, zero()}}},
      {"adam",
       {{"beta1", BelowOne, Value::number(0.9)},
        {"beta2", BelowOne, Value::number(0.999)},
        {"epsilon", Positive, Value::number(1e-8)},
        {"weight_decay", NonNegative, zero()}}},
      {"adamw",
       {{"beta1", BelowOne, Value::number(0.9)},
        {"beta2", BelowOne, Value::number(0.999)},
        {"epsilon", Positive, Value::number(1e-8)},
        {"weight_decay", NonNegative, Value::number(0.01)}}},
      {"rmsprop",
       {{"alpha", BelowOne, Value::number(0.99)},
        {"epsilon", Positive, Value::number(1e-8)},
        {"momentum", BelowOne, zero()},
        {"weight_decay", NonNegative, zero()}}},
  };
  return specs;
}

const std::vector<RecordSpec> &getRates() {
  static const std::vector<RecordSpec> specs = {
      {"constant", {{"value", Positive, {}}}},
      {"step",
       {{"peak", Positive, {}},
        {"every", Count, {}},
        {"factor", Positive, Value::number(0.1)},
        {"warmup", NonNegative, zero()}}},
      {"cosine", {{"peak", Positive, {}}, {"warmup", NonNegative, zero()}, {"final", NonNegative, zero()}}},
  };
  return specs;
}

const std::vector<RecordSpec> &getAugmentations() {
  static const std::vector<RecordSpec> specs = {{"pad_crop", {{"pad", Count, {}}}}, {"flip", {}}};
  return specs;
}

const std::vector<RecordSpec> &getLosses() {
  static const std::vector<RecordSpec> specs = {{"cross_entropy", {{"label_smoothing", BelowOne, zero()}}}};
  return specs;
}

const std::vector<RecordSpec> &getNormalizations() {
  static const std::vector<RecordSpec> specs = {
      {"fixed", {{"mean", Numbers, {}}, {"std", Numbers, {}}}}, {"none", {}}, {"dataset", {}}};
  return specs;
}

constexpr StringRef datasets[] = {"cifar10", "synthetic"};
constexpr StringRef decayChoices[] = {"all", "weights"};
constexpr StringRef numericsChoices[] = {"fast", "strict"};

/// Settings in the order of docs/Manifest.md; `weight_decay_on` goes into the variables instead.
constexpr StringRef settings[] = {"data", "epochs",    "seed", "augment", "normalize",
                                  "loss", "optimizer", "lr",   "batch",   "weight_decay_on", "numerics"};

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

class RecipeReader : Evaluator {
public:
  RecipeReader(Network *network, Diagnostics &diagnostics) : Evaluator(diagnostics), network(network) {}

  void run(const File &file, ArrayRef<Setting> overrides);

private:
  Value evaluateVariable(const VariableExpr &expr) override { return Value::word(expr.name); }
  Value evaluateCall(const CallExpr &expr) override;
  Value evaluatePipe(const PipeExpr &expr) override { return fail(expr.range, "a setting has no layers"); }
  Value evaluateAdd(const BinaryExpr &expr, const Value &, const Value &) override {
    return fail(expr.range, "a setting has no layers");
  }

  void collect(ArrayRef<Setting> given, std::vector<const Setting *> &all);
  const Setting *find(StringRef key) const;

  Value readWord(StringRef key, StringRef defaultWord, ArrayRef<StringRef> choices);
  Value readCount(StringRef key, FieldType type, int64_t defaultValue);
  Value readRecord(StringRef key, ArrayRef<RecordSpec> specs, Value defaultValue);
  Value readRecord(const Value &value, SMRange range, StringRef what, ArrayRef<RecordSpec> specs);
  Value readFields(const Value &record, const RecordSpec &spec, SMRange range);
  bool bindField(const RecordSpec &spec, size_t number, const Value::Field &field,
                 std::vector<const Value::Field *> &bound);
  Value readAugment();
  Value readRate(StringRef optimizer);
  Value readOptimizer();
  Value readNormalize();
  void readDecay();
  void checkData(const Value &data);

  Network *network; // null after a mistake in the model
  std::vector<const Setting *> given;
};

/// A call is a record of what it is given; arguments without a name are filled in by the reader under "#0", "#1".
Value RecipeReader::evaluateCall(const CallExpr &expr) {
  if (expr.label)
    return fail(expr.label->range, "a setting has no labels");
  std::vector<Value::Field> fields;
  for (auto [number, argument] : enumerate(expr.arguments)) {
    Value value = evaluate(*argument.value);
    if (value.is(Value::Poison))
      return {};
    std::string key = argument.name ? argument.name->text : "#" + std::to_string(number);
    fields.push_back(
        {std::move(key), std::move(value),
         argument.name ? SMRange{argument.name->range.Start, argument.value->range.End} : argument.value->range});
  }
  return Value::record(expr.callee.text, std::move(fields));
}

void RecipeReader::collect(ArrayRef<Setting> added, std::vector<const Setting *> &all) {
  for (const Setting &setting : added) {
    const auto *other = find_if(added, [&](const Setting &each) { return each.key.text == setting.key.text; });
    if (!is_contained(settings, setting.key.text))
      diagnostics.error(setting.key.range,
                        "unknown setting '" + setting.key.text + "'" + didYouMean(setting.key.text, settings),
                        Note{setting.key.range.Start, "settings are " + llvm::join(ArrayRef(settings), ", ")});
    else if (other != &setting)
      diagnostics.error(setting.key.range, "'" + setting.key.text + "' is set twice",
                        Note{other->key.range.Start, "it is set here too"});
    else
      all.push_back(&setting);
  }
}

const Setting *RecipeReader::find(StringRef key) const {
  auto found = find_if(given, [&](const Setting *setting) { return setting->key.text == key; });
  return found == given.end() ? nullptr : *found;
}

Value RecipeReader::readWord(StringRef key, StringRef defaultWord, ArrayRef<StringRef> choices) {
  const Setting *setting = find(key);
  if (!setting)
    return Value::word(defaultWord);
  Value value = evaluate(*setting->value);
  if (value.is(Value::Poison) || (value.is(Value::Word) && is_contained(choices, value.getWord())))
    return value;
  return fail(setting->value->range, "'" + key + "' is " + llvm::join(choices, " or ") + ", not " + value.describe() +
                                         (value.is(Value::Word) ? didYouMean(value.getWord(), choices) : ""));
}

Value RecipeReader::readCount(StringRef key, FieldType type, int64_t defaultValue) {
  const Setting *setting = find(key);
  if (!setting)
    return Value::integer(defaultValue);
  Value value = evaluate(*setting->value);
  if (value.is(Value::Poison) || isOfType(value, type))
    return value;
  return fail(setting->value->range, "'" + key + "' is " + describe(type) + ", not " + value.describe());
}

Value RecipeReader::readRecord(StringRef key, ArrayRef<RecordSpec> specs, Value defaultValue) {
  const Setting *setting = find(key);
  if (!setting)
    return readRecord(defaultValue, {}, key, specs);
  return readRecord(evaluate(*setting->value), setting->value->range, key, specs);
}

Value RecipeReader::readRecord(const Value &value, SMRange range, StringRef what, ArrayRef<RecordSpec> specs) {
  if (value.is(Value::Poison))
    return {};
  SmallVector<StringRef> names;
  for (const RecordSpec &spec : specs) {
    if ((value.is(Value::Word) || value.is(Value::Record)) && value.getName() == spec.name)
      return readFields(value, spec, range);
    names.push_back(spec.name);
  }
  bool isNamed = value.is(Value::Word) || value.is(Value::Record);
  return fail(range, "'" + what + "' is " + llvm::join(names, ", ") + "; not " + value.describe() +
                         (isNamed ? didYouMean(value.getName(), names) : ""));
}

/// The record's fields in the table's order, with defaults.
Value RecipeReader::readFields(const Value &record, const RecordSpec &spec, SMRange range) {
  ArrayRef<Value::Field> given = record.is(Value::Record) ? record.getFields() : ArrayRef<Value::Field>();
  std::vector<const Value::Field *> bound(spec.fields.size());
  for (auto [number, field] : enumerate(given))
    if (!bindField(spec, number, field, bound))
      return {};

  std::vector<Value::Field> fields;
  for (auto [wanted, field] : zip(spec.fields, bound)) {
    if (!field && !wanted.defaultValue)
      return fail(range, "'" + spec.name + "' needs '" + wanted.name + "': " + describe(wanted.type));
    if (field && !isOfType(field->value, wanted.type))
      return fail(field->range, "'" + wanted.name + "' of '" + spec.name + "' is " + describe(wanted.type) + ", not " +
                                    field->value.describe());
    fields.push_back({wanted.name.str(), normalize(field ? field->value : *wanted.defaultValue, wanted.type),
                      field ? field->range : range});
  }
  return Value::record(spec.name, std::move(fields));
}

/// Finds the place of the record's field `number`, by name or position.
bool RecipeReader::bindField(const RecordSpec &spec, size_t number, const Value::Field &field,
                             std::vector<const Value::Field *> &bound) {
  SmallVector<StringRef> known;
  for (const FieldSpec &each : spec.fields)
    known.push_back(each.name);
  size_t place = StringRef(field.key).starts_with("#") ? number : llvm::find(known, field.key) - known.begin();
  if (place >= known.size() && StringRef(field.key).starts_with("#"))
    fail(field.range, "'" + spec.name + "' takes " + (known.empty() ? "no" : std::to_string(known.size())) +
                          " arguments, not " + Twine(number + 1));
  else if (place >= known.size())
    fail(field.range, "'" + spec.name + "' has no argument '" + field.key + "'" + didYouMean(field.key, known));
  else if (bound[place])
    fail(field.range, "'" + known[place] + "' of '" + spec.name + "' is given twice",
         Note{bound[place]->range.Start, "it is given here too"});
  else
    return bound[place] = &field, true;
  return false;
}

Value RecipeReader::readAugment() {
  const Setting *setting = find("augment");
  if (!setting)
    return Value::list(std::vector<Value>());
  Value list = evaluate(*setting->value);
  if (list.is(Value::Poison))
    return {};
  if (!list.is(Value::List))
    return fail(setting->value->range, "'augment' is a list, as in [pad_crop(4), flip], not " + list.describe());
  std::vector<Value> augmentations;
  const auto *written = dyn_cast<ListExpr>(setting->value.get());
  for (auto [number, each] : enumerate(list.getElements())) {
    SMRange range = written ? written->elements[number]->range : setting->value->range;
    augmentations.push_back(readRecord(each, range, "augment", getAugmentations()));
    if (augmentations.back().is(Value::Poison))
      return {};
  }
  return Value::list(std::move(augmentations));
}

Value RecipeReader::readOptimizer() {
  Value optimizer = readRecord("optimizer", getOptimizers(), Value::word("sgd"));
  bool isNesterov =
      optimizer.is(Value::Record) && optimizer.getName() == "sgd" && optimizer.getField("nesterov")->getBoolean();
  if (isNesterov && optimizer.getField("momentum")->getNumber() == 0)
    return fail(optimizer.getFieldRange("nesterov"), "'nesterov' needs a momentum above 0");
  return optimizer;
}

/// A plain number is constant; without one, PyTorch's default of the optimizer.
Value RecipeReader::readRate(StringRef optimizer) {
  const Setting *setting = find("lr");
  if (!setting)
    return Value::record("constant", {{"value", Value::number(optimizer == "rmsprop" ? 0.01 : 0.001)}});
  Value value = evaluate(*setting->value);
  if (value.isNumber())
    value = Value::record("constant", {{"value", value}});
  return readRecord(value, setting->value->range, "lr", getRates());
}

/// `none` and `dataset` stay words.
Value RecipeReader::readNormalize() {
  Value value = readRecord("normalize", getNormalizations(), Value::word("dataset"));
  if (value.is(Value::Poison))
    return {};
  if (value.getName() != "fixed")
    return Value::word(value.getName());
  size_t channels = network ? network->image.front() : value.getField("mean")->getElements().size();
  for (StringRef key : {"mean", "std"})
    if (value.getField(key)->getElements().size() != channels)
      return fail(value.getFieldRange(key), "'" + key + "' of 'fixed' has a number for each of the image's " +
                                                Twine(channels) + " channels, not " +
                                                Twine(value.getField(key)->getElements().size()));
  if (any_of(value.getField("std")->getElements(), [](const Value &each) { return each.getNumber() <= 0; }))
    return fail(value.getFieldRange("std"), "'std' of 'fixed' is above 0");
  return value;
}

void RecipeReader::readDecay() {
  Value choice = readWord("weight_decay_on", "all", decayChoices);
  if (!network || !choice.isWord("weights"))
    return;
  for (Layer &layer : network->layers)
    for (Variable &variable : layer.variables)
      variable.isDecayed = variable.shape.size() > 1;
}

/// CIFAR-10's images and classes are what they are.
void RecipeReader::checkData(const Value &data) {
  if (!network || !data.isWord("cifar10"))
    return;
  bool fits = network->image == Shape{3, 32, 32} && network->getClasses() == 10;
  const Setting *setting = find("data");
  if (!fits && setting)
    fail(setting->value->range,
         "cifar10 has images [3, 32, 32] in 10 classes; the model takes " + print(network->image) + " and has " +
             Twine(network->getClasses()) + " classes",
         Note{network->range.Start, "the image is declared here"});
}

void RecipeReader::run(const File &file, ArrayRef<Setting> overrides) {
  collect(overrides, given);
  if (!file.trains.empty())
    collect(file.trains.front().settings, given);

  bool isCifar = network && network->image == Shape{3, 32, 32} && network->getClasses() == 10;
  Value data = readWord("data", isCifar ? "cifar10" : "synthetic", datasets);
  Value optimizer = readOptimizer();
  std::vector<Value::Field> fields = {
      {"data", data},
      {"epochs", readCount("epochs", Whole, 10)},
      {"seed", readCount("seed", Whole, 0)},
      {"augment", readAugment()},
      {"normalize", readNormalize()},
      {"loss", readRecord("loss", getLosses(), Value::word("cross_entropy"))},
      {"optimizer", optimizer},
      {"lr", readRate(optimizer.is(Value::Record) ? optimizer.getName() : "sgd")},
      {"batch", readCount("batch", Batch, 128)},
      {"numerics", readWord("numerics", "fast", numericsChoices)},
  };
  checkData(data);
  readDecay();
  if (network)
    network->recipe = Value::record("recipe", std::move(fields));
}

} // namespace

void resin::frontend::settleRecipe(const File &file, ArrayRef<Setting> overrides, Network *network,
                                   Diagnostics &diagnostics) {
  RecipeReader(network, diagnostics).run(file, overrides);
}
