//===- Checkpoint.cpp - The network in a file -----------------------------===//

#include "runtime/train/Checkpoint.h"
#include "runtime/Model.h"
#include "runtime/train/Weights.h"

#include <cmath>
#include <cstdio>

using namespace resin;
using namespace resin::runtime;

static constexpr const char *kChecksum = "resin.checksum";

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

Status resin::runtime::writeCheckpoint(Model &model, const RunState &state,
                                       const std::function<Status(std::span<const std::byte>)> &sink) {
  Checksum sum;
  if (Status status = sumVariables(model, sum); status.failed())
    return status;
  safetensors::Metadata metadata =
      describe(state, model.manifest().model, model.manifest().hash, model.manifest().build);
  metadata[kChecksum] = sum.text();
  std::vector<safetensors::Heading> headings;
  for (const Variable &variable : model.manifest().variables)
    if (isKept(variable))
      headings.push_back({variable.name, variable.shape});

  const std::string header = safetensors::header(headings, metadata);
  if (Status status = sink(std::as_bytes(std::span(header))); status.failed())
    return status;
  for (const Variable &variable : model.manifest().variables) {
    if (!isKept(variable))
      continue;
    const std::vector<float> elements = model.elements(variable);
    if (Status status = sink(std::as_bytes(std::span(elements))); status.failed())
      return status;
  }
  return {};
}

Status resin::runtime::saveCheckpoint(Model &model, const RunState &state, const std::string &path,
                                      const std::function<Status(StagedFile &)> &publish) {
  StatusOr<StagedFile> file = StagedFile::create(path);
  if (file.failed())
    return file.status();
  auto write = [&](std::span<const std::byte> bytes) { return file->write(bytes); };
  if (Status status = writeCheckpoint(model, state, write); status.failed())
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
  const StatusOr<Checksum> sum = file->sumOfData();
  if (sum.failed())
    return sum.status();
  if (sum->text() != file->metadata().at(kChecksum))
    return Status::badData(path,
                           ": is damaged: its data do not have the sum it says (who changed them on purpose "
                           "removes '",
                           kChecksum, "' from the metadata)");
  return file;
}

/// The file's scale of pixels, which has to be one of this network's images.
static StatusOr<PixelScale> readScale(const Model &model, const safetensors::File &file) {
  StatusOr<PixelScale> scale = scaleOf(file.path(), file.metadata());
  const size_t channels = static_cast<size_t>(model.manifest().image[0]);
  if (scale.ok() && !scale->mean.empty() && scale->mean.size() != channels)
    return Status::badData(file.path(), ": its images had ", scale->mean.size(),
                           " channels ('resin.normalize'), and "
                           "this network's have ",
                           channels);
  return scale;
}

/// Says that another program wrote the checkpoint.
static void sayWhoseItIs(const std::string &path, const safetensors::Metadata &metadata, const Manifest &manifest) {
  auto valueOf = [&](const char *key) { return metadata.contains(key) ? metadata.at(key) : std::string(); };
  const std::string hash = valueOf("resin.hash"), build = valueOf("resin.build");
  const bool isOtherProgram = hash != manifest.hash;
  if (!isOtherProgram && (build == manifest.build || build.empty() || manifest.build.empty()))
    return;
  std::fprintf(stderr,
               "warning: %s was written by %s (%s, this is %s): the run goes on, "
               "but its bits may differ from those of an uninterrupted one\n",
               path.c_str(),
               isOtherProgram ? "another program of this network"
                              : "this program built for another target, by other tuning records or another Resin",
               isOtherProgram ? hash.c_str() : build.c_str(),
               isOtherProgram ? manifest.hash.c_str() : manifest.build.c_str());
}

Status resin::runtime::loadCheckpoint(Model &model, const std::string &path, RunState &state) {
  StatusOr<safetensors::File> file = readVerified(path);
  if (file.failed())
    return file.status();
  RunState read = state;
  if (Status status = understand(path, file->metadata(), read); status.failed())
    return status;
  if (const StatusOr<PixelScale> scale = readScale(model, *file); scale.failed())
    return scale.status();
  std::vector<const Variable *> wanted;
  for (const Variable &variable : model.manifest().variables)
    if (isKept(variable))
      wanted.push_back(&variable);
  if (Status status = restoreVariables(model, *file, wanted); status.failed())
    return status;
  sayWhoseItIs(path, file->metadata(), model.manifest());
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
  const StatusOr<PixelScale> read = readScale(model, *file);
  if (read.failed())
    return read.status();
  scale = *read;
  return restoreVariables(model, *file, wanted);
}
