#include "mlwright/gp/state_space.hpp"

#include <string>

#include "gp/two_ends.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"

namespace mlwright::gp {
namespace {

constexpr index_t kChunkWork = index_t{1} << 18;

double dot(const double* x, const double* y, index_t n) {
  double sum = 0.0;
  for (index_t k = 0; k < n; ++k) sum += x[k] * y[k];
  return sum;
}

void check(const std::vector<Term>& terms) {
  if (terms.empty() || terms.size() > kMostTerms)
    throw InvalidArgument("series: got " + std::to_string(terms.size()) + " terms, expected 1 to " + std::to_string(kMostTerms));
  for (const Term& term : terms)
    if (term.states < 0 || term.states > kMostStates || !(term.variance > 0.0) || !(term.length > 0.0))
      throw InvalidArgument("series: got a term without states, or whose variance or length is not positive");
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

std::vector<index_t> wanted_rows(const Series& series) {
  std::vector<index_t> rows;
  for (index_t i = 0; i < series.n; ++i)
    if (!series.observed[i]) rows.push_back(i);
  return rows;
}

// put(a, b, covariance) for all pairs a <= b of rows wanted, by their places.
template <class Put>
void for_pairs(Smoother& smoother, const std::vector<index_t>& wanted, runtime::CancelToken& token, Put&& put) {
  const index_t s = smoother.states(), m = static_cast<index_t>(wanted.size());
  const auto row = [&](index_t k) { return wanted[static_cast<std::size_t>(k)]; };
  std::vector<double> readers(static_cast<std::size_t>(m * s)), steps(static_cast<std::size_t>(m * s * s));
  index_t place = m;
  smoother.smooth(token, [&](index_t i, const Smoother::Later& later) {
    if (place > 0 && row(place - 1) == i) smoother.read(i, later.N, readers.data() + --place * s);
  });
  for (index_t k = 0; k + 1 < m; ++k) smoother.carry(row(k), row(k + 1), steps.data() + k * s * s, token);
  const index_t grain = std::max<index_t>(1, kChunkWork / (m * s * s + 1));
  runtime::parallel_for(m, grain, token, [&](index_t, index_t begin, index_t end) {
    double h[kMostState], moved[kMostState];
    for (index_t a = begin; a < end; ++a) {
      std::copy_n(smoother.covariances(row(a)), s, h);
      for (index_t b = a; b < m; ++b) {
        put(a, b, dot(h, readers.data() + b * s, s));
        for (index_t k = 0; k < s; ++k) moved[k] = dot(steps.data() + (b * s + k) * s, h, s);
        std::copy_n(moved, s, h);
      }
    }
  });
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
  Filter<double> filter(terms_of(terms), series.n_targets);
  double total = 0.0;
  const bool definite = run(filter, series, 0.0, total, token);
  return {definite, total, {}};
}

bool series_left_out(const std::vector<Term>& terms, const Series& series, double* weights, double* precision,
                     runtime::CancelToken& token) {
  check(terms);
  Smoother smoother(terms, series);
  if (!smoother.filter(token)) return false;
  smoother.smooth(token, [&](index_t i, const Smoother::Later& later) {
    precision[i] = later.precision;
    if (series.observed[i]) std::copy_n(later.weights, series.n_targets, weights + i * series.n_targets);
    else std::fill_n(weights + i * series.n_targets, series.n_targets, 0.0);
  });
  return true;
}

bool series_moments(const std::vector<Term>& terms, const Series& series, double* mean, double* variance,
                    runtime::CancelToken& token) {
  check(terms);
  TwoEnds ends(terms, series);
  if (!ends.filter(token)) return false;
  ends.smooth(token, [&](const Smoother& smoother, index_t k, index_t i, const Smoother::Later& later) {
    const index_t s = smoother.states();
    const double* const g = smoother.covariances(k);
    for (index_t t = 0; t < series.n_targets; ++t)
      mean[i * series.n_targets + t] = smoother.process(k, t) + dot(g, later.r + t * s, s);
    double known = 0.0;
    for (index_t a = 0; a < s; ++a) known += g[a] * dot(later.N + a * s, g, s);
    variance[i] = smoother.variance(k) - known;
  });
  return true;
}

bool series_covariance(const std::vector<Term>& terms, const Series& series, double* out, runtime::CancelToken& token) {
  check(terms);
  TwoEnds ends(terms, series);
  if (!ends.filter(token)) return false;
  const std::vector<index_t> wanted = wanted_rows(series);
  const auto m = static_cast<index_t>(wanted.size());
  for_pairs(ends.first(), wanted, token, [&](index_t a, index_t b, double value) { out[a * m + b] = out[b * m + a] = value; });
  if (ends.last() == nullptr) return true;
  std::vector<index_t> back(wanted.rbegin(), wanted.rend());
  for (index_t& i : back) i = series.n - 1 - i;
  for_pairs(*ends.last(), back, token, [&](index_t k, index_t l, double value) {
    const index_t a = m - 1 - l, b = m - 1 - k;
    if (ends.last_knows_more(wanted[static_cast<std::size_t>(a)], wanted[static_cast<std::size_t>(b)]))
      out[a * m + b] = out[b * m + a] = value;
  });
  return true;
}

}  // namespace mlwright::gp
