//===- Npy.cpp - One NumPy array in a file --------------------------------===//
//
//   1. Magic, version (1 to 3) and the header's length.
//   2. The header: a Python dictionary of exactly 'descr', 'fortran_order' and
//      'shape', in any order.
//   3. The data: as many bytes as the shape says, part by part into floats.
//   4. Fortran's order, in which the first index runs fastest, into C's.
//
//===----------------------------------------------------------------------===//

#include "support/Npy.h"
#include "support/Files.h"
#include "support/Float16.h"
#include "support/ForeignFile.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

using namespace resin;
using namespace resin::npy;

static constexpr std::string_view kMagic = "\x93NUMPY";

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

static StatusOr<std::string> readText(const InputFile &file, uint64_t offset, uint64_t length) {
  std::string text(length, '\0');
  if (Status status = file.read(offset, std::as_writable_bytes(std::span(text))); status.failed())
    return status;
  return text;
}

/// Steps 1 and 2; says where the data start.
static StatusOr<Header> readHeader(const InputFile &file, uint64_t &dataStart) {
  const std::string &path = file.path();
  const StatusOr<std::string> head = readText(file, 0, std::min<uint64_t>(file.size(), kForeignHead));
  if (head.failed())
    return head.status();
  if (head->size() < 10 || !head->starts_with(kMagic)) {
    const std::string what = foreignFormat(*head);
    return Status::badData(path, ": ", what.empty() ? "is not a .npy file" : what,
                           what.empty() ? "" : "; a .npy file is needed (numpy.save writes one)");
  }
  const unsigned version = static_cast<unsigned char>((*head)[6]);
  if (version < 1 || version > 3)
    return Status::badData(path, ": is of version ", version, " of the .npy format; 1 to 3 are understood");
  const uint64_t lengthBytes = version == 1 ? 2 : 4, start = 8 + lengthBytes;
  uint32_t length = 0;
  if (head->size() >= start)
    std::memcpy(&length, head->data() + 8, lengthBytes);
  if (head->size() < start || length > file.size() - start)
    return Status::badData(path, ": is cut short in its header");

  const StatusOr<std::string> text = readText(file, start, length);
  if (text.failed())
    return text.status();
  Header header;
  if (!parseHeader(*text, header))
    return Status::badData(path, ": the header is not a dictionary of 'descr', 'fortran_order' and 'shape'");
  dataStart = start + length;
  return header;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

namespace {
/// One of NumPy's types: its letter and its size.
struct ElementType {
  char kind;
  size_t bytes;
  double (*toNumber)(const std::byte *little);
};
} // namespace

static double numberOfHalf(const std::byte *little) {
  uint16_t half;
  std::memcpy(&half, little, sizeof half);
  return halfToFloat(half);
}

template <typename Stored> static double numberOf(const std::byte *little) {
  Stored stored;
  std::memcpy(&stored, little, sizeof stored);
  return static_cast<double>(stored);
}

static constexpr ElementType kTypes[] = {
    {'f', 4, numberOf<float>},    {'f', 8, numberOf<double>},   {'f', 2, numberOfHalf},
    {'u', 1, numberOf<uint8_t>},  {'u', 2, numberOf<uint16_t>}, {'u', 4, numberOf<uint32_t>},
    {'u', 8, numberOf<uint64_t>}, {'i', 1, numberOf<int8_t>},   {'i', 2, numberOf<int16_t>},
    {'i', 4, numberOf<int32_t>},  {'i', 8, numberOf<int64_t>}};

/// descr := ("<" | ">" | "|") kind bytes
static const ElementType *typeNamed(const std::string &descr) {
  for (const ElementType &type : kTypes)
    if (descr.size() > 1 && std::string_view("<>|").find(descr[0]) != std::string_view::npos &&
        descr.substr(1) == type.kind + std::to_string(type.bytes) && (descr[0] != '|' || type.bytes == 1))
      return &type;
  return nullptr;
}

/// Bytes that the shape asks for; nothing if no file could have as many.
static std::optional<uint64_t> bytesOf(const std::vector<int64_t> &shape, uint64_t bytes) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return 0;
  for (int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes))
      return std::nullopt;
  return bytes;
}

/// Appends the bytes' numbers; false behind the first that float32 cannot hold.
static bool append(std::span<const std::byte> bytes, const ElementType &type, bool isBigEndian,
                   std::vector<float> &elements) {
  std::byte little[8];
  for (; !bytes.empty(); bytes = bytes.subspan(type.bytes)) {
    std::copy_n(bytes.data(), type.bytes, little);
    if (isBigEndian)
      std::reverse(little, little + type.bytes);
    const double number = type.toNumber(little);
    elements.push_back(static_cast<float>(number));
    if (std::isfinite(number) && !std::isfinite(elements.back()))
      return false;
  }
  return true;
}

/// Step 4: each element at the place in C's order that its place in Fortran's stands for.
static std::vector<float> toRowMajor(const std::vector<float> &elements, const std::vector<int64_t> &shape) {
  if (elements.empty())
    return {};
  std::vector<float> ordered(elements.size());
  std::vector<int64_t> index(shape.size()), stride(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;)
    stride[d - 1] = stride[d] * shape[d];
  int64_t place = 0;
  for (float element : elements) {
    ordered[place] = element;
    for (size_t d = 0; d < shape.size(); ++d) {
      place += stride[d];
      if (++index[d] < shape[d])
        break;
      place -= stride[d] * std::exchange(index[d], 0);
    }
  }
  return ordered;
}

StatusOr<Array> resin::npy::read(const std::string &path) {
  StatusOr<InputFile> file = InputFile::open(path);
  if (file.failed())
    return file.status();
  uint64_t dataStart = 0;
  StatusOr<Header> header = readHeader(*file, dataStart);
  if (header.failed())
    return header.status();
  const ElementType *type = typeNamed(header->type);
  if (!type)
    return Status::badData(path, ": holds elements of type '", header->type,
                           "'; integers and floating-point numbers are understood, of at most 8 bytes");
  const std::optional<uint64_t> wanted = bytesOf(header->shape, type->bytes);
  const uint64_t there = file->size() - dataStart;
  if (wanted != there)
    return Status::badData(path, ": ", wanted > there ? "is cut short: " : "", "its shape needs ",
                           wanted ? std::to_string(*wanted) : "more than 2^64", " bytes of data, and ", there,
                           " are there");

  Array array{std::move(header->shape), {}, type->kind != 'f'};
  array.elements.reserve(there / type->bytes);
  auto add = [&](std::span<const std::byte> bytes, uint64_t) {
    if (append(bytes, *type, header->type[0] == '>', array.elements))
      return Status();
    return Status::badData(path, ": element ", array.elements.size() - 1, " of the file is a number of type '",
                           header->type, "' that float32 cannot hold");
  };
  if (Status status = file->forEachPart(dataStart, file->size(), add); status.failed())
    return status;
  if (header->fortran)
    array.elements = toRowMajor(array.elements, array.shape);
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
