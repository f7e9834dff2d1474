//===- Program.h - The command line of a compiled network -------*- C++ -*-===//

#ifndef RESIN_RUNTIME_PROGRAM_H
#define RESIN_RUNTIME_PROGRAM_H

#include "runtime/Abi.h"

namespace resin::runtime {

/// What `main` does; returns the exit code.
int runProgram(const ResinProgram &program, int argc, const char *const *argv);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_PROGRAM_H
