//===- Task.cpp - What a network is trained for ---------------------------===//

#include "dialects/Resnet/Task.h"

using namespace mlir;
using namespace resin::resnet;

using Fields = SmallVector<TaskField, 1>;

Task Task::classification() {
  return {.name = "classification",
          .loss = "loss",
          .inputs = {{"image", kImageKind}},
          .targets = {{"label", kClassKind}},
          .outputs = {{"logits", kScoresKind}},
          .metrics = {{"rank", kTopKKind}}};
}

static StringRef wordOf(DictionaryAttr record, StringRef key) {
  auto word = record.getAs<StringAttr>(key);
  return word ? word.getValue() : StringRef();
}

static Fields fieldsOf(DictionaryAttr task, StringRef key) {
  Fields fields;
  if (auto list = task.getAs<ArrayAttr>(key))
    for (auto record : list.getAsRange<DictionaryAttr>())
      fields.push_back({wordOf(record, "name"), wordOf(record, "kind")});
  return fields;
}

std::optional<Task> Task::of(ModuleOp module) {
  auto task = module->getAttrOfType<DictionaryAttr>(kTaskAttr);
  if (!task)
    return std::nullopt;
  return Task{.name = wordOf(task, "name"),
              .loss = wordOf(task, "loss"),
              .inputs = fieldsOf(task, "inputs"),
              .targets = fieldsOf(task, "targets"),
              .outputs = fieldsOf(task, "outputs"),
              .metrics = fieldsOf(task, "metrics")};
}

DictionaryAttr Task::toAttribute(Builder builder) const {
  auto word = [&](StringRef key, StringRef value) { return builder.getNamedAttr(key, builder.getStringAttr(value)); };
  auto list = [&](StringRef key, const Fields &fields) {
    SmallVector<Attribute> records;
    for (const TaskField &field : fields)
      records.push_back(builder.getDictionaryAttr({word("name", field.name), word("kind", field.kind)}));
    return builder.getNamedAttr(key, builder.getArrayAttr(records));
  };
  return builder.getDictionaryAttr({word("name", name), word("loss", loss), list("inputs", inputs),
                                    list("targets", targets), list("outputs", outputs), list("metrics", metrics)});
}

bool Task::hasInput(StringRef wanted) const {
  return llvm::any_of(inputs, [&](const TaskField &field) { return field.name == wanted; });
}
