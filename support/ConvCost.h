//===- ConvCost.h - What forms of a 3x3 convolution take --------*- C++ -*-===//
//
// For each pair of channels, in multiply-adds of a core at its peak: fitted to some
// thirty shapes from 2x2 to 56x56, 16 to 512 channels, on a Zen 3 with AVX2, most of
// which it meets within 15 %. Transforms of the source serve all result channels, those
// of results all source channels; the filter's are for each pair.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_CONVCOST_H
#define RESIN_SUPPORT_CONVCOST_H

namespace resin {

/// Of a multiplication of the plain sum.
inline constexpr double kPlainSumCost = 1.08;

/// Of Winograd's F(tile x tile, 3x3).
struct WinogradCost {
  double product;        ///< of a multiplication at a point
  double source, result; ///< of a point of a tile, for the transforms of all source or result channels together
  double filter;         ///< of the filter's transform

  /// `products` multiplications and `values` points of tiles; without the filter's transform.
  double arithmetic(double products, double values, double sourceChannels, double resultChannels) const {
    return product * products + source * values / resultChannels + result * values / sourceChannels;
  }
};

inline constexpr WinogradCost winogradCost(int tile) {
  return tile == 4 ? WinogradCost{1.15, 8, 10.5, 147} : WinogradCost{1.15, 3.6, 8.7, 74};
}

} // namespace resin

#endif // RESIN_SUPPORT_CONVCOST_H
