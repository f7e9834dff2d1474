//===- RunFolder.cpp - Where a run keeps what it has reached --------------===//
//
// Checkpoints are never changed in place, only renamed over, so that the names can
// share one file: `previous` and `best` are links made from what is or becomes `last`.
//
//===----------------------------------------------------------------------===//

#include "runtime/train/RunFolder.h"
#include "runtime/Model.h"
#include "runtime/train/Checkpoint.h"
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
    : path(std::move(other.path)), lock(std::exchange(other.lock, -1)), lastIsGood(other.lastIsGood),
      replaces(other.replaces), owedBest(std::move(other.owedBest)) {}

RunFolder::~RunFolder() {
  if (lock >= 0)
    ::close(lock);
}

bool RunFolder::holdsRun() const {
  std::error_code error;
  return fs::exists(file("last.safetensors"), error) || fs::exists(file("previous.safetensors"), error);
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

/// A folder that was moved or removed under the run is made anew: better there than nowhere.
Status RunFolder::standUp() {
  std::error_code error;
  if (fs::is_directory(path, error))
    return {};
  StatusOr<RunFolder> again = open(path);
  if (again.failed())
    return again.status();
  std::fprintf(stderr, "warning: %s: is no longer there: made anew\n", path.c_str());
  std::swap(lock, again->lock);
  return {};
}

/// Writes the best checkpoint that an earlier save could not.
Status RunFolder::payBest() {
  if (owedBest.empty())
    return {};
  StatusOr<StagedFile> best = StagedFile::create(file("best.safetensors"));
  if (best.failed())
    return best.status();
  if (Status status = best->write(owedBest); status.failed())
    return status;
  if (Status status = best->sync(); status.failed())
    return status;
  if (Status status = best->verify(); status.failed())
    return status;
  if (Status status = best->publish(); status.failed())
    return status;
  owedBest = {};
  return {};
}

void RunFolder::removeOthers() {
  std::error_code ignored;
  fs::remove(file("previous.safetensors"), ignored);
  fs::remove(file("best.safetensors"), ignored);
}

/// Gives the checkpoint its names.
Status RunFolder::publish(StagedFile &verified, bool isBest) {
  const std::string last = file("last.safetensors");
  std::error_code error;
  // A damaged `last` must not take the place of the good one before it.
  if (lastIsGood && fs::exists(last, error))
    if (Status status = linkOver(last, file("previous.safetensors")); status.failed())
      return status;
  // `last` says how good the best is, so the best comes first: a run killed in between
  // reaches it again, where one that knew of it would pass it by.
  if (isBest)
    if (Status status = linkOver(verified.stagedPath(), file("best.safetensors")); status.failed())
      return status;
  return verified.publish();
}

Status RunFolder::trySave(Model &model, const RunState &state, bool isBest) {
  if (Status status = standUp(); status.failed())
    return status;
  if (!isBest)
    if (Status status = payBest(); status.failed())
      return status;
  Status status = saveCheckpoint(model, state, file("last.safetensors"),
                                 [&](StagedFile &verified) { return publish(verified, isBest); });
  if (status.failed())
    return status;
  lastIsGood = true;
  if (std::exchange(replaces, false))
    removeOthers();
  return {};
}

/// Empty if a variable is not finite.
static std::string contentsOf(Model &model, const RunState &state) {
  std::string all;
  const Status status = writeCheckpoint(model, state, [&](std::span<const std::byte> bytes) -> Status {
    all.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    return {};
  });
  return status.ok() ? all : std::string();
}

Status RunFolder::save(Model &model, const RunState &state, bool isBest) {
  Status status = trySave(model, state, isBest);
  if (isBest)
    owedBest = status.ok() ? std::string() : contentsOf(model, state);
  return status;
}
