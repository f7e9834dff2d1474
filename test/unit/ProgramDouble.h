//===- ProgramDouble.h - Stands in for a compiled program -------*- C++ -*-===//
//
// One linear layer with softmax, cross entropy and momentum, written by hand
// against runtime/Abi.h, so that the runtime can be tested without the compiler.
// It has what makes a real program hard: blocked layouts, a halo, state that
// `prepare` derives, memory that is reused between steps, and regions in pieces.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TEST_UNIT_PROGRAMDOUBLE_H
#define RESIN_TEST_UNIT_PROGRAMDOUBLE_H

#include "runtime/Abi.h"

#include <string>

/// The manifest of `resin_program`.
const std::string &programDoubleManifest();
/// The same code with another manifest.
ResinProgram programDoubleWith(const std::string &manifest);

#endif // RESIN_TEST_UNIT_PROGRAMDOUBLE_H
