#include "mlwright/linalg/symmetric_eigen.hpp"

#include <algorithm>
#include <cmath>  // sqrt, fabs: exact everywhere
#include <limits>

#include "mlwright/base/error.hpp"
#include "simd/reduce.hpp"
#include "simd/vector.hpp"

namespace mlwright::linalg {
namespace {

constexpr int kMostSteps = 64;  // of an eigenvalue; two or three are usual

double length(double a, double b) noexcept {
  a = std::fabs(a), b = std::fabs(b);
  if (a < b) std::swap(a, b);
  if (a == 0) return 0;
  return a * std::sqrt(1 + (b / a) * (b / a));
}

class Solver {
 public:
  Solver(std::vector<double> a, index_t n)
      : n_(n), a_(std::move(a)), d_(static_cast<std::size_t>(n)), e_(d_.size()), w_(d_.size()), beta_(d_.size()), z_(a_.size()) {}

  Eigen solve() {
    for (index_t k = 0; k + 2 < n_; ++k) reflect(k);
    for (index_t i = 0; i < n_; ++i) d_[at(i)] = a_[at(i * n_ + i)];
    if (n_ > 1) e_[at(n_ - 2)] = a_[at((n_ - 1) * n_ + n_ - 2)];
    accumulate();
    for (index_t l = 0; l < n_; ++l) separate(l);
    return {std::move(d_), std::move(z_)};
  }

 private:
  static std::size_t at(index_t i) noexcept { return static_cast<std::size_t>(i); }
  double* row(std::vector<double>& m, index_t i) const noexcept { return m.data() + i * n_; }

  // Makes column k zero below its subdiagonal. The reflection's vector stays in row k, right of the diagonal.
  void reflect(index_t k) {
    const auto dot = simd::reduce().dot;
    const auto axpy = simd::vector().axpy;
    const index_t m = n_ - k - 1;
    double* const v = row(a_, k) + k + 1;
    const double tail = dot(v + 1, v + 1, m - 1);
    if (tail == 0) {
      e_[at(k)] = v[0];
      return;
    }
    const double norm = std::sqrt(v[0] * v[0] + tail), alpha = v[0] > 0 ? -norm : norm;
    e_[at(k)] = alpha;
    v[0] -= alpha;
    const double beta = 2 / (v[0] * v[0] + tail);
    beta_[at(k)] = beta;
    for (index_t i = 0; i < m; ++i) w_[at(i)] = beta * dot(row(a_, k + 1 + i) + k + 1, v, m);
    axpy(-0.5 * beta * dot(w_.data(), v, m), v, m, w_.data());
    for (index_t i = 0; i < m; ++i) {
      double* const r = row(a_, k + 1 + i) + k + 1;
      axpy(-v[i], w_.data(), m, r);
      axpy(-w_[at(i)], v, m, r);
    }
  }

  // z: the product of all reflections, transposed.
  void accumulate() {
    const auto dot = simd::reduce().dot;
    const auto axpy = simd::vector().axpy;
    for (index_t i = 0; i < n_; ++i) row(z_, i)[i] = 1;
    for (index_t k = n_ - 3; k >= 0; --k) {
      if (beta_[at(k)] == 0) continue;
      const index_t m = n_ - k - 1;
      const double* const v = row(a_, k) + k + 1;
      for (index_t i = k + 1; i < n_; ++i) {
        double* const r = row(z_, i) + k + 1;
        axpy(-beta_[at(k)] * dot(r, v, m), v, m, r);
      }
    }
  }

  index_t end_of_block(index_t l) const noexcept {
    index_t m = l;
    for (; m + 1 < n_; ++m) {
      const double size = std::fabs(d_[at(m)]) + std::fabs(d_[at(m + 1)]);
      if (std::fabs(e_[at(m)]) <= std::numeric_limits<double>::epsilon() * size) break;
    }
    return m;
  }

  // Implicit QL steps until d_[l] stands alone.
  void separate(index_t l) {
    for (int steps = 0;; ++steps) {
      const index_t m = end_of_block(l);
      if (m == l) return;
      if (steps == kMostSteps) throw NumericalError("eigenvalues: they did not converge; expected a matrix of finite numbers");
      step(l, m);
    }
  }

  void step(index_t l, index_t m) {
    double g = (d_[at(l + 1)] - d_[at(l)]) / (2 * e_[at(l)]);
    double r = length(g, 1);
    g = d_[at(m)] - d_[at(l)] + e_[at(l)] / (g + (g < 0 ? -r : r));
    double s = 1, c = 1, p = 0;
    for (index_t i = m - 1; i >= l; --i) {
      const double f = s * e_[at(i)], b = c * e_[at(i)];
      r = length(f, g);
      e_[at(i + 1)] = r;
      if (r == 0) {  // the block falls apart here
        d_[at(i + 1)] -= p;
        e_[at(m)] = 0;
        return;
      }
      s = f / r, c = g / r;
      g = d_[at(i + 1)] - p;
      r = (d_[at(i)] - g) * s + 2 * c * b;
      p = s * r;
      d_[at(i + 1)] = g + p;
      g = c * r - b;
      rotate(row(z_, i), row(z_, i + 1), c, s);
    }
    d_[at(l)] -= p;
    e_[at(l)] = g;
    e_[at(m)] = 0;
  }

  void rotate(double* low, double* high, double c, double s) const noexcept {
    for (index_t k = 0; k < n_; ++k) {
      const double f = high[k];
      high[k] = s * low[k] + c * f;
      low[k] = c * low[k] - s * f;
    }
  }

  index_t n_;
  std::vector<double> a_, d_, e_, w_, beta_, z_;
};

}  // namespace

Eigen symmetric_eigen(std::vector<double> a, index_t n) { return Solver(std::move(a), n).solve(); }

}  // namespace mlwright::linalg
