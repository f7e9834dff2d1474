//===- KernelStack.h - The stack that kernels run on ------------*- C++ -*-===//
//
// Kernels keep their scratch on the stack, megabytes of it, and what the system gives a
// thread follows `ulimit -s`: 8 MiB, 2 MiB, or less. So whoever calls kernels does it on
// a stack of ours, whose size is known; the compiler refuses a kernel that needs more.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_KERNELSTACK_H
#define RESIN_SUPPORT_KERNELSTACK_H

#include <cstddef>
#include <cstdint>
#include <functional>

namespace resin {

/// Bytes of the stack. Memory is taken as it is touched.
inline constexpr int64_t kKernelStackBytes = 16 << 20;
/// Bytes of it that one kernel's scratch may take; the rest is for who calls it.
inline constexpr int64_t kMostKernelScratch = 12 << 20;

class KernelStack {
public:
  /// Throws std::bad_alloc where there is no memory for it.
  KernelStack();
  ~KernelStack();
  KernelStack(const KernelStack &) = delete;

  /// Calls `work` on this stack; what it throws arrives at the caller.
  void run(const std::function<void()> &work);

private:
  char *mapped; ///< a page that nobody may touch, then the stack
};

/// Whether the calling thread stands on such a stack.
bool isOnKernelStack();

/// Calls `work` on such a stack: the one this thread stands on, or a new one.
void onKernelStack(const std::function<void()> &work);

} // namespace resin

#endif // RESIN_SUPPORT_KERNELSTACK_H
