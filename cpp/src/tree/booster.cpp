#include "mlwright/tree/booster.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "simd/boosting.hpp"
#include "simd/reduce.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kGrain = 16384;
constexpr double kLargestCount = 1 << 30;  // of repetitions: what FixedPoint has bits for

bool all_integers(std::span<const double> weight) {
  double total = 0;
  for (const double w : weight) {
    if (w != std::floor(w) || w < 1) return false;
    total += w;
  }
  return total < kLargestCount;
}

}  // namespace

Booster::Booster(std::shared_ptr<const BinnedMatrix> bins, Targets y, std::span<const double> weight,
                 std::unique_ptr<Objective> objective, TreeRules rules, std::uint64_t first_tree)
    : bins_(std::move(bins)), y_(y), weight_(weight), objective_(std::move(objective)),
      rules_(std::move(rules)), grower_(*bins_, rules_), sampler_(bins_->n_rows(), rules_.sampling, rules_.seed),
      tree_(first_tree) {
  const auto n = static_cast<std::size_t>(bins_->n_rows());
  if (y_.size() != n || (!weight_.empty() && weight_.size() != n))
    throw InvalidArgument("boosting: X, y and sample_weight differ in length");
  if (static_cast<double>(n) >= kLargestCount)
    throw InvalidArgument("X: got " + std::to_string(n) + " rows, expected fewer than 2^30; fit on a sample");
  total_count_ = n;
  if (!weight_.empty()) {
    const double total = simd::reduce().sum(weight_.data(), static_cast<index_t>(n));
    repetitions_ = all_integers(weight_);
    if (repetitions_) total_count_ = static_cast<std::uint64_t>(total);
    else rules_.min_hessian *= total / static_cast<double>(n);
  }
  raw_ = Buffer<double>(n * static_cast<std::size_t>(n_outputs()));
  std::ranges::fill(raw_, 0.0);
  has_hessians_ = !objective_->constant_hessian() || (!weight_.empty() && !repetitions_) || sampler_.by_gradient();
  keeps_gradients_ = !objective_->cheap_gradients() || sampler_.by_gradient();
  if (keeps_gradients_) g_ = Buffer<double>(n);
  if (keeps_gradients_ && has_hessians_) h_ = Buffer<double>(n);
  units_.resize(static_cast<std::size_t>(n_outputs()));
}

void Booster::set_columns(CategoryColumns columns) {
  if (columns.n_columns() != bins_->n_features()) throw InvalidArgument("boosting: columns made for another matrix");
  columns_ = std::move(columns);
}

std::vector<double> Booster::start(runtime::CancelToken& token) const {
  Buffer<double> memory;
  return objective_->start(y_.all(memory), weight_, token);
}

void Booster::set_raw(std::span<const double> values) {
  if (values.size() != raw_.size()) throw InvalidArgument("boosting: scores of the wrong length");
  std::ranges::copy(values, raw_.begin());
}

void Booster::set_start(std::span<const double> values, runtime::CancelToken& token) {
  if (values.size() != static_cast<std::size_t>(n_outputs())) throw InvalidArgument("boosting: one start value an output is expected");
  const index_t n = bins_->n_rows();
  runtime::parallel_for(n, kGrain, token, [&](index_t, index_t begin, index_t end) {
    for (std::size_t k = 0; k < values.size(); ++k)
      std::fill(raw_.begin() + static_cast<index_t>(k) * n + begin, raw_.begin() + static_cast<index_t>(k) * n + end, values[k]);
  });
}

double Booster::loss(runtime::CancelToken& token) const { return mean_loss(*objective_, y_, raw_, weight_, token); }

std::vector<std::vector<Node>> Booster::step(runtime::CancelToken& token) {
  std::vector<std::vector<Node>> trees;
  const bool shared = objective_->shares_trees();
  const int n_trees = shared ? 1 : n_outputs();
  const std::uint64_t iteration = tree_ / static_cast<std::uint64_t>(n_trees);
  objective_->prepare(y_, raw_, iteration, token);
  const auto n = static_cast<std::size_t>(bins_->n_rows());
  const RowSample* sample = nullptr;
  if (!sampler_.takes_all() && !sampler_.by_gradient())
    sample = &sampler_.draw(iteration, token);
  for (int k = 0; k < n_trees; ++k) {
    const Gradients gradients = gradients_of(k, sample, token);
    const std::vector<Node> grown = grower_.grow(gradients, sample, tree_++, token);
    for (int output = k; output < (shared ? n_outputs() : k + 1); ++output) {
      trees.push_back(grown);
      if (objective_->renews_leaves()) renew_leaves(trees.back(), output, token);
      if (!columns_.empty()) columns_.translate(trees.back(), rules_);
      grower_.add_to(std::span(raw_).subspan(static_cast<std::size_t>(output) * n, n), token);
    }
  }
  return trees;
}

void Booster::renew_leaves(std::vector<Node>& nodes, int output, runtime::CancelToken& token) {
  const double* raw = raw_.data() + output * bins_->n_rows();
  const auto best = [&](std::span<const std::uint32_t> in, std::span<const std::uint32_t> out) {
    const std::size_t size = in.size() + out.size();
    std::vector<double> y(size), scores(size), weight(weight_.empty() ? 0 : size);
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint32_t row = i < in.size() ? in[i] : out[i - in.size()];
      y[i] = y_[row];
      scores[i] = raw[row];
      if (!weight.empty()) weight[i] = weight_[row];
    }
    return objective_->leaf_step(output, y, scores, weight);
  };
  grower_.renew_leaves(nodes, best, token);
}

}  // namespace mlwright::tree
