//===- KernelRunner.h - Compile a KernelSpec and call it --------*- C++ -*-===//
//
// Compiles a built kernel to an object, links it into a shared library that may have no
// undefined symbol (for AVX-512: none but those of libc), and calls it as compiled programs do: with buffers of
// which only the address is filled in.
//
// For a CPU that is emulated, and too slow to compile (test/emulated/README.md):
// RESIN_KEPT_KERNELS=FOLDER keeps libraries there, and finds them again. With
// RESIN_KEPT_TARGET=x86-64-v4 tests compile for that CPU, though this one may lack it;
// then nothing is called, and they fail.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TEST_UNIT_KERNELRUNNER_H
#define RESIN_TEST_UNIT_KERNELRUNNER_H

#include "codegen/cpu/Builder.h"
#include "support/KernelStack.h"
#include "test/unit/PlannedKnobs.h"
#include "test/unit/TemporaryFolder.h"

#include "HalideRuntime.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

extern char **environ;

namespace resin::codegen {

/// A tensor in memory as its spec says, with access by logical coordinates.
class HostTensor {
public:
  explicit HostTensor(const TensorSpec &spec)
      : spec(spec), axes(storageAxes(spec)), dimensions(storageDimensions(spec)) {
    int64_t last = 0;
    for (const StorageDimension &d : dimensions)
      last += (d.extent - 1) * d.stride;
    size = last + 1;
    memory.reset(static_cast<float *>(std::aligned_alloc(64, (size * bytesOf(spec.type) + 63) / 64 * 64)));
    fillStorage(0);
  }

  float *data() { return memory.get(); }
  const TensorSpec &tensor() const { return spec; }
  int64_t elements() const { return size; }

  /// Sets every place in storage, padding and halo included.
  void fillStorage(float value) {
    if (isDouble())
      std::fill_n(doubles(), size, double(value));
    else
      std::fill_n(data(), size, value);
  }

  /// An element of an f32 tensor, to read and write.
  float &at(const std::vector<int> &logical) {
    assert(!isDouble() && "what is f64 is read by `value`");
    return memory.get()[offset(logical)];
  }
  double value(const std::vector<int> &logical) const { return inStorage(offset(logical)); }
  /// Logical coordinates of the elements, in row-major order.
  void forEach(const std::function<void(const std::vector<int> &)> &visit) const {
    std::vector<int> at(spec.shape.size(), 0);
    while (true) {
      visit(at);
      int d = at.size() - 1;
      while (d >= 0 && ++at[d] == spec.shape[d])
        at[d--] = 0;
      if (d < 0)
        return;
    }
  }
  void fill(const std::function<float(const std::vector<int> &)> &value) {
    std::fill(data(), data() + size, 0.f);
    forEach([&](const std::vector<int> &i) { at(i) = value(i); });
  }
  void randomize(std::mt19937 &random, float low = -1, float high = 1) {
    std::uniform_real_distribution<float> uniform(low, high);
    fill([&](const std::vector<int> &) { return uniform(random); });
  }
  /// Whether halo and padding hold nothing but zeros.
  bool paddingIsZero() {
    std::vector<bool> real(size, false);
    forEach([&](const std::vector<int> &i) { real[offset(i)] = true; });
    // Between the images of a slice stand channels that are not ours.
    std::vector<int> place(dimensions.size(), 0);
    while (true) {
      int64_t o = 0;
      for (size_t d = 0; d < place.size(); ++d)
        o += place[d] * dimensions[d].stride;
      if (!real[o] && inStorage(o) != 0)
        return false;
      size_t d = 0;
      while (d < place.size() && ++place[d] == dimensions[d].extent)
        place[d++] = 0;
      if (d == place.size())
        return true;
    }
  }

private:
  struct Free {
    void operator()(float *p) const { std::free(p); }
  };
  TensorSpec spec;
  std::vector<StorageAxis> axes;
  std::vector<StorageDimension> dimensions;
  int64_t size;
  std::unique_ptr<float[], Free> memory;

  bool isDouble() const { return spec.type == ElementType::F64; }
  double *doubles() const { return reinterpret_cast<double *>(memory.get()); }
  double inStorage(int64_t o) const { return isDouble() ? doubles()[o] : memory.get()[o]; }
  int64_t offset(const std::vector<int> &i) const {
    int64_t o = 0;
    for (const StorageAxis &axis : axes)
      o += axis.stride * (placeAlong(axis.part, i[axis.dimension]) - axis.min);
    return o;
  }
};

inline Halide::Target kernelTarget(const std::string &features) {
  return Halide::Target("x86-64-linux-" + features + "-no_asserts-no_bounds_query-no_runtime");
}
inline Halide::Target avx2Target() { return kernelTarget("sse41-avx-avx2-f16c-fma"); }
inline Halide::Target avx512Target() { return kernelTarget("sse41-avx-avx2-f16c-fma-avx512_skylake"); }
inline Halide::Target sseTarget() { return kernelTarget("sse41"); }

inline bool runsAvx512() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"); }

/// What `findTarget` calls the machine that tests compile for.
inline std::string hostTargetName() {
  const char *kept = std::getenv("RESIN_KEPT_TARGET");
  return kept ? kept : "host";
}

/// The best of the three that this machine runs.
inline Halide::Target hostKernelTarget() {
  if (runsAvx512() || hostTargetName() == "x86-64-v4")
    return avx512Target();
  return __builtin_cpu_supports("avx2") ? avx2Target() : sseTarget();
}

/// A kernel, compiled and loaded.
/// Of what Halide calls the target.
inline KernelMachine machineOf(const Halide::Target &target) {
  const bool has512 = target.has_feature(Halide::Target::AVX512_Skylake),
             has2 = target.has_feature(Halide::Target::AVX2);
  TargetInfo info;
  std::string error;
  findTarget(has512 ? "v4" : has2 ? "v3" : "v2", info, error);
  return {info.machine};
}

class LoadedKernel {
public:
  LoadedKernel(const KernelSpec &spec, const Halide::Target &target, const NumberedKnobs &knobs = {})
      : library(folder / "k.so"), callable(runsAvx512() || !target.has_feature(Halide::Target::AVX512_Skylake)) {
    if (const char *kept = std::getenv("RESIN_KEPT_KERNELS")) {
      library = std::string(kept) + "/" + nameOf(spec, target, knobs) + ".so";
      if (std::filesystem::exists(library))
        return;
    }
    try {
      compile(spec, target, knobs);
    } catch (const Halide::Error &e) {
      throw std::runtime_error(e.what());
    }
    // -z defs: a kernel calls nothing; for AVX-512, where a vector is a whole block, loops become memset and memcpy.
    std::vector<std::string> link = {"ld.lld-22", "-shared", "-z", "defs", "-o", library, folder / "k.o"};
    if (target.has_feature(Halide::Target::AVX512_Skylake))
      link.push_back(pathOfLibc());
    run(link);
  }
  ~LoadedKernel() {
    if (handle)
      dlclose(handle);
  }

  int call(const std::vector<float *> &tensors) {
    if (!callable)
      return -1;
    load();
    halide_buffer_t buffers[16] = {};
    void *arguments[16];
    for (size_t i = 0; i < tensors.size(); ++i) {
      buffers[i].host = reinterpret_cast<uint8_t *>(tensors[i]);
      arguments[i] = &buffers[i];
    }
    int code = -1;
    onKernelStack([&] { code = entry(arguments); });
    return code;
  }

private:
  TemporaryFolder folder; // goes away too when the constructor throws
  std::string library;
  bool callable;
  void *handle = nullptr;
  int (*entry)(void **) = nullptr;

  static std::string nameOf(const KernelSpec &spec, const Halide::Target &target, const NumberedKnobs &knobs) {
    const std::string text = print(spec) + target.to_string() + " " + printKnobs(knobs);
    return std::to_string(std::hash<std::string>()(text));
  }

  void compile(const KernelSpec &spec, const Halide::Target &target, const NumberedKnobs &knobs) {
    quietHalide();
    BuiltKernel kernel;
    if (!buildConv(spec, machineOf(target), kernel, knobs))
      throw std::runtime_error("no template takes the kernel");
    kernel.pipeline().compile_to_object(folder / "k.o", kernel.arguments, "kernel", target);
  }

  void load() {
    if (entry)
      return;
    handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    entry = handle ? reinterpret_cast<int (*)(void **)>(dlsym(handle, "kernel_argv")) : nullptr;
    if (!entry)
      throw std::runtime_error("cannot load the kernel");
  }

  static std::string pathOfLibc() {
    Dl_info info;
    return dladdr(reinterpret_cast<void *>(gnu_get_libc_version), &info) ? info.dli_fname : "";
  }

  static void run(const std::vector<std::string> &command) {
    std::vector<char *> argv;
    for (const std::string &word : command)
      argv.push_back(const_cast<char *>(word.c_str()));
    argv.push_back(nullptr);
    pid_t pid;
    int status = 1;
    if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) || waitpid(pid, &status, 0) < 0 || status)
      throw std::runtime_error("the kernel does not link by itself");
  }
};

} // namespace resin::codegen

#endif // RESIN_TEST_UNIT_KERNELRUNNER_H
