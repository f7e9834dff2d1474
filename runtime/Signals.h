//===- Signals.h - Being asked to stop, or to save --------------*- C++ -*-===//
//
// The first SIGINT, SIGTERM or SIGHUP asks: loops look here between steps, save and
// leave. A second SIGINT or SIGTERM kills. A second SIGHUP does not: a terminal that
// closes sends it by the kernel and by the shell, and service managers send it with
// SIGTERM. SIGUSR1 asks to save and to go on.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_SIGNALS_H
#define RESIN_RUNTIME_SIGNALS_H

#include "support/Status.h"

namespace resin::runtime {

/// SIGINT and SIGHUP stay ignored where whoever started the program had them ignored, as `nohup` does.
void installSignalHandlers();
/// The signal that asked to stop; 0 if none did.
int stopSignal();
/// Whether saving was asked for since this was last called.
bool takeSaveRequest();
/// "interrupted" with the exit code of the signal.
Status stopped(const std::string &what);
/// Whether the program leaves since it was asked to.
bool wasAskedToStop(const Status &status);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_SIGNALS_H
