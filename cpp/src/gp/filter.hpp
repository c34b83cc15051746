// The filter of state_space.hpp over numbers of any kind: the state of a sum of terms, one observed row after another.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "gp/matern_state.hpp"
#include "mlwright/gp/state_space.hpp"

namespace mlwright::gp {

inline constexpr int kMostState = kMostTerms * kMostStates;

// Terms in the numbers of the filter: their parameters as what is differentiated by.
template <class Real>
struct TermOf {
  int states, first;  // of its own, and its place in the state; a constant has one
  bool constant;
  Real variance, rate;  // rate: sqrt(2 nu) / length
};

// Farther away nothing is left of a state, and no product of a zero with a power of the distance is NaN.
inline constexpr double kFarthest = 1e3;

inline double rate_of(const Term& term) { return std::sqrt(2.0 * term.states - 1.0) / term.length; }

// Each step from one row to the next; steps of one length are computed once.
template <class Real>
class Transitions {
 public:
  explicit Transitions(std::vector<TermOf<Real>> terms) : terms_(std::move(terms)), steps_(terms_.size()) {
    for (const auto& term : terms_) size_ += term.states;
  }
  int size() const noexcept { return size_; }
  const std::vector<TermOf<Real>>& terms() const noexcept { return terms_; }

  void set(double dt) {
    if (dt == dt_) return;
    dt_ = dt;
    for (std::size_t k = 0; k < terms_.size(); ++k) {
      const auto& term = terms_[k];
      if (term.constant) continue;
      const Real far = term.rate * Real(dt);
      steps_[k] = matern_step<Real>(term.states, term.variance, value_of(far) < kFarthest ? far : Real(kFarthest));
    }
  }
  // out = Phi x, of a vector with that stride.
  void forward(const Real* x, Real* out, index_t stride = 1) const { apply<false>(x, out, stride); }
  void backward(const Real* x, Real* out, index_t stride = 1) const { apply<true>(x, out, stride); }  // Phi' x

  void add_noise(Real* P) const {
    for (std::size_t k = 0; k < terms_.size(); ++k) {
      const auto& term = terms_[k];
      if (term.constant) continue;
      for (int i = 0; i < term.states; ++i)
        for (int j = 0; j < term.states; ++j) P[(term.first + i) * size_ + term.first + j] += steps_[k].noise[i][j];
    }
  }

 private:
  template <bool kTransposed>
  void apply(const Real* x, Real* out, index_t stride) const {
    for (std::size_t k = 0; k < terms_.size(); ++k) {
      const auto& term = terms_[k];
      const Real* in = x + term.first * stride;
      Real* to = out + term.first * stride;
      if (term.constant) {
        to[0] = in[0];
        continue;
      }
      for (int i = 0; i < term.states; ++i) {
        Real sum(0.0);
        for (int j = 0; j < term.states; ++j)
          sum += (kTransposed ? steps_[k].transition[j][i] : steps_[k].transition[i][j]) * in[j * stride];
        to[i * stride] = sum;
      }
    }
  }

  std::vector<TermOf<Real>> terms_;
  std::vector<StateStep<Real>> steps_;
  int size_ = 0;
  double dt_ = -1.0;
};

// P of `from` and means of all targets, before and after a row.
template <class Real>
class Filter {
 public:
  Filter(std::vector<TermOf<Real>> terms, index_t n_targets)
      : transitions_(std::move(terms)), s_(transitions_.size()), n_targets_(n_targets),
        mean_(static_cast<std::size_t>(s_ * n_targets), Real(0.0)) {
    std::fill_n(P_, s_ * s_, Real(0.0));
    for (const auto& term : transitions_.terms()) {
      least_ += value_of(term.variance);
      for (int i = 0; i < term.states; ++i)
        for (int j = 0; j < term.states; ++j) {
          const double unit = term.constant ? 1.0 : stationary(term.states, i, j);
          P_[(term.first + i) * s_ + term.first + j] = term.variance * Real(unit);
        }
    }
    least_ *= 4.0 * std::numeric_limits<double>::epsilon();
  }

  void predict(double dt) {
    if (dt == 0.0) return;
    transitions_.set(dt);
    Real half[kMostState * kMostState];
    for (int j = 0; j < s_; ++j) transitions_.forward(P_ + j, half + j, s_);            // Phi P
    for (int i = 0; i < s_; ++i) transitions_.forward(half + i * s_, P_ + i * s_);      // (Phi P) Phi'
    transitions_.add_noise(P_);
    Real moved[kMostState];
    for (index_t t = 0; t < n_targets_; ++t) {
      transitions_.forward(mean_.data() + t * s_, moved);
      std::copy_n(moved, s_, mean_.data() + t * s_);
    }
  }

  // g = P Z': covariances of the state with the process at this row; returns its variance.
  Real observe(Real* g) const {
    Real variance(0.0);
    for (int i = 0; i < s_; ++i) {
      g[i] = Real(0.0);
      for (const auto& term : transitions_.terms()) g[i] += P_[i * s_ + term.first];
    }
    for (const auto& term : transitions_.terms()) variance += g[term.first];
    return variance;
  }

  Real process(index_t target) const {
    Real sum(0.0);
    for (const auto& term : transitions_.terms()) sum += mean_[static_cast<std::size_t>(target * s_ + term.first)];
    return sum;
  }

  // The row's observation with total variance F: its part of the log likelihood, and the state given it. `missed` gets
  // the errors of the predictions. False where F is not positive, up to rounding.
  bool update(const Real* g, const Real& F, const double* y, Real* missed, Real& log_likelihood) {
    const double f = value_of(F);
    if (!(f > least_ && f < std::numeric_limits<double>::infinity())) return false;
    Real squares(0.0);
    for (index_t t = 0; t < n_targets_; ++t) {
      missed[t] = Real(y[t]) - process(t);
      const Real scaled = missed[t] / F;
      squares += missed[t] * scaled;
      for (int i = 0; i < s_; ++i) mean_[static_cast<std::size_t>(t * s_ + i)] += g[i] * scaled;
    }
    for (int i = 0; i < s_; ++i) {
      const Real gain = g[i] / F;
      for (int j = 0; j < s_; ++j) P_[i * s_ + j] -= gain * g[j];
    }
    const double log_f = mlwright::log(2.0 * std::numbers::pi * f);
    log_likelihood -= Real(0.5) * (Real(static_cast<double>(n_targets_)) * chain(F, log_f, 1.0 / f) + squares);
    return true;
  }

  int size() const noexcept { return s_; }
  Transitions<Real>& transitions() noexcept { return transitions_; }

 private:
  Transitions<Real> transitions_;
  int s_;
  index_t n_targets_;
  std::vector<Real> mean_;  // n_targets x s
  Real P_[kMostState * kMostState];
  double least_ = 0.0;
};

}  // namespace mlwright::gp
