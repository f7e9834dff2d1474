//===- Info.cpp - net info ------------------------------------------------===//

#include "runtime/MemoryPlan.h"
#include "runtime/Model.h"
#include "runtime/commands/Commands.h"
#include "runtime/commands/Facts.h"

#include <nlohmann/json.hpp>

#include <cstdio>

using namespace resin;
using namespace resin::runtime;

/// The manifest's own words, and what follows from them.
static void printJson(const Manifest &manifest, unsigned threads) {
  nlohmann::ordered_json all = nlohmann::ordered_json::parse(manifest.text), json;
  for (const char *key : {"model", "source", "hash", "build", "target", "batch", "classes", "image", "flops_per_image",
                          "task", "recipe", "tuning"})
    if (all.contains(key))
      json[key] = all[key];
  json["parameters"] = parameterCount(manifest);
  const MemoryPlan memory = memoryOf(manifest, threads);
  json["threads"] = threads;
  json["memory"] = all.contains("memory") ? all["memory"] : nlohmann::ordered_json::object();
  json["memory"]["arena_bytes"] = manifest.arenaBytes;
  json["memory"]["scratch_bytes"] = memory.scratch;
  json["memory"]["variable_bytes"] = memory.variables;
  json["memory"]["predicted_peak_bytes"] = memory.total;
  for (const char *key : {"variables", "functions", "kernels"})
    if (all.contains(key))
      json[key] = all[key];
  std::printf("%s\n", json.dump(2).c_str());
}

/// Bytes that each function moves an image, and what it stores and rebuilds of its activations.
static void printTraffic(const Manifest &manifest) {
  const auto all = nlohmann::json::parse(manifest.text);
  std::printf("\n%-14s %12s %12s  %s\n", "function", "MB an image", "unfused", "activations");
  for (const auto &function : all.at("functions")) {
    if (!function.contains("traffic"))
      continue;
    const auto &traffic = function["traffic"];
    const double scale = 1e6 * function["batch"].get<double>();
    std::printf("%-14s %12.2f %12.2f  %zu stored, %zu rebuilt in cache\n", function["name"].get<std::string>().c_str(),
                traffic["bytes_after"].get<double>() / scale, traffic["bytes_before"].get<double>() / scale,
                traffic["stored"].size(), traffic["rebuilt"].size());
    for (const char *what : {"stored", "rebuilt"})
      for (const auto &activation : traffic[what])
        std::printf("  %-7s %17.3f  %-14s %-20s %s\n", what, activation["bytes"].get<double>() / scale,
                    activation["shape"].dump().c_str(), activation["op"].get<std::string>().c_str(),
                    activation["layer"].get<std::string>().c_str());
  }
}

static void printTable(const Manifest &manifest, unsigned threads) {
  printFacts(manifest, threads, stdout);
  if (manifest.tuned + manifest.borrowed + manifest.untuned)
    std::printf("tuning   %lld kernels tuned, %lld borrowed, %lld default\n", static_cast<long long>(manifest.tuned),
                static_cast<long long>(manifest.borrowed), static_cast<long long>(manifest.untuned));
  const char *separator = "made by  ";
  for (const auto &[name, count] : manifest.templates) {
    std::printf("%s%lld %s", separator, static_cast<long long>(count), name.c_str());
    separator = ", ";
  }
  if (!manifest.templates.empty())
    std::printf("\n");
  for (const auto &[function, how] : manifest.fusion)
    std::printf("fused    %s as %s\n", function.c_str(), how.c_str());
  if (!manifest.numerics.empty())
    std::printf("numerics %s: convolutions are %s\n", manifest.numerics.c_str(),
                manifest.numerics == "strict" ? "as accurate as plain sums in f32, by Winograd's F(2x2) too"
                                              : "within 1e-5 of the largest result, by Winograd's F(4x4) too");
  std::printf("recipe   batch %lld, %s\n", static_cast<long long>(manifest.batch),
              printRecipe(manifest.recipe).c_str());
  std::printf("entry   ");
  for (const Function &function : manifest.functions)
    std::printf(" %s", function.name.c_str());
  std::printf("\n\n%-14s %-24s %6s %12s  %s\n", "function", "layer", "calls", "MFLOP a call", "kernel");
  for (const Kernel &kernel : manifest.kernels)
    std::printf("%-14s %-24s %6lld %12.2f  %s\n", kernel.function.c_str(), kernel.layer.c_str(),
                static_cast<long long>(kernel.calls), kernel.flops / 1e6, kernel.name.c_str());
  printTraffic(manifest);
}

Status resin::runtime::runInfo(const ResinProgram &program, const Arguments &arguments) {
  StatusOr<Manifest> manifest = parseManifest({program.manifest, program.manifest_bytes});
  if (manifest.failed())
    return manifest.status();
  arguments.json ? printJson(*manifest, arguments.threads) : printTable(*manifest, arguments.threads);
  return {};
}
