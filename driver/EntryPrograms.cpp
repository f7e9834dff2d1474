//===- EntryPrograms.cpp - A network's programs, as a search wants them ---===//

#include "driver/EntryPrograms.h"

#include "driver/Compiler.h"
#include "support/RunTool.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace resin;
using tuning::BenchReport;

std::optional<std::vector<tuning::EntryPoint>> EntryPrograms::lower(const tuning::Fusion &fusion) {
  BuildOptions build = options;
  build.fusion = fusion;
  ProgramParts parts;
  if (collectParts(build, parts).failed())
    return std::nullopt;
  return std::move(parts.entries);
}

StatusOr<std::string> EntryPrograms::build(const tuning::Fusion &fusion) {
  if (!folder) {
    StatusOr<ScratchFolder> made = ScratchFolder::create();
    if (made.failed())
      return made.status();
    folder.emplace(std::move(*made));
  }
  BuildOptions build = options;
  build.fusion = fusion;
  build.quiet = true;
  build.output = *folder / ("net" + std::to_string(programs++));
  if (Status status = resin::build(build); status.failed())
    return Status(status.code(), "a program could not be built" +
                                     (status.message().empty() ? std::string() : ": " + status.message()));
  return build.output;
}

/// What `bench --json` wrote of the entry function; nothing if it is something else.
static std::optional<BenchReport> readReport(llvm::StringRef text, const std::string &entry) {
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return std::nullopt;
  }
  const llvm::json::Object *report = parsed->getAsObject(), *outputs = report ? report->getObject("outputs") : nullptr;
  const llvm::json::Array *predict = report ? report->getArray("predict") : nullptr,
                          *values = outputs ? outputs->getArray(entry) : nullptr;
  if (!values || !predict)
    return std::nullopt;
  BenchReport result;
  const llvm::json::Object *timed = predict->empty() ? report : predict->front().getAsObject();
  result.seconds =
      timed ? timed->getNumber(predict->empty() ? "train_milliseconds" : "milliseconds").value_or(0) * 1e-3 : 0;
  result.peak = report->getNumber("peak_gflops").value_or(0);
  for (const llvm::json::Value &value : *values)
    result.outputs.push_back(value.getAsNumber().value_or(NAN));
  return result.seconds > 0 ? std::optional(result) : std::nullopt;
}

StatusOr<BenchReport> EntryPrograms::bench(const std::string &program, const std::string &entry, double seconds) {
  const std::string out = program + ".json", log = program + ".log";
  const StatusOr<int> code =
      runTool({.arguments = {program, "bench", "--json", "--only", entry, "--seconds", std::to_string(seconds)},
               .output = out,
               .errors = log});
  if (code.failed())
    return code.status();
  auto text = llvm::MemoryBuffer::getFile(out);
  if (*code == 0 && text)
    if (std::optional<BenchReport> report = readReport((*text)->getBuffer(), entry))
      return *report;
  return Status(ExitCode::Failure, "a program's bench ended with " + std::to_string(*code));
}
