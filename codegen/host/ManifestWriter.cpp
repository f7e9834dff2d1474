//===- ManifestWriter.cpp - What the runtime is told of the program -------===//
//
// Writes docs/Manifest.md from the planned module: its attributes, its variables, the
// named places of its functions, and the rows of its profile.
//
//===----------------------------------------------------------------------===//

#include "codegen/host/ManifestWriter.h"

#include "dialects/Kernel/KernelRows.h"
#include "dialects/Kernel/Traffic.h"
#include "dialects/Resnet/Target.h"
#include "dialects/Resnet/Task.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

namespace json = llvm::json;

/// Names come from outside and may hold any bytes; JSON is UTF-8.
static std::string text(StringRef bytes) { return json::fixUTF8(bytes); }

/// Integers, reals, booleans, strings, lists and dictionaries; null for anything else.
static json::Value toJson(Attribute attr) {
  if (auto boolean = dyn_cast<BoolAttr>(attr))
    return boolean.getValue();
  if (auto integer = dyn_cast<IntegerAttr>(attr))
    return integer.getValue().sextOrTrunc(64).getSExtValue();
  if (auto real = dyn_cast<FloatAttr>(attr))
    return real.getValueAsDouble();
  if (auto string = dyn_cast<StringAttr>(attr))
    return text(string.getValue());
  if (auto list = dyn_cast<ArrayAttr>(attr)) {
    json::Array array;
    for (Attribute item : list)
      array.push_back(toJson(item));
    return array;
  }
  if (auto dictionary = dyn_cast<DictionaryAttr>(attr)) {
    json::Object object;
    for (NamedAttribute item : dictionary)
      object[text(item.getName().getValue())] = toJson(item.getValue());
    return object;
  }
  return nullptr;
}

static json::Object describePlace(StringRef name, ViewType view, int64_t offset) {
  const TensorSpec spec = view.spec();
  return json::Object{{"name", text(name)},
                      {"type", std::string(nameOf(spec.type))},
                      {"shape", json::Array(view.getShape())},
                      {"layout", std::string(nameOf(spec.layout))},
                      {"halo", view.getHalo()},
                      {"offset", offset},
                      {"bytes", view.bytes()}};
}

static json::Array describeVariables(ModuleOp module) {
  json::Array variables;
  for (auto variable : module.getOps<VariableOp>()) {
    json::Object entry = describePlace(variable.getSymName(), variable.getType(), *variable.getOffset());
    entry["role"] = text(variable.getRole());
    if (std::optional<StringRef> parameter = variable.getParameter())
      entry["parameter"] = text(*parameter);
    if (!variable.getInit().empty())
      entry["init"] = toJson(variable.getInit());
    variables.push_back(std::move(entry));
  }
  return variables;
}

template <typename PlaceOp> static json::Array describePlaces(func::FuncOp function) {
  json::Array places;
  for (auto place : function.getOps<PlaceOp>())
    places.push_back(describePlace(place.getName(), place.getView().getType(), *place.getOffset()));
  return places;
}

static json::Array describeActivations(const std::vector<Traffic::Activation> &activations) {
  json::Array array;
  for (const Traffic::Activation &activation : activations)
    array.push_back(json::Object{{"layer", text(activation.layer)},
                                 {"op", activation.op},
                                 {"shape", json::Array(activation.type.getShape().drop_front())},
                                 {"bytes", activation.bytes}});
  return array;
}

static json::Object describeTraffic(func::FuncOp function) {
  const Traffic traffic(function);
  return json::Object{{"bytes_before", traffic.bytesBefore},
                      {"bytes_after", traffic.bytesAfter},
                      {"stored", describeActivations(traffic.stored)},
                      {"rebuilt", describeActivations(traffic.rebuilt)}};
}

static json::Array describeFunctions(ModuleOp module) {
  json::Array functions;
  for (auto function : module.getOps<func::FuncOp>()) {
    json::Object entry{{"name", text(function.getName())}};
    if (std::optional<int64_t> batch = batchOf(function))
      entry["batch"] = *batch, entry["traffic"] = describeTraffic(function);
    entry["arguments"] = describePlaces<ArgumentOp>(function);
    entry["results"] = describePlaces<ResultOp>(function);
    functions.push_back(std::move(entry));
  }
  return functions;
}

static json::Array describeKernels(const KernelRows &rows, const ManifestTarget &target) {
  json::Array kernels;
  for (const KernelRow &row : rows.rows) {
    LaunchOp launch = row.launch;
    func::FuncOp function = row.function;
    KernelSpec spec = specOf(launch);
    json::Object entry{{"name", text(launch.getKernel())},
                       {"function", text(function.getName())},
                       {"source", text(sourceOf(launch.getLoc()))},
                       {"layer", text(launch.getLayer())},
                       {"flops", floatingPointOperations(spec)},
                       {"bytes", bytesTouched(spec)},
                       {"calls", row.calls}};
    if (auto form = target.forms.find(symbol(spec)); form != target.forms.end())
      entry["form"] = form->second.name, entry["form_flops"] = form->second.operations;
    kernels.push_back(std::move(entry));
  }
  return kernels;
}

/// Of a training step if the program has one, else of its first function with a batch.
static int64_t flopsPerImage(ModuleOp module, const KernelRows &rows) {
  func::FuncOp subject;
  for (auto function : module.getOps<func::FuncOp>())
    if (batchOf(function) && (!subject || function.getName() == "train_step"))
      subject = function;
  int64_t flops = 0;
  for (const KernelRow &row : rows.rows)
    if (row.function == subject)
      flops += row.calls * floatingPointOperations(specOf(row.launch));
  return subject ? flops / *batchOf(subject) : 0;
}

/// Of everything but locations, the plan's prose, and the target, which is of the build: where a line stands in the
/// file does not change the program.
static std::string hashOf(ModuleOp module) {
  const Attribute target = module->removeAttr(resnet::kTargetAttr);
  std::string print;
  llvm::raw_string_ostream stream(print);
  module.print(stream, OpPrintingFlags().enableDebugInfo(false));
  if (target)
    module->setAttr(resnet::kTargetAttr, target);
  return llvm::utohexstr(llvm::xxh3_64bits(print), /*LowerCase=*/true, /*Width=*/16);
}

/// Of all that the bits of results depend on: the program, the CPU that it is for, and how its kernels are made.
static std::string buildOf(StringRef hash, const ManifestTarget &target) {
  std::string text = (hash + "\n" + target.name + "\n" + llvm::join(target.features, ",")).str();
  for (const std::string &choice : target.choices)
    text += "\n" + choice;
  return llvm::utohexstr(llvm::xxh3_64bits(text), /*LowerCase=*/true, /*Width=*/16);
}

std::string resin::writeManifest(ModuleOp module, const ManifestTarget &target) {
  KernelRows rows(module);
  json::Object manifest;
  auto copyAttribute = [&](StringRef key, StringRef attr) {
    if (Attribute value = module->getAttr(attr))
      manifest[key] = toJson(value);
  };
  copyAttribute("model", "resnet.model");
  copyAttribute("source", "resnet.source");
  copyAttribute("classes", "resnet.classes");
  copyAttribute("recipe", "resnet.recipe");
  copyAttribute("task", resnet::kTaskAttr);
  copyAttribute("arena_bytes", "kernel.arena_bytes");
  copyAttribute("scratch_bytes", "kernel.scratch_bytes");
  copyAttribute("memory", "kernel.memory");
  const std::string hash = hashOf(module);
  manifest["hash"] = hash;
  manifest["build"] = buildOf(hash, target);
  manifest["target"] = json::Object{{"name", target.name}, {"features", json::Array(target.features)}};
  json::Object templates;
  for (const auto &[name, count] : target.templates)
    templates[name] = count;
  json::Object fusion;
  for (const auto &[function, how] : target.fusion)
    fusion[text(function)] = how;
  manifest["tuning"] = json::Object{{"tuned", target.tuned},
                                    {"borrowed", target.borrowed},
                                    {"default", target.untuned},
                                    {"templates", std::move(templates)},
                                    {"fusion", std::move(fusion)}};
  const std::optional<resnet::Task> task = resnet::Task::of(module);
  for (auto function : module.getOps<func::FuncOp>())
    for (auto argument : function.getOps<ArgumentOp>()) {
      if (!task || !task->hasInput(argument.getName()) || argument.getView().getType().getShape().size() != 4)
        continue;
      ArrayRef<int64_t> shape = argument.getView().getType().getShape();
      if (function.getName() == "train_step" || !manifest.get("batch"))
        manifest["batch"] = shape[0];
      manifest["image"] = json::Array(shape.drop_front());
    }
  manifest["flops_per_image"] = flopsPerImage(module, rows);
  manifest["variables"] = describeVariables(module);
  manifest["functions"] = describeFunctions(module);
  manifest["kernels"] = describeKernels(rows, target);
  return llvm::formatv("{0}", json::Value(std::move(manifest))).str();
}
