//===- KernelCache.cpp - Objects kept on disk by content ------------------===//
//
// An entry: "resin kernel 1\n", lengths of key and object and a checksum of both,
// each eight bytes, key, object.
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelCache.h"

#include "support/Files.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

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
  const StatusOr<std::vector<std::byte>> bytes = readFile(pathOf(key));
  if (bytes.failed())
    return false;
  const std::string_view text(reinterpret_cast<const char *>(bytes->data()), bytes->size());
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
  const Lengths lengths = {key.size(), object.size(), checksumOf(key, object)};
  std::string entry(kMagic);
  entry.append(reinterpret_cast<const char *>(&lengths), sizeof(lengths)).append(key).append(object);
  if (Status status = keepFile(pathOf(key), entry); status.failed())
    problem = "the cache keeps nothing: " + status.message();
}

} // namespace resin::codegen
