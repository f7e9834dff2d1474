//===- Paths.cpp - What a build reads and writes --------------------------===//

#include "driver/Paths.h"

#include "codegen/host/Linker.h"
#include "driver/Cache.h"
#include "support/Files.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace resin;

namespace path = llvm::sys::path;

std::string resin::runtimeOf(const BuildOptions &options) {
  return options.runtime.empty() ? findRuntimeArchive(options.resinPath) : options.runtime;
}

std::vector<std::string> resin::inputsOf(const BuildOptions &options) {
  std::vector<std::string> inputs = options.kernelObjects;
  inputs.insert(inputs.end(), {options.file, runtimeOf(options), tuningDatabase(options.database)});
  return inputs;
}

std::string resin::outputOf(const BuildOptions &options) {
  const llvm::StringRef stem = path::stem(options.file);
  if (options.output == "-" || (options.output.empty() && options.emit <= Stage::LLVM))
    return "/dev/stdout";
  if (!options.output.empty())
    return options.output;
  return options.emit == Stage::Object ? (stem + ".o").str() : stem.str();
}

std::string resin::dumpOf(const BuildOptions &options, Stage stage) {
  const int number = static_cast<int>(stage);
  llvm::SmallString<256> file(options.dumpPhases);
  path::append(file, llvm::Twine(number + 1) + "-" + kStageNames[number] + ".mlir");
  return file.str().str();
}

Status resin::checkOutputs(const BuildOptions &options) {
  const std::vector<std::string> inputs = inputsOf(options);
  if (Status status = checkOutput(outputOf(options), inputs); status.failed())
    return status;
  if (!options.dumpPhases.empty())
    for (Stage stage = Stage::Resnet; stage <= Stage::LLVM; stage = static_cast<Stage>(static_cast<int>(stage) + 1))
      if (const std::string file = dumpOf(options, stage); llvm::sys::fs::exists(file))
        if (Status status = checkOutput(file, inputs); status.failed())
          return status;
  if (options.emit == Stage::Executable && runtimeOf(options).empty())
    return {ExitCode::Failure,
            concat("libResinRuntime.a is not in ../lib beside ", options.resinPath, ": build or install it")};
  return {};
}
