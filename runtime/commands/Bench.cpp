//===- Bench.cpp - net bench ----------------------------------------------===//

#include "runtime/Signals.h"
#include "runtime/commands/Commands.h"
#include "runtime/commands/Facts.h"
#include "runtime/commands/Measure.h"
#include "runtime/train/Initialize.h"

#include <nlohmann/json.hpp>

#include <cstdio>

using namespace resin;
using namespace resin::runtime;

static void printJson(const Measurement &report, const Manifest &manifest, unsigned threads) {
  nlohmann::ordered_json json = {{"model", manifest.model},
                                 {"hash", manifest.hash},
                                 {"target", manifest.target},
                                 {"threads", threads},
                                 {"peak_gflops", report.peak},
                                 {"train_batch", manifest.batch},
                                 {"train_images_per_second", 0.0},
                                 {"train_milliseconds", 0.0},
                                 {"predict", nlohmann::ordered_json::array()},
                                 {"outputs", nlohmann::ordered_json::object()}};
  for (const FunctionTime &time : report.functions) {
    json["outputs"][time.function->name] = time.outputs;
    if (time.function->name != "train_step") {
      json["predict"].push_back({{"batch", time.function->batch},
                                 {"milliseconds", 1e3 * time.median},
                                 {"images_per_second", time.imagesPerSecond()}});
      continue;
    }
    json["train_batch"] = time.function->batch;
    json["train_images_per_second"] = time.imagesPerSecond();
    json["train_milliseconds"] = 1e3 * time.median;
  }
  json["kernels"] = nlohmann::ordered_json::array();
  for (const KernelRow &row : report.kernels)
    json["kernels"].push_back({{"name", row.kernel->name},
                               {"function", row.function->name},
                               {"layer", row.kernel->layer},
                               {"source", row.kernel->source},
                               {"calls", row.calls},
                               {"milliseconds", 1e3 * row.seconds},
                               {"gflops", row.gflops()},
                               {"share", row.share}});
  json["peak_memory_bytes"] = peakMemory();
  std::printf("%s\n", json.dump(2).c_str());
}

static void printTable(const Measurement &report, unsigned threads) {
  const double perThread = report.peak / threads;
  for (const FunctionTime &time : report.functions)
    std::printf("%-12s batch %4lld  %9.3f ms  %9.1f images/s  median of %zu calls, fastest %.3f ms\n",
                time.function->name.c_str(), static_cast<long long>(time.function->batch), 1e3 * time.median,
                time.imagesPerSecond(), time.calls, 1e3 * time.fastest);
  std::printf("machine      %u thread%s, %.1f GFLOP/s of multiply-adds, peak memory %.1f MiB\n", threads,
              threads == 1 ? "" : "s", report.peak, static_cast<double>(peakMemory()) / (1 << 20));
  std::string function;
  for (const KernelRow &row : report.kernels) {
    if (function != row.function->name)
      std::printf(
          "\n%s\n  share  thread-ms   calls  GFLOP/s  peak  layer                    source                 kernel\n",
          (function = row.function->name).c_str());
    std::printf("%6.1f%% %10.3f %7.0f %8.1f %4.0f%%  %-24s %-22s %s\n", 100 * row.share, 1e3 * row.seconds, row.calls,
                row.gflops(), 100 * row.gflops() / perThread, row.kernel->layer.c_str(), row.kernel->source.c_str(),
                row.kernel->name.c_str());
  }
}

Status resin::runtime::runBench(const ResinProgram &program, const Arguments &arguments) {
  StatusOr<std::unique_ptr<Model>> loaded = Model::load(program, arguments.threads);
  if (loaded.failed())
    return loaded.status();
  Model &model = **loaded;
  initialize(model, model.manifest().recipe.seed);
  std::fprintf(stderr, "bench: %s on %u threads for about %.0f s\n", model.manifest().model.c_str(), arguments.threads,
               arguments.seconds);
  const StatusOr<Measurement> report = measure(model, arguments.seconds, arguments.only);
  if (report.failed())
    return report.status();
  if (stopSignal())
    return stopped("before the measurement was over");
  arguments.json ? printJson(*report, model.manifest(), arguments.threads) : printTable(*report, arguments.threads);
  return {};
}
