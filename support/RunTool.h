//===- RunTool.h - Other programs, waited for -------------------*- C++ -*-===//

#ifndef RESIN_SUPPORT_RUNTOOL_H
#define RESIN_SUPPORT_RUNTOOL_H

#include "support/Status.h"

#include <string>
#include <vector>

namespace resin {

struct Tool {
  std::vector<std::string> arguments; ///< the program's path first
  std::string folder = {};            ///< to run in; empty: this one
  /// Files for what it prints. With neither it talks to whoever we talk to; otherwise it has no standard input, and
  /// the terminal's signals do not reach it: it ends before we do.
  std::string output = {}, errors = {};
};

/// The exit code, or 128 and the signal that ended it; a failure if it could not be started.
StatusOr<int> runTool(const Tool &tool);

} // namespace resin

#endif // RESIN_SUPPORT_RUNTOOL_H
