#include "sampler/bart/chain.hpp"

#include <algorithm>
#include <cmath>  // rint: exactly rounded everywhere
#include <utility>

#include "mlwright/base/error.hpp"
#include "sampler/bart/latent.hpp"
#include "sampler/bart/moves.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr index_t kLongestBlock = 2048;
constexpr int kTreesBetweenChecks = 16;
constexpr index_t kLatentRows = 256;  // rows of one generator
constexpr std::int64_t kLatentsBetweenChecks = std::int64_t{1} << 16;
constexpr double kMostPrecision = 0x1p62;  // of precisions times residuals, summed

std::int64_t largest_of(std::span<const std::int32_t> numbers) noexcept {
  std::int64_t largest = 0;
  for (const std::int32_t x : numbers) largest = std::max(largest, std::abs(static_cast<std::int64_t>(x)));
  return largest;
}

}  // namespace

Chain::Chain(const Data& data, const Response& response, const Settings& settings, std::uint64_t number, std::function<void()> check,
             runtime::CancelToken& token)
    : data_(data),
      settings_(settings),
      streams_{settings.seed, number},
      check_(std::move(check)),
      sigma2_(settings.sigma2),
      tau2_(settings.tau2),
      total_weight_(static_cast<double>(total_weight(data, response.weight)) * settings.weight_unit),
      space_(data.columns(), settings.tree),
      sparsity_(settings.is_sparse ? space_.usable().size() : 0),
      residual_(static_cast<std::size_t>(data.stride())),
      latent_(settings.is_probit ? static_cast<std::size_t>(data.stride()) : 0),
      weight_(response.weight.empty() ? 0 : static_cast<std::size_t>(data.stride())),
      forest_(data, settings.n_trees, total_weight(data, response.weight), check_),
      precision_(settings.n_variance_trees > 0 ? static_cast<std::size_t>(data.stride()) : 0) {
  const auto n = static_cast<std::size_t>(data.n_rows());
  std::ranges::fill(residual_, 0);
  std::ranges::copy(response.target, residual_.begin());
  std::ranges::fill(weight_, 0);
  std::ranges::copy(response.weight, weight_.begin());
  if (settings.is_probit) start_probit(response.target);
  measure_residuals();
  if (settings.root_sweeps > 0)
    grower_.emplace(data, std::span<const std::int64_t>(weight_.data(), weight_.empty() ? 0 : n), settings.min_weight, token);
  else if (settings.n_variance_trees > 0) draw_noise();
}

void Chain::sweep() {
  for (int t = 0; t < settings_.n_trees; ++t) {
    if (t % kTreesBetweenChecks == 0 || grower_) check_();
    if (grower_) regrow(t);
    else step(t);
  }
  if (grower_) measure_residuals();
  pass(-1, {});
  if (settings_.is_probit) draw_latents();
  else if (noise_) draw_noise();
  else if (!settings_.sigma_is_fixed) draw_sigma();
  if (settings_.leaf_freedom > 0) draw_leaf_variance();
  if (settings_.is_sparse && streams_.iteration >= settings_.sparse_from && !space_.usable().empty())
    forest_.draw_weights(sparsity_, space_, streams_(kWeights));
  if (++streams_.iteration < settings_.root_sweeps || !grower_) return;
  grower_.reset();
  if (settings_.n_variance_trees > 0) draw_noise();
}

void Chain::keep(ChainDraws& draws) const {
  forest_.keep(draws.trees);
  if (noise_) noise_->keep(draws.variance_trees);
  draws.sigma2.push_back(noise_ ? noise_->mean_variance() : sigma2_);
}

void Chain::step(int t) {
  Forest::State& state = forest_[t];
  runtime::Rng random = streams_(kTrees, static_cast<std::uint64_t>(t));
  const Proposal proposal = space_.propose(state.tree, random);
  const simd::BartSplit split = forest_.split_by(proposal);
  pass(t, split);
  std::int64_t weight = 0;
  const LeafSums tried = look(t, proposal, weight);
  forest_.stage(t, split);
  if (taken(proposal, leaves_, tried, model(), state.weight, weight, settings_.min_weight, random)) forest_.accept(proposal, weight);
  draw_values(state, leaves_, random);
  forest_.finish();
}

// Residuals of all other trees: what this one's leaves explain is added back to their sums. Returns the sums, and sets the
// weight, of the rows that the proposed rule sends left.
LeafSums Chain::look(int t, const Proposal& proposal, std::int64_t& weight) {
  const Forest::State& state = forest_[t];
  const auto n_slots = static_cast<std::size_t>(state.tree.n_leaves());
  leaves_.resize(n_slots);
  for (std::size_t k = 0; k < n_slots; ++k) {
    const std::int64_t w = noise_ ? spread_.value[k] : state.weight[k];
    leaves_[k] = {w, (noise_ ? spread_.product[k] : sums_.total[k]) + w * state.value[k]};
  }
  LeafSums tried{};
  for (int k = 0; k < 2; ++k) {
    const auto slot = static_cast<std::size_t>(k == 0 ? proposal.a : proposal.b);
    if (slot >= n_slots) continue;
    const std::int64_t w = noise_ ? spread_.left_value[k] : sums_.weight[k];
    tried = tried + LeafSums{w, (noise_ ? spread_.left_product[k] : sums_.left[k]) + w * state.value[slot]};
    weight += noise_ ? spread_.left_weight[k] : w;
  }
  return tried;
}

void Chain::draw_values(Forest::State& state, std::span<const LeafSums> leaves, runtime::Rng& random) {
  state.value.resize(leaves.size());
  for (std::size_t k = 0; k < leaves.size(); ++k) state.value[k] = model().draw(leaves[k], random);
}

// The tree anew, in place of a move of it.
void Chain::regrow(int t) {
  Forest::State& state = forest_[t];
  runtime::Rng random = streams_(kRoots, static_cast<std::uint64_t>(t));
  const auto n = static_cast<std::size_t>(data_.n_rows());
  std::uint8_t* const slot = forest_.slots(t);
  for (std::size_t i = 0; i < n; ++i) residual_[i] += state.value[slot[i]];
  auto [tree, leaves] = grower_->grow(state.tree, {residual_.data(), n}, space_, model(), {slot, n}, random);
  state.tree = std::move(tree);
  state.weight.clear();
  for (const LeafSums& leaf : leaves) state.weight.push_back(leaf.weight);
  draw_values(state, leaves, random);
  for (std::size_t i = 0; i < n; ++i) residual_[i] -= state.value[slot[i]];
}

// Of |residual| once what is pending is applied.
std::int64_t Chain::bound() const {
  return std::max<std::int64_t>(bound_ + largest_of(forest_.before()) + largest_of(forest_.after()), 1);
}

// The same, checked. Rows that have noise of their own are weighed anew where residuals have outgrown what their precisions were
// chosen for.
std::int64_t Chain::checked_bound(int next) {
  const std::int64_t largest = bound();
  if (largest >= kLargestResidual)
    throw NumericalError("BART: residuals have grown to " + std::to_string(static_cast<double>(largest) * settings_.unit) +
                         " times the scale of y; expected less than 32");
  if (!noise_ || next < 0) return largest;
  const std::int64_t with_own = largest + largest_of(forest_[next].value);
  if (with_own > weighed_) weigh(2 * with_own);
  return largest;
}

// Applies what is pending and sums what tree `next` (-1: none) asks for, block by block while a block is in the cache.
void Chain::pass(int next, const simd::BartSplit& tried) {
  const index_t adds = ((std::int64_t{1} << 31) - 1) / checked_bound(next);  // of residuals in a lane of 32 bits
  const index_t n = data_.stride(), block = std::clamp<index_t>(16 * adds / kRows * kRows, kRows, kLongestBlock);
  std::int64_t largest = forest_.is_pending() ? 0 : bound_;
  const int n_slots = next >= 0 ? forest_[next].tree.n_leaves() : 0;
  if (noise_) spread_.clear(n_slots);
  else sums_.clear(n_slots);
  for (index_t begin = 0; begin < n; begin += block) {
    const index_t rows = std::min(block, n - begin);
    if (forest_.is_pending()) largest = std::max<std::int64_t>(largest, forest_.apply(residual_.data(), begin, rows));
    if (next >= 0) add_sums(next, tried, begin, rows, n_slots);
  }
  bound_ = largest;
  forest_.applied();
}

void Chain::add_sums(int next, const simd::BartSplit& tried, index_t begin, index_t rows, int n_slots) {
  simd::BartSplit here = tried;
  if (here.code != nullptr) here.code += begin;
  const std::int32_t* const residual = residual_.data() + begin;
  const std::uint8_t* const slot = forest_.slots(next) + begin;
  if (noise_) simd::bart_noise().spread(precision_.data() + begin, residual, weights(begin), slot, rows, n_slots, here, spread_);
  else simd::bart().sums(residual, weights(begin), slot, rows, n_slots, here, sums_);
}

void Chain::draw_sigma() {
  __extension__ using Wide = unsigned __int128;
  Wide total = 0;
  for (index_t i = 0; i < data_.n_rows(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto r = static_cast<std::int64_t>(residual_[at]);
    const auto square = static_cast<std::uint64_t>(r * r);
    total += weight_.empty() ? Wide{square} : Wide{square} * static_cast<std::uint64_t>(weight_[at]);
  }
  const double high = static_cast<double>(static_cast<std::uint64_t>(total >> 64)) * 0x1p64;
  const double squares = (high + static_cast<double>(static_cast<std::uint64_t>(total))) * settings_.unit * settings_.unit;
  runtime::Rng random = streams_(kScale);
  sigma2_ = (settings_.nu * settings_.lambda + squares * settings_.weight_unit) / random.chi_square(settings_.nu + total_weight_);
}

// The first time, trees of the noise begin as one leaf each, which give sigma2 together.
void Chain::draw_noise() {
  if (noise_) noise_->sweep(residual_.data(), streams_);
  else noise_.emplace(data_, std::span<const std::int64_t>(weight_.data(), weight_.size()), settings_, sigma2_, check_);
  weigh(2 * bound());
}

// Precisions of rows, as large integers as their sum with residuals up to `largest` may have.
void Chain::weigh(std::int64_t largest) {
  precision_unit_ = noise_->precisions(kMostPrecision / static_cast<double>(largest), precision_.data());
  weighed_ = largest;
}

void Chain::draw_leaf_variance() {
  double squares = 0;
  index_t leaves = 0;
  for (const Forest::State& state : forest_) {
    for (const std::int32_t value : state.value) squares += static_cast<double>(static_cast<std::int64_t>(value) * value);
    leaves += state.tree.n_leaves();
  }
  runtime::Rng random = streams_(kLeaves);
  const double m = settings_.leaf_freedom;
  tau2_ = (m * settings_.tau2 + squares * settings_.unit * settings_.unit) / random.chi_square(m + static_cast<double>(leaves));
}

void Chain::measure_residuals() noexcept { bound_ = largest_of({residual_.data(), residual_.size()}); }

void Chain::start_probit(std::span<const std::int32_t> classes) {
  std::ranges::fill(residual_, 0);
  std::ranges::fill(latent_, 0);
  for (const std::int32_t c : classes) positive_.push_back(c > 0 ? 1 : 0);
  draw_latents();
}

// Residuals go from the old latent variables to the new ones; f stays as it is.
void Chain::draw_latents() {
  const index_t n = data_.n_rows();
  std::int64_t drawn = 0;
  for (index_t begin = 0; begin < n; begin += kLatentRows) {
    runtime::Rng random = streams_(kLatents, static_cast<std::uint64_t>(begin / kLatentRows));
    for (index_t i = begin; i < std::min(begin + kLatentRows, n); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::int32_t f = latent_[at] - residual_[at];
      const double mean = settings_.offset + f * settings_.unit;
      const std::int64_t copies = weight_.empty() ? 1 : weight_[at];
      double sum = 0;
      for (std::int64_t c = 0; c < copies; ++c) {
        if (drawn++ % kLatentsBetweenChecks == 0) check_();
        sum += draw_latent(mean, positive_[at] != 0, random);
      }
      const double units = std::rint((sum / static_cast<double>(copies) - settings_.offset) / settings_.unit);
      if (!(std::fabs(units) < static_cast<double>(kLargestResidual)))
        throw NumericalError("BART: a latent variable is " + std::to_string(units * settings_.unit) + "; expected less than 512");
      latent_[at] = static_cast<std::int32_t>(units);
      residual_[at] = latent_[at] - f;
    }
  }
  measure_residuals();
}

}  // namespace mlwright::sampler::bart
