//===- Linker.cpp - From objects to an executable -------------------------===//
//
// The link is driven by a C++ compiler, which knows where libstdc++ and the start files
// are; it is started by argument vector, never through a shell. The objects go through
// a response file: a network has hundreds of kernels. The program is written aside
// and renamed, so that a failed or interrupted link leaves the old one alone.
//
//===----------------------------------------------------------------------===//

#include "codegen/host/Linker.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace resin;

static std::string findProgram(llvm::StringRef name) {
  llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName(name);
  return path ? *path : "";
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
static std::string quoted(llvm::StringRef text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + "\"";
}

static bool writeResponse(const LinkJob &job, llvm::StringRef path) {
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (code)
    return false;
  for (const std::string &object : job.objects)
    out << quoted(object) << "\n";
  for (const std::string &archive : job.archives)
    out << quoted(archive) << "\n";
  out.close();
  bool written = !out.has_error();
  out.clear_error();
  return written;
}

namespace {
/// A file that goes away with its holder.
struct Temporary {
  llvm::SmallString<256> path;
  ~Temporary() {
    if (!path.empty())
      llvm::sys::fs::remove(path);
  }
};
} // namespace

bool resin::link(const LinkJob &job, std::string &error) {
  std::string driver = findLinkDriver();
  if (driver.empty()) {
    error = "no C++ compiler to link with: install clang-22 or g++, or name one in RESIN_CXX";
    return false;
  }
  Temporary response, talk, aside;
  aside.path = job.output + ".new";
  if (llvm::sys::fs::createTemporaryFile("resin-link", "rsp", response.path) || llvm::sys::fs::createTemporaryFile("resin-link", "txt", talk.path) ||
      !writeResponse(job, response.path)) {
    error = "cannot write a temporary file";
    return false;
  }

  std::vector<std::string> arguments = {driver, ("@" + response.path).str(), "-o", aside.path.str().str(), "-Wl,--gc-sections", "-pthread"};
  // lld is quicker, but any linker will do.
  bool hasLld = !findProgram("ld.lld-22").empty() || !findProgram("ld.lld").empty();
  if (hasLld && llvm::sys::path::filename(driver).starts_with("clang"))
    arguments.push_back("-fuse-ld=lld");
  std::vector<llvm::StringRef> references(arguments.begin(), arguments.end());
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""), llvm::StringRef(talk.path), llvm::StringRef(talk.path)};
  std::string problem;
  int status = llvm::sys::ExecuteAndWait(driver, references, std::nullopt, redirects, 0, 0, &problem);
  if (status == 0 && !llvm::sys::fs::rename(aside.path, job.output)) {
    aside.path.clear();
    return true;
  }
  if (status == 0) {
    error = "cannot create '" + job.output + "'";
    return false;
  }
  auto text = llvm::MemoryBuffer::getFile(talk.path);
  error = driver + " failed" + (problem.empty() ? "" : " (" + problem + ")") + (text ? ":\n" + (*text)->getBuffer().str() : "");
  return false;
}
