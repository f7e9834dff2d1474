//===- FmaPeak.h - What the machine could do at most ------------*- C++ -*-===//

#ifndef RESIN_RUNTIME_DEVICE_CPU_FMAPEAK_H
#define RESIN_RUNTIME_DEVICE_CPU_FMAPEAK_H

namespace resin::runtime {

class ThreadPool;

/// GFLOP/s of f32 fused multiply-adds in registers, on all workers at once, in a
/// run of about two milliseconds.
double measureFmaPeak(ThreadPool &pool);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_CPU_FMAPEAK_H
