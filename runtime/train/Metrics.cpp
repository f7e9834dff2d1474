//===- Metrics.cpp - A row for each epoch ---------------------------------===//
//
// Both files are rewritten whole and renamed: they are small, and nobody ever reads
// half a row.
//
//===----------------------------------------------------------------------===//

#include "runtime/train/Metrics.h"
#include "support/Files.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>

using namespace resin;
using namespace resin::runtime;

static constexpr const char *kColumns[] = {"epoch",     "step", "train_loss",        "train_top1", "eval_loss",
                                           "eval_top1", "lr",   "images_per_second", "seconds"};

static std::array<double, 9> values(const MetricsRow &row) {
  return {static_cast<double>(row.epoch),
          static_cast<double>(row.step),
          row.trainLoss,
          row.trainTop1,
          row.evalLoss,
          row.evalTop1,
          row.learningRate,
          row.imagesPerSecond,
          row.seconds};
}

/// As few digits as give the same number back.
static std::string print(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

static bool parseRow(const std::string &line, MetricsRow &row) {
  std::array<double, 9> fields;
  const char *at = line.data(), *end = at + line.size();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0 && (at == end || *at++ != ','))
      return false;
    auto [next, error] = std::from_chars(at, end, fields[i]);
    if (error != std::errc())
      return false;
    at = next;
  }
  row = {static_cast<int64_t>(fields[0]),
         static_cast<int64_t>(fields[1]),
         fields[2],
         fields[3],
         fields[4],
         fields[5],
         fields[6],
         fields[7],
         fields[8]};
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
  std::string line;
  std::getline(file, line); // the columns' names
  for (int64_t number = 2; std::getline(file, line); ++number) {
    const bool isWhole = !file.eof();
    if (line.ends_with('\r'))
      line.pop_back();
    MetricsRow row;
    if (!isWhole || !parseRow(line, row))
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
  std::string csv, json;
  for (const char *column : kColumns)
    csv += concat(csv.empty() ? "" : ",", column);
  csv += "\n";
  for (const MetricsRow &row : all) {
    const std::array<double, 9> fields = values(row);
    for (size_t i = 0; i < fields.size(); ++i) {
      csv += concat(i ? "," : "", print(fields[i]));
      json += concat(i ? ", " : "{", "\"", kColumns[i], "\": ", std::isfinite(fields[i]) ? print(fields[i]) : "null");
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
