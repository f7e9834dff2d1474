//===- Model.cpp - The compiled network in memory -------------------------===//

#include "runtime/Model.h"
#include "runtime/device/OpenDevice.h"

#include <utility>

using namespace resin;
using namespace resin::runtime;

StatusOr<std::unique_ptr<Model>> Model::load(const ResinProgram &program, unsigned threads) {
  return load(program, openDevice(program, threads));
}

StatusOr<std::unique_ptr<Model>> Model::load(const ResinProgram &program, std::unique_ptr<Device> device) {
  if (program.abi_version != RESIN_ABI_VERSION)
    return Status(ExitCode::Failure, concat("the compiled code speaks version ", program.abi_version,
                                            " of the interface, the runtime version ", RESIN_ABI_VERSION));
  StatusOr<Manifest> manifest = parseManifest({program.manifest, program.manifest_bytes});
  if (manifest.failed())
    return manifest.status();
  if (manifest->kernels.size() != program.counters)
    return Status(ExitCode::Failure, "the program's manifest is wrong: its kernels are not those of the code");
  if (Status status = device->allocate(*manifest); status.failed())
    return status;
  return std::unique_ptr<Model>(new Model(program, std::move(*manifest), std::move(device)));
}

Model::Model(const ResinProgram &program, Manifest manifest, std::unique_ptr<Device> device)
    : program(program), facts(std::move(manifest)), where(std::move(device)) {}

void Model::setElements(const Variable &variable, std::span<const float> elements) {
  write(variable, elements);
  prepared = false;
}

void Model::call(const Function &function) {
  for (uint32_t i = 0; i < program.functions; ++i)
    if (program.function[i].name == function.name)
      where->run(program.function[i]);
  where->wait();
  prepared &= function.name != "train_step";
}

void Model::prepare() {
  if (std::exchange(prepared, true))
    return;
  if (const Function *prepare = function("prepare"))
    call(*prepare);
}
