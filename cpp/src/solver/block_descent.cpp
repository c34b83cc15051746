#include "mlwright/solver/block_descent.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/linalg/small_cholesky.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/vector.hpp"

namespace mlwright::solver {

namespace {

constexpr double kInner = 0.3;      // of the tolerance: what the candidates are solved to in the end
constexpr double kProgress = 0.05;  // of what is left: what they are solved to before
constexpr double kStill = 1e-32;    // of `square`: no step of a sweep brings more, so rounding is all that is left
constexpr int kBlockSteps = 8;      // proximal steps of one visit of a block
constexpr double kSettled = 1e-3;   // of a visit's first step, squared: the block moves no more
constexpr index_t kHistory = 5;     // sweeps between extrapolations
constexpr index_t kChecked = 4;     // sweeps between looks at the certificate
constexpr index_t kMostNewton = 1500;  // coefficients of a Newton step
constexpr int kMostSteps = 8;       // Newton steps in a row
constexpr int kHalvings = 8;        // of a Newton step that does not lower the objective
constexpr double kDamping = 1e-9;   // of the diagonal, where the support's second derivatives are singular
constexpr int kSquarings = 6;       // of a Gram matrix; its norm is then within 2 % of the largest eigenvalue of 10 columns

std::size_t at(index_t i) { return static_cast<std::size_t>(i); }

void stop_if_asked(runtime::CancelToken& token) {
  if (runtime::worker_slot() == 0)
    token.poll();
  else if (token.cancelled())
    throw Cancelled();
}

struct Certificate {
  double objective, gap, violation;
};

class BlockDescent {
 public:
  BlockDescent(const BlockQuadratic& q, const GroupPenalties& penalty, const double* bounds, double* b, double* gradient,
               const Stop& stop, runtime::CancelToken& token)
      : q_(q), penalty_(penalty), bounds_(bounds), b_(b), gradient_(gradient), stop_(stop), token_(token) {
    index_t widest = 1;
    for (index_t g = 0; g < q.n_groups; ++g) widest = std::max(widest, q.start[g + 1] - q.start[g]);
    for (auto* scratch : {&old_, &now_, &slope_, &step_}) scratch->resize(at(widest * q.t));
    everything_.resize(at(q.n_groups));
    for (index_t g = 0; g < q.n_groups; ++g) everything_[at(g)] = g;
  }

  Descent run() {
    form_gradient();
    Certificate now = certify(everything_);
    while (!good(now) && n_sweeps_ < stop_.max_sweeps) {
      choose_candidates();
      const index_t before = n_sweeps_;
      const bool moved = solve_candidates(now);
      form_gradient();
      now = certify(everything_);
      if (!moved && n_sweeps_ > before) break;  // rounding is all that is left
    }
    return {now.objective, now.gap, now.violation, n_sweeps_, good(now)};
  }

 private:
  penalty::SparseGroup at_group(index_t g) const {
    return {penalty_.l1, penalty_.norm * penalty_.norm_weight[g], penalty_.ridge * penalty_.ridge_weight[g],
            penalty_.l1_weight + q_.start[g], q_.start[g + 1] - q_.start[g], q_.t};
  }
  const double* gram_row(index_t feature) const { return q_.gram + feature * q_.p; }
  index_t feature(index_t g, index_t i) const { return q_.member[q_.start[g] + i]; }

  // The block of a group out of an array of t x p; false where all of it is zero.
  bool gather(index_t g, const double* from, double* block) const {
    const index_t n = q_.start[g + 1] - q_.start[g];
    bool any = false;
    for (index_t i = 0; i < n; ++i)
      for (index_t k = 0; k < q_.t; ++k) {
        block[i * q_.t + k] = from[k * q_.p + feature(g, i)];
        any = any || block[i * q_.t + k] != 0.0;
      }
    return any;
  }

  void form_gradient() {
    for (index_t i = 0; i < q_.t * q_.p; ++i) gradient_[i] = -q_.linear[i];
    for (index_t k = 0; k < q_.t; ++k)
      for (index_t j = 0; j < q_.p; ++j)
        if (const double value = b_[k * q_.p + j]; value != 0.0)
          simd::vector().axpy(value, gram_row(j), q_.p, gradient_ + k * q_.p);
  }

  bool good(const Certificate& c) const { return c.gap <= stop_.gap || c.violation <= stop_.violation; }
  bool good_for_now(const Certificate& c, const Certificate& left) const {
    return c.gap <= std::max(kInner * stop_.gap, std::isinf(left.gap) ? 0.0 : kProgress * left.gap) ||
           c.violation <= std::max(kInner * stop_.violation, kProgress * left.violation);
  }

  // Of the problem in these groups alone, all others being zero.
  Certificate certify(const std::vector<index_t>& groups) {
    double quadratic = 0.0, cross = 0.0, value = 0.0, violation = 0.0, scale = 1.0;
    for (const index_t g : groups) {
      const penalty::SparseGroup penalty = at_group(g);
      const bool any = gather(g, b_, old_.data());
      gather(g, gradient_, slope_.data());
      const double distance = penalty.subdiff_distance(old_.data(), slope_.data());
      if (distance > 0.0 && bounds_[g] > 0.0) violation = std::max(violation, distance / std::sqrt(bounds_[g]));
      for (index_t i = 0; i < penalty.n * q_.t; ++i) step_[at(i)] = -slope_[at(i)] - penalty.ridge * old_[at(i)];
      scale = penalty.dual_scale(step_.data(), scale);
      if (!any) continue;
      gather(g, q_.linear, now_.data());
      value += penalty.value(old_.data());
      for (index_t i = 0; i < penalty.n * q_.t; ++i) {
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
      gather(g, gradient_, slope_.data());
      sum += at_group(g).conjugate(slope_.data(), scale);
      if (sum == penalty::kInfinity) return sum;
    }
    return sum;
  }

  // The groups that are not zero, and those that should not be.
  void choose_candidates() {
    candidates_.clear();
    for (index_t g = 0; g < q_.n_groups; ++g) {
      const bool any = gather(g, b_, old_.data());
      gather(g, gradient_, slope_.data());
      if (any || (bounds_[g] > 0.0 && at_group(g).subdiff_distance(old_.data(), slope_.data()) > 0.0))
        candidates_.push_back(g);
    }
  }

  bool solve_candidates(const Certificate& left) {
    bool moved = false;
    double work = 0.0;  // multiply-adds since the last Newton step
    history_.clear();
    for (index_t sweep = 1; n_sweeps_ < stop_.max_sweeps; ++sweep) {
      stop_if_asked(token_);
      double largest = 0.0;
      for (const index_t g : candidates_) largest = std::max(largest, visit(g));
      ++n_sweeps_;
      moved = moved || largest > 0.0;
      if (largest <= kStill * q_.square) break;
      remember();
      if (sweep % kChecked != 0) continue;
      if (good_for_now(certify(candidates_), left)) break;
      find_support();
      const auto n = static_cast<double>(support_.size());
      work += static_cast<double>(kChecked) * n * static_cast<double>(q_.p);
      if (sweep < 2 * kChecked || n > kMostNewton || work < n * n * n / 6.0) continue;
      for (int repeat = 0; repeat < kMostSteps && newton_step(); ++repeat) stop_if_asked(token_);
      work = 0.0;
      history_.clear();
      if (good_for_now(certify(candidates_), left)) break;
    }
    return moved;
  }

  // Moves one block to, or nearly to, where it is best; the squared length of its move in units of the objective.
  double visit(index_t g) {
    const double bound = bounds_[g];
    const bool any = gather(g, b_, old_.data());
    if (bound == 0.0) {
      if (any) clear(g);
      return 0.0;
    }
    const penalty::SparseGroup penalty = at_group(g);
    const index_t size = penalty.n * q_.t;
    gather(g, gradient_, slope_.data());
    std::copy_n(old_.data(), size, now_.data());
    double first = 0.0;
    for (int repeat = 0; repeat < (penalty.n == 1 ? 1 : kBlockSteps); ++repeat) {
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
      if (squares <= kSettled * first || penalty.n == 1) break;
      move_slope(g, penalty.n);
    }
    return apply(g, penalty.n) * bound;
  }

  // The block's own gradient after step_.
  void move_slope(index_t g, index_t n) {
    for (index_t i = 0; i < n; ++i) {
      const double* row = gram_row(feature(g, i));
      for (index_t j = 0; j < n; ++j) {
        const double entry = row[feature(g, j)];
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
        const index_t j = feature(g, i);
        b_[k * q_.p + j] = now_[at(i * q_.t + k)];
        simd::vector().axpy(change, gram_row(j), q_.p, gradient_ + k * q_.p);
        squares += change * change;
      }
    return squares;
  }

  void clear(index_t g) {
    for (index_t i = q_.start[g]; i < q_.start[g + 1]; ++i)
      for (index_t k = 0; k < q_.t; ++k) b_[k * q_.p + q_.member[i]] = 0.0;
  }

  // Keeps this iterate and its gradient; with enough of them, goes to their extrapolation if that is better.
  void remember() {
    const index_t size = q_.t * q_.p;
    history_.emplace_back(b_, b_ + size);
    history_.back().insert(history_.back().end(), gradient_, gradient_ + size);
    if (static_cast<index_t>(history_.size()) <= kHistory) return;
    extrapolate(size);
    history_.clear();
  }

  // Both are linear in the iterates: sum_i c_i (b_i, gradient_i), sum c = 1, of which the last steps all but cancel.
  void extrapolate(index_t size) {
    double products[kHistory * kHistory], c[kHistory];
    double trace = 0.0;
    for (index_t i = 0; i < kHistory; ++i)
      for (index_t j = 0; j <= i; ++j) {
        double sum = 0.0;
        for (index_t e = 0; e < size; ++e)
          sum += (history_[at(i + 1)][at(e)] - history_[at(i)][at(e)]) * (history_[at(j + 1)][at(e)] - history_[at(j)][at(e)]);
        products[i * kHistory + j] = products[j * kHistory + i] = sum;
        if (i == j) trace += sum;
      }
    if (!(trace > 0.0)) return;
    for (index_t i = 0; i < kHistory; ++i) {
      products[i * kHistory + i] += 1e-13 * trace;
      c[i] = 1.0;
    }
    if (!linalg::small_cholesky(products, kHistory, 1e-15)) return;
    linalg::small_cholesky_solve(products, kHistory, c);
    double sum = 0.0;
    for (const double weight : c) sum += weight;
    if (sum == 0.0 || !std::isfinite(sum)) return;
    std::vector<double> jump(at(2 * size), 0.0);
    for (index_t i = 0; i < kHistory; ++i)
      for (index_t e = 0; e < 2 * size; ++e) jump[at(e)] += c[i] / sum * history_[at(i + 1)][at(e)];
    if (objective(jump.data(), jump.data() + size) < objective(b_, gradient_)) {
      std::copy_n(jump.data(), size, b_);
      std::copy_n(jump.data() + size, size, gradient_);
    }
  }

  // The coefficients that are not zero: where the penalty has two derivatives.
  struct Entry {
    index_t feature, target, group;
    double weight;  // of the feature in the l1 part
  };

  void find_support() {
    support_.clear();
    for (const index_t g : candidates_)
      for (index_t i = q_.start[g]; i < q_.start[g + 1]; ++i)
        for (index_t k = 0; k < q_.t; ++k)
          if (b_[k * q_.p + q_.member[i]] != 0.0)
            support_.push_back({static_cast<index_t>(q_.member[i]), k, g, penalty_.l1_weight[i]});
  }

  double value_at(const Entry& e) const { return b_[e.target * q_.p + e.feature]; }

  // To, or towards, the minimiser over the support; false where it does not lower the objective.
  bool newton_step() {
    find_support();
    if (support_.empty()) return false;
    step_.resize(std::max(step_.size(), support_.size()));
    bool solved = false;
    for (const double damping : {1.0, 1.0 + kDamping, 1.0 + 1e3 * kDamping}) {
      load_support(damping);
      solved = linalg::small_cholesky(factor_.data(), static_cast<index_t>(support_.size()));
      if (solved) break;
    }
    if (!solved) return false;
    linalg::small_cholesky_solve(factor_.data(), static_cast<index_t>(support_.size()), step_.data());
    return move_along();
  }

  // Second derivatives, their diagonal multiplied, and minus the first.
  void load_support(double damping) {
    const auto n = static_cast<index_t>(support_.size());
    factor_.resize(at(n * n));
    for (index_t r = 0; r < n; ++r) {
      const Entry& e = support_[at(r)];
      const penalty::SparseGroup penalty = at_group(e.group);
      gather(e.group, b_, now_.data());
      double squares = 0.0;
      for (index_t i = 0; i < penalty.n * q_.t; ++i) squares += now_[at(i)] * now_[at(i)];
      const double pull = penalty.norm / std::sqrt(squares), own = value_at(e);
      const double* row = gram_row(e.feature);
      for (index_t s = 0; s <= r; ++s) {
        const Entry& other = support_[at(s)];
        double entry = e.target == other.target ? row[other.feature] : 0.0;
        if (e.group == other.group) entry -= pull * own * value_at(other) / squares;
        factor_[at(r * n + s)] = entry;
      }
      factor_[at(r * n + r)] = (factor_[at(r * n + r)] + pull + penalty.ridge) * damping;
      step_[at(r)] = -(gradient_[e.target * q_.p + e.feature] + std::copysign(penalty.l1 * e.weight, own) +
                       (pull + penalty.ridge) * own);
    }
  }

  // All of the step, or half of it, and so on, until the objective is lower.
  bool move_along() {
    const index_t size = q_.t * q_.p;
    std::vector<double> turn(at(size), 0.0), jump(at(2 * size));
    for (std::size_t r = 0; r < support_.size(); ++r)
      simd::vector().axpy(step_[r], gram_row(support_[r].feature), q_.p, turn.data() + support_[r].target * q_.p);
    const double before = objective(b_, gradient_);
    double length = 1.0;
    for (int halving = 0; halving < kHalvings; ++halving, length *= 0.5) {
      std::copy_n(b_, size, jump.data());
      for (std::size_t r = 0; r < support_.size(); ++r)
        jump[at(support_[r].target * q_.p + support_[r].feature)] += length * step_[r];
      for (index_t e = 0; e < size; ++e) jump[at(size + e)] = gradient_[e] + length * turn[at(e)];
      if (objective(jump.data(), jump.data() + size) < before) {
        std::copy_n(jump.data(), size, b_);
        std::copy_n(jump.data() + size, size, gradient_);
        return true;
      }
    }
    return false;
  }

  double objective(const double* b, const double* gradient) {
    double smooth = 0.0, value = 0.0;
    for (index_t i = 0; i < q_.t * q_.p; ++i) smooth += b[i] * (gradient[i] - q_.linear[i]);
    for (const index_t g : candidates_)
      if (gather(g, b, now_.data())) value += at_group(g).value(now_.data());
    return 0.5 * smooth + value;
  }

  const BlockQuadratic& q_;
  const GroupPenalties& penalty_;
  const double* bounds_;
  double *b_, *gradient_;
  const Stop& stop_;
  runtime::CancelToken& token_;
  std::vector<index_t> everything_, candidates_;
  std::vector<double> old_, now_, slope_, step_;
  std::vector<double> factor_;
  std::vector<Entry> support_;
  std::vector<std::vector<double>> history_;  // iterates, each with its gradient
  index_t n_sweeps_ = 0;
};

// |A^(2^k)|_F^(1 / 2^k) is not below the largest eigenvalue of A, and near it: A is squared, and divided by its norm, k times.
double largest_eigenvalue(std::vector<double>& a, index_t n) {
  std::vector<double> square(a.size());
  double log_norm = 0.0, share = 1.0;
  for (int k = 0; k <= kSquarings; ++k) {
    double norm = 0.0;
    for (const double entry : a) norm += entry * entry;
    norm = std::sqrt(norm);
    if (!(norm > 0.0)) return 0.0;
    log_norm += share * std::log(norm);
    share *= 0.5;
    if (k == kSquarings) break;
    for (double& entry : a) entry /= norm;
    std::fill(square.begin(), square.end(), 0.0);
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < n; ++j)
        for (index_t e = 0; e < n; ++e) square[at(i * n + e)] += a[at(i * n + j)] * a[at(j * n + e)];
    a.swap(square);
  }
  return std::exp(log_norm) * (1.0 + 1e-12);
}

}  // namespace

Descent block_descent(const BlockQuadratic& problem, const GroupPenalties& penalty, const double* bounds, double* b,
                      double* gradient, const Stop& stop, runtime::CancelToken& token) {
  return BlockDescent(problem, penalty, bounds, b, gradient, stop, token).run();
}

void block_bounds(const BlockQuadratic& q, double* bounds) {
  std::vector<double> block;
  for (index_t g = 0; g < q.n_groups; ++g) {
    const index_t n = q.start[g + 1] - q.start[g];
    const std::int64_t* of_group = q.member + q.start[g];
    if (n == 1) {
      bounds[g] = q.gram[of_group[0] * q.p + of_group[0]];
      continue;
    }
    block.resize(at(n * n));
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < n; ++j) block[at(i * n + j)] = q.gram[of_group[i] * q.p + of_group[j]];
    bounds[g] = largest_eigenvalue(block, n);
  }
}

void block_paths(const BlockPaths& paths, const BlockResults& out, runtime::CancelToken& token) {
  struct Scratch {
    std::vector<double> b, gradient, bounds;
  };
  const index_t size = paths.t * paths.p, steps = paths.n_steps;
  runtime::PerWorker<Scratch> scratch([] { return Scratch(); });
  runtime::parallel_for(paths.n_paths, 1, token, [&](index_t k, index_t, index_t) {
    Scratch& mine = scratch.local();
    mine.b.assign(at(size), 0.0);
    mine.gradient.resize(at(size));
    mine.bounds.resize(at(paths.n_groups));
    if (paths.start != nullptr) std::copy_n(paths.start + k * size, size, mine.b.data());
    const BlockQuadratic problem{paths.p,         paths.t,        paths.gram + paths.which[k] * paths.p * paths.p,
                                 paths.linear + k * size, paths.square[k], paths.n_groups,
                                 paths.group_start, paths.member};
    block_bounds(problem, mine.bounds.data());
    const Stop stop{paths.tol * problem.square, paths.violation * std::sqrt(problem.square), paths.max_sweeps};
    for (index_t s = 0; s < steps; ++s) {
      const index_t i = k * steps + s;
      const GroupPenalties penalty{paths.l1[i],     paths.norm[i],     paths.ridge[i],
                                   paths.l1_weight, paths.norm_weight, paths.ridge_weight};
      const Descent done =
          block_descent(problem, penalty, mine.bounds.data(), mine.b.data(), mine.gradient.data(), stop, token);
      std::copy_n(mine.b.data(), size, out.coef + i * size);
      out.gap[i] = done.gap;
      out.violation[i] = done.violation;
      out.objective[i] = done.objective;
      out.n_sweeps[i] = static_cast<std::int32_t>(done.n_sweeps);
    }
  });
}

}  // namespace mlwright::solver
