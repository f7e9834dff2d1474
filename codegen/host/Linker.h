//===- Linker.h - From objects to an executable -----------------*- C++ -*-===//

#ifndef RESIN_CODEGEN_HOST_LINKER_H
#define RESIN_CODEGEN_HOST_LINKER_H

#include "support/ScratchFolder.h"

#include <string>
#include <vector>

namespace resin {

/// The C++ compiler that drives the link: $RESIN_CXX, else the first of clang++-22,
/// clang++, g++ and c++ that is there. Empty if none is.
std::string findLinkDriver();

/// The runtime archive beside the `resin` executable at `resinPath`: in ../lib of its
/// folder. Empty if it is not there.
std::string findRuntimeArchive(const std::string &resinPath);

struct LinkJob {
  const ScratchFolder &folder;        ///< to link in
  std::vector<std::string> objects;   ///< files of the folder
  std::vector<std::string> libraries; ///< other files, wherever they are
};

/// Links a program that depends on libc, libm, libstdc++ and libgcc alone, and returns where it is: a file of the
/// folder. If the linker failed, the status holds what it said.
StatusOr<std::string> link(const LinkJob &job);

} // namespace resin

#endif // RESIN_CODEGEN_HOST_LINKER_H
