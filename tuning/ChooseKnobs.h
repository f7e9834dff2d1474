//===- ChooseKnobs.h - From tuning records to a kernel's knobs --*- C++ -*-===//
//
// `resin build` asks here. A kernel gets the knobs of its own record; else those of
// the nearest kernel of its kind, if its template takes them; else none, which means
// the template's default. The user's records come before the shipped ones, and of
// equals those of a search with the program's numerics come first. Records of the
// others serve too: a fast search's if what won may be used, a strict search's where
// the default that it beat is the fast default as well.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_CHOOSEKNOBS_H
#define RESIN_TUNING_CHOOSEKNOBS_H

#include "machine/FusionKnobs.h"
#include "tuning/TuningRecord.h"

#include <vector>

namespace resin::tuning {

enum class KnobSource {
  Fixed,    ///< the kernel has no knobs
  Default,  ///< no record is near
  Borrowed, ///< from another shape, CPU or version
  Tuned     ///< measured: this kernel, on this CPU, by this version
};

struct KnobChoice {
  KnobSource source = KnobSource::Fixed;
  Knobs knobs = {}; ///< none: the template's default
};

/// What makes knobs of one convolution worth trying for another.
struct ConvolutionShape {
  struct Kind {
    std::string op; ///< empty: no convolution
    std::vector<std::pair<std::string, AttributeValue>> attributes;
    std::vector<LayoutKind> layouts; ///< of its operands
    std::vector<ElementType> types;  ///< of operands and result
    std::vector<size_t> ranks;

    bool operator==(const Kind &) const = default;
  } kind;
  std::vector<double> doublings; ///< log2 of each extent of the operands and the result

  ConvolutionShape() = default;
  explicit ConvolutionShape(const KernelSpec &spec);
};

struct FusionChoice {
  KnobSource source;
  FusionKnobs knobs;
};

class KnobChooser {
public:
  /// `cpu` as `cpuModel` says it, `version` as `codegenVersion` does.
  KnobChooser(const std::vector<TuningRecord> &user, const std::vector<TuningRecord> &shipped, const TargetInfo &target,
              const std::string &cpu, const std::string &version, codegen::Numerics numerics = codegen::Numerics::Fast);

  /// Knobs that round as asked; none only where the template's default does.
  KnobChoice choose(const KernelSpec &spec) const;

  /// Of the entry function with this signature. Another machine's or version's record is better than none.
  FusionChoice chooseFusion(const std::string &signature) const;

private:
  struct Known {
    TuningRecord record;
    KernelSpec spec; ///< empty: of an entry function
    ConvolutionShape shape;
    int rank; ///< how far the record is from this machine, code and user
  };
  const TargetInfo target;
  const codegen::Numerics numerics;
  std::vector<Known> known;

  void add(const TuningRecord &record, int rank);
};

} // namespace resin::tuning

#endif // RESIN_TUNING_CHOOSEKNOBS_H
