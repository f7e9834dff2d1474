//===- Arena.h - Memory that a network lives in -----------------*- C++ -*-===//

#ifndef RESIN_RUNTIME_DEVICE_CPU_ARENA_H
#define RESIN_RUNTIME_DEVICE_CPU_ARENA_H

#include "support/Status.h"

#include <cstdint>
#include <utility>

namespace resin::runtime {

/// Zeroed memory at a multiple of 2 MiB, in huge pages where the system has them.
class Arena {
public:
  static constexpr uint64_t kHugePage = 2 << 20;

  static StatusOr<Arena> allocate(uint64_t bytes);
  Arena(Arena &&other) noexcept : start(std::exchange(other.start, nullptr)), bytes(other.bytes) {}
  ~Arena();

  char *data() const { return start; }
  uint64_t size() const { return bytes; }

private:
  Arena(char *start, uint64_t bytes) : start(start), bytes(bytes) {}
  char *start;
  uint64_t bytes;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_CPU_ARENA_H
