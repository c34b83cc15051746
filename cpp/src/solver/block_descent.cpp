#include "mlwright/solver/block_descent.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/runtime/polling.hpp"
#include "simd/vector.hpp"
#include "solver/block_newton.hpp"
#include "solver/certificate.hpp"
#include "solver/extrapolation.hpp"
#include "solver/grouped_quadratic.hpp"

namespace mlwright::solver {

namespace {

constexpr double kStill = 1e-32;       // of `square`: no step of a sweep brings more, so rounding is all that is left
constexpr int kBlockSteps = 8;         // proximal steps of one visit of a block
constexpr double kSettled = 1e-3;      // of a visit's first step, squared: the block moves no more
constexpr index_t kChecked = 4;        // sweeps between looks at the certificate
constexpr index_t kMostNewton = 1500;  // coefficients of a Newton step
constexpr int kMostSteps = 8;          // Newton steps in a row

std::size_t at(index_t i) { return static_cast<std::size_t>(i); }

class BlockDescent {
 public:
  BlockDescent(const BlockQuadratic& q, const GroupPenalties& penalty, const double* bounds, double* b, double* gradient,
               const Stop& stop, runtime::CancelToken& token)
      : q_(q), problem_(q, penalty), bounds_(bounds), b_(b), gradient_(gradient), stop_(stop), token_(token),
        newton_(problem_, b, gradient) {
    for (auto* scratch : {&old_, &now_, &slope_, &step_}) scratch->resize(at(problem_.widest()));
    everything_.resize(at(q.n_groups));
    for (index_t g = 0; g < q.n_groups; ++g) everything_[at(g)] = g;
  }

  Descent run() {
    problem_.form_gradient(b_, gradient_);
    Certificate now = certify(everything_);
    while (!is_enough(now, stop_) && n_sweeps_ < stop_.max_sweeps) {
      choose_candidates();
      const index_t before = n_sweeps_;
      const bool moved = solve_candidates(now);
      problem_.form_gradient(b_, gradient_);
      now = certify(everything_);
      if (!moved && n_sweeps_ > before) break;  // rounding is all that is left
    }
    return {now.objective, now.gap, now.violation, n_sweeps_, is_enough(now, stop_)};
  }

 private:
  // Of the problem in these groups alone, all others being zero.
  Certificate certify(const std::vector<index_t>& groups) {
    double quadratic = 0.0, cross = 0.0, value = 0.0, violation = 0.0, scale = 1.0;
    for (const index_t g : groups) {
      const penalty::BoxedGroup penalty = problem_.penalty_of(g);
      const bool any = problem_.gather(g, b_, old_.data());
      problem_.gather(g, gradient_, slope_.data());
      const double distance = penalty.subdiff_distance(old_.data(), slope_.data());
      if (distance > 0.0 && bounds_[g] > 0.0) violation = std::max(violation, distance / std::sqrt(bounds_[g]));
      for (index_t i = 0; i < penalty.inner.size(); ++i) step_[at(i)] = -slope_[at(i)] - penalty.inner.ridge * old_[at(i)];
      scale = penalty.dual_scale(step_.data(), old_.data(), scale);
      if (!any) continue;
      problem_.gather(g, q_.linear, now_.data());
      value += penalty.value(old_.data());
      for (index_t i = 0; i < penalty.inner.size(); ++i) {
        quadratic += old_[at(i)] * (slope_[at(i)] + now_[at(i)]);
        cross += old_[at(i)] * now_[at(i)];
      }
    }
    const double residual = q_.square - 2.0 * cross + quadratic;
    const auto gap_at = [&](double s) {
      return 0.5 * residual * (1.0 + s * s) + value - s * (q_.square - cross) + conjugates(groups, s);
    };
    const double gap = scale < 1.0 ? std::min(gap_at(scale), gap_at(1.0)) : gap_at(1.0);
    return {0.5 * residual + value, std::max(0.0, gap), violation};
  }

  double conjugates(const std::vector<index_t>& groups, double scale) {
    double sum = 0.0;
    for (const index_t g : groups) {
      problem_.gather(g, gradient_, slope_.data());
      sum += problem_.penalty_of(g).conjugate(slope_.data(), -scale);
      if (sum == penalty::kInfinity) return sum;
    }
    return sum;
  }

  // The groups that are not zero, and those that should not be.
  void choose_candidates() {
    candidates_.clear();
    for (index_t g = 0; g < q_.n_groups; ++g) {
      const bool any = problem_.gather(g, b_, old_.data());
      problem_.gather(g, gradient_, slope_.data());
      if (any || (bounds_[g] > 0.0 && problem_.penalty_of(g).subdiff_distance(old_.data(), slope_.data()) > 0.0))
        candidates_.push_back(g);
    }
  }

  bool solve_candidates(const Certificate& left) {
    bool moved = false;
    double work = 0.0;  // multiply-adds since the last Newton step
    extrapolation_.forget();
    for (index_t sweep = 1; n_sweeps_ < stop_.max_sweeps; ++sweep) {
      runtime::stop_if_asked(token_);
      double largest = 0.0;
      for (const index_t g : candidates_) largest = std::max(largest, visit(g));
      ++n_sweeps_;
      moved = moved || largest > 0.0;
      if (largest <= kStill * q_.square) break;
      extrapolate();
      if (sweep % kChecked != 0) continue;
      if (is_enough_for_now(certify(candidates_), left, stop_)) break;
      const auto n = static_cast<double>(newton_.find_support(candidates_));
      work += static_cast<double>(kChecked) * n * static_cast<double>(q_.p);
      if (sweep < 2 * kChecked || n > kMostNewton || work < n * n * n / 6.0) continue;
      for (int repeat = 0; repeat < kMostSteps && newton_.step(candidates_); ++repeat) runtime::stop_if_asked(token_);
      work = 0.0;
      extrapolation_.forget();
      if (is_enough_for_now(certify(candidates_), left, stop_)) break;
    }
    return moved;
  }

  // Moves one block to, or nearly to, where it is best; the squared length of its move in units of the objective.
  double visit(index_t g) {
    const double bound = bounds_[g];
    const bool any = problem_.gather(g, b_, old_.data());
    if (bound == 0.0) {
      if (any) clear(g);
      return 0.0;
    }
    const penalty::BoxedGroup penalty = problem_.penalty_of(g);
    const index_t size = penalty.inner.size();
    problem_.gather(g, gradient_, slope_.data());
    std::copy_n(old_.data(), size, now_.data());
    double first = 0.0;
    for (int repeat = 0; repeat < (penalty.inner.n == 1 ? 1 : kBlockSteps); ++repeat) {
      for (index_t i = 0; i < size; ++i) step_[at(i)] = now_[at(i)] - slope_[at(i)] / bound;
      penalty.prox(step_.data(), 1.0 / bound);
      double squares = 0.0;
      for (index_t i = 0; i < size; ++i) {
        const double fresh = step_[at(i)];
        step_[at(i)] = fresh - now_[at(i)];
        now_[at(i)] = fresh;
        squares += step_[at(i)] * step_[at(i)];
      }
      if (repeat == 0) first = squares;
      if (squares <= kSettled * first || penalty.inner.n == 1) break;
      move_slope(g, penalty.inner.n);
    }
    return apply(g, penalty.inner.n) * bound;
  }

  // The block's own gradient after step_.
  void move_slope(index_t g, index_t n) {
    for (index_t i = 0; i < n; ++i) {
      const double* row = problem_.gram_row(problem_.feature(g, i));
      for (index_t j = 0; j < n; ++j) {
        const double entry = row[problem_.feature(g, j)];
        for (index_t k = 0; k < q_.t; ++k) slope_[at(i * q_.t + k)] += entry * step_[at(j * q_.t + k)];
      }
    }
  }

  double apply(index_t g, index_t n) {
    double squares = 0.0;
    for (index_t i = 0; i < n; ++i)
      for (index_t k = 0; k < q_.t; ++k) {
        const double change = now_[at(i * q_.t + k)] - old_[at(i * q_.t + k)];
        if (change == 0.0) continue;
        const index_t j = problem_.feature(g, i);
        b_[k * q_.p + j] = now_[at(i * q_.t + k)];
        simd::vector().axpy(change, problem_.gram_row(j), q_.p, gradient_ + k * q_.p);
        squares += change * change;
      }
    return squares;
  }

  void clear(index_t g) {
    for (index_t i = 0; i < problem_.group_size(g); ++i)
      for (index_t k = 0; k < q_.t; ++k) b_[k * q_.p + problem_.feature(g, i)] = 0.0;
  }

  // To where the last sweeps lead, if that is better.
  void extrapolate() {
    const index_t size = problem_.size();
    if (!extrapolation_(b_, gradient_, size, jump_)) return;
    const auto objective = [&](const double* b, const double* g) { return problem_.objective(candidates_, b, g, now_.data()); };
    if (objective(jump_.data(), jump_.data() + size) < objective(b_, gradient_)) {
      std::copy_n(jump_.data(), size, b_);
      std::copy_n(jump_.data() + size, size, gradient_);
    }
  }

  const BlockQuadratic& q_;
  GroupedQuadratic problem_;
  const double* bounds_;
  double *b_, *gradient_;
  const Stop& stop_;
  runtime::CancelToken& token_;
  std::vector<index_t> everything_, candidates_;
  std::vector<double> old_, now_, slope_, step_;  // blocks
  BlockNewton newton_;
  Extrapolation extrapolation_;
  std::vector<double> jump_;
  index_t n_sweeps_ = 0;
};

}  // namespace

Descent block_descent(const BlockQuadratic& problem, const GroupPenalties& penalty, const double* bounds, double* b,
                      double* gradient, const Stop& stop, runtime::CancelToken& token) {
  return BlockDescent(problem, penalty, bounds, b, gradient, stop, token).run();
}

}  // namespace mlwright::solver
