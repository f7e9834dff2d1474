//===- ExplainSpeed.h - `resin explain-speed`: build it, profile it -*- C++ -*-===//

#ifndef RESIN_TOOLS_EXPLAINSPEED_H
#define RESIN_TOOLS_EXPLAINSPEED_H

#include "tools/Build.h"

#include <string>
#include <vector>

namespace resin {

/// Builds the program in a temporary folder and runs its `profile` with `arguments`; returns the exit code of
/// whichever of the two fails first, else kOk. Nothing is left behind.
int explainSpeed(BuildOptions options, const std::vector<std::string> &arguments);

} // namespace resin

#endif // RESIN_TOOLS_EXPLAINSPEED_H
