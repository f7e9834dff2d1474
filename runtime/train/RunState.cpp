//===- RunState.cpp - What a training run is and how far it has come ------===//
//
// JSON in three of the file's metadata strings. Its numbers are printed so that
// they are read back to the bit.
//
//===----------------------------------------------------------------------===//

#include "runtime/train/RunState.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

using namespace resin;
using namespace resin::runtime;
using Json = nlohmann::json;

safetensors::Metadata resin::runtime::describe(const RunState &state, const std::string &model,
                                               const std::string &hash, const std::string &build) {
  const Settings &settings = state.settings;
  const Position &at = state.position;
  Json position = {{"epoch", at.epoch},      {"step", at.step},       {"images_in_epoch", at.imagesInEpoch},
                   {"loss_sum", at.lossSum}, {"correct", at.correct}, {"best_top1", at.bestTop1}};
  Json run = {{"recipe", Json::parse(printRecipe(settings.recipe))},
              {"data", settings.data},
              {"limit", settings.limit},
              {"shuffle", settings.shuffle},
              {"batch", settings.batch}};
  Json data = {{"train", {{"images", state.train.images}, {"sum", state.train.sum}}},
               {"test", {{"images", state.test.images}, {"sum", state.test.sum}}}};
  Json scale = {{"mean", state.scale.mean}, {"std", state.scale.deviation}};
  return {{"resin.model", model},
          {"resin.hash", hash},
          {"resin.build", build},
          {"resin.position", position.dump()},
          {"resin.settings", run.dump()},
          {"resin.data", data.dump()},
          {"resin.normalize", scale.dump()}};
}

static bool isScale(const PixelScale &scale) {
  auto isFinite = [](double number) { return std::isfinite(number); };
  auto isDeviation = [](double number) { return std::isfinite(number) && number > 0; };
  return !scale.mean.empty() && scale.mean.size() == scale.deviation.size() &&
         std::all_of(scale.mean.begin(), scale.mean.end(), isFinite) &&
         std::all_of(scale.deviation.begin(), scale.deviation.end(), isDeviation);
}

StatusOr<PixelScale> resin::runtime::scaleOf(const std::string &path, const safetensors::Metadata &metadata) {
  const auto found = metadata.find("resin.normalize");
  if (found == metadata.end())
    return PixelScale();
  PixelScale scale;
  try {
    const Json json = Json::parse(found->second);
    scale = {json.at("mean"), json.at("std")};
  } catch (const std::exception &) {
    scale = {};
  }
  if (!isScale(scale))
    return Status::badData(path,
                           ": says in 'resin.normalize' how its images were normalised, but not as "
                           "{\"mean\": [..], \"std\": [..]} with as many positive 'std': ",
                           found->second.substr(0, 80));
  return scale;
}

static Fingerprint fingerprintOf(const Json &data, const char *part) {
  return {data.at(part).at("images"), data.at(part).at("sum")};
}

Status resin::runtime::understand(const std::string &path, const safetensors::Metadata &metadata, RunState &state) {
  auto found = [&](const char *key) { return metadata.contains(key) ? metadata.at(key) : std::string(); };
  if (!metadata.contains("resin.position"))
    return Status::badData(path, ": is not a checkpoint of a run: it says nothing of its position");
  try {
    const Json position = Json::parse(found("resin.position")), run = Json::parse(found("resin.settings"));
    Position &at = state.position;
    at.epoch = position.at("epoch");
    at.step = position.at("step");
    at.lossSum = position.at("loss_sum");
    at.correct = position.at("correct");
    at.bestTop1 = position.at("best_top1");
    state.settings.data = run.at("data");
    state.settings.limit = run.at("limit");
    state.settings.shuffle = run.at("shuffle");
    state.settings.batch = run.value("batch", state.settings.batch);
    // Checkpoints of older programs count updates, and do not know their data.
    at.imagesInEpoch = position.contains("images_in_epoch")
                           ? position.at("images_in_epoch").get<int64_t>()
                           : position.at("step_in_epoch").get<int64_t>() * state.settings.batch;
    if (metadata.contains("resin.data")) {
      const Json data = Json::parse(metadata.at("resin.data"));
      state.train = fingerprintOf(data, "train");
      state.test = fingerprintOf(data, "test");
    }
    if (Status status = parseRecipe(run.at("recipe").dump(), state.settings.recipe); status.failed())
      return Status::badData(path, ": ", status.message());
    if (at.epoch < 0 || at.step < 0 || at.imagesInEpoch < 0 || state.settings.batch < 1)
      return Status::badData(path, ": its position is out of range");
  } catch (const std::exception &) {
    return Status::badData(path, ": says in 'resin.position' and 'resin.settings' where its run stands, but not as a "
                                 "program of Resin does");
  }
  StatusOr<PixelScale> scale = scaleOf(path, metadata);
  if (scale.ok())
    state.scale = *scale;
  return scale.status();
}
