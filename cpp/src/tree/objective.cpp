#include "mlwright/tree/objective.hpp"

#include <numeric>

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/loss/multinomial.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "simd/boosting.hpp"
#include "simd/math.hpp"
#include "simd/reduce.hpp"
#include "tree/weighted_mean.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kGrain = 16384;

class MultinomialObjective final : public Objective {
 public:
  explicit MultinomialObjective(int n_classes) : n_classes_(n_classes) {}
  int n_outputs() const noexcept override { return n_classes_; }
  bool cheap_gradients() const noexcept override { return true; }

  // The probabilities of all classes, from the scores that this iteration began with.
  void prepare(const Targets& y, std::span<const double> raw, std::uint64_t, runtime::CancelToken& token) override {
    const auto n = static_cast<index_t>(y.size());
    mu_.resize(raw.size());
    runtime::parallel_for(n, kGrain, token, [&](index_t, index_t begin, index_t end) {
      simd::boosting().softmax(raw.data() + begin, n, n_classes_, end - begin, mu_.data() + begin, nullptr);
    });
  }
  void gradients(const double* y, const double*, int k, index_t begin, index_t end, double* g, double* h) const override {
    const index_t n = static_cast<index_t>(mu_.size()) / n_classes_;
    simd::boosting().multinomial(y, mu_.data() + k * n + begin, k, end - begin, g, h);
  }
  double loss(const double* y, const double* raw, index_t n_rows, const double* weight, index_t begin,
              index_t end) const override {
    constexpr index_t kStrip = 512;
    double sum = 0;
    std::vector<double> scores(static_cast<std::size_t>(n_classes_) * kStrip), mu(scores.size()), log_sum(kStrip);
    for (index_t i = begin; i < end; i += kStrip) {
      const index_t size = std::min(kStrip, end - i);
      for (int k = 0; k < n_classes_; ++k)
        std::copy_n(raw + k * n_rows + i, size, scores.data() + k * kStrip);
      simd::boosting().softmax(scores.data(), kStrip, n_classes_, size, mu.data(), log_sum.data());
      for (index_t r = 0; r < size; ++r) {
        const double own = raw[static_cast<index_t>(y[i - begin + r]) * n_rows + i + r];
        sum += (weight ? weight[i + r] : 1.0) * (log_sum[static_cast<std::size_t>(r)] - own);
      }
    }
    return sum;
  }
  std::vector<double> start(std::span<const double> y, std::span<const double> weight,
                            runtime::CancelToken&) const override {
    std::vector<double> share(static_cast<std::size_t>(n_classes_), 0.0);
    for (std::size_t i = 0; i < y.size(); ++i) share[static_cast<std::size_t>(y[i])] += weight.empty() ? 1.0 : weight[i];
    const double total = total_weight(y.size(), weight);
    double mean = 0;
    for (double& s : share) {
      s = loss::Multinomial::optimal_constant(s / total);
      mean += s / n_classes_;
    }
    for (double& s : share) s -= mean;
    return share;
  }

 private:
  int n_classes_;
  std::vector<double> mu_;
};

}  // namespace

void Objective::prepare(const Targets&, std::span<const double>, std::uint64_t, runtime::CancelToken&) {}

double Objective::leaf_step(int, std::span<double>, std::span<double>, std::span<double>) const { return 0; }
void Objective::give(std::span<const double>, std::span<const double>) {
  throw InvalidArgument("loss: computes its own gradients; expected one whose gradients are given");
}

std::unique_ptr<Objective> multinomial_objective(int n_classes) { return std::make_unique<MultinomialObjective>(n_classes); }

double mean_loss(const Objective& objective, const Targets& y, std::span<const double> raw, std::span<const double> weight,
                 runtime::CancelToken& token) {
  const auto n = static_cast<index_t>(y.size());
  std::vector<double> partial(static_cast<std::size_t>(runtime::n_chunks(n, kGrain)));
  runtime::parallel_for(n, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    Buffer<double> memory;
    partial[static_cast<std::size_t>(chunk)] =
        objective.loss(y.strip(begin, end, memory), raw.data(), n, weight.empty() ? nullptr : weight.data(), begin, end);
  });
  return std::accumulate(partial.begin(), partial.end(), 0.0) / total_weight(y.size(), weight);
}

void class_probabilities(const double* raw, index_t n, int n_outputs, double* out, runtime::CancelToken& token) {
  runtime::parallel_for(n, kGrain, token, [&](index_t, index_t begin, index_t end) {
    if (n_outputs > 1) {
      simd::boosting().softmax(raw + begin, n, n_outputs, end - begin, out + begin, nullptr);
      return;
    }
    simd::math().expit(raw + begin, out + n + begin, end - begin);
    for (index_t i = begin; i < end; ++i) out[i] = 1.0 - out[n + i];
  });
}

}  // namespace mlwright::tree
