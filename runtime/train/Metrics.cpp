//===- Metrics.cpp - A row for each epoch ---------------------------------===//
//
// Both files are rewritten whole and renamed: they are small, and nobody ever reads
// half a row.
//
//===----------------------------------------------------------------------===//

#include "runtime/train/Metrics.h"
#include "support/Files.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>

using namespace resin;
using namespace resin::runtime;

namespace {
/// Columns behind the first nine are of later programs: a file may lack them.
struct Column {
  const char *name;
  int64_t MetricsRow::*whole; ///< or else
  double MetricsRow::*real;
};
constexpr Column kColumns[] = {
    {"epoch", &MetricsRow::epoch, nullptr},          {"step", &MetricsRow::step, nullptr},
    {"train_loss", nullptr, &MetricsRow::trainLoss}, {"train_top1", nullptr, &MetricsRow::trainTop1},
    {"eval_loss", nullptr, &MetricsRow::evalLoss},   {"eval_top1", nullptr, &MetricsRow::evalTop1},
    {"lr", nullptr, &MetricsRow::learningRate},      {"images_per_second", nullptr, &MetricsRow::imagesPerSecond},
    {"seconds", nullptr, &MetricsRow::seconds},      {"data_seconds", nullptr, &MetricsRow::dataSeconds},
};

double valueOf(const MetricsRow &row, const Column &column) {
  return column.whole ? static_cast<double>(row.*column.whole) : row.*column.real;
}

void setValue(MetricsRow &row, const Column &column, double value) {
  if (column.whole)
    row.*column.whole = static_cast<int64_t>(value);
  else
    row.*column.real = value;
}
} // namespace

/// The names of the first columns, as the head of a file has them.
static std::string namesOf(size_t columns) {
  std::string names;
  for (size_t i = 0; i < columns; ++i)
    names += concat(i ? "," : "", kColumns[i].name);
  return names;
}

/// How many of our columns a file has that begins with `head`: all, unless an older program wrote it.
static size_t columnsOf(const std::string &head) {
  for (size_t columns = 9; columns < std::size(kColumns); ++columns)
    if (head == namesOf(columns))
      return columns;
  return std::size(kColumns);
}

/// As few digits as give the same number back.
static std::string print(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

static bool parseRow(const std::string &line, size_t columns, MetricsRow &row) {
  const char *at = line.data(), *end = at + line.size();
  for (size_t i = 0; i < columns; ++i) {
    if (i > 0 && (at == end || *at++ != ','))
      return false;
    double value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc())
      return false;
    setValue(row, kColumns[i], value);
    at = next;
  }
  return at == end;
}

Metrics Metrics::open(const RunFolder &folder, int64_t epochs) {
  Metrics metrics;
  metrics.csvPath = folder.file("metrics.csv");
  metrics.jsonPath = folder.file("metrics.jsonl");
  if (epochs > 0)
    metrics.read(epochs);
  return metrics;
}

/// A file that others changed or cut short gives what rows of it can be read.
void Metrics::read(int64_t epochs) {
  std::ifstream file(csvPath);
  auto read = [&file](std::string &line) {
    const bool isThere = static_cast<bool>(std::getline(file, line));
    if (line.ends_with('\r'))
      line.pop_back();
    return isThere;
  };
  std::string line;
  read(line);
  const size_t columns = columnsOf(line);
  for (int64_t number = 2; read(line); ++number) {
    const bool isWhole = !file.eof();
    MetricsRow row;
    if (!isWhole || !parseRow(line, columns, row))
      std::fprintf(stderr, "warning: %s:%lld: is no row of an epoch: it is left out\n", csvPath.c_str(),
                   static_cast<long long>(number));
    else if (row.epoch <= epochs)
      all.push_back(row);
  }
}

void Metrics::add(const MetricsRow &row) {
  all.push_back(row);
  isSaved = false;
}

static Status replace(const std::string &path, const std::string &text) {
  StatusOr<StagedFile> file = StagedFile::create(path);
  if (file.failed())
    return file.status();
  if (Status status = file->write(text); status.failed())
    return status;
  if (Status status = file->sync(); status.failed())
    return status;
  return file->publish();
}

Status Metrics::save() {
  if (isSaved)
    return {};
  std::string csv = namesOf(std::size(kColumns)) + "\n", json;
  for (const MetricsRow &row : all) {
    for (size_t i = 0; i < std::size(kColumns); ++i) {
      const double value = valueOf(row, kColumns[i]);
      csv += concat(i ? "," : "", print(value));
      json += concat(i ? ", " : "{", "\"", kColumns[i].name, "\": ", std::isfinite(value) ? print(value) : "null");
    }
    csv += "\n";
    json += "}\n";
  }
  if (Status status = replace(csvPath, csv); status.failed())
    return status;
  if (Status status = replace(jsonPath, json); status.failed())
    return status;
  isSaved = true;
  return {};
}
