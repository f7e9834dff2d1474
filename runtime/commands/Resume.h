//===- Resume.h - What is different in a run that goes on -------*- C++ -*-===//

#ifndef RESIN_RUNTIME_COMMANDS_RESUME_H
#define RESIN_RUNTIME_COMMANDS_RESUME_H

#include "runtime/train/RunState.h"

namespace resin::runtime {

/// Holds the data against those of the run, `before`. Others are an error, or with `isAccepted` a warning, and then the
/// epoch under way begins anew.
Status meetData(const RunState &before, RunState &now, bool isAccepted);

/// In the middle of an epoch another order of its images (another seed, --no-shuffle) would show some twice and some
/// never: the epoch then begins anew, and that is said.
void meetOrder(const RunState &before, RunState &now);

/// Says that the rate of the next step is not what the run's own schedule has there.
void sayRateJump(const RunState &before, const RunState &now);

/// Says that the run is over before it begins.
void sayIsOver(const RunState &state, int64_t lastStep);

/// Says that the run ends within its warm-up.
void sayWarmupIsLong(const Recipe &recipe);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_COMMANDS_RESUME_H
