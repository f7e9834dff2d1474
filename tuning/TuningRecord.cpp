//===- TuningRecord.cpp - What tuning found out about a kernel ------------===//

#include "tuning/TuningRecord.h"

#include "codegen/Backends.h"
#include "machine/FusionKnobs.h"
#include "tuning/UntypedSpec.h"

#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

namespace resin::tuning {

namespace {

constexpr size_t kLongestName = 200, kLongestSpec = 1 << 16;
constexpr int64_t kLongestTime = 1'000'000'000'000; // a quarter of an hour, in ns
constexpr int kLargestKnob = 1 << 20;

bool isName(const std::string &text) {
  for (unsigned char c : text)
    if (c < ' ' || c == 127)
      return false;
  return !text.empty() && text.size() <= kLongestName;
}

bool readInteger(std::string_view text, int64_t &value) {
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size();
}

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> fields;
  std::istringstream stream(text);
  for (std::string field; std::getline(stream, field, separator);)
    fields.push_back(field);
  return fields;
}

bool readRecord(const std::string &line, TuningRecord &record) {
  const std::vector<std::string> f = split(line, '\t');
  if (f.size() != 10 && f.size() != 11)
    return false;
  const std::optional<codegen::Numerics> numerics = codegen::numericsNamed(f.size() == 11 ? f[10] : "fast");
  if (!numerics)
    return false;
  record.numerics = *numerics;
  record.target = f[0], record.cpu = f[1], record.version = f[3], record.spec = withTypes(f[4]);
  return readInteger(f[2], record.threads) && readRecordKnobs(f[5], record) && readInteger(f[6], record.median) &&
         readInteger(f[7], record.spread) && readInteger(f[8], record.untuned) && readInteger(f[9], record.error);
}

} // namespace

/// A target that is not known may be a later Resin's.
static std::string findKnobMistake(const TuningRecord &r) {
  const codegen::Backend *backend = codegen::findBackend(r.target);
  if (!backend)
    return "";
  if (!backend->knows(r.knobs))
    return "no template has the knobs " + printKnobs(r.knobs);
  if (!backend->satisfies(r.knobs, r.numerics))
    return "strict numerics do not allow the knobs " + printKnobs(r.knobs);
  return "";
}

bool readRecordKnobs(const std::string &text, TuningRecord &record) {
  const std::optional<Knobs> knobs = readKnobs(text);
  if (!knobs)
    return false;
  record.knobs = *knobs;
  if (!knobs->areNameless())
    return true;
  const codegen::Backend *backend = codegen::findBackend(record.target);
  if (isEntry(record.spec)) {
    if (const std::optional<FusionKnobs> fusion = fusionKnobsFrom(*knobs))
      record.knobs = named(*fusion);
  } else if (backend) {
    record.knobs = backend->nameOld(*knobs).value_or(*knobs);
  }
  return true;
}

bool isEntry(const std::string &spec) {
  const std::vector<std::string> words = split(spec, ' ');
  return words.size() == 3 && words[0] == "entry" && isName(words[1]) && words[2].size() == 16 &&
         words[2].find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string findMistake(const TuningRecord &r) {
  if (!isName(r.target) || !isName(r.cpu) || !isName(r.version))
    return "a name is empty, too long or not text";
  auto between = [](int64_t value, int64_t least, int64_t most) { return value >= least && value <= most; };
  if (!between(r.threads, 1, 1 << 16))
    return "threads are from 1 to 65536, not " + std::to_string(r.threads);
  for (int64_t time : {r.median, r.untuned})
    if (!between(time, 1, kLongestTime))
      return "a time is from 1 ns to a quarter of an hour, not " + std::to_string(time) + " ns";
  if (!between(r.spread, 0, kLongestTime) || !between(r.error, 0, 1'000'000'000))
    return "the spread or the error is out of range";
  for (const Knob &knob : r.knobs.values)
    if (!between(knob.value, 0, kLargestKnob))
      return "a knob is out of range: " + std::to_string(knob.value);
  if (isEntry(r.spec))
    return fusionKnobsFrom(r.knobs) ? "" : "fusion has no knobs " + printKnobs(r.knobs);
  if (const std::string mistake = findKnobMistake(r); !mistake.empty())
    return mistake;
  KernelSpec spec;
  std::string error;
  if (r.spec.size() > kLongestSpec || !parse(r.spec, spec, error))
    return "the kernel cannot be read: " + error;
  return "";
}

std::string printRecord(const TuningRecord &r) {
  std::ostringstream out;
  out << r.target << '\t' << r.cpu << '\t' << r.threads << '\t' << r.version << '\t' << r.spec << '\t'
      << printKnobs(r.knobs) << '\t' << r.median << '\t' << r.spread << '\t' << r.untuned << '\t' << r.error << '\t'
      << codegen::nameOf(r.numerics);
  return out.str();
}

std::vector<TuningRecord> readRecordLines(const std::string &text, std::string &warning) {
  std::vector<TuningRecord> records;
  std::string first;
  size_t dropped = 0, number = 0;
  for (const std::string &line : split(text, '\n')) {
    ++number;
    if (line.empty() || line[0] == '#')
      continue;
    TuningRecord record;
    const std::string mistake =
        readRecord(line, record) ? findMistake(record) : "not ten or eleven fields of the right kind";
    if (mistake.empty())
      records.push_back(record);
    else if (!dropped++)
      first = "line " + std::to_string(number) + ": " + mistake;
  }
  if (dropped)
    warning = std::to_string(dropped) + " tuning records were left out; " + first;
  return records;
}

std::string cpuModel() {
  std::ifstream file("/proc/cpuinfo");
  std::array<std::string, 3> found;
  const std::array<std::string_view, 3> keys = {"model name\t", "cpu family\t", "model\t"};
  for (std::string line; std::getline(file, line) && !line.empty();)
    for (size_t i = 0; i < keys.size(); ++i)
      if (size_t colon = line.find(": "); line.starts_with(keys[i]) && colon != std::string::npos)
        found[i] = line.substr(colon + 2);
  return (found[0].empty() ? "unknown" : found[0]) + " family " + found[1] + " model " + found[2];
}

} // namespace resin::tuning
