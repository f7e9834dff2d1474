//===- RunFolder.cpp - Where a run keeps what it has reached --------------===//
//
// Checkpoints are never changed in place, only renamed over, so that the names can
// share one file: `previous` and `best` are links made from what is or becomes `last`.
//
//===----------------------------------------------------------------------===//

#include "runtime/RunFolder.h"
#include "runtime/Checkpoint.h"
#include "runtime/Model.h"
#include "support/Files.h"

#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

using namespace resin;
using namespace resin::runtime;
namespace fs = std::filesystem;

StatusOr<RunFolder> RunFolder::open(const std::string &path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path, error))
    return Status(ExitCode::CannotCreate, concat(path, ": cannot create the folder",
                                                 error ? ": " + error.message() : ": a file is in the way"));
  int lock = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock >= 0 && ::flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(lock);
    return Status(ExitCode::CannotCreate, concat(path, ": another program is training into it"));
  }
  return RunFolder(path, lock);
}

RunFolder::RunFolder(RunFolder &&other) noexcept
    : path(std::move(other.path)), lock(std::exchange(other.lock, -1)), lastIsGood(other.lastIsGood) {}

RunFolder::~RunFolder() {
  if (lock >= 0)
    ::close(lock);
}

bool RunFolder::holdsRun() const {
  std::error_code error;
  return fs::exists(file("last.safetensors"), error) || fs::exists(file("previous.safetensors"), error);
}

void RunFolder::beginAnew() {
  lastIsGood = false;
  std::error_code ignored;
  fs::remove(file("previous.safetensors"), ignored);
  fs::remove(file("best.safetensors"), ignored);
}

Status RunFolder::load(Model &model, RunState &state) {
  Status last = loadCheckpoint(model, file("last.safetensors"), state);
  lastIsGood = last.ok();
  if (last.ok())
    return {};
  std::error_code error;
  if (!fs::exists(file("previous.safetensors"), error))
    return last;
  if (Status previous = loadCheckpoint(model, file("previous.safetensors"), state); previous.failed())
    return last;
  std::fprintf(stderr, "warning: %s\nwarning: going on from %s (step %lld)\n", last.message().c_str(),
               file("previous.safetensors").c_str(), static_cast<long long>(state.position.step));
  return {};
}

/// Gives `from` a second name in one step; where the file system has no links, a
/// copy.
static Status linkOver(const std::string &from, const std::string &to) {
  const std::string aside = to + ".part";
  std::error_code error;
  fs::remove(aside, error);
  fs::create_hard_link(from, aside, error);
  if (error)
    fs::copy_file(from, aside, fs::copy_options::overwrite_existing, error);
  if (!error)
    fs::rename(aside, to, error);
  if (!error)
    return {};
  std::error_code ignored;
  fs::remove(aside, ignored);
  return Status::ioError(to, ": cannot write: ", error.message());
}

Status RunFolder::save(Model &model, const RunState &state, bool isBest) {
  const std::string last = file("last.safetensors");
  Status status = saveCheckpoint(model, state, last, [&](StagedFile &verified) -> Status {
    // A damaged `last` must not take the place of the good one before it.
    if (lastIsGood)
      if (Status status = linkOver(last, file("previous.safetensors")); status.failed())
        return status;
    // `last` says how good the best is, so the best comes first: a run killed in between
    // reaches it again, where one that knew of it would pass it by.
    if (isBest)
      if (Status status = linkOver(verified.stagedPath(), file("best.safetensors")); status.failed())
        return status;
    return verified.publish();
  });
  lastIsGood |= status.ok();
  return status;
}
