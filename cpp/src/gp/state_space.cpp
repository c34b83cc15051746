#include "mlwright/gp/state_space.hpp"

#include <string>

#include "gp/filter.hpp"
#include "mlwright/base/error.hpp"

namespace mlwright::gp {
namespace {

constexpr index_t kRowsAPoll = 4096;

void check(const std::vector<Term>& terms) {
  if (terms.empty() || terms.size() > kMostTerms)
    throw InvalidArgument("series: got " + std::to_string(terms.size()) + " terms, expected 1 to " + std::to_string(kMostTerms));
  for (const Term& term : terms)
    if (term.states < 0 || term.states > kMostStates || !(term.variance > 0.0) || !(term.length > 0.0))
      throw InvalidArgument("series: got a term without states, or whose variance or length is not positive");
}

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

// A row after another: step(i, dt), and the token asked now and then.
template <class Step>
bool for_rows(const Series& series, runtime::CancelToken& token, Step&& step) {
  for (index_t i = 0; i < series.n; ++i) {
    if (i % kRowsAPoll == 0) token.poll();
    if (!step(i, i == 0 ? 0.0 : series.t[i] - series.t[i - 1])) return false;
  }
  return true;
}

template <class Real>
bool run(Filter<Real>& filter, const Series& series, const Real& more_noise, Real& total, runtime::CancelToken& token) {
  Real g[kMostState];
  std::vector<Real> missed(static_cast<std::size_t>(series.n_targets));
  return for_rows(series, token, [&](index_t i, double dt) {
    filter.predict(dt);
    if (!series.observed[i]) return true;
    const Real F = filter.observe(g) + Real(series.noise[i]) + more_noise;
    return filter.update(g, F, series.y + i * series.n_targets, missed.data(), total);
  });
}

template <int kTerms>
SeriesLikelihood with_gradient_of(const std::vector<Term>& terms, const Series& series, runtime::CancelToken& token) {
  using Real = Dual<2 * kTerms + 1>;
  Filter<Real> filter(terms_as<Real>(terms, [](std::size_t k, double value, double slope) {
    Real out(value);
    out.d[k] = slope;
    return out;
  }), series.n_targets);
  Real noise(0.0), total(0.0);
  noise.d[2 * kTerms] = 1.0;
  if (!run(filter, series, noise, total, token)) return {false, 0.0, {}};
  return {true, total.v, std::vector<double>(total.d, total.d + 2 * kTerms + 1)};
}


// The filter forwards, keeping what the smoother needs; then rows backwards, with
//   r = what later observations say of the state, N = the information in it (Durbin and Koopman, section 4.4).
class Smoother {
 public:
  Smoother(const std::vector<Term>& terms, const Series& series)
      : series_(series), filter_(terms_as<double>(terms, [](std::size_t, double value, double) { return value; }), series.n_targets),
        s_(filter_.size()), g_(size(series.n * s_)), process_(size(series.n * series.n_targets)),
        missed_(size(series.n * series.n_targets)), variance_(size(series.n)), F_(size(series.n)) {}

  bool forwards(runtime::CancelToken& token) {
    double total = 0.0;
    return for_rows(series_, token, [&](index_t i, double dt) {
      filter_.predict(dt);
      double* const g = row(i);
      variance_[size(i)] = filter_.observe(g);
      for (index_t t = 0; t < series_.n_targets; ++t) process_[size(i * series_.n_targets + t)] = filter_.process(t);
      if (!series_.observed[i]) return true;
      F_[size(i)] = variance_[size(i)] + series_.noise[i];
      const double* y = series_.y + i * series_.n_targets;
      return filter_.update(g, F_[size(i)], y, &missed_[size(i * series_.n_targets)], total);
    });
  }

  // visit(i, r, N) with r (n_targets x s) and N (s x s) as they stand before row i, from the last row to the first.
  template <class Visit>
  void backwards(const SeriesPosterior& out, runtime::CancelToken& token, Visit&& visit) {
    std::vector<double> r(size(series_.n_targets * s_), 0.0), N(size(s_ * s_), 0.0);
    for (index_t i = series_.n - 1; i >= 0; --i) {
      if (i % kRowsAPoll == 0) token.poll();
      if (i + 1 < series_.n) step_back(series_.t[i + 1] - series_.t[i], r, N);
      if (series_.observed[i]) take_row(i, r, N, out);
      visit(i, r.data(), N.data());
    }
  }

  double* row(index_t i) { return g_.data() + i * s_; }
  int states() const noexcept { return s_; }
  double variance(index_t i) const { return variance_[size(i)]; }
  double total_variance(index_t i) const { return F_[size(i)]; }
  double process(index_t i, index_t t) const { return process_[size(i * series_.n_targets + t)]; }
  Transitions<double>& transitions() { return filter_.transitions(); }

 private:
  static std::size_t size(index_t n) { return static_cast<std::size_t>(n); }

  void step_back(double dt, std::vector<double>& r, std::vector<double>& N) {
    if (dt == 0.0) return;
    auto& transitions = filter_.transitions();
    transitions.set(dt);
    double moved[kMostState * kMostState];
    for (index_t t = 0; t < series_.n_targets; ++t) {
      transitions.backward(r.data() + t * s_, moved);
      std::copy_n(moved, s_, r.data() + t * s_);
    }
    for (int j = 0; j < s_; ++j) transitions.backward(N.data() + j, moved + j, s_);      // Phi' N
    for (int i = 0; i < s_; ++i) transitions.backward(moved + i * s_, N.data() + i * s_);  // (Phi' N) Phi
  }

  void take_row(index_t i, std::vector<double>& r, std::vector<double>& N, const SeriesPosterior& out) {
    const double F = F_[size(i)];
    const double* const g = row(i);
    double gain[kMostState], Nk[kMostState], kNk = 0.0;
    for (int a = 0; a < s_; ++a) gain[a] = g[a] / F;
    for (int a = 0; a < s_; ++a) {
      Nk[a] = 0.0;
      for (int b = 0; b < s_; ++b) Nk[a] += N[size(a * s_ + b)] * gain[b];
    }
    for (int a = 0; a < s_; ++a) kNk += gain[a] * Nk[a];
    if (out.precision != nullptr) out.precision[i] = 1.0 / F + kNk;
    for (index_t t = 0; t < series_.n_targets; ++t) {
      double* const rt = r.data() + t * s_;
      double weight = missed_[size(i * series_.n_targets + t)] / F;
      for (int a = 0; a < s_; ++a) weight -= gain[a] * rt[a];
      if (out.weights != nullptr) out.weights[i * series_.n_targets + t] = weight;
      for (const auto& term : filter_.transitions().terms()) rt[term.first] += weight;
    }
    // N = Z'Z / F + (I - k Z)' N (I - k Z): rows and columns that the process reads.
    const auto& terms = filter_.transitions().terms();
    for (const auto& term : terms)
      for (int b = 0; b < s_; ++b) {
        N[size(term.first * s_ + b)] -= Nk[b];
        N[size(b * s_ + term.first)] -= Nk[b];
      }
    for (const auto& a : terms)
      for (const auto& b : terms) N[size(a.first * s_ + b.first)] += kNk + 1.0 / F;
  }

  const Series& series_;
  Filter<double> filter_;
  int s_;
  std::vector<double> g_, process_, missed_, variance_, F_;
};

double quadratic(const double* x, const double* N, const double* y, int s) {
  double sum = 0.0;
  for (int a = 0; a < s; ++a)
    for (int b = 0; b < s; ++b) sum += x[a] * N[a * s + b] * y[b];
  return sum;
}

}  // namespace

SeriesLikelihood series_likelihood(const std::vector<Term>& terms, const Series& series, bool with_gradient,
                                   runtime::CancelToken& token) {
  check(terms);
  if (with_gradient) switch (terms.size()) {
      case 1: return with_gradient_of<1>(terms, series, token);
      case 2: return with_gradient_of<2>(terms, series, token);
      case 3: return with_gradient_of<3>(terms, series, token);
      default: return with_gradient_of<kMostTerms>(terms, series, token);
    }
  Filter<double> filter(terms_as<double>(terms, [](std::size_t, double value, double) { return value; }), series.n_targets);
  double total = 0.0;
  const bool definite = run(filter, series, 0.0, total, token);
  return {definite, total, {}};
}

bool series_posterior(const std::vector<Term>& terms, const Series& series, const SeriesPosterior& out,
                      runtime::CancelToken& token) {
  check(terms);
  Smoother smoother(terms, series);
  if (!smoother.forwards(token)) return false;
  const int s = smoother.states();
  smoother.backwards(out, token, [&](index_t i, const double* r, const double* N) {
    const double* const g = smoother.row(i);
    for (index_t t = 0; t < series.n_targets && out.mean != nullptr; ++t) {
      double mean = smoother.process(i, t);
      for (int a = 0; a < s; ++a) mean += g[a] * r[t * s + a];
      out.mean[i * series.n_targets + t] = mean;
    }
    if (out.variance != nullptr) out.variance[i] = smoother.variance(i) - quadratic(g, N, g, s);
  });
  return true;
}

bool series_covariance(const std::vector<Term>& terms, const Series& series, double* out, runtime::CancelToken& token) {
  check(terms);
  Smoother smoother(terms, series);
  if (!smoother.forwards(token)) return false;
  const int s = smoother.states();
  std::vector<index_t> wanted;
  for (index_t i = 0; i < series.n; ++i)
    if (!series.observed[i]) wanted.push_back(i);
  const auto m = static_cast<index_t>(wanted.size());
  // (I - N P) Z' of each wanted row: what a state carried there must be multiplied with.
  std::vector<double> reader(static_cast<std::size_t>(m * s));
  index_t place = m;
  smoother.backwards({}, token, [&](index_t i, const double*, const double* N) {
    if (series.observed[i]) return;
    double* const to = reader.data() + --place * s;
    for (int a = 0; a < s; ++a) {
      to[a] = 0.0;
      for (int b = 0; b < s; ++b) to[a] -= N[a * s + b] * smoother.row(i)[b];
    }
    for (const auto& term : smoother.transitions().terms()) to[term.first] += 1.0;
  });
  Transitions<double> transitions = smoother.transitions();
  for (index_t a = 0; a < m; ++a) {
    token.poll();
    double h[kMostState], moved[kMostState];
    std::copy_n(smoother.row(wanted[static_cast<std::size_t>(a)]), s, h);
    index_t b = a;
    for (index_t i = wanted[static_cast<std::size_t>(a)]; b < m; ++i) {
      if (i > wanted[static_cast<std::size_t>(a)]) {
        if (const double dt = series.t[i] - series.t[i - 1]; dt > 0.0) {
          transitions.set(dt);
          transitions.forward(h, moved);
          std::copy_n(moved, s, h);
        }
      }
      if (series.observed[i]) {
        double process = 0.0;
        for (const auto& term : transitions.terms()) process += h[term.first];
        process /= smoother.total_variance(i);
        for (int k = 0; k < s; ++k) h[k] -= smoother.row(i)[k] * process;
        continue;
      }
      double covariance = 0.0;
      for (int k = 0; k < s; ++k) covariance += h[k] * reader[static_cast<std::size_t>(b * s + k)];
      out[a * m + b] = out[b * m + a] = covariance;
      ++b;
    }
  }
  return true;
}

}  // namespace mlwright::gp
