// exp, log, log1p, expit and softplus, written once for a double and for a vector of doubles.
//
// Formula    exp: x = n ln2 + r, 1 + r + r^2 P(r), scaled by 2^n in two steps so that subnormals round once.
//            log: x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f), log m = f - f^2/2 + s (f^2/2 + R(s^2)).
//            log1p: the same on 1 + x, whose rounding error is carried along. expit and softplus go through exp(-|x|).
// Domain     every double: infinities, NaN, subnormals, signed zeros, poles and overflow as in C's libm.
// Error      against the exact value, in ulp of it: exp 0.8, log 0.9, log1p 0.9, expit 2.5, softplus 2 (tested).
// Bits       additions, multiplications and one division, never contracted, no table, no branch on a value: the same bits
//            from a double, from a vector lane, at every instruction set.
// Coefficients come from minimax.py beside this file.
// References Tang, Table-driven implementation of the exponential function, 1989 (reduction); Cody and Waite, Software
//            manual for the elementary functions, 1980; Dekker 1971 (the exact sums).
//
// Included by simd/lane_math.hpp (vectors, one copy an instruction set) and by base/elementary.cpp (doubles). The includer
// defines MLWRIGHT_ELEMENTARY_NAMESPACE, MLWRIGHT_LANE and, for vectors, bits(), from_bits() and select() before.
#include <cstdint>
#include <cstring>

#if !defined(MLWRIGHT_ELEMENTARY_NAMESPACE) || !defined(MLWRIGHT_LANE)
#error "include simd/lane_math.hpp or mlwright/base/elementary.hpp instead"
#endif

namespace mlwright::MLWRIGHT_ELEMENTARY_NAMESPACE {

MLWRIGHT_LANE std::uint64_t bits(double x) {
  std::uint64_t u;
  std::memcpy(&u, &x, sizeof u);
  return u;
}
MLWRIGHT_LANE double from_bits(std::uint64_t u) {
  double x;
  std::memcpy(&x, &u, sizeof x);
  return x;
}
MLWRIGHT_LANE double select(bool mask, double yes, double no) { return mask ? yes : no; }

namespace elementary_detail {

inline constexpr double kInf = __builtin_inf();
inline constexpr double kNaN = __builtin_nan("");
inline constexpr double kLog2E = 0x1.71547652b82fep+0;
inline constexpr double kLn2High = 0x1.62e42fefa3800p-1;  // 42 bits: n * kLn2High is exact for |n| < 2^11
inline constexpr double kLn2Low = 0x1.ef35793c76730p-45;
inline constexpr std::uint64_t kSqrtHalfBits = 0x3fe6a09e667f3bcd;
inline constexpr std::uint64_t kOneBits = 0x3ff0000000000000;
inline constexpr std::uint64_t kSignBit = 0x8000000000000000;

template <class V>
MLWRIGHT_LANE V fill(double x) {
  return V{} + x;
}
template <class V>
MLWRIGHT_LANE V magnitude(V x) {
  return from_bits(bits(x) & ~kSignBit);
}

// (e^r - 1 - r - r^2/2) / r^3 on |r| <= ln2 / 2, relative to e^r within 2^-57.2.
template <class V>
MLWRIGHT_LANE V exp_tail(V r, V r2) {
  const V r4 = r2 * r2;
  const V low = (0x1.5555555555501p-3 + r * 0x1.5555555553207p-5) + r2 * (0x1.11111111287a8p-7 + r * 0x1.6c16c17cc2fc1p-10);
  const V high = (0x1.a01a011c79abbp-13 + r * 0x1.a019ab2de0348p-16) + r2 * (0x1.71df545c731cbp-19 + r * 0x1.289f8a298ba8fp-22);
  return low + r4 * (high + r4 * 0x1.ad21bab094709p-26);
}

// (2 atanh(s) / s - 2) / z for z = s^2 on |s| <= (sqrt(2) - 1) / (sqrt(2) + 1), relative to 2 atanh(s) / s within 2^-58.9.
template <class V>
MLWRIGHT_LANE V log_tail(V z) {
  const V z2 = z * z;
  const V low = (0x1.5555555555592p-1 + z * 0x1.999999997fd68p-2) + z2 * (0x1.24924941f5db2p-2 + z * 0x1.c71c52054c93fp-3);
  const V high = (0x1.74663fc9eb1b6p-3 + z * 0x1.39a1a2d0cd005p-3) + z2 * 0x1.2f065fcd92f07p-3;
  return low + (z2 * z2) * high;
}

// A positive normal x as 2^k m, sqrt(1/2) <= m < sqrt(2).
template <class V>
struct Split {
  V k, m, inverse_power;  // inverse_power = 2^-k while k < 1023
};
template <class V>
MLWRIGHT_LANE Split<V> split(V x) {
  const auto e = (bits(x) - kSqrtHalfBits + kOneBits) >> 52;
  return {from_bits(e | bits(0x1p52)) - (0x1p52 + 1023.0), from_bits(bits(x) - (e << 52) + kOneBits),
          from_bits((2046 - e) << 52)};
}

// k ln2 + log(1 + f + f_low) for f in [sqrt(1/2) - 1, sqrt(2) - 1). k ln2 + f is summed exactly, since |k ln2| > |f| or k = 0.
template <class V>
MLWRIGHT_LANE V log_assemble(V k, V f, V f_low) {
  const V s = f / (2.0 + f);
  const V z = s * s;
  const V half_square = 0.5 * f * f;
  const V low = s * (half_square + z * log_tail(z)) + (k * kLn2Low + f_low);
  const V high = k * kLn2High;
  const V sum = high + f;
  const V rest = f - (sum - high);
  return sum + (rest - (half_square - low));
}

// log1p where 1 + x is positive and finite; the sign of zero is lost.
template <class V>
MLWRIGHT_LANE V log1p_finite(V x) {
  const V u = 1.0 + x;
  const V back = u - 1.0;
  const V error = (1.0 - (u - back)) + (x - back);  // 1 + x = u + error, exactly
  const Split<V> parts = split(u);
  const V correction = select(u >= 0x1p60, fill<V>(0.0), error * parts.inverse_power);  // keeps NaN
  const V exact = parts.m - 1.0;
  const V f = exact + correction;
  return log_assemble(parts.k, f, correction - (f - exact));
}

}  // namespace elementary_detail

template <class V>
MLWRIGHT_LANE V exp(V x) {
  using namespace elementary_detail;
  x = select(x > 710.0, fill<V>(710.0), x);    // both overflow
  x = select(x < -746.0, fill<V>(-746.0), x);  // both round to zero
  constexpr double kShift = 0x1.8p52 + 2048.0;  // rounds to an integer and leaves n + 2048 in the low bits
  const V shifted = x * kLog2E + kShift;
  const V n = shifted - kShift;
  const V high = x - n * kLn2High;  // exact
  const V low = n * kLn2Low;
  const V r = high - low;
  const V r2 = r * r;
  const V tail = r2 * (0.5 + r * exp_tail(r, r2)) - low;
  const V sum = 1.0 + high;
  const V p = sum + ((high - (sum - 1.0)) + tail);
  const auto biased = bits(shifted) & 0xfff;
  const auto half = biased >> 1;
  return p * from_bits((half - 1) << 52) * from_bits((biased - half - 1) << 52);
}

template <class V>
MLWRIGHT_LANE V log(V x) {
  using namespace elementary_detail;
  const auto subnormal = x < 0x1p-1022;
  const Split<V> parts = split(select(subnormal, x * 0x1p54, x));
  V y = log_assemble(parts.k - select(subnormal, fill<V>(54.0), fill<V>(0.0)), parts.m - 1.0, fill<V>(0.0));
  y = select(x < kInf, y, x);  // infinity and NaN are their own logarithm
  return select(x <= 0.0, select(x == 0.0, fill<V>(-kInf), fill<V>(kNaN)), y);
}

template <class V>
MLWRIGHT_LANE V log1p(V x) {
  using namespace elementary_detail;
  V y = log1p_finite(x);
  y = select(magnitude(x) < 0x1p-54, x, y);  // keeps -0 and subnormals
  y = select(x < kInf, y, x);
  return select(x <= -1.0, select(x == -1.0, fill<V>(-kInf), fill<V>(kNaN)), y);
}

// 1 / (1 + exp(-x)); no overflow, and no cancellation in either tail.
template <class V>
MLWRIGHT_LANE V expit(V x) {
  using namespace elementary_detail;
  const V e = exp(-magnitude(x));
  return select(x >= 0.0, fill<V>(1.0), e) / (1.0 + e);
}

// log(1 + exp(x)), the logistic loss of a negative; its derivative is expit(x).
template <class V>
MLWRIGHT_LANE V softplus(V x) {
  using namespace elementary_detail;
  return select(x > 0.0, x, fill<V>(0.0)) + log1p_finite(exp(-magnitude(x)));
}

// Both for the price of one exponential; the same bits as the two calls.
template <class V>
struct SoftplusExpit {
  V softplus, expit;
};
template <class V>
MLWRIGHT_LANE SoftplusExpit<V> softplus_expit(V x) {
  using namespace elementary_detail;
  const V e = exp(-magnitude(x));
  return {select(x > 0.0, x, fill<V>(0.0)) + log1p_finite(e), select(x >= 0.0, fill<V>(1.0), e) / (1.0 + e)};
}

}  // namespace mlwright::MLWRIGHT_ELEMENTARY_NAMESPACE
