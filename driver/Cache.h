//===- Cache.h - Where this user's kernels and records are kept -*- C++ -*-===//

#ifndef RESIN_DRIVER_CACHE_H
#define RESIN_DRIVER_CACHE_H

#include <string>

namespace resin {

/// Where compiled kernels are kept: $RESIN_CACHE, else resin under the user's cache
/// folder. Empty if there is neither.
std::string cacheDirectory();

/// `chosen`, or where the user's tuning records are: tuning.db in the cache folder.
/// Empty if there is no such folder.
std::string tuningDatabase(const std::string &chosen);

} // namespace resin

#endif // RESIN_DRIVER_CACHE_H
