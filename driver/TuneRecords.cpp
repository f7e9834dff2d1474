//===- TuneRecords.cpp - What a tuning run knows and finds ----------------===//

#include "driver/TuneRecords.h"

#include "tuning/ChooseKnobs.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace resin;

std::string resin::withNumerics(const std::string &name, codegen::Numerics numerics) {
  return name + (numerics == codegen::Numerics::Strict ? " (strict)" : "");
}

double resin::gainOf(const tuning::TuningRecord &record) { return double(record.untuned) / record.median; }

TuneRecords::TuneRecords(TargetInfo target, std::string path) : target(std::move(target)), path(std::move(path)) {
  std::string warning;
  known = tuning::readDatabase(this->path, warning);
  if (!warning.empty())
    llvm::errs() << "resin: warning: " << warning << "\n";
}

Status TuneRecords::openForWriting() {
  std::string error;
  database = tuning::TuningDatabase::open(path, error);
  return database ? Status() : Status(ExitCode::CannotCreate, error);
}

void TuneRecords::save(const tuning::TuningRecord &record) {
  std::string error;
  if (!database->put(record, error)) {
    llvm::errs() << "resin: warning: " << error << "\n";
    losing = true;
  }
  found.push_back(record);
}

const tuning::TuningRecord *TuneRecords::findKnown(const std::string &spec, codegen::Numerics numerics) const {
  const std::string cpu = tuning::cpuModel(), version = codegen::codegenVersion();
  for (const tuning::TuningRecord &record : known)
    if (record.spec == spec && record.numerics == numerics && record.target == target.name && record.cpu == cpu &&
        record.version == version)
      return &record;
  return nullptr;
}

Knobs TuneRecords::chooseFor(const tuning::TuningSubject &kernel) const {
  std::string ignored;
  std::vector<tuning::TuningRecord> all = found;
  all.insert(all.end(), known.begin(), known.end());
  return tuning::KnobChooser(all, tuning::readRecordLines(tuning::shippedRecords(), ignored), target,
                             tuning::cpuModel(), codegen::codegenVersion(), kernel.numerics)
      .choose(kernel.spec)
      .knobs;
}

bool TuneRecords::name(const std::string &signature, const std::string &title) {
  return titles.try_emplace(signature, title).second;
}

std::string TuneRecords::titleOf(const tuning::TuningRecord &record) const {
  if (auto title = titles.find(record.spec); title != titles.end())
    return withNumerics(title->second, record.numerics);
  KernelSpec spec;
  std::string error;
  parse(record.spec, spec, error);
  return withNumerics(symbol(spec), record.numerics);
}

void TuneRecords::printGains() const {
  if (found.empty())
    return;
  std::vector<tuning::TuningRecord> sorted = found;
  llvm::sort(sorted, [&](const auto &a, const auto &b) {
    return std::pair(-gainOf(a), a.spec) < std::pair(-gainOf(b), b.spec);
  });
  llvm::outs() << llvm::formatv("{0,6}  {1,10}  {2,10}  kernel by knobs\n", "gain", "default us", "tuned us");
  double untuned = 0, tuned = 0;
  size_t count = 0;
  for (const tuning::TuningRecord &record : sorted) {
    const bool isKernel = !tuning::isEntry(record.spec);
    llvm::outs() << llvm::formatv("{0,5:f2}x  {1,10:f1}  {2,10:f1}  {3} by {4}\n", gainOf(record),
                                  record.untuned * 1e-3, record.median * 1e-3, titleOf(record),
                                  printKnobs(record.knobs));
    if (isKernel)
      ++count, untuned += record.untuned, tuned += record.median;
  }
  if (count)
    llvm::outs() << llvm::formatv("{0} kernels, once each: {1:f1} us by their defaults, {2:f1} us tuned\n", count,
                                  untuned * 1e-3, tuned * 1e-3);
}
