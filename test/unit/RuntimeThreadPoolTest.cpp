//===- RuntimeThreadPoolTest.cpp - Regions and pieces ---------------------===//

#include "runtime/device/cpu/ThreadPool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <numeric>

#include <sys/resource.h>
#include <unistd.h>

using namespace resin::runtime;

namespace {

TEST(ThreadPool, ComputesEveryPieceOnce) {
  for (unsigned workers : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(workers);
    ASSERT_EQ(pool.workers(), workers);
    for (int64_t pieces : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> times(pieces);
      std::atomic<bool> workersInRange{true};
      pool.run(pieces, [&](int64_t piece, int64_t worker) {
        ++times[piece];
        if (worker < 0 || worker >= workers)
          workersInRange = false;
      });
      EXPECT_TRUE(workersInRange);
      for (auto &count : times)
        EXPECT_EQ(count, 1);
    }
  }
}

// The first piece lasts until all fillers are done: whoever computes the other pieces must come to them.
TEST(ThreadPool, FillersAreForWhoIsFree) {
  ThreadPool pool(2);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::atomic<int>> times(8);
    std::atomic<int> others{0}, fillers{0};
    std::atomic<bool> othersWereFirst{true};
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    pool.run(
        8,
        [&](int64_t piece, int64_t) {
          ++times[piece];
          while (piece == 0 && fillers < 4 && std::chrono::steady_clock::now() < patience)
            std::this_thread::yield();
          if (piece >= 4 && others < 3)
            othersWereFirst = false;
          ++(piece >= 4 ? fillers : others);
        },
        4);
    for (auto &count : times)
      EXPECT_EQ(count, 1);
    EXPECT_TRUE(othersWereFirst);
    ASSERT_LT(std::chrono::steady_clock::now(), patience);
  }
}

TEST(ThreadPool, FillersAloneAreARegion) {
  for (unsigned workers : {1u, 2u, 5u}) {
    ThreadPool pool(workers);
    for (int64_t pieces : {0, 1, 2, 7}) {
      std::atomic<int64_t> sum{0};
      pool.run(
          pieces, [&](int64_t piece, int64_t) { sum += piece + 1; }, pieces);
      EXPECT_EQ(sum, pieces * (pieces + 1) / 2);
    }
  }
}

TEST(ThreadPool, IsABarrier) {
  // Each region reads what the one before wrote, with no more protection than that.
  ThreadPool pool(4);
  std::vector<int64_t> numbers(64), next(64);
  for (int round = 0; round < 20000; ++round) {
    pool.run(64, [&](int64_t i, int64_t) { next[i] = numbers[(i + 1) % 64] + 1; });
    pool.run(64, [&](int64_t i, int64_t) { numbers[i] = next[i]; });
  }
  for (int64_t number : numbers)
    ASSERT_EQ(number, 20000);
}

TEST(ThreadPool, WakesWorkersThatSleep) {
  ThreadPool pool(3);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    std::atomic<int> count{0};
    pool.run(3, [&](int64_t, int64_t) { ++count; });
    EXPECT_EQ(count, 3);
  }
}

TEST(ThreadPool, TakesNoTimeWhileItWaits) {
  ThreadPool pool(4);
  pool.run(4, [](int64_t, int64_t) {});
  auto used = [] {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
           1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double before = used();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(used() - before, 0.02);
}

TEST(ThreadPool, SharesOutUnequalPieces) {
  ThreadPool pool(2);
  std::atomic<int64_t> byWorker[2] = {};
  pool.run(40, [&](int64_t piece, int64_t worker) {
    std::this_thread::sleep_for(std::chrono::milliseconds(piece == 0 ? 60 : 2));
    ++byWorker[worker];
  });
  EXPECT_GT(std::max(byWorker[0], byWorker[1]), 25) << "who is not held up takes the rest";
}

// A kernel's scratch takes megabytes, and what threads get by themselves follows `ulimit -s`.
TEST(ThreadPool, EveryWorkerStandsOnAKernelStack) {
  for (unsigned workers : {1u, 3u}) {
    ThreadPool pool(workers);
    std::atomic<int> elsewhere{0};
    pool.run(60, [&](int64_t, int64_t) { elsewhere += !resin::isOnKernelStack(); });
    EXPECT_EQ(elsewhere, 0) << workers << " workers";
  }
}

/// Bytes of address space that this process uses.
rlim_t addressSpace() {
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

TEST(ThreadPoolDeathTest, GoesOnWithTheThreadsThereAre) {
  auto work = [] {
    const rlim_t room = addressSpace() + (rlim_t(200) << 20);
    const rlimit limit{room, room};
    setrlimit(RLIMIT_AS, &limit);
    ThreadPool pool(64);
    std::atomic<int64_t> sum{0};
    pool.run(100, [&](int64_t piece, int64_t) { sum += piece; });
    std::_Exit(pool.workers() < 64 && sum == 4950 ? 0 : 1);
  };
  EXPECT_EXIT(resin::onKernelStack(work), testing::ExitedWithCode(0),
              "^warning: the system gives [0-9]+ of 64 threads: [^\n]*\n$");
}

TEST(ThreadPool, FindsAtLeastOneCpu) { EXPECT_GE(usableCpus(), 1u); }

} // namespace
