//===- TuneRun.cpp - One run of `resin tune` ------------------------------===//
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

#include "driver/TuneRun.h"

#include "codegen/Backends.h"
#include "driver/Compiler.h"
#include "driver/EntryPrograms.h"
#include "driver/Told.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace resin;
using tuning::wallSeconds;

TuneRun::TuneRun(const TuneRequest &request, TargetInfo target, const std::string &path, std::function<int()> signal)
    : request(request), target(std::move(target)), signal(std::move(signal)), records(this->target, path),
      kernelSearch({.target = this->target, .jobs = request.build.jobs, .hooks = hooks()}) {}

tuning::SearchHooks TuneRun::hooks() const {
  return {.isStopped = [this] { return isStopped(); },
          .report = [this](const std::string &text) { showProgress(text); }};
}

//===----------------------------------------------------------------------===//
// 1. Networks and their kernels
//===----------------------------------------------------------------------===//

Status TuneRun::collectNetworks(const std::vector<std::string> &files) {
  for (const std::string &file : files) {
    Network network{.build = request.build, .entries = {}, .numerics = {}};
    network.build.file = file;
    network.build.database = records.file();
    network.build.quiet = true;
    ProgramParts parts;
    if (Status status = collectParts(network.build, parts); status.failed())
      return status;
    network.numerics = parts.numerics;
    for (tuning::EntryPoint &entry : parts.entries)
      if (records.name(entry.signature, entry.name + " of " + llvm::sys::path::stem(file).str()))
        network.entries.push_back(std::move(entry));
    networks.push_back(std::move(network));
  }
  return {};
}

/// As the records say by now how entry functions are fused.
Status TuneRun::collectKernels() {
  llvm::StringSet<> seen;
  for (const Network &network : networks) {
    ProgramParts parts;
    if (Status status = collectParts(network.build, parts); status.failed())
      return status;
    for (KernelSpec &spec : parts.kernels)
      if (seen.insert(print(spec) + codegen::nameOf(parts.numerics)).second &&
          !codegen::backendOf(target).plan(spec, target)->untuned().empty())
        kernels.push_back({std::move(spec), parts.numerics});
  }
  auto keyOf = [](const tuning::TuningSubject &kernel) {
    return std::tuple(-floatingPointOperations(kernel.spec), print(kernel.spec), kernel.numerics);
  };
  llvm::sort(kernels, [&](const auto &a, const auto &b) { return keyOf(a) < keyOf(b); });
  return {};
}

//===----------------------------------------------------------------------===//
// 2. and 3. Searches
//===----------------------------------------------------------------------===//

void TuneRun::showProgress(const std::string &text) const {
  if (!isatty(STDERR_FILENO))
    return;
  const int left = std::max(0.0, deadline - wallSeconds());
  llvm::errs() << llvm::formatv("\r\x1b[K[{0}/{1}] {2}m{3:2}s left  {4}", current + 1,
                                kernels.empty() ? networks.size() : kernels.size(), left / 60, left % 60, text);
}

void TuneRun::clearProgress() const {
  if (isatty(STDERR_FILENO))
    llvm::errs() << "\r\x1b[K";
}

tuning::EntrySearchOptions TuneRun::optionsOf(const Network &network) const {
  return {.target = target, .numerics = network.numerics, .hooks = hooks()};
}

void TuneRun::searchEntriesOf(Network &network, double seconds) {
  std::string error;
  EntryPrograms programs(network.build);
  tuning::EntrySearch search(programs, optionsOf(network));
  const std::vector<tuning::TuningRecord> found = search.tune(network.entries, seconds, error);
  clearProgress();
  if (!error.empty() && !isStopped()) {
    llvm::errs() << "resin: warning: " << llvm::sys::path::filename(network.build.file) << ": " << error << "\n";
    ++failures;
  }
  for (const tuning::TuningRecord &record : found) {
    records.save(record);
    llvm::errs() << llvm::formatv("{0}: {1:f2}x by {2}\n", records.titleOf(record), gainOf(record),
                                  print(*fusionKnobsFrom(record.knobs)));
  }
  entriesLeft += network.entries.size() - found.size();
}

void TuneRun::searchEntries() {
  const double end = wallSeconds() + (deadline - wallSeconds()) / (wantsKernels() ? 3 : 1);
  for (current = 0; current < networks.size() && !isStopped(); ++current) {
    Network &network = networks[current];
    const size_t all = network.entries.size();
    if (request.resume)
      llvm::erase_if(network.entries, [&](const tuning::EntryPoint &entry) {
        return records.findKnown(entry.signature, network.numerics);
      });
    doneBefore += all - network.entries.size();
    if (network.entries.empty())
      continue;
    if (wallSeconds() < end)
      searchEntriesOf(network, (end - wallSeconds()) / (networks.size() - current));
    else
      entriesLeft += network.entries.size();
  }
  if (entriesLeft)
    llvm::errs() << llvm::formatv("resin: {0} entry functions are left: go on with --resume\n", entriesLeft);
}

void TuneRun::searchKernel(const tuning::TuningSubject &kernel, double seconds) {
  const std::string title = withNumerics(symbol(kernel.spec), kernel.numerics);
  showProgress(title);
  std::string error;
  const std::optional<tuning::TuningRecord> record =
      kernelSearch.tune(kernel, records.chooseFor(kernel), seconds, error);
  clearProgress();
  if (record) {
    records.save(*record);
    llvm::errs() << llvm::formatv("[{0}/{1}] {2}: {3:f2}x by {4}\n", current + 1, kernels.size(), title,
                                  gainOf(*record), printKnobs(record->knobs));
  } else if (!isStopped()) {
    llvm::errs() << "resin: warning: " << title << " was left out: " << error << "\n";
    ++failures;
  }
}

void TuneRun::searchKernels() {
  const size_t all = kernels.size();
  if (request.resume)
    llvm::erase_if(kernels, [&](const tuning::TuningSubject &kernel) {
      return records.findKnown(print(kernel.spec), kernel.numerics);
    });
  doneBefore += all - kernels.size();
  llvm::errs() << llvm::formatv("resin: {0} kernels to tune, {1} are done; records go to '{2}'\n", kernels.size(),
                                all - kernels.size(), records.file());
  for (current = 0; current < kernels.size() && !isStopped() && wallSeconds() < deadline; ++current)
    searchKernel(kernels[current], (deadline - wallSeconds()) / (kernels.size() - current));
  if (current < kernels.size())
    llvm::errs() << llvm::formatv("resin: {0} kernels are left: go on with --resume\n", kernels.size() - current);
}

Status TuneRun::search(double seconds) {
  if (Status status = records.openForWriting(); status.failed())
    return status;
  deadline = wallSeconds() + seconds;
  if (wantsEntries())
    searchEntries();
  if (wantsKernels() && !isStopped()) {
    if (Status status = collectKernels(); status.failed())
      return status;
    searchKernels();
  }
  records.printGains();
  return settle();
}

Status TuneRun::settle() const {
  if (records.isLosing())
    return Status::ioError("records were lost: '", records.file(), "' cannot be written");
  if (isStopped())
    return alreadyTold(static_cast<ExitCode>(128 + signal()));
  // Of many, some may be too large to check; but not all.
  if (failures && !records.foundAny() && !doneBefore)
    return {ExitCode::Failure, "nothing could be tuned; the warnings say why"};
  return {};
}

//===----------------------------------------------------------------------===//
// Verifying
//===----------------------------------------------------------------------===//

void TuneRun::compare(const tuning::TuningRecord &before, const std::optional<tuning::TuningRecord> &again,
                      const std::string &error) {
  clearProgress();
  ++checked;
  if (!again) {
    llvm::outs() << records.titleOf(before) << ": " << error << "\n";
    return;
  }
  const double was = gainOf(before), is = gainOf(*again);
  held += is > 0.95 * was;
  llvm::outs() << llvm::formatv("{0,5:f2}x was {1,5:f2}x  {2}\n", is, was, records.titleOf(before));
}

void TuneRun::verifyKernels() {
  llvm::erase_if(kernels, [&](const tuning::TuningSubject &kernel) {
    return !records.findKnown(print(kernel.spec), kernel.numerics);
  });
  const size_t step = kernels.size() / 8 + 1;
  for (current = 0; current < kernels.size() && !isStopped(); current += step) {
    const tuning::TuningRecord *before = records.findKnown(print(kernels[current].spec), kernels[current].numerics);
    std::string error;
    showProgress(records.titleOf(*before));
    const std::optional<tuning::TuningRecord> again = kernelSearch.measure(kernels[current], before->knobs, error);
    compare(*before, again, error);
  }
}

void TuneRun::verifyEntries() {
  for (const Network &network : networks)
    for (const tuning::EntryPoint &entry : network.entries)
      if (const tuning::TuningRecord *before = records.findKnown(entry.signature, network.numerics);
          before && !isStopped()) {
        std::string error;
        EntryPrograms programs(network.build);
        tuning::EntrySearch search(programs, optionsOf(network));
        const std::optional<tuning::TuningRecord> again = search.measure(entry, *fusionKnobsFrom(before->knobs), error);
        compare(*before, again, error);
      }
}

Status TuneRun::verify() {
  if (wantsKernels()) {
    if (Status status = collectKernels(); status.failed())
      return status;
    verifyKernels();
  }
  if (wantsEntries())
    verifyEntries();
  llvm::outs() << llvm::formatv("{0} records measured again, {1} of them gain what they say, within 5 %\n", checked,
                                held);
  if (isStopped())
    return alreadyTold(static_cast<ExitCode>(128 + signal()));
  if (checked == 0)
    return {ExitCode::Failure, "there is no record of these networks to measure again: tune them first"};
  return checked == held ? Status() : alreadyTold(ExitCode::Failure);
}
