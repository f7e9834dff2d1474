//===- Knobs.cpp - What was chosen, by name -------------------------------===//

#include "support/Knobs.h"

#include <algorithm>
#include <cassert>
#include <charconv>

namespace resin {

/// No form has half as many.
static constexpr size_t kMostKnobs = 32;

std::vector<int> Knobs::numbers() const {
  std::vector<int> result;
  for (const Knob &knob : values)
    result.push_back(knob.value);
  return result;
}

Knobs nameKnobs(std::string form, std::span<const std::string> names, std::span<const int> numbers) {
  assert(names.size() == numbers.size() && "every knob has its name");
  Knobs knobs{std::move(form)};
  for (size_t i = 0; i < names.size(); ++i)
    knobs.values.push_back({names[i], numbers[i]});
  return knobs;
}

Knobs namelessKnobs(std::span<const int> numbers) {
  const std::vector<std::string> none(numbers.size());
  return nameKnobs("", none, numbers);
}

bool areNamed(const Knobs &knobs, std::string_view form, std::span<const std::string> names) {
  auto isCalled = [](const Knob &knob, const std::string &name) { return knob.name == name; };
  return knobs.form == form && std::ranges::equal(knobs.values, names, isCalled);
}

std::string printKnobs(const Knobs &knobs) {
  const bool nameless = knobs.form.empty();
  std::string text;
  for (const Knob &knob : knobs.values)
    text += (text.empty() ? ""
             : nameless   ? ","
                          : ", ") +
            (nameless ? "" : knob.name + "=") + std::to_string(knob.value);
  return nameless ? text : knobs.form + "{" + text + "}";
}

static bool isWord(std::string_view text) {
  auto inWord = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 40 && std::ranges::all_of(text, inWord);
}

static std::optional<int> readNumber(std::string_view text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 0)
    return std::nullopt;
  return value;
}

/// "pixels=4", or of a nameless one "4".
static std::optional<Knob> readKnob(std::string_view text, bool nameless) {
  const size_t equals = nameless ? 0 : text.find('=');
  if (equals == std::string_view::npos || (!nameless && !isWord(text.substr(0, equals))))
    return std::nullopt;
  const std::optional<int> value = readNumber(text.substr(nameless ? 0 : equals + 1));
  return value ? std::optional(Knob{std::string(text.substr(0, equals)), *value}) : std::nullopt;
}

std::optional<Knobs> readKnobs(std::string_view text) {
  Knobs knobs;
  std::string_view separator = ",";
  if (const size_t open = text.find('{'); open != std::string_view::npos) {
    knobs.form = text.substr(0, open);
    if (!isWord(knobs.form) || !text.ends_with('}'))
      return std::nullopt;
    text = text.substr(open + 1, text.size() - open - 2);
    separator = ", ";
  }
  while (knobs.values.size() < kMostKnobs) {
    const size_t end = text.find(separator);
    const std::optional<Knob> knob = readKnob(text.substr(0, end), knobs.form.empty());
    if (!knob)
      return std::nullopt;
    knobs.values.push_back(*knob);
    if (end == std::string_view::npos)
      return knobs;
    text.remove_prefix(end + separator.size());
  }
  return std::nullopt;
}

} // namespace resin
