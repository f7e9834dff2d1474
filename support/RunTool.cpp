//===- RunTool.cpp - Other programs, waited for ---------------------------===//

#include "support/RunTool.h"

#include "support/Leavings.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace resin;

extern char **environ;

namespace {
/// What posix_spawn is to do beside starting the program.
struct Spawning {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  Spawning() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~Spawning() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};
} // namespace

static void redirect(Spawning &spawning, const Tool &tool) {
  auto open = [&](int descriptor, const std::string &path, int flags) {
    posix_spawn_file_actions_addopen(&spawning.actions, descriptor, path.c_str(), flags, 0666);
  };
  open(STDIN_FILENO, "/dev/null", O_RDONLY);
  const int anew = O_WRONLY | O_CREAT | O_TRUNC;
  open(STDOUT_FILENO, tool.output.empty() ? "/dev/null" : tool.output, anew);
  if (tool.errors == tool.output)
    posix_spawn_file_actions_adddup2(&spawning.actions, STDOUT_FILENO, STDERR_FILENO);
  else
    open(STDERR_FILENO, tool.errors.empty() ? "/dev/null" : tool.errors, anew);
  posix_spawnattr_setflags(&spawning.attributes, POSIX_SPAWN_SETPGROUP);
}

static int waitFor(pid_t process) {
  int state = 0;
  while (::waitpid(process, &state, 0) < 0 && errno == EINTR)
    ;
  return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

StatusOr<int> resin::runTool(const Tool &tool) {
  Spawning spawning;
  const bool isQuiet = !tool.output.empty() || !tool.errors.empty();
  if (isQuiet)
    redirect(spawning, tool);
  if (!tool.folder.empty())
    posix_spawn_file_actions_addchdir_np(&spawning.actions, tool.folder.c_str());
  std::vector<char *> argv;
  for (const std::string &argument : tool.arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t process = 0;
  if (const int error = posix_spawn(&process, argv[0], &spawning.actions, &spawning.attributes, argv.data(), environ))
    return Status(ExitCode::Failure,
                  concat(tool.arguments[0], ": cannot be run: ", std::strerror(error),
                         error == EACCES ? "; is its folder mounted noexec? another can be named in TMPDIR" : ""));
  setRunningTool(isQuiet ? -process : process);
  const int code = waitFor(process);
  setRunningTool(0);
  return code;
}
