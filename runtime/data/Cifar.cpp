//===- Cifar.cpp - CIFAR-10's binary files --------------------------------===//
//
// `data_batch_<number>.bin` (training) and `test_batch.bin`: records of one byte label and
// 3 x 32 x 32 bytes of pixels, planar. A folder with fewer batch files is a smaller
// set. They are also looked for in a folder `cifar-10-batches-bin` inside, as the
// archive unpacks.
//
//===----------------------------------------------------------------------===//

#include "runtime/MemoryPlan.h"
#include "runtime/data/ImageSet.h"
#include "runtime/data/Registry.h"
#include "support/Files.h"
#include "support/ForeignFile.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

using namespace resin;
using namespace resin::runtime;
namespace fs = std::filesystem;

static constexpr size_t kPixels = 3 * 32 * 32, kRecord = 1 + kPixels;

/// N of "data_batch_N.bin": a copy beside it, "data_batch_1_copy.bin", is no more data.
static std::optional<uint64_t> batchNumber(std::string_view name) {
  constexpr std::string_view kStart = "data_batch_", kEnd = ".bin";
  if (!name.starts_with(kStart) || !name.ends_with(kEnd) || name.size() < kStart.size() + kEnd.size())
    return std::nullopt;
  const char *first = name.data() + kStart.size(), *last = name.data() + name.size() - kEnd.size();
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(first, last, number);
  return error == std::errc() && end == last ? std::optional(number) : std::nullopt;
}

/// The batch files that lie in a folder, in the order of their numbers.
static std::vector<std::string> batchFilesIn(const fs::path &folder, Part part) {
  std::vector<std::pair<uint64_t, std::string>> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (part == Part::Test && name == "test_batch.bin")
      found.emplace_back(0, entry->path().string());
    if (const std::optional<uint64_t> number = batchNumber(name); part == Part::Train && number)
      found.emplace_back(*number, entry->path().string());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto &[number, path] : found)
    paths.push_back(path);
  return paths;
}

static std::vector<std::string> batchFiles(const fs::path &folder, Part part) {
  std::vector<std::string> paths = batchFilesIn(folder, part);
  return paths.empty() ? batchFilesIn(folder / "cifar-10-batches-bin", part) : paths;
}

static bool isCifar(const std::string &where) {
  return !batchFiles(where, Part::Train).empty() || !batchFiles(where, Part::Test).empty();
}

static Status appendRecords(const std::string &path, int64_t classes, ImageSet &set) {
  StatusOr<std::vector<std::byte>> bytes = readFile(path);
  if (bytes.failed())
    return bytes.status();
  if (bytes->empty())
    return Status::badData(path, ": is empty");
  const std::string_view head(reinterpret_cast<const char *>(bytes->data()), std::min(bytes->size(), kForeignHead));
  if (const std::string what = foreignFormat(head); bytes->size() % kRecord && !what.empty())
    return Status::badData(path, ": ", what, "; CIFAR-10's binary version is needed");
  if (bytes->size() % kRecord)
    return Status::badData(path, ": has ", bytes->size(), " bytes, which is not a multiple of the ", kRecord,
                           " of a record: it is truncated or of another format");
  const uint8_t *record = reinterpret_cast<const uint8_t *>(bytes->data());
  const size_t records = bytes->size() / kRecord;
  for (size_t i = 0; i < records; ++i, record += kRecord) {
    if (record[0] >= classes)
      return Status::badData(path, ": record ", i, " (byte ", i * kRecord, ") has the label ", int(record[0]),
                             "; there are ", classes, " classes");
    set.labels.push_back(record[0]);
    set.pixels.insert(set.pixels.end(), record + 1, record + kRecord);
  }
  return {};
}

/// Makes room for the images, and sees that the largest file, while it is read, has some beside them.
static Status reserve(const std::string &folder, const std::vector<std::string> &paths, ImageSet &set) {
  std::error_code error;
  uint64_t all = 0, largest = 0;
  for (const std::string &path : paths)
    if (const uint64_t bytes = fs::file_size(path, error); !error) {
      all += bytes;
      largest = std::max(largest, bytes);
    }
  if (Status status = checkMemory(concat("the images of ", folder), all + largest, Limits().memoryLeft());
      status.failed())
    return status;
  set.pixels.reserve(all);
  return {};
}

static StatusOr<std::unique_ptr<Source>> openCifar(const std::string &folder, Part part, const DataNeeds &needs,
                                                   ThreadPool &) {
  const std::vector<std::string> paths = batchFiles(folder, part);
  if (paths.empty())
    return Status::noInput(folder, ": has no ", part == Part::Train ? "data_batch_<number>.bin" : "test_batch.bin");
  auto set = std::make_unique<ImageSet>();
  set->shape = {3, 32, 32};
  if (needs.image != set->shape)
    return Status::badData(folder, ": has images of 3 x 32 x 32, and this network takes ", needs.image[0], " x ",
                           needs.image[1], " x ", needs.image[2]);
  if (Status status = reserve(folder, paths, *set); status.failed())
    return status;
  for (const std::string &path : paths)
    if (Status status = appendRecords(path, needs.classes, *set); status.failed())
      return status;
  set->limitTo(needs.limit);
  return std::unique_ptr<Source>(std::move(set));
}

static constexpr const char *kClassNames[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck"};

const SourceKind resin::runtime::kCifarFiles = {
    .name = "cifar10",
    .title = "CIFAR-10's binary files",
    .argument = "a folder with CIFAR-10's binary files (data_batch_<number>.bin and test_batch.bin)",
    .classNames = kClassNames,
    .recognises = isCifar,
    .open = openCifar,
};
