//===- Linker.h - From objects to an executable -----------------*- C++ -*-===//

#ifndef RESIN_CODEGEN_HOST_LINKER_H
#define RESIN_CODEGEN_HOST_LINKER_H

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
  std::vector<std::string> objects;  ///< ours and the kernels'
  std::vector<std::string> archives; ///< the runtime
  std::string output;
};

/// Links a program that depends on libc, libm, libstdc++ and libgcc alone. On failure
/// returns false; `error` then holds what the linker said.
bool link(const LinkJob &job, std::string &error);

} // namespace resin

#endif // RESIN_CODEGEN_HOST_LINKER_H
