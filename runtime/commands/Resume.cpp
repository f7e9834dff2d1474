//===- Resume.cpp - What is different in a run that goes on ---------------===//

#include "runtime/commands/Resume.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace resin;
using namespace resin::runtime;

//===----------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------===//

/// Empty if the part is as it was, or nobody knows.
static std::string difference(const char *part, const Fingerprint &before, const Fingerprint &now) {
  if (before.images < 0 || before == now)
    return "";
  if (before.images == now.images)
    return concat("\n  ", now.images, " ", part, " images as before, but other pixels, labels or order (checksum ",
                  now.sum, ", before ", before.sum, ")");
  return concat("\n  ", now.images, " ", part, " images, before ", before.images);
}

static std::string limitDifference(int64_t before, int64_t now) {
  auto print = [](int64_t limit) { return limit < 0 ? std::string("none") : std::to_string(limit); };
  return before == now ? "" : concat("\n  --limit ", print(now), ", before ", print(before));
}

Status resin::runtime::meetData(const RunState &before, RunState &now, bool isAccepted) {
  const std::string train = difference("training", before.train, now.train),
                    test = difference("test", before.test, now.test);
  if (train.empty() && test.empty())
    return {};
  const std::string text = concat(now.settings.data, ": these are not the data of the run (", before.settings.data, ")",
                                  train, test, limitDifference(before.settings.limit, now.settings.limit));
  if (!isAccepted)
    return Status::badData(text, "\n  give it its own, or go on with these by --new-data: pixels keep the run's scale, "
                                 "and the epoch under way begins anew");
  std::fprintf(stderr, "warning: %s\n", text.c_str());
  // A sum over images of both, and an order that is of the others, would mean nothing.
  if (!train.empty())
    now.position.beginEpochAnew();
  if (!test.empty())
    now.position.bestTop1 = -1;
  return {};
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

static std::string orderOf(const Settings &settings) {
  return settings.shuffle ? concat("that of seed ", settings.recipe.seed) : std::string("that of the files");
}

void resin::runtime::meetOrder(const RunState &before, RunState &now) {
  const std::string was = orderOf(before.settings), is = orderOf(now.settings);
  if (was == is || now.position.imagesInEpoch == 0)
    return;
  std::fprintf(stderr,
               "warning: the order of the images is %s, and was %s: epoch %lld, in which %lld images were seen, "
               "begins anew\n",
               is.c_str(), was.c_str(), static_cast<long long>(now.position.epoch + 1),
               static_cast<long long>(now.position.imagesInEpoch));
  now.position.beginEpochAnew();
}

//===----------------------------------------------------------------------===//
// Rate
//===----------------------------------------------------------------------===//

static int64_t updatesOfEpoch(const RunState &state) { return state.train.images / state.settings.batch; }

static double rateOfNextStep(const RunState &state, int64_t step) {
  const Recipe &recipe = state.settings.recipe;
  return learningRate(recipe.schedule, step, updatesOfEpoch(state), recipe.epochs);
}

static std::string layout(const RunState &state) {
  return concat("a peak of ", state.settings.recipe.schedule.peak(), ", ", state.settings.recipe.epochs, " epochs of ",
                updatesOfEpoch(state), " updates");
}

void resin::runtime::sayRateJump(const RunState &before, const RunState &now) {
  if (before.train.images < before.settings.batch)
    return;
  const int64_t step = now.position.step;
  const double was = rateOfNextStep(before, step), is = rateOfNextStep(now, step);
  if (std::abs(was - is) <= 0.01 * std::max(was, is))
    return;
  std::fprintf(stderr,
               "warning: the learning rate of step %lld is %.4g, where the run's own schedule has %.4g: it is "
               "laid out for %s, and was for %s\n",
               static_cast<long long>(step + 1), is, was, layout(now).c_str(), layout(before).c_str());
}

void resin::runtime::sayIsOver(const RunState &state, int64_t lastStep) {
  const Position &at = state.position;
  const int64_t epochs = state.settings.recipe.epochs;
  if (at.epoch >= epochs)
    std::fprintf(stderr, "finished: all %lld epochs are done, at step %lld; a larger --epochs goes on\n",
                 static_cast<long long>(epochs), static_cast<long long>(at.step));
  else if (lastStep >= 0 && at.step >= lastStep)
    std::fprintf(stderr, "finished: step %lld is reached, and --steps asks for %lld in all\n",
                 static_cast<long long>(at.step), static_cast<long long>(lastStep));
}

void resin::runtime::sayWarmupIsLong(const Recipe &recipe) {
  const Schedule &schedule = recipe.schedule;
  const double epochs = static_cast<double>(recipe.epochs);
  if (recipe.epochs == 0 || schedule.warmup() < epochs)
    return;
  std::fprintf(stderr,
               "warning: the warm-up takes %g epochs and the run has %lld: it never leaves it, and its rate ends "
               "at %.4g of a peak of %.4g\n",
               schedule.warmup(), static_cast<long long>(recipe.epochs), schedule.peak() * epochs / schedule.warmup(),
               schedule.peak());
}
