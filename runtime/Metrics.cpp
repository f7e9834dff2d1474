//===- Metrics.cpp - A row for each epoch ---------------------------------===//
//
// Both files are rewritten whole and renamed: they are small, and nobody ever reads
// half a row.
//
//===----------------------------------------------------------------------===//

#include "runtime/Metrics.h"
#include "support/Files.h"

#include <array>
#include <charconv>
#include <cmath>
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

StatusOr<Metrics> Metrics::open(const RunFolder &folder, int64_t epochs) {
  Metrics metrics;
  metrics.csvPath = folder.file("metrics.csv");
  metrics.jsonPath = folder.file("metrics.jsonl");
  std::ifstream file(metrics.csvPath);
  MetricsRow row;
  for (std::string line; epochs > 0 && std::getline(file, line);)
    if (parseRow(line, row) && row.epoch <= epochs)
      metrics.all.push_back(row);
  if (Status status = metrics.rewrite(); status.failed())
    return status;
  return metrics;
}

Status Metrics::add(const MetricsRow &row) {
  all.push_back(row);
  return rewrite();
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

Status Metrics::rewrite() const {
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
  return replace(jsonPath, json);
}
