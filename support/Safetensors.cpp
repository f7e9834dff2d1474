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
#include "support/Float16.h"
#include "support/ForeignFile.h"
#include "support/Shape.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace resin;
using namespace resin::safetensors;

// What the format's own library allows.
static constexpr uint64_t kLongestHeader = 100'000'000;

/// Bytes of an element; 0 for types that came after this was written.
static uint64_t elementSize(const std::string &type) {
  static const std::map<std::string, uint64_t> sizes = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},  {"I32", 4},     {"I16", 2},    {"I8", 1},
      {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1},   {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
  auto found = sizes.find(type);
  return found == sizes.end() ? 0 : found->second;
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

/// Tensors follow one another without overlaps and holes, and have the bytes that their shapes say. Returns where the
/// last one ends.
static StatusOr<uint64_t> checkPlaces(const std::string &path, const std::vector<Entry> &sorted) {
  uint64_t reached = 0;
  const std::string *previous = nullptr;
  for (const Entry &entry : sorted) {
    if (entry.begin > entry.end)
      return Status::badData(path, ": '", entry.name, "' lies at bytes ", entry.begin, " to ", entry.end);
    if (entry.begin < reached)
      return Status::badData(path, ": '", entry.name, "' overlaps '", *previous, "' at byte ", entry.begin);
    if (entry.begin > reached)
      return Status::badData(path, ": bytes ", reached, " to ", entry.begin, " of the data belong to no tensor");
    uint64_t wanted = 0;
    const bool isKnown = elementSize(entry.type) != 0;
    if (isKnown && (!bytesOfShape(entry, wanted) || wanted != entry.end - entry.begin))
      return Status::badData(path, ": '", entry.name, "' of type ", entry.type, " and shape ", printShape(entry.shape),
                             " does not fit its ", entry.end - entry.begin, " bytes");
    reached = entry.end;
    previous = &entry.name;
  }
  return reached;
}

/// The header's length, of a file that looks like one of the format.
static StatusOr<uint64_t> headerLength(const InputFile &input) {
  const std::string &path = input.path();
  std::string head(std::min<uint64_t>(input.size(), kForeignHead), '\0');
  if (Status status = input.read(0, std::as_writable_bytes(std::span(head))); status.failed())
    return status;
  uint64_t length = 0;
  std::memcpy(&length, head.data(), std::min<size_t>(head.size(), 8));
  const bool isOpened = head.size() > 8 && head[8] == '{' && length <= kLongestHeader;
  if (const std::string what = isOpened ? "" : foreignFormat(head); !what.empty())
    return Status::badData(path, ": ", what, "; a safetensors file is needed (safetensors.torch.save_file writes one)");
  if (head.size() < 8)
    return Status::badData(path, ": is not a safetensors file: it has only ", head.size(), " bytes");
  if (length > input.size() - 8 || length > kLongestHeader)
    return Status::badData(path, isOpened ? ": is cut short" : ": is not a safetensors file",
                           ": its header should have ", length, " bytes, and ", input.size() - 8, " follow");
  return length;
}

Status File::readHeader() {
  const std::string &path = input.path();
  const StatusOr<uint64_t> length = headerLength(input);
  if (length.failed())
    return length.status();
  std::string text(*length, '\0');
  if (Status status = input.read(8, std::as_writable_bytes(std::span(text))); status.failed())
    return status;
  HeaderReader reader(strings, tensors, byName);
  if (!nlohmann::json::sax_parse(text, &reader))
    return Status::badData(path, ": ", reader.error);
  dataStart = 8 + *length;

  // Empty tensors go before the one that starts at the same byte.
  std::sort(tensors.begin(), tensors.end(),
            [](const Entry &a, const Entry &b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  for (size_t i = 0; i < tensors.size(); ++i)
    byName[tensors[i].name] = i;
  const StatusOr<uint64_t> reached = checkPlaces(path, tensors);
  if (reached.failed())
    return reached.status();
  const uint64_t there = input.size() - dataStart;
  if (*reached > there)
    return Status::badData(path, ": is cut short: it wants ", *reached, " bytes of data, and has ", there);
  if (*reached < there)
    return Status::badData(path, ": bytes ", *reached, " to ", there, " of the data belong to no tensor");
  return {};
}

StatusOr<File> File::read(const std::string &path) {
  StatusOr<InputFile> input = InputFile::open(path);
  if (input.failed())
    return input.status();
  File file(std::move(*input));
  if (Status status = file.readHeader(); status.failed())
    return status;
  return file;
}

const Entry *File::find(const std::string &name) const {
  auto found = byName.find(name);
  return found == byName.end() ? nullptr : &tensors[found->second];
}

StatusOr<Checksum> File::sumOfData() const {
  Checksum sum;
  auto add = [&](std::span<const std::byte> bytes, uint64_t) {
    sum.add(bytes);
    return Status();
  };
  if (Status status = input.forEachPart(dataStart, input.size(), add); status.failed())
    return status;
  return sum;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Appends what the bytes of `Stored` numbers come to; false behind the first that f32 cannot hold.
template <typename Stored, typename Convert>
static bool append(std::span<const std::byte> bytes, Convert toFloat, std::vector<float> &elements) {
  for (size_t at = 0; at < bytes.size(); at += sizeof(Stored)) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + at, sizeof(Stored));
    elements.push_back(toFloat(stored));
    if constexpr (sizeof(Stored) > sizeof(float))
      if (std::isfinite(stored) && !std::isfinite(elements.back()))
        return false;
  }
  return true;
}

static bool appendAs(const std::string &type, std::span<const std::byte> bytes, std::vector<float> &elements) {
  if (type == "F64")
    return append<double>(
        bytes, [](double value) { return static_cast<float>(value); }, elements);
  if (type == "F16")
    return append<uint16_t>(bytes, halfToFloat, elements);
  if (type == "BF16")
    return append<uint16_t>(bytes, bfloatToFloat, elements);
  return append<float>(
      bytes, [](float value) { return value; }, elements);
}

bool resin::safetensors::isFloatingPoint(const Entry &entry) {
  return entry.type == "F32" || entry.type == "F64" || entry.type == "F16" || entry.type == "BF16";
}

StatusOr<std::vector<float>> File::floats(const Entry &entry) const {
  assert(isFloatingPoint(entry) && "the caller looks at the type");
  std::vector<float> elements;
  elements.reserve((entry.end - entry.begin) / elementSize(entry.type));
  auto add = [&](std::span<const std::byte> bytes, uint64_t) {
    if (appendAs(entry.type, bytes, elements))
      return Status();
    const int64_t last = static_cast<int64_t>(elements.size()) - 1;
    return Status::badData(input.path(), ": '", entry.name, "' holds a number of type ", entry.type, " at ",
                           printIndex(entry.shape, last), " that f32 cannot hold");
  };
  if (Status status = input.forEachPart(dataStart + entry.begin, dataStart + entry.end, add); status.failed())
    return status;
  return elements;
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
