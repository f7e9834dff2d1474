//===- Files.cpp - Whole files in, whole files out ------------------------===//

#include "support/Files.h"

#include "support/Leavings.h"

#include <cstdio>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace resin;
namespace fs = std::filesystem;

namespace {
/// Closes a descriptor at the end of the scope.
struct Descriptor {
  int value;
  explicit Descriptor(int value) : value(value) {}
  Descriptor(const Descriptor &) = delete;
  ~Descriptor() {
    if (value >= 0)
      ::close(value);
  }
};
} // namespace

static Status writeAll(int descriptor, const std::string &path, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return Status::ioError(path, ": cannot write: ", systemError());
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return {};
}

//===----------------------------------------------------------------------===//
// InputFile
//===----------------------------------------------------------------------===//

StatusOr<InputFile> InputFile::open(const std::string &path) {
  // A pipe that nobody writes to must not hold us up.
  InputFile file(path, ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.descriptor < 0)
    return Status::noInput(path, ": cannot open: ", systemError());
  struct stat facts;
  if (::fstat(file.descriptor, &facts) != 0)
    return Status::ioError(path, ": cannot read: ", systemError());
  if (!S_ISREG(facts.st_mode))
    return Status::noInput(path, ": is not a file");
  file.bytes = static_cast<uint64_t>(facts.st_size);
  return file;
}

InputFile::InputFile(InputFile &&other) noexcept
    : name(std::move(other.name)), descriptor(std::exchange(other.descriptor, -1)), bytes(other.bytes) {}

InputFile::~InputFile() {
  if (descriptor >= 0)
    ::close(descriptor);
}

Status InputFile::read(uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const ssize_t got = ::pread(descriptor, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return Status::ioError(name, ": cannot read: ", systemError());
    if (got == 0)
      return Status::badData(name, ": became shorter while it was read");
    into = into.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return {};
}

StatusOr<std::vector<std::byte>> resin::readFile(const std::string &path) {
  StatusOr<InputFile> file = InputFile::open(path);
  if (file.failed())
    return file.status();
  std::vector<std::byte> bytes(file->size());
  if (Status status = file->read(0, bytes); status.failed())
    return status;
  return bytes;
}

Status resin::syncFolderOf(const std::string &path) {
  std::string folder = fs::path(path).parent_path().string();
  if (folder.empty())
    folder = ".";
  Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder and say EINVAL: then the rename is all there is.
  if (opened.value < 0 || (::fsync(opened.value) != 0 && errno != EINVAL))
    return Status::ioError(folder, ": cannot sync: ", systemError());
  return {};
}

//===----------------------------------------------------------------------===//
// Checksum
//===----------------------------------------------------------------------===//

void Checksum::addWord(uint64_t word) {
  state = (state ^ word) * 0xD6E8FEB86659FD93ull;
  state ^= state >> 32;
}

void Checksum::add(std::span<const std::byte> bytes) {
  size_t i = 0;
  auto addByte = [&] {
    pending |= static_cast<uint64_t>(bytes[i++]) << 8 * (length++ % 8);
    if (length % 8 == 0)
      addWord(std::exchange(pending, 0));
  };
  while (i < bytes.size() && length % 8)
    addByte();
  for (; bytes.size() - i >= 8; i += 8, length += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    addWord(word);
  }
  while (i < bytes.size())
    addByte();
}

uint64_t Checksum::value() const {
  Checksum last = *this;
  last.addWord(pending);
  last.addWord(length);
  return last.state;
}

std::string Checksum::text() const {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value()));
  return digits;
}

//===----------------------------------------------------------------------===//
// StagedFile
//===----------------------------------------------------------------------===//

StagedFile::StagedFile(StagedFile &&other) noexcept
    : path(std::move(other.path)), staged(std::exchange(other.staged, {})),
      descriptor(std::exchange(other.descriptor, -1)), isDurable(other.isDurable), written(other.written) {}

StagedFile::~StagedFile() {
  if (descriptor >= 0)
    ::close(descriptor);
  if (!staged.empty())
    ::unlink(staged.c_str());
}

StatusOr<StagedFile> StagedFile::create(const std::string &path, const Staging &staging) {
  StagedFile file;
  file.path = path;
  file.isDurable = staging.isDurable;
  std::string aside = path + staging.ending;
  // What a killed program left there may be linked elsewhere: it is let go, not written into.
  ::unlink(aside.c_str());
  file.descriptor = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, staging.mode);
  if (file.descriptor < 0)
    return Status(ExitCode::CannotCreate, concat(path, ": cannot create: ", systemError()));
  file.staged = aside;
  return file;
}

Status StagedFile::write(std::span<const std::byte> bytes) {
  written.add(bytes);
  return writeAll(descriptor, path, bytes);
}

Status StagedFile::sync() {
  bool synced = !isDurable || ::fsync(descriptor) == 0;
  bool closed = ::close(std::exchange(descriptor, -1)) == 0;
  if (!synced || !closed)
    return Status::ioError(path, ": cannot write: ", systemError());
  return {};
}

Status StagedFile::verify() const {
  Descriptor file(::open(staged.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value < 0)
    return Status::ioError(staged, ": cannot read back: ", systemError());
  Checksum found;
  std::vector<std::byte> chunk(1 << 20);
  while (true) {
    ssize_t got = ::read(file.value, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return Status::ioError(staged, ": cannot read back: ", systemError());
    if (got == 0)
      break;
    found.add(std::span(chunk).first(static_cast<size_t>(got)));
  }
  if (found.value() != written.value())
    return Status::ioError(staged, ": is not what was written to it");
  return {};
}

Status StagedFile::publish() {
  assert(descriptor < 0 && "the file is synced before it is published");
  if (::rename(staged.c_str(), path.c_str()) != 0)
    return Status::ioError(path, ": cannot rename: ", systemError());
  staged.clear();
  return isDurable ? syncFolderOf(path) : Status();
}

//===----------------------------------------------------------------------===//
// Outputs that a person named
//===----------------------------------------------------------------------===//

static Status cannotCreate(const std::string &path, const std::string &why) {
  return {ExitCode::CannotCreate, concat(path, ": cannot create: ", why)};
}

/// What the links at `path` lead to in the end, be it there or not.
static fs::path followLinks(fs::path path) {
  constexpr int kMostLinks = 40; // as the kernel
  std::error_code error;
  for (int i = 0; i < kMostLinks && fs::is_symlink(path, error); ++i)
    path = path.parent_path() / fs::read_symlink(path, error); // an absolute one stands for itself
  return path;
}

Status resin::checkOutput(const std::string &path, const std::vector<std::string> &inputs) {
  std::error_code error;
  if (path.empty())
    return cannotCreate("''", "a file's name is needed");
  if (fs::is_directory(path, error))
    return cannotCreate(path, "a folder is in the way");
  const fs::path folder = followLinks(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, error))
    return cannotCreate(path, concat("there is no folder ", folder.string()));
  const bool isReplaced = !fs::exists(path, error) || fs::is_regular_file(path, error);
  if (const std::string where = isReplaced ? folder.empty() ? "." : folder.string() : path;
      ::access(where.c_str(), W_OK))
    return cannotCreate(path, concat("cannot write to ", where, ": ", systemError()));
  for (const std::string &input : inputs)
    if (fs::is_regular_file(path, error) && fs::equivalent(path, input, error))
      return cannotCreate(path, concat("it is the input ", input, ", which would be lost"));
  return {};
}

/// The descriptor that stands for the same thing already: /dev/stdout opened anew would begin at its start.
static int openedAlready(const struct stat &facts) {
  for (int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat open;
    const bool isWritten = (::fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY;
    if (isWritten && ::fstat(descriptor, &open) == 0 && open.st_dev == facts.st_dev && open.st_ino == facts.st_ino)
      return descriptor;
  }
  return -1;
}

/// Into what is there and is no file that could be replaced.
static Status writeInto(const std::string &path, std::span<const std::byte> bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (file.value < 0)
    return cannotCreate(path, systemError());
  return writeAll(file.value, path, bytes);
}

static Status replaceFile(const std::string &path, std::span<const std::byte> bytes, unsigned mode, bool isDurable) {
  // Programs that write to `path` at the same time need not be of this machine.
  const std::string ending = concat(".", std::random_device()(), ".part");
  StatusOr<StagedFile> file = StagedFile::create(path, {ending, mode, isDurable});
  if (file.failed())
    return file.status();
  Leaving leaving(file->stagedPath());
  if (Status status = file->write(bytes); status.failed())
    return status;
  if (Status status = file->sync(); status.failed())
    return status;
  Status status = file->publish();
  leaving.forget();
  return status;
}

Status resin::writeOutput(const std::string &path, std::span<const std::byte> bytes, unsigned mode) {
  struct stat facts;
  const bool exists = ::stat(path.c_str(), &facts) == 0;
  if (const int descriptor = exists ? openedAlready(facts) : -1; descriptor >= 0)
    return writeAll(descriptor, path, bytes);
  if (Status status = checkOutput(path); status.failed())
    return status;
  if (exists && !S_ISREG(facts.st_mode))
    return writeInto(path, bytes);
  return replaceFile(followLinks(path), bytes, mode, true);
}

Status resin::keepFile(const std::string &path, std::string_view bytes) {
  return replaceFile(path, std::as_bytes(std::span(bytes)), 0666, false);
}
