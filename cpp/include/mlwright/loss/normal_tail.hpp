// The normal law on doubles and vectors of them: log Phi(x) and phi(x) / Phi(x), or Phi(x) and phi(x), for any x.
//
// For x <= 0, Phi(x) = exp(-x^2 / 2) erfcx(z) / 2 with z = -x / sqrt(2), and log(erfcx(z) / t) is a polynomial in
// t = 2 / (2 + z): Chebyshev coefficients by interpolation, error below 5e-15 on z >= 0. For x > 0, Phi(x) = 1 - Phi(-x).
// Reference: Schonfelder, Mathematics of Computation 32 (1978), 1232-1240 (the same form for erfc).
#pragma once

#include "mlwright/loss/verbs.hpp"

namespace mlwright::loss {

static constexpr double kLogErfcx[] = {
    -0x1.4d7ab6d479a62p-1, 0x1.48b043be61cf8p-1,  0x1.3f1a3fdd047cdp-6,  -0x1.394fcca79fcb4p-7, -0x1.f049e06073acdp-11,
    0x1.80a8ba56a9b34p-12, 0x1.64b62509d8ccdp-15, -0x1.5437d46dee667p-16, -0x1.b4045bf3ccccdp-20, 0x1.5df28bfe00000p-20,
    0x1.0c75d0b99999ap-26, -0x1.6e1847299999ap-24, 0x1.c0ac55b333334p-28, 0x1.5baceb0000000p-28, -0x1.108109b333333p-30,
    -0x1.f3fbe1999999ap-33, 0x1.a8459cccccccdp-34, 0x1.50f199999999ap-39, -0x1.e47a666666667p-38, 0x1.f6f0000000000p-41,
    0x1.5fb999999999ap-42, -0x1.f6e6666666667p-44};

template <class V>
struct NormalTail {
  V log_cdf;  // log Phi(x)
  V mills;    // phi(x) / Phi(x)
};

template <class V>
struct NormalCdf {
  V cdf;      // Phi(x)
  V density;  // phi(x)
};

static constexpr double kRootTwoOverPi = 0.79788456080286535588;

// Phi(-size) = exp(-size^2 / 2) erfcx / 2, for size >= 0.
template <class V>
struct LowerTail {
  V erfcx, probability;
};

template <class M, class V>
MLWRIGHT_VERB inline LowerTail<V> lower_tail(V size) {
  constexpr double kRootHalf = 0.70710678118654752440;
  const V t = 2.0 / (2.0 + size * kRootHalf);
  const V twice = t * 4.0 - 2.0;
  V b1 = V{} + 0.0, b2 = V{} + 0.0;  // Clenshaw's recurrence
  for (int k = static_cast<int>(sizeof kLogErfcx / sizeof *kLogErfcx) - 1; k > 0; --k) {
    const V b = twice * b1 - b2 + kLogErfcx[k];
    b2 = b1;
    b1 = b;
  }
  const V erfcx = t * M::exp(0.5 * twice * b1 - b2 + kLogErfcx[0]);
  return {erfcx, 0.5 * M::exp(-0.5 * size * size) * erfcx};
}

template <class M, class V>
MLWRIGHT_VERB inline NormalTail<V> normal_tail(V x) {
  constexpr double kLogTwo = 0.69314718055994530942;
  const V size = M::select(x < 0.0, -x, x);
  const auto [erfcx, lower] = lower_tail<M>(size);
  const V log_lower = M::log(erfcx) - 0.5 * size * size - kLogTwo;
  const V density = lower / erfcx * kRootTwoOverPi;  // phi(x)
  return {M::select(x < 0.0, log_lower, M::log(1.0 - lower)), M::select(x < 0.0, kRootTwoOverPi / erfcx, density / (1.0 - lower))};
}

template <class M, class V>
MLWRIGHT_VERB inline NormalCdf<V> normal_cdf(V x) {
  const auto [erfcx, lower] = lower_tail<M>(M::select(x < 0.0, -x, x));
  return {M::select(x < 0.0, lower, 1.0 - lower), lower / erfcx * kRootTwoOverPi};
}

}  // namespace mlwright::loss
