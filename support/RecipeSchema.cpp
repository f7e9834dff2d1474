//===- RecipeSchema.cpp - The settings of a recipe ------------------------===//

#include "support/RecipeSchema.h"
#include "support/DidYouMean.h"
#include "support/LearningRate.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace resin;
using namespace resin::recipe;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

namespace {
struct Integers {
  int64_t least, most;
};
} // namespace

static std::optional<Integers> integersOf(Type type) {
  switch (type) {
  case Type::Batch:
    return Integers{1, kMostBatch};
  case Type::Epochs:
    return Integers{0, 1'000'000'000};
  case Type::Seed:
    return Integers{0, std::numeric_limits<int64_t>::max()};
  case Type::Pad:
    return Integers{0, 4096};
  default:
    return std::nullopt;
  }
}

static std::optional<RealRange> realsOf(Type type) {
  switch (type) {
  case Type::Positive:
  case Type::Span:
    return RealRange::Positive;
  case Type::NonNegative:
    return RealRange::NonNegative;
  case Type::BelowOne:
    return RealRange::BelowOne;
  default:
    return std::nullopt;
  }
}

std::string resin::recipe::describe(Type type) {
  if (std::optional<Integers> integers = integersOf(type))
    return "an integer from " + std::to_string(integers->least) + " to " + std::to_string(integers->most);
  if (std::optional<RealRange> reals = realsOf(type))
    return std::string(describe(*reals));
  return type == Type::Boolean ? "true or false" : "a list of numbers";
}

/// An integer that a division rounded is no number.
static bool isReal(const Value &value) { return value.isNumber() && !value.rounded; }

static bool isOfType(const Value &value, Type type, const Context &context) {
  if (std::optional<Integers> integers = integersOf(type))
    return value.is(Value::Integer) && value.integer >= integers->least && value.integer <= integers->most;
  if (std::optional<RealRange> reals = realsOf(type)) {
    if (context.isStored)
      return value.isNumber() && std::isfinite(value.getNumber()) &&
             (value.getNumber() > 0 || (value.getNumber() == 0 && type != Type::Span));
    return isReal(value) && isInRange(value.getNumber(), *reals);
  }
  if (type == Type::Boolean)
    return value.is(Value::Boolean);
  return value.is(Value::List) && std::all_of(value.elements.begin(), value.elements.end(), [](const Value &each) {
           return isReal(each) && isFloat(each.getNumber());
         });
}

/// What was found instead, and where the type alone doesn't say it, why that is none.
static std::string describeRefused(const Value &value, Type type) {
  if (type == Type::Numbers && value.is(Value::List))
    for (const Value &each : value.elements)
      if (!isReal(each) || !isFloat(each.getNumber()))
        return "of " + describeRefused(each, Type::NonNegative);
  if (!realsOf(type) || !value.isNumber())
    return describe(value);
  return value.rounded ? describeRounded(value.integer, *value.rounded) : describeNumber(value.getNumber());
}

/// Numbers that are not integers by their type are floats, however they are written.
static Value normalize(Value value, Type type) {
  if (type == Type::Numbers)
    for (Value &each : value.elements)
      each = Value::ofNumber(each.getNumber(), each.span);
  if (realsOf(type) && type != Type::Span)
    return Value::ofNumber(value.getNumber(), value.span);
  return value;
}

//===----------------------------------------------------------------------===//
// The tables
//===----------------------------------------------------------------------===//

static std::optional<Mistake> checkNesterov(const Value &sgd) {
  if (!sgd.get("nesterov").boolean || sgd.get("momentum").getNumber() > 0)
    return std::nullopt;
  return Mistake{sgd.find("nesterov")->span, "'nesterov' needs a momentum above 0"};
}

static std::optional<Mistake> checkDeviations(const Value &fixed) {
  for (const Value &each : fixed.get("std").elements)
    if (each.getNumber() <= 0)
      return Mistake{fixed.find("std")->span, "'std' of 'fixed' is above 0, not " + describe(each)};
  return std::nullopt;
}

static std::vector<RecordSpec> makeOptimizers() {
  const Value zero = Value::ofNumber(0), half = Value::ofNumber(0.9), epsilon = Value::ofNumber(1e-8);
  auto adam = [&](const char *name, double decay) {
    return RecordSpec{name,
                      {{"beta1", Type::BelowOne, half},
                       {"beta2", Type::BelowOne, Value::ofNumber(0.999)},
                       {"epsilon", Type::Positive, epsilon},
                       {"weight_decay", Type::NonNegative, Value::ofNumber(decay)}}};
  };
  return {{"sgd",
           {{"momentum", Type::BelowOne, zero},
            {"nesterov", Type::Boolean, Value::ofBoolean(false)},
            {"weight_decay", Type::NonNegative, zero}},
           checkNesterov},
          adam("adam", 0),
          adam("adamw", 0.01),
          {"rmsprop",
           {{"alpha", Type::BelowOne, Value::ofNumber(0.99)},
            {"epsilon", Type::Positive, epsilon},
            {"momentum", Type::BelowOne, zero},
            {"weight_decay", Type::NonNegative, zero}}}};
}

static std::vector<RecordSpec> makeRates() {
  std::vector<RecordSpec> rates;
  for (const ScheduleSpec &schedule : getSchedules())
    rates.push_back(schedule.record);
  return rates;
}

static std::vector<SettingSpec> makeSettings() {
  auto word = [](const char *name) { return Value::ofWord(name); };
  return {
      {"data", Form::Word, false, word("synthetic"), {}, {"cifar10", "synthetic"}},
      {"epochs", Form::Plain, true, Value::ofInteger(10), Type::Epochs},
      {"seed", Form::Plain, true, Value::ofInteger(0), Type::Seed},
      {"augment", Form::Records, true, Value::ofList({}), {}, {}, {{"pad_crop", {{"pad", Type::Pad}}}, {"flip", {}}}},
      {"normalize",
       Form::Record,
       true,
       word("dataset"),
       {},
       {},
       {{"fixed", {{"mean", Type::Numbers}, {"std", Type::Numbers}}, checkDeviations}, {"none", {}}, {"dataset", {}}}},
      {"loss",
       Form::Record,
       false,
       word("cross_entropy"),
       {},
       {},
       {{"cross_entropy", {{"label_smoothing", Type::BelowOne, Value::ofNumber(0)}}}}},
      {"optimizer", Form::Record, false, word("sgd"), {}, {}, makeOptimizers()},
      {"lr", Form::Record, true, getDefaultRate("sgd"), {}, {}, makeRates()},
      {"batch", Form::Plain, false, Value::ofInteger(128), Type::Batch},
      {"weight_decay_on", Form::Word, false, word("all"), {}, {"all", "weights"}},
      {"numerics", Form::Word, false, word("fast"), {}, {"fast", "strict"}},
  };
}

const std::vector<SettingSpec> &resin::recipe::getSettings() {
  static const std::vector<SettingSpec> settings = makeSettings();
  return settings;
}

const SettingSpec *resin::recipe::findSetting(std::string_view name) {
  for (const SettingSpec &setting : getSettings())
    if (setting.name == name)
      return &setting;
  return nullptr;
}

std::vector<std::string> resin::recipe::getSettingNames(bool atRunTimeOnly) {
  std::vector<std::string> names;
  for (const SettingSpec &setting : getSettings())
    if (setting.atRunTime || !atRunTimeOnly)
      names.push_back(setting.name);
  return names;
}

std::string resin::recipe::describe(const RecordSpec &record) {
  std::vector<std::string> fields;
  for (const FieldSpec &field : record.fields)
    fields.push_back(field.name + (field.defaultValue ? " = " + describe(*field.defaultValue) : ""));
  return record.name + (fields.empty() ? "" : "(" + listNames(fields) + ")");
}

std::string resin::recipe::describe(const SettingSpec &setting) {
  if (setting.form == Form::Plain)
    return describe(setting.type);
  if (setting.form == Form::Word)
    return listNames(setting.words, " or ");
  std::vector<std::string> records;
  for (const RecordSpec &record : setting.records)
    records.push_back(describe(record));
  return (setting.form == Form::Records ? "none, or a list of " : "") + listNames(records, " or ");
}

Value resin::recipe::getDefaultRate(std::string_view optimizer) {
  return Value::ofNumber(optimizer == "rmsprop" ? 0.01 : 0.001);
}

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

static std::string quote(std::string_view name) { return "'" + std::string(name) + "'"; }

/// The place of the record's field number `number`, by name or position.
static std::optional<Mistake> bind(const RecordSpec &spec, size_t number, const Field &field,
                                   std::vector<const Field *> &bound) {
  std::vector<std::string> known;
  for (const FieldSpec &each : spec.fields)
    known.push_back(each.name);
  const bool isNamed = !field.key.empty();
  const size_t place =
      isNamed ? static_cast<size_t>(std::find(known.begin(), known.end(), field.key) - known.begin()) : number;
  if (place >= known.size() && isNamed)
    return Mistake{field.span, quote(spec.name) + " has no argument " + quote(field.key) +
                                   didYouMeanOr(field.key, known, "it takes")};
  if (place >= known.size())
    return Mistake{field.span, quote(spec.name) + " takes " + (known.empty() ? "no" : std::to_string(known.size())) +
                                   (known.size() == 1 ? " argument, not " : " arguments, not ") +
                                   std::to_string(number + 1)};
  if (bound[place])
    return Mistake{field.span, quote(known[place]) + " of " + quote(spec.name) + " is given twice", bound[place]->span,
                   "it is given here too"};
  bound[place] = &field;
  return std::nullopt;
}

/// The record's fields in the table's order, with defaults.
static std::optional<Mistake> settleFields(const RecordSpec &spec, Value &record, const Context &context) {
  std::vector<const Field *> bound(spec.fields.size());
  for (size_t number = 0; number < record.fields.size(); ++number)
    if (std::optional<Mistake> mistake = bind(spec, number, record.fields[number], bound))
      return mistake;

  std::vector<Field> fields;
  for (size_t i = 0; i < bound.size(); ++i) {
    const FieldSpec &wanted = spec.fields[i];
    if (!bound[i] && !wanted.defaultValue)
      return Mistake{record.span, quote(spec.name) + " needs " + quote(wanted.name) + ": " + describe(wanted.type)};
    if (bound[i] && !isOfType(bound[i]->value, wanted.type, context))
      return Mistake{bound[i]->span, quote(wanted.name) + " of " + quote(spec.name) + " is " + describe(wanted.type) +
                                         ", not " + describeRefused(bound[i]->value, wanted.type)};
    fields.push_back({wanted.name, normalize(bound[i] ? bound[i]->value : *wanted.defaultValue, wanted.type),
                      bound[i] ? bound[i]->span : record.span});
  }
  record = Value::ofRecord(spec.name, std::move(fields), record.span);
  return spec.check ? spec.check(record) : std::nullopt;
}

static std::optional<Mistake> settleRecord(const SettingSpec &setting, Value &value, const Context &context) {
  std::vector<std::string> names;
  for (const RecordSpec &spec : setting.records) {
    if (value.isNamed() && value.name == spec.name)
      return settleFields(spec, value, context);
    names.push_back(spec.name);
  }
  return Mistake{value.span, quote(setting.name) + " is " + listNames(names) + "; not " + describe(value) +
                                 (value.isNamed() ? didYouMean(value.name, names) : "")};
}

/// `none` is an empty list, and one record alone a list of one.
static std::optional<Mistake> settleRecords(const SettingSpec &setting, Value &value, const Context &context) {
  if (value.is(Value::Word) && value.name == "none")
    value = Value::ofList({}, value.span);
  if (value.isNamed())
    value = Value::ofList({value}, value.span);
  if (!value.is(Value::List))
    return Mistake{value.span,
                   quote(setting.name) + " is a list, as in [pad_crop(4), flip], or none, not " + describe(value)};
  for (Value &each : value.elements)
    if (std::optional<Mistake> mistake = settleRecord(setting, each, context))
      return mistake;
  return std::nullopt;
}

/// A number alone is a constant rate.
static std::optional<Mistake> settleRate(const SettingSpec &setting, Value &value, const Context &context) {
  if (value.isNumber())
    value = Value::ofRecord("constant", {{"value", value, value.span}}, value.span);
  return settleRecord(setting, value, context);
}

/// `none` and `dataset` stay words, and the numbers of `fixed` are one a channel.
static std::optional<Mistake> settleNormalize(const SettingSpec &setting, Value &value, const Context &context) {
  if (std::optional<Mistake> mistake = settleRecord(setting, value, context))
    return mistake;
  if (value.fields.empty())
    value = Value::ofWord(value.name, value.span);
  for (const Field &field : value.fields)
    if (context.channels && field.value.elements.size() != *context.channels)
      return Mistake{field.span, quote(field.key) + " of 'fixed' has a number for each of the image's " +
                                     std::to_string(*context.channels) + " channels, not " +
                                     std::to_string(field.value.elements.size())};
  if (value.fields.empty() || value.get("mean").elements.size() == value.get("std").elements.size())
    return std::nullopt;
  return Mistake{value.find("std")->span, "'fixed' has as many numbers in 'std' as in 'mean', " +
                                              std::to_string(value.get("mean").elements.size()) + ", not " +
                                              std::to_string(value.get("std").elements.size())};
}

static std::optional<Mistake> settleWord(const SettingSpec &setting, const Value &value) {
  if (value.is(Value::Word) && std::count(setting.words.begin(), setting.words.end(), value.name))
    return std::nullopt;
  return Mistake{value.span, quote(setting.name) + " is " + listNames(setting.words, " or ") + ", not " +
                                 describe(value) +
                                 (value.is(Value::Word) ? didYouMean(value.name, setting.words) : "")};
}

std::optional<Mistake> resin::recipe::settle(const SettingSpec &setting, Value &value, const Context &context) {
  switch (setting.form) {
  case Form::Plain:
    if (isOfType(value, setting.type, context))
      return std::nullopt;
    return Mistake{value.span, quote(setting.name) + " is " + describe(setting.type) + ", not " + describe(value)};
  case Form::Word:
    return settleWord(setting, value);
  case Form::Records:
    return settleRecords(setting, value, context);
  case Form::Record:
    break;
  }
  if (setting.name == "lr")
    return settleRate(setting, value, context);
  return setting.name == "normalize" ? settleNormalize(setting, value, context) : settleRecord(setting, value, context);
}

std::optional<Mistake> resin::recipe::setField(const SettingSpec &setting, Value &record, const Field &field,
                                               const Context &context) {
  std::vector<std::string> known;
  for (Field &each : record.fields) {
    known.push_back(each.key);
    if (each.key != field.key)
      continue;
    each = field;
    return settle(setting, record, context);
  }
  const std::string owner = record.is(Value::Record) ? record.name : setting.name;
  return Mistake{field.span,
                 quote(owner) + " has no argument " + quote(field.key) + didYouMeanOr(field.key, known, "it takes")};
}
