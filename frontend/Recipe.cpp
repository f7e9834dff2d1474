//===- Recipe.cpp - The train block, with every default filled in ---------===//
//
// A recipe is a record with exactly the keys of "recipe" in docs/Manifest.md and
// `batch`. What settings there are and what they take is support/RecipeSchema.h's;
// here their expressions are evaluated, and what depends on the network is settled.
//
//===----------------------------------------------------------------------===//

#include "frontend/Evaluator.h"
#include "frontend/Sema.h"
#include "support/DidYouMean.h"
#include "support/RecipeSchema.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace resin::frontend;
namespace recipe = resin::recipe;
using recipe::Mistake;
using recipe::SettingSpec;

//===----------------------------------------------------------------------===//
// From the evaluator's values to the schema's, and back
//===----------------------------------------------------------------------===//

static recipe::Span getSpan(SMRange range) { return {range.Start.getPointer(), range.End.getPointer()}; }

static SMRange getRange(recipe::Span span) {
  return {SMLoc::getFromPointer(span.begin), SMLoc::getFromPointer(span.end)};
}

static recipe::Value toSchema(const Value &value, SMRange range, const ListExpr *written = nullptr) {
  recipe::Span span = getSpan(range);
  switch (value.kind()) {
  case Value::Integer: {
    recipe::Value integer = recipe::Value::ofInteger(value.getInteger(), span);
    integer.rounded = value.getRounded();
    return integer;
  }
  case Value::Float:
    return recipe::Value::ofNumber(value.getNumber(), span);
  case Value::Boolean:
    return recipe::Value::ofBoolean(value.getBoolean(), span);
  case Value::Word:
    return recipe::Value::ofWord(value.getWord(), span);
  case Value::List: {
    std::vector<recipe::Value> elements;
    for (auto [number, each] : enumerate(value.getElements()))
      elements.push_back(toSchema(each, written ? written->elements[number]->range : range));
    return recipe::Value::ofList(std::move(elements), span);
  }
  case Value::Record: {
    std::vector<recipe::Field> fields;
    for (const Value::Field &field : value.getFields())
      fields.push_back({field.key, toSchema(field.value, field.range), getSpan(field.range)});
    return recipe::Value::ofRecord(value.getName(), std::move(fields), span);
  }
  case Value::Poison:
  case Value::Tensor:
    break;
  }
  llvm_unreachable("a setting is not evaluated to a tensor, and mistakes go no further");
}

static Value fromSchema(const recipe::Value &value) {
  switch (value.kind) {
  case recipe::Value::Integer:
    return Value::integer(value.integer);
  case recipe::Value::Number:
    return Value::number(value.number);
  case recipe::Value::Boolean:
    return Value::boolean(value.boolean);
  case recipe::Value::Word:
    return Value::word(value.name);
  case recipe::Value::List: {
    std::vector<Value> elements;
    for (const recipe::Value &each : value.elements)
      elements.push_back(fromSchema(each));
    return Value::list(std::move(elements));
  }
  case recipe::Value::Record:
    break;
  }
  std::vector<Value::Field> fields;
  for (const recipe::Field &field : value.fields)
    fields.push_back({field.key, fromSchema(field.value), getRange(field.span)});
  return Value::record(value.name, std::move(fields));
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

class RecipeReader : Evaluator {
public:
  RecipeReader(Network *network, Diagnostics &diagnostics) : Evaluator(diagnostics), network(network) {
    if (network)
      context.channels = network->image.front();
  }

  void run(const File &file, ArrayRef<Setting> overrides);

private:
  Value evaluateVariable(const VariableExpr &expr) override { return Value::word(expr.name); }
  Value evaluateCall(const CallExpr &expr) override;
  Value evaluatePipe(const PipeExpr &expr) override { return fail(expr.range, "a setting has no layers"); }
  Value evaluateAdd(const BinaryExpr &expr, const Value &, const Value &) override {
    return fail(expr.range, "a setting has no layers");
  }

  void collect(ArrayRef<Setting> added);
  const Setting *find(StringRef key) const;
  recipe::Value getDefault(const SettingSpec &spec, const Value &optimizer) const;
  Value read(const SettingSpec &spec, recipe::Value value);
  bool readFields(const SettingSpec &spec, recipe::Value &record);
  bool report(const std::optional<Mistake> &mistake, SMRange where);
  void checkData(const Value &data);
  void limitDecay(const Value &choice);

  Network *network; // null after a mistake in the model
  recipe::Context context;
  std::vector<const Setting *> given;
};

/// A call is a record of what it is given.
Value RecipeReader::evaluateCall(const CallExpr &expr) {
  if (expr.label)
    return fail(expr.label->range, "a setting has no labels");
  std::vector<Value::Field> fields;
  for (const Argument &argument : expr.arguments) {
    Value value = evaluate(*argument.value);
    if (value.is(Value::Poison))
      return {};
    SMRange range = argument.value->range;
    fields.push_back({argument.name ? argument.name->text : "", std::move(value),
                      argument.name ? SMRange{argument.name->range.Start, range.End} : range});
  }
  return Value::record(expr.callee.text, std::move(fields));
}

void RecipeReader::collect(ArrayRef<Setting> added) {
  for (const Setting &setting : added) {
    const auto *other = find_if(added, [&](const Setting &each) { return each.key.text == setting.key.text; });
    std::string name = setting.key.text.substr(0, setting.key.text.find('.'));
    if (!recipe::findSetting(name))
      diagnostics.error(setting.key.range,
                        "unknown setting '" + name + "'" + resin::didYouMean(name, recipe::getSettingNames()),
                        Note{setting.key.range.Start, "settings are " + resin::listNames(recipe::getSettingNames())});
    else if (other != &setting)
      diagnostics.error(setting.key.range, "'" + setting.key.text + "' is set twice",
                        Note{other->key.range.Start, "it is set here too"});
    else
      given.push_back(&setting);
  }
}

const Setting *RecipeReader::find(StringRef key) const {
  auto found = find_if(given, [&](const Setting *setting) { return setting->key.text == key; });
  return found == given.end() ? nullptr : *found;
}

/// Whether there was a mistake; where it has no place in the text, it is shown at `where`.
bool RecipeReader::report(const std::optional<Mistake> &mistake, SMRange where) {
  if (!mistake)
    return false;
  SmallVector<Note> notes;
  if (!mistake->note.empty() && mistake->other.begin)
    notes.push_back({getRange(mistake->other).Start, mistake->note});
  fail(mistake->where.begin ? getRange(mistake->where) : where, mistake->what, notes);
  return true;
}

/// What is given for the setting, or `value`; then its fields that are given alone.
Value RecipeReader::read(const SettingSpec &spec, recipe::Value value) {
  const Setting *setting = find(spec.name);
  if (setting) {
    Value evaluated = evaluate(*setting->value);
    if (evaluated.is(Value::Poison))
      return {};
    value = toSchema(evaluated, setting->value->range, dyn_cast<ListExpr>(setting->value.get()));
  }
  if (report(settle(spec, value, context), setting ? setting->value->range : SMRange()) || !readFields(spec, value))
    return {};
  return fromSchema(value);
}

/// `lr.peak = 0.2` of the command line.
bool RecipeReader::readFields(const SettingSpec &spec, recipe::Value &record) {
  for (const Setting *setting : given) {
    StringRef field = setting->key.text;
    if (!field.consume_front(spec.name) || !field.consume_front("."))
      continue;
    Value evaluated = evaluate(*setting->value);
    if (evaluated.is(Value::Poison))
      return false;
    SMRange range{setting->key.range.Start, setting->value->range.End};
    recipe::Value value = toSchema(evaluated, setting->value->range);
    if (report(setField(spec, record, {field.str(), value, getSpan(range)}, context), range))
      return false;
  }
  return true;
}

static bool isCifar(const Network &network) { return network.image == Shape{3, 32, 32} && network.getClasses() == 10; }

recipe::Value RecipeReader::getDefault(const SettingSpec &spec, const Value &optimizer) const {
  if (spec.name == "data" && network && isCifar(*network))
    return recipe::Value::ofWord("cifar10");
  if (spec.name == "lr" && optimizer.is(Value::Record))
    return recipe::getDefaultRate(optimizer.getName());
  return spec.defaultValue;
}

/// CIFAR-10's images and classes are what they are.
void RecipeReader::checkData(const Value &data) {
  const Setting *setting = find("data");
  if (network && setting && data.isWord("cifar10") && !isCifar(*network))
    fail(setting->value->range,
         "cifar10 has images [3, 32, 32] in 10 classes; the model takes " + print(network->image) + " and has " +
             Twine(network->getClasses()) + " classes",
         Note{network->range.Start, "the image is declared here"});
}

/// What isn't decayed is marked in the variables, not in the recipe.
void RecipeReader::limitDecay(const Value &choice) {
  if (!network || !choice.isWord("weights"))
    return;
  for (Layer &layer : network->layers)
    for (Variable &variable : layer.variables)
      variable.isDecayed = variable.shape.size() > 1;
}

void RecipeReader::run(const File &file, ArrayRef<Setting> overrides) {
  collect(overrides);
  if (!file.trains.empty())
    collect(file.trains.front().settings);

  std::vector<Value::Field> fields;
  Value optimizer;
  for (const SettingSpec &spec : recipe::getSettings()) {
    Value value = read(spec, getDefault(spec, optimizer));
    if (spec.name == "data")
      checkData(value);
    if (spec.name == "optimizer")
      optimizer = value;
    if (spec.name == "weight_decay_on")
      limitDecay(value);
    else
      fields.push_back({spec.name, std::move(value)});
  }
  if (network)
    network->recipe = Value::record("recipe", std::move(fields));
}

} // namespace

void resin::frontend::settleRecipe(const File &file, ArrayRef<Setting> overrides, Network *network,
                                   Diagnostics &diagnostics) {
  RecipeReader(network, diagnostics).run(file, overrides);
}
