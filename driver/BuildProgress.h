//===- BuildProgress.h - What a long build is at ----------------*- C++ -*-===//
//
// A line on standard error for each phase that begins once a build has taken some
// seconds; short builds say nothing.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DRIVER_BUILDPROGRESS_H
#define RESIN_DRIVER_BUILDPROGRESS_H

#include "llvm/Support/raw_ostream.h"

#include <chrono>

namespace resin {

class BuildProgress {
public:
  /// Phase `number` of `count`, counted from 1.
  void begin(llvm::StringRef phase, int number, int count) const {
    if (std::chrono::steady_clock::now() - start > kPatience)
      llvm::errs() << "resin: phase " << number << " of " << count << ": " << phase << "\n";
  }

private:
  static constexpr std::chrono::seconds kPatience{5};
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

} // namespace resin

#endif // RESIN_DRIVER_BUILDPROGRESS_H
