// The quantile function of the standard normal distribution.
#pragma once

namespace mlwright {

// z with P(Z <= z) = u, 0 < u < 1. Rational approximations of Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37,
// 1988: relative error 1e-16. The same bits on every machine. Pure.
double normal_quantile(double u) noexcept;

}  // namespace mlwright
