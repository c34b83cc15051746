// Random numbers that do not depend on threads: Philox keyed by (seed, stream, chunk).
//
//   Rng rng(seed, stream, chunk);   rng.uniform();  rng.normal();  rng.gamma(0.5);
//
// A generator is made where it is used, for the price of two Philox blocks, and belongs to one thread. Let each chunk of
// a parallel loop make its own: what it draws then depends on the three numbers and on nothing else.
//   seed    of the user (random_state)
//   stream  what the numbers are for: number the purposes and iterations of an algorithm with stream_id()
//   chunk   the part of the data
// Words      (seed, stream) is hashed to a 64-bit key by Philox itself; word pair i of a chunk is the block of counter
//            (i, chunk) under that key. Streams are therefore independent as keys are, and chunks never overlap: 2^65
//            words each. Two streams of one seed share a key with probability 2^-64.
// Variates   our own, of +, -, *, /, sqrt and base/elementary only: the same bits with any compiler, libm and instruction
//            set, unlike std::*_distribution. Methods and references: cpp/src/runtime/variates.cpp. All strictly
//            positive parameters must be finite; the caller checks (the fill functions of random_fill.hpp do).
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/philox.hpp"

namespace mlwright::runtime {

constexpr std::uint64_t stream_id(std::uint32_t purpose, std::uint32_t iteration = 0) noexcept {
  return (std::uint64_t{purpose} << 32) | iteration;
}

class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::uint64_t stream = 0, std::uint64_t chunk = 0) noexcept
      : key_(key_of(seed, stream)), chunk_(chunk) {}

  // 64 random bits.
  std::uint64_t next() noexcept {
    if (second_is_fresh_) {
      second_is_fresh_ = false;
      return second_;
    }
    const PhiloxCounter x = philox4x32({low(block_), high(block_), low(chunk_), high(chunk_)}, key_);
    ++block_;
    second_ = join(x[2], x[3]);
    second_is_fresh_ = true;
    return join(x[0], x[1]);
  }

  // [0, 1): multiples of 2^-53.
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // (0, 1): odd multiples of 2^-53, so 1 - u is as likely as u, and exact.
  double uniform_open() noexcept { return (static_cast<double>(next() >> 12) + 0.5) * 0x1p-52; }

  // {0, ..., n - 1}, n >= 1, every value equally likely. Lemire, Fast random integer generation in an interval, 2019.
  std::uint64_t below(std::uint64_t n) noexcept {
    __extension__ using Wide = unsigned __int128;
    Wide product = Wide{next()} * n;
    if (static_cast<std::uint64_t>(product) < n) [[unlikely]] {
      const std::uint64_t surplus = (0 - n) % n;
      while (static_cast<std::uint64_t>(product) < surplus) product = Wide{next()} * n;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  double normal() noexcept;                         // mean 0, variance 1; one word
  double exponential() noexcept;                    // mean 1; one word
  double gamma(double shape) noexcept;              // scale 1; shape > 0
  double log_gamma(double shape) noexcept;          // the logarithm of such a variate, where it may underflow itself
  double beta(double a, double b) noexcept;         // a, b > 0
  double chi_square(double df) noexcept;            // df > 0
  double student_t(double df) noexcept;             // df > 0
  std::int64_t poisson(double mean) noexcept;       // 0 <= mean <= kMaxPoissonMean

  static constexpr double kMaxPoissonMean = 1e15;   // beyond, doubles no longer count one by one

 private:
  static constexpr std::uint32_t low(std::uint64_t x) noexcept { return static_cast<std::uint32_t>(x); }
  static constexpr std::uint32_t high(std::uint64_t x) noexcept { return static_cast<std::uint32_t>(x >> 32); }
  static constexpr std::uint64_t join(std::uint32_t lo, std::uint32_t hi) noexcept {
    return (std::uint64_t{hi} << 32) | lo;
  }
  static constexpr PhiloxKey key_of(std::uint64_t seed, std::uint64_t stream) noexcept {
    const PhiloxCounter x = philox4x32({low(stream), high(stream), 0, 0}, {low(seed), high(seed)});
    return {x[0], x[1]};
  }

  PhiloxKey key_;
  std::uint64_t chunk_;
  std::uint64_t block_ = 0;
  std::uint64_t second_ = 0;
  bool second_is_fresh_ = false;
};

// A random order of 0, ..., out.size() - 1. Fisher and Yates; O(n).
void permutation(Rng& rng, std::span<index_t> out) noexcept;

// out.size() different integers of {0, ..., n - 1}, every ordered choice equally likely. The first steps of the same
// shuffle; O(k) memory when few are drawn of many, else O(n). Throws InvalidArgument when there are fewer than asked for.
void sample_without_replacement(Rng& rng, index_t n, std::span<index_t> out);

}  // namespace mlwright::runtime
