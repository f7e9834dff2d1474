//===- Status.h - What went wrong, and with which code to leave -*- C++ -*-===//
//
// `Status` is nothing, or a message and an exit code; `StatusOr<T>` is a value or
// a `Status`. Messages are lower case without a full stop and name the file and
// the place. The codes are those of sysexits.h where it has one.
//
//   if (Status status = load(path); status.failed())
//     return status;
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_STATUS_H
#define RESIN_SUPPORT_STATUS_H

#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace resin {

enum class ExitCode : int {
  Ok = 0,
  Failure = 1,       ///< training diverged, or a mistake of ours
  Usage = 64,        ///< the command line cannot be understood
  BadData = 65,      ///< a file is there, but is not what it should be
  NoInput = 66,      ///< a file is not there or cannot be opened
  Unavailable = 69,  ///< this CPU lacks what the program was built for
  NoMemory = 71,     ///< the machine has less memory than what is needed
  CannotCreate = 73, ///< the output cannot be made
  IoError = 74,      ///< reading or writing failed on the way
  HungUp = 129,      ///< SIGHUP, after saving
  Interrupted = 130, ///< SIGINT, after saving
  Terminated = 143,  ///< SIGTERM, after saving
};

/// The parts, printed one after the other.
template <typename... Parts> std::string concat(const Parts &...parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

class [[nodiscard]] Status {
public:
  Status() = default;
  Status(ExitCode code, std::string message) : exitCode(code), text(std::move(message)) {}

  template <typename... Parts> static Status usage(const Parts &...parts) {
    return {ExitCode::Usage, concat(parts...)};
  }
  template <typename... Parts> static Status badData(const Parts &...parts) {
    return {ExitCode::BadData, concat(parts...)};
  }
  template <typename... Parts> static Status noInput(const Parts &...parts) {
    return {ExitCode::NoInput, concat(parts...)};
  }
  template <typename... Parts> static Status ioError(const Parts &...parts) {
    return {ExitCode::IoError, concat(parts...)};
  }

  bool ok() const { return exitCode == ExitCode::Ok; }
  bool failed() const { return !ok(); }
  ExitCode code() const { return exitCode; }
  const std::string &message() const { return text; }

private:
  ExitCode exitCode = ExitCode::Ok;
  std::string text;
};

/// What `errno` says.
inline std::string systemError() { return std::strerror(errno); }

template <typename T> class [[nodiscard]] StatusOr {
public:
  StatusOr(T value) : held(std::move(value)) {}
  StatusOr(Status status) : why(std::move(status)) { assert(why.failed() && "a value is missing without a reason"); }

  bool ok() const { return held.has_value(); }
  bool failed() const { return !ok(); }
  const Status &status() const { return why; }
  T &operator*() { return *held; }
  const T &operator*() const { return *held; }
  T *operator->() { return &*held; }
  const T *operator->() const { return &*held; }

private:
  std::optional<T> held;
  Status why;
};

} // namespace resin

#endif // RESIN_SUPPORT_STATUS_H
