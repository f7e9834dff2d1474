//===- Philox.h - Random numbers as functions of a key and a counter -*- C++ -*-===//
//
// Philox4x32-10 (Salmon et al. 2011): ten rounds turn a key and a counter into
// four random words, so that any element of any stream can be had without the
// ones before it, and the same on every machine and for any number of threads.
//
// Two streams are part of what Resin promises, and the compiler's interpreter, the
// kernels and the runtime all draw from them:
//
//   initial values  key (seed), counter (element / 4, hash of the variable's name)
//   dropout         key (the two words of `seed`), counter (element / 4, layer)
//
// Element e takes word e % 4. Elements are numbered row-major in the logical shape, of
// the whole batch if a kernel sees a piece of it.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_PHILOX_H
#define RESIN_SUPPORT_PHILOX_H

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace resin::philox {

using Words = std::array<uint32_t, 4>;
using Key = std::array<uint32_t, 2>;

/// The generator itself: ten rounds.
inline Words generate(Words counter, Key key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = 0xD2511F53ull * counter[0];
    const uint64_t second = 0xCD9E8D57ull * counter[2];
    counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
               static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// The four words of block `block` of a stream.
inline Words block(Key key, uint64_t stream, uint64_t block) {
  return generate({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(stream),
                   static_cast<uint32_t>(stream >> 32)},
                  key);
}

inline Key keyOf(uint64_t seed) { return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}; }

/// FNV-1a, 64 bits: the stream of a variable is the hash of its name.
inline uint64_t hashName(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char c : name)
    hash = (hash ^ c) * 0x100000001b3ull;
  return hash;
}

/// In the open interval (0, 1).
inline double toUnit(uint32_t word) { return (word + 0.5) * 0x1p-32; }

/// Uniform in (0, 1): element `element` of the stream.
inline double uniform(uint64_t seed, uint64_t stream, uint64_t element) {
  return toUnit(block(keyOf(seed), stream, element / 4)[element % 4]);
}

/// Standard normal, by Box and Muller: words 0 and 1 of a block give elements 0 and
/// 1, words 2 and 3 give elements 2 and 3.
inline double normal(uint64_t seed, uint64_t stream, uint64_t element) {
  const Words words = block(keyOf(seed), stream, element / 4);
  const unsigned pair = element % 4 / 2 * 2;
  const double radius = std::sqrt(-2.0 * std::log(toUnit(words[pair])));
  const double angle = 6.283185307179586477 * toUnit(words[pair + 1]);
  return radius * (element % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

/// Dropout keeps an element whose word is at least this.
inline uint32_t dropoutThreshold(double rate) { return static_cast<uint32_t>(rate * 0x1p32); }

inline bool dropoutKeeps(uint32_t seed0, uint32_t seed1, uint64_t layer, uint64_t element, double rate) {
  return block({seed0, seed1}, layer, element / 4)[element % 4] >= dropoutThreshold(rate);
}

} // namespace resin::philox

#endif // RESIN_SUPPORT_PHILOX_H
