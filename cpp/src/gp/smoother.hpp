// The smoother of state_space.hpp: the filter from the first row to the last, keeping what is needed; then back, with
//   r = what later observations say of the state, N = the information in it (Durbin and Koopman, section 4.4).
#pragma once

#include "gp/filter.hpp"

namespace mlwright::gp {

inline constexpr index_t kRowsAPoll = 4096;

// derivative(k) makes a number the k-th variable, given its value and its derivative by that variable.
template <class Real, class Derivative>
std::vector<TermOf<Real>> terms_as(const std::vector<Term>& terms, Derivative&& derivative) {
  std::vector<TermOf<Real>> out;
  int first = 0;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const Term& term = terms[k];
    const bool constant = term.states == 0;
    const double rate = constant ? 0.0 : rate_of(term);
    out.push_back({constant ? 1 : term.states, first, constant, derivative(2 * k, term.variance, term.variance),
                   derivative(2 * k + 1, rate, -rate)});
    first += out.back().states;
  }
  return out;
}

inline std::vector<TermOf<double>> terms_of(const std::vector<Term>& terms) {
  return terms_as<double>(terms, [](std::size_t, double value, double) { return value; });
}

// A row after another: step(i, dt), and the token asked now and then.
template <class Step>
bool for_rows(const Series& series, runtime::CancelToken& token, Step&& step) {
  for (index_t i = 0; i < series.n; ++i) {
    if (i % kRowsAPoll == 0) token.poll();
    if (!step(i, i == 0 ? 0.0 : series.t[i] - series.t[i - 1])) return false;
  }
  return true;
}

class Smoother {
 public:
  Smoother(const std::vector<Term>& terms, const Series& series)
      : series_(series), filter_(terms_of(terms), series.n_targets), s_(filter_.size()), g_(size(series.n * s_)),
        process_(size(series.n * series.n_targets)), missed_(size(series.n * series.n_targets)), variance_(size(series.n)),
        F_(size(series.n)), weights_(size(series.n_targets)) {}

  // False where the covariance matrix is not positive definite.
  bool filter(runtime::CancelToken& token) {
    double total = 0.0;
    return for_rows(series_, token, [&](index_t i, double dt) {
      filter_.predict(dt);
      double* const g = &g_[size(i * s_)];
      variance_[size(i)] = filter_.observe(g);
      for (index_t t = 0; t < series_.n_targets; ++t) process_[size(i * series_.n_targets + t)] = filter_.process(t);
      if (!series_.observed[i]) return true;
      F_[size(i)] = variance_[size(i)] + series_.noise[i];
      const double* y = series_.y + i * series_.n_targets;
      return filter_.update(g, F_[size(i)], y, &missed_[size(i * series_.n_targets)], total);
    });
  }

  // What a row and those after it tell; weights (n_targets) and precision are of an observed row: K^-1 y, and the diagonal
  // of K^-1.
  struct Later {
    const double *r, *N, *weights;  // n_targets x s, s x s
    double precision;
  };
  // visit(i, later) from the last row to the first.
  template <class Visit>
  void smooth(runtime::CancelToken& token, Visit&& visit) {
    std::vector<double> r(size(series_.n_targets * s_), 0.0), N(size(s_ * s_), 0.0);
    for (index_t i = series_.n - 1; i >= 0; --i) {
      if (i % kRowsAPoll == 0) token.poll();
      if (i + 1 < series_.n) step_back(series_.t[i + 1] - series_.t[i], r, N);
      const double precision = series_.observed[i] ? take_row(i, r, N) : 0.0;
      visit(i, Later{r.data(), N.data(), weights_.data(), precision});
    }
  }

  int states() const noexcept { return s_; }
  // Of the process at a row, given those before it: its covariances with the state, variance, and mean.
  const double* covariances(index_t i) const { return g_.data() + i * s_; }
  double variance(index_t i) const { return variance_[size(i)]; }
  double process(index_t i, index_t t) const { return process_[size(i * series_.n_targets + t)]; }

  // (I - N P) Z' with the N that smooth() gives of a row not observed: what turns covariances with the state there, given
  // the rows before, into those with the process given all rows.
  void read(index_t i, const double* N, double* out) {
    for (int a = 0; a < s_; ++a) {
      out[a] = 0.0;
      for (int b = 0; b < s_; ++b) out[a] -= N[a * s_ + b] * covariances(i)[b];
    }
    for (const auto& term : terms()) out[term.first] += 1.0;
  }

  // T (s x s), which turns covariances with the state at row `from`, given the rows before, into those with the state at
  // row `to`; neither row is observed.
  void carry(index_t from, index_t to, double* T, runtime::CancelToken& token) {
    std::fill_n(T, s_ * s_, 0.0);
    for (int a = 0; a < s_; ++a) T[a * s_ + a] = 1.0;
    for (index_t i = from + 1; i <= to; ++i) {
      if (i % kRowsAPoll == 0) token.poll();
      step_forward(series_.t[i] - series_.t[i - 1], T);
      if (series_.observed[i]) condition(i, T);
    }
  }

 private:
  static std::size_t size(index_t n) { return static_cast<std::size_t>(n); }
  const std::vector<TermOf<double>>& terms() { return filter_.transitions().terms(); }

  void step_forward(double dt, double* T) {
    if (dt == 0.0) return;
    auto& transitions = filter_.transitions();
    transitions.set(dt);
    double moved[kMostState * kMostState];
    for (int j = 0; j < s_; ++j) transitions.forward(T + j, moved + j, s_);
    std::copy_n(moved, s_ * s_, T);
  }

  void condition(index_t i, double* T) {
    double process[kMostState] = {};
    for (const auto& term : terms())
      for (int j = 0; j < s_; ++j) process[j] += T[term.first * s_ + j];
    for (int a = 0; a < s_; ++a) {
      const double gain = covariances(i)[a] / F_[size(i)];
      for (int j = 0; j < s_; ++j) T[a * s_ + j] -= gain * process[j];
    }
  }

  void step_back(double dt, std::vector<double>& r, std::vector<double>& N) {
    if (dt == 0.0) return;
    auto& transitions = filter_.transitions();
    transitions.set(dt);
    double moved[kMostState * kMostState];
    for (index_t t = 0; t < series_.n_targets; ++t) {
      transitions.backward(r.data() + t * s_, moved);
      std::copy_n(moved, s_, r.data() + t * s_);
    }
    for (int j = 0; j < s_; ++j) transitions.backward(N.data() + j, moved + j, s_);        // Phi' N
    for (int i = 0; i < s_; ++i) transitions.backward(moved + i * s_, N.data() + i * s_);  // (Phi' N) Phi
  }

  // Sets weights_ and returns the precision.
  double take_row(index_t i, std::vector<double>& r, std::vector<double>& N) {
    const double F = F_[size(i)];
    double gain[kMostState], Nk[kMostState], kNk = 0.0;
    for (int a = 0; a < s_; ++a) gain[a] = covariances(i)[a] / F;
    for (int a = 0; a < s_; ++a) {
      Nk[a] = 0.0;
      for (int b = 0; b < s_; ++b) Nk[a] += N[size(a * s_ + b)] * gain[b];
    }
    for (int a = 0; a < s_; ++a) kNk += gain[a] * Nk[a];
    for (index_t t = 0; t < series_.n_targets; ++t) {
      double* const rt = r.data() + t * s_;
      double weight = missed_[size(i * series_.n_targets + t)] / F;
      for (int a = 0; a < s_; ++a) weight -= gain[a] * rt[a];
      weights_[size(t)] = weight;
      for (const auto& term : terms()) rt[term.first] += weight;
    }
    // N = Z'Z / F + (I - k Z)' N (I - k Z): rows and columns that the process reads.
    for (const auto& term : terms())
      for (int b = 0; b < s_; ++b) {
        N[size(term.first * s_ + b)] -= Nk[b];
        N[size(b * s_ + term.first)] -= Nk[b];
      }
    for (const auto& a : terms())
      for (const auto& b : terms()) N[size(a.first * s_ + b.first)] += kNk + 1.0 / F;
    return kNk + 1.0 / F;
  }

  Series series_;
  Filter<double> filter_;
  int s_;
  std::vector<double> g_, process_, missed_, variance_, F_, weights_;
};

}  // namespace mlwright::gp
