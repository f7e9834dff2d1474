//===- Tuner.cpp - The search for a kernel's fastest knobs ----------------===//
//
//   1. Begin with the default, what is best for a neighbour, the other templates' defaults and the best-rated tiles.
//   2. Compile, check, race: the best of them is where the search stands.
//   3. Step to the best of its neighbours, until none is better or time is up.
//   4. A final between the winner and the default gives the numbers of the record.
//
//===----------------------------------------------------------------------===//

#include "tuning/Tuner.h"

#include "codegen/LoadedKernels.h"
#include "support/KernelStack.h"
#include "tuning/KernelClock.h"
#include "tuning/KernelTrial.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <set>
#include <thread>

namespace resin::tuning {

namespace {

/// What the interpreter does in some ten seconds. Kernels compute a piece of a batch; none of ours is larger.
constexpr int64_t kMostOperations = 8'000'000'000;
/// A round counts if the yardstick stayed within this share of its best.
constexpr double kSteady = 0.93;
/// How much faster a neighbour must be for the search to move, and the winner for the default to be given up.
constexpr double kStep = 0.99, kWin = 0.98;
constexpr double kSampleSeconds = 2e-4;
constexpr size_t kFinalRounds = 15;

} // namespace

struct Tuner::Candidate {
  Knobs knobs;
  std::unique_ptr<codegen::LoadedKernels> library;
  void *function;
  double error;                ///< of its check
  std::vector<double> samples; ///< seconds of a call, by round

  double best() const { return quantile(samples, 0); }
  double median() const { return quantile(samples, 0.5); }
};

class Tuner::Search {
public:
  Search(const TuningSubject &subject, const TunerOptions &options) : subject(subject), options(options) {
    for (int i = 0; i < copiesToTime(spec); ++i)
      arenas.emplace_back(spec);
  }

  bool prepare(std::string &error);
  std::vector<Candidate *> compile(const std::vector<Knobs> &list, double deadline);
  /// Races in heats, `kept` in all of them, until two are left; returns the faster.
  Candidate *race(std::vector<Candidate *> runners, Candidate *kept);
  /// Times both for the record; false if it was stopped before the first round.
  bool runFinal(Candidate &winner, Candidate &untuned);
  TuningRecord recordOf(const Candidate &winner, const Candidate &untuned);
  const std::string &lastMistake() const { return mistake; }

private:
  const TuningSubject &subject;
  const KernelSpec &spec = subject.spec;
  const TunerOptions &options;
  std::deque<KernelArena> arenas; ///< that calls use in turns
  size_t turn = 0;
  std::unique_ptr<KernelTrial> trial;
  std::deque<Candidate> candidates; ///< all that passed the check
  double bestRate = 0;
  std::string mistake;

  void runRounds(const std::vector<Candidate *> &runners, size_t rounds);
  void call(const Candidate &candidate);
  double timeOnce(const Candidate &candidate);
};

bool Tuner::Search::prepare(std::string &error) {
  if (floatingPointOperations(spec) > kMostOperations) {
    error = "too large for the interpreter to check";
    return false;
  }
  trial = KernelTrial::create(spec, 1, error);
  return trial != nullptr;
}

std::vector<Tuner::Candidate *> Tuner::Search::compile(const std::vector<Knobs> &list, double deadline) {
  const unsigned jobs = options.jobs ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
  auto isGradient = [](const KernelNode &node) { return node.op.starts_with("conv2d_grad"); };
  const double tolerance = std::ranges::any_of(spec.nodes, isGradient) ? 1e-4 : 1e-5;
  std::vector<Candidate *> result;
  for (size_t at = 0; at < list.size() && !options.isStopped() && (at == 0 || wallSeconds() < deadline); at += jobs) {
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
      auto library = codegen::LoadedKernels::load({kernels[i]}, error);
      void *function = library ? library->find(kernels[i].symbol) : nullptr;
      std::string wrong = function ? "" : error;
      if (function)
        onKernelStack([&] { wrong = trial->check(function, tolerance); });
      if (wrong.empty())
        result.push_back(&candidates.emplace_back(
            Candidate{requests[i].knobs, std::move(library), function, trial->worstError(), {}}));
      else
        mistake = printKnobs(requests[i].knobs) + ": " + wrong;
    }
  }
  return result;
}

void Tuner::Search::call(const Candidate &candidate) {
  codegen::callKernel(candidate.function, arenas[turn++ % arenas.size()].addresses());
}

double Tuner::Search::timeOnce(const Candidate &candidate) {
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

void Tuner::Search::runRounds(const std::vector<Candidate *> &runners, size_t rounds) {
  // Where the machine never keeps still, what there is must do.
  for (size_t counted = 0, tries = 0; counted < rounds && tries < 3 * rounds && !options.isStopped(); ++tries) {
    const double before = multiplyAddRate();
    std::vector<double> times;
    for (Candidate *runner : runners) {
      call(*runner);
      times.push_back(timeOnce(*runner));
    }
    const double rate = std::min(before, multiplyAddRate());
    bestRate = std::max({bestRate, before, rate});
    if (rate < kSteady * bestRate && tries + 1 < 3 * rounds - (rounds - counted - 1))
      continue;
    ++counted;
    for (size_t i = 0; i < runners.size(); ++i)
      runners[i]->samples.push_back(times[i]);
  }
}

Tuner::Candidate *Tuner::Search::race(std::vector<Candidate *> runners, Candidate *kept) {
  auto faster = [](const Candidate *a, const Candidate *b) { return a->best() < b->best(); };
  std::erase(runners, kept);
  runners.insert(runners.begin(), kept);
  for (Candidate *runner : runners)
    runner->samples.clear();
  for (size_t rounds = 3;; rounds += 2) {
    onKernelStack([&] { runRounds(runners, rounds); });
    if (kept->samples.empty())
      return kept; // stopped before the first round was over
    std::sort(runners.begin() + 1, runners.end(), faster);
    if (runners.size() <= 2)
      return *std::min_element(runners.begin(), runners.end(), faster);
    runners.resize(1 + runners.size() / 2);
  }
}

bool Tuner::Search::runFinal(Candidate &winner, Candidate &untuned) {
  winner.samples.clear(), untuned.samples.clear();
  std::vector<Candidate *> runners = {&untuned};
  if (&winner != &untuned)
    runners.push_back(&winner);
  onKernelStack([&] { runRounds(runners, kFinalRounds); });
  return !untuned.samples.empty();
}

TuningRecord Tuner::Search::recordOf(const Candidate &winner, const Candidate &untuned) {
  auto nanoseconds = [](double seconds) { return std::max<int64_t>(1, std::llround(seconds * 1e9)); };
  TuningRecord record{.target = options.target.name,
                      .cpu = cpuModel(),
                      .version = codegen::codegenVersion(),
                      .spec = print(spec),
                      .numerics = subject.numerics,
                      .knobs = winner.knobs};
  record.median = nanoseconds(winner.median());
  record.spread = std::llround((quantile(winner.samples, 0.75) - quantile(winner.samples, 0.25)) * 1e9);
  record.untuned = nanoseconds(untuned.median());
  record.error = std::llround(winner.error * 1e9);
  return record;
}

std::optional<TuningRecord> Tuner::tune(const TuningSubject &subject, const Knobs &hint, double seconds,
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
    error = options.isStopped() ? "stopped" : "its default does not pass the check: " + search.lastMistake();
    return std::nullopt;
  }
  Candidate *untuned = runners[0];
  Candidate *best = search.race(runners, untuned);
  while (!options.isStopped() && wallSeconds() < deadline) {
    options.report(std::to_string(seen.size()) + " candidates, best " + printKnobs(best->knobs));
    list.clear();
    for (const Knobs &knobs : space->neighbours(best->knobs))
      if (seen.insert(knobs).second)
        list.push_back(knobs);
    if (list.empty())
      break;
    Candidate *fastest = search.race(search.compile(list, deadline), best);
    if (fastest == best || fastest->samples.empty() || best->samples.empty() || fastest->best() > kStep * best->best())
      break;
    best = fastest;
  }
  if (!search.runFinal(*best, *untuned)) {
    error = "stopped";
    return std::nullopt;
  }
  const bool wins = best->best() < kWin * untuned->best() && best->median() < kWin * untuned->median();
  return search.recordOf(wins ? *best : *untuned, *untuned);
}

std::optional<TuningRecord> Tuner::measure(const TuningSubject &subject, const Knobs &knobs, std::string &error) {
  Search search(subject, options);
  if (!search.prepare(error))
    return std::nullopt;
  const Knobs untuned =
      codegen::backendOf(options.target).plan(subject.spec, options.target)->untuned(subject.numerics);
  std::vector<Candidate *> both = search.compile({untuned, knobs}, wallSeconds() + 1e6);
  if (both.size() == 1 && knobs == untuned)
    both.push_back(both[0]);
  if (both.size() < 2 || !search.runFinal(*both[1], *both[0])) {
    error = options.isStopped() ? "stopped" : search.lastMistake();
    return std::nullopt;
  }
  return search.recordOf(*both[1], *both[0]);
}

} // namespace resin::tuning
