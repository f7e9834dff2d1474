//===- KernelLibrary.cpp - KernelSpecs to object code ---------------------===//
//
//   1. Drop repetitions; look each kernel up in the cache.
//   2. Compile the others, `jobs` at a time, each in a forked process that writes an
//      object file, or its complaint, into files without a name: no disk can be full.
//   3. Collect the objects, and keep them in the cache.
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelLibrary.h"

#include "codegen/Backends.h"
#include "codegen/KernelCache.h"
#include "codegen/Version.h"
#include "support/Leavings.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <unordered_set>
#include <utility>

namespace resin::codegen {

namespace {

/// A file in memory, which goes away with the last process that has it open.
class NamelessFile {
public:
  NamelessFile() : descriptor(memfd_create("resin", MFD_CLOEXEC)) {}
  NamelessFile(NamelessFile &&other) noexcept : descriptor(std::exchange(other.descriptor, -1)) {}
  ~NamelessFile() {
    if (descriptor >= 0)
      close(descriptor);
  }
  NamelessFile &operator=(NamelessFile &&) = delete;

  bool isThere() const { return descriptor >= 0; }
  /// Names it in this process and those forked from it.
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor); }
  std::string read() const {
    std::string bytes;
    std::array<char, 1 << 16> chunk;
    for (ssize_t got; (got = pread(descriptor, chunk.data(), chunk.size(), static_cast<off_t>(bytes.size()))) > 0;)
      bytes.append(chunk.data(), static_cast<size_t>(got));
    return bytes;
  }
  /// From now on standard error is written there.
  void takeErrors() const { dup2(descriptor, STDERR_FILENO); }

private:
  int descriptor;
};

/// One kernel to compile.
struct Job {
  const KernelRequest *request;
  CompiledKernel *kernel;
};

/// One that is being compiled.
struct Running {
  const Job *job;
  NamelessFile object, log;
};

/// Compiles in a child and ends it; never returns.
[[noreturn]] void compileInChild(const Running &running, const TargetInfo &target, int64_t mostScratch) {
  running.log.takeErrors();
  const auto &[spec, knobs] = *running.job->request;
  const Backend &backend = backendOf(target);
  std::string error = backend.refusalOf(spec);
  if (error.empty() && !knobs.empty() && !backend.plan(spec, target)->accepts(knobs))
    error = "no template takes the knobs " + printKnobs(knobs);
  const bool done = error.empty() && backend.compile({spec, knobs, target, mostScratch, running.object.path()}, error);
  if (!done)
    dprintf(STDERR_FILENO, "%s", error.c_str());
  _exit(done ? 0 : 1);
}

std::string reasonOf(const NamelessFile &log, int status) {
  std::string reason = log.read();
  while (!reason.empty() && std::isspace(static_cast<unsigned char>(reason.back())))
    reason.pop_back();
  if (WIFSIGNALED(status))
    reason += (reason.empty() ? "" : "; ") + std::string("the compiler died of '") + strsignal(WTERMSIG(status)) + "'";
  return reason.empty() ? "the compiler failed without a word" : reason;
}

/// Runs the jobs, `most` at once; returns a line for each that failed.
std::string runJobs(const std::vector<Job> &jobs, const TargetInfo &target, unsigned most, int64_t mostScratch) {
  std::string errors;
  std::map<pid_t, Running> running;
  auto next = jobs.begin();
  auto complain = [&](const Job &job, const std::string &reason) {
    job.kernel->complaint = reason;
    errors += (errors.empty() ? "" : "\n") + job.kernel->symbol + ": " + reason;
  };
  while (next != jobs.end() || !running.empty()) {
    while (next != jobs.end() && running.size() < most) {
      Running started{&*next++, {}, {}};
      if (!started.object.isThere() || !started.log.isThere()) {
        complain(*started.job, std::string("cannot make a file in memory: ") + std::strerror(errno));
        continue;
      }
      std::fflush(nullptr);
      pid_t child = forkWorker();
      if (child == 0)
        compileInChild(started, target, mostScratch);
      if (child < 0)
        complain(*started.job, std::string("cannot start a process: ") + std::strerror(errno));
      else
        running.emplace(child, std::move(started));
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
      const auto &[job, object, log] = entry->second;
      if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        job->kernel->object = object.read();
      if (job->kernel->object.empty())
        complain(*job, reasonOf(log, status));
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
      jobs.push_back({distinct[i], &kernels[i]});
  }
  // The longest first, so that the last to end is a short one.
  std::partition(jobs.begin(), jobs.end(), [](const Job &job) { return job.kernel->symbol.starts_with("conv2d"); });
  unsigned most = options.jobs ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
  error = runJobs(jobs, target, most, options.mostScratch);
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
