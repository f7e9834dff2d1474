//===- Signals.cpp - Being asked to stop ----------------------------------===//

#include "runtime/Signals.h"

#include <atomic>
#include <csignal>

using namespace resin;
using namespace resin::runtime;

static std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

static void handle(int signal) {
  if (received.exchange(signal) == 0)
    return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void resin::runtime::installSignalHandlers() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A closed pipe or a full quota is an error of the write, not the end of the run.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

int resin::runtime::stopSignal() { return received.load(std::memory_order_relaxed); }

Status resin::runtime::stopped(const std::string &what) {
  const bool terminated = stopSignal() == SIGTERM;
  return {terminated ? ExitCode::Terminated : ExitCode::Interrupted,
          concat(terminated ? "terminated: " : "interrupted: ", what)};
}
