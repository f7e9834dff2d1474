//===- Weights.cpp - Variables from a file's tensors ----------------------===//
//
//   1. Find the prefix by which the file's names differ from the network's.
//   2. Hold the names against each other, then types and shapes.
//   3. Read each tensor and look at its numbers: they are finite, and variances are
//      not negative.
//
//===----------------------------------------------------------------------===//

#include "runtime/train/Weights.h"
#include "runtime/Model.h"
#include "support/DidYouMean.h"
#include "support/Shape.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

using namespace resin;
using namespace resin::runtime;

/// What other programs write beside the weights: PyTorch counts batches, and our own
/// runs keep the optimizer's state.
static bool isIgnored(const std::string &name) {
  return name.ends_with("num_batches_tracked") || name.starts_with("optimizer.");
}

//===----------------------------------------------------------------------===//
// 1. A prefix
//===----------------------------------------------------------------------===//

namespace {
/// The file's name of a variable has `file` in front, in place of `ours`; one of them is empty.
struct Prefix {
  std::string file, ours;

  auto operator<=>(const Prefix &) const = default;
  bool isNone() const { return file.empty() && ours.empty(); }
  std::string nameInFile(const std::string &variable) const {
    return variable.starts_with(ours) ? file + variable.substr(ours.size()) : variable;
  }
  std::string describe() const {
    return file.empty() ? concat("lack '", ours, "' in front") : concat("begin with '", file, "'");
  }
};
} // namespace

/// Calls visit(head, tail) for "", "a.b.c"; "a.", "b.c"; "a.b.", "c".
template <typename Visit> static void forEachCut(const std::string &name, Visit visit) {
  size_t at = 0;
  do
    visit(name.substr(0, at), name.substr(at));
  while ((at = name.find('.', at) + 1) != 0);
}

/// How many of the wanted names the file has by each prefix.
static std::map<Prefix, size_t> countPrefixes(const safetensors::File &file,
                                              const std::vector<const Variable *> &wanted) {
  std::map<Prefix, size_t> counts;
  std::set<std::string> names;
  for (const Variable *variable : wanted) {
    names.insert(variable->name);
    forEachCut(variable->name, [&](const std::string &head, const std::string &tail) {
      if (!head.empty() && file.find(tail))
        ++counts[{"", head}];
    });
  }
  for (const safetensors::Entry &entry : file.entries())
    if (!isIgnored(entry.name))
      forEachCut(entry.name, [&](const std::string &head, const std::string &tail) {
        if (names.contains(tail))
          ++counts[{head, ""}];
      });
  return counts;
}

/// The prefix by which the file has most of the names, if that is half of them and more than it has without one.
static StatusOr<Prefix> findPrefix(const safetensors::File &file, const std::vector<const Variable *> &wanted) {
  const std::map<Prefix, size_t> counts = countPrefixes(file, wanted);
  Prefix best;
  size_t most = counts.contains(best) ? counts.at(best) : 0;
  most = std::max(most, (wanted.size() - 1) / 2);
  const Prefix *second = nullptr;
  for (const auto &[prefix, count] : counts) {
    if (count == most && !best.isNone())
      second = &prefix;
    if (count <= most)
      continue;
    best = prefix;
    most = count;
    second = nullptr;
  }
  if (second)
    return Status::badData(file.path(), ": has this network's weights twice: names that ", best.describe(),
                           ", and names that ", second->describe(), "; keep those that you want");
  return best;
}

//===----------------------------------------------------------------------===//
// 2. Names, types and shapes
//===----------------------------------------------------------------------===//

static void list(std::string &text, const char *what, const std::vector<std::string> &names,
                 const std::vector<std::string> &others) {
  constexpr size_t kMost = 8;
  for (size_t i = 0; i < std::min(kMost, names.size()); ++i)
    text += concat("\n  ", what, " '", names[i], "'", didYouMean(names[i], others));
  if (names.size() > kMost)
    text += concat("\n  and ", names.size() - kMost, " more");
}

static Status checkNames(const safetensors::File &file, const std::vector<const Variable *> &wanted,
                         const Prefix &prefix) {
  std::vector<std::string> missing, extra, known;
  for (const Variable *variable : wanted) {
    known.push_back(prefix.nameInFile(variable->name));
    if (!file.find(known.back()))
      missing.push_back(known.back());
  }
  const std::set<std::string> names(known.begin(), known.end());
  for (const safetensors::Entry &entry : file.entries())
    if (!names.contains(entry.name) && !isIgnored(entry.name))
      extra.push_back(entry.name);
  if (missing.empty() && extra.empty())
    return {};
  std::string text =
      concat(file.path(), ": is not of this network: ", missing.size(), " missing, ", extra.size(), " unknown");
  if (!prefix.isNone())
    text += concat("; its names ", prefix.describe());
  list(text, "missing", missing, {});
  list(text, "unknown", extra, missing.empty() ? known : missing);
  return Status::badData(text);
}

static Status checkTensor(const std::string &path, const safetensors::Entry &entry, const Variable &variable) {
  if (!safetensors::isFloatingPoint(entry))
    return Status::badData(path, ": '", entry.name, "' is of type ", entry.type, "; F32, F64, F16 or BF16 is needed");
  if (entry.shape != variable.shape)
    return Status::badData(path, ": '", entry.name, "' has the shape ", printShape(entry.shape), "; this network has ",
                           printShape(variable.shape));
  return {};
}

//===----------------------------------------------------------------------===//
// 3. Numbers
//===----------------------------------------------------------------------===//

static Status checkNumbers(const std::string &path, const safetensors::Entry &entry, bool isVariance,
                           const std::vector<float> &elements) {
  for (size_t i = 0; i < elements.size(); ++i) {
    const bool isWrong = !std::isfinite(elements[i]) || (isVariance && elements[i] < 0);
    if (isWrong)
      return Status::badData(path, ": '", entry.name, "' holds ", printNumber(elements[i]), " at ",
                             printIndex(entry.shape, static_cast<int64_t>(i)), ": ",
                             isVariance ? "a variance is finite and not negative" : "weights are finite");
  }
  return {};
}

Status resin::runtime::restoreVariables(Model &model, const safetensors::File &file,
                                        const std::vector<const Variable *> &wanted) {
  const StatusOr<Prefix> prefix = findPrefix(file, wanted);
  if (prefix.failed())
    return prefix.status();
  if (Status status = checkNames(file, wanted, *prefix); status.failed())
    return status;
  auto entryOf = [&](const Variable *variable) -> const safetensors::Entry & {
    return *file.find(prefix->nameInFile(variable->name));
  };
  for (const Variable *variable : wanted)
    if (Status status = checkTensor(file.path(), entryOf(variable), *variable); status.failed())
      return status;
  if (!prefix->isNone())
    std::fprintf(stderr, "note: the names in %s %s: taken as this network's\n", file.path().c_str(),
                 prefix->describe().c_str());
  for (const Variable *variable : wanted) {
    const safetensors::Entry &entry = entryOf(variable);
    const StatusOr<std::vector<float>> elements = file.floats(entry);
    if (elements.failed())
      return elements.status();
    const bool isVariance = variable->role == Role::Statistic && variable->name.ends_with("running_var");
    if (Status status = checkNumbers(file.path(), entry, isVariance, *elements); status.failed())
      return status;
    model.setElements(*variable, *elements);
  }
  return {};
}
