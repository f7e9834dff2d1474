//===- Recipe.cpp - How a network is trained ------------------------------===//

#include "runtime/Recipe.h"
#include "support/DidYouMean.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>

using namespace resin;
using namespace resin::runtime;
using Json = nlohmann::json;

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static Status check(const Recipe &recipe) {
  const Schedule &lr = recipe.schedule;
  for (double value : {lr.peak, lr.warmup, lr.every, lr.factor, lr.final})
    if (!std::isfinite(value) || value < 0)
      return Status::usage("train.lr: ", value, " is not a finite number from 0 up");
  if (lr.kind == Schedule::Kind::Step && lr.every <= 0)
    return Status::usage("train.lr.every: must be above 0");
  if (recipe.epochs < 0 || recipe.epochs > 1'000'000'000)
    return Status::usage("train.epochs: ", recipe.epochs, " is not from 0 to 1000000000");
  for (const Augmentation &step : recipe.augment)
    if (step.pad < 0 || step.pad > 4096)
      return Status::usage("train.augment: a pad of ", step.pad, " is not from 0 to 4096");
  const Normalize &normalize = recipe.normalize;
  if (normalize.mean.size() != normalize.deviation.size())
    return Status::usage("train.normalize: ", normalize.mean.size(), " means beside ", normalize.deviation.size(),
                         " deviations");
  for (double deviation : normalize.deviation)
    if (!(deviation > 0) || !std::isfinite(deviation))
      return Status::usage("train.normalize: a deviation of ", deviation, " is not above 0");
  return {};
}

static Schedule scheduleOf(const Json &json) {
  Schedule lr;
  const std::string name = json.at("name");
  if (name == "constant") {
    lr.kind = Schedule::Kind::Constant;
    lr.peak = json.at("value");
    return lr;
  }
  lr.kind = name == "step" ? Schedule::Kind::Step : Schedule::Kind::Cosine;
  if (name != "step" && name != "cosine")
    throw std::invalid_argument("unknown learning-rate schedule '" + name + "'");
  lr.peak = json.at("peak");
  lr.warmup = json.value("warmup", lr.warmup);
  lr.every = json.value("every", lr.every);
  lr.factor = json.value("factor", lr.factor);
  lr.final = json.value("final", lr.final);
  return lr;
}

static Json print(const Schedule &lr) {
  if (lr.kind == Schedule::Kind::Constant)
    return {{"name", "constant"}, {"value", lr.peak}};
  if (lr.kind == Schedule::Kind::Step)
    return {{"name", "step"}, {"peak", lr.peak}, {"every", lr.every}, {"factor", lr.factor}, {"warmup", lr.warmup}};
  return {{"name", "cosine"}, {"peak", lr.peak}, {"warmup", lr.warmup}, {"final", lr.final}};
}

static Augmentation augmentationOf(const Json &json) {
  const std::string name = json.at("name");
  if (name == "flip")
    return {Augmentation::Kind::Flip, 0};
  if (name == "pad_crop")
    return {Augmentation::Kind::PadCrop, json.at("pad")};
  throw std::invalid_argument("unknown augmentation '" + name + "'");
}

static Json print(const Augmentation &step) {
  if (step.kind == Augmentation::Kind::Flip)
    return {{"name", "flip"}};
  return {{"name", "pad_crop"}, {"pad", step.pad}};
}

static Normalize normalizeOf(const Json &json) {
  if (json == "none")
    return {Normalize::Kind::None, {}, {}};
  if (json == "dataset")
    return {Normalize::Kind::DataSet, {}, {}};
  return {Normalize::Kind::Given, json.at("mean"), json.at("std")};
}

static Json print(const Normalize &normalize) {
  if (normalize.kind == Normalize::Kind::None)
    return "none";
  if (normalize.kind == Normalize::Kind::DataSet)
    return "dataset";
  return {{"mean", normalize.mean}, {"std", normalize.deviation}};
}

Status resin::runtime::parseRecipe(const std::string &text, Recipe &recipe) {
  try {
    const Json json = Json::parse(text);
    recipe.data = json.value("data", recipe.data);
    recipe.epochs = json.value("epochs", recipe.epochs);
    recipe.seed = json.value("seed", recipe.seed);
    if (json.contains("augment")) {
      recipe.augment.clear();
      for (const Json &step : json.at("augment"))
        recipe.augment.push_back(augmentationOf(step));
    }
    if (json.contains("normalize"))
      recipe.normalize = normalizeOf(json.at("normalize"));
    if (json.contains("lr"))
      recipe.schedule = scheduleOf(json.at("lr"));
  } catch (const std::exception &error) {
    return {ExitCode::BadData, concat("the recipe cannot be read: ", error.what())};
  }
  return check(recipe);
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

//===----------------------------------------------------------------------===//
// --set
//===----------------------------------------------------------------------===//

namespace {
/// Values as the language writes them, read into JSON:
///
///   value := number | name | name "(" [argument ("," argument)*] ")" | "[" [value ("," value)*] "]"
///   argument := [name "="] value
///
/// A call becomes an object with its "name"; arguments without a name are kept in
/// "arguments".
struct ValueReader {
  const std::string &text;
  size_t at = 0;

  [[noreturn]] void refuse() { throw std::invalid_argument(concat("'", text, "' is wrong at character ", at + 1)); }
  char peek() {
    while (at < text.size() && text[at] == ' ')
      ++at;
    return at < text.size() ? text[at] : '\0';
  }
  bool take(char c) {
    if (peek() != c)
      return false;
    ++at;
    return true;
  }
  std::string takeName() {
    size_t start = at;
    while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_'))
      ++at;
    return text.substr(start, at - start);
  }
  Json takeNumber() {
    const char *first = text.data() + at, *last = text.data() + text.size();
    double real;
    auto [end, error] = std::from_chars(first, last, real);
    if (error != std::errc())
      refuse();
    at += static_cast<size_t>(end - first);
    int64_t integer;
    auto whole = std::from_chars(first, end, integer);
    return whole.ptr == end && whole.ec == std::errc() ? Json(integer) : Json(real);
  }
  Json takeList() {
    Json list = Json::array();
    while (!take(']')) {
      list.push_back(takeValue());
      if (!take(',') && peek() != ']')
        refuse();
    }
    return list;
  }
  Json takeCall(const std::string &name) {
    Json call = {{"name", name}};
    while (!take(')')) {
      peek();
      size_t start = at;
      std::string key = takeName();
      if (!key.empty() && take('=')) {
        call[key] = takeValue();
      } else {
        at = start;
        call["arguments"].push_back(takeValue());
      }
      if (!take(',') && peek() != ')')
        refuse();
    }
    return call;
  }
  Json takeValue() {
    char c = peek();
    if (take('['))
      return takeList();
    if (!std::isalpha(static_cast<unsigned char>(c)))
      return takeNumber();
    std::string name = takeName();
    return take('(') ? takeCall(name) : Json(name);
  }
  Json takeAll() {
    Json value = takeValue();
    if (peek() != '\0')
      refuse();
    return value;
  }
};
} // namespace

/// Gives the first argument of a call without a name the one it has in the language.
static Json named(Json value, const char *first) {
  if (value.is_string())
    value = {{"name", value}};
  if (value.contains("arguments")) {
    if (value["arguments"].size() != 1 || value.contains(first))
      throw std::invalid_argument("one unnamed argument at most: " + std::string(first));
    value[first] = value["arguments"][0];
    value.erase("arguments");
  }
  return value;
}

static void setLearningRate(Schedule &lr, const std::string &key, const Json &value) {
  if (key == "peak" || key == "value")
    lr.peak = value;
  else if (key == "warmup")
    lr.warmup = value;
  else if (key == "every")
    lr.every = value;
  else if (key == "factor")
    lr.factor = value;
  else if (key == "final")
    lr.final = value;
  else
    throw std::invalid_argument("a schedule has peak, warmup, every, factor and final, no '" + key + "'");
}

static void set(Recipe &recipe, const std::string &key, const Json &value) {
  if (key == "epochs") {
    recipe.epochs = value;
  } else if (key == "seed") {
    recipe.seed = value.get<int64_t>();
  } else if (key == "lr") {
    recipe.schedule = value.is_number()
                          ? Schedule{Schedule::Kind::Constant, value}
                          : scheduleOf(named(value, value.value("name", "") == "constant" ? "value" : "peak"));
  } else if (key.starts_with("lr.")) {
    setLearningRate(recipe.schedule, key.substr(3), value);
  } else if (key == "augment") {
    recipe.augment.clear();
    if (value == "none")
      return;
    for (const Json &step : value.is_array() ? value : Json::array({value}))
      recipe.augment.push_back(augmentationOf(named(step, "pad")));
  } else {
    recipe.normalize = normalizeOf(value);
  }
}

Status resin::runtime::setRecipe(Recipe &recipe, const std::string &assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || !assignment.starts_with("train."))
    return Status::usage("--set ", assignment, ": is not of the form train.key=value");
  const std::string key = assignment.substr(6, equals - 6), text = assignment.substr(equals + 1);

  static const std::vector<std::string> keys = {"epochs", "seed", "lr", "augment", "normalize"};
  const std::string head = key.substr(0, key.find('.'));
  for (const char *compiled : {"batch", "loss", "optimizer", "precision", "data"})
    if (head == compiled)
      return Status::usage("--set train.", key, ": '", head,
                           "' is compiled into this program; rebuild it with 'resin build --set ", assignment, "'");
  if (std::find(keys.begin(), keys.end(), head) == keys.end() || (head != key && head != "lr"))
    return Status::usage("--set train.", key, ": unknown key", didYouMean(head, keys),
                         "; epochs, seed, lr, augment and normalize can be set");
  try {
    set(recipe, key, ValueReader{text}.takeAll());
  } catch (const std::exception &error) {
    return Status::usage("--set ", assignment, ": ", error.what());
  }
  return check(recipe);
}
