//===- Tune.cpp - `resin tune`: find faster knobs -------------------------===//
//
//   1. Collect the entry functions of the networks, and their kernels, the heaviest
//      first.
//   2. Search for how each network's entry functions are best fused, in a third of
//      the budget; then the kernels that follow from it are collected.
//   3. Search the knobs of each kernel within its share of the rest. What is found is
//      saved at once.
//   4. Print what was gained.
//
//===----------------------------------------------------------------------===//

#include "driver/Tune.h"

#include "codegen/KernelLibrary.h"
#include "machine/Targets.h"
#include "support/Files.h"
#include "support/Leavings.h"
#include "driver/Paths.h"
#include "driver/TuneEntries.h"
#include "tuning/ChooseKnobs.h"
#include "tuning/KernelClock.h"
#include "tuning/Tuner.h"
#include "tuning/TuningDatabase.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstdlib>
#include <unistd.h>

using namespace resin;
using llvm::StringRef;

static volatile std::sig_atomic_t interrupted = 0; ///< by which signal
static constexpr int kAskedToStop[] = {SIGINT, SIGTERM, SIGHUP};

/// The first asks, the second kills.
static void interrupt(int signal) {
  interrupted = signal;
  for (int each : kAskedToStop)
    cleanUpOn(each);
}

static void stopWhenAsked() {
  struct sigaction action = {};
  action.sa_handler = interrupt;
  action.sa_flags = SA_RESTART;
  for (int signal : kAskedToStop)
    if (struct sigaction before; sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
}

std::string resin::tuningDatabase(const std::string &chosen) {
  if (!chosen.empty())
    return chosen;
  std::string folder = cacheDirectory();
  return folder.empty() ? "" : folder + "/tuning.db";
}

/// "90", "90s", "10m" or "2h" in seconds; 0 for anything else.
static double readBudget(StringRef text) {
  double unit = 1, value = 0;
  if (text.consume_back("h"))
    unit = 3600;
  else if (text.consume_back("m"))
    unit = 60;
  else
    text.consume_back("s");
  return text.getAsDouble(value) || !(value > 0 && value < 1e6) ? 0 : value * unit;
}

/// The `models` folder of the source tree that this executable was built in.
static std::vector<std::string> zooOf(StringRef resinPath) {
  llvm::SmallString<256> folder = llvm::sys::path::parent_path(resinPath);
  llvm::sys::path::append(folder, "..", "..", "models");
  std::vector<std::string> files;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (llvm::sys::path::extension(at->path()) == ".resin")
      files.push_back(at->path());
  llvm::sort(files);
  return files;
}

namespace {

class TuneRun {
public:
  TuneRun(const TuneRequest &request, TargetInfo target, std::string path)
      : request(request), target(std::move(target)), path(std::move(path)),
        tuner({.target = this->target,
               .jobs = request.build.jobs,
               .isStopped = [] { return interrupted != 0; },
               .report = [this](const std::string &text) { showProgress(text); }}) {}

  int run();

private:
  const TuneRequest &request;
  const TargetInfo target;
  const std::string path;
  tuning::Tuner tuner;
  std::unique_ptr<tuning::TuningDatabase> database;
  struct Network {
    BuildOptions build;
    std::vector<EntryPoint> entries; ///< that no network before it has
    codegen::Numerics numerics;
  };
  std::vector<Network> networks;
  std::vector<tuning::TuningSubject> kernels; ///< to do, heaviest first
  std::map<std::string, std::string> titles;  ///< of entry functions, by signature
  std::vector<tuning::TuningRecord> known, found;
  size_t doneBefore = 0; ///< kernels and entry functions that --resume leaves out
  size_t failures = 0;   ///< kernels and networks that could not be tuned
  bool isLosing = false; ///< records could not be saved
  size_t current = 0;
  double deadline = 0;

  /// What a build would choose from what is known so far.
  Knobs chooseFor(const tuning::TuningSubject &kernel) const;
  int collectFiles(std::vector<std::string> &files) const;
  int collectNetworks(const std::vector<std::string> &files);
  int collectKernels();
  void searchEntries();
  void searchKernels();
  void save(const tuning::TuningRecord &record);
  int verify();
  EntryTunerOptions optionsOf(const Network &network) const;
  std::string titleOf(const tuning::TuningRecord &record) const;
  void showProgress(const std::string &text) const;
  void clearProgress() const;
  void printGains() const;
  int settle() const;
  const tuning::TuningRecord *findKnown(const std::string &spec, codegen::Numerics numerics) const;
};

} // namespace

/// A name, and the numerics where they are not the usual ones.
static std::string withNumerics(const std::string &name, codegen::Numerics numerics) {
  return name + (numerics == codegen::Numerics::Strict ? " (strict)" : "");
}

std::string TuneRun::titleOf(const tuning::TuningRecord &record) const {
  if (auto title = titles.find(record.spec); title != titles.end())
    return withNumerics(title->second, record.numerics);
  KernelSpec spec;
  std::string error;
  parse(record.spec, spec, error);
  return withNumerics(symbol(spec), record.numerics);
}

const tuning::TuningRecord *TuneRun::findKnown(const std::string &spec, codegen::Numerics numerics) const {
  const std::string cpu = tuning::cpuModel(), version = codegen::codegenVersion();
  for (const tuning::TuningRecord &record : known)
    if (record.spec == spec && record.numerics == numerics && record.target == target.name && record.cpu == cpu && record.version == version)
      return &record;
  return nullptr;
}

Knobs TuneRun::chooseFor(const tuning::TuningSubject &kernel) const {
  std::string ignored;
  std::vector<tuning::TuningRecord> all = found;
  all.insert(all.end(), known.begin(), known.end());
  return tuning::KnobChooser(all, tuning::readRecordLines(tuning::shippedRecords(), ignored), target, tuning::cpuModel(),
                             codegen::codegenVersion(), kernel.numerics)
      .choose(kernel.spec)
      .knobs;
}

int TuneRun::collectFiles(std::vector<std::string> &files) const {
  files = request.files;
  if (!request.zoo)
    return kOk;
  const std::vector<std::string> zoo = zooOf(request.build.resinPath);
  files.insert(files.end(), zoo.begin(), zoo.end());
  if (!zoo.empty())
    return kOk;
  return complain(Status::noInput("there is no models folder beside the build that holds ", request.build.resinPath, ": name the files"));
}

int TuneRun::collectNetworks(const std::vector<std::string> &files) {
  for (const std::string &file : files) {
    Network network{.build = request.build, .entries = {}, .numerics = {}};
    network.build.file = file;
    network.build.database = path;
    network.build.quiet = true;
    ProgramParts parts;
    if (int code = collectParts(network.build, parts))
      return code;
    network.numerics = parts.numerics;
    for (EntryPoint &entry : parts.entries)
      if (titles.try_emplace(entry.signature, entry.name + " of " + llvm::sys::path::stem(file).str()).second)
        network.entries.push_back(std::move(entry));
    networks.push_back(std::move(network));
  }
  return kOk;
}

/// As the records say by now how entry functions are fused.
int TuneRun::collectKernels() {
  llvm::StringSet<> seen;
  for (const Network &network : networks) {
    ProgramParts parts;
    if (int code = collectParts(network.build, parts))
      return code;
    for (KernelSpec &spec : parts.kernels)
      if (seen.insert(print(spec) + codegen::nameOf(parts.numerics)).second && !codegen::backendOf(target).plan(spec, target)->untuned().empty())
        kernels.push_back({std::move(spec), parts.numerics});
  }
  auto keyOf = [](const tuning::TuningSubject &kernel) {
    return std::tuple(-floatingPointOperations(kernel.spec), print(kernel.spec), kernel.numerics);
  };
  llvm::sort(kernels, [&](const auto &a, const auto &b) { return keyOf(a) < keyOf(b); });
  return kOk;
}

void TuneRun::showProgress(const std::string &text) const {
  if (!isatty(STDERR_FILENO))
    return;
  const int left = std::max(0.0, deadline - tuning::wallSeconds());
  llvm::errs() << llvm::formatv("\r\x1b[K[{0}/{1}] {2}m{3:2}s left  {4}", current + 1, kernels.empty() ? networks.size() : kernels.size(), left / 60, left % 60, text);
}

void TuneRun::clearProgress() const {
  if (isatty(STDERR_FILENO))
    llvm::errs() << "\r\x1b[K";
}

void TuneRun::save(const tuning::TuningRecord &record) {
  std::string error;
  if (!database->put(record, error)) {
    llvm::errs() << "resin: warning: " << error << "\n";
    isLosing = true;
  }
  found.push_back(record);
}

EntryTunerOptions TuneRun::optionsOf(const Network &network) const {
  return {.build = network.build,
          .target = target,
          .isStopped = [] { return interrupted != 0; },
          .report = [this](const std::string &text) { showProgress(text); }};
}

void TuneRun::searchEntries() {
  const double end = tuning::wallSeconds() + (deadline - tuning::wallSeconds()) / (request.only.empty() ? 3 : 1);
  size_t left = 0;
  for (current = 0; current < networks.size() && !interrupted; ++current) {
    Network &network = networks[current];
    const size_t all = network.entries.size();
    if (request.resume)
      llvm::erase_if(network.entries, [&](const EntryPoint &entry) { return findKnown(entry.signature, network.numerics); });
    doneBefore += all - network.entries.size();
    if (network.entries.empty())
      continue;
    left += network.entries.size();
    if (tuning::wallSeconds() >= end)
      continue;
    std::string error;
    EntryTuner entryTuner(optionsOf(network), network.numerics);
    const std::vector<tuning::TuningRecord> records = entryTuner.tune(network.entries, (end - tuning::wallSeconds()) / (networks.size() - current), error);
    clearProgress();
    if (!error.empty() && !interrupted) {
      llvm::errs() << "resin: warning: " << llvm::sys::path::filename(network.build.file) << ": " << error << "\n";
      ++failures;
    }
    for (const tuning::TuningRecord &record : records) {
      save(record);
      --left;
      llvm::errs() << llvm::formatv("{0}: {1:f2}x by {2}\n", titleOf(record), double(record.untuned) / record.median,
                                    print(*fusionKnobsFrom(record.knobs)));
    }
  }
  if (left)
    llvm::errs() << llvm::formatv("resin: {0} entry functions are left: go on with --resume\n", left);
}

void TuneRun::searchKernels() {
  const size_t all = kernels.size();
  if (request.resume)
    llvm::erase_if(kernels, [&](const tuning::TuningSubject &kernel) { return findKnown(print(kernel.spec), kernel.numerics); });
  doneBefore += all - kernels.size();
  llvm::errs() << llvm::formatv("resin: {0} kernels to tune, {1} are done; records go to '{2}'\n", kernels.size(), all - kernels.size(), path);
  for (current = 0; current < kernels.size() && !interrupted && tuning::wallSeconds() < deadline; ++current) {
    const tuning::TuningSubject &kernel = kernels[current];
    const std::string title = withNumerics(symbol(kernel.spec), kernel.numerics);
    showProgress(title);
    std::string error;
    const double share = (deadline - tuning::wallSeconds()) / (kernels.size() - current);
    std::optional<tuning::TuningRecord> record = tuner.tune(kernel, chooseFor(kernel), share, error);
    clearProgress();
    if (!record) {
      if (!interrupted) {
        llvm::errs() << "resin: warning: " << title << " was left out: " << error << "\n";
        ++failures;
      }
      continue;
    }
    save(*record);
    llvm::errs() << llvm::formatv("[{0}/{1}] {2}: {3:f2}x by {4}\n", current + 1, kernels.size(), title,
                                  double(record->untuned) / record->median, printKnobs(record->knobs));
  }
  if (current < kernels.size())
    llvm::errs() << llvm::formatv("resin: {0} kernels are left: go on with --resume\n", kernels.size() - current);
}

void TuneRun::printGains() const {
  if (found.empty())
    return;
  std::vector<tuning::TuningRecord> sorted = found;
  auto gain = [](const tuning::TuningRecord &record) { return double(record.untuned) / record.median; };
  llvm::sort(sorted, [&](const auto &a, const auto &b) { return std::pair(-gain(a), a.spec) < std::pair(-gain(b), b.spec); });
  llvm::outs() << llvm::formatv("{0,6}  {1,10}  {2,10}  kernel by knobs\n", "gain", "default us", "tuned us");
  double untuned = 0, tuned = 0;
  size_t count = 0;
  for (const tuning::TuningRecord &record : sorted) {
    const bool isKernel = !tuning::isEntry(record.spec);
    llvm::outs() << llvm::formatv("{0,5:f2}x  {1,10:f1}  {2,10:f1}  {3} by {4}\n", gain(record), record.untuned * 1e-3,
                                  record.median * 1e-3, titleOf(record), printKnobs(record.knobs));
    if (isKernel)
      ++count, untuned += record.untuned, tuned += record.median;
  }
  if (count)
    llvm::outs() << llvm::formatv("{0} kernels, once each: {1:f1} us by their defaults, {2:f1} us tuned\n", count, untuned * 1e-3, tuned * 1e-3);
}

/// Measures every n-th kernel's record again, eight at most, and those of all entry functions.
int TuneRun::verify() {
  llvm::erase_if(kernels, [&](const tuning::TuningSubject &kernel) { return !findKnown(print(kernel.spec), kernel.numerics); });
  const size_t step = kernels.size() / 8 + 1;
  size_t checked = 0, held = 0;
  auto compare = [&](const tuning::TuningRecord &before, const tuning::TuningRecord *again, const std::string &error) {
    clearProgress();
    ++checked;
    if (!again) {
      llvm::outs() << titleOf(before) << ": " << error << "\n";
      return;
    }
    const double was = double(before.untuned) / before.median, is = double(again->untuned) / again->median;
    held += is > 0.95 * was;
    llvm::outs() << llvm::formatv("{0,5:f2}x was {1,5:f2}x  {2}\n", is, was, titleOf(before));
  };
  for (current = 0; current < kernels.size() && !interrupted; current += step) {
    const tuning::TuningRecord *before = findKnown(print(kernels[current].spec), kernels[current].numerics);
    std::string error;
    showProgress(titleOf(*before));
    const std::optional<tuning::TuningRecord> again = tuner.measure(kernels[current], before->knobs, error);
    compare(*before, again ? &*again : nullptr, error);
  }
  for (const Network &network : networks)
    for (const EntryPoint &entry : network.entries)
      if (const tuning::TuningRecord *before = findKnown(entry.signature, network.numerics); before && !interrupted) {
        std::string error;
        EntryTuner entryTuner(optionsOf(network), network.numerics);
        const std::optional<tuning::TuningRecord> again = entryTuner.measure(entry, *fusionKnobsFrom(before->knobs), error);
        compare(*before, again ? &*again : nullptr, error);
      }
  llvm::outs() << llvm::formatv("{0} records measured again, {1} of them gain what they say, within 5 %\n", checked, held);
  if (interrupted)
    return 128 + interrupted;
  if (checked == 0)
    return complain({ExitCode::Failure, "there is no record of these networks to measure again: tune them first"});
  return checked == held ? kOk : kFailure;
}

int TuneRun::run() {
  std::string warning, error;
  known = tuning::readDatabase(path, warning);
  if (!warning.empty())
    llvm::errs() << "resin: warning: " << warning << "\n";
  std::vector<std::string> files;
  if (int code = collectFiles(files))
    return code;
  if (int code = collectNetworks(files))
    return code;
  stopWhenAsked();
  const bool wantsKernels = request.only != "entries", wantsEntries = request.only != "kernels";
  if (request.verify) {
    if (int code = wantsKernels ? collectKernels() : kOk)
      return code;
    if (!wantsEntries)
      networks.clear();
    return verify();
  }
  database = tuning::TuningDatabase::open(path, error);
  if (!database)
    return complain(Status(ExitCode::CannotCreate, error));
  deadline = tuning::wallSeconds() + readBudget(request.budget);
  if (wantsEntries)
    searchEntries();
  if (wantsKernels && !interrupted) {
    if (int code = collectKernels())
      return code;
    searchKernels();
  }
  printGains();
  return settle();
}

int TuneRun::settle() const {
  if (isLosing)
    return complain(Status::ioError("records were lost: '", path, "' cannot be written"));
  if (interrupted)
    return 128 + interrupted;
  // Of many, some may be too large to check; but not all.
  if (failures && found.empty() && !doneBefore)
    return complain({ExitCode::Failure, "nothing could be tuned; the warnings say why"});
  return kOk;
}

/// Writes the records of the database as the text that comes with Resin.
static int exportRecords(const std::string &path, const std::string &file) {
  const std::string output = file == "-" ? "/dev/stdout" : file;
  if (Status status = checkOutput(output, {path}); status.failed())
    return complain(status);
  std::string warning;
  std::vector<tuning::TuningRecord> records = tuning::readDatabase(path, warning);
  if (!warning.empty())
    llvm::errs() << "resin: warning: " << warning << "\n";
  std::vector<std::string> lines;
  for (const tuning::TuningRecord &record : records)
    lines.push_back(printRecord(record));
  llvm::sort(lines);
  const std::string head = "# Tuning records that come with Resin: written by `resin tune --export`, never by hand.\n"
                           "# target\tcpu\tthreads\tversion\tspec\tknobs\tmedian ns\tspread ns\tuntuned ns\terror 1e-9\tnumerics\n";
  lines.push_back(""); // a line ends with its end
  return complain(writeOutput(output, head + llvm::join(lines, "\n")));
}

int resin::tune(const TuneRequest &request) {
  const std::string path = tuningDatabase(request.build.database);
  if (path.empty())
    return complain(Status::usage("there is no cache folder, since HOME is not set: name a file with --database"));
  if (!request.exportTo.empty())
    return exportRecords(path, request.exportTo);
  if (request.files.empty() && !request.zoo)
    return complain(Status::usage("name the networks to tune, or --zoo"));
  if (readBudget(request.budget) <= 0)
    return complain(Status::usage("--budget wants a time like 90s, 10m or 2h, not '", request.budget, "'"));
  TargetInfo target;
  std::string error;
  if (!findTarget(request.build.target, target, error))
    return complain(Status::usage(error));
  if (std::vector<std::string> missing = missingFeatures(target); !missing.empty())
    return complain(Status::usage("this CPU cannot run ", target.name, ": it lacks ", missing[0]));
  return TuneRun(request, target, path).run();
}
