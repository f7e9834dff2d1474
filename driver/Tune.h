//===- Tune.h - `resin tune`: find faster knobs -----------------*- C++ -*-===//

#ifndef RESIN_DRIVER_TUNE_H
#define RESIN_DRIVER_TUNE_H

#include "driver/Build.h"

#include <string>
#include <vector>

namespace resin {

struct TuneRequest {
  BuildOptions build; ///< batch, target, jobs, database: as for `resin build`
  std::vector<std::string> files;
  bool zoo = false; ///< the models that come with Resin as well
  std::string budget = "10m";
  bool resume = false;
  bool verify = false;
  std::string only;     ///< "kernels" or "entries"; empty: both
  std::string exportTo; ///< only write the records of the database as text
};

int tune(const TuneRequest &request);

/// `chosen`, or where the user's tuning records are: tuning.db in the cache folder.
/// Empty if there is no such folder.
std::string tuningDatabase(const std::string &chosen);

} // namespace resin

#endif // RESIN_DRIVER_TUNE_H
