//===- RuntimeLimitsTest.cpp - What groups and machine leave --------------===//
//
// Over folders that look like /proc and /sys/fs/cgroup of machines that people have.
//
//===----------------------------------------------------------------------===//

#include "runtime/Limits.h"
#include "test/unit/TemporaryFolder.h"

#include <gtest/gtest.h>

using namespace resin::runtime;

namespace {

constexpr uint64_t kMiB = 1 << 20;

struct FakeMachine : testing::Test {
  TemporaryFolder root;

  void SetUp() override { memory(8192, 0); }
  void memory(int available, int swap) {
    root.write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:          100000 kB\nMemAvailable:   " +
                                   std::to_string(available * 1024) + " kB\nSwapTotal:      8388608 kB\nSwapFree: " +
                                   std::to_string(swap * 1024) + " kB\n");
  }
  void version2(const std::string &group, const std::string &shown = "/") {
    root.write("proc/self/cgroup", "0::" + group + "\n");
    root.write("proc/self/mountinfo", "22 1 0:21 / /proc rw,relatime - proc proc rw\n31 23 0:28 " + shown +
                                          " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void version1(const std::string &group, const std::string &shown = "/") {
    root.write("proc/self/cgroup", "5:memory:" + group + "\n3:cpu,cpuacct:" + group + "\n1:name=systemd:/\n0::/\n");
    root.write("proc/self/mountinfo",
               "32 31 0:29 " + shown + " /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n35 31 0:32 " +
                   shown + " /sys/fs/cgroup/memory rw shared:9 master:2 - cgroup cgroup rw,memory\n" +
                   "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  }
  Limits limits() { return Limits(root / ""); }
};

TEST_F(FakeMachine, HasNoQuotaWithoutGroups) {
  EXPECT_EQ(limits().cpuQuota(), 0);
  version2("/");
  EXPECT_EQ(limits().cpuQuota(), 0);
}

TEST_F(FakeMachine, AsksEveryGroupAbove) {
  version2("/user.slice/job/step");
  root.write("sys/fs/cgroup/user.slice/job/step/cpu.max", "max 100000\n");
  EXPECT_EQ(limits().cpuQuota(), 0);
  root.write("sys/fs/cgroup/user.slice/cpu.max", "400000 100000\n");
  EXPECT_EQ(limits().cpuQuota(), 4);
  root.write("sys/fs/cgroup/user.slice/job/cpu.max", "75000 50000\n");
  EXPECT_EQ(limits().cpuQuota(), 1.5);
  root.write("sys/fs/cgroup/user.slice/job/other/cpu.max", "1000 100000\n"); // a neighbour's
  EXPECT_EQ(limits().cpuQuota(), 1.5);
}

TEST_F(FakeMachine, ReadsGroupsOfVersionOne) {
  version1("/kubepods/pod1/box");
  root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().cpuQuota(), 0);
  root.write("sys/fs/cgroup/cpu,cpuacct/kubepods/pod1/cpu.cfs_quota_us", "50000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/kubepods/pod1/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().cpuQuota(), 0.5);
}

TEST_F(FakeMachine, ReadsWhatAContainerShows) {
  // The container's group is the root of what is mounted ...
  version1("/docker/0123", "/docker/0123");
  root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().cpuQuota(), 2.5);
  // ... or the path is of a part that it cannot see.
  version2("/../../other", "/");
  root.write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(limits().cpuQuota(), 3);
}

TEST_F(FakeMachine, LeavesWhatTheMachineHas) {
  EXPECT_EQ(limits().memoryLeft().bytes, 8192 * kMiB);
  EXPECT_EQ(limits().memoryLeft().whose, "the machine");
  memory(8192, 1024);
  EXPECT_EQ(limits().memoryLeft().bytes, 9216 * kMiB) << "what is swapped out is not killed";
  std::filesystem::remove(root / "proc/meminfo");
  EXPECT_EQ(limits().memoryLeft().bytes, UINT64_MAX) << "nobody says anything";
}

TEST_F(FakeMachine, LeavesWhatTheStrictestGroupDoes) {
  version2("/job/step");
  auto group = [&](const std::string &name, int limit, int used, int cache) {
    const std::string folder = "sys/fs/cgroup" + name;
    root.write(folder + "/memory.max", limit < 0 ? "max\n" : std::to_string(limit * kMiB) + "\n");
    root.write(folder + "/memory.current", std::to_string(used * kMiB) + "\n");
    root.write(folder + "/memory.stat", "anon 1\ninactive_file " + std::to_string((cache - 1) * kMiB) +
                                            "\nactive_file " + std::to_string(kMiB) + "\n");
  };
  group("/job/step", -1, 100, 10);
  group("/job", 1024, 600, 150);
  EXPECT_EQ(limits().memoryLeft().bytes, (1024 - 600 + 150) * kMiB) << "pages of files are given back";
  EXPECT_EQ(limits().memoryLeft().whose, "the control group /sys/fs/cgroup/job");
  group("/job/step", 256, 100, 10);
  EXPECT_EQ(limits().memoryLeft().bytes, 166 * kMiB);
  memory(8192, 512);
  root.write("sys/fs/cgroup/job/step/memory.swap.max", std::to_string(64 * kMiB) + "\n");
  root.write("sys/fs/cgroup/job/step/memory.swap.current", std::to_string(60 * kMiB) + "\n");
  EXPECT_EQ(limits().memoryLeft().bytes, 170 * kMiB) << "4 MiB of swap are left to it";
}

TEST_F(FakeMachine, LeavesWhatAGroupOfVersionOneDoes) {
  version1("/job");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"); // none
  root.write("sys/fs/cgroup/memory/memory.usage_in_bytes", "9000000000\n");
  EXPECT_EQ(limits().memoryLeft().whose, "the machine");
  root.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(512 * kMiB) + "\n");
  root.write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(500 * kMiB) + "\n");
  root.write("sys/fs/cgroup/memory/job/memory.stat",
             "inactive_file 5\ntotal_inactive_file " + std::to_string(100 * kMiB) + "\ntotal_active_file 0\n");
  EXPECT_EQ(limits().memoryLeft().bytes, 112 * kMiB);
  EXPECT_EQ(limits().memoryLeft().whose, "the control group /sys/fs/cgroup/memory/job");
}

} // namespace
