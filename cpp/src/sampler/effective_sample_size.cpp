#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/sampler/diagnostics.hpp"
#include "sampler/moments.hpp"

namespace mlwright::sampler {
namespace {

constexpr double kConstant = 1e-15;  // a range below it counts as none, as in ArviZ

// Autocovariances of several chains, lag by lag, averaged over the chains.
class Autocovariance {
 public:
  Autocovariance(const double* x, index_t chains, index_t n) : chains_(chains), n_(n), centred_(x, x + chains * n) {
    for (index_t c = 0; c < chains; ++c) {
      double* chain = centred_.data() + c * n;
      means_.push_back(mean(chain, n));
      for (index_t i = 0; i < n; ++i) chain[i] -= means_.back();
    }
  }

  const std::vector<double>& chain_means() const noexcept { return means_; }

  double at(index_t lag) const noexcept {
    double sum = 0;
    for (index_t c = 0; c < chains_; ++c) {
      const double* chain = centred_.data() + c * n_;
      sum += dot(chain, chain + lag, n_ - lag) / static_cast<double>(n_);
    }
    return sum / static_cast<double>(chains_);
  }

 private:
  index_t chains_, n_;
  std::vector<double> centred_, means_;
};

// Geyer's initial positive and monotone sequences; the integrated autocorrelation time.
double autocorrelation_time(const Autocovariance& covariance, index_t n, double within, double total) {
  const auto rho = [&](index_t lag) { return 1 - (within - covariance.at(lag)) / total; };
  std::vector<double> sequence{1.0, rho(1)};
  double even = 1, odd = sequence[1];
  index_t t = 1;
  for (; t < n - 3 && even + odd > 0; t += 2) {
    even = rho(t + 1);
    odd = rho(t + 2);
    const bool positive = even + odd >= 0;
    sequence.push_back(positive ? even : 0);
    sequence.push_back(positive ? odd : 0);
  }
  const index_t last = t - 2;  // of the sequence; may be -1
  sequence.resize(static_cast<std::size_t>(std::max<index_t>(last + 2, 2)), 0.0);
  auto at = [&](index_t i) -> double& { return sequence[static_cast<std::size_t>(i)]; };
  if (even > 0) at(last + 1) = even;
  for (index_t i = 1; i <= last - 2; i += 2)
    if (at(i + 1) + at(i + 2) > at(i - 1) + at(i)) at(i + 1) = at(i + 2) = (at(i - 1) + at(i)) / 2;
  double tau = -1;
  for (index_t i = 0; i <= last; ++i) tau += 2 * at(i);
  return tau + at(last + 1);
}

}  // namespace

double effective_sample_size(const double* x, index_t chains, index_t n) {
  const auto [low, high] = std::minmax_element(x, x + chains * n);
  const double size = static_cast<double>(chains * n), length = static_cast<double>(n);
  if (*high - *low < kConstant) return size;
  const Autocovariance covariance(x, chains, n);
  const double within = covariance.at(0) * length / (length - 1);
  double total = within * (length - 1) / length;
  if (chains > 1) total += variance(covariance.chain_means().data(), chains);
  constexpr double kLog10 = 2.302585092994045684;
  const double tau = std::max(autocorrelation_time(covariance, n, within, total), kLog10 / log(size));
  return size / tau;
}

}  // namespace mlwright::sampler
