#include "mlwright/sampler/spike_slab.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <memory>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/rng.hpp"
#include "sampler/column_set.hpp"
#include "sampler/swept.hpp"

namespace mlwright::sampler {
namespace {

enum Purpose : std::uint32_t { kStart = 40, kMoves, kCoefficients };  // of random numbers

constexpr index_t kBlockBits = 10;
constexpr double kLeastChance = 1e-100;  // so that draws stay finite where next to nothing is known of the noise
constexpr std::chrono::milliseconds kSlice{20};

// Sums of one block of sets, relative to its largest weight.
struct Block {
  double top = -HUGE_VAL, total = 0;
  std::vector<double> coef;
};

void add(Block& to, double log_weight, const std::vector<double>& coef, double total) {
  if (log_weight > to.top) {
    const double shrink = to.top == -HUGE_VAL ? 0 : exp(to.top - log_weight);
    to.total *= shrink;
    for (double& b : to.coef) b *= shrink;
    to.top = log_weight;
  }
  const double weight = exp(log_weight - to.top);
  to.total += weight * total;
  for (std::size_t j = 0; j < coef.size(); ++j) to.coef[j] += weight * coef[j];
}

// The 2^bits sets whose higher bits are those of `block`, in Gray order of the lower ones.
Block enumerate_block(const Selection& selection, std::size_t block, int bits, std::span<double> log_weight) {
  const auto p = static_cast<std::size_t>(selection.p());
  Swept swept(selection);
  Block sums;
  sums.coef.assign(p, 0);
  for (std::size_t j = 0; j < p; ++j)
    if ((block << bits) >> j & 1) swept.flip(j);
  std::vector<double> coef(p);
  std::size_t code = block << bits;
  for (std::size_t step = 0;; ) {
    log_weight[code] = swept.log_weight();
    for (std::size_t j = 0; j < p; ++j) coef[j] = swept.in(j) ? swept.coef(j) : 0;
    add(sums, log_weight[code], coef, 1);
    if (++step >> bits) break;
    const auto flip = static_cast<std::size_t>(std::countr_zero(step));
    swept.flip(flip);
    code ^= std::size_t{1} << flip;
  }
  return sums;
}

class Walker {
 public:
  Walker(const Selection& selection, const SelectionSettings& how, std::uint64_t number)
      : selection_(selection), how_(how), number_(number), p_(static_cast<std::size_t>(selection.p())), set_(selection) {
    runtime::Rng rng(how.seed, runtime::stream_id(kStart), number);
    for (std::size_t j = 0; j < std::min<std::size_t>(p_, 5); ++j) {  // a few columns at random, others for each chain
      const std::size_t k = rng.below(p_);
      if (!set_.in(k)) set_.flip(k);
    }
  }

  index_t iteration() const noexcept { return iteration_; }

  void advance(double* coef, double* variance) {
    runtime::Rng rng(how_.seed, runtime::stream_id(kMoves, static_cast<std::uint32_t>(iteration_)), number_);
    for (std::size_t step = 0; step < p_; ++step) propose(rng);
    if (iteration_ >= how_.warm_up) {
      const index_t at = iteration_ - how_.warm_up;
      draw(coef + at * static_cast<index_t>(p_), variance + at);
    }
    ++iteration_;
  }

 private:
  // A column that is out, each equally likely: few tries where sets are small.
  std::size_t one_outside(runtime::Rng& rng) const {
    for (;;) {
      const std::size_t j = rng.below(p_);
      if (!set_.in(j)) return j;
    }
  }

  void propose(runtime::Rng& rng) {
    const bool flips = rng.uniform() < 0.5;
    if (flips) {
      const std::size_t j = rng.below(p_);
      if (accepts(rng, set_.flipped(j))) set_.flip(j);
      return;
    }
    const auto& members = set_.members();
    if (members.empty() || members.size() == p_) return;
    const std::size_t i = members[rng.below(members.size())], j = one_outside(rng);
    if (accepts(rng, set_.swapped(i, j))) set_.flip(i), set_.flip(j);
  }

  bool accepts(runtime::Rng& rng, double log_weight) {
    const double gain = log_weight - set_.log_weight();
    return gain >= 0 || rng.uniform() < exp(gain);
  }

  // Variance and coefficients given the set.
  void draw(double* coef, double* variance) {
    runtime::Rng rng(how_.seed, runtime::stream_id(kCoefficients, static_cast<std::uint32_t>(iteration_)), number_);
    *variance = (selection_.rate + 0.5 * std::fmax(set_.rest(), 0)) / std::fmax(rng.gamma(selection_.shape), kLeastChance);
    std::fill_n(coef, p_, 0.0);
    set_.draw(rng, *variance, coef);
  }

  const Selection& selection_;
  const SelectionSettings& how_;
  std::uint64_t number_;
  std::size_t p_;
  ColumnSet set_;
  index_t iteration_ = 0;
};

}  // namespace

void enumerate_sets(const Selection& selection, std::span<double> log_weight, std::span<double> coef, runtime::CancelToken& token) {
  const index_t p = selection.p();
  if (p > kMostEnumerated)
    throw InvalidArgument("spike and slab: got " + std::to_string(p) + " columns, expected at most " +
                          std::to_string(kMostEnumerated) + " to enumerate all sets of");
  const int bits = static_cast<int>(std::min(p, kBlockBits));
  std::vector<Block> blocks(std::size_t{1} << (p - bits));
  runtime::parallel_for(static_cast<index_t>(blocks.size()), 1, token, [&](index_t b, index_t, index_t) {
    blocks[static_cast<std::size_t>(b)] = enumerate_block(selection, static_cast<std::size_t>(b), bits, log_weight);
  });
  Block all;
  all.coef.assign(coef.size(), 0);
  for (const Block& block : blocks) add(all, block.top, block.coef, block.total);
  for (std::size_t j = 0; j < coef.size(); ++j) coef[j] = all.coef[j] / all.total;
}

void sample_sets(const Selection& selection, const SelectionSettings& how, double* coef, double* variance,
                 runtime::CancelToken& token, runtime::Progress& progress) {
  std::vector<std::unique_ptr<Walker>> chains;
  for (index_t c = 0; c < how.chains; ++c)
    chains.push_back(std::make_unique<Walker>(selection, how, static_cast<std::uint64_t>(c)));
  const index_t end = how.warm_up + how.draws, total = end * how.chains;
  for (index_t done = 0; done < total;) {
    runtime::parallel_for(how.chains, 1, token, [&](index_t c, index_t, index_t) {
      Walker& chain = *chains[static_cast<std::size_t>(c)];
      const auto stop = std::chrono::steady_clock::now() + kSlice;
      while (chain.iteration() < end && std::chrono::steady_clock::now() < stop)
        chain.advance(coef + c * how.draws * selection.p(), variance + c * how.draws);
    });
    done = 0;
    for (const auto& chain : chains) done += chain->iteration();
    progress.report({.stage = "sampling", .done = done, .total = total});
    token.poll();
  }
}

}  // namespace mlwright::sampler
