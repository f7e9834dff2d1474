//===- Linker.cpp - From objects to an executable -------------------------===//
//
// The link is driven by a C++ compiler, which knows where libstdc++ and the start files
// are; it is started by argument vector, never through a shell. The objects go through
// a response file: a network has hundreds of kernels. It runs in the folder of the
// objects, whose name may be one that linkers have trouble with: lld replaces each % in
// the path of a file that it writes.
//
//===----------------------------------------------------------------------===//

#include "codegen/host/Linker.h"

#include "support/RunTool.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <cstdlib>
#include <filesystem>

using namespace resin;

static std::string findProgram(llvm::StringRef name) {
  llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName(name);
  return path ? std::filesystem::absolute(*path).string() : "";
}

std::string resin::findLinkDriver() {
  if (const char *chosen = std::getenv("RESIN_CXX"); chosen && *chosen)
    return findProgram(chosen);
  for (llvm::StringRef name : {"clang++-22", "clang++", "g++", "c++"})
    if (std::string path = findProgram(name); !path.empty())
      return path;
  return "";
}

std::string resin::findRuntimeArchive(const std::string &resinPath) {
  llvm::SmallString<256> path(llvm::sys::path::parent_path(resinPath));
  llvm::sys::path::append(path, "..", "lib", "libResinRuntime.a");
  llvm::sys::path::remove_dots(path, /*remove_dot_dot=*/true);
  return llvm::sys::fs::exists(path) ? path.str().str() : "";
}

/// Quotes as GNU's response files want it.
static std::string inQuotes(llvm::StringRef text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + "\"";
}

static std::string responseFile(const LinkJob &job) {
  std::string text;
  for (const std::string &object : job.objects)
    text += inQuotes(object) + "\n";
  for (const std::string &library : job.libraries) // an absolute path begins with neither '-' nor '@'
    text += inQuotes(std::filesystem::absolute(library).string()) + "\n";
  return text;
}

/// Linkers crash on a full disk, or have no room to say so. A program takes no more than what it is made of.
static Status checkSpace(const LinkJob &job) {
  std::error_code error;
  uintmax_t wanted = 0;
  for (const std::string &object : job.objects)
    wanted += std::filesystem::file_size(job.folder / object, error);
  for (const std::string &library : job.libraries)
    wanted += std::filesystem::file_size(library, error);
  const uintmax_t left = std::filesystem::space(job.folder.path(), error).available;
  if (error || left >= wanted)
    return {};
  return Status::ioError(job.folder.path(), ": no space left to link in: ", left >> 10, " KiB of ", wanted >> 10,
                         " KiB; another folder can be named in TMPDIR");
}

StatusOr<std::string> resin::link(const LinkJob &job) {
  const std::string driver = findLinkDriver();
  if (driver.empty())
    return Status(ExitCode::Failure, "no C++ compiler to link with: install clang-22 or g++, or name one in RESIN_CXX");
  if (Status status = job.folder.write("objects.rsp", responseFile(job)); status.failed())
    return status;
  Tool tool{.arguments = {driver, "@objects.rsp", "-o", "program", "-Wl,--gc-sections", "-pthread"},
            .folder = job.folder.path(),
            .output = job.folder / "log",
            .errors = job.folder / "log"};
  // lld is quicker, but any linker will do.
  bool hasLld = !findProgram("ld.lld-22").empty() || !findProgram("ld.lld").empty();
  if (hasLld && llvm::sys::path::filename(driver).starts_with("clang"))
    tool.arguments.push_back("-fuse-ld=lld");
  const StatusOr<int> code = runTool(tool);
  if (code.failed())
    return code.status();
  if (*code == 0)
    return job.folder / "program";
  if (Status status = checkSpace(job); status.failed())
    return status;
  const std::string said = job.folder.read("log");
  return Status(ExitCode::Failure, concat(driver, " failed with exit code ", *code, said.empty() ? "" : ":\n" + said));
}
