//===- Tune.cpp - `resin tune`: find faster knobs -------------------------===//
//
// Reads the request, and lets signals stop the run (TuneRun.h) without losing what
// it has found.
//
//===----------------------------------------------------------------------===//

#include "driver/Tune.h"

#include "driver/Cache.h"
#include "driver/Compiler.h"
#include "driver/TuneRun.h"
#include "machine/Targets.h"
#include "support/Files.h"
#include "support/Leavings.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>

using namespace resin;
using llvm::StringRef;

static volatile std::sig_atomic_t interrupted = 0; ///< by which signal
static constexpr int kAskedToStop[] = {SIGINT, SIGTERM, SIGHUP};

/// The first asks, the second kills.
static void interrupt(int signal) {
  interrupted = signal;
  for (int each : kAskedToStop)
    cleanUpOn(each);
}

static void stopWhenAsked() {
  struct sigaction action = {};
  action.sa_handler = interrupt;
  action.sa_flags = SA_RESTART;
  for (int signal : kAskedToStop)
    if (struct sigaction before; sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
}

/// "90", "90s", "10m" or "2h" in seconds; 0 for anything else.
static double readBudget(StringRef text) {
  double unit = 1, value = 0;
  if (text.consume_back("h"))
    unit = 3600;
  else if (text.consume_back("m"))
    unit = 60;
  else
    text.consume_back("s");
  return text.getAsDouble(value) || !(value > 0 && value < 1e6) ? 0 : value * unit;
}

/// The `models` folder of the source tree that this executable was built in.
static std::vector<std::string> zooOf(StringRef resinPath) {
  llvm::SmallString<256> folder = llvm::sys::path::parent_path(resinPath);
  llvm::sys::path::append(folder, "..", "..", "models");
  std::vector<std::string> files;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (llvm::sys::path::extension(at->path()) == ".resin")
      files.push_back(at->path());
  llvm::sort(files);
  return files;
}

/// All networks that are asked for.
static Status collectFiles(const TuneRequest &request, std::vector<std::string> &files) {
  files = request.files;
  if (!request.zoo)
    return {};
  const std::vector<std::string> zoo = zooOf(request.build.resinPath);
  files.insert(files.end(), zoo.begin(), zoo.end());
  if (!zoo.empty())
    return {};
  return Status::noInput("there is no models folder beside the build that holds ", request.build.resinPath,
                         ": name the files");
}

/// Writes the records of the database as the text that comes with Resin.
static Status exportRecords(const std::string &path, const std::string &file) {
  const std::string output = file == "-" ? "/dev/stdout" : file;
  if (Status status = checkOutput(output, {path}); status.failed())
    return status;
  std::string warning;
  std::vector<tuning::TuningRecord> records = tuning::readDatabase(path, warning);
  if (!warning.empty())
    llvm::errs() << "resin: warning: " << warning << "\n";
  std::vector<std::string> lines;
  for (const tuning::TuningRecord &record : records)
    lines.push_back(printRecord(record));
  llvm::sort(lines);
  const std::string head =
      "# Tuning records that come with Resin: written by `resin tune --export`, never by hand.\n"
      "# target\tcpu\tthreads\tversion\tspec\tknobs\tmedian ns\tspread ns\tuntuned ns\terror 1e-9\tnumerics\n";
  lines.push_back(""); // a line ends with its end
  return writeOutput(output, head + llvm::join(lines, "\n"));
}

Status resin::tune(const TuneRequest &request) {
  const std::string path = tuningDatabase(request.build.database);
  if (path.empty())
    return Status::usage("there is no cache folder, since HOME is not set: name a file with --database");
  if (!request.exportTo.empty())
    return exportRecords(path, request.exportTo);
  if (request.files.empty() && !request.zoo)
    return Status::usage("name the networks to tune, or --zoo");
  if (readBudget(request.budget) <= 0)
    return Status::usage("--budget wants a time like 90s, 10m or 2h, not '", request.budget, "'");
  TargetInfo target;
  if (Status status = findTarget(request.build, target); status.failed())
    return status;
  if (std::vector<std::string> missing = missingFeatures(target); !missing.empty())
    return Status::usage("this CPU cannot run ", target.name, ": it lacks ", missing[0]);
  TuneRun run(request, target, path, [] { return interrupted; });
  std::vector<std::string> files;
  if (Status status = collectFiles(request, files); status.failed())
    return status;
  if (Status status = run.collectNetworks(files); status.failed())
    return status;
  stopWhenAsked();
  return request.verify ? run.verify() : run.search(readBudget(request.budget));
}
