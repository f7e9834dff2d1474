//===- ExplainSpeed.cpp - `resin explain-speed`: build it, profile it -----===//

#include "tools/ExplainSpeed.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace resin;

int resin::explainSpeed(BuildOptions options, const std::vector<std::string> &arguments) {
  llvm::SmallString<256> folder;
  if (std::error_code error = llvm::sys::fs::createUniqueDirectory("resin-explain", folder)) {
    llvm::errs() << "resin: error: cannot create a temporary folder: " << error.message() << "\n";
    return kCannotCreate;
  }
  llvm::scope_exit cleanUp([&] { llvm::sys::fs::remove_directories(folder); });
  llvm::SmallString<256> program(folder);
  llvm::sys::path::append(program, "net");
  options.emit = Stage::Executable;
  options.output = program.str().str();
  if (int code = build(options))
    return code;

  std::vector<llvm::StringRef> command = {program, "profile"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::string problem;
  int code = llvm::sys::ExecuteAndWait(program, command, std::nullopt, {}, 0, 0, &problem);
  if (code >= 0)
    return code;
  llvm::errs() << "resin: error: the program built from '" << options.file << "' did not run: " << problem << "\n";
  return kFailure;
}
