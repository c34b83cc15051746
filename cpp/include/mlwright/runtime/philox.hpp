// Philox4x32-10: a bijection of 128-bit counters for each 64-bit key, good enough to be a random number generator.
//
// Formula    ten rounds of two 32 x 32 -> 64-bit products; the key advances by two Weyl constants a round.
// Pure, no state, integers only: the same bits everywhere. About 10 ns.
// Reference  Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011. Checked against the
//            known answers published with it.
#pragma once

#include <array>
#include <cstdint>

namespace mlwright::runtime {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

constexpr PhiloxCounter philox4x32(PhiloxCounter x, PhiloxKey key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * x[0], b = std::uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return x;
}

}  // namespace mlwright::runtime
