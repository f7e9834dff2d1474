//===- ExplainSpeed.cpp - `resin explain-speed`: build it, profile it -----===//

#include "driver/ExplainSpeed.h"

#include "driver/Paths.h"
#include "driver/Told.h"
#include "support/Files.h"
#include "support/RunTool.h"
#include "support/ScratchFolder.h"

using namespace resin;

Status resin::explainSpeed(BuildOptions options, const ProfileOptions &profile) {
  if (profile.svg)
    if (Status status = checkOutput(*profile.svg, inputsOf(options)); status.failed())
      return status;
  StatusOr<ScratchFolder> folder = ScratchFolder::create();
  if (folder.failed())
    return folder.status();
  options.emit = Stage::Executable;
  options.output = *folder / "net";
  if (Status status = build(options); status.failed())
    return status;

  Tool program{.arguments = {options.output, "profile"}};
  for (auto [name, value] : {std::pair("--only", profile.only),
                             {"--svg", profile.svg},
                             {"--seconds", profile.seconds},
                             {"--threads", profile.threads}})
    if (value)
      program.arguments.insert(program.arguments.end(), {name, *value});
  if (profile.json)
    program.arguments.push_back("--json");
  const StatusOr<int> code = runTool(program);
  return code.failed() ? code.status() : alreadyTold(static_cast<ExitCode>(*code));
}
