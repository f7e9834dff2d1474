//===- TuningDatabase.h - Tuning records in a file --------------*- C++ -*-===//
//
// The user's records: an SQLite database of one table. Reading expects anything: a
// file that is missing has no records, a damaged or hostile one as many as can be
// read, and a warning. Writing puts one record at a time, durably, so that a search
// can be stopped whenever one likes. Databases of before records had numerics are read
// as those of fast searches, those of before nodes had types with these (UntypedSpec.h);
// both are brought up to date when they are written to.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_TUNINGDATABASE_H
#define RESIN_TUNING_TUNINGDATABASE_H

#include "tuning/TuningRecord.h"

#include <memory>
#include <string>
#include <vector>

struct sqlite3;

namespace resin::tuning {

/// All records of the file that are in range.
std::vector<TuningRecord> readDatabase(const std::string &path, std::string &warning);

class TuningDatabase {
public:
  /// Opens the database to write, and makes it if it is not there. On failure returns
  /// null and says why in `error`.
  static std::unique_ptr<TuningDatabase> open(const std::string &path, std::string &error);
  ~TuningDatabase();
  TuningDatabase(const TuningDatabase &) = delete;

  /// Adds the record, in the place of one with the same key.
  bool put(const TuningRecord &record, std::string &error);

private:
  explicit TuningDatabase(sqlite3 *database) : database(database) {}
  sqlite3 *database;
};

} // namespace resin::tuning

#endif // RESIN_TUNING_TUNINGDATABASE_H
