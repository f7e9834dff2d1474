//===- Signals.h - Being asked to stop --------------------------*- C++ -*-===//
//
// The first SIGINT or SIGTERM asks: loops look here between steps, save and leave.
// The second one kills.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_SIGNALS_H
#define RESIN_RUNTIME_SIGNALS_H

#include "support/Status.h"

namespace resin::runtime {

void installSignalHandlers();
/// The signal that asked to stop; 0 if none did.
int stopSignal();
/// "interrupted" with the exit code of the signal.
Status stopped(const std::string &what);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_SIGNALS_H
