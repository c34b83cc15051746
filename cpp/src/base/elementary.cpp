#include "mlwright/base/elementary.hpp"

#define MLWRIGHT_LANE static inline __attribute__((always_inline))
#define MLWRIGHT_ELEMENTARY_NAMESPACE scalar
#include "base/elementary_body.hpp"

namespace mlwright {

double exp(double x) noexcept { return scalar::exp(x); }
double log(double x) noexcept { return scalar::log(x); }
double log1p(double x) noexcept { return scalar::log1p(x); }
double expit(double x) noexcept { return scalar::expit(x); }
double softplus(double x) noexcept { return scalar::softplus(x); }
SoftplusExpit softplus_expit(double x) noexcept {
  const auto both = scalar::softplus_expit(x);
  return {both.softplus, both.expit};
}

}  // namespace mlwright
