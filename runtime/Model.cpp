//===- Model.cpp - The compiled network in memory -------------------------===//

#include "runtime/Model.h"
#include "runtime/MemoryPlan.h"
#include "runtime/device/cpu/CpuFeatures.h"

#include <sys/mman.h>

using namespace resin;
using namespace resin::runtime;

//===----------------------------------------------------------------------===//
// Arena
//===----------------------------------------------------------------------===//

static constexpr uint64_t kHugePage = 2 << 20;

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

//===----------------------------------------------------------------------===//
// Model
//===----------------------------------------------------------------------===//

StatusOr<std::unique_ptr<Model>> Model::load(const ResinProgram &program, unsigned threads) {
  if (program.abi_version != RESIN_ABI_VERSION)
    return Status(ExitCode::Failure, concat("the compiled code speaks version ", program.abi_version,
                                            " of the interface, the runtime version ", RESIN_ABI_VERSION));
  StatusOr<Manifest> manifest = parseManifest({program.manifest, program.manifest_bytes});
  if (manifest.failed())
    return manifest.status();
  if (Status status = checkCpuFeatures(manifest->target, manifest->features); status.failed())
    return status;
  if (manifest->kernels.size() != program.counters)
    return Status(ExitCode::Failure, "the program's manifest is wrong: its kernels are not those of the code");
  if (Status status = checkArena(*manifest, threads, Limits().memoryLeft()); status.failed())
    return status;
  StatusOr<Arena> arena = Arena::allocate(manifest->arenaBytes + threads * manifest->scratchBytes);
  if (arena.failed())
    return arena.status();
  return std::unique_ptr<Model>(new Model(program, std::move(*manifest), std::move(*arena), threads));
}

Model::Model(const ResinProgram &program, Manifest manifest, Arena memory, unsigned threads)
    : program(program), facts(std::move(manifest)), arena(std::move(memory)), workers(threads),
      counters(std::max<size_t>(1, static_cast<size_t>(threads) * program.counters)),
      walker(program, {arena.data(), counters.data()}, workers) {
  // The pages are taken now, by the workers that will use them, and not on the clock.
  const int64_t pages = static_cast<int64_t>(arena.size() / kHugePage);
  workers.run(pages,
              [this](int64_t page, int64_t) { *const_cast<volatile char *>(arena.data() + page * kHugePage) = 0; });
}

void Model::setElements(const Variable &variable, std::span<const float> elements) {
  write(variable, elements);
  prepared = false;
}

void Model::call(const Function &function) {
  for (uint32_t i = 0; i < program.functions; ++i)
    if (program.function[i].name == function.name)
      walker.run(program.function[i]);
  prepared &= function.name != "train_step";
}

void Model::prepare() {
  if (std::exchange(prepared, true))
    return;
  if (const Function *prepare = function("prepare"))
    call(*prepare);
}

ResinCounter Model::counter(size_t kernel) const {
  ResinCounter sum{0, 0};
  for (size_t worker = 0; worker < workers.workers(); ++worker) {
    const ResinCounter &part = counters[worker * program.counters + kernel];
    sum.ticks += part.ticks;
    sum.calls += part.calls;
  }
  return sum;
}
