//===- KernelLibrary.cpp - KernelSpecs to object code ---------------------===//
//
//   1. Drop repetitions; look each kernel up in the cache.
//   2. Compile the others, `jobs` at a time, each in a forked process that writes an
//      object file, or its complaint, into a folder of ours.
//   3. Collect the objects, and keep them in the cache.
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelLibrary.h"

#include "codegen/CompileKernel.h"
#include "codegen/KernelCache.h"
#include "codegen/Knobs.h"
#include "codegen/Targets.h"
#include "codegen/Version.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <unordered_set>

namespace resin::codegen {

namespace {

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder that goes away with its owner.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::error_code code;
    std::filesystem::path parent = std::filesystem::temp_directory_path(code);
    path = (code ? std::filesystem::path("/tmp") : parent) / "resin-XXXXXX";
    if (!mkdtemp(path.data()))
      path.clear();
  }
  ~TemporaryFolder() {
    std::error_code code;
    if (!path.empty())
      std::filesystem::remove_all(path, code);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  std::string path; ///< empty if it could not be made
};

/// One kernel on its way.
struct Job {
  const KernelRequest *request;
  CompiledKernel *kernel;
  std::string file; ///< of the object; what went wrong goes to `file`.log
};

/// Compiles in a child and ends it; never returns.
[[noreturn]] void compileInChild(const Job &job, const TargetInfo &target) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent says what we died of, and of which kernel; its own handlers would print a stack instead.
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP})
    std::signal(number, SIG_DFL);
  std::string log = job.file + ".log";
  int descriptor = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor >= 0)
    dup2(descriptor, STDERR_FILENO);
  std::string error;
  const KernelRequest &request = *job.request;
  bool done = false;
  if (!request.knobs.empty() && !acceptsKnobs(request.spec, target, request.knobs))
    error = "no template takes the knobs " + printKnobs(request.knobs);
  else
    done = compileKernel(request.spec, request.knobs, target.halide, job.file, error);
  if (!done)
    dprintf(STDERR_FILENO, "%s", error.c_str());
  _exit(done ? 0 : 1);
}

std::string reasonOf(const Job &job, int status) {
  std::string reason = readFile(job.file + ".log");
  while (!reason.empty() && std::isspace(static_cast<unsigned char>(reason.back())))
    reason.pop_back();
  if (WIFSIGNALED(status))
    reason += (reason.empty() ? "" : "; ") + std::string("the compiler died of '") + strsignal(WTERMSIG(status)) + "'";
  return reason.empty() ? "the compiler failed without a word" : reason;
}

/// Runs the jobs, `most` at once; returns a line for each that failed.
std::string runJobs(const std::vector<Job> &jobs, const TargetInfo &target, unsigned most) {
  std::string errors;
  std::map<pid_t, const Job *> running;
  auto next = jobs.begin();
  auto complain = [&](const Job &job, const std::string &reason) {
    job.kernel->complaint = reason;
    errors += (errors.empty() ? "" : "\n") + job.kernel->symbol + ": " + reason;
  };
  while (next != jobs.end() || !running.empty()) {
    while (next != jobs.end() && running.size() < most) {
      const Job &job = *next++;
      std::fflush(nullptr);
      pid_t child = fork();
      if (child == 0)
        compileInChild(job, target);
      if (child < 0)
        complain(job, std::string("cannot start a process: ") + std::strerror(errno));
      else
        running.emplace(child, &job);
    }
    if (running.empty())
      continue;
    // Waits for ours alone: the caller may have children of its own.
    for (auto entry = running.begin(); entry != running.end();) {
      int status = 0;
      pid_t ended = waitpid(entry->first, &status, running.size() == 1 ? 0 : WNOHANG);
      if (ended == 0 || (ended < 0 && errno == EINTR)) {
        ++entry;
        continue;
      }
      const Job &job = *entry->second;
      if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        job.kernel->object = readFile(job.file);
      if (job.kernel->object.empty())
        complain(job, reasonOf(job, status));
      entry = running.erase(entry);
    }
    usleep(2000);
  }
  return errors;
}

} // namespace

bool compileKernels(const std::vector<KernelRequest> &requests, const CompileOptions &options,
                    std::vector<CompiledKernel> &kernels, std::string &error, std::string *warning) {
  TargetInfo target;
  if (!findTarget(options.target, target, error))
    return false;
  TemporaryFolder folder;
  if (folder.path.empty()) {
    error = std::string("cannot make a temporary folder: ") + std::strerror(errno);
    return false;
  }
  KernelCache cache(options.cacheDirectory);
  auto keyOf = [&](const KernelRequest &request) {
    std::string key = codegenVersion() + " " + target.name + " " + symbol(request.spec) + " " + print(request.spec);
    return request.knobs.empty() ? key : key + " knobs " + printKnobs(request.knobs);
  };
  std::vector<const KernelRequest *> distinct;
  std::unordered_set<std::string> seen;
  for (const KernelRequest &request : requests)
    if (seen.insert(keyOf(request)).second)
      distinct.push_back(&request);
  kernels.assign(distinct.size(), {});

  std::vector<Job> jobs;
  for (size_t i = 0; i < distinct.size(); ++i) {
    kernels[i].symbol = symbol(distinct[i]->spec);
    kernels[i].cached = cache.find(keyOf(*distinct[i]), kernels[i].object);
    if (!kernels[i].cached)
      jobs.push_back({distinct[i], &kernels[i], folder.path + "/" + std::to_string(i) + ".o"});
  }
  // The longest first, so that the last to end is a short one.
  std::partition(jobs.begin(), jobs.end(), [](const Job &job) { return job.kernel->symbol.starts_with("conv2d"); });
  unsigned most = options.jobs ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
  error = runJobs(jobs, target, most);
  for (const Job &job : jobs)
    if (!job.kernel->object.empty())
      cache.keep(keyOf(*job.request), job.kernel->object);
  if (warning)
    *warning = cache.complaint();
  return error.empty();
}

bool compileKernels(const std::vector<KernelSpec> &specs, const CompileOptions &options,
                    std::vector<CompiledKernel> &kernels, std::string &error, std::string *warning) {
  std::vector<KernelRequest> requests;
  for (const KernelSpec &spec : specs)
    requests.push_back({spec});
  return compileKernels(requests, options, kernels, error, warning);
}

std::string codegenVersion() { return RESIN_CODEGEN_VERSION; }

} // namespace resin::codegen
