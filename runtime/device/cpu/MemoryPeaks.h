//===- MemoryPeaks.h - What the machine's memory could do at most -*- C++ -*-===//

#ifndef RESIN_RUNTIME_DEVICE_CPU_MEMORYPEAKS_H
#define RESIN_RUNTIME_DEVICE_CPU_MEMORYPEAKS_H

#include "runtime/device/Device.h"

namespace resin::runtime {

MachinePeaks measureMemoryPeaks(ThreadPool &pool);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_CPU_MEMORYPEAKS_H
