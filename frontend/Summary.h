//===- Summary.h - A network as a table -------------------------*- C++ -*-===//

#ifndef RESIN_FRONTEND_SUMMARY_H
#define RESIN_FRONTEND_SUMMARY_H

#include "frontend/Network.h"

namespace resin::frontend {

/// A row for each layer (path, kind, result, parameters, FLOPs of one image), and the sums.
std::string printSummary(const Network &network);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_SUMMARY_H
