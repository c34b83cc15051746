#include "mlwright/sampler/psis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "sampler/moments.hpp"

namespace mlwright::sampler {
namespace {

constexpr index_t kRows = 4;  // a chunk
constexpr std::size_t kSmallestTail = 5;
constexpr double kEps = std::numeric_limits<double>::epsilon(), kNaN = std::numeric_limits<double>::quiet_NaN();
const double kLogTiny = log(std::numeric_limits<double>::min());

double expm1(double z) noexcept {
  const double u = exp(z);
  return u == 1 ? z : std::fabs(z) < 1 ? (u - 1) * z / log(u) : u - 1;  // Kahan
}

struct Pareto {
  double k, sigma;
  double quantile(double p) const noexcept {
    const double rate = -log1p(-p);
    return sigma * (std::fabs(k) < kEps ? rate : expm1(k * rate) / k);
  }
};

double mean_log(const std::vector<double>& x, double b) noexcept {
  const auto n = static_cast<index_t>(x.size());
  return lane_sum(n, [&](index_t i) { return log1p(-b * x[static_cast<std::size_t>(i)]); }) / static_cast<double>(n);
}

// Zhang and Stephens' profile posterior, with a weak prior of ten observations of k = 1/2. x rises.
Pareto fit_pareto(const std::vector<double>& x, std::vector<double>& b, std::vector<double>& profile) {
  const double n = static_cast<double>(x.size());
  const int m = 30 + static_cast<int>(std::sqrt(n));
  const double quartile = x[static_cast<std::size_t>(n / 4 + 0.5) - 1];
  b.clear(), profile.clear();
  for (int i = 1; i <= m; ++i) {
    b.push_back((1 - std::sqrt(m / (i - 0.5))) / (3 * quartile) + 1 / x.back());
    const double k = mean_log(x, b.back());
    profile.push_back(n * (log(-(b.back() / k)) - k - 1));
  }
  double total = 0, sum = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    double inverse = 0;
    for (const double other : profile) inverse += exp(other - profile[i]);
    const double weight = 1 / inverse;
    if (!(weight >= 10 * kEps)) continue;
    total += weight;
    sum += b[i] * weight;
  }
  const double best = sum / total, k = mean_log(x, best);
  return {(n * k + 5) / (n + 10), -k / best};
}

class Row {
 public:
  explicit Row(index_t draws)
      : x_(static_cast<std::size_t>(draws)), sorted_(x_.size()), tail_(), excess_(), b_(), profile_() {}

  LeftOut operator()(const double* log_likelihood, std::size_t largest_tail) {
    ratios(log_likelihood);
    LeftOut out{kNaN, log_mean(log_likelihood), kNaN};
    if (!std::isfinite(top_)) return out;
    const double cutoff = find_tail(largest_tail);
    out.k_hat = tail_.size() < kSmallestTail ? HUGE_VAL : smooth(exp(cutoff));
    out.log_density = weighted(log_likelihood);
    return out;
  }

 private:
  void ratios(const double* log_likelihood) noexcept {
    bool finite = true;
    top_ = -HUGE_VAL;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      x_[i] = -log_likelihood[i];
      finite = finite && std::isfinite(x_[i]);
      top_ = std::max(top_, x_[i]);
    }
    if (!finite) top_ = kNaN;
    for (double& v : x_) v -= top_;
  }

  double log_mean(const double* log_likelihood) const noexcept {
    const auto n = static_cast<index_t>(x_.size());
    const double largest = *std::max_element(log_likelihood, log_likelihood + n);
    if (!std::isfinite(largest)) return largest;
    return largest + log(lane_sum(n, [=](index_t i) { return exp(log_likelihood[i] - largest); }) / static_cast<double>(n));
  }

  // Draws above the cutoff, in rising order.
  double find_tail(std::size_t largest_tail) {
    sorted_ = x_;
    const auto at = sorted_.begin() + static_cast<std::ptrdiff_t>(sorted_.size() - std::min(largest_tail + 1, sorted_.size()));
    std::nth_element(sorted_.begin(), at, sorted_.end());
    const double cutoff = std::max(*at, kLogTiny);
    tail_.clear();
    for (std::size_t i = 0; i < x_.size(); ++i)
      if (x_[i] > cutoff) tail_.push_back(i);
    std::sort(tail_.begin(), tail_.end(), [this](std::size_t a, std::size_t b) { return x_[a] != x_[b] ? x_[a] < x_[b] : a < b; });
    return cutoff;
  }

  double smooth(double base) {
    excess_.clear();
    for (const std::size_t i : tail_) excess_.push_back(exp(x_[i]) - base);
    const Pareto pareto = fit_pareto(excess_, b_, profile_);
    if (!std::isfinite(pareto.k)) return pareto.k;
    const double n = static_cast<double>(tail_.size());
    for (std::size_t i = 0; i < tail_.size(); ++i)
      x_[tail_[i]] = std::min(log(pareto.quantile((static_cast<double>(i) + 0.5) / n) + base), 0.0);
    return pareto.k;
  }

  // Outside the tail, weight times likelihood is the same for every draw: exp(-top).
  double weighted(const double* log_likelihood) const noexcept {
    double largest = -top_;
    for (const std::size_t i : tail_) largest = std::max(largest, x_[i] + log_likelihood[i]);
    double above = static_cast<double>(x_.size() - tail_.size()) * exp(-top_ - largest);
    for (const std::size_t i : tail_) above += exp(x_[i] + log_likelihood[i] - largest);
    const double below = lane_sum(static_cast<index_t>(x_.size()), [this](index_t i) { return exp(x_[static_cast<std::size_t>(i)]); });
    return largest + log(above) - log(below);
  }

  std::vector<double> x_, sorted_;
  std::vector<std::size_t> tail_;
  std::vector<double> excess_, b_, profile_;
  double top_ = 0;
};

}  // namespace

void pareto_smoothed(const double* log_likelihood, index_t rows, index_t draws, double efficiency, LeftOut* out,
                     runtime::CancelToken& token) {
  const double s = static_cast<double>(draws);
  const auto largest_tail = static_cast<std::size_t>(std::ceil(std::min(s / 5, 3 * std::sqrt(s / efficiency))));
  runtime::PerWorker<Row> scratch([draws] { return Row(draws); });
  runtime::parallel_for(rows, kRows, token, [&](index_t, index_t begin, index_t end) {
    Row& row = scratch.local();
    for (index_t i = begin; i < end; ++i) out[i] = row(log_likelihood + i * draws, largest_tail);
  });
}

}  // namespace mlwright::sampler
