//===- TuningRecord.h - What tuning found out about a kernel ----*- C++ -*-===//
//
// A record says under which knobs one kernel, or the fusion of one entry function, was
// fastest on one machine, and by how much. Records come from files that may be old, damaged or made by somebody else:
// they are checked when they are read, and a template is asked before its knobs are
// used, so that a record can at worst make a program slow.
//
// As a line of text, with tabs between the fields:
//   target  cpu  threads  version  spec  knobs  median  spread  untuned  error  numerics
//
// Records of before searches knew numerics lack the last field: they raced all forms,
// which is `fast`. Those of before knobs had names have their numbers alone, "4,1,1,2".
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_TUNINGRECORD_H
#define RESIN_TUNING_TUNINGRECORD_H

#include "codegen/Backend.h"

#include <cstdint>
#include <string>
#include <vector>

namespace resin::tuning {

struct TuningRecord {
  // The key.
  std::string target;  ///< `x86-64-v3`
  std::string cpu;     ///< as `cpuModel` says it
  int64_t threads = 1; ///< that were busy with the kernel, or ran the entry function
  std::string version; ///< `codegenVersion` of what was measured
  std::string spec;    ///< canonical text; of an entry function its signature (`isEntry`)
  /// What the search raced: all forms, or those that strict programs may use.
  codegen::Numerics numerics = codegen::Numerics::Fast;
  // The value: integers.
  Knobs knobs;                    ///< of an entry function: FusionKnobs
  int64_t median = 0, spread = 0; ///< nanoseconds of a call, and between the quartiles
  int64_t untuned = 0;            ///< median of these numerics' default, in the same rounds
  int64_t error = 0;              ///< greatest error beside a result's largest magnitude, in 1e-9; of an entry
                                  ///< function beside what its default makes

  bool operator==(const TuningRecord &) const = default;
};

/// Whether a record's spec is an entry function's signature: "entry", its name and 16 hex digits, with blanks between.
bool isEntry(const std::string &spec);

/// Reads the field of a record whose target and spec are known; old ones had numbers alone, which get their names.
/// False if it is no list of knobs.
bool readRecordKnobs(const std::string &text, TuningRecord &record);

/// What is wrong with the record; empty if every field is in range.
std::string findMistake(const TuningRecord &record);

std::string printRecord(const TuningRecord &record);

/// Records of a text: one a line, `#` begins a comment. Lines that are none are left
/// out, and `warning` says how many and why the first.
std::vector<TuningRecord> readRecordLines(const std::string &text, std::string &warning);

/// The records that come with Resin.
const std::string &shippedRecords();

/// This CPU's name for the key: its model's name, family and model.
std::string cpuModel();

} // namespace resin::tuning

#endif // RESIN_TUNING_TUNINGRECORD_H
