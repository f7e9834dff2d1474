//===- OpenDevice.cpp - Which kinds of device there are -------------------===//

#include "runtime/device/OpenDevice.h"
#include "runtime/device/cpu/CpuDevice.h"

using namespace resin::runtime;

std::unique_ptr<Device> resin::runtime::openDevice(const ResinProgram &program, unsigned threads) {
  return std::make_unique<CpuDevice>(program, threads);
}
