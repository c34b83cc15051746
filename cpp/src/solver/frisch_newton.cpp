#include "mlwright/solver/frisch_newton.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/row_sums.hpp"
#include "mlwright/linalg/gram.hpp"
#include "solver/barrier_rows.hpp"
#include "solver/dependent_cholesky.hpp"

namespace mlwright::solver {
namespace {

using linalg::Augmented;
using linalg::kBlockRows;
using simd::kGroup;
using Vector = std::vector<double>;

constexpr double kDependent = 1e-11;      // of a column's square: left out for good
constexpr double kVanished = 1e-15;       // of a pivot late in the iteration: no step along it
constexpr double kMostStep = 0.99995;     // of the way to the boundary
constexpr index_t kManyElements = index_t{1} << 22;  // above, one level has work for all threads

// The rows of one level and all that an iteration keeps of them. Columns of a packed row: x, r, one.
class InteriorPoint {
 public:
  InteriorPoint(const QuantileRows& rows, double level, const double* rhs, const QuantileStop& stop,
                runtime::CancelToken& token)
      : in_(rows), stop_(stop), token_(token), n_(rows.x.rows()), p_(rows.x.cols()), q_(rows.parameters()),
        penalties_(static_cast<index_t>(rows.l1.size())), shift_(rows.shift.begin(), rows.shift.end()),
        scale_(rows.scale.begin(), rows.scale.end()), data_(n_, level), penalty_(penalties_, 0.5), chol_(q_),
        b_(static_cast<std::size_t>(q_), 0.0), rhs_(rhs) {
    shift_.insert(shift_.end(), 2, 0.0);
    scale_.insert(scale_.end(), 2, 1.0);
    for (index_t j = 0; j < penalties_; ++j) penalty_.w[at(j)] = 2.0 * rows.l1[at(j)];
    for (index_t i = 0; i < n_; ++i) data_.w[at(i)] = rows.w == nullptr ? 1.0 : rows.w[i];
    for (index_t i = 0; i < n_; ++i) data_.r[at(i)] = rows.y[at(i)];
  }

  QuantileFit run() {
    start();
    QuantileFit fit;
    for (; fit.n_iter < stop_.max_iter && !done(); ++fit.n_iter) {
      if (token_.cancelled()) throw Cancelled();
      iterate();
    }
    fit.b = std::move(b_);
    fit.a = data_.dual();
    return fit;
  }

 private:
  static std::size_t at(index_t i) { return static_cast<std::size_t>(i); }
  index_t column(index_t j) const { return j < p_ ? j : p_ + 1; }  // where parameter j is in a packed row

  Augmented packed() const {
    return {in_.x, {data_.r.data(), n_, 1, 1, 1}, in_.ones, {shift_.data(), scale_.data(), nullptr}};
  }

  // Lower half of Z' diag(weight) Z into the factor; returns Z' diag(weight) r.
  Vector normal_equations(const double* weight, const double* penalty_weight, double tolerance, bool forget) {
    const Augmented z = packed();
    const Vector gram = linalg::weighted_gram(z, weight, token_);
    const index_t width = z.padded();
    Vector g(at(q_));
    for (index_t i = 0; i < q_; ++i) {
      for (index_t j = 0; j <= i; ++j) chol_.at(i, j) = gram[at(column(i) * width + column(j))];
      g[at(i)] = gram[at(column(i) * width + p_)];
    }
    for (index_t j = 0; j < penalties_; ++j) {
      chol_.at(j, j) += penalty_weight[j];
      g[at(j)] += penalty_weight[j] * penalty_.r[at(j)];
    }
    chol_.factor(tolerance, forget);
    return g;
  }

  // Least squares, then residuals split into positive parts away from the boundary.
  void start() {
    const Vector weight = data_.w, penalty_weight = penalty_.w;
    Vector step = normal_equations(weight.data(), penalty_weight.data(), kDependent, true);
    chol_.solve(step.data());
    pass(step, [&](index_t begin, index_t end, double*) { data_.shift_residual(begin, end, 1.0); }, {});
    penalty_.follow(step);
    penalty_.shift_residual(0, penalties_, 1.0);
    for (index_t j = 0; j < q_; ++j) b_[at(j)] += step[at(j)];
    const double total = data_.total_weight() + penalty_.total_weight();
    const double away = 0.5 * (data_.absolute() + penalty_.absolute()) / total;
    data_.split(away);
    penalty_.split(away);
    weight_ = total;
    first_ = objective();
  }

  double objective() const { return data_.objective() + penalty_.objective(); }

  bool done() const {
    const double value = objective();
    if (!(value > 1e-14 * first_)) return true;  // a perfect fit, up to rounding
    const double gap = data_.gap() + penalty_.gap();
    return n_steps_ > 0 && gap <= stop_.tol * value && infeasible_ <= 1e-9;
  }

  // Projects every row onto `step` (data_.along), calls visit(begin, end, sums) on blocks of rows, and returns for every
  // vector of `factors` the sum of factor_i z_i, one after another, as parameters.
  template <class Visit>
  Vector pass(const Vector& step, Visit&& visit, std::vector<Vector*> factors, Vector* sums = nullptr) {
    const Augmented z = packed();
    const auto& kernels = simd::gram();
    const index_t groups = z.groups(), width = z.padded(), n_sums = sums == nullptr ? 0 : kSums;
    const index_t count = static_cast<index_t>(factors.size()), size = count * width + n_sums;
    Vector direction(at(width), 0.0);
    for (index_t j = 0; j < q_; ++j) direction[at(column(j))] = step[at(j)];
    linalg::Scratch scratch(groups * kBlockRows * kGroup);
    Vector total = linalg::sum_over_rows(
        n_, linalg::row_grain(n_, (count + 2) * width), size, token_, [&](double* sum, index_t begin, index_t end) {
          double* block = scratch.mine();
          linalg::for_blocks(begin, end, [&](index_t r, index_t rows) {
            z.pack(r, rows, block);
            kernels.project(block, direction.data(), rows, groups, 0.0, data_.along.data() + r, 1);
            visit(r, r + rows, sum + count * width);
            for (index_t k = 0; k < count; ++k)
              kernels.accumulate(block, factors[at(k)]->data() + r, rows, groups, sum + k * width);
          });
        });
    if (sums != nullptr) std::copy_n(total.begin() + count * width, n_sums, sums->begin());
    Vector out(at(count * q_));
    for (index_t k = 0; k < count; ++k)
      for (index_t j = 0; j < q_; ++j) out[at(k * q_ + j)] = total[at(k * width + column(j))];
    return out;
  }

  void iterate() {
    data_.set_theta();
    penalty_.set_theta();
    const Vector g = normal_equations(data_.q.data(), penalty_.q.data(), kVanished, false);

    Vector step = g, sums(kSums, 0.0);
    for (index_t j = 0; j < q_; ++j) step[at(j)] -= missing_.empty() ? 0.0 : missing_[at(j)];
    chol_.solve(step.data());
    Vector parts = pass(step, [&](index_t begin, index_t end, double* s) { data_.predict(begin, end, s); },
                              {&data_.centring, &data_.second_order, &data_.weighted_dual}, &sums);
    penalty_.follow(step);
    penalty_.predict(0, penalties_, sums.data());
    const double mu = centring_weight(sums);

    step = corrected(g, parts, mu);
    pass(step, [&](index_t begin, index_t end, double*) { data_.correct(begin, end, mu); }, {});
    penalty_.follow(step);
    penalty_.correct(0, penalties_, mu);
    const Reach reach = shorter(data_.reach(), penalty_.reach());
    take(step, reach);
  }

  // Mehrotra's choice: the cube of what the predictor would leave of the gap.
  double centring_weight(const Vector& sums) const {
    const Reach reach = shorter(data_.reach(), penalty_.reach());
    const double primal = std::min(1.0, kMostStep * reach.primal), dual = std::min(1.0, kMostStep * reach.dual);
    const double gap = sums[0], left = gap + primal * sums[1] + dual * sums[2] + primal * dual * sums[3];
    const double share = std::clamp(left / gap, 0.0, 1.0);
    return share * share * share * gap / (2.0 * weight_);
  }

  // Right-hand side of the corrector, solved; also how far the dual is from feasible.
  Vector corrected(const Vector& g, const Vector& parts, double mu) {
    Vector step = g;
    missing_.assign(at(q_), 0.0);
    double worst = 0.0;
    for (index_t j = 0; j < q_; ++j) {
      double centring = parts[at(j)], second = parts[at(q_ + j)], sum = parts[at(2 * q_ + j)];
      if (j < penalties_) {
        centring += penalty_.centring[at(j)];
        second += penalty_.second_order[at(j)];
        sum += penalty_.weighted_dual[at(j)];
      }
      missing_[at(j)] = (rhs_ == nullptr ? 0.0 : rhs_[j]) - sum;
      if (chol_.kept(j)) worst = std::max(worst, std::fabs(missing_[at(j)]));
      step[at(j)] -= mu * centring + second + missing_[at(j)];
    }
    infeasible_ = worst / weight_;
    chol_.solve(step.data());
    return step;
  }

  void take(const Vector& step, const Reach& reach) {
    const double primal = std::min(1.0, kMostStep * reach.primal), dual = std::min(1.0, kMostStep * reach.dual);
    for (index_t j = 0; j < q_; ++j) b_[at(j)] += primal * step[at(j)];
    runtime::parallel_for(n_, linalg::row_grain(n_, 16), token_,
                          [&](index_t, index_t begin, index_t end) { data_.take(begin, end, primal, dual); });
    penalty_.take(0, penalties_, primal, dual);
    for (double& m : missing_) m *= 1.0 - dual;
    ++n_steps_;
  }

  const QuantileRows& in_;
  const QuantileStop& stop_;
  runtime::CancelToken& token_;
  index_t n_, p_, q_, penalties_;
  Vector shift_, scale_;
  BarrierRows data_, penalty_;
  DependentCholesky chol_;
  Vector b_, missing_;  // missing_: rhs less what the dual gives
  const double* rhs_;
  double weight_ = 0.0, first_ = 0.0, infeasible_ = 0.0;
  index_t n_steps_ = 0;
};

}  // namespace

std::vector<QuantileFit> frisch_newton(const QuantileRows& rows, std::span<const double> levels,
                                       std::span<const double> rhs, const QuantileStop& stop, runtime::CancelToken& token) {
  const auto count = static_cast<index_t>(levels.size());
  const index_t q = rows.parameters();
  std::vector<QuantileFit> fits(levels.size());
  const auto fit = [&](index_t k) {
    const double* right = rhs.empty() ? nullptr : rhs.data() + k * q;
    fits[static_cast<std::size_t>(k)] = InteriorPoint(rows, levels[static_cast<std::size_t>(k)], right, stop, token).run();
  };
  if (rows.x.rows() * q > kManyElements) {
    for (index_t k = 0; k < count; ++k) fit(k);
  } else {
    runtime::parallel_for(count, 1, token, [&](index_t k, index_t, index_t) { fit(k); });
  }
  return fits;
}

}  // namespace mlwright::solver
