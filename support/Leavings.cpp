//===- Leavings.cpp - What a signal must not leave behind -----------------===//
//
// Everything that runs in a handler calls the system alone: no allocation, no lock, no C++ library.
//
//===----------------------------------------------------------------------===//

#include "support/Leavings.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace resin;

//===----------------------------------------------------------------------===//
// What there is
//===----------------------------------------------------------------------===//

/// More than are ever there at once; one that finds no place is only removed by its holder.
static std::array<std::atomic<char *>, 16> leavings;
static std::atomic<pid_t> runningTool{0};
static_assert(std::atomic<char *>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free,
              "a signal handler reads them");

static void removeFilesIn(int folder) {
  alignas(dirent64) char entries[4096];
  for (long got; (got = ::syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0;)
    for (long at = 0; at < got;) {
      const auto *entry = reinterpret_cast<const dirent64 *>(entries + at);
      ::unlinkat(folder, entry->d_name, 0); // of "." and ".." it is an error
      at += entry->d_reclen;
    }
}

static void removeLeaving(const char *path) {
  if (::unlink(path) == 0)
    return;
  const int folder = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0)
    return;
  // A folder may forget where it was when it shrinks: until nothing is left, or it does not help.
  for (int tries = 0; tries < 8 && ::rmdir(path) != 0; ++tries) {
    ::lseek(folder, 0, SEEK_SET);
    removeFilesIn(folder);
  }
  ::close(folder);
}

Leaving::Leaving(const std::string &path) {
  char *copy = ::strdup(path.c_str());
  for (size_t i = 0; i < leavings.size(); ++i)
    if (char *nothing = nullptr; leavings[i].compare_exchange_strong(nothing, copy)) {
      slot = static_cast<int>(i);
      return;
    }
  std::free(copy);
}

Leaving::Leaving(Leaving &&other) noexcept : slot(std::exchange(other.slot, -1)) {}

Leaving::~Leaving() {
  if (slot >= 0)
    removeLeaving(leavings[slot]);
  forget();
}

void Leaving::forget() {
  if (slot >= 0)
    std::free(leavings[std::exchange(slot, -1)].exchange(nullptr));
}

void resin::setRunningTool(pid_t process) { runningTool = process; }

//===----------------------------------------------------------------------===//
// Signals
//===----------------------------------------------------------------------===//

void resin::leaveNothing() {
  if (const pid_t process = runningTool.exchange(0)) {
    ::kill(process, SIGKILL);
    ::waitpid(process < 0 ? -process : process, nullptr, 0);
  }
  for (std::atomic<char *> &leaving : leavings)
    if (const char *path = leaving.load())
      removeLeaving(path);
}

/// The signal is back at its default, and blocked until this returns.
static void leave(int signal) {
  leaveNothing();
  ::raise(signal);
}

static void say(const char *text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0)
    return;
}

static void crash(int signal) {
  say("resin: error: the compiler crashed: ");
  say(sigdescr_np(signal)); // as strsignal, without a lock
  say("; this is a mistake of ours, not of the file\n");
  leave(signal);
}

static void install(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESETHAND | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

void resin::cleanUpOn(int signal) { install(signal, leave); }

static constexpr int kAsked[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU};
static constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

void resin::cleanUpOnSignals() {
  auto isAtDefault = [](int signal) {
    struct sigaction before;
    return ::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_DFL;
  };
  for (int signal : kAsked)
    if (isAtDefault(signal))
      cleanUpOn(signal);
  // A file beyond the limit is an error of the write.
  ::signal(SIGXFSZ, SIG_IGN);
  // A stack that is used up has no room for a handler.
  static std::array<char, 1 << 16> stack;
  stack_t other = {};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  ::sigaltstack(&other, nullptr);
  for (int signal : kCrashes)
    if (isAtDefault(signal)) // a sanitizer knows more
      install(signal, crash);
}

pid_t resin::forkWorker() {
  sigset_t all, before;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child == 0) {
    for (int signal = 1; signal < NSIG; ++signal)
      ::signal(signal, SIG_DFL);
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
      ::_exit(1);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return child;
}
