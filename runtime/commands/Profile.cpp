//===- Profile.cpp - net profile ------------------------------------------===//
//
// Says of every kernel under which roof it stands, how far below, and what would
// help most.
//
//   1. Measure the machine (multiply-adds, L2, memory, a region's cost) and every
//      kernel, in one run.
//   2. Predict: a kernel takes at least what its multiply-adds take, those of the form
//      it has, and at least what its bytes take, from L2 if a call's operands and
//      results fit there together, from memory if not. The longer of the two is its roof.
//   3. Sort what is lost between roof and measurement, and say what to do about it.
//
// GFLOP/s count convolutions as the plain sum. Winograd's transforms count nowhere.
//
//===----------------------------------------------------------------------===//

#include "runtime/Signals.h"
#include "runtime/commands/Commands.h"
#include "runtime/commands/Facts.h"
#include "runtime/commands/Measure.h"
#include "runtime/report/RooflinePlot.h"
#include "runtime/train/Initialize.h"
#include "support/Files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

using namespace resin;
using namespace resin::runtime;

namespace {
enum class Roof { MultiplyAdds, Cache, Memory };

struct Verdict {
  const KernelRow *row;
  Roof roof;
  double predicted; ///< seconds of one call of the function, all workers together

  double share() const { return predicted / row->seconds; }
  double lost() const { return std::max(0.0, row->seconds - predicted); }
};

struct Profile {
  MachinePeaks machine;
  Measurement measured;
  unsigned threads = 1;

  double peakOfThread() const { return measured.peak / threads; }
  std::vector<Verdict> verdictsOf(const Function *function) const;
  /// Seconds in which workers were in no kernel, in one call.
  double outside(const FunctionTime &time) const;
};
} // namespace

static const char *nameOf(Roof roof) {
  return roof == Roof::MultiplyAdds ? "fma" : roof == Roof::Cache ? "L2" : "memory";
}

//===----------------------------------------------------------------------===//
// 2. Roofs
//===----------------------------------------------------------------------===//

std::vector<Verdict> Profile::verdictsOf(const Function *function) const {
  std::vector<Verdict> verdicts;
  for (const KernelRow &row : measured.kernels) {
    if (row.function != function)
      continue;
    const bool inCache = row.kernel->bytes <= machine.cacheBytes;
    const double arithmetic = row.calls * row.kernel->formFlops / peakOfThread() / 1e9;
    const double traffic =
        row.calls * row.kernel->bytes / (inCache ? machine.cacheGigabytes : machine.memoryGigabytes) / 1e9;
    const Roof bytes = inCache ? Roof::Cache : Roof::Memory;
    verdicts.push_back({&row, arithmetic >= traffic ? Roof::MultiplyAdds : bytes, std::max(arithmetic, traffic)});
  }
  return verdicts;
}

double Profile::outside(const FunctionTime &time) const {
  double inside = 0;
  for (const KernelRow &row : measured.kernels)
    inside += row.function == time.function ? row.seconds : 0;
  return std::max(0.0, threads * time.median - inside);
}

//===----------------------------------------------------------------------===//
// 3. What would help
//===----------------------------------------------------------------------===//

/// What to do about a kernel whose multiply-adds take longer than its bytes; `near` the roof there is little to gain.
static std::string adviceOnArithmetic(const std::string &form, bool near) {
  if (near)
    return form == "winograd 2x2" ? "at the roof of its form's multiply-adds: tiles of 4x4, where allowed, take fewer"
                                  : "at the roof of multiply-adds: only fewer of them would help";
  return form.starts_with("winograd")
             ? "transforms of tiles and filter, or data from memory, take the rest: larger pieces, or tune it"
             : "a better schedule for this shape: tune it";
}

/// What to do about a kernel that loses time.
static std::string advice(const Verdict &verdict) {
  const bool near = verdict.share() >= 0.8;
  switch (verdict.roof) {
  case Roof::MultiplyAdds:
    return adviceOnArithmetic(verdict.row->kernel->form, near);
  case Roof::Cache:
    return near ? "at the roof of L2: fuse it with a neighbour"
                : "waits for data: fuse it with its producer, or larger pieces";
  case Roof::Memory:
    return near ? "at the roof of memory: move fewer bytes, fuse it with a neighbour"
                : "its data come from memory: smaller pieces that stay in L2, or tune it";
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static void printFunction(const Profile &profile, const FunctionTime &time) {
  const std::vector<Verdict> verdicts = profile.verdictsOf(time.function);
  const double all = profile.threads * time.median, outside = profile.outside(time);
  std::printf("\n%s  batch %lld, %.3f ms, %.1f images/s; %.1f thread-ms, %.1f %% of them outside kernels\n",
              time.function->name.c_str(), static_cast<long long>(time.function->batch), 1e3 * time.median,
              time.imagesPerSecond(), 1e3 * all, 100 * outside / all);
  std::printf("  share  measured  predicted  GFLOP/s   GB/s  roof    of roof  %-12s  %-24s %-22s kernel\n", "form",
              "layer", "source");
  for (const Verdict &verdict : verdicts) {
    const KernelRow &row = *verdict.row;
    std::printf("%6.1f%% %8.3fms %8.3fms %8.1f %6.1f  %-6s %6.0f %%  %-12s  %-24s %-22s %s\n", 100 * row.share,
                1e3 * row.seconds, 1e3 * verdict.predicted, row.gflops(), row.gigabytes(), nameOf(verdict.roof),
                100 * verdict.share(), row.kernel->form.empty() ? "-" : row.kernel->form.c_str(),
                row.kernel->layer.c_str(), row.kernel->source.c_str(), row.kernel->name.c_str());
  }

  std::vector<Verdict> worst = verdicts;
  std::sort(worst.begin(), worst.end(), [](const Verdict &a, const Verdict &b) { return a.lost() > b.lost(); });
  worst.resize(std::min<size_t>(worst.size(), 5));
  std::printf("what would help %s\n", time.function->name.c_str());
  for (const Verdict &verdict : worst)
    if (verdict.lost() > 0)
      std::printf("%6.1f%% of the time is lost in %s, %s: %s\n", 100 * verdict.lost() / all,
                  verdict.row->kernel->layer.c_str(), verdict.row->kernel->name.c_str(), advice(verdict).c_str());
  if (outside > 0.1 * all)
    std::printf("%6.1f%% of the time is spent outside kernels: pieces too few or too unequal for %u threads, or a busy "
                "machine\n",
                100 * outside / all, profile.threads);
}

static void printText(const Profile &profile) {
  const MachinePeaks &m = profile.machine;
  std::printf("machine  %u thread%s: %.1f GFLOP/s of multiply-adds, %.1f GB/s from L2, %.1f GB/s from memory, %.1f us "
              "a region\n",
              profile.threads, profile.threads == 1 ? "" : "s", profile.measured.peak,
              profile.threads * m.cacheGigabytes, profile.threads * m.memoryGigabytes, m.regionMicroseconds);
  for (const FunctionTime &time : profile.measured.functions)
    printFunction(profile, time);
}

static void printJson(const Profile &profile, const Manifest &manifest) {
  const MachinePeaks &m = profile.machine;
  nlohmann::ordered_json json = {{"model", manifest.model},
                                 {"hash", manifest.hash},
                                 {"target", manifest.target},
                                 {"threads", profile.threads},
                                 {"machine",
                                  {{"peak_gflops", profile.measured.peak},
                                   {"cache_gigabytes_per_second", profile.threads * m.cacheGigabytes},
                                   {"memory_gigabytes_per_second", profile.threads * m.memoryGigabytes},
                                   {"cache_bytes", m.cacheBytes},
                                   {"region_microseconds", m.regionMicroseconds}}},
                                 {"functions", nlohmann::ordered_json::array()}};
  for (const FunctionTime &time : profile.measured.functions) {
    nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
    for (const Verdict &verdict : profile.verdictsOf(time.function))
      kernels.push_back({{"name", verdict.row->kernel->name},
                         {"layer", verdict.row->kernel->layer},
                         {"source", verdict.row->kernel->source},
                         {"form", verdict.row->kernel->form},
                         {"calls", verdict.row->calls},
                         {"milliseconds", 1e3 * verdict.row->seconds},
                         {"predicted_milliseconds", 1e3 * verdict.predicted},
                         {"gflops", verdict.row->gflops()},
                         {"form_gflops", verdict.row->formGflops()},
                         {"gigabytes_per_second", verdict.row->gigabytes()},
                         {"bytes", verdict.row->kernel->bytes},
                         {"roof", nameOf(verdict.roof)},
                         {"share_of_roof", verdict.share()},
                         {"share", verdict.row->share},
                         {"advice", advice(verdict)}});
    json["functions"].push_back({{"name", time.function->name},
                                 {"batch", time.function->batch},
                                 {"milliseconds", 1e3 * time.median},
                                 {"images_per_second", time.imagesPerSecond()},
                                 {"outside_kernels_milliseconds", 1e3 * profile.outside(time)},
                                 {"kernels", std::move(kernels)}});
  }
  std::printf("%s\n", json.dump(2).c_str());
}

static Status writePlot(const Profile &profile, const Manifest &manifest, const std::string &file) {
  double all = 0;
  for (const KernelRow &row : profile.measured.kernels)
    all += row.seconds;
  std::vector<RooflinePoint> points;
  for (const KernelRow &row : profile.measured.kernels) // by what its form does: that is what the roofs bound
    points.push_back({row.function->name + " " + row.kernel->layer + " " + row.kernel->name,
                      row.kernel->bytes > 0 ? row.kernel->formFlops / row.kernel->bytes : 0, row.formGflops(),
                      row.seconds / all});
  const Roofs roofs{profile.peakOfThread(), profile.machine.cacheGigabytes, profile.machine.memoryGigabytes};
  return writeOutput(file, drawRoofline(manifest.model + ", " + manifest.target, roofs, points));
}

Status resin::runtime::runProfile(const ResinProgram &program, const Arguments &arguments) {
  if (arguments.output)
    if (Status status = checkOutput(*arguments.output); status.failed())
      return status;
  StatusOr<std::unique_ptr<Model>> loaded = Model::load(program, arguments.threads);
  if (loaded.failed())
    return loaded.status();
  Model &model = **loaded;
  initialize(model, model.manifest().recipe.seed);
  std::fprintf(stderr, "profile: %s on %u threads for about %.0f s\n", model.manifest().model.c_str(),
               arguments.threads, arguments.seconds);
  const MachinePeaks peaks = model.device().measurePeaks();
  const StatusOr<Measurement> measured = measure(model, arguments.seconds, arguments.only);
  if (measured.failed())
    return measured.status();
  const Profile profile{peaks, *measured, arguments.threads};
  if (stopSignal())
    return stopped("before the measurement was over");
  arguments.json ? printJson(profile, model.manifest()) : printText(profile);
  return arguments.output ? writePlot(profile, model.manifest(), *arguments.output) : Status();
}
