#include "mlwright/tree/booster.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "simd/boosting.hpp"
#include "simd/reduce.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kGrain = 16384;
constexpr std::uint64_t kPackedFrom = 8192;  // with fewer rows histograms take little of the time
constexpr std::int64_t kLeastG = 64, kLeastH = 64, kLeastGAlone = 1 << 16;  // units; see round_coarsely()
constexpr double kLargestCount = 1 << 30;  // of repetitions: what FixedPoint has bits for

bool all_integers(const std::vector<double>& weight) {
  double total = 0;
  for (const double w : weight) {
    if (w != std::floor(w) || w < 1) return false;
    total += w;
  }
  return total < kLargestCount;
}

// Names the first observation whose derivatives no tree can be grown by; h empty for ones.
[[noreturn]] void refuse_gradients(std::span<const double> y, const double* raw, const Buffer<double>& g, const Buffer<double>& h) {
  std::size_t i = 0;
  const auto bad = [&](std::size_t row) { return !std::isfinite(g[row]) || (!h.empty() && !std::isfinite(h[row])); };
  while (i + 1 < y.size() && !bad(i)) ++i;
  throw NumericalError("loss: its gradient or Hessian is not a finite number: " + std::to_string(g[i]) + " and " +
                       std::to_string(h.empty() ? 1.0 : h[i]) + " at y = " + std::to_string(y[i]) + ", raw = " + std::to_string(raw[i]) +
                       "; expected finite values; look at the loss, the targets' magnitude and learning_rate");
}

}  // namespace

Booster::Booster(std::shared_ptr<const BinnedMatrix> bins, std::vector<double> y, std::vector<double> weight,
                 std::unique_ptr<Objective> objective, TreeRules rules, std::uint64_t first_tree)
    : bins_(std::move(bins)), y_(std::move(y)), weight_(std::move(weight)), objective_(std::move(objective)),
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
  g_ = Buffer<double>(n);
  if (!objective_->constant_hessian() || (!weight_.empty() && !repetitions_) || sampler_.by_gradient()) h_ = Buffer<double>(n);
}

void Booster::set_columns(CategoryColumns columns) {
  if (columns.n_columns() != bins_->n_features()) throw InvalidArgument("boosting: columns made for another matrix");
  columns_ = std::move(columns);
}

std::vector<double> Booster::start(runtime::CancelToken& token) const { return objective_->start(y_, weight_, token); }

void Booster::set_raw(std::span<const double> values) {
  if (values.size() != raw_.size()) throw InvalidArgument("boosting: scores of the wrong length");
  std::ranges::copy(values, raw_.begin());
}

double Booster::loss(runtime::CancelToken& token) const { return mean_loss(*objective_, y_, raw_, weight_, token); }

Booster::WeightedGradients Booster::gradients(int output, runtime::CancelToken& token) {
  double largest_g = 0, largest_h = 0;
  objective_->prepare(y_, raw_, tree_ / static_cast<std::uint64_t>(objective_->shares_trees() ? 1 : n_outputs()), token);
  find_range(largest_g, largest_h, output, token);
  WeightedGradients all{{g_.data(), g_.data() + g_.size()}, {h_.data(), h_.data() + h_.size()}};
  if (!repetitions_) return all;
  if (all.h.empty()) all.h.assign(g_.size(), 1.0);
  simd::boosting().multiply(all.g.data(), weight_.data(), bins_->n_rows());
  simd::boosting().multiply(all.h.data(), weight_.data(), bins_->n_rows());
  return all;
}

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

// Gradients of one output, importance weights multiplied in, and their largest magnitudes.
void Booster::find_range(double& largest_g, double& largest_h, int output, runtime::CancelToken& token) {
  const index_t n = bins_->n_rows();
  const bool importance = !weight_.empty() && !repetitions_;
  std::vector<simd::GradientRange> ranges(static_cast<std::size_t>(runtime::n_chunks(n, kGrain)));
  runtime::parallel_for(n, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    const double* raw = raw_.data() + output * n;
    objective_->gradients(y_.data(), raw, output, begin, end, g_.data(), h_.data());
    if (!h_.empty() && objective_->constant_hessian()) std::fill(h_.begin() + begin, h_.begin() + end, 1.0);
    if (importance) {
      simd::boosting().multiply(g_.data() + begin, weight_.data() + begin, end - begin);
      simd::boosting().multiply(h_.data() + begin, weight_.data() + begin, end - begin);
    }
    ranges[static_cast<std::size_t>(chunk)] =
        simd::boosting().range(g_.data() + begin, h_.empty() ? nullptr : h_.data() + begin, end - begin);
  });
  double smallest_h = std::numeric_limits<double>::infinity();
  for (const auto& r : ranges) {
    if (std::isnan(r.largest_g)) refuse_gradients(y_, raw_.data() + output * n, g_, h_);
    largest_g = std::max(largest_g, r.largest_g);
    largest_h = std::max(largest_h, r.largest_h);
    smallest_h = std::min(smallest_h, r.smallest_h);
  }
  if (!(smallest_h >= 0)) throw NumericalError("loss: got the negative Hessian " + std::to_string(smallest_h) +
                                               ", expected >= 0 everywhere; return an upper bound of it instead");
  // Ones that were computed (a user's loss says so) are as good as ones that were known: finer units, fewer bytes.
  hessians_are_one_ = h_.empty() || (largest_h == 1 && smallest_h == 1 && !sampler_.by_gradient());
}

// Where rows are sampled by gradient, `sample` is set to those of this output.
Gradients Booster::gradients_of(int output, const RowSample*& sample, runtime::CancelToken& token) {
  double largest_g = 0, largest_h = 0;
  find_range(largest_g, largest_h, output, token);
  if (sampler_.by_gradient()) {
    const double factor = sampler_.draw_by_gradient(tree_, g_, h_, token);
    sample = &sampler_.sample();
    largest_g *= factor;
    largest_h *= factor;
  }
  FixedPoint fixed = FixedPoint::fit(largest_g, largest_h, total_count_);
  RowEntries rows;
  if (!round_coarsely(fixed, rows, token)) rows = round_finely(fixed, 0, 0, token).rows;
  return {g_, hessians(), repetitions_ ? std::span<const double>(weight_) : std::span<const double>(), rows, fixed};
}

// Rounds to the units that packed rows have room for; false, and nothing is changed, if those do not do: more than half
// of the rows have fewer than kLeastG or kLeastH units, so that the rounding of each, 1 in 128 at worst, would begin to
// show in the choice of cuts. Rows are counted by their integers, repetitions as often as they stand for: the answer is
// the same for repetitions and for repeated rows, though rows that stand for several are not packed themselves.
bool Booster::round_coarsely(FixedPoint& fixed, RowEntries& rows, runtime::CancelToken& token) {
  if (total_count_ < kPackedFrom) return false;
  const bool constant = hessians().empty();
  const FixedPoint coarse = fixed.coarse(constant);
  const std::int64_t least_g = constant ? kLeastGAlone : kLeastG, least_h = constant ? 0 : kLeastH;
  const Rounded rounded = repetitions_ ? round_finely(coarse, least_g, least_h, token)
                                       : round_to_packed(coarse, least_g, least_h, token);
  if (static_cast<std::uint64_t>(rounded.n_small) * 2 > total_count_) return false;
  fixed = coarse;
  rows = rounded.rows;
  return true;
}

template <class Round>
std::int64_t Booster::round_all(runtime::CancelToken& token, Round round) {
  const index_t n = bins_->n_rows();
  std::vector<std::int64_t> small(static_cast<std::size_t>(runtime::n_chunks(n, kGrain)));
  runtime::parallel_for(n, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    small[static_cast<std::size_t>(chunk)] = round(begin, end, hessians().empty() ? nullptr : h_.data() + begin);
  });
  return std::accumulate(small.begin(), small.end(), std::int64_t{0});
}

Booster::Rounded Booster::round_finely(const FixedPoint& fixed, std::int64_t least_g, std::int64_t least_h,
                                       runtime::CancelToken& token) {
  static_assert(sizeof(simd::PackedEntry) == sizeof(Entry));
  if (entries_.empty()) entries_ = Buffer<Entry>(g_.size());
  const simd::Rounding rounding{fixed.g_scale(), fixed.h_scale(), fixed.count_bits, least_g, least_h};
  Rounded rounded;
  rounded.n_small = round_all(token, [&](index_t begin, index_t end, const double* h) {
    return simd::boosting().round_to_entries(g_.data() + begin, h, repetitions_ ? weight_.data() + begin : nullptr, end - begin,
                                             rounding, reinterpret_cast<simd::PackedEntry*>(entries_.data() + begin)).n_small;
  });
  rounded.rows.wide = {entries_.data(), entries_.size()};
  return rounded;
}

Booster::Rounded Booster::round_to_packed(const FixedPoint& fixed, std::int64_t least_g, std::int64_t least_h,
                                          runtime::CancelToken& token) {
  if (packed_.empty()) packed_ = Buffer<std::uint64_t>(g_.size());
  const simd::Rounding rounding{fixed.g_scale(), fixed.h_scale(), fixed.count_bits, least_g, least_h};
  Rounded rounded;
  const Packing packing = rounded.rows.packing = Packing::of(fixed, hessians().empty());
  rounded.n_small = round_all(token, [&](index_t begin, index_t end, const double* h) {
    return simd::boosting().round_to_packed(g_.data() + begin, h, end - begin, rounding, packing.h_bits + packing.n_bits,
                                            packing.n_bits, packed_.data() + begin).n_small;
  });
  rounded.rows.packed = {packed_.data(), packed_.size()};
  return rounded;
}

}  // namespace mlwright::tree
