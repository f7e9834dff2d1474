//===- Npy.cpp - One NumPy array in a file --------------------------------===//
//
//   1. Magic, version (1 to 3) and the header's length.
//   2. The header: a Python dictionary of exactly 'descr', 'fortran_order' and
//      'shape', in any order.
//   3. The data: as many bytes as the shape says.
//
//===----------------------------------------------------------------------===//

#include "support/Npy.h"
#include "support/Files.h"

#include <charconv>
#include <cstring>
#include <string_view>

using namespace resin;
using namespace resin::npy;

namespace {
/// A reader of the header's dictionary: each function takes what its name says off
/// the front, or returns false.
struct Dictionary {
  std::string_view rest;

  void skipSpace() {
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\n' || rest.front() == '\t'))
      rest.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skipSpace();
    if (!rest.starts_with(token))
      return false;
    rest.remove_prefix(token.size());
    return true;
  }
  // string := "'" [^'\\]* "'"
  bool takeString(std::string &value) {
    if (!take("'"))
      return false;
    size_t end = rest.find('\'');
    if (end == std::string_view::npos)
      return false;
    value = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return value.find('\\') == std::string::npos;
  }
  bool takeNumber(int64_t &value) {
    skipSpace();
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || value < 0)
      return false;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    return true;
  }
  // shape := "(" [number ("," number)* [","]] ")"
  bool takeShape(std::vector<int64_t> &shape) {
    if (!take("("))
      return false;
    while (!take(")")) {
      int64_t extent;
      if (!takeNumber(extent))
        return false;
      shape.push_back(extent);
      if (!take(",")) {
        // (3) is a number in Python, not a tuple.
        return take(")") && shape.size() > 1;
      }
    }
    return true;
  }
};

struct Header {
  std::string type;
  bool fortran = false;
  std::vector<int64_t> shape;
};
} // namespace

static bool parseHeader(std::string_view text, Header &header) {
  Dictionary dictionary{text};
  bool hasType = false, hasOrder = false, hasShape = false;
  if (!dictionary.take("{"))
    return false;
  while (!dictionary.take("}")) {
    std::string key;
    if (!dictionary.takeString(key) || !dictionary.take(":"))
      return false;
    if (key == "descr") {
      if (std::exchange(hasType, true) || !dictionary.takeString(header.type))
        return false;
    } else if (key == "fortran_order") {
      header.fortran = dictionary.take("True");
      if (std::exchange(hasOrder, true) || (!header.fortran && !dictionary.take("False")))
        return false;
    } else if (key == "shape") {
      if (std::exchange(hasShape, true) || !dictionary.takeShape(header.shape))
        return false;
    } else {
      return false;
    }
    if (dictionary.take(","))
      continue;
    if (!dictionary.take("}"))
      return false;
    break;
  }
  dictionary.skipSpace();
  return hasType && hasOrder && hasShape && dictionary.rest.empty();
}

StatusOr<Array> resin::npy::read(const std::string &path) {
  StatusOr<std::vector<std::byte>> contents = readFile(path);
  if (contents.failed())
    return contents.status();
  const std::string_view bytes(reinterpret_cast<const char *>(contents->data()), contents->size());
  if (bytes.size() < 10 || bytes.substr(0, 6) != "\x93NUMPY")
    return Status::badData(path, ": is not a .npy file");

  const unsigned version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    return Status::badData(path, ": is of version ", version, " of the .npy format; 1 to 3 are understood");
  const size_t lengthBytes = version == 1 ? 2 : 4;
  const size_t headerStart = 8 + lengthBytes;
  uint32_t headerBytes = 0;
  if (bytes.size() >= headerStart)
    std::memcpy(&headerBytes, bytes.data() + 8, lengthBytes);
  if (bytes.size() < headerStart || headerBytes > bytes.size() - headerStart)
    return Status::badData(path, ": is truncated in its header");

  Header header;
  if (!parseHeader(bytes.substr(headerStart, headerBytes), header))
    return Status::badData(path, ": the header is not a dictionary of 'descr', 'fortran_order' and 'shape'");
  if (header.type != "<f4")
    return Status::badData(path, ": holds elements of type '", header.type,
                           "'; '<f4' (little-endian float32) is needed");
  if (header.fortran)
    return Status::badData(path, ": is in Fortran order; C order is needed");

  const uint64_t dataBytes = bytes.size() - headerStart - headerBytes;
  uint64_t wanted = sizeof(float);
  bool fits = true;
  for (int64_t extent : header.shape)
    fits &= !__builtin_mul_overflow(wanted, static_cast<uint64_t>(extent), &wanted);
  if (!fits || wanted != dataBytes)
    return Status::badData(path, ": its shape needs ", fits ? std::to_string(wanted) : "more than 2^64",
                           " bytes of data, and ", dataBytes, " are there");

  Array array;
  array.shape = std::move(header.shape);
  array.elements.resize(dataBytes / sizeof(float));
  if (dataBytes)
    std::memcpy(array.elements.data(), bytes.data() + headerStart + headerBytes, dataBytes);
  return array;
}

Status resin::npy::write(const std::string &path, std::span<const int64_t> shape, std::span<const float> elements) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int64_t extent : shape)
    text += std::to_string(extent) + ", ";
  text += "), }";
  if (shape.empty())
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }";
  // The data starts at a multiple of 64, after a new line.
  text.resize((10 + text.size() + 1 + 63) / 64 * 64 - 10, ' ');
  text.back() = '\n';
  const uint16_t length = static_cast<uint16_t>(text.size());
  std::string head = std::string("\x93NUMPY\x01\x00", 8) + std::string(reinterpret_cast<const char *>(&length), 2);

  std::string bytes = head + text;
  bytes.append(reinterpret_cast<const char *>(elements.data()), elements.size_bytes());
  return writeOutput(path, bytes);
}
