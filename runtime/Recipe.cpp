//===- Recipe.cpp - How a network is trained ------------------------------===//
//
// Between the schema's values (support/RecipeSchema.h), JSON and the struct. What
// comes from outside is settled by the schema before it gets into the struct.
//
//===----------------------------------------------------------------------===//

#include "runtime/Recipe.h"
#include "support/DidYouMean.h"

#include <nlohmann/json.hpp>

using namespace resin;
using namespace resin::runtime;
using Json = nlohmann::json;
using recipe::Field;
using recipe::Mistake;
using recipe::SettingSpec;
using recipe::Value;

//===----------------------------------------------------------------------===//
// Values and the struct
//===----------------------------------------------------------------------===//

static std::vector<double> numbersOf(const Value &list) {
  std::vector<double> numbers;
  for (const Value &each : list.elements)
    numbers.push_back(each.getNumber());
  return numbers;
}

static Augmentation augmentationOf(const Value &record) {
  if (record.name == "flip")
    return {Augmentation::Kind::Flip, 0};
  return {Augmentation::Kind::PadCrop, record.get("pad").integer};
}

static Normalize normalizeOf(const Value &value) {
  if (value.name == "none")
    return {Normalize::Kind::None, {}, {}};
  if (value.name == "dataset")
    return {Normalize::Kind::DataSet, {}, {}};
  return {Normalize::Kind::Given, numbersOf(value.get("mean")), numbersOf(value.get("std"))};
}

/// Takes over what the schema has settled.
static void assign(Recipe &recipe, const std::string &key, const Value &value) {
  if (key == "epochs")
    recipe.epochs = value.integer;
  else if (key == "seed")
    recipe.seed = static_cast<uint64_t>(value.integer);
  else if (key == "lr")
    recipe.schedule = makeSchedule(value);
  else if (key == "normalize")
    recipe.normalize = normalizeOf(value);
  else if (key == "augment") {
    recipe.augment.clear();
    for (const Value &each : value.elements)
      recipe.augment.push_back(augmentationOf(each));
  }
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static Json print(const Schedule &schedule) {
  Json json = {{"name", schedule.name()}};
  for (const Field &field : toValue(schedule).fields)
    json[field.key] = field.value.number;
  return json;
}

static Json print(const Augmentation &step) {
  if (step.kind == Augmentation::Kind::Flip)
    return {{"name", "flip"}};
  return {{"name", "pad_crop"}, {"pad", step.pad}};
}

static Json print(const Normalize &normalize) {
  if (normalize.kind == Normalize::Kind::None)
    return "none";
  if (normalize.kind == Normalize::Kind::DataSet)
    return "dataset";
  return {{"mean", normalize.mean}, {"std", normalize.deviation}};
}

std::string resin::runtime::printRecipe(const Recipe &recipe) {
  Json augment = Json::array();
  for (const Augmentation &step : recipe.augment)
    augment.push_back(print(step));
  Json json = {{"data", recipe.data},
               {"epochs", recipe.epochs},
               {"seed", recipe.seed},
               {"augment", augment},
               {"normalize", print(recipe.normalize)},
               {"lr", print(recipe.schedule)}};
  return json.dump();
}

/// A record without a name is `normalize`'s. What is nested deeper than any recipe becomes a word that none takes.
static Value valueOf(const Json &json, int depth = 0) {
  if (depth > 4)
    return Value::ofWord("...");
  if (json.is_number_integer())
    return Value::ofInteger(json);
  if (json.is_number())
    return Value::ofNumber(json);
  if (json.is_boolean())
    return Value::ofBoolean(json);
  if (json.is_string())
    return Value::ofWord(json.get<std::string>());
  if (json.is_array()) {
    std::vector<Value> elements;
    for (const Json &each : json)
      elements.push_back(valueOf(each, depth + 1));
    return Value::ofList(std::move(elements));
  }
  std::vector<Field> fields;
  for (const auto &[key, value] : json.items())
    if (key != "name")
      fields.push_back({key, valueOf(value, depth + 1)});
  return Value::ofRecord(json.value("name", "fixed"), std::move(fields));
}

Status resin::runtime::parseRecipe(const std::string &text, Recipe &recipe) {
  try {
    const Json json = Json::parse(text);
    recipe.data = json.value("data", recipe.data);
    for (const std::string &key : recipe::getSettingNames(/*atRunTimeOnly=*/true)) {
      if (key == "seed" || !json.contains(key))
        continue;
      Value value = valueOf(json.at(key));
      if (std::optional<Mistake> mistake = settle(*recipe::findSetting(key), value, {.isStored = true}))
        return Status::badData("the recipe cannot be read: ", mistake->what);
      assign(recipe, key, value);
    }
    recipe.seed = json.value("seed", recipe.seed); // stored ones may have all 64 bits
  } catch (const Json::exception &) {
    return Status::badData("the recipe cannot be read: it is not the JSON that programs write");
  }
  return {};
}

//===----------------------------------------------------------------------===//
// --set
//===----------------------------------------------------------------------===//

/// Settles what stands behind the `=`; `field` is that of `lr.peak`, or empty.
static std::optional<Mistake> set(Recipe &recipe, const SettingSpec &setting, const std::string &field,
                                  std::string_view text) {
  Mistake mistake;
  std::optional<Value> value = recipe::readValue(text, mistake);
  if (!value)
    return mistake;
  Value settled = *value;
  std::optional<Mistake> found;
  if (field.empty()) {
    found = settle(setting, settled);
  } else {
    settled = setting.name == "lr" ? toValue(recipe.schedule) : Value::ofWord(setting.name);
    found = setField(setting, settled, {field, *value});
  }
  if (!found)
    assign(recipe, setting.name, settled);
  return found;
}

Status resin::runtime::setRecipe(Recipe &recipe, const std::string &assignment, const std::string &shown) {
  const std::string start = (shown.empty() ? "--set " + assignment.substr(0, 200) : shown) + ": ";
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || !assignment.starts_with("train."))
    return Status::usage(start, "is not of the form train.key=value");
  const std::string key = assignment.substr(6, equals - 6), head = key.substr(0, key.find('.'));
  const std::string field = head == key ? "" : key.substr(head.size() + 1);

  const SettingSpec *setting = recipe::findSetting(head);
  if (!setting)
    return Status::usage(start, "unknown setting '", head, "'",
                         didYouMeanOr(head, recipe::getSettingNames(), "settings are"));
  if (!setting->atRunTime)
    return Status::usage(start, "'", head, "' is compiled into this program; rebuild it with 'resin build --set ",
                         assignment, "', or change ", listNames(recipe::getSettingNames(/*atRunTimeOnly=*/true)));
  if (std::optional<Mistake> mistake = set(recipe, *setting, field, std::string_view(assignment).substr(equals + 1)))
    return Status::usage(start, mistake->what);
  return {};
}

std::string resin::runtime::describeSettable() {
  std::string text;
  for (const SettingSpec &setting : recipe::getSettings())
    if (setting.atRunTime)
      text += "  train." + setting.name + "=  " + describe(setting) + "\n";
  return text;
}
