//===- Files.h - Whole files in, whole files out ----------------*- C++ -*-===//
//
// A file is read at once, after its size is known, and written aside, synced and
// renamed: whoever opens it sees all of the old one or all of the new one. What a
// person names as an output may be a device, a pipe or a link as well: `writeOutput`.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_FILES_H
#define RESIN_SUPPORT_FILES_H

#include "support/Status.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace resin {

/// A 64-bit sum over bytes in order, however they are cut into calls. It tells
/// damage, not malice.
class Checksum {
public:
  void add(std::span<const std::byte> bytes);
  uint64_t value() const;
  /// Sixteen digits.
  std::string text() const;

private:
  void addWord(uint64_t word);
  uint64_t state = 0x9E3779B97F4A7C15ull, pending = 0, length = 0;
};

/// A regular file that is read in parts: what is large never stands in memory as a whole.
class InputFile {
public:
  static StatusOr<InputFile> open(const std::string &path);
  InputFile(InputFile &&other) noexcept;
  InputFile &operator=(InputFile &&) = delete;
  ~InputFile();

  const std::string &path() const { return name; }
  uint64_t size() const { return bytes; }
  /// Fills `into` from byte `offset` on.
  Status read(uint64_t offset, std::span<std::byte> into) const;
  /// Calls visit(bytes, offset) for the parts of [begin, end) in order, each a multiple of 64 bytes but the last;
  /// `visit` returns a Status.
  template <typename Visit> Status forEachPart(uint64_t begin, uint64_t end, Visit visit) const;

private:
  InputFile(std::string name, int descriptor) : name(std::move(name)), descriptor(descriptor) {}

  std::string name;
  int descriptor;
  uint64_t bytes = 0;
};

StatusOr<std::vector<std::byte>> readFile(const std::string &path);

/// Makes the names in the folder of `path` last through a power cut.
Status syncFolderOf(const std::string &path);

/// A file that appears under its name only when it is complete; dropped before
/// that, it leaves nothing behind.
class StagedFile {
public:
  StagedFile() = default;
  StagedFile(StagedFile &&other) noexcept;
  StagedFile &operator=(StagedFile &&) = delete;
  ~StagedFile();

  struct Staging {
    std::string ending = ".part"; ///< of its name until then: one of its own where others may write to `path` too
    unsigned mode = 0666;         ///< but for what the umask takes away
    bool isDurable = true;        ///< it outlasts a power cut once it is published; else nothing waits for the disk
  };
  static StatusOr<StagedFile> create(const std::string &path) { return create(path, Staging()); }
  static StatusOr<StagedFile> create(const std::string &path, const Staging &staging);

  Status write(std::span<const std::byte> bytes);
  Status write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  /// Everything written is on the disk when this returns; nothing can be added.
  Status sync();
  /// Reads it back and holds it against what was written.
  Status verify() const;
  /// Renames it to the name it was created for.
  Status publish();
  /// Where it stands until then.
  const std::string &stagedPath() const { return staged; }

private:
  std::string path, staged;
  int descriptor = -1;
  bool isDurable = true;
  Checksum written;
};

template <typename Visit> Status InputFile::forEachPart(uint64_t begin, uint64_t end, Visit visit) const {
  constexpr uint64_t kPart = 1 << 20;
  std::vector<std::byte> part(std::min(kPart, end - begin));
  for (uint64_t at = begin; at < end; at += kPart) {
    const std::span<std::byte> now = std::span(part).first(std::min(kPart, end - at));
    if (Status status = read(at, now); status.failed())
      return status;
    if (Status status = visit(std::span<const std::byte>(now), at); status.failed())
      return status;
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Outputs that a person named
//===----------------------------------------------------------------------===//

/// Whether `path` could be written, as far as can be told before there is anything to write: no folder is in
/// the way, there is one to stand in that can be written to, and it is none of the `inputs`, by whatever names and
/// links.
Status checkOutput(const std::string &path, const std::vector<std::string> &inputs = {});

/// Writes a whole output. A regular file, or one that is not there yet, appears under its name when it is complete;
/// links stay, and what they lead to is written. Anything else (a device, a pipe, standard output) is written into.
Status writeOutput(const std::string &path, std::span<const std::byte> bytes, unsigned mode = 0666);
inline Status writeOutput(const std::string &path, std::string_view text, unsigned mode = 0666) {
  return writeOutput(path, std::as_bytes(std::span(text)), mode);
}

/// A file of ours that can be made again, as in a cache: complete or not there, but nothing waits for the disk.
Status keepFile(const std::string &path, std::string_view bytes);

} // namespace resin

#endif // RESIN_SUPPORT_FILES_H
