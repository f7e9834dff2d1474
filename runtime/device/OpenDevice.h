//===- OpenDevice.h - Which kinds of device there are -----------*- C++ -*-===//

#ifndef RESIN_RUNTIME_DEVICE_OPENDEVICE_H
#define RESIN_RUNTIME_DEVICE_OPENDEVICE_H

#include "runtime/device/Device.h"

#include <memory>

namespace resin::runtime {

/// The device that the program was compiled for, with `threads` workers on the host; nothing is allocated yet.
std::unique_ptr<Device> openDevice(const ResinProgram &program, unsigned threads);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_OPENDEVICE_H
