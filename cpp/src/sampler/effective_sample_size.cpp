#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/sampler/diagnostics.hpp"
#include "sampler/moments.hpp"
#include "simd/reduce.hpp"

namespace mlwright::sampler {
namespace {

constexpr double kConstant = 1e-15;  // a range below it counts as none, as in ArviZ

// Autocovariances of several chains, lag by lag, averaged over the chains.
class OfNumbers {
 public:
  OfNumbers(const double* x, index_t chains, index_t n) : chains_(chains), n_(n), centred_(x, x + chains * n) {
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
      sum += simd::reduce().dot(chain, chain + lag, n_ - lag) / static_cast<double>(n_);
    }
    return sum / static_cast<double>(chains_);
  }

 private:
  index_t chains_, n_;
  std::vector<double> centred_, means_;
};

// The same of chains of zeros and ones, kept as bits: products are counted 64 at a time.
class OfBits {
 public:
  OfBits(const double* x, double threshold, index_t chains, index_t n) : chains_(chains), n_(n), words_(n / 64 + 2) {
    bits_.assign(static_cast<std::size_t>(chains * words_), 0);
    before_.assign(bits_.size(), 0);
    for (index_t c = 0; c < chains; ++c) {
      std::uint64_t* chain = bits_.data() + c * words_;
      for (index_t begin = 0; begin < n; begin += 64)
        for (index_t i = begin; i < std::min(begin + 64, n); ++i)
          chain[begin / 64] |= std::uint64_t{x[c * n + i] <= threshold} << (i - begin);
      index_t* before = before_.data() + c * words_;
      for (index_t w = 1; w < words_; ++w) before[w] = before[w - 1] + std::popcount(chain[w - 1]);
      means_.push_back(static_cast<double>(ones_before(c, n)) / static_cast<double>(n));
    }
  }

  bool constant() const noexcept {
    index_t ones = 0;
    for (index_t c = 0; c < chains_; ++c) ones += ones_before(c, n_);
    return ones == 0 || ones == chains_ * n_;
  }
  const std::vector<double>& chain_means() const noexcept { return means_; }

  double at(index_t lag) const noexcept {
    double sum = 0;
    for (index_t c = 0; c < chains_; ++c) {
      const double m = means_[static_cast<std::size_t>(c)], pairs = static_cast<double>(n_ - lag);
      const index_t ones = ones_before(c, n_ - lag) + ones_before(c, n_) - ones_before(c, lag);
      sum += (static_cast<double>(both(c, lag)) - m * static_cast<double>(ones) + pairs * m * m) / static_cast<double>(n_);
    }
    return sum / static_cast<double>(chains_);
  }

 private:
  // Ones among the first `end` draws of a chain.
  index_t ones_before(index_t c, index_t end) const noexcept {
    const auto w = static_cast<std::size_t>(c * words_ + end / 64);
    return before_[w] + std::popcount(bits_[w] & ((std::uint64_t{1} << (end % 64)) - 1));
  }

  // Ones that are followed by a one after `lag` draws. Beyond the last draw there are zeros, a word of them at least.
  index_t both(index_t c, index_t lag) const noexcept {
    const std::uint64_t* const chain = bits_.data() + c * words_;
    const index_t skip = lag / 64, shift = lag % 64;
    index_t count = 0;
    for (index_t w = 0; w + skip + 1 < words_; ++w) {
      const std::uint64_t* later = chain + w + skip;
      count += std::popcount(chain[w] & (later[0] >> shift | later[1] << 1 << (63 - shift)));
    }
    return count;
  }

  index_t chains_, n_, words_;
  std::vector<std::uint64_t> bits_;
  std::vector<index_t> before_;  // ones in the words before, a number for each word
  std::vector<double> means_;
};

// Geyer's initial positive and monotone sequences; the integrated autocorrelation time.
template <class Autocovariance>
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

template <class Autocovariance>
double size_of(const Autocovariance& covariance, index_t chains, index_t n) {
  const double size = static_cast<double>(chains * n), length = static_cast<double>(n);
  const double within = covariance.at(0) * length / (length - 1);
  double total = within * (length - 1) / length;
  if (chains > 1) total += variance(covariance.chain_means().data(), chains);
  constexpr double kLog10 = 2.302585092994045684;
  const double tau = std::max(autocorrelation_time(covariance, n, within, total), kLog10 / log(size));
  return size / tau;
}

}  // namespace

double effective_sample_size(const double* x, index_t chains, index_t n) {
  const auto [low, high] = extremes(x, chains * n);
  if (high - low < kConstant) return static_cast<double>(chains * n);
  return size_of(OfNumbers(x, chains, n), chains, n);
}

double effective_sample_size_below(const double* x, double threshold, index_t chains, index_t n) {
  const OfBits covariance(x, threshold, chains, n);
  if (covariance.constant()) return static_cast<double>(chains * n);
  return size_of(covariance, chains, n);
}

}  // namespace mlwright::sampler
