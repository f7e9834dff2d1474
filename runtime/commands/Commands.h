//===- Commands.h - What a program can be asked to do -----------*- C++ -*-===//
//
// One function a command. Program.cpp fills the arguments from the command line.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_COMMANDS_COMMANDS_H
#define RESIN_RUNTIME_COMMANDS_COMMANDS_H

#include "runtime/Abi.h"
#include "runtime/commands/PredictInput.h"
#include "support/Status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace resin::runtime {

struct Arguments {
  unsigned threads = 1;
  // train
  std::optional<std::string> data;
  std::string out;
  std::optional<std::string> epochs, seed, rate; ///< settings of the recipe, as `sets`
  std::optional<int64_t> steps, limit;
  bool resume = false, noShuffle = false, overwrite = false, newData = false;
  std::vector<std::string> sets;
  // eval, predict; initial weights of train
  std::optional<std::string> weights;
  std::string input;
  InputForm form;
  std::optional<std::string> output; ///< of profile: its plot
  std::optional<int64_t> topk;
  // bench, profile, info
  bool json = false;
  double seconds = 10;
  std::string only; ///< of bench and profile: "train", "predict", or both
};

Status runTrain(const ResinProgram &program, const Arguments &arguments);
Status runEval(const ResinProgram &program, const Arguments &arguments);
Status runPredict(const ResinProgram &program, const Arguments &arguments);
Status runBench(const ResinProgram &program, const Arguments &arguments);
Status runProfile(const ResinProgram &program, const Arguments &arguments);
Status runInfo(const ResinProgram &program, const Arguments &arguments);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_COMMANDS_COMMANDS_H
