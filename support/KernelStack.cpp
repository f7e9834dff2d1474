//===- KernelStack.cpp - The stack that kernels run on --------------------===//
//
// A thread steps over to the stack and back by ucontext: no further thread is needed,
// and signals, thread-local state and the thread's CPU stay as they are.
//
//===----------------------------------------------------------------------===//

#include "support/KernelStack.h"

#include <cassert>
#include <exception>
#include <new>

#include <sys/mman.h>
#include <ucontext.h>

using namespace resin;

namespace {

constexpr size_t kGuardBytes = 4096;
constexpr size_t kMappedBytes = kGuardBytes + kKernelStackBytes;

thread_local bool standsOnOne = false;

/// One call, and the way back.
struct Visit {
  const std::function<void()> &work;
  std::exception_ptr thrown;
  ucontext_t caller, here;
};

/// makecontext passes ints: the halves of a `Visit *`. No exception may leave.
void enter(unsigned high, unsigned low) {
  auto *visit = reinterpret_cast<Visit *>(uint64_t(high) << 32 | low);
  try {
    visit->work();
  } catch (...) {
    visit->thrown = std::current_exception();
  }
}

} // namespace

KernelStack::KernelStack() {
  void *memory = mmap(nullptr, kMappedBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED)
    throw std::bad_alloc();
  mapped = static_cast<char *>(memory);
  mprotect(mapped, kGuardBytes, PROT_NONE);
}

KernelStack::~KernelStack() { munmap(mapped, kMappedBytes); }

void KernelStack::run(const std::function<void()> &work) {
  assert(!standsOnOne && "a thread needs one kernel stack");
  Visit visit{work, nullptr, {}, {}};
  getcontext(&visit.here);
  visit.here.uc_stack.ss_sp = mapped + kGuardBytes;
  visit.here.uc_stack.ss_size = kKernelStackBytes;
  visit.here.uc_link = &visit.caller;
  const auto address = reinterpret_cast<uint64_t>(&visit);
  makecontext(&visit.here, reinterpret_cast<void (*)()>(enter), 2, static_cast<unsigned>(address >> 32),
              static_cast<unsigned>(address));
  standsOnOne = true;
  swapcontext(&visit.caller, &visit.here);
  standsOnOne = false;
  if (visit.thrown)
    std::rethrow_exception(visit.thrown);
}

bool resin::isOnKernelStack() { return standsOnOne; }

void resin::onKernelStack(const std::function<void()> &work) {
  if (standsOnOne)
    work();
  else
    KernelStack().run(work);
}
