//===- DidYouMean.cpp - The name that was probably meant ------------------===//

#include "support/DidYouMean.h"

#include <algorithm>
#include <numeric>
#include <utility>

using namespace resin;

/// Characters to insert, delete or replace to come from `a` to `b`.
static size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

static bool areSameLetters(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::is_permutation(a.begin(), a.end(), b.begin());
}

std::string resin::didYouMean(std::string_view name, const std::vector<std::string> &candidates) {
  // A third of the letters may differ, one at least; names of two letters are like anything.
  size_t best = name.size() < 3 ? 1 : name.size() / 3 + 1;
  const std::string *nearest = nullptr;
  for (const std::string &candidate : candidates) {
    if (candidate.size() >= name.size() + best || name.size() >= candidate.size() + best)
      continue;
    // Letters that changed places are one mistake.
    const size_t distance = areSameLetters(name, candidate) ? 1 : editDistance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = &candidate;
    }
  }
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

std::string resin::didYouMeanOr(std::string_view name, const std::vector<std::string> &candidates,
                                std::string_view they) {
  const std::string near = didYouMean(name, candidates);
  if (!near.empty() || candidates.empty())
    return near;
  return "; " + std::string(they) + " " + listNames(candidates);
}

std::string resin::listNames(const std::vector<std::string> &names, std::string_view between) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : std::string(between)) + name;
  return text;
}
