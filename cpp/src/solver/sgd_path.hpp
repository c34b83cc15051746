// What becomes of one problem of stochastic gradient descent: see mlwright/solver/sgd.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/solver/row_block.hpp"
#include "mlwright/solver/sgd.hpp"

namespace mlwright::solver {

inline constexpr double kMostSlope = 1e12;      // as in scikit-learn: a wild target must not throw the coefficients out of range
inline constexpr double kSmallestScale = 1e-9;  // of the common factor, before it is multiplied into the coefficients
inline constexpr double kLeastEta = 1e-6;       // below which an adaptive step is not divided any more
inline constexpr index_t kAhead = 8;            // visits between asking for a target and reading it

// w = scale * v, so that shrinking all coefficients costs one multiplication. The sum of w over visits is
// sum + reach v - lag, reach being the sum of the scales: a change of v by d at some visit adds reach d to lag.
// Where rows are sparse, v and lag lie side by side between two calls of write().
template <class Block>
class Coefficients {
 public:
  Coefficients(double* w, index_t p, double* sum) : w_(w), p_(p), sum_(sum), v_(w) {
    if (sum == nullptr) return;
    if (Block::kPairs) {
      scratch_.assign(static_cast<std::size_t>(2 * p), 0.0);
      for (index_t j = 0; j < p; ++j) scratch_[static_cast<std::size_t>(2 * j)] = w[j];
      v_ = scratch_.data(), lag_ = v_ + 1, step_ = 2;
    } else {
      scratch_.assign(static_cast<std::size_t>(p), 0.0);
      lag_ = scratch_.data();
    }
  }
  double scale() const { return scale_; }
  double operator[](index_t j) const { return v_[step_ * j]; }  // of v
  void set(index_t j, double value) {
    if (reach_ > 0.0) lag_[step_ * j] += reach_ * (value - v_[step_ * j]);
    v_[step_ * j] = value;
  }
  void shrink(double factor) {
    scale_ *= factor;
    if (scale_ < kSmallestScale) fold();
  }
  double dot(const Block& block, index_t i) const {
    if constexpr (Block::kPairs)
      if (step_ == 2) return scale_ * block.dot_pairs(i, v_);
    return scale_ * block.dot(i, v_);
  }
  void add(const Block& block, index_t i, double c) {
    const double change = c / scale_;
    if constexpr (Block::kPairs)
      if (step_ == 2) return block.add_pairs(i, change, reach_ * change, v_);
    block.add(i, change, v_);
    if (reach_ > 0.0) block.add(i, reach_ * change, lag_);
  }
  void count() { reach_ += scale_; }
  void fold() {
    for (index_t j = 0; j < p_; ++j) {
      if (sum_ != nullptr) {
        sum_[j] += reach_ * v_[step_ * j] - lag_[step_ * j];
        lag_[step_ * j] = 0.0;
      }
      v_[step_ * j] *= scale_;
    }
    scale_ = 1.0;
    reach_ = 0.0;
  }
  // w and the sum as they stand, for others to read.
  void write() {
    fold();
    for (index_t j = 0; step_ == 2 && j < p_; ++j) w_[j] = v_[2 * j];
  }

 private:
  double* w_;
  index_t p_;
  double* sum_;
  double *v_, *lag_ = nullptr;
  index_t step_ = 1;
  double scale_ = 1.0, reach_ = 0.0;
  std::vector<double> scratch_;
};

// One problem and its epochs.
template <class Block>
class SgdPath {
 public:
  SgdPath(index_t p, const SgdSettings& settings, SgdProblem& problem)
      : set_(settings), problem_(problem), p_(p), w_(problem.coef, p, problem.coef_sum), eta_(settings.eta0),
        first_eta_(std::sqrt(1.0 / std::sqrt(settings.alpha))), wants_value_(settings.schedule >= Schedule::pa1) {
    if (settings.penalised && settings.l1_ratio > 0.0) paid_.assign(static_cast<std::size_t>(p), 0.0);
  }

  // `asks_loss`: whether the loss will be looked at.
  void begin(bool asks_loss) {
    asks_loss_ = asks_loss;
    loss_ = nothing_ = 0.0;
  }
  // The visits of a block, the first of which is number t of all.
  void run(const Block& block, const SgdVisits& visits, index_t t) {
    const auto count = static_cast<index_t>(visits.row.size());
    for (index_t i = 0; i < count; ++i) {
      const auto row = [&](index_t at) { return visits.row[static_cast<std::size_t>(at)]; };
      if (i + kAhead < count) __builtin_prefetch(problem_.y + row(i + kAhead));
      visit(block, i, problem_.y[row(i)], visits.weight == nullptr ? 1.0 : visits.weight[i], t + i);
    }
  }
  // Returns whether all parameters and predictions are finite. `total`: the weight of an epoch's visits.
  bool end(double total) {
    w_.write();
    ++problem_.n_iter;
    problem_.loss = loss_;
    if (asks_loss_) problem_.value = loss_ / total + penalty();
    return finite();
  }
  // Whether this was the last epoch, by its value.
  bool stops() {
    waited_ = problem_.value > best_ - set_.tol ? waited_ + 1 : 0;
    best_ = std::min(best_, problem_.value);
    if (waited_ < set_.patience) return false;
    if (set_.schedule != Schedule::adaptive || eta_ <= kLeastEta) return true;
    eta_ /= 5.0;
    waited_ = 0;
    return false;
  }

 private:
  void visit(const Block& block, index_t i, double y, double weight, index_t t) {
    const double p = w_.dot(block, i) + *problem_.intercept, eta = rate(t);
    const loss::ValueAndSlope loss =
        asks_loss_ || wants_value_ ? set_.loss.value_and_slope(y, p) : loss::ValueAndSlope{0.0, set_.loss.slope(y, p)};
    nothing_ += 0.0 * p;
    loss_ += weight * loss.value;
    const double balance = y > 0.0 ? problem_.weight_positive : problem_.weight_negative;
    const double step = length(block, i, y, p, loss, eta) * weight * balance;
    if (set_.alpha > 0.0 && set_.l1_ratio < 1.0) w_.shrink(std::max(0.0, 1.0 - (1.0 - set_.l1_ratio) * eta * set_.alpha));
    if (step != 0.0) {
      w_.add(block, i, step);
      if (set_.fit_intercept) *problem_.intercept += step;
    }
    if (!paid_.empty()) pay(block, i, eta);
    if (set_.average > 0 && set_.average <= t) {
      w_.count();
      *problem_.intercept_sum += *problem_.intercept;
    }
  }

  double rate(index_t t) const {
    const double now = static_cast<double>(t);
    switch (set_.schedule) {
      case Schedule::optimal: return 1.0 / (1.0 / first_eta_ + set_.alpha * (now - 1.0));
      case Schedule::invscaling:
        return set_.power_t == 0.5 ? set_.eta0 / std::sqrt(now) : set_.eta0 * mlwright::exp(-set_.power_t * mlwright::log(now));
      default: return eta_;
    }
  }

  // What a row is multiplied by before it is added, its weights apart.
  double length(const Block& block, index_t i, double y, double p, const loss::ValueAndSlope& loss, double eta) const {
    if (set_.schedule < Schedule::pa1) return -eta * std::clamp(loss.slope, -kMostSlope, kMostSlope);
    double square = 0.0;
    block.each(i, [&](index_t, double x) { square += x * x; });
    if (set_.schedule == Schedule::pa1 && square == 0.0) return 0.0;
    const double size = set_.schedule == Schedule::pa1 ? std::min(set_.eta0, loss.value / square) : loss.value / (square + 0.5 / set_.eta0);
    if (set_.loss.kind == loss::Margin::hinge) return size * y;
    return y < p ? -size : size;
  }

  void pay(const Block& block, index_t i, double eta) {
    const double due = due_ += set_.l1_ratio * eta * set_.alpha, scale = w_.scale();
    block.each(i, [&](index_t j, double x) {
      if (x == 0.0) return;  // dense and sparse rows pay alike
      double& paid = paid_[static_cast<std::size_t>(j)];
      const double before = w_[j];
      if (before > 0.0) w_.set(j, std::max(0.0, before - (due + paid) / scale));
      else if (before < 0.0) w_.set(j, std::min(0.0, before + (due - paid) / scale));
      paid += scale * (w_[j] - before);
    });
  }

  // Of the objective; it may overflow where the coefficients do not.
  double penalty() const {
    if (!set_.penalised || wants_value_) return 0.0;
    double squares = 0.0, sizes = 0.0;
    for (index_t j = 0; j < p_; ++j) {
      squares += problem_.coef[j] * problem_.coef[j];
      sizes += std::fabs(problem_.coef[j]);
    }
    return set_.alpha * (0.5 * (1.0 - set_.l1_ratio) * squares + set_.l1_ratio * sizes);
  }

  bool finite() const {
    double nothing = nothing_ + 0.0 * *problem_.intercept;
    for (index_t j = 0; j < p_; ++j) nothing += 0.0 * problem_.coef[j];
    if (problem_.coef_sum != nullptr) {
      nothing += 0.0 * *problem_.intercept_sum;
      for (index_t j = 0; j < p_; ++j) nothing += 0.0 * problem_.coef_sum[j];
    }
    return nothing == 0.0;
  }

  const SgdSettings& set_;
  SgdProblem& problem_;
  index_t p_;
  Coefficients<Block> w_;
  std::vector<double> paid_;  // L1 penalty paid by each coefficient; empty without
  double due_ = 0.0;          // L1 penalty fallen due
  double eta_;                // of the constant and adaptive schedules
  double first_eta_, loss_ = 0.0;
  double nothing_ = 0.0;      // NaN once a prediction was not finite
  double best_ = std::numeric_limits<double>::infinity();
  index_t waited_ = 0;        // epochs without progress
  bool wants_value_;          // the passive-aggressive steps need it
  bool asks_loss_ = true;
};

}  // namespace mlwright::solver
