//===- ExplainSpeed.h - `resin explain-speed`: build it, profile it -*- C++ -*-===//

#ifndef RESIN_DRIVER_EXPLAINSPEED_H
#define RESIN_DRIVER_EXPLAINSPEED_H

#include "driver/Build.h"

#include <optional>
#include <string>

namespace resin {

/// What is handed on to the program's `profile`, which judges it.
struct ProfileOptions {
  std::optional<std::string> only, svg, seconds, threads;
  bool json = false;
};

/// Builds the program in a temporary folder and runs its `profile`; fails as whichever of the two fails
/// first. Nothing is left behind.
Status explainSpeed(BuildOptions options, const ProfileOptions &profile);

} // namespace resin

#endif // RESIN_DRIVER_EXPLAINSPEED_H
