// Elementary functions of one double whose bits do not depend on the machine's libm or instruction set: the scalar twins
// of simd/math.hpp, equal to it to the bit. For code outside the SIMD kernels whose results are promised (random variates,
// leaf values, Newton steps). Formulas, domain and error bounds: cpp/src/base/elementary_body.hpp. Pure; 5 to 20 ns a call.
//
// Out of line on purpose: inlined into a consumer compiled with contraction (-march=native, the compilers' default) they
// would have other bits.
#pragma once

namespace mlwright {

double exp(double x) noexcept;
double log(double x) noexcept;
double log1p(double x) noexcept;
double expit(double x) noexcept;     // 1 / (1 + exp(-x))
double softplus(double x) noexcept;  // log(1 + exp(x))

struct SoftplusExpit {
  double softplus, expit;
};
SoftplusExpit softplus_expit(double x) noexcept;  // both for the price of one exponential; the same bits

}  // namespace mlwright
