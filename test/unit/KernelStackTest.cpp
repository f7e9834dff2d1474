//===- KernelStackTest.cpp - The stack that kernels run on ----------------===//

#include "support/KernelStack.h"

#include <gtest/gtest.h>

#include <alloca.h>
#include <stdexcept>
#include <thread>

using namespace resin;

namespace {

/// Touches every page of `bytes` of the stack.
[[gnu::noinline]] int touch(int64_t bytes) {
  auto *scratch = static_cast<volatile char *>(alloca(bytes));
  for (int64_t at = bytes - 1; at >= 0; at -= 4096)
    scratch[at] = 1;
  return scratch[bytes - 1];
}

TEST(KernelStack, HoldsWhatAKernelMayHave) {
  int touched = 0;
  onKernelStack([&] { touched = touch(kMostKernelScratch); });
  EXPECT_EQ(touched, 1);
}

// Threads of their own get 2 MiB where `ulimit -s` says unlimited.
TEST(KernelStack, IsThereForEveryThread) {
  int touched = 0;
  std::thread([&] { onKernelStack([&] { touched = touch(kMostKernelScratch); }); }).join();
  EXPECT_EQ(touched, 1);
}

TEST(KernelStack, IsTakenOnce) {
  EXPECT_FALSE(isOnKernelStack());
  onKernelStack([] {
    EXPECT_TRUE(isOnKernelStack());
    const void *outer = __builtin_frame_address(0);
    onKernelStack([&] {
      const auto apart = static_cast<const char *>(outer) - static_cast<char *>(__builtin_frame_address(0));
      EXPECT_TRUE(apart > 0 && apart < 65536) << "the same stack";
    });
    EXPECT_TRUE(isOnKernelStack());
  });
  EXPECT_FALSE(isOnKernelStack());
}

TEST(KernelStack, LetsExceptionsThrough) {
  EXPECT_THROW(onKernelStack([] { throw std::runtime_error("from below"); }), std::runtime_error);
  EXPECT_FALSE(isOnKernelStack());
}

TEST(KernelStackDeathTest, EndsInAPageThatNobodyMayTouch) {
  EXPECT_EXIT(onKernelStack([] { touch(kKernelStackBytes + 4096); }), testing::KilledBySignal(SIGSEGV), "");
}

} // namespace
