//===- Progress.h - How far an epoch is, for people -------------*- C++ -*-===//
//
// On a terminal a bar that is redrawn ten times a second; elsewhere a line every
// ten seconds. Standard error, always: standard output is for results.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_REPORT_PROGRESS_H
#define RESIN_RUNTIME_REPORT_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <string>

namespace resin::runtime {

class Progress {
public:
  /// `title` stands before the bar: "epoch 3/200". `before` of the `total` were done earlier, by a run that this one
  /// goes on from: they took none of its time.
  Progress(std::string title, int64_t total, int64_t before = 0);
  ~Progress();

  /// `facts` stands behind it: "loss 1.234  712 images/s".
  template <typename Facts> void update(int64_t done, Facts facts) {
    if (isDue(done))
      show(done, facts());
  }

  /// What the rest takes, at the pace of what was done in `seconds`.
  static double secondsLeft(double seconds, int64_t before, int64_t done, int64_t total);

private:
  using Clock = std::chrono::steady_clock;
  bool isDue(int64_t done);
  void show(int64_t done, const std::string &facts);

  std::string title;
  int64_t total, before;
  bool terminal;
  bool drawn = false;
  Clock::time_point start, next;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_REPORT_PROGRESS_H
