//===- Frontend.cpp - From a `.resin` file to the resnet dialect ----------===//
//
//   1. Parse the settings of the command line, each a buffer of its own.
//   2. Parse the file.
//   3. Analyze, if all could be parsed.
//   4. Print what is wrong, or make the table or the module.
//
//===----------------------------------------------------------------------===//

#include "frontend/Frontend.h"
#include "frontend/MlirGen.h"
#include "frontend/Parser.h"
#include "frontend/Sema.h"
#include "frontend/Summary.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace resin::frontend;

/// `key=value` as a buffer, so that mistakes in it have a line to show.
static void parseOverride(StringRef key, StringRef value, std::vector<Setting> &settings, Diagnostics &diagnostics) {
  key.consume_front("train.");
  std::string text = (key + "=" + value).str();
  unsigned id = diagnostics.getSources().AddNewSourceBuffer(MemoryBuffer::getMemBufferCopy(text, "--set"), SMLoc());
  const char *start = diagnostics.getSources().getMemoryBuffer(id)->getBufferStart();
  SMRange range{SMLoc::getFromPointer(start), SMLoc::getFromPointer(start + key.size())};
  StringRef copy(start + key.size() + 1, value.size());
  if (ExprPtr expr = parseExpression(copy, diagnostics))
    settings.push_back({{key.str(), range}, std::move(expr)});
}

static std::optional<Network> analyzeAndReport(SourceMgr &sources, const Options &options, raw_ostream &errors) {
  Diagnostics diagnostics(sources);
  std::vector<Setting> overrides;
  for (const auto &[key, value] : options.overrides)
    parseOverride(key, value, overrides, diagnostics);
  File file = parseFile(sources.getMemoryBuffer(sources.getMainFileID())->getBuffer(), diagnostics);
  std::optional<Network> network;
  if (!diagnostics.hasErrors())
    network = analyze(file, options.modelName, overrides, diagnostics);
  diagnostics.print(errors);
  return network;
}

bool resin::frontend::check(SourceMgr &sources, const Options &options, raw_ostream &errors) {
  return analyzeAndReport(sources, options, errors).has_value();
}

std::optional<std::string> resin::frontend::summarize(SourceMgr &sources, const Options &options, raw_ostream &errors) {
  std::optional<Network> network = analyzeAndReport(sources, options, errors);
  return network ? std::optional(printSummary(*network)) : std::nullopt;
}

mlir::OwningOpRef<mlir::ModuleOp> resin::frontend::compile(SourceMgr &sources, mlir::MLIRContext &context,
                                                           const Options &options, raw_ostream &errors) {
  std::optional<Network> network = analyzeAndReport(sources, options, errors);
  return network ? generateModule(*network, sources, context) : nullptr;
}
