//===- Progress.cpp - How far an epoch is, for people ---------------------===//

#include "runtime/report/Progress.h"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

using namespace resin::runtime;

Progress::Progress(std::string title, int64_t total, int64_t before)
    : title(std::move(title)), total(std::max<int64_t>(1, total)), before(before), terminal(::isatty(STDERR_FILENO)),
      start(Clock::now()), next(start + (terminal ? std::chrono::seconds(0) : std::chrono::seconds(10))) {}

Progress::~Progress() {
  if (drawn && terminal)
    std::fputs("\r\033[K", stderr);
}

bool Progress::isDue(int64_t) {
  const Clock::time_point now = Clock::now();
  if (now < next)
    return false;
  next = now + (terminal ? std::chrono::milliseconds(100) : std::chrono::seconds(10));
  return true;
}

double Progress::secondsLeft(double seconds, int64_t before, int64_t done, int64_t total) {
  return done > before ? seconds * static_cast<double>(total - done) / static_cast<double>(done - before) : 0;
}

void Progress::show(int64_t done, const std::string &facts) {
  drawn = true;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const int left = static_cast<int>(secondsLeft(seconds, before, done, total));
  if (!terminal) {
    std::fprintf(stderr, "%s  step %lld/%lld  %s\n", title.c_str(), static_cast<long long>(done),
                 static_cast<long long>(total), facts.c_str());
    return;
  }
  constexpr int64_t kWidth = 24;
  const std::string full(static_cast<size_t>(kWidth * done / total), '=');
  std::fprintf(stderr, "\r%s [%-*s] %lld/%lld  %s  %d:%02d left\033[K", title.c_str(), static_cast<int>(kWidth),
               full.c_str(), static_cast<long long>(done), static_cast<long long>(total), facts.c_str(), left / 60,
               left % 60);
}
