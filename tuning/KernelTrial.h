//===- KernelTrial.h - A compiled kernel against the interpreter -*- C++ -*-===//
//
// Runs a kernel on random operands, and compares with the interpreter. Beside the
// values it checks that padding lanes and rings are written as zeros and that nothing
// outside the results is touched; operands stand between NaNs, so that a kernel which
// reads outside of them is found out. A kernel that asks for the number of its piece
// runs as the first, one between and the last. The interpreter is asked once for all
// candidates of a kernel, of each of those pieces if what they compute differs.
//
// A trial can be saved, to be held against a kernel where the interpreter is not
// there: on another CPU, or a slow one. What restores it links nothing of MLIR.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_KERNELTRIAL_H
#define RESIN_TUNING_KERNELTRIAL_H

#include "dialects/Resnet/EvaluateSpec.h"
#include "support/KernelSpec.h"

#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace resin {

/// A NaN or an infinity that stands in an operand of floats, here and there.
struct Poison {
  size_t operand;
  double value;
};

class KernelTrial {
public:
  /// Evaluates `spec` on random operands, one of which may be poisoned. On failure returns null and says why in
  /// `error`.
  static std::unique_ptr<KernelTrial> create(const KernelSpec &spec, unsigned seed, std::string &error,
                                             std::optional<Poison> poison = {});
  /// What `save` wrote. On failure returns null and says why in `error`.
  static std::unique_ptr<KernelTrial> restore(std::istream &in, std::string &error);
  ~KernelTrial();

  /// Spec, seed and what the interpreter said.
  void save(std::ostream &out) const;

  /// What is wrong with the kernel `function`; empty if nothing. `tolerance` is the
  /// greatest error beside the largest magnitude of a result; pairs (operand, result)
  /// of `inPlace` share their storage. NaN is right where the interpreter has NaN, and an infinity where it has that.
  /// Of a poisoned trial padding may be NaN, zero times the poison, and with `mayBeNan` any element.
  std::string check(void *function, double tolerance, const std::vector<std::pair<size_t, size_t>> &inPlace = {},
                    bool mayBeNan = false);
  /// The greatest error of the last check, beside the largest magnitude of its result.
  double worstError() const { return worst; }

private:
  class Storage;
  KernelTrial(const KernelSpec &spec, unsigned seed, std::optional<Poison> poison = {});
  std::set<int32_t> pieces() const;
  std::string checkPiece(void *function, int32_t piece, double tolerance,
                         const std::vector<std::pair<size_t, size_t>> &inPlace, bool mayBeNan);
  const KernelSpec spec;
  const unsigned seed;
  const bool poisoned;
  std::vector<Elements> operands;
  std::map<int32_t, std::vector<Elements>> expected; ///< by piece; of piece 0 alone where all compute the same
  double worst = 0;
};

/// Where a logical element stands in a tensor's storage, counted in elements.
int64_t storageOffset(const TensorSpec &tensor, const std::vector<int64_t> &index);
/// Random elements that suit what the spec does with operand `number`: labels,
/// variances, steps. Multiples of 1/8, so that most sums are exact in f32.
Elements randomOperand(const KernelSpec &spec, int number, unsigned seed);

} // namespace resin

#endif // RESIN_TUNING_KERNELTRIAL_H
