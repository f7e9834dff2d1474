//===- KernelCache.cpp - Objects kept on disk by content ------------------===//
//
// An entry: "resin kernel 1\n", lengths of key and object and a checksum of both,
// each eight bytes, key, object.
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelCache.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <unistd.h>

namespace resin::codegen {

namespace {

constexpr std::string_view kMagic = "resin kernel 1\n";
struct Lengths {
  uint64_t key, object, checksum;
};

uint64_t mix(std::string_view text, uint64_t state) {
  for (unsigned char c : text)
    state = (state ^ c) * 0x100000001b3;
  return state ^ (state >> 29);
}

uint64_t checksumOf(std::string_view key, std::string_view object) { return mix(object, mix(key, 0xcbf29ce484222325)); }

std::string reasonOf(const std::string &what, const std::string &path, const std::error_code &code) {
  return what + " '" + path + "': " + code.message();
}

} // namespace

KernelCache::KernelCache(const std::string &folder) : folder(folder) {
  if (folder.empty())
    return;
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (!code)
    return;
  problem = reasonOf("cannot make the cache folder", folder, code);
  this->folder.clear();
}

std::string KernelCache::pathOf(const std::string &key) const {
  std::array<char, 40> name;
  std::snprintf(name.data(), name.size(), "%016llx%016llx",
                static_cast<unsigned long long>(mix(key, 0xcbf29ce484222325)),
                static_cast<unsigned long long>(mix(key, 0x9e3779b97f4a7c15)));
  return folder + "/" + name.data() + ".kernel";
}

bool KernelCache::find(const std::string &key, std::string &object) const {
  if (folder.empty())
    return false;
  std::ifstream file(pathOf(key), std::ios::binary);
  if (!file)
    return false;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string_view rest = text;
  Lengths lengths;
  if (!rest.starts_with(kMagic) || rest.size() < kMagic.size() + sizeof(lengths))
    return false;
  rest.remove_prefix(kMagic.size());
  std::memcpy(&lengths, rest.data(), sizeof(lengths));
  rest.remove_prefix(sizeof(lengths));
  if (lengths.key != key.size() || rest.size() < key.size() || rest.size() - key.size() != lengths.object ||
      rest.substr(0, key.size()) != key)
    return false;
  rest.remove_prefix(key.size());
  if (checksumOf(key, rest) != lengths.checksum)
    return false;
  object = rest;
  return true;
}

void KernelCache::keep(const std::string &key, const std::string &object) {
  if (folder.empty())
    return;
  const std::string path = pathOf(key), aside = path + "." + std::to_string(getpid());
  std::error_code code;
  {
    const Lengths lengths = {key.size(), object.size(), checksumOf(key, object)};
    std::ofstream file(aside, std::ios::binary | std::ios::trunc);
    file << kMagic;
    file.write(reinterpret_cast<const char *>(&lengths), sizeof(lengths));
    file << key << object;
    file.flush();
    if (!file)
      code = std::error_code(errno, std::generic_category());
  }
  if (!code)
    std::filesystem::rename(aside, path, code);
  if (!code)
    return;
  problem = reasonOf("cannot write into the cache", path, code);
  std::filesystem::remove(aside, code);
}

} // namespace resin::codegen
