//===- Safetensors.cpp - Named tensors in a file --------------------------===//
//
//   1. Read the header's length and hold it against the file's.
//   2. Parse the header, event by event, so that a wrong one is refused where it
//      goes wrong and names that come twice are seen.
//   3. Hold every tensor's shape against its bytes, and the bytes of all of them
//      against the data: no overlap, no hole, nothing left over.
//
//===----------------------------------------------------------------------===//

#include "support/Safetensors.h"
#include "support/Files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <limits>

using namespace resin;
using namespace resin::safetensors;

// What the format's own library allows.
static constexpr uint64_t kLongestHeader = 100'000'000;

static uint64_t elementSize(const std::string &type) {
  static const std::map<std::string, uint64_t> sizes = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},  {"I32", 4},     {"I16", 2},    {"I8", 1},
      {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1},   {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
  auto found = sizes.find(type);
  return found == sizes.end() ? 0 : found->second;
}

std::string resin::safetensors::printShape(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

namespace {
/// Takes the parser's events; returning false stops it, with `error` saying why.
struct HeaderReader : nlohmann::json_sax<nlohmann::json> {
  enum class Place { Start, Names, Metadata, Tensor, Shape, Offsets, End };

  Metadata &metadata;
  std::vector<Entry> &entries;
  std::map<std::string, size_t> &byName;
  std::string error;

  Place place = Place::Start;
  bool hasMetadata = false;
  std::string name, field; ///< the keys last read
  bool hasType = false, hasShape = false, hasOffsets = false;
  std::vector<uint64_t> numbers;

  HeaderReader(Metadata &metadata, std::vector<Entry> &entries, std::map<std::string, size_t> &byName)
      : metadata(metadata), entries(entries), byName(byName) {}

  bool refuse(std::string why) {
    error = std::move(why);
    return false;
  }
  bool refuseValue(const char *what) {
    if (place == Place::Start)
      return refuse(concat("the header is ", what, ", not an object"));
    return refuse(concat("unexpected ", what, " in '", name, "'", field.empty() ? "" : concat(", '", field, "'")));
  }

  bool null() override { return refuseValue("null"); }
  bool boolean(bool) override { return refuseValue("true or false"); }
  bool number_integer(number_integer_t) override { return refuseValue("negative number"); }
  bool number_float(number_float_t, const string_t &) override { return refuseValue("fraction"); }
  bool binary(binary_t &) override { return refuseValue("binary"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place != Place::Shape && place != Place::Offsets)
      return refuseValue("number");
    numbers.push_back(value);
    return true;
  }

  bool string(string_t &value) override {
    if (place == Place::Metadata) {
      if (!metadata.emplace(field, value).second)
        return refuse(concat("the metadata '", field, "' comes twice"));
      return true;
    }
    if (place != Place::Tensor || field != "dtype")
      return refuseValue("string");
    if (std::exchange(hasType, true))
      return refuse(concat("'dtype' comes twice in '", name, "'"));
    if (elementSize(value) == 0)
      return refuse(concat("'", name, "' is of the unknown type '", value, "'"));
    entries.back().type = value;
    return true;
  }

  bool key(string_t &value) override {
    if (place == Place::Names) {
      name = value;
      field.clear();
    } else {
      field = value;
    }
    return true;
  }

  bool start_object(size_t) override {
    if (place == Place::Start) {
      place = Place::Names;
      return true;
    }
    if (place != Place::Names)
      return refuseValue("object");
    if (name == "__metadata__") {
      place = Place::Metadata;
      return !std::exchange(hasMetadata, true) || refuse("'__metadata__' comes twice");
    }
    place = Place::Tensor;
    hasType = hasShape = hasOffsets = false;
    if (!byName.emplace(name, entries.size()).second)
      return refuse(concat("the tensor '", name, "' comes twice"));
    entries.push_back({name, {}, {}, 0, 0});
    return true;
  }

  bool end_object() override {
    if (place == Place::Names) {
      place = Place::End;
      return true;
    }
    if (place == Place::Tensor && !(hasType && hasShape && hasOffsets))
      return refuse(concat("'", name, "' lacks '", !hasType ? "dtype" : !hasShape ? "shape" : "data_offsets", "'"));
    place = Place::Names;
    return true;
  }

  bool start_array(size_t) override {
    if (place != Place::Tensor || (field != "shape" && field != "data_offsets"))
      return refuseValue("array");
    bool &seen = field == "shape" ? hasShape : hasOffsets;
    if (std::exchange(seen, true))
      return refuse(concat("'", field, "' comes twice in '", name, "'"));
    place = field == "shape" ? Place::Shape : Place::Offsets;
    numbers.clear();
    return true;
  }

  bool end_array() override {
    if (place == Place::Offsets) {
      if (numbers.size() != 2)
        return refuse(concat("'data_offsets' of '", name, "' has ", numbers.size(), " numbers instead of 2"));
      entries.back().begin = numbers[0];
      entries.back().end = numbers[1];
    } else {
      for (uint64_t extent : numbers)
        if (extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
          return refuse(concat("'", name, "' has an extent of ", extent));
      entries.back().shape.assign(numbers.begin(), numbers.end());
    }
    place = Place::Tensor;
    return true;
  }

  bool parse_error(size_t position, const std::string &, const nlohmann::detail::exception &) override {
    return refuse(concat("the header is not valid JSON at byte ", position + 7));
  }
};
} // namespace

/// Bytes the entry's shape asks for; false if no file could have as many.
static bool bytesOfShape(const Entry &entry, uint64_t &bytes) {
  bytes = elementSize(entry.type);
  for (int64_t extent : entry.shape)
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes))
      return false;
  return true;
}

static Status checkPlaces(const std::string &path, const std::vector<Entry> &sorted, uint64_t dataBytes) {
  uint64_t reached = 0;
  const std::string *previous = nullptr;
  for (const Entry &entry : sorted) {
    if (entry.begin > entry.end || entry.end > dataBytes)
      return Status::badData(path, ": '", entry.name, "' lies at bytes ", entry.begin, " to ", entry.end, " of ",
                             dataBytes, " bytes of data");
    if (entry.begin < reached)
      return Status::badData(path, ": '", entry.name, "' overlaps '", *previous, "' at byte ", entry.begin);
    if (entry.begin > reached)
      return Status::badData(path, ": bytes ", reached, " to ", entry.begin, " of the data belong to no tensor");
    uint64_t wanted = 0;
    if (!bytesOfShape(entry, wanted) || wanted != entry.end - entry.begin)
      return Status::badData(path, ": '", entry.name, "' of type ", entry.type, " and shape ", printShape(entry.shape),
                             " does not fit its ", entry.end - entry.begin, " bytes");
    reached = entry.end;
    previous = &entry.name;
  }
  if (reached != dataBytes)
    return Status::badData(path, ": bytes ", reached, " to ", dataBytes, " of the data belong to no tensor");
  return {};
}

StatusOr<File> File::read(const std::string &path) {
  StatusOr<std::vector<std::byte>> contents = readFile(path);
  if (contents.failed())
    return contents.status();

  File file;
  file.contents = std::move(*contents);
  const uint64_t size = file.contents.size();
  if (size < 8)
    return Status::badData(path, ": is not a safetensors file: it has only ", size, " bytes");
  uint64_t headerBytes = 0;
  std::memcpy(&headerBytes, file.contents.data(), 8);
  if (headerBytes > size - 8 || headerBytes > kLongestHeader)
    return Status::badData(path, ": is not a safetensors file, or is truncated: its header should have ", headerBytes,
                           " bytes, and ", size - 8, " follow");

  const char *text = reinterpret_cast<const char *>(file.contents.data()) + 8;
  HeaderReader reader(file.strings, file.tensors, file.byName);
  if (!nlohmann::json::sax_parse(text, text + headerBytes, &reader))
    return Status::badData(path, ": ", reader.error);
  file.dataStart = 8 + headerBytes;

  // Empty tensors go before the one that starts at the same byte.
  std::sort(file.tensors.begin(), file.tensors.end(),
            [](const Entry &a, const Entry &b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  for (size_t i = 0; i < file.tensors.size(); ++i)
    file.byName[file.tensors[i].name] = i;
  if (Status status = checkPlaces(path, file.tensors, size - file.dataStart); status.failed())
    return status;
  return file;
}

const Entry *File::find(const std::string &name) const {
  auto found = byName.find(name);
  return found == byName.end() ? nullptr : &tensors[found->second];
}

std::span<const std::byte> File::bytes(const Entry &entry) const {
  return data().subspan(entry.begin, entry.end - entry.begin);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static float halfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  const float magnitude = exponent == 0 ? static_cast<float>(fraction) * 0x1p-24f
                                        : std::bit_cast<float>((exponent + 112) << 23 | fraction << 13);
  return sign ? -magnitude : magnitude;
}

template <typename Stored, typename Convert>
static std::vector<float> convert(std::span<const std::byte> bytes, Convert toFloat) {
  std::vector<float> elements(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < elements.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    elements[i] = toFloat(stored);
  }
  return elements;
}

bool resin::safetensors::isFloatingPoint(const Entry &entry) {
  return entry.type == "F32" || entry.type == "F64" || entry.type == "F16" || entry.type == "BF16";
}

std::vector<float> resin::safetensors::toFloats(const Entry &entry, std::span<const std::byte> bytes) {
  if (entry.type == "F32")
    return convert<float>(bytes, [](float value) { return value; });
  if (entry.type == "F64")
    return convert<double>(bytes, [](double value) { return static_cast<float>(value); });
  if (entry.type == "F16")
    return convert<uint16_t>(bytes, halfToFloat);
  if (entry.type == "BF16")
    return convert<uint16_t>(bytes,
                             [](uint16_t value) { return std::bit_cast<float>(static_cast<uint32_t>(value) << 16); });
  return {};
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

std::string resin::safetensors::header(const std::vector<Heading> &tensors, const Metadata &metadata) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!metadata.empty())
    json["__metadata__"] = metadata;
  uint64_t reached = 0;
  for (const Heading &tensor : tensors) {
    uint64_t end = sizeof(float);
    for (int64_t extent : tensor.shape)
      end *= static_cast<uint64_t>(extent);
    end += reached;
    json[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {reached, end}}};
    reached = end;
  }
  std::string text = json.dump();
  text.resize((text.size() + 7) / 8 * 8, ' '); // the data starts at a multiple of 8
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char *>(&length), 8) + text;
}
