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

Status tune(const TuneRequest &request);

} // namespace resin

#endif // RESIN_DRIVER_TUNE_H
