//===- Layout.h - Where the elements of a tensor stand in memory -*- C++ -*-===//
//
// A layout is the list of its axes in memory, outermost first. An axis is a whole
// dimension of the tensor, the blocks of one, or the places within a block. One table
// says the axes of each layout and rank; which ranks are legal, sizes, strides
// (support/TensorSpec.h), re-layouts, views of a piece and Halide's indices all ask it.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_LAYOUT_H
#define RESIN_SUPPORT_LAYOUT_H

#include "support/Halo.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace resin {

/// Channels in a block of the blocked layouts: one AVX-512 vector of f32, or two
/// AVX2 ones.
inline constexpr int64_t kChannelBlock = 16;

/// Blocks that hold so many channels; the last is filled up with zeros.
inline constexpr int64_t blocksOf(int64_t channels) { return (channels + kChannelBlock - 1) / kChannelBlock; }

/// Blocked layouts pad a channel count to a multiple of 16; the padding always holds zeros.
///
///   Dense    any rank      row-major, last dimension innermost; rank 4 may have a halo on h and w
///   C16      [n,c,h,w]  -> [n][c/16][h + 2*halo][w + 2*halo][16]   activations
///            [c]        -> [c padded to 16]                        channel vectors
///            [p,c]      -> [p][c padded to 16]                     partial channel sums
///   K16C16   [k,c,r,s]  -> [k/16][c/16][r][s][16 c][16 k]          filters
///            [l,k,c,r,s] -> [l] of the above                       lanes of filter gradients
///   K16      [k,c,r,s]  -> [k/16][c][r][s][16 k]                   filters with few or grouped input channels
///            [l,k,c,r,s] -> [l] of the above                       lanes of their gradients
///            [o,i]      -> [o/16][i][16 o]                         matrices of linear layers
///   C16K16   [k,c,r,s]  -> [c/16][k/16][r][s][16 k][16 c]          filters as the data gradient reads them
enum class LayoutKind : uint8_t { Dense, C16, K16C16, K16, C16K16 };

inline constexpr std::array kLayoutKinds = {LayoutKind::Dense, LayoutKind::C16, LayoutKind::K16C16, LayoutKind::K16,
                                            LayoutKind::C16K16};

/// `k16c16`, as manifests, kernel specs and both dialects say it.
std::string_view nameOf(LayoutKind kind);
std::optional<LayoutKind> layoutNamed(std::string_view name);

/// What an axis in memory is of its dimension.
enum class AxisPart : uint8_t {
  Whole,  ///< all of it
  Ringed, ///< an image's rows or columns, with the halo before and behind
  Padded, ///< all of it, filled up to whole blocks
  Blocks, ///< which block
  Within, ///< which place within the block
};

struct LayoutAxis {
  size_t dimension;
  AxisPart part;
};

/// Whether tensors of this rank can have the layout.
bool hasRank(LayoutKind kind, size_t rank);
/// The axes of a rank that the layout has, outermost first.
std::vector<LayoutAxis> axesOf(LayoutKind kind, size_t rank);

/// Whether these are images: they may have a halo, and a piece may have some of their channels or a band of their rows.
bool isImage(LayoutKind kind, size_t rank);
/// Pixels of halo that there may be: none around what is no image.
int64_t mostHalo(LayoutKind kind, size_t rank);
/// Whether the dimension stands in blocks, the last of which may have padding.
bool isBlocked(LayoutKind kind, size_t rank, size_t dimension);

/// Where index `index` stands along an axis, its halo left out.
inline constexpr int64_t placeAlong(AxisPart part, int64_t index) {
  return part == AxisPart::Blocks ? index / kChannelBlock : part == AxisPart::Within ? index % kChannelBlock : index;
}

} // namespace resin

#endif // RESIN_SUPPORT_LAYOUT_H
