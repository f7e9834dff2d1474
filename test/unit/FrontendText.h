//===- FrontendText.h - Analyze a text in a test ----------------*- C++ -*-===//

#ifndef RESIN_TEST_UNIT_FRONTENDTEXT_H
#define RESIN_TEST_UNIT_FRONTENDTEXT_H

#include "frontend/Parser.h"
#include "frontend/Sema.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

namespace resin::frontend {

struct Analysis {
  std::optional<Network> network;
  std::string messages; ///< as printed, for the file "net.resin"
};

inline Analysis analyzeText(llvm::StringRef text, llvm::StringRef model = "") {
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, "net.resin"), llvm::SMLoc());
  Diagnostics diagnostics(sources);
  Analysis result;
  File file = parseFile(sources.getMemoryBuffer(1)->getBuffer(), diagnostics);
  if (!diagnostics.hasErrors())
    result.network = analyze(file, model, {}, diagnostics);
  llvm::raw_string_ostream out(result.messages);
  diagnostics.print(out);
  return result;
}

/// A model whose third line is `body`; it starts with `x`, an image [3, 32, 32], and must end in `x`.
inline std::string inModel(llvm::StringRef body) {
  return ("model m(image: [3, 32, 32]) -> [10] {\n  x = image\n" + body +
          "\n  return x |> global_avg_pool |> linear(10)\n}\n")
      .str();
}

} // namespace resin::frontend

#endif // RESIN_TEST_UNIT_FRONTENDTEXT_H
