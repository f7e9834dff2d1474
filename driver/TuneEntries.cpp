//===- TuneEntries.cpp - How entry functions are best fused ---------------===//
//
//   1. Build the usual program.
//   2. For each entry function, take one step from where its search stands in every
//      direction that changes what fusion makes; build a program for each, shared by
//      the entry functions.
//   3. Hold what a program makes against what the usual one makes, and race: in turns,
//      the slower half leaving after each heat.
//   4. Go on from the fastest, until no step gains 1 % or time is up.
//   5. A final between the winner and the usual program gives the numbers of the record.
//
//===----------------------------------------------------------------------===//

#include "driver/TuneEntries.h"

#include "codegen/KernelLibrary.h"
#include "support/RunTool.h"
#include "tuning/KernelClock.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>
#include <cmath>
#include <thread>

using namespace resin;
using tuning::quantile;
using tuning::wallSeconds;

namespace {

/// How much faster a step must be for the search to go on from there, and the winner for the usual knobs to be given
/// up.
constexpr double kStep = 0.99, kWin = 0.98;
/// A run counts if the machine's peak stayed within this share of the best.
constexpr double kSteady = 0.93;
constexpr size_t kFinalRounds = 7;
/// How far programs may differ beside the largest of what they make: in f32, sums over other pieces round otherwise,
/// and a network's depth carries it on. A wrong kernel is off by much more.
constexpr double kAlike = 1e-2;

double best(const std::vector<double> &samples) { return samples.empty() ? INFINITY : quantile(samples, 0); }

/// What one run of `net bench` said of an entry function.
struct BenchReport {
  double seconds = 0, peak = 0;
  std::vector<double> outputs;
};

std::optional<BenchReport> readReport(llvm::StringRef text, const std::string &entry) {
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return std::nullopt;
  }
  const llvm::json::Object *report = parsed->getAsObject(), *outputs = report ? report->getObject("outputs") : nullptr;
  const llvm::json::Array *predict = report ? report->getArray("predict") : nullptr,
                          *values = outputs ? outputs->getArray(entry) : nullptr;
  if (!values || !predict)
    return std::nullopt;
  BenchReport result;
  const llvm::json::Object *timed = predict->empty() ? report : predict->front().getAsObject();
  result.seconds =
      timed ? timed->getNumber(predict->empty() ? "train_milliseconds" : "milliseconds").value_or(0) * 1e-3 : 0;
  result.peak = report->getNumber("peak_gflops").value_or(0);
  for (const llvm::json::Value &value : *values)
    result.outputs.push_back(value.getAsNumber().value_or(NAN));
  return result.seconds > 0 ? std::optional(result) : std::nullopt;
}

/// Runs `program bench --only entry` for about `seconds` and returns what it said.
std::optional<BenchReport> bench(const std::string &program, const std::string &entry, double seconds,
                                 std::string &error) {
  const std::string out = program + ".json", log = program + ".log";
  const StatusOr<int> code =
      runTool({.arguments = {program, "bench", "--json", "--only", entry, "--seconds", std::to_string(seconds)},
               .output = out,
               .errors = log});
  auto text = llvm::MemoryBuffer::getFile(out);
  std::optional<BenchReport> report =
      code.ok() && *code == 0 && text ? readReport((*text)->getBuffer(), entry) : std::nullopt;
  if (!report)
    error = code.failed() ? code.status().message() : "a program's bench ended with " + std::to_string(*code);
  return report;
}

/// The greatest difference beside what it should be, or a hundredth of the largest of `wanted`: gradients of layers
/// differ in size, and some are nothing but rounding.
double difference(const std::vector<double> &wanted, const std::vector<double> &made) {
  double largest = 0, worst = 0;
  for (double value : wanted)
    largest = std::max(largest, std::fabs(value));
  if (wanted.size() != made.size() || !(largest > 0))
    return INFINITY;
  for (auto [a, b] : llvm::zip_equal(wanted, made))
    worst = std::isfinite(b) ? std::max(worst, std::fabs(a - b) / std::max(std::fabs(a), 1e-2 * largest)) : INFINITY;
  return worst;
}

} // namespace

std::string EntryTuner::buildProgram(const std::map<std::string, FusionKnobs> &fusion, std::string &error) {
  BuildOptions build = options.build;
  build.fusion = fusion;
  build.quiet = true;
  build.output = *folder / ("net" + std::to_string(programs++));
  if (resin::build(build) == kOk)
    return build.output;
  error = "a program could not be built";
  return "";
}

bool EntryTuner::open(const std::vector<EntryPoint> &points, std::string &error) {
  StatusOr<ScratchFolder> made = ScratchFolder::create();
  if (made.failed()) {
    error = made.status().message();
    return false;
  }
  folder.emplace(std::move(*made));
  std::map<std::string, FusionKnobs> usual;
  for (const EntryPoint &point : points)
    usual[point.name] = usualFusion(options.target.machine);
  options.report("building the usual program");
  const std::string program = buildProgram(usual, error);
  if (program.empty())
    return false;
  ProgramParts parts;
  BuildOptions build = options.build;
  build.fusion = usual;
  if (collectParts(build, parts)) {
    error = "the network cannot be lowered";
    return false;
  }
  for (const EntryPoint &point : points) {
    Entry &entry = entries.emplace_back(Entry{point});
    entry.candidates.push_back({usual[point.name], program});
    entry.best = &entry.candidates.front();
    for (const EntryPoint &part : parts.entries)
      if (part.name == point.name)
        entry.texts.insert(part.text);
  }
  return true;
}

/// New candidates for every entry function whose search goes on.
void EntryTuner::addNeighbours(double deadline, std::string &error) {
  std::vector<FusionKnobs> all;
  for (const Entry &entry : entries)
    if (!entry.isOver)
      for (const FusionKnobs &knobs : neighboursOf(entry.best->knobs))
        if (!llvm::is_contained(all, knobs))
          all.push_back(knobs);
  std::map<const Entry *, std::vector<FusionKnobs>> wanted;
  for (const FusionKnobs &knobs : all) {
    BuildOptions build = options.build;
    for (const Entry &entry : entries)
      build.fusion[entry.point.name] = knobs;
    ProgramParts parts;
    if (collectParts(build, parts))
      continue;
    for (Entry &entry : entries)
      for (const EntryPoint &part : parts.entries)
        if (part.name == entry.point.name && !entry.isOver &&
            llvm::is_contained(neighboursOf(entry.best->knobs), knobs) && entry.texts.insert(part.text).second)
          wanted[&entry].push_back(knobs);
  }
  for (size_t i = 0; wallSeconds() < deadline && !options.isStopped(); ++i) {
    std::map<std::string, FusionKnobs> fusion;
    bool isNeeded = false;
    for (Entry &entry : entries) {
      const bool hasOne = i < wanted[&entry].size();
      fusion[entry.point.name] = hasOne ? wanted[&entry][i] : usualFusion(options.target.machine);
      isNeeded |= hasOne;
    }
    if (!isNeeded)
      return;
    options.report("building candidates");
    const std::string program = buildProgram(fusion, error);
    for (Entry &entry : entries)
      if (!program.empty() && i < wanted[&entry].size())
        entry.candidates.push_back({wanted[&entry][i], program});
  }
}

/// Takes it out of the race, and earlier runs of it with it.
bool EntryTuner::giveUp(Candidate &candidate, const std::string &reason) {
  mistake = reason;
  candidate.isWrong = true;
  candidate.samples.clear();
  return false;
}

/// One run more of a candidate; false if it does not compute what the usual program does, or does not run.
bool EntryTuner::time(Entry &entry, Candidate &candidate) {
  // Where the machine does not keep still, the second run counts as it is.
  for (int tries = 0; tries < 2 && !options.isStopped(); ++tries) {
    std::string error;
    const std::optional<BenchReport> report = bench(candidate.program, entry.point.name, benchSeconds, error);
    if (!report)
      return giveUp(candidate, error);
    if (entry.outputs.empty())
      entry.outputs = report->outputs;
    candidate.error = std::max(candidate.error, difference(entry.outputs, report->outputs));
    if (candidate.error > kAlike)
      return giveUp(candidate,
                    entry.point.name + " with " + print(candidate.knobs) + " does not compute what it does as usual");
    bestPeak = std::max(bestPeak, report->peak);
    if (report->peak < kSteady * bestPeak && tries == 0)
      continue;
    candidate.samples.push_back(report->seconds);
    return true;
  }
  return false;
}

void EntryTuner::runRounds(Entry &entry, const std::vector<Candidate *> &runners, size_t rounds, double deadline) {
  for (size_t round = 0; round < rounds && wallSeconds() < deadline && !options.isStopped(); ++round)
    for (Candidate *runner : runners)
      if (!runner->isWrong)
        time(entry, *runner);
}

/// Races where the search stands against the candidates that have not run yet.
void EntryTuner::step(Entry &entry, double deadline) {
  std::vector<Candidate *> runners;
  for (Candidate &candidate : entry.candidates)
    if (candidate.samples.empty() && !candidate.isWrong && &candidate != entry.best)
      runners.push_back(&candidate);
  if (runners.empty()) {
    entry.isOver = true;
    return;
  }
  options.report(entry.point.name + ": racing " + std::to_string(runners.size()) + " candidates, best " +
                 print(entry.best->knobs));
  entry.best->samples.clear();
  runners.insert(runners.begin(), entry.best);
  for (size_t rounds = 2;; ++rounds) {
    runRounds(entry, runners, rounds, deadline);
    std::sort(runners.begin() + 1, runners.end(),
              [](const Candidate *a, const Candidate *b) { return best(a->samples) < best(b->samples); });
    if (runners.size() <= 2 || wallSeconds() >= deadline || options.isStopped())
      break;
    runners.resize(1 + runners.size() / 2);
  }
  Candidate *fastest = runners[1];
  entry.isOver = entry.candidates.front().isWrong; // nothing to compare with
  if (entry.isOver || entry.best->samples.empty())
    return; // or time was up before the first round
  entry.isOver = fastest->isWrong || best(fastest->samples) > kStep * best(entry.best->samples);
  if (!entry.isOver)
    entry.best = fastest;
}

bool EntryTuner::runFinal(Entry &entry) {
  Candidate &usual = entry.candidates.front();
  std::vector<Candidate *> runners = {&usual};
  if (entry.best != &usual)
    runners.push_back(entry.best);
  options.report(entry.point.name + ": final of " + print(entry.best->knobs));
  for (Candidate *runner : runners)
    runner->samples.clear();
  runRounds(entry, runners, kFinalRounds, INFINITY);
  return llvm::all_of(runners, [](const Candidate *runner) { return runner->samples.size() >= kFinalRounds / 2; });
}

tuning::TuningRecord EntryTuner::recordOf(const Entry &entry) const {
  auto nanoseconds = [](double seconds) { return std::max<int64_t>(1, std::llround(seconds * 1e9)); };
  const Candidate &usual = entry.candidates.front(), &winner = *entry.best;
  return {.target = options.target.name,
          .cpu = tuning::cpuModel(),
          .threads = std::max(1u, std::thread::hardware_concurrency()),
          .version = codegen::codegenVersion(),
          .spec = entry.point.signature,
          .numerics = numerics,
          .knobs = named(winner.knobs),
          .median = nanoseconds(quantile(winner.samples, 0.5)),
          .spread = std::llround((quantile(winner.samples, 0.75) - quantile(winner.samples, 0.25)) * 1e9),
          .untuned = nanoseconds(quantile(usual.samples, 0.5)),
          .error = std::llround(winner.error * 1e9)};
}

std::vector<tuning::TuningRecord> EntryTuner::tune(const std::vector<EntryPoint> &points, double seconds,
                                                   std::string &error) {
  const double deadline = wallSeconds() + seconds;
  benchSeconds = std::clamp(seconds / 240, 0.1, 1.0);
  std::vector<tuning::TuningRecord> records;
  if (!open(points, error))
    return records;
  while (wallSeconds() < deadline && !options.isStopped() &&
         !llvm::all_of(entries, [](const Entry &entry) { return entry.isOver; })) {
    addNeighbours(deadline, error);
    for (Entry &entry : entries)
      if (!entry.isOver && wallSeconds() < deadline)
        step(entry, deadline);
  }
  for (Entry &entry : entries) {
    // Nothing was raced, or all of it went wrong.
    const bool wasRaced = entry.isOver || entry.best != &entry.candidates.front();
    if (!wasRaced || options.isStopped() || !runFinal(entry))
      continue;
    const Candidate &usual = entry.candidates.front();
    const bool wins = best(entry.best->samples) < kWin * best(usual.samples) &&
                      quantile(entry.best->samples, 0.5) < kWin * quantile(usual.samples, 0.5);
    if (!wins)
      entry.best = &entry.candidates.front();
    records.push_back(recordOf(entry));
  }
  if (!mistake.empty() && error.empty())
    error = mistake;
  return records;
}

std::optional<tuning::TuningRecord> EntryTuner::measure(const EntryPoint &point, const FusionKnobs &knobs,
                                                        std::string &error) {
  if (!open({point}, error))
    return std::nullopt;
  Entry &entry = entries.front();
  if (knobs != entry.candidates.front().knobs) {
    const std::string program = buildProgram({{point.name, knobs}}, error);
    if (program.empty())
      return std::nullopt;
    entry.best = &entry.candidates.emplace_back(Candidate{knobs, program});
  }
  if (runFinal(entry))
    return recordOf(entry);
  error = options.isStopped() ? "stopped" : mistake;
  return std::nullopt;
}
