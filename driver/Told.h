//===- Told.h - Failures that have been told ---------------------*- C++ -*-===//

#ifndef RESIN_DRIVER_TOLD_H
#define RESIN_DRIVER_TOLD_H

#include "support/Status.h"

namespace resin {

/// A failure whose diagnostics have been printed: there is nothing more to say.
inline Status alreadyTold(ExitCode code) { return {code, ""}; }

} // namespace resin

#endif // RESIN_DRIVER_TOLD_H
