//===- EntryPrograms.h - A network's programs, as a search wants them -*- C++ -*-===//

#ifndef RESIN_DRIVER_ENTRYPROGRAMS_H
#define RESIN_DRIVER_ENTRYPROGRAMS_H

#include "driver/Build.h"
#include "support/ScratchFolder.h"
#include "tuning/EntrySearch.h"

namespace resin {

/// Builds programs in a temporary folder and runs their `bench`.
class EntryPrograms : public tuning::FusedPrograms {
public:
  /// `build` says of which network, and the records that its kernels are built by.
  explicit EntryPrograms(BuildOptions build) : options(std::move(build)) {}

  std::optional<std::vector<tuning::EntryPoint>> lower(const tuning::Fusion &fusion) override;
  StatusOr<std::string> build(const tuning::Fusion &fusion) override;
  StatusOr<tuning::BenchReport> bench(const std::string &program, const std::string &entry, double seconds) override;

private:
  const BuildOptions options;
  std::optional<ScratchFolder> folder; ///< of programs
  size_t programs = 0;
};

} // namespace resin

#endif // RESIN_DRIVER_ENTRYPROGRAMS_H
