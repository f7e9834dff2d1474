//===- Registry.h - Which kinds of data set there are -----------*- C++ -*-===//
//
// A row for each kind: how it is recognised from what `--data` names, what help and
// messages say of it, and who opens it. The row stands in the kind's own file;
// Registry.cpp lists them.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_DATA_REGISTRY_H
#define RESIN_RUNTIME_DATA_REGISTRY_H

#include "runtime/data/Source.h"

#include <memory>
#include <span>

namespace resin::runtime {

class ThreadPool;

struct SourceKind {
  const char *name;                        ///< as a recipe's `data` says it
  const char *title;                       ///< "CIFAR-10's binary files"
  const char *argument;                    ///< what `--data` takes: "a folder with ..", "'word'"
  std::span<const char *const> classNames; ///< empty: classes have none of their own
  bool (*recognises)(const std::string &where);
  StatusOr<std::unique_ptr<Source>> (*open)(const std::string &where, Part part, const DataNeeds &needs,
                                            ThreadPool &pool);
};

extern const SourceKind kCifarFiles;      // Cifar.cpp
extern const SourceKind kSyntheticImages; // Synthetic.cpp

/// In the order in which they are asked whether they recognise something.
std::span<const SourceKind *const> sourceKinds();

/// What `--data` takes, for help and messages: "'word', or a folder with ..".
std::string describeSources();

/// The kind that recognises `where`; an error that lists all kinds if none does.
StatusOr<const SourceKind *> kindOf(const std::string &where);

/// Opens one part of `where`.
StatusOr<std::unique_ptr<Source>> openSource(const std::string &where, Part part, const DataNeeds &needs,
                                             ThreadPool &pool);

/// Of a class of the recipe's data: "airplane" where the kind of that name knows its classes, else "class 3".
std::string className(const std::string &data, int64_t index);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DATA_REGISTRY_H
