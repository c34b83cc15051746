#include "mlwright/sampler/normal_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/base/normal.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "simd/normal_mixture.hpp"
#include "simd/reduce.hpp"

namespace mlwright::sampler {
namespace {

constexpr int kMostSteps = 200;
constexpr double kClose = 1e-6;  // of the least deviation, of a last step of Newton's: what is then left is about its square
constexpr double kTiny = 1e-15;  // of the spread, of any last step
constexpr index_t kRowsAChunk = 16;

struct Components {
  const double* sds;
  std::vector<double> inverse;
  double variance = 0, narrowest = HUGE_VAL, widest = 0;  // the mean of squares, and the extremes

  explicit Components(std::span<const double> given) : sds(given.data()), inverse(given.size()) {
    for (std::size_t k = 0; k < given.size(); ++k) {
      inverse[k] = 1 / given[k];
      narrowest = std::fmin(narrowest, given[k]), widest = std::fmax(widest, given[k]);
    }
    variance = simd::reduce().dot(sds, sds, size()) / static_cast<double>(size());
  }
  index_t size() const noexcept { return static_cast<index_t>(inverse.size()); }
};

class Row {
 public:
  Row(const double* means, const Components& components) : means_(means), components_(components) {
    const index_t n = components.size();
    const auto [low, high] = std::minmax_element(means, means + n);
    low_ = *low, high_ = *high;
    mean_ = simd::reduce().sum(means, n) / static_cast<double>(n);
    double square = 0;
    for (index_t k = 0; k < n; ++k) square += (means[k] - mean_) * (means[k] - mean_);
    spread_ = std::sqrt(square / static_cast<double>(n) + components.variance);
  }

  double quantile(double level) const {
    const double z = normal_quantile(level), reach = (std::fabs(z) + 1) * components_.widest, n = static_cast<double>(components_.size());
    double low = low_ - reach, high = high_ + reach, x = std::clamp(mean_ + spread_ * z, low, high);
    for (int i = 0; i < kMostSteps; ++i) {
      double share, density;
      simd::normal_mixture().below(x, means_, components_.inverse.data(), components_.size(), &share, &density);
      const double over = share / n - level;
      (over > 0 ? high : low) = x;
      const double newton = x - over * n / density;
      const bool is_inside = newton >= low && newton <= high;  // not where the density vanishes
      const double next = is_inside ? newton : 0.5 * (low + high), step = std::fabs(next - x);
      x = next;
      if (step <= kTiny * spread_ || (is_inside && step <= kClose * components_.narrowest)) break;
    }
    return x;
  }

 private:
  const double* means_;
  const Components& components_;
  double low_, high_, mean_, spread_;
};

}  // namespace

void normal_mixture_quantiles(const double* means, index_t rows, index_t components, std::span<const double> sds,
                              std::span<const double> levels, double* out, runtime::CancelToken& token) {
  const auto n = static_cast<std::size_t>(components), n_levels = levels.size();
  const bool is_shared = sds.size() == n;
  const Components shared(sds.first(n));
  runtime::parallel_for(rows, kRowsAChunk, token, [&](index_t, index_t begin, index_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const Components own = is_shared ? shared : Components(sds.subspan(i * n, n));
      const Row row(means + i * n, own);
      for (std::size_t k = 0; k < n_levels; ++k) out[i * n_levels + k] = row.quantile(levels[k]);
    }
  });
}

}  // namespace mlwright::sampler
