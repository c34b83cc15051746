// Losses of one target with several outputs: quantiles that share trees, and the normal law.
#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/loss/info.hpp"
#include "mlwright/loss/normal.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/objective.hpp"
#include "simd/losses.hpp"
#include "simd/math.hpp"
#include "tree/weighted_mean.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kGrain = 16384;

// Every tree is cut along one direction v of the K gradients, sum_k v_k ([y < q_k] - a_k), and all K quantiles are renewed
// in its leaves. The directions take turns: the sum sees where the location changes, the contrast of high against low
// levels where the spread does, to which the sum is blind.
class QuantilesObjective final : public Objective {
 public:
  explicit QuantilesObjective(std::vector<double> levels) : levels_(std::move(levels)), pinball_(loss::find("quantile")) {
    double middle = 0;
    for (const double a : levels_) middle += a / static_cast<double>(levels_.size());
    double size = 0;
    for (const double a : levels_) size = std::max(size, std::abs(a - middle));
    for (const double a : levels_) spread_.push_back(size > 0 ? (a - middle) / size : 1.0);
  }

  int n_outputs() const noexcept override { return static_cast<int>(levels_.size()); }
  bool shares_trees() const noexcept override { return true; }
  bool constant_hessian() const noexcept override { return true; }
  bool renews_leaves() const noexcept override { return true; }
  bool cheap_gradients() const noexcept override { return true; }

  void prepare(const Targets& y, std::span<const double>, std::uint64_t iteration, runtime::CancelToken&) override {
    n_rows_ = static_cast<index_t>(y.size());
    by_spread_ = levels_.size() > 1 && iteration % kTurn == kTurn - 1;
  }

  void gradients(const double* y, const double* raw, int, index_t begin, index_t end, double* g, double*) const override {
    std::fill(g, g + (end - begin), 0.0);
    for (std::size_t k = 0; k < levels_.size(); ++k) {
      const double v = by_spread_ ? spread_[k] : 1.0, above = -v * levels_[k], below = v * (1.0 - levels_[k]);
      const double* q = raw + static_cast<index_t>(k) * n_rows_;
      for (index_t i = begin; i < end; ++i) {
        const double target = y[i - begin];
        g[i - begin] += target < q[i] ? below : (target > q[i] ? above : 0.0);
      }
    }
  }

  // The mean of the pinball losses of all levels.
  double loss(const double* y, const double* raw, index_t n_rows, const double* weight, index_t begin,
              index_t end) const override {
    double sum = 0;
    for (std::size_t k = 0; k < levels_.size(); ++k)
      sum += simd::losses().of[pinball_].total(levels_[k], y, raw + static_cast<index_t>(k) * n_rows + begin,
                                               weight ? weight + begin : nullptr, end - begin);
    return sum / static_cast<double>(levels_.size());
  }

  std::vector<double> start(std::span<const double> y, std::span<const double> weight,
                            runtime::CancelToken&) const override {
    std::vector<double> out;
    for (const double level : levels_) {
      std::vector<double> values(y.begin(), y.end()), weights(weight.begin(), weight.end());
      out.push_back(loss::weighted_quantile(values, weights, level));
    }
    return out;
  }

  double leaf_step(int k, std::span<double> y, std::span<double> raw, std::span<double> weight) const override {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] -= raw[i];
    return loss::weighted_quantile(y, weight, levels_[static_cast<std::size_t>(k)]);
  }

 private:
  static constexpr std::uint64_t kTurn = 3;

  std::vector<double> levels_, spread_;
  int pinball_;
  index_t n_rows_ = 0;
  bool by_spread_ = false;
};

class NormalObjective final : public Objective {
 public:
  int n_outputs() const noexcept override { return 2; }
  bool cheap_gradients() const noexcept override { return true; }

  void prepare(const Targets& y, std::span<const double> raw, std::uint64_t, runtime::CancelToken& token) override {
    const std::size_t n = y.size();
    residual_.resize(n);
    precision_.resize(n);
    runtime::parallel_for(static_cast<index_t>(n), kGrain, token, [&](index_t, index_t begin, index_t end) {
      Buffer<double> memory;
      state(y.strip(begin, end, memory), raw.data(), static_cast<index_t>(n), begin, end, residual_.data() + begin, precision_.data() + begin);
    });
  }

  void gradients(const double*, const double*, int k, index_t begin, index_t end, double* g, double* h) const override {
    for (index_t i = begin; i < end; ++i) {
      const double r = residual_[static_cast<std::size_t>(i)], v = precision_[static_cast<std::size_t>(i)];
      const auto both = k == 0 ? loss::Normal::of_mean(r, v) : loss::Normal::of_log_scale(r, v);
      g[i - begin] = both.g;
      h[i - begin] = both.h;
    }
  }

  double loss(const double* y, const double* raw, index_t n_rows, const double* weight, index_t begin,
              index_t end) const override {
    const auto size = static_cast<std::size_t>(end - begin);
    std::vector<double> residual(size), precision(size);
    state(y, raw, n_rows, begin, end, residual.data(), precision.data());
    double sum = 0;
    for (index_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i - begin);
      const double s = loss::Normal::clamped(raw[n_rows + i]);
      sum += (weight ? weight[i] : 1.0) * loss::Normal::value(residual[at], s, precision[at]);
    }
    return sum;
  }

  std::vector<double> start(std::span<const double> y, std::span<const double> weight,
                            runtime::CancelToken&) const override {
    const double mean = weighted_mean(y, weight);
    std::vector<double> squares(y.begin(), y.end());
    for (double& v : squares) v = (v - mean) * (v - mean);
    return {mean, loss::Normal::clamped(0.5 * mlwright::log(weighted_mean(squares, weight)))};
  }

 private:
  static void state(const double* y, const double* raw, index_t n_rows, index_t begin, index_t end, double* residual,
                    double* precision) {
    for (index_t i = begin; i < end; ++i) {
      residual[i - begin] = y[i - begin] - raw[i];
      precision[i - begin] = -2.0 * loss::Normal::clamped(raw[n_rows + i]);
    }
    simd::math().exp(precision, precision, end - begin);
  }

  std::vector<double> residual_, precision_;
};

}  // namespace

std::unique_ptr<Objective> quantiles_objective(std::vector<double> levels) {
  return std::make_unique<QuantilesObjective>(std::move(levels));
}
std::unique_ptr<Objective> normal_objective() { return std::make_unique<NormalObjective>(); }

}  // namespace mlwright::tree
