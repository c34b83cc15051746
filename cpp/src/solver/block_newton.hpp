// Newton steps of block descent on the coefficients that are not zero, where the penalty has two derivatives.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/linalg/small_cholesky.hpp"
#include "solver/grouped_quadratic.hpp"

namespace mlwright::solver {

class BlockNewton {
 public:
  BlockNewton(const GroupedQuadratic& problem, double* b, double* gradient) : problem_(problem), b_(b), gradient_(gradient) {
    block_.resize(at(problem.widest()));
  }

  // Looks for what is neither zero nor held by a bound in these groups, all others being zero; returns how many coefficients
  // that are.
  index_t find_support(const std::vector<index_t>& groups) {
    support_.clear();
    for (const index_t g : groups)
      for (index_t i = 0; i < problem_.group_size(g); ++i)
        for (index_t k = 0; k < problem_->t; ++k) {
          const index_t j = problem_.feature(g, i);
          const double b = b_[k * problem_->p + j];
          if (b != 0.0 && !problem_.penalty_of(g).is_held(i * problem_->t + k, b)) support_.push_back({j, k, g, i});
        }
    return static_cast<index_t>(support_.size());
  }

  // To, or towards, the minimiser over the support; false where it does not lower the objective.
  bool step(const std::vector<index_t>& groups) {
    const index_t n = find_support(groups);
    if (n == 0) return false;
    step_.resize(at(n));
    if (solve(1.0, 1.0) && move_along(groups)) return true;
    for (const double damping : {1.0, 1.0 + kDamping, 1.0 + 1e3 * kDamping})
      if (solve(0.0, damping) && move_along(groups)) return true;
    return false;
  }

 private:
  static constexpr int kHalvings = 8;        // of a step that does not lower the objective
  static constexpr double kDamping = 1e-9;   // of the diagonal, where the support's second derivatives are singular

  struct Entry {
    index_t feature, target, group, in_group;  // in_group: the feature's number there
  };

  static std::size_t at(index_t i) { return static_cast<std::size_t>(i); }
  index_t place(const Entry& e) const { return e.target * problem_->p + e.feature; }

  // The step of a quadratic in which norms have their second derivatives (bend 1), or those of the squares that touch them from
  // above (bend 0). The first is Newton's; where the Gram matrix is all but singular it goes far beyond where norms are like
  // that, into sums that rounding decides. The second lowers the objective at full length, but for the l1 part.
  bool solve(double bend, double damping) {
    const auto n = static_cast<index_t>(support_.size());
    load_support(bend, damping);
    if (!linalg::small_cholesky(factor_.data(), n)) return false;
    linalg::small_cholesky_solve(factor_.data(), n, step_.data());
    return true;
  }

  // Second derivatives, their diagonal multiplied, and minus the first.
  void load_support(double bend, double damping) {
    const auto n = static_cast<index_t>(support_.size());
    factor_.resize(at(n * n));
    for (index_t r = 0; r < n; ++r) {
      const Entry& e = support_[at(r)];
      const penalty::SparseGroup penalty = problem_.penalty_of(e.group).inner;
      problem_.gather(e.group, b_, block_.data());
      double squares = 0.0;
      for (index_t i = 0; i < penalty.size(); ++i) squares += block_[at(i)] * block_[at(i)];
      const double pull = penalty.norm / std::sqrt(squares), own = b_[place(e)];
      const double* row = problem_.gram_row(e.feature);
      for (index_t s = 0; s <= r; ++s) {
        const Entry& other = support_[at(s)];
        double entry = e.target == other.target ? row[other.feature] : 0.0;
        if (e.group == other.group) entry -= bend * pull * own * b_[place(other)] / squares;
        factor_[at(r * n + s)] = entry;
      }
      factor_[at(r * n + r)] = (factor_[at(r * n + r)] + pull + penalty.ridge) * damping;
      step_[at(r)] = -(gradient_[place(e)] + std::copysign(penalty.l1 * penalty.weight[e.in_group], own) + (pull + penalty.ridge) * own);
    }
  }

  // The share of the step, up to all of it, by which no coefficient leaves its bounds.
  double room() const {
    double length = 1.0;
    for (std::size_t r = 0; r < support_.size(); ++r) {
      const penalty::BoxedGroup penalty = problem_.penalty_of(support_[r].group);
      if (!penalty.is_bounded() || step_[r] == 0.0) continue;
      const double end = (step_[r] > 0.0 ? penalty.high : penalty.low)[support_[r].in_group];
      length = std::min(length, (end - b_[place(support_[r])]) / step_[r]);
    }
    return length;
  }

  // Where a step of that length takes an entry of the support; to the bound itself where rounding would miss it.
  double moved(std::size_t r, double length) const {
    const penalty::BoxedGroup penalty = problem_.penalty_of(support_[r].group);
    const double b = b_[place(support_[r])] + length * step_[r];
    if (!penalty.is_bounded()) return b;
    return std::clamp(b, penalty.low[support_[r].in_group], penalty.high[support_[r].in_group]);
  }

  // All of the step that bounds allow, or half of it, and so on, until the objective is lower.
  bool move_along(const std::vector<index_t>& groups) {
    const index_t size = problem_.size();
    std::vector<double> turn(at(size), 0.0), jump(at(2 * size));
    for (std::size_t r = 0; r < support_.size(); ++r)
      simd::vector().axpy(step_[r], problem_.gram_row(support_[r].feature), problem_->p,
                          turn.data() + support_[r].target * problem_->p);
    const double before = problem_.objective(groups, b_, gradient_, block_.data());
    const double most = before + 0.5 * problem_->square;  // the objective is not negative: a larger drop is rounding
    double length = room();
    for (int halving = 0; halving < kHalvings; ++halving, length *= 0.5) {
      std::copy_n(b_, size, jump.data());
      for (std::size_t r = 0; r < support_.size(); ++r) jump[at(place(support_[r]))] = moved(r, length);
      for (index_t e = 0; e < size; ++e) jump[at(size + e)] = gradient_[e] + length * turn[at(e)];
      const double drop = before - problem_.objective(groups, jump.data(), jump.data() + size, block_.data());
      if (drop > 0.0 && drop <= most) {
        std::copy_n(jump.data(), size, b_);
        std::copy_n(jump.data() + size, size, gradient_);
        return true;
      }
    }
    return false;
  }

  const GroupedQuadratic& problem_;
  double *b_, *gradient_;
  std::vector<double> block_, step_, factor_;
  std::vector<Entry> support_;
};

}  // namespace mlwright::solver
