#include "mlwright/density/constraint.hpp"

#include <cmath>

#include "mlwright/base/elementary.hpp"

namespace mlwright::density {
namespace {

constexpr double kSumTolerance = 1e-8;  // how far a given simplex may be from adding up to one

double stick(const Block& b, const double* u, index_t k) noexcept {
  return expit(u[k] - log(static_cast<double>(b.size - 1 - k)));
}

double constrain_simplex(const Block& b, const double* u, double* x) noexcept {
  double rest = 1, log_jacobian = 0;
  for (index_t k = 0; k < b.size - 1; ++k) {
    const double v = u[k] - log(static_cast<double>(b.size - 1 - k));
    x[k] = rest * expit(v);
    log_jacobian += log(rest) - softplus(v) - softplus(-v);
    rest *= expit(-v);
  }
  x[b.size - 1] = rest;
  return log_jacobian;
}

// Backwards through the sticks; what is left of the stick before piece k is the sum of all later pieces.
void pull_back_simplex(const Block& b, const double* u, const double* x, const double* gx, double* gu) noexcept {
  double rest = x[b.size - 1], rest_gradient = gx[b.size - 1];
  for (index_t k = b.size - 2; k >= 0; --k) {
    rest += x[k];
    const double z = stick(b, u, k);
    gu[k] = (gx[k] - rest_gradient) * rest * z * (1 - z) + (1 - 2 * z);
    rest_gradient = gx[k] * z + rest_gradient * (1 - z) + 1 / rest;
  }
}

bool unconstrain_simplex(const Block& b, const double* x, double* u) noexcept {
  double rest = 1;
  for (index_t k = 0; k < b.size - 1; ++k) {
    if (!(x[k] > 0) || !(rest > x[k])) return false;
    u[k] = log(x[k] / (rest - x[k])) + log(static_cast<double>(b.size - 1 - k));
    rest -= x[k];
  }
  return x[b.size - 1] > 0 && std::fabs(rest - x[b.size - 1]) <= kSumTolerance;
}

double constrain_ordered(const Block& b, const double* u, double* x) noexcept {
  double log_jacobian = 0;
  x[0] = u[0];
  for (index_t k = 1; k < b.size; ++k) {
    x[k] = x[k - 1] + exp(u[k]);
    log_jacobian += u[k];
  }
  return log_jacobian;
}

void pull_back_ordered(const Block& b, const double* u, const double* gx, double* gu) noexcept {
  double later = 0;
  for (index_t k = b.size - 1; k > 0; --k) {
    later += gx[k];
    gu[k] = later * exp(u[k]) + 1;
  }
  gu[0] = later + gx[0];
}

bool unconstrain_ordered(const Block& b, const double* x, double* u) noexcept {
  u[0] = x[0];
  for (index_t k = 1; k < b.size; ++k) {
    if (!(x[k] > x[k - 1])) return false;
    u[k] = log(x[k] - x[k - 1]);
  }
  return true;
}

double constrain_each(const Block& b, const double* u, double* x) noexcept {
  double log_jacobian = 0;
  for (index_t k = 0; k < b.size; ++k) {
    switch (b.kind) {
      case Constraint::lower: x[k] = b.lower + exp(u[k]); log_jacobian += u[k]; break;
      case Constraint::upper: x[k] = b.upper - exp(u[k]); log_jacobian += u[k]; break;
      case Constraint::interval:
        x[k] = b.lower + (b.upper - b.lower) * expit(u[k]);
        log_jacobian += log(b.upper - b.lower) - softplus(u[k]) - softplus(-u[k]);
        break;
      default: x[k] = u[k];
    }
  }
  return log_jacobian;
}

void pull_back_each(const Block& b, const double* u, const double* gx, double* gu) noexcept {
  for (index_t k = 0; k < b.size; ++k) {
    switch (b.kind) {
      case Constraint::lower: gu[k] = gx[k] * exp(u[k]) + 1; break;
      case Constraint::upper: gu[k] = -gx[k] * exp(u[k]) + 1; break;
      case Constraint::interval: {
        const double s = expit(u[k]);
        gu[k] = gx[k] * (b.upper - b.lower) * s * (1 - s) + (1 - 2 * s);
        break;
      }
      default: gu[k] = gx[k];
    }
  }
}

bool unconstrain_each(const Block& b, const double* x, double* u) noexcept {
  for (index_t k = 0; k < b.size; ++k) {
    switch (b.kind) {
      case Constraint::lower: u[k] = log(x[k] - b.lower); break;
      case Constraint::upper: u[k] = log(b.upper - x[k]); break;
      case Constraint::interval: u[k] = log((x[k] - b.lower) / (b.upper - x[k])); break;
      default: u[k] = x[k];
    }
    if (!std::isfinite(u[k])) return false;
  }
  return true;
}

}  // namespace

index_t size(std::span<const Block> blocks) noexcept {
  index_t sum = 0;
  for (const Block& b : blocks) sum += b.size;
  return sum;
}

index_t free_size(std::span<const Block> blocks) noexcept {
  index_t sum = 0;
  for (const Block& b : blocks) sum += b.free_size();
  return sum;
}

double constrain(std::span<const Block> blocks, const double* u, double* x) noexcept {
  double log_jacobian = 0;
  for (const Block& b : blocks) {
    switch (b.kind) {
      case Constraint::simplex: log_jacobian += constrain_simplex(b, u, x); break;
      case Constraint::ordered: log_jacobian += constrain_ordered(b, u, x); break;
      default: log_jacobian += constrain_each(b, u, x);
    }
    u += b.free_size();
    x += b.size;
  }
  return log_jacobian;
}

void pull_back(std::span<const Block> blocks, const double* u, const double* x, const double* gradient_x,
               double* gradient_u) noexcept {
  for (const Block& b : blocks) {
    switch (b.kind) {
      case Constraint::simplex: pull_back_simplex(b, u, x, gradient_x, gradient_u); break;
      case Constraint::ordered: pull_back_ordered(b, u, gradient_x, gradient_u); break;
      default: pull_back_each(b, u, gradient_x, gradient_u);
    }
    u += b.free_size();
    gradient_u += b.free_size();
    x += b.size;
    gradient_x += b.size;
  }
}

bool unconstrain(std::span<const Block> blocks, const double* x, double* u) noexcept {
  for (const Block& b : blocks) {
    const bool fits = b.kind == Constraint::simplex   ? unconstrain_simplex(b, x, u)
                      : b.kind == Constraint::ordered ? unconstrain_ordered(b, x, u)
                                                      : unconstrain_each(b, x, u);
    if (!fits) return false;
    u += b.free_size();
    x += b.size;
  }
  return true;
}

}  // namespace mlwright::density
