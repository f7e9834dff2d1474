//===- Registry.cpp - Which kinds of data set there are -------------------===//

#include "runtime/data/Registry.h"

#include <filesystem>

using namespace resin;
using namespace resin::runtime;

std::span<const SourceKind *const> resin::runtime::sourceKinds() {
  static constexpr const SourceKind *kinds[] = {&kSyntheticImages, &kCifarFiles};
  return kinds;
}

std::string resin::runtime::describeSources() {
  std::string text;
  for (size_t left = sourceKinds().size(); const SourceKind *kind : sourceKinds()) {
    --left;
    text += concat(text.empty() ? "" : left ? ", " : ", or ", kind->argument);
  }
  return text;
}

StatusOr<const SourceKind *> resin::runtime::kindOf(const std::string &where) {
  for (const SourceKind *kind : sourceKinds())
    if (kind->recognises(where))
      return kind;
  std::error_code error;
  return Status::noInput(where,
                         std::filesystem::exists(where, error) ? ": is no data set that is known" : ": is not there",
                         "; --data takes ", describeSources());
}

StatusOr<std::unique_ptr<Source>> resin::runtime::openSource(const std::string &where, Part part,
                                                             const DataNeeds &needs, ThreadPool &pool) {
  const StatusOr<const SourceKind *> kind = kindOf(where);
  if (kind.failed())
    return kind.status();
  return (*kind)->open(where, part, needs, pool);
}

std::string resin::runtime::className(const std::string &data, int64_t index) {
  for (const SourceKind *kind : sourceKinds())
    if (data == kind->name && index >= 0 && static_cast<size_t>(index) < kind->classNames.size())
      return kind->classNames[static_cast<size_t>(index)];
  return concat("class ", index);
}
