//===- StackScratch.cpp - How much stack a kernel needs -------------------===//
//
// Halide gives each allocation a slot of the function's frame, or one that an allocation
// of the same type, as large at least, has left: the walk does the same.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/StackScratch.h"

#include "support/KernelStack.h"

#include <algorithm>

using namespace Halide;
using namespace Halide::Internal;

namespace resin::codegen {

namespace {

class ScratchCounter : public IRVisitor {
public:
  int64_t bytes = 0;

private:
  struct Slot {
    Type type;
    int64_t bytes;
  };
  std::vector<Slot> left;

  using IRVisitor::visit;
  void visit(const Allocate *allocation) override {
    const Slot slot = take(allocation->type, bytesOf(allocation));
    allocation->body.accept(this);
    left.push_back(slot);
  }

  static int64_t bytesOf(const Allocate *allocation) {
    const int64_t elements = allocation->constant_allocation_size();
    if (!elements || allocation->memory_type == MemoryType::Heap)
      throw CompileError("the scratch '" + allocation->name + "' has no place on the stack");
    return elements * allocation->type.bytes();
  }

  Slot take(Type type, int64_t wanted) {
    auto fits = [&](const Slot &slot) { return slot.type == type && slot.bytes >= wanted; };
    if (auto found = std::find_if(left.begin(), left.end(), fits); found != left.end()) {
      const Slot slot = *found;
      left.erase(found);
      return slot;
    }
    bytes += wanted;
    return {type, wanted};
  }
};

} // namespace

int64_t stackScratchOf(const Module &module) {
  ScratchCounter counter;
  for (const LoweredFunc &function : module.functions())
    function.body.accept(&counter);
  return counter.bytes;
}

void checkStackScratch(const Module &module) {
  constexpr int64_t mebi = 1 << 20;
  if (const int64_t bytes = stackScratchOf(module); bytes > kMostKernelScratch)
    throw CompileError("the kernel needs " + std::to_string((bytes + mebi - 1) / mebi) +
                       " MiB of scratch, and may have " + std::to_string(kMostKernelScratch / mebi));
}

} // namespace resin::codegen
