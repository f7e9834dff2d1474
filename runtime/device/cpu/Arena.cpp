//===- Arena.cpp - Memory that a network lives in -------------------------===//

#include "runtime/device/cpu/Arena.h"

#include <sys/mman.h>

using namespace resin;
using namespace resin::runtime;

StatusOr<Arena> Arena::allocate(uint64_t bytes) {
  const uint64_t size = (bytes / kHugePage + 1) * kHugePage;
  // One page more than asked for leaves room to start at a multiple.
  void *mapped = bytes > uint64_t(1) << 46
                     ? MAP_FAILED
                     : ::mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    return Status(ExitCode::NoMemory, concat("cannot have ", size >> 20, " MiB of memory: ", systemError()));
  const uint64_t address = reinterpret_cast<uint64_t>(mapped);
  const uint64_t aligned = (address + kHugePage - 1) / kHugePage * kHugePage;
  if (aligned > address)
    ::munmap(mapped, aligned - address);
  if (aligned < address + kHugePage)
    ::munmap(reinterpret_cast<void *>(aligned + size), address + kHugePage - aligned);
  char *start = reinterpret_cast<char *>(aligned);
  ::madvise(start, size, MADV_HUGEPAGE);
  return Arena(start, size);
}

Arena::~Arena() {
  if (start)
    ::munmap(start, bytes);
}
