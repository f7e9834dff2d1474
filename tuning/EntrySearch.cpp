//===- EntrySearch.cpp - How entry functions are best fused ---------------===//
//
//   1. Build the usual program.
//   2. For each entry function, take one step from where its search stands in every
//      direction that changes what fusion makes; build a program for each, shared by
//      the entry functions.
//   3. Hold what a program makes against what the usual one makes, and race.
//   4. Go on from the fastest, until no step gains 1 % or time is up.
//   5. A final between the winner and the usual program gives the numbers of the record.
//
//===----------------------------------------------------------------------===//

#include "tuning/EntrySearch.h"

#include "codegen/KernelLibrary.h"

#include <algorithm>
#include <cmath>
#include <thread>

namespace resin::tuning {

namespace {

constexpr RaceRules kRules = {
    .apart = true, .firstHeat = 2, .growth = 1, .retries = 1, .finalRounds = 7, .fewestFinal = 3};
/// How far programs may differ beside the largest of what they make: in f32, sums over other pieces round otherwise,
/// and a network's depth carries it on. A wrong kernel is off by much more.
constexpr double kAlike = 1e-2;

/// The greatest difference beside what it should be, or a hundredth of the largest of `wanted`: gradients of layers
/// differ in size, and some are nothing but rounding.
double difference(const std::vector<double> &wanted, const std::vector<double> &made) {
  double largest = 0, worst = 0;
  for (double value : wanted)
    largest = std::max(largest, std::fabs(value));
  if (wanted.size() != made.size() || !(largest > 0))
    return INFINITY;
  for (size_t i = 0; i < made.size(); ++i)
    worst = std::isfinite(made[i])
                ? std::max(worst, std::fabs(wanted[i] - made[i]) / std::max(std::fabs(wanted[i]), 1e-2 * largest))
                : INFINITY;
  return worst;
}

template <typename List, typename Value> bool contains(const List &list, const Value &value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

} // namespace

EntrySearch::EntrySearch(FusedPrograms &programs, EntrySearchOptions options)
    : programs(programs), options(std::move(options)),
      race(kRules,
           {.runLap =
                [this](const std::vector<Runner *> &one) { return runLap(static_cast<Candidate &>(*one.front())); },
            .isStopped = this->options.hooks.isStopped}) {}

bool EntrySearch::open(const std::vector<EntryPoint> &points, std::string &error) {
  Fusion usual;
  for (const EntryPoint &point : points)
    usual[point.name] = usualFusion(options.target.machine);
  options.hooks.report("building the usual program");
  const StatusOr<std::string> program = programs.build(usual);
  if (program.failed()) {
    error = program.status().message();
    return false;
  }
  const std::optional<std::vector<EntryPoint>> made = programs.lower(usual);
  if (!made) {
    error = "the network cannot be lowered";
    return false;
  }
  for (const EntryPoint &point : points) {
    Entry &entry = entries.emplace_back(Entry{point});
    entry.best = &entry.candidates.emplace_back(entry, usual[point.name], *program);
    for (const EntryPoint &each : *made)
      if (each.name == point.name)
        entry.texts.insert(each.text);
  }
  return true;
}

/// The steps of each entry function whose search goes on that change what fusion makes of it.
std::map<const EntrySearch::Entry *, std::vector<FusionKnobs>> EntrySearch::findNeighbours() {
  std::vector<FusionKnobs> all;
  for (const Entry &entry : entries)
    if (!entry.isOver)
      for (const FusionKnobs &knobs : neighboursOf(entry.best->knobs))
        if (!contains(all, knobs))
          all.push_back(knobs);
  std::map<const Entry *, std::vector<FusionKnobs>> wanted;
  for (const FusionKnobs &knobs : all) {
    Fusion fusion;
    for (const Entry &entry : entries)
      fusion[entry.point.name] = knobs;
    const std::optional<std::vector<EntryPoint>> made = programs.lower(fusion);
    if (!made)
      continue;
    for (Entry &entry : entries)
      for (const EntryPoint &each : *made)
        if (each.name == entry.point.name && !entry.isOver && contains(neighboursOf(entry.best->knobs), knobs) &&
            entry.texts.insert(each.text).second)
          wanted[&entry].push_back(knobs);
  }
  return wanted;
}

/// New candidates for every entry function whose search goes on.
void EntrySearch::addNeighbours(double deadline, std::string &error) {
  std::map<const Entry *, std::vector<FusionKnobs>> wanted = findNeighbours();
  for (size_t i = 0; wallSeconds() < deadline && !options.hooks.isStopped(); ++i) {
    Fusion fusion;
    bool isNeeded = false;
    for (Entry &entry : entries) {
      const bool hasOne = i < wanted[&entry].size();
      fusion[entry.point.name] = hasOne ? wanted[&entry][i] : usualFusion(options.target.machine);
      isNeeded |= hasOne;
    }
    if (!isNeeded)
      return;
    options.hooks.report("building candidates");
    const StatusOr<std::string> program = programs.build(fusion);
    if (program.failed()) {
      error = program.status().message();
      continue;
    }
    for (Entry &entry : entries)
      if (i < wanted[&entry].size())
        entry.candidates.emplace_back(entry, wanted[&entry][i], *program);
  }
}

/// One run more of a candidate, which gives up if it does not compute what the usual program does, or does not run.
Lap EntrySearch::runLap(Candidate &candidate) {
  Entry &entry = candidate.entry;
  const StatusOr<BenchReport> report = programs.bench(candidate.program, entry.point.name, benchSeconds);
  if (report.failed()) {
    mistake = report.status().message();
    candidate.giveUp();
    return {{0.0}};
  }
  if (entry.outputs.empty())
    entry.outputs = report->outputs;
  candidate.error = std::max(candidate.error, difference(entry.outputs, report->outputs));
  if (candidate.error > kAlike) {
    mistake = entry.point.name + " with " + print(candidate.knobs) + " does not compute what it does as usual";
    candidate.giveUp();
    return {{0.0}};
  }
  return {{report->seconds}, report->peak, report->peak};
}

/// Races where the search stands against the candidates that have not run yet.
void EntrySearch::step(Entry &entry, double deadline) {
  std::vector<Runner *> runners;
  for (Candidate &candidate : entry.candidates)
    if (candidate.samples.empty() && !candidate.isOut && &candidate != entry.best)
      runners.push_back(&candidate);
  if (runners.empty()) {
    entry.isOver = true;
    return;
  }
  options.hooks.report(entry.point.name + ": racing " + std::to_string(runners.size()) + " candidates, best " +
                       print(entry.best->knobs));
  Runner &fastest = race.runHeats(*entry.best, runners, deadline);
  entry.isOver = entry.candidates.front().isOut; // nothing to compare with
  if (entry.isOver || entry.best->samples.empty())
    return; // or time was up before the first round
  entry.isOver = !isStep(*entry.best, fastest);
  if (!entry.isOver)
    entry.best = &static_cast<Candidate &>(fastest);
}

bool EntrySearch::runFinal(Entry &entry) {
  options.hooks.report(entry.point.name + ": final of " + print(entry.best->knobs));
  return race.runFinal(*entry.best, entry.candidates.front());
}

TuningRecord EntrySearch::recordOf(const Entry &entry) const {
  TuningRecord record{.target = options.target.name,
                      .cpu = cpuModel(),
                      .threads = std::max(1u, std::thread::hardware_concurrency()),
                      .version = codegen::codegenVersion(),
                      .spec = entry.point.signature,
                      .numerics = options.numerics,
                      .knobs = named(entry.best->knobs)};
  setTimes(record, *entry.best, entry.candidates.front());
  return record;
}

std::vector<TuningRecord> EntrySearch::tune(const std::vector<EntryPoint> &points, double seconds, std::string &error) {
  const double deadline = wallSeconds() + seconds;
  benchSeconds = std::clamp(seconds / 240, 0.1, 1.0);
  std::vector<TuningRecord> records;
  if (!open(points, error))
    return records;
  auto isOver = [](const Entry &entry) { return entry.isOver; };
  while (wallSeconds() < deadline && !options.hooks.isStopped() &&
         !std::all_of(entries.begin(), entries.end(), isOver)) {
    addNeighbours(deadline, error);
    for (Entry &entry : entries)
      if (!entry.isOver && wallSeconds() < deadline)
        step(entry, deadline);
  }
  for (Entry &entry : entries) {
    // Nothing was raced, or all of it went wrong.
    const bool wasRaced = entry.isOver || entry.best != &entry.candidates.front();
    if (!wasRaced || options.hooks.isStopped() || !runFinal(entry))
      continue;
    if (!wins(*entry.best, entry.candidates.front()))
      entry.best = &entry.candidates.front();
    records.push_back(recordOf(entry));
  }
  if (!mistake.empty() && error.empty())
    error = mistake;
  return records;
}

std::optional<TuningRecord> EntrySearch::measure(const EntryPoint &point, const FusionKnobs &knobs,
                                                 std::string &error) {
  if (!open({point}, error))
    return std::nullopt;
  Entry &entry = entries.front();
  if (knobs != entry.candidates.front().knobs) {
    const StatusOr<std::string> program = programs.build({{point.name, knobs}});
    if (program.failed()) {
      error = program.status().message();
      return std::nullopt;
    }
    entry.best = &entry.candidates.emplace_back(entry, knobs, *program);
  }
  if (runFinal(entry))
    return recordOf(entry);
  error = options.hooks.isStopped() ? "stopped" : mistake;
  return std::nullopt;
}

} // namespace resin::tuning
