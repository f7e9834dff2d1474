//===- Paths.h - What a build reads and writes ------------------*- C++ -*-===//

#ifndef RESIN_DRIVER_PATHS_H
#define RESIN_DRIVER_PATHS_H

#include "driver/Build.h"

#include <string>
#include <vector>

namespace resin {

/// The runtime to link; empty if it is not there.
std::string runtimeOf(const BuildOptions &options);

/// All files that are read, none of which an output may replace.
std::vector<std::string> inputsOf(const BuildOptions &options);

/// Where the result goes.
std::string outputOf(const BuildOptions &options);

/// Where the text behind a stage goes.
std::string dumpOf(const BuildOptions &options, Stage stage);

/// What stands in the way of a build's outputs; to be asked before the long part.
Status checkOutputs(const BuildOptions &options);

} // namespace resin

#endif // RESIN_DRIVER_PATHS_H
