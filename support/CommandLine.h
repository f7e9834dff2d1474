//===- CommandLine.h - What a person typed, and what is wrong with it -*- C++ -*-===//
//
// CLI11 reads the command lines of `resin` and of the programs it builds; what it has to say of a mistake is said here
// in our words: the command, the option and what was given, with what was probably meant.
//
//     error: train: there is no option '--epoch'; did you mean '--epochs'?
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_COMMANDLINE_H
#define RESIN_SUPPORT_COMMANDLINE_H

#include "support/Status.h"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace resin {

// What an option's value must be; given to `CLI::Option::transform`, as a number is handed on in the one form that
// cannot be misread (CLI11 would take 010 for 8).

/// Digits alone.
CLI::Validator wholeNumber(uint64_t least = 0, uint64_t most = INT64_MAX);
/// Finite, within both.
CLI::Validator realNumber(double least, double most);
CLI::Validator oneOf(const std::vector<std::string> &words);

/// Reads a command line of commands and their options, none of which takes an empty value. If there is nothing to carry
/// out, since help was asked for or something is wrong, that is printed behind `prefix` and the exit code returned.
std::optional<ExitCode> parseCommandLine(CLI::App &app, int argc, const char *const *argv, const std::string &prefix);

} // namespace resin

#endif // RESIN_SUPPORT_COMMANDLINE_H
