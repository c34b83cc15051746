#include "mlwright/sampler/diagnostics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "sampler/moments.hpp"
#include "sampler/ranks.hpp"

namespace mlwright::sampler {
namespace {

constexpr index_t kColumns = 8;     // gathered at once: a cache line of a row of draws
constexpr index_t kAhead = 16;      // rows between asking for draws and reading them: each may lie on a page of its own
constexpr index_t kFewestDraws = 4;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One column with every chain split in two; of an odd number of draws the middle one is left out.
class Column {
 public:
  Column(index_t chains, index_t draws)
      : draws_(draws),
        half_(draws / 2),
        chains_(2 * chains),
        size_(chains * draws),
        split_(static_cast<std::size_t>(chains_ * half_)),
        scores_(split_.size()),
        ranks_(static_cast<index_t>(split_.size())),
        whole_ranks_(2 * half_ == draws_ ? 0 : size_) {}

  // Of the draws of all chains, one after the other, which it uses up.
  Diagnostics diagnose(double* draws, bool several_chains) {
    Diagnostics out{mean(draws, size_), std::sqrt(variance(draws, size_)), kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN};
    if (!all_finite(draws, size_)) return out;
    split(draws);
    out.ess_mean = ess(split_);
    of_ranks(out, several_chains);
    out.ess_tail = std::min(ess_below(quantile(draws, 0.05)), ess_below(quantile(draws, 0.95)));
    out.mcse_mean = out.sd / std::sqrt(out.ess_mean);
    of_spread(draws, out);
    return out;
  }

 private:
  void split(const double* x) noexcept {
    double* to = split_.data();
    for (index_t begin = 0; begin < size_; begin += draws_, to += 2 * half_) {
      std::copy_n(x + begin, half_, to);
      std::copy_n(x + begin + draws_ - half_, half_, to + half_);
    }
  }

  double ess(const std::vector<double>& x) const { return effective_sample_size(x.data(), chains_, half_); }

  void of_ranks(Diagnostics& out, bool several_chains) {
    ranks_.sort(split_.data());
    ranks_.normal_scores(scores_.data());
    out.ess_bulk = ess(scores_);
    if (!several_chains) return;
    const double bulk = rhat(scores_);
    ranks_.folded_scores(scores_.data());
    out.rhat = std::max(bulk, rhat(scores_));
  }

  double rhat(const std::vector<double>& x) const {
    std::vector<double> means;
    double within = 0;
    for (index_t c = 0; c < chains_; ++c) {
      means.push_back(mean(x.data() + c * half_, half_));
      within += variance(x.data() + c * half_, half_);
    }
    within /= static_cast<double>(chains_);
    const double n = static_cast<double>(half_), between = n * variance(means.data(), chains_);
    return std::sqrt((between / within + n - 1) / n);
  }

  // Of all draws, as ArviZ has it: an odd number's middle draws count here. Even: the sorted ones are those of the split.
  double quantile(const double* draws, double p) {
    if (2 * half_ == draws_) return ranks_.quantile(p);
    whole_ranks_.sort(draws);
    return whole_ranks_.quantile(p);
  }

  double ess_below(double threshold) const { return effective_sample_size_below(split_.data(), threshold, chains_, half_); }

  // The error of the variance is that of a mean of squares; of its root, by the delta method.
  void of_spread(double* draws, Diagnostics& out) {
    for (index_t i = 0; i < size_; ++i) draws[i] = (draws[i] - out.mean) * (draws[i] - out.mean);
    split(draws);
    out.ess_sd = ess(split_);
    const double square = mean(draws, size_), fourth = dot(draws, draws, size_), n = static_cast<double>(size_);
    const double variance_of_squares = fourth / n - square * square;
    out.mcse_sd = std::sqrt(variance_of_squares / out.ess_sd / square / 4);
  }

  index_t draws_, half_, chains_, size_;
  std::vector<double> split_, scores_;
  Ranks ranks_, whole_ranks_;
};

}  // namespace

void diagnose(const Draws& draws, Diagnostics* out, runtime::CancelToken& token) {
  if (draws.draws < kFewestDraws) {
    std::fill_n(out, draws.columns, Diagnostics{kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN});
    return;
  }
  const index_t rows = draws.chains * draws.draws;
  if (rows > std::numeric_limits<std::int32_t>::max())
    throw InvalidArgument("draws: got " + std::to_string(rows) + ", expected fewer than 2^31; thin the chains");
  struct Scratch {
    Column column;
    std::vector<double> block;
  };
  runtime::PerWorker<Scratch> scratch([&] {
    return Scratch{Column(draws.chains, draws.draws), std::vector<double>(static_cast<std::size_t>(rows * kColumns))};
  });
  runtime::parallel_for(draws.columns, kColumns, token, [&](index_t, index_t begin, index_t end) {
    auto& [column, block] = scratch.local();
    for (index_t r = 0; r < rows; ++r) {
      const double* row = draws.data + r * draws.columns;
      if (r + kAhead < rows) __builtin_prefetch(row + kAhead * draws.columns + begin);
      for (index_t j = begin; j < end; ++j) block[static_cast<std::size_t>((j - begin) * rows + r)] = row[j];
    }
    for (index_t j = begin; j < end; ++j) out[j] = column.diagnose(block.data() + (j - begin) * rows, draws.chains > 1);
  });
}

}  // namespace mlwright::sampler
