//===- Progress.h - How far an epoch is, for people -------------*- C++ -*-===//
//
// On a terminal a bar that is redrawn ten times a second; elsewhere a line every
// ten seconds. Standard error, always: standard output is for results.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_PROGRESS_H
#define RESIN_RUNTIME_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <string>

namespace resin::runtime {

class Progress {
public:
  /// `title` stands before the bar: "epoch 3/200".
  Progress(std::string title, int64_t total);
  ~Progress();

  /// `facts` stands behind it: "loss 1.234  712 images/s".
  template <typename Facts> void update(int64_t done, Facts facts) {
    if (isDue(done))
      show(done, facts());
  }

private:
  using Clock = std::chrono::steady_clock;
  bool isDue(int64_t done);
  void show(int64_t done, const std::string &facts);

  std::string title;
  int64_t total;
  bool terminal;
  bool drawn = false;
  Clock::time_point start, next;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_PROGRESS_H
