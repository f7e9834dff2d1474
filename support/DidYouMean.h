//===- DidYouMean.h - The name that was probably meant ----------*- C++ -*-===//

#ifndef RESIN_SUPPORT_DIDYOUMEAN_H
#define RESIN_SUPPORT_DIDYOUMEAN_H

#include <string>
#include <string_view>
#include <vector>

namespace resin {

/// "; did you mean 'batch_norm'?" where a candidate is near enough, else "".
std::string didYouMean(std::string_view name, const std::vector<std::string> &candidates);

/// The same, or all candidates where none is near: "; it takes peak, warmup, final".
std::string didYouMeanOr(std::string_view name, const std::vector<std::string> &candidates, std::string_view they);

/// "peak, warmup, final"
std::string listNames(const std::vector<std::string> &names, std::string_view between = ", ");

} // namespace resin

#endif // RESIN_SUPPORT_DIDYOUMEAN_H
