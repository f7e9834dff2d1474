//===- Doctor.h - `resin doctor`: what is here, what is missing -*- C++ -*-===//

#ifndef RESIN_DRIVER_DOCTOR_H
#define RESIN_DRIVER_DOCTOR_H

#include "support/Status.h"

#include <string>

namespace resin {

/// Prints what Resin finds of what it needs; a failure if something is missing.
Status doctor(const std::string &resinPath);

} // namespace resin

#endif // RESIN_DRIVER_DOCTOR_H
