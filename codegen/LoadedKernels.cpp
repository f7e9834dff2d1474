//===- LoadedKernels.cpp - Kernels called in this process -----------------===//

#include "codegen/LoadedKernels.h"

#include <array>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <utility>

extern char **environ;

namespace resin::codegen {

namespace {

/// Runs a tool by its argument vector; false if it cannot be run or fails.
bool runTool(std::vector<std::string> arguments) {
  std::vector<char *> argv;
  for (std::string &argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  int status = 0;
  if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0)
    return false;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// As much of a `halide_buffer_t` as our kernels read: `host`.
struct alignas(8) Buffer {
  char before[16] = {};
  void *host = nullptr;
  char after[32] = {};
};
static_assert(sizeof(Buffer) == 56, "as HalideRuntime.h has it");

template <size_t> using Pointer = Buffer *;
template <size_t... I> int callWith(void *function, Buffer *buffers, std::index_sequence<I...>) {
  return reinterpret_cast<int (*)(Pointer<I>...)>(function)(&buffers[I]...);
}
template <size_t... N> int callCounted(void *function, Buffer *buffers, size_t count, std::index_sequence<N...>) {
  int result = -1;
  (void)((count == N ? (result = callWith(function, buffers, std::make_index_sequence<N>()), true) : false) || ...);
  return result;
}

} // namespace

std::unique_ptr<LoadedKernels> LoadedKernels::load(const std::vector<CompiledKernel> &kernels, std::string &error) {
  std::string folder = (std::filesystem::temp_directory_path() / "resin-load-XXXXXX").string();
  if (!mkdtemp(folder.data())) {
    error = "cannot make a temporary folder: " + std::string(std::strerror(errno));
    return nullptr;
  }
  const std::string library = folder + "/kernels.so";
  std::vector<std::string> arguments = {RESIN_LLD, "-shared", "-o", library};
  for (const CompiledKernel &kernel : kernels) {
    arguments.push_back(folder + "/" + std::to_string(arguments.size()) + ".o");
    std::ofstream(arguments.back(), std::ios::binary) << kernel.object;
  }
  void *handle = nullptr;
  if (!runTool(arguments))
    error = std::string("cannot link kernels with ") + RESIN_LLD;
  else if (!(handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)))
    error = std::string("cannot load kernels: ") + dlerror();
  std::error_code code;
  std::filesystem::remove_all(folder, code);
  return std::unique_ptr<LoadedKernels>(handle ? new LoadedKernels(handle) : nullptr);
}

std::unique_ptr<LoadedKernels> LoadedKernels::compile(const std::vector<KernelSpec> &specs,
                                                      const CompileOptions &options, std::string &error) {
  std::vector<CompiledKernel> kernels;
  return compileKernels(specs, options, kernels, error) ? load(kernels, error) : nullptr;
}

LoadedKernels::~LoadedKernels() { dlclose(library); }

void *LoadedKernels::find(const std::string &symbol) const { return dlsym(library, symbol.c_str()); }

int callKernel(void *function, const std::vector<void *> &storage) {
  assert(storage.size() <= kMaxKernelArguments && "callKernel passes that many");
  std::array<Buffer, kMaxKernelArguments> buffers;
  for (size_t i = 0; i < storage.size(); ++i)
    buffers[i].host = storage[i];
  return callCounted(function, buffers.data(), storage.size(), std::make_index_sequence<kMaxKernelArguments + 1>());
}

} // namespace resin::codegen
