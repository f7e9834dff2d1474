//===- ScratchFolder.h - A folder for files on their way --------*- C++ -*-===//

#ifndef RESIN_SUPPORT_SCRATCHFOLDER_H
#define RESIN_SUPPORT_SCRATCHFOLDER_H

#include "support/Leavings.h"
#include "support/Status.h"

#include <string>
#include <string_view>

namespace resin {

/// A folder of a name of its own in TMPDIR, or in /tmp where there is no TMPDIR. It holds files alone, and goes away
/// with its owner, or with the process.
class ScratchFolder {
public:
  static StatusOr<ScratchFolder> create();

  const std::string &path() const { return folder; }
  std::string operator/(const std::string &name) const { return folder + "/" + name; }
  /// Makes a file. Nobody needs it after a power cut.
  Status write(const std::string &name, std::string_view bytes) const;
  /// All of a file; empty if it is not there.
  std::string read(const std::string &name) const;

private:
  explicit ScratchFolder(const std::string &path) : folder(path), leaving(path) {}
  std::string folder;
  Leaving leaving;
};

} // namespace resin

#endif // RESIN_SUPPORT_SCRATCHFOLDER_H
