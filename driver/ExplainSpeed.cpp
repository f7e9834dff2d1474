//===- ExplainSpeed.cpp - `resin explain-speed`: build it, profile it -----===//

#include "driver/ExplainSpeed.h"

#include "support/Files.h"
#include "support/RunTool.h"
#include "support/ScratchFolder.h"
#include "driver/Paths.h"

using namespace resin;

int resin::explainSpeed(BuildOptions options, const ProfileOptions &profile) {
  if (profile.svg)
    if (Status status = checkOutput(*profile.svg, inputsOf(options)); status.failed())
      return complain(status);
  StatusOr<ScratchFolder> folder = ScratchFolder::create();
  if (folder.failed())
    return complain(folder.status());
  options.emit = Stage::Executable;
  options.output = *folder / "net";
  if (int code = build(options))
    return code;

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
  return code.failed() ? complain(code.status()) : *code;
}
