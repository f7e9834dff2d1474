//===- Leavings.h - What a signal must not leave behind ---------*- C++ -*-===//
//
// Files on their way, folders of them, and a tool that is running are registered while they are there. A signal that
// ends the process (Ctrl-C, a closed terminal, a full pipe, a crash) then ends the tool and removes them first.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_LEAVINGS_H
#define RESIN_SUPPORT_LEAVINGS_H

#include <sys/types.h>

#include <string>

namespace resin {

/// A file, or a folder of files, that goes away with its holder.
class Leaving {
public:
  Leaving() = default;
  explicit Leaving(const std::string &path);
  Leaving(Leaving &&other) noexcept;
  Leaving &operator=(Leaving &&) = delete;
  ~Leaving();
  /// It stays, or has another name by now.
  void forget();

private:
  int slot = -1;
};

/// From now on, whatever signal ends this process leaves nothing behind. Signals that its parent had it ignore stay
/// ignored. A crash is a line on standard error.
void cleanUpOnSignals();
/// The same for one signal, whatever was done about it before; may be called by a signal's handler.
void cleanUpOn(int signal);

/// What such a signal would do first.
void leaveNothing();

/// fork(), with a child that has none of our handlers, gets no signals of the terminal and dies when we do.
pid_t forkWorker();

/// The process, or if negative the process group, that is ended with us; 0 for none.
void setRunningTool(pid_t process);

} // namespace resin

#endif // RESIN_SUPPORT_LEAVINGS_H
