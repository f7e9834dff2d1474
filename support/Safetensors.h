//===- Safetensors.h - Named tensors in a file ------------------*- C++ -*-===//
//
// Reads and writes the safetensors format: eight bytes of header length, a JSON
// header (`name -> dtype, shape, data_offsets`, and `__metadata__`: strings), then
// the data.
//
// The reader trusts nothing: it refuses a header that is longer than the file,
// JSON that is not exactly of this form, names that come twice, shapes that do not
// fit their bytes, and data with overlaps or holes.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_SAFETENSORS_H
#define RESIN_SUPPORT_SAFETENSORS_H

#include "support/Status.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace resin::safetensors {

using Metadata = std::map<std::string, std::string>;

struct Entry {
  std::string name;
  std::string type; ///< "F32", "I64", ...
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0; ///< bytes from the start of the data
};

class File {
public:
  static StatusOr<File> read(const std::string &path);

  const Metadata &metadata() const { return strings; }
  /// In the order of the data.
  const std::vector<Entry> &entries() const { return tensors; }
  const Entry *find(const std::string &name) const;
  std::span<const std::byte> bytes(const Entry &entry) const;
  /// All of the tensors' bytes.
  std::span<const std::byte> data() const { return std::span(contents).subspan(dataStart); }

private:
  std::vector<std::byte> contents;
  uint64_t dataStart = 0;
  Metadata strings;
  std::vector<Entry> tensors;
  std::map<std::string, size_t> byName;
};

bool isFloatingPoint(const Entry &entry);
/// Elements of an entry as f32, whatever floating-point type the file has.
std::vector<float> toFloats(const Entry &entry, std::span<const std::byte> bytes);

/// One f32 tensor to be written.
struct Heading {
  std::string name;
  std::vector<int64_t> shape;
};

/// What stands in a file before the data: the tensors follow in this order, without
/// gaps.
std::string header(const std::vector<Heading> &tensors, const Metadata &metadata);

/// "[64, 3, 7, 7]"
std::string printShape(std::span<const int64_t> shape);

} // namespace resin::safetensors

#endif // RESIN_SUPPORT_SAFETENSORS_H
