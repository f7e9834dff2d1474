//===- ScratchFolder.cpp - A folder for files on their way ----------------===//

#include "support/ScratchFolder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

using namespace resin;
namespace fs = std::filesystem;

StatusOr<ScratchFolder> ScratchFolder::create() {
  const char *chosen = std::getenv("TMPDIR");
  std::error_code error;
  // A name that a tool is given stands for itself: it begins with neither '-' nor '@'.
  const fs::path parent = chosen && fs::is_directory(chosen, error) ? fs::absolute(chosen, error) : "/tmp";
  std::string name = parent / "resin-XXXXXX";
  if (!::mkdtemp(name.data()))
    return Status(ExitCode::CannotCreate, concat("cannot create a temporary folder in ", parent.string(), ": ",
                                                 systemError(), "; name another in TMPDIR"));
  return ScratchFolder(name);
}

Status ScratchFolder::write(const std::string &name, std::string_view bytes) const {
  const int file = ::open((*this / name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  bool done = file >= 0;
  while (done && !bytes.empty()) {
    const ssize_t put = ::write(file, bytes.data(), bytes.size());
    done = put >= 0 || errno == EINTR;
    bytes.remove_prefix(put > 0 ? static_cast<size_t>(put) : 0);
  }
  done = file >= 0 && ::close(file) == 0 && done;
  return done ? Status() : Status::ioError(*this / name, ": cannot write: ", systemError());
}

std::string ScratchFolder::read(const std::string &name) const {
  std::ifstream file(*this / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
