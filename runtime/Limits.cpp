//===- Limits.cpp - What the machine leaves to this process ---------------===//
//
//   1. /proc/self/cgroup says in which group the process is, /proc/self/mountinfo
//      where that hierarchy can be seen.
//   2. A limit holds for all groups below: every folder on the way up is asked.
//
//===----------------------------------------------------------------------===//

#include "runtime/Limits.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <sys/resource.h>
#include <unistd.h>

using namespace resin::runtime;

//===----------------------------------------------------------------------===//
// 1. Where the groups are
//===----------------------------------------------------------------------===//

static bool listHolds(const std::string &list, const std::string &wanted) {
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');)
    if (word == wanted)
      return true;
  return false;
}

/// The path of the process's group in the hierarchy of a controller, "" for that of version 2; "" if it has none.
static std::string groupOf(const std::string &root, const std::string &controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : listHolds(controllers, controller))
      return line.substr(second + 1);
  }
  return "";
}

namespace {
struct Mount {
  std::string group, folder; ///< the group that is seen at the folder
};
} // namespace

/// Where the hierarchy is mounted; an empty folder if nowhere.
static Mount mountOf(const std::string &root, const std::string &controller) {
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string skipped, type, device, options;
    Mount mount;
    words >> skipped >> skipped >> skipped >> mount.group >> mount.folder;
    while (words >> skipped && skipped != "-")
      ;
    words >> type >> device >> options;
    if (controller.empty() ? type == "cgroup2" : type == "cgroup" && listHolds(options, controller))
      return mount;
  }
  return {};
}

/// The folders of the process's group and of all above it that can be seen.
static std::vector<std::string> foldersOf(const std::string &root, const std::string &controller) {
  const Mount mount = mountOf(root, controller);
  if (mount.folder.empty())
    return {};
  std::string group = groupOf(root, controller);
  // In a container the mount may show a part of the hierarchy, and the path may be of a part that is not shown.
  if (mount.group != "/")
    group = group.starts_with(mount.group) ? group.substr(mount.group.size()) : "";
  if (group.find("/..") != std::string::npos)
    group = "";
  std::vector<std::string> folders;
  for (; group.size() > 1; group.resize(group.rfind('/')))
    folders.push_back(mount.folder + group);
  folders.push_back(mount.folder);
  return folders;
}

Limits::Limits(std::string root)
    : unified(foldersOf(root, "")), cpu(foldersOf(root, "cpu")), memory(foldersOf(root, "memory")),
      root(std::move(root)) {}

//===----------------------------------------------------------------------===//
// 2. What they say
//===----------------------------------------------------------------------===//

/// The number after `key` in a file of lines "key number", or the file's first if there is no key. Negative where there
/// is none, as "max".
static double number(const std::string &path, const std::string &key = "") {
  std::ifstream file(path);
  double value = -1;
  if (key.empty())
    return file >> value ? value : -1;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    if (words >> word && word == key)
      return words >> value ? value : -1;
  }
  return -1;
}

double Limits::cpuQuota() const {
  double least = 0;
  auto take = [&](double used, double period) {
    if (used > 0 && period > 0)
      least = least > 0 ? std::min(least, used / period) : used / period;
  };
  for (const std::string &folder : unified) {
    std::ifstream file(root + folder + "/cpu.max");
    double used = 0, period = 0;
    if (file >> used >> period) // not of "max 100000"
      take(used, period);
  }
  for (const std::string &folder : cpu)
    take(number(root + folder + "/cpu.cfs_quota_us"), number(root + folder + "/cpu.cfs_period_us"));
  return least;
}

namespace {
/// Names of a version's files.
struct MemoryFiles {
  const char *limit, *used;
  const char *cache[2]; ///< keys of memory.stat: pages of files, which the kernel takes back
};
constexpr MemoryFiles kUnified{"/memory.max", "/memory.current", {"inactive_file", "active_file"}};
constexpr MemoryFiles kFirst{
    "/memory.limit_in_bytes", "/memory.usage_in_bytes", {"total_inactive_file", "total_active_file"}};
constexpr double kNoLimit = 1ull << 60; // version 1 says nearly 2^63
} // namespace

/// Negative if the group has no limit.
static double leftIn(const std::string &folder, const MemoryFiles &files) {
  const double limit = number(folder + files.limit);
  if (limit < 0 || limit >= kNoLimit)
    return -1;
  double used = std::max(0.0, number(folder + files.used));
  for (const char *key : files.cache)
    used -= std::max(0.0, number(folder + "/memory.stat", key));
  return std::max(0.0, limit - std::max(0.0, used));
}

/// Of the swap space that is free, what a group of version 2 may take.
static double swapOf(const std::string &folder, double free) {
  const double limit = number(folder + "/memory.swap.max");
  return limit < 0 ? free : std::clamp(limit - number(folder + "/memory.swap.current"), 0.0, free);
}

MemoryLeft Limits::memoryLeft() const {
  MemoryLeft least;
  auto take = [&](double bytes, const std::string &whose) {
    if (bytes >= 0 && bytes < static_cast<double>(least.bytes))
      least = {static_cast<uint64_t>(bytes), whose};
  };
  const double free = number(root + "/proc/meminfo", "MemAvailable:") * 1024,
               swap = std::max(0.0, number(root + "/proc/meminfo", "SwapFree:") * 1024);
  if (free >= 0)
    take(free + swap, "the machine");
  for (const std::string &folder : unified)
    if (const double left = leftIn(root + folder, kUnified); left >= 0)
      take(left + swapOf(root + folder, swap), "the control group " + folder);
  for (const std::string &folder : memory)
    if (const double left = leftIn(root + folder, kFirst); left >= 0)
      take(left + swap, "the control group " + folder);

  const double page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    take(std::max(0.0, static_cast<double>(limit.rlim_cur) - number(root + "/proc/self/statm") * page),
         "the limit on virtual memory (ulimit -v)");
  return least;
}
