#include "mlwright/gp/vecchia.hpp"

#include <atomic>
#include <cmath>
#include <numbers>

#include "mlwright/base/elementary.hpp"
#include "mlwright/linalg/small_cholesky.hpp"
#include "mlwright/runtime/ordered_reduce.hpp"
#include "mlwright/runtime/per_worker.hpp"

namespace mlwright::gp {
namespace {

constexpr double kLeastPivot = 1e-15;  // of a diagonal entry: below it a pivot is rounding
constexpr index_t kChunkWork = index_t{1} << 20;

index_t row_grain(index_t m) { return std::max<index_t>(8, kChunkWork / (m * m * m / 6 + 20 * m * m + 1)); }

// One row and its neighbours. Pairs are in the order: the row with itself, then (a, b) for b < a, neighbours first, the row last.
class RowGivenNeighbours {
 public:
  RowGivenNeighbours(const Kernel& kernel, index_t m, index_t n_targets)
      : kernel_(kernel), strip_(kernel, pairs(m)), m_(m), factor_(size(m * m)), c_(size(m)), u_(size(m)), w_(size(m * n_targets)),
        buffer_(size(KernelStrip::padded(pairs(m)))), points_(size((m + 1) * kernel.d())) {}

  // False where the neighbours' covariance matrix is not positive definite, up to rounding.
  bool factorise(const double* x, const double* noise, const double* point, const index_t* neighbours, bool with_slopes) {
    gather(x, point, neighbours);
    const index_t d = kernel_.d();
    strip_.start(pairs(q_));
    for (index_t k = 0; k < d; ++k) {
      double* difference = buffer_.data();
      *difference++ = 0.0;
      for (index_t a = 1; a <= q_; ++a)
        for (index_t b = 0; b < a; ++b) *difference++ = points_[size(a * d + k)] - points_[size(b * d + k)];
      strip_.column(k, buffer_.data(), 0.0);
    }
    const double* value = strip_.values(0, with_slopes);
    self_ = *value++;
    for (index_t a = 0; a < q_; ++a) {
      for (index_t b = 0; b < a; ++b) factor_[size(a * q_ + b)] = *value++;
      factor_[size(a * q_ + a)] = self_ + noise[neighbours[a]];
    }
    std::copy_n(value, q_, c_.data());
    if (!linalg::small_cholesky(factor_.data(), q_, kLeastPivot)) return false;
    std::copy_n(c_.data(), q_, u_.data());
    linalg::small_cholesky_solve(factor_.data(), q_, u_.data());
    D_ = self_;
    for (index_t a = 0; a < q_; ++a) D_ -= u_[size(a)] * c_[size(a)];
    return true;
  }

  index_t count() const noexcept { return q_; }
  const double* u() const noexcept { return u_.data(); }
  double deviation() const noexcept { return D_; }
  double self() const noexcept { return self_; }

  double expected(const double* y, index_t n_targets, const index_t* neighbours, index_t t) const {
    double sum = 0.0;
    for (index_t a = 0; a < q_; ++a) sum += u_[size(a)] * y[neighbours[a] * n_targets + t];
    return sum;
  }

  // gradient += that of the row's log density; D with the row's noise.
  void add_gradient(const Targets& targets, const index_t* neighbours, const double* y, double D, double* gradient) {
    const index_t n_targets = targets.n_targets;
    double by_D = 0.0;  // derivative of the log density by D
    std::fill_n(buffer_.data(), pairs(q_), 0.0);
    for (index_t t = 0; t < n_targets; ++t) {
      double* const w = w_.data();
      for (index_t a = 0; a < q_; ++a) w[a] = targets.y[neighbours[a] * n_targets + t];
      linalg::small_cholesky_solve(factor_.data(), q_, w);
      const double e = y[t] - expected(targets.y, n_targets, neighbours, t);
      by_D -= 0.5 * (1.0 / D - e * e / (D * D));
      add_residual(-e / D, w);
    }
    add_variance(by_D);
    strip_.add_gradient(0, buffer_.data(), gradient);
  }

 private:
  static std::size_t size(index_t n) { return static_cast<std::size_t>(n); }
  static index_t pairs(index_t q) { return q * (q + 1) / 2 + 1; }

  void gather(const double* x, const double* point, const index_t* neighbours) {
    const index_t d = kernel_.d();
    for (q_ = 0; q_ < m_ && neighbours[q_] >= 0; ++q_) std::copy_n(x + neighbours[q_] * d, d, points_.data() + q_ * d);
    std::copy_n(point, d, points_.data() + q_ * d);
  }

  // Of e = y - c' C^-1 y_N with weight g: de = -(dc' w - u' dC w).
  void add_residual(double g, const double* w) {
    double* weight = buffer_.data() + 1;
    for (index_t a = 0; a < q_; ++a) {
      for (index_t b = 0; b < a; ++b) *weight++ += g * (u_[size(a)] * w[b] + u_[size(b)] * w[a]);
      buffer_[0] += g * u_[size(a)] * w[a];
    }
    for (index_t a = 0; a < q_; ++a) *weight++ -= g * w[a];
  }

  // Of D with weight g: dD = dc_ii - 2 u' dc + u' dC u.
  void add_variance(double g) {
    double* weight = buffer_.data() + 1;
    buffer_[0] += g;
    for (index_t a = 0; a < q_; ++a) {
      for (index_t b = 0; b < a; ++b) *weight++ += 2.0 * g * u_[size(a)] * u_[size(b)];
      buffer_[0] += g * u_[size(a)] * u_[size(a)];
    }
    for (index_t a = 0; a < q_; ++a) *weight++ -= 2.0 * g * u_[size(a)];
  }

  const Kernel& kernel_;
  KernelStrip strip_;
  index_t m_, q_ = 0;
  std::vector<double> factor_, c_, u_, w_, buffer_, points_;
  double self_ = 0.0, D_ = 0.0;
};

struct Partial {
  double value = 0.0;
  bool definite = true;
  std::vector<double> gradient;
};

}  // namespace

VecchiaLikelihood vecchia_likelihood(const Kernel& kernel, Points x, const Targets& targets, Neighbours neighbours,
                                     bool with_gradient, runtime::CancelToken& token) {
  const index_t m = neighbours.m, n_targets = targets.n_targets;
  const auto p = static_cast<std::size_t>(with_gradient ? kernel.n_parameters() : 0);
  runtime::PerWorker<RowGivenNeighbours> workers([&] { return RowGivenNeighbours(kernel, m, n_targets); });
  VecchiaLikelihood total{true, 0.0, std::vector<double>(p, 0.0)};
  const auto add_row = [&](RowGivenNeighbours& row, index_t i, Partial& partial) {
    const index_t* near = neighbours.row + i * m;
    if (!row.factorise(x.x, targets.noise, x.x + i * kernel.d(), near, with_gradient)) return false;
    const double D = row.deviation() + targets.noise[i];
    if (!(D > kLeastPivot * row.self() && std::isfinite(D))) return false;
    partial.value -= 0.5 * static_cast<double>(n_targets) * mlwright::log(2.0 * std::numbers::pi * D);
    for (index_t t = 0; t < n_targets; ++t) {
      const double e = targets.y[i * n_targets + t] - row.expected(targets.y, n_targets, near, t);
      partial.value -= 0.5 * e * e / D;
    }
    if (with_gradient) row.add_gradient(targets, near, targets.y + i * n_targets, D, partial.gradient.data());
    return true;
  };
  runtime::ordered_reduce(
      x.n, row_grain(m), token, [&] { return Partial{0.0, true, std::vector<double>(p)}; },
      [&](Partial& partial, index_t begin, index_t end) {
        partial.value = 0.0;
        partial.definite = true;
        std::fill(partial.gradient.begin(), partial.gradient.end(), 0.0);
        for (index_t i = begin; i < end && partial.definite; ++i) partial.definite = add_row(workers.local(), i, partial);
      },
      [&](const Partial& partial) {
        total.positive_definite &= partial.definite;
        total.value += partial.value;
        for (std::size_t k = 0; k < p; ++k) total.gradient[k] += partial.gradient[k];
      });
  return total;
}

bool vecchia_conditionals(const Kernel& kernel, Points x, const double* noise, Points queries, Neighbours neighbours, double* u,
                          double* D, runtime::CancelToken& token) {
  const index_t m = neighbours.m;
  runtime::PerWorker<RowGivenNeighbours> workers([&] { return RowGivenNeighbours(kernel, m, 1); });
  std::atomic<bool> definite{true};
  runtime::parallel_for(queries.n, row_grain(m), token, [&](index_t, index_t begin, index_t end) {
    RowGivenNeighbours& row = workers.local();
    for (index_t i = begin; i < end; ++i) {
      if (!row.factorise(x.x, noise, queries.x + i * kernel.d(), neighbours.row + i * m, false)) {
        definite.store(false, std::memory_order_relaxed);
        return;
      }
      std::copy_n(row.u(), row.count(), u + i * m);
      std::fill(u + i * m + row.count(), u + (i + 1) * m, 0.0);
      D[i] = row.deviation();
    }
  });
  return definite.load();
}

}  // namespace mlwright::gp
