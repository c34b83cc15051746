#include "mlwright/sampler/count_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "count_panels.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/base/normal.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"

namespace mlwright::sampler {
namespace {

constexpr double kMost = 1e15;
constexpr int kMostSteps = 400, kNewtonSteps = 12;
constexpr index_t kRowsAChunk = 8;

// The quantile of a gamma law of that mean and variance (Wilson and Hilferty 1931), as a count.
double guess(double mean, double variance, double z) noexcept {
  if (!(mean > 0)) return 0;
  const double c = variance / (9 * mean * mean), root = 1 - c + z * std::sqrt(c);
  return std::floor(std::fmin(mean * std::fmax(0, root * root * root), 8 * kMost));
}

class Row {
 public:
  explicit Row(const CountComponents& components) : components_(&components), ordered_(static_cast<std::size_t>(components.longest), 0.0) {
    for (const CountGroup& group : components.groups) panels_.emplace_back(group);
  }

  void read(const double* means, index_t row) {
    const auto& order = components_->order;
    const auto& phi = components_->dispersions;
    double sum = 0, square = 0, swell = 0;
    for (std::size_t g = 0; g < panels_.size(); ++g) {
      const CountGroup& group = components_->groups[g];
      for (index_t i = 0; i < group.size; ++i) {
        const auto component = static_cast<std::size_t>(order[static_cast<std::size_t>(group.begin + i)]);
        if (!(means[component] >= 0)) refuse(means[component], row);
        const double m = std::fmin(means[component], kMost);
        ordered_[static_cast<std::size_t>(i)] = m;
        sum += m, square += m * m;
        if (!phi.empty()) swell += phi[component] * m * m;
      }
      std::fill(ordered_.begin() + group.size, ordered_.begin() + group.padded, 0.0);
      panels_[g].read(ordered_.data());
    }
    const auto n = static_cast<double>(order.size());
    mean_ = sum / n, variance_ = mean_ + swell / n + std::fmax(0, square / n - mean_ * mean_);
  }

  void quantiles(std::span<const double> levels, double* out) {
    for (std::size_t i = 0; i < levels.size(); ++i) out[i] = guess(mean_, variance_, normal_quantile(levels[i]));
    const auto [least, most] = std::minmax_element(out, out + levels.size());
    prepare(*least, *most);
    for (std::size_t i = 0; i < levels.size(); ++i) out[i] = quantile(levels[i], out[i]);
  }

 private:
  struct Place {
    double share, share_before;  // F(k) and F(k - 1)
  };

  double quantile(double level, double k) {
    double low = -1, high = HUGE_VAL;  // F(low) < level <= F(high)
    for (int step = 0; step < kMostSteps; ++step) {
      const Place here = at(k);
      if (here.share >= level && here.share_before < level) return k;
      const bool rises = here.share < level;
      (rises ? low : high) = rises ? k : k - 1;
      if (low + 1 >= high) return high;
      const double slope = here.share - here.share_before;
      const double newton = rises ? k + std::ceil((level - here.share) / slope) : k - 1 - std::floor((here.share_before - level) / slope);
      const double between = high < HUGE_VAL ? std::floor(low + 0.5 * (high - low)) : 2 * k + 16;
      const bool is_inside = newton > low && newton <= high && newton <= 2 * k + 16;
      const double next = is_inside && step < kNewtonSteps ? newton : between;
      if (next == low || next == k) return high;  // counts that doubles do not tell apart
      k = next;
    }
    return k;
  }

  [[noreturn]] static void refuse(double mean, index_t row) {
    throw InvalidArgument("means of counts: row " + std::to_string(row) + " has one of " + std::to_string(mean) +
                          ", expected means that are not negative; a log link keeps them so");
  }

  void prepare(double low, double high) {
    for (CountPanels& panels : panels_) panels.prepare(low, high);
  }

  Place at(double k) {
    if (!std::all_of(panels_.begin(), panels_.end(), [k](const CountPanels& panels) { return panels.covers(k); })) prepare(k, k);
    CountShares shares;
    for (const CountPanels& panels : panels_) panels.add(k, shares);
    const auto n = static_cast<double>(components_->order.size());
    return {1 - shares.above / n, k > 0 ? 1 - shares.above_before / n : 0};
  }

  const CountComponents* components_;
  std::vector<double> ordered_;
  std::vector<CountPanels> panels_;
  double mean_ = 0, variance_ = 0;
};

}  // namespace

void count_mixture_quantiles(const double* means, index_t rows, index_t components, std::span<const double> dispersions,
                             std::span<const double> levels, double* out, runtime::CancelToken& token) {
  const CountComponents known(components, dispersions);
  runtime::PerWorker<Row> scratch([&] { return Row(known); });
  runtime::parallel_for(rows, kRowsAChunk, token, [&](index_t, index_t begin, index_t end) {
    Row& row = scratch.local();
    for (index_t i = begin; i < end; ++i) {
      row.read(means + i * components, i);
      row.quantiles(levels, out + static_cast<std::size_t>(i) * levels.size());
    }
  });
}

}  // namespace mlwright::sampler
