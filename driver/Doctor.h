//===- Doctor.h - `resin doctor`: what is here, what is missing -*- C++ -*-===//

#ifndef RESIN_DRIVER_DOCTOR_H
#define RESIN_DRIVER_DOCTOR_H

#include <string>

namespace resin {

/// Prints what Resin finds of what it needs; kOk if nothing is missing.
int doctor(const std::string &resinPath);

} // namespace resin

#endif // RESIN_DRIVER_DOCTOR_H
