//===- Checkpoint.cpp - The network in a file -----------------------------===//

#include "runtime/Checkpoint.h"
#include "runtime/DidYouMean.h"
#include "runtime/Model.h"

#include <cmath>
#include <cstdio>

using namespace resin;
using namespace resin::runtime;

static constexpr const char *kChecksum = "resin.checksum";

static std::string printChecksum(const Checksum &sum) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(sum.value()));
  return text;
}

static bool isKept(const Variable &variable) { return variable.role != Role::Prepared; }

//===----------------------------------------------------------------------===//
// Saving
//===----------------------------------------------------------------------===//

/// The sum that the header will carry; on the way every number is looked at.
static Status sumVariables(Model &model, Checksum &sum) {
  for (const Variable &variable : model.manifest().variables) {
    if (!isKept(variable))
      continue;
    const std::vector<float> elements = model.elements(variable);
    for (float element : elements)
      if (!std::isfinite(element))
        return {ExitCode::Failure, concat("'", variable.name, "' holds ", element, ": training has diverged")};
    sum.add(std::as_bytes(std::span(elements)));
  }
  return {};
}

static Status writeVariables(Model &model, StagedFile &file) {
  for (const Variable &variable : model.manifest().variables)
    if (isKept(variable)) {
      const std::vector<float> elements = model.elements(variable);
      if (Status status = file.write(std::as_bytes(std::span(elements))); status.failed())
        return status;
    }
  return {};
}

Status resin::runtime::saveCheckpoint(Model &model, const RunState &state, const std::string &path,
                                      const std::function<Status(StagedFile &)> &publish) {
  Checksum sum;
  if (Status status = sumVariables(model, sum); status.failed())
    return status;
  safetensors::Metadata metadata = describe(state, model.manifest().model, model.manifest().hash);
  metadata[kChecksum] = printChecksum(sum);
  std::vector<safetensors::Heading> headings;
  for (const Variable &variable : model.manifest().variables)
    if (isKept(variable))
      headings.push_back({variable.name, variable.shape});

  StatusOr<StagedFile> file = StagedFile::create(path);
  if (file.failed())
    return file.status();
  const std::string header = safetensors::header(headings, metadata);
  if (Status status = file->write(header); status.failed())
    return status;
  if (Status status = writeVariables(model, *file); status.failed())
    return status;
  if (Status status = file->sync(); status.failed())
    return status;
  if (Status status = file->verify(); status.failed())
    return status;
  return publish(*file);
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

static StatusOr<safetensors::File> readVerified(const std::string &path) {
  StatusOr<safetensors::File> file = safetensors::File::read(path);
  if (file.failed() || !file->metadata().contains(kChecksum))
    return file;
  Checksum sum;
  sum.add(file->data());
  if (printChecksum(sum) != file->metadata().at(kChecksum))
    return Status::badData(path,
                           ": is damaged: its data do not have the sum it says (who changed them on purpose "
                           "removes '",
                           kChecksum, "' from the metadata)");
  return file;
}

/// What other programs write beside the weights: PyTorch counts batches, and our own
/// runs keep the optimizer's state.
static bool isIgnored(const std::string &name) {
  return name.ends_with("num_batches_tracked") || name.starts_with("optimizer.");
}

/// Holds the file's names against those wanted.
static Status checkNames(const std::string &path, const safetensors::File &file,
                         const std::vector<const Variable *> &wanted) {
  std::vector<std::string> missing, extra;
  for (const Variable *variable : wanted)
    if (!file.find(variable->name))
      missing.push_back(variable->name);
  for (const safetensors::Entry &entry : file.entries()) {
    auto isIt = [&](const Variable *variable) { return variable->name == entry.name; };
    if (std::none_of(wanted.begin(), wanted.end(), isIt) && !isIgnored(entry.name))
      extra.push_back(entry.name);
  }
  if (missing.empty() && extra.empty())
    return {};
  std::string text = concat(path, ": is not of this network: ", missing.size(), " missing, ", extra.size(), " unknown");
  auto list = [&](const char *what, const std::vector<std::string> &names, const std::vector<std::string> &others) {
    constexpr size_t kMost = 8;
    for (size_t i = 0; i < std::min(kMost, names.size()); ++i)
      text += concat("\n  ", what, " '", names[i], "'", didYouMean(names[i], others));
    if (names.size() > kMost)
      text += concat("\n  and ", names.size() - kMost, " more");
  };
  list("missing", missing, {});
  std::vector<std::string> known;
  for (const Variable *variable : wanted)
    known.push_back(variable->name);
  list("unknown", extra, missing.empty() ? known : missing);
  return Status::badData(text);
}

static Status checkTensor(const std::string &path, const safetensors::Entry &entry, const Variable &variable) {
  if (!safetensors::isFloatingPoint(entry))
    return Status::badData(path, ": '", entry.name, "' is of type ", entry.type, "; F32 is needed");
  if (entry.shape != variable.shape)
    return Status::badData(path, ": '", entry.name, "' has the shape ", safetensors::printShape(entry.shape),
                           "; this network has ", safetensors::printShape(variable.shape));
  return {};
}

/// Everything is checked before the first variable changes.
static Status restore(Model &model, const std::string &path, const safetensors::File &file,
                      const std::vector<const Variable *> &wanted) {
  if (Status status = checkNames(path, file, wanted); status.failed())
    return status;
  for (const Variable *variable : wanted)
    if (Status status = checkTensor(path, *file.find(variable->name), *variable); status.failed())
      return status;
  for (const Variable *variable : wanted) {
    const safetensors::Entry &entry = *file.find(variable->name);
    model.setElements(*variable, safetensors::toFloats(entry, file.bytes(entry)));
  }
  return {};
}

Status resin::runtime::loadCheckpoint(Model &model, const std::string &path, RunState &state) {
  StatusOr<safetensors::File> file = readVerified(path);
  if (file.failed())
    return file.status();
  RunState read = state;
  if (Status status = understand(path, file->metadata(), read); status.failed())
    return status;
  std::vector<const Variable *> wanted;
  for (const Variable &variable : model.manifest().variables)
    if (isKept(variable))
      wanted.push_back(&variable);
  if (Status status = restore(model, path, *file, wanted); status.failed())
    return status;
  const std::string &hash = file->metadata().at("resin.hash");
  if (hash != model.manifest().hash)
    std::fprintf(stderr,
                 "warning: %s was written by another build of this network (%s, this is %s): the run goes on, "
                 "but its bits may differ from those of an uninterrupted one\n",
                 path.c_str(), hash.c_str(), model.manifest().hash.c_str());
  state = read;
  return {};
}

Status resin::runtime::loadWeights(Model &model, const std::string &path, PixelScale &scale) {
  StatusOr<safetensors::File> file = readVerified(path);
  if (file.failed())
    return file.status();
  std::vector<const Variable *> wanted;
  for (const Variable &variable : model.manifest().variables)
    if (variable.role == Role::Parameter || variable.role == Role::Statistic)
      wanted.push_back(&variable);
  scale = scaleOf(file->metadata());
  return restore(model, path, *file, wanted);
}
