//===- LoadedKernels.cpp - Kernels called in this process -----------------===//

#include "codegen/LoadedKernels.h"

#include "support/RunTool.h"
#include "support/ScratchFolder.h"
#include "support/KernelStack.h"

#include <array>
#include <cassert>
#include <dlfcn.h>
#include <utility>

namespace resin::codegen {

namespace {

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
  StatusOr<ScratchFolder> folder = ScratchFolder::create();
  if (folder.failed()) {
    error = folder.status().message();
    return nullptr;
  }
  // In the folder, whose name may be any.
  Tool linker{
      .arguments = {RESIN_LLD, "-shared", "-o", "kernels.so"}, .folder = folder->path(), .output = *folder / "log"};
  linker.errors = linker.output;
  for (const CompiledKernel &kernel : kernels) {
    const std::string name = std::to_string(linker.arguments.size()) + ".o";
    linker.arguments.push_back(name);
    if (Status status = folder->write(name, kernel.object); status.failed()) {
      error = status.message();
      return nullptr;
    }
  }
  const StatusOr<int> code = runTool(linker);
  void *handle = nullptr;
  if (code.failed())
    error = code.status().message();
  else if (*code != 0)
    error = std::string("cannot link kernels with ") + RESIN_LLD + ": " + folder->read("log");
  else if (!(handle = dlopen((*folder / "kernels.so").c_str(), RTLD_NOW | RTLD_LOCAL)))
    error = std::string("cannot load kernels: ") + dlerror();
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
  if (!isOnKernelStack()) {
    int code = -1;
    onKernelStack([&] { code = callKernel(function, storage); });
    return code;
  }
  std::array<Buffer, kMaxKernelArguments> buffers;
  for (size_t i = 0; i < storage.size(); ++i)
    buffers[i].host = storage[i];
  return callCounted(function, buffers.data(), storage.size(), std::make_index_sequence<kMaxKernelArguments + 1>());
}

} // namespace resin::codegen
