//===- TuneRecords.h - What a tuning run knows and finds --------*- C++ -*-===//

#ifndef RESIN_DRIVER_TUNERECORDS_H
#define RESIN_DRIVER_TUNERECORDS_H

#include "support/Status.h"
#include "tuning/KernelSearch.h"
#include "tuning/TuningDatabase.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace resin {

/// A name, and the numerics where they are not the usual ones.
std::string withNumerics(const std::string &name, codegen::Numerics numerics);
/// How many times faster than untuned.
double gainOf(const tuning::TuningRecord &record);

/// The user's records: those that were there, and those that this run adds.
class TuneRecords {
public:
  /// Reads what is there; says so if that is damaged.
  TuneRecords(TargetInfo target, std::string path);

  Status openForWriting();
  void save(const tuning::TuningRecord &record);

  /// A record of this machine and version that was there before; null if there is none.
  const tuning::TuningRecord *findKnown(const std::string &spec, codegen::Numerics numerics) const;
  /// What a build would choose from what is known so far.
  Knobs chooseFor(const tuning::TuningSubject &kernel) const;

  /// Remembers how an entry function is called; whether it is new.
  bool name(const std::string &signature, const std::string &title);
  std::string titleOf(const tuning::TuningRecord &record) const;

  /// A table of what was found, the largest gain first.
  void printGains() const;

  const std::string &file() const { return path; }
  bool foundAny() const { return !found.empty(); }
  bool isLosing() const { return losing; } ///< records could not be saved

private:
  const TargetInfo target;
  const std::string path;
  std::unique_ptr<tuning::TuningDatabase> database;
  std::vector<tuning::TuningRecord> known, found;
  std::map<std::string, std::string> titles; ///< of entry functions, by signature
  bool losing = false;
};

} // namespace resin

#endif // RESIN_DRIVER_TUNERECORDS_H
