//===- KernelSpec.h - The name of one kernel, at every level ----*- C++ -*-===//
//
// A KernelSpec says what one serial kernel computes: the operands and results of
// one piece (element type, logical shape, layout) and a list of nodes, each a
// `resnet` op without its prefix, with type and shape of its results. It is the canonical print of a `resnet.fused`
// region, and the only thing that crosses from the MLIR side to the Halide side:
// this header includes neither.
//
// IR symbol, cache key, test, benchmark and profile row all derive from it.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_KERNELSPEC_H
#define RESIN_SUPPORT_KERNELSPEC_H

#include "support/TensorSpec.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace resin {

using AttributeValue = std::variant<int64_t, double, std::vector<int64_t>>;

/// A value of the region: what its elements are, and its logical shape. Where it stands is nobody's business, unless
/// the kernel yields it.
struct ValueSpec {
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape;

  bool operator==(const ValueSpec &) const = default;
};

/// One op of the fused region. Values are numbered: the kernel's operands first,
/// then the nodes' results in order.
struct KernelNode {
  std::string op; ///< `conv2d`, `relu`, ... : a `resnet` op without its prefix
  std::vector<int> operands;
  std::vector<std::pair<std::string, AttributeValue>> attributes; ///< sorted by name
  std::vector<ValueSpec> results;

  bool operator==(const KernelNode &) const = default;
  /// The attribute's value; asserts that it is there and of that type.
  int64_t integer(const std::string &name) const;
  double real(const std::string &name) const;
  const std::vector<int64_t> &integers(const std::string &name) const;
};

struct KernelSpec {
  std::vector<TensorSpec> operands;
  std::vector<KernelNode> nodes;
  std::vector<int> yields;         ///< value numbers
  std::vector<TensorSpec> results; ///< one per yield

  bool operator==(const KernelSpec &) const = default;
};

/// Of every value: the operands, then the nodes' results.
std::vector<ValueSpec> valuesOf(const KernelSpec &spec);

/// Canonical text on one line, for example
///   (f32[4,16,32,32]c16h1, f32[16,16,3,3]k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, padding=[1,1,1,1],
///   strides=[1,1]} : f32[4,16,32,32]; %3 = channel_sum(%2) {pieces=1} : f64[1,16] } -> (%2: f32[4,16,32,32]c16, %3:
///   f64[1,16]c16)
std::string print(const KernelSpec &spec);
/// Reads what `print` wrote. On failure returns false and says in `error` what is
/// wrong and at which column.
bool parse(const std::string &text, KernelSpec &spec, std::string &error);

/// The linker symbol and human-readable name: anchor, shape, epilogue, and 8 hex
/// digits of the hash, as in `conv2d_n4c16h32w32k16r3s1__channel_sum__3fa9c2d1`.
std::string symbol(const KernelSpec &spec);
/// Stable 64-bit hash of a text.
uint64_t hash(std::string_view text);
/// Of the canonical text.
uint64_t hash(const KernelSpec &spec);

/// Whether what the kernel computes depends on where in the batch its piece stands: a
/// node says that it is one of several (`piece_of`), to count from the batch's first image.
bool countsPieces(const KernelSpec &spec);
/// Whether the kernel must know which piece it computes: it counts them, or a band with a
/// halo, that it writes, has the image's ring above the first piece and below the last
/// only. The number of the piece, an i32, is then an argument between operands and results.
bool asksForPiece(const KernelSpec &spec);
/// Of how many pieces such a kernel computes one; else 1.
int64_t piecesOf(const KernelSpec &spec);

/// Floating-point operations of one call (a fused multiply-add counts as two),
/// and bytes of operands and results touched.
int64_t floatingPointOperations(const KernelSpec &spec);
int64_t bytesTouched(const KernelSpec &spec);

} // namespace resin

#endif // RESIN_SUPPORT_KERNELSPEC_H
