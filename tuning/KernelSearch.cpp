//===- KernelSearch.cpp - The search for a kernel's fastest knobs ---------===//
//
//   1. Begin with the default, what is best for a neighbour, the other templates' defaults and the best-rated tiles.
//   2. Compile, check, race: the best of them is where the search stands.
//   3. Step to the best of its neighbours, until none is better or time is up.
//   4. A final between the winner and the default gives the numbers of the record.
//
//===----------------------------------------------------------------------===//

#include "tuning/KernelSearch.h"

#include "codegen/Backends.h"
#include "codegen/LoadedKernels.h"
#include "support/KernelStack.h"
#include "support/OpFacts.h"
#include "tuning/KernelClock.h"
#include "tuning/KernelTrial.h"

#include <algorithm>
#include <deque>
#include <set>
#include <thread>

namespace resin::tuning {

namespace {

/// What the interpreter does in some ten seconds. Kernels compute a piece of a batch; none of ours is larger.
constexpr int64_t kMostOperations = 8'000'000'000;
constexpr double kSampleSeconds = 2e-4;
constexpr RaceRules kRules = {
    .apart = false, .firstHeat = 3, .growth = 2, .retries = 2, .finalRounds = 15, .fewestFinal = 1};

struct Candidate : Runner {
  Knobs knobs;
  std::unique_ptr<codegen::LoadedKernels> library;
  void *function = nullptr;
};

/// The search for one kernel.
class Search {
public:
  Search(const TuningSubject &subject, const KernelSearchOptions &options) : subject(subject), options(options) {
    for (int i = 0; i < copiesToTime(spec); ++i)
      arenas.emplace_back(spec);
  }

  bool prepare(std::string &error);
  std::vector<Candidate *> compile(const std::vector<Knobs> &list, double deadline);
  /// The fastest, `kept` among them.
  Candidate &race(const std::vector<Candidate *> &runners, Candidate &kept) {
    return static_cast<Candidate &>(heats.runHeats(kept, {runners.begin(), runners.end()}));
  }
  /// Times both for the record; false if it was stopped before the first round.
  bool runFinal(Candidate &winner, Candidate &untuned) { return heats.runFinal(winner, untuned); }
  TuningRecord recordOf(const Candidate &winner, const Candidate &untuned);
  const std::string &lastMistake() const { return mistake; }

private:
  const TuningSubject &subject;
  const KernelSpec &spec = subject.spec;
  const KernelSearchOptions &options;
  std::deque<KernelArena> arenas; ///< that calls use in turns
  size_t turn = 0;
  std::unique_ptr<KernelTrial> trial;
  std::deque<Candidate> candidates; ///< all that passed the check
  Race heats{kRules,
             {.runLap = [this](const std::vector<Runner *> &runners) { return runLap(runners); },
              .isStopped = options.hooks.isStopped}};
  std::string mistake;

  std::string checkCandidate(Candidate &candidate, const codegen::CompiledKernel &kernel);
  Lap runLap(const std::vector<Runner *> &runners);
  void call(const Candidate &candidate);
  double timeOnce(const Candidate &candidate);
};

bool Search::prepare(std::string &error) {
  if (floatingPointOperations(spec) > kMostOperations) {
    error = "too large for the interpreter to check";
    return false;
  }
  trial = KernelTrial::create(spec, 1, error);
  return trial != nullptr;
}

/// What is wrong with the kernel, which the candidate then has; empty if nothing.
std::string Search::checkCandidate(Candidate &candidate, const codegen::CompiledKernel &kernel) {
  auto isGradient = [](const KernelNode &node) {
    const OpFacts &facts = factsOf(node.op);
    return facts.isConvolution && facts.product != Product::Output;
  };
  const double tolerance = std::ranges::any_of(spec.nodes, isGradient) ? 1e-4 : 1e-5;
  std::string wrong;
  candidate.library = codegen::LoadedKernels::load({kernel}, wrong);
  candidate.function = candidate.library ? candidate.library->find(kernel.symbol) : nullptr;
  if (!candidate.function)
    return wrong;
  onKernelStack([&] { wrong = trial->check(candidate.function, tolerance); });
  candidate.error = trial->worstError();
  return wrong;
}

std::vector<Candidate *> Search::compile(const std::vector<Knobs> &list, double deadline) {
  const unsigned jobs = options.jobs ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
  std::vector<Candidate *> result;
  for (size_t at = 0; at < list.size() && !options.hooks.isStopped() && (at == 0 || wallSeconds() < deadline);
       at += jobs) {
    std::vector<codegen::KernelRequest> requests;
    for (size_t i = at; i < std::min<size_t>(list.size(), at + jobs); ++i)
      requests.push_back({spec, list[i]});
    std::vector<codegen::CompiledKernel> kernels;
    std::string error;
    if (!codegen::compileKernels(requests, {.target = options.target.name, .jobs = jobs}, kernels, error))
      mistake = error;
    for (size_t i = 0; i < kernels.size(); ++i) {
      if (kernels[i].object.empty())
        continue;
      Candidate candidate;
      candidate.knobs = requests[i].knobs;
      if (const std::string wrong = checkCandidate(candidate, kernels[i]); wrong.empty())
        result.push_back(&candidates.emplace_back(std::move(candidate)));
      else
        mistake = printKnobs(requests[i].knobs) + ": " + wrong;
    }
  }
  return result;
}

void Search::call(const Candidate &candidate) {
  codegen::callKernel(candidate.function, arenas[turn++ % arenas.size()].addresses());
}

double Search::timeOnce(const Candidate &candidate) {
  int calls = 0;
  const double begin = threadSeconds();
  double seconds = 0;
  do {
    call(candidate);
    ++calls;
    seconds = threadSeconds() - begin;
  } while (seconds < kSampleSeconds);
  return seconds / calls;
}

Lap Search::runLap(const std::vector<Runner *> &runners) {
  Lap lap;
  onKernelStack([&] {
    const double before = multiplyAddRate();
    for (Runner *runner : runners) {
      const auto &candidate = static_cast<const Candidate &>(*runner);
      call(candidate);
      lap.seconds.push_back(timeOnce(candidate));
    }
    const double after = multiplyAddRate();
    lap.lowest = std::min(before, after);
    lap.highest = std::max(before, after);
  });
  return lap;
}

TuningRecord Search::recordOf(const Candidate &winner, const Candidate &untuned) {
  TuningRecord record{.target = options.target.name,
                      .cpu = cpuModel(),
                      .version = codegen::codegenVersion(),
                      .spec = print(spec),
                      .numerics = subject.numerics,
                      .knobs = winner.knobs};
  setTimes(record, winner, untuned);
  return record;
}

} // namespace

std::optional<TuningRecord> KernelSearch::tune(const TuningSubject &subject, const Knobs &hint, double seconds,
                                               std::string &error) {
  const double deadline = wallSeconds() + seconds;
  const codegen::Backend &backend = codegen::backendOf(options.target);
  const std::unique_ptr<codegen::KnobSpace> space = backend.plan(subject.spec, options.target);
  Search search(subject, options);
  std::vector<Knobs> list = space->starts(subject.numerics);
  if (list.empty()) {
    error = "it has no knobs";
    return std::nullopt;
  }
  // What is best for a neighbour is tried first: the budget may end there.
  if (!hint.empty() && backend.satisfies(hint, subject.numerics) &&
      std::find(list.begin(), list.end(), hint) == list.end())
    list.insert(list.begin() + 1, hint);
  if (!search.prepare(error))
    return std::nullopt;
  std::set<Knobs> seen(list.begin(), list.end());
  std::vector<Candidate *> runners = search.compile(list, deadline);
  if (runners.empty() || runners[0]->knobs != list[0]) {
    error = options.hooks.isStopped() ? "stopped" : "its default does not pass the check: " + search.lastMistake();
    return std::nullopt;
  }
  Candidate *untuned = runners[0];
  Candidate *best = &search.race(runners, *untuned);
  while (!options.hooks.isStopped() && wallSeconds() < deadline) {
    options.hooks.report(std::to_string(seen.size()) + " candidates, best " + printKnobs(best->knobs));
    list.clear();
    for (const Knobs &knobs : space->neighbours(best->knobs))
      if (seen.insert(knobs).second)
        list.push_back(knobs);
    if (list.empty())
      break;
    Candidate &fastest = search.race(search.compile(list, deadline), *best);
    if (!isStep(*best, fastest))
      break;
    best = &fastest;
  }
  if (!search.runFinal(*best, *untuned)) {
    error = "stopped";
    return std::nullopt;
  }
  return search.recordOf(wins(*best, *untuned) ? *best : *untuned, *untuned);
}

std::optional<TuningRecord> KernelSearch::measure(const TuningSubject &subject, const Knobs &knobs,
                                                  std::string &error) {
  Search search(subject, options);
  if (!search.prepare(error))
    return std::nullopt;
  const Knobs untuned =
      codegen::backendOf(options.target).plan(subject.spec, options.target)->untuned(subject.numerics);
  std::vector<Candidate *> both = search.compile({untuned, knobs}, Race::kNever);
  if (both.size() == 1 && knobs == untuned)
    both.push_back(both[0]);
  if (both.size() < 2 || !search.runFinal(*both[1], *both[0])) {
    error = options.hooks.isStopped() ? "stopped" : search.lastMistake();
    return std::nullopt;
  }
  return search.recordOf(*both[1], *both[0]);
}

} // namespace resin::tuning
