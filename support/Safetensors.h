//===- Safetensors.h - Named tensors in a file ------------------*- C++ -*-===//
//
// Reads and writes the safetensors format: eight bytes of header length, a JSON
// header (`name -> dtype, shape, data_offsets`, and `__metadata__`: strings), then
// the data.
//
// The reader trusts nothing: it refuses a header that is longer than the file,
// JSON that is not exactly of this form, names that come twice, shapes that do not
// fit their bytes, and data with overlaps or holes. It knows of types only what it
// needs: a tensor that nobody asks for may have any.
//
// The header is read at once, data when they are asked for: a file may be larger
// than memory.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_SAFETENSORS_H
#define RESIN_SUPPORT_SAFETENSORS_H

#include "support/Files.h"
#include "support/Status.h"

#include <cstdint>
#include <map>
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

  const std::string &path() const { return input.path(); }
  const Metadata &metadata() const { return strings; }
  /// In the order of the data.
  const std::vector<Entry> &entries() const { return tensors; }
  const Entry *find(const std::string &name) const;
  /// Elements of an entry as f32, whatever floating-point type the file has; a number that f32 cannot hold is an error.
  StatusOr<std::vector<float>> floats(const Entry &entry) const;
  /// The sum over all of the tensors' bytes.
  StatusOr<Checksum> sumOfData() const;

private:
  explicit File(InputFile input) : input(std::move(input)) {}
  Status readHeader();

  InputFile input;
  uint64_t dataStart = 0;
  Metadata strings;
  std::vector<Entry> tensors;
  std::map<std::string, size_t> byName;
};

bool isFloatingPoint(const Entry &entry);

/// One f32 tensor to be written.
struct Heading {
  std::string name;
  std::vector<int64_t> shape;
};

/// What stands in a file before the data: the tensors follow in this order, without
/// gaps.
std::string header(const std::vector<Heading> &tensors, const Metadata &metadata);

} // namespace resin::safetensors

#endif // RESIN_SUPPORT_SAFETENSORS_H
