//===- Cache.cpp - Where this user's kernels and records are kept ---------===//

#include "driver/Cache.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

#include <cstdlib>

using namespace resin;

namespace path = llvm::sys::path;

std::string resin::cacheDirectory() {
  if (const char *chosen = std::getenv("RESIN_CACHE"))
    return chosen;
  llvm::SmallString<256> folder;
  if (const char *xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg)
    folder = xdg;
  else if (const char *home = std::getenv("HOME"); home && *home)
    path::append(folder, home, ".cache");
  else
    return "";
  path::append(folder, "resin");
  return folder.str().str();
}

std::string resin::tuningDatabase(const std::string &chosen) {
  if (!chosen.empty())
    return chosen;
  std::string folder = cacheDirectory();
  return folder.empty() ? "" : folder + "/tuning.db";
}
