//===- DidYouMean.h - The name that was probably meant ----------*- C++ -*-===//

#ifndef RESIN_SUPPORT_DIDYOUMEAN_H
#define RESIN_SUPPORT_DIDYOUMEAN_H

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace resin {

/// Characters to insert, delete or replace to come from `a` to `b`.
inline size_t editDistance(const std::string &a, const std::string &b) {
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

/// "; did you mean 'conv1.weight'?" if a name is near enough, else "".
inline std::string didYouMean(const std::string &name, const std::vector<std::string> &candidates) {
  const std::string *best = nullptr;
  // Something of the name has to be right.
  size_t least = std::min(std::max<size_t>(2, name.size() / 3) + 1, name.size());
  for (const std::string &candidate : candidates)
    if (size_t distance = editDistance(name, candidate); distance < least) {
      least = distance;
      best = &candidate;
    }
  return best ? "; did you mean '" + *best + "'?" : "";
}

} // namespace resin

#endif // RESIN_SUPPORT_DIDYOUMEAN_H
