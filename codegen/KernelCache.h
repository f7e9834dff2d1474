//===- KernelCache.h - Objects kept on disk by content ----------*- C++ -*-===//

#ifndef RESIN_CODEGEN_KERNELCACHE_H
#define RESIN_CODEGEN_KERNELCACHE_H

#include <string>

namespace resin::codegen {

/// A folder of entries, each a file named by the hash of its key that holds key,
/// object and a checksum. Whatever is wrong with an entry, it is as if it were not
/// there. Entries are written aside and renamed: many processes may share a folder.
class KernelCache {
public:
  /// An empty folder name makes a cache that keeps nothing.
  explicit KernelCache(const std::string &folder);

  bool find(const std::string &key, std::string &object) const;
  void keep(const std::string &key, const std::string &object);
  /// Why entries could not be kept; empty if they could.
  const std::string &complaint() const { return problem; }

private:
  std::string pathOf(const std::string &key) const;
  std::string folder, problem;
};

} // namespace resin::codegen

#endif // RESIN_CODEGEN_KERNELCACHE_H
