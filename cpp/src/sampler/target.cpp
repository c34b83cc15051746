#include "mlwright/sampler/target.hpp"

#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"
#include "sampler/point_text.hpp"

namespace mlwright::sampler {
namespace {

[[noreturn]] void report(const double* x, index_t n) {
  throw NumericalError("density: your function raised an exception at parameters " + point_text(x, n) +
                       "; expected a number; call it there in Python to see the exception");
}

}  // namespace

double Target::operator()(const double* u, double* gradient_u, double* x, double* scratch) const {
  const double log_jacobian = density::constrain(blocks_, u, x);
  double log_density = 0;
  const int status = function_(static_cast<std::size_t>(size()), x, scratch, &log_density, data_);
  if (status < 0) report(x, size());
  if (status > 0 || !(log_density < HUGE_VAL)) return -HUGE_VAL;  // a chain would never leave a pole
  density::pull_back(blocks_, u, x, scratch, gradient_u);
  for (index_t i = 0; i < free_size(); ++i)
    if (!std::isfinite(gradient_u[i])) return -HUGE_VAL;
  return log_density + log_jacobian;
}

}  // namespace mlwright::sampler
