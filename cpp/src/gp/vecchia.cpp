#include "mlwright/gp/vecchia.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/ordered_reduce.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/covariance.hpp"

namespace mlwright::gp {
namespace {

constexpr double kLeastPivot = 1e-15;  // of a diagonal entry: below it a pivot is rounding
constexpr index_t kChunkWork = index_t{1} << 20;

constexpr index_t kLanes = 8;  // rows side by side

index_t row_grain(index_t m) { return std::max<index_t>(1, kChunkWork / (m * m * m / 6 + 20 * m * m + 1) / kLanes) * kLanes; }

// Eight rows and their neighbours. Pairs are in the order: a row with itself, then (a, b) for b < a, neighbours first, the row
// last; each for all lanes. A row of fewer neighbours has places that are of an identity matrix and covary with nothing.
class RowsGivenNeighbours {
 public:
  RowsGivenNeighbours(const Kernel& kernel, index_t m)
      : kernel_(kernel), strip_(kernel, kLanes * pairs(m)), m_(m), factor_(size(kLanes * (pairs(m) - 1))), c_(size(kLanes * m)),
        u_(size(kLanes * m)), w_(size(kLanes * m)), buffer_(size(kLanes * pairs(m))),
        points_(size(kLanes * (m + 1) * kernel.d())) {}

  // Rows `first` to first + count of queries, count <= 8. False where a covariance matrix of neighbours is not positive
  // definite, up to rounding.
  bool factorise(const double* x, const double* noise, const double* queries, Neighbours neighbours, index_t first,
                 index_t count, bool with_slopes) {
    gather(x, queries, neighbours, first, count);
    values_of_pairs(with_slopes);
    for (index_t a = 0; a < m_; ++a)
      for (index_t l = 0; l < kLanes; ++l) factor_[place(a, a, l)] = a < q_[l] ? self_ + noise[near_[l][a]] : 1.0;
    if (!simd::covariance().cholesky_lanes(factor_.data(), m_, kLeastPivot)) return false;
    std::copy(c_.begin(), c_.end(), u_.begin());
    simd::covariance().solve_lanes(factor_.data(), m_, u_.data());
    std::fill_n(D_, kLanes, self_);
    for (index_t a = 0; a < m_; ++a)
      for (index_t l = 0; l < kLanes; ++l) D_[l] -= u_[size(a * kLanes + l)] * c_[size(a * kLanes + l)];
    return true;
  }

  double deviation(index_t lane) const noexcept { return D_[lane]; }
  double self() const noexcept { return self_; }
  void copy_u(index_t lane, double* to) const {
    for (index_t a = 0; a < m_; ++a) to[a] = a < q_[lane] ? u_[size(a * kLanes + lane)] : 0.0;
  }
  double expected(const Targets& targets, index_t lane, index_t t) const {
    double sum = 0.0;
    for (index_t a = 0; a < q_[lane]; ++a) sum += u_[size(a * kLanes + lane)] * targets.y[near_[lane][a] * targets.n_targets + t];
    return sum;
  }

  // gradient += that of the log densities of `count` rows; D (by lane) with the rows' noise, e (target by lane) their errors.
  void add_gradient(const Targets& targets, index_t count, const double* D, const double* e, double* gradient) {
    double by_D[kLanes] = {}, by_e[kLanes] = {};
    std::fill(buffer_.begin(), buffer_.end(), 0.0);
    for (index_t t = 0; t < targets.n_targets; ++t) {
      for (index_t a = 0; a < m_; ++a)
        for (index_t l = 0; l < kLanes; ++l)
          w_[size(a * kLanes + l)] = a < q_[l] ? targets.y[near_[l][a] * targets.n_targets + t] : 0.0;
      simd::covariance().solve_lanes(factor_.data(), m_, w_.data());
      for (index_t l = 0; l < count; ++l) {
        const double error = e[t * kLanes + l];
        by_D[l] -= 0.5 * (1.0 / D[l] - error * error / (D[l] * D[l]));
        by_e[l] = -error / D[l];
      }
      add_residual(by_e);
    }
    add_variance(by_D);
    strip_.add_gradient({0, kLanes}, buffer_.data(), gradient);
  }

 private:
  static std::size_t size(index_t n) { return static_cast<std::size_t>(n); }
  static index_t pairs(index_t q) { return q * (q + 1) / 2 + 1; }
  static std::size_t place(index_t a, index_t b, index_t lane) { return size((a * (a + 1) / 2 + b) * kLanes + lane); }
  double* point(index_t k, index_t a) { return points_.data() + (k * (m_ + 1) + a) * kLanes; }

  // Lanes beyond `count` repeat the last row.
  void gather(const double* x, const double* queries, Neighbours neighbours, index_t first, index_t count) {
    const index_t d = kernel_.d();
    for (index_t l = 0; l < kLanes; ++l) {
      const index_t row = first + std::min(l, count - 1);
      near_[l] = neighbours.row + row * neighbours.m;
      for (q_[l] = 0; q_[l] < m_ && near_[l][q_[l]] >= 0;) ++q_[l];
      for (index_t a = 0; a <= m_; ++a) {
        const double* const from = a < q_[l] ? x + near_[l][a] * d : queries + row * d;
        for (index_t k = 0; k < d; ++k) point(k, a)[l] = from[k];
      }
    }
  }

  void values_of_pairs(bool with_slopes) {
    strip_.start(kLanes * pairs(m_));
    for (index_t k = 0; k < kernel_.d(); ++k) {
      double* difference = buffer_.data();
      std::fill_n(difference, kLanes, 0.0);
      for (index_t a = 1; a <= m_; ++a)
        for (index_t b = 0; b < a; ++b) {
          difference += kLanes;
          for (index_t l = 0; l < kLanes; ++l) difference[l] = point(k, a)[l] - point(k, b)[l];
        }
      strip_.column(k, buffer_.data(), 0.0);
    }
    const double* value = strip_.values({0, kLanes}, with_slopes);
    self_ = *value;
    for (index_t a = 0; a < m_; ++a)
      for (index_t b = 0; b < a; ++b) {
        value += kLanes;
        for (index_t l = 0; l < kLanes; ++l) factor_[place(a, b, l)] = a < q_[l] ? value[l] : 0.0;
      }
    for (index_t a = 0; a < m_; ++a) {
      value += kLanes;
      for (index_t l = 0; l < kLanes; ++l) c_[size(a * kLanes + l)] = a < q_[l] ? value[l] : 0.0;
    }
  }

  // Of e = y - c' C^-1 y_N with weight g: de = -(dc' w - u' dC w).
  void add_residual(const double* g) {
    double* weight = buffer_.data();
    const double *const u = u_.data(), *const w = w_.data();
    double* const self = weight;
    for (index_t a = 0; a < m_; ++a) {
      const double *const ua = u + a * kLanes, *const wa = w + a * kLanes;
      for (index_t b = 0; b < a; ++b) {
        weight += kLanes;
        const double *const ub = u + b * kLanes, *const wb = w + b * kLanes;
        for (index_t l = 0; l < kLanes; ++l) weight[l] += g[l] * (ua[l] * wb[l] + ub[l] * wa[l]);
      }
      for (index_t l = 0; l < kLanes; ++l) self[l] += g[l] * ua[l] * wa[l];
    }
    for (index_t a = 0; a < m_; ++a) {
      weight += kLanes;
      for (index_t l = 0; l < kLanes; ++l) weight[l] -= g[l] * w[a * kLanes + l];
    }
  }

  // Of D with weight g: dD = dc_ii - 2 u' dc + u' dC u.
  void add_variance(const double* g) {
    double* weight = buffer_.data();
    const double* const u = u_.data();
    double* const self = weight;
    for (index_t l = 0; l < kLanes; ++l) self[l] += g[l];
    for (index_t a = 0; a < m_; ++a) {
      const double* const ua = u + a * kLanes;
      for (index_t b = 0; b < a; ++b) {
        weight += kLanes;
        const double* const ub = u + b * kLanes;
        for (index_t l = 0; l < kLanes; ++l) weight[l] += 2.0 * g[l] * ua[l] * ub[l];
      }
      for (index_t l = 0; l < kLanes; ++l) self[l] += g[l] * ua[l] * ua[l];
    }
    for (index_t a = 0; a < m_; ++a) {
      weight += kLanes;
      for (index_t l = 0; l < kLanes; ++l) weight[l] -= 2.0 * g[l] * u[a * kLanes + l];
    }
  }

  const Kernel& kernel_;
  KernelStrip strip_;
  index_t m_, q_[kLanes] = {};
  const index_t* near_[kLanes] = {};
  std::vector<double> factor_, c_, u_, w_, buffer_, points_;
  double self_ = 0.0, D_[kLanes] = {};
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
  struct Worker {
    RowsGivenNeighbours rows;
    std::vector<double> errors;
  };
  runtime::PerWorker<Worker> workers([&] {
    return Worker{RowsGivenNeighbours(kernel, m), std::vector<double>(static_cast<std::size_t>(kLanes * n_targets))};
  });
  VecchiaLikelihood total{true, 0.0, std::vector<double>(p, 0.0)};
  const auto add_rows = [&](Worker& worker, index_t first, index_t count, Partial& partial) {
    RowsGivenNeighbours& rows = worker.rows;
    if (!rows.factorise(x.x, targets.noise, x.x, neighbours, first, count, with_gradient)) return false;
    double D[kLanes];
    for (index_t l = 0; l < count; ++l) {
      D[l] = rows.deviation(l) + targets.noise[first + l];
      if (!(D[l] > kLeastPivot * rows.self() && std::isfinite(D[l]))) return false;
      partial.value -= 0.5 * static_cast<double>(n_targets) * mlwright::log(2.0 * std::numbers::pi * D[l]);
      for (index_t t = 0; t < n_targets; ++t) {
        const double e = targets.y[(first + l) * n_targets + t] - rows.expected(targets, l, t);
        worker.errors[static_cast<std::size_t>(t * kLanes + l)] = e;
        partial.value -= 0.5 * e * e / D[l];
      }
    }
    if (with_gradient) rows.add_gradient(targets, count, D, worker.errors.data(), partial.gradient.data());
    return true;
  };
  runtime::ordered_reduce(
      x.n, row_grain(m), token, [&] { return Partial{0.0, true, std::vector<double>(p)}; },
      [&](Partial& partial, index_t begin, index_t end) {
        partial.value = 0.0;
        partial.definite = true;
        std::fill(partial.gradient.begin(), partial.gradient.end(), 0.0);
        for (index_t i = begin; i < end && partial.definite; i += kLanes)
          partial.definite = add_rows(workers.local(), i, std::min(kLanes, end - i), partial);
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
  runtime::PerWorker<RowsGivenNeighbours> workers([&] { return RowsGivenNeighbours(kernel, m); });
  std::atomic<bool> definite{true};
  runtime::parallel_for(queries.n, row_grain(m), token, [&](index_t, index_t begin, index_t end) {
    RowsGivenNeighbours& rows = workers.local();
    for (index_t i = begin; i < end; i += kLanes) {
      const index_t count = std::min(kLanes, end - i);
      if (!rows.factorise(x.x, noise, queries.x, neighbours, i, count, false)) {
        definite.store(false, std::memory_order_relaxed);
        return;
      }
      for (index_t l = 0; l < count; ++l) {
        rows.copy_u(l, u + (i + l) * m);
        D[i + l] = rows.deviation(l);
      }
    }
  });
  return definite.load();
}

}  // namespace mlwright::gp
