//===- Signals.cpp - Being asked to stop, or to save ----------------------===//

#include "runtime/Signals.h"

#include <algorithm>
#include <atomic>
#include <csignal>

using namespace resin;
using namespace resin::runtime;

// `received` is the first signal; `asked` whether a person or a scheduler asked, which they may do twice.
static std::atomic<int> received{0};
static std::atomic<bool> asked{false}, saveRequested{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free,
              "a signal handler writes them");

namespace {
struct StopSignal {
  int signal;
  ExitCode code;
  const char *word;
};
constexpr StopSignal kStopSignals[] = {{SIGINT, ExitCode::Interrupted, "interrupted"},
                                       {SIGTERM, ExitCode::Terminated, "terminated"},
                                       {SIGHUP, ExitCode::HungUp, "hung up"}};
} // namespace

static void stop(int signal) {
  int none = 0;
  received.compare_exchange_strong(none, signal);
  if (signal == SIGHUP || !asked.exchange(true))
    return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

static void requestSave(int) { saveRequested = true; }

static void install(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

static bool isIgnored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void resin::runtime::installSignalHandlers() {
  received = 0;
  asked = saveRequested = false;
  for (const StopSignal &row : kStopSignals)
    if (row.signal == SIGTERM || !isIgnored(row.signal))
      install(row.signal, stop);
  install(SIGUSR1, requestSave);
  // A closed pipe or a full quota is an error of the write, not the end of the run.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

int resin::runtime::stopSignal() { return received.load(std::memory_order_relaxed); }

bool resin::runtime::takeSaveRequest() { return saveRequested.exchange(false); }

Status resin::runtime::stopped(const std::string &what) {
  for (const StopSignal &row : kStopSignals)
    if (row.signal == stopSignal())
      return {row.code, concat(row.word, ": ", what)};
  assert(false && "a signal asked to stop");
  return {ExitCode::Failure, what};
}

bool resin::runtime::wasAskedToStop(const Status &status) {
  return std::any_of(std::begin(kStopSignals), std::end(kStopSignals),
                     [&](const StopSignal &row) { return row.code == status.code(); });
}
