#include "sampler/bart/chain.hpp"

#include <algorithm>
#include <cmath>  // rint: exactly rounded everywhere
#include <utility>

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "sampler/bart/latent.hpp"

namespace mlwright::sampler::bart {
namespace {

enum Purpose : std::uint32_t { kTrees, kScale, kWeights, kLatents, kRoots, kLeaves };  // of random numbers

constexpr index_t kLongestBlock = 2048;
constexpr int kTreesBetweenChecks = 16;
constexpr int kFewSlots = 32;        // that kernels read at once
constexpr index_t kLatentRows = 256;  // rows of one generator
constexpr std::int64_t kLatentsBetweenChecks = std::int64_t{1} << 16;
static_assert(kRows == simd::kBartRows);

}  // namespace

Chain::Chain(const Data& data, const Response& response, const Settings& settings, std::uint64_t number, std::function<void()> check)
    : data_(data),
      settings_(settings),
      number_(number),
      check_(std::move(check)),
      sigma2_(settings.sigma2),
      tau2_(settings.tau2),
      space_(data.columns(), settings.tree),
      sparsity_(settings.is_sparse ? space_.usable().size() : 0),
      trees_(static_cast<std::size_t>(settings.n_trees)),
      residual_(static_cast<std::size_t>(data.stride())),
      latent_(settings.is_probit ? static_cast<std::size_t>(data.stride()) : 0),
      weight_(response.weight.empty() ? 0 : static_cast<std::size_t>(data.stride())),
      slots_(static_cast<std::size_t>(data.stride() * settings.n_trees)) {
  const auto n = static_cast<std::size_t>(data.n_rows());
  std::ranges::fill(residual_, 0);
  std::ranges::copy(response.target, residual_.begin());
  std::int64_t total = data.n_rows();
  if (!weight_.empty()) {
    std::ranges::fill(weight_, 0);
    std::ranges::copy(response.weight, weight_.begin());
    total = 0;
    for (const std::int64_t w : response.weight) total += w;
  }
  total_weight_ = static_cast<double>(total) * settings.weight_unit;
  for (int t = 0; t < settings.n_trees; ++t) {
    trees_[static_cast<std::size_t>(t)].weight[0] = total;
    std::fill(slots(t), slots(t) + n, std::uint8_t{0});
    std::fill(slots(t) + n, slots(t) + data.stride(), std::uint8_t{kMostLeaves});
  }
  if (settings.is_probit) start_probit(response.target);
  measure_residuals();
  if (settings.root_sweeps > 0) grower_.emplace(data, std::span<const std::int64_t>(weight_.data(), weight_.empty() ? 0 : n), settings.min_weight);
  for (const Column& column : data.columns())
    if (column.n_codes > 0)
      for (auto& side : sides_) side.resize(static_cast<std::size_t>(data.stride()));
}

runtime::Rng Chain::rng(std::uint32_t purpose, std::uint64_t part) const noexcept {
  return runtime::Rng(settings_.seed, runtime::stream_id(purpose, static_cast<std::uint32_t>(iteration_)), number_ << 32 | part);
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
  else if (!settings_.sigma_is_fixed) draw_sigma();
  if (settings_.leaf_freedom > 0) draw_leaf_variance();
  if (settings_.is_sparse && iteration_ >= settings_.sparse_from && !space_.usable().empty()) draw_weights();
  if (++iteration_ >= settings_.root_sweeps) grower_.reset();
}

void Chain::keep(Draws& draws) const {
  for (const TreeState& state : trees_) draws.add(state.tree, state.value);
}

void Chain::step(int t) {
  TreeState& state = trees_[static_cast<std::size_t>(t)];
  runtime::Rng random = rng(kTrees, static_cast<std::uint64_t>(t));
  const Proposal proposal = space_.propose(state.tree, random);
  const simd::BartSplit split = split_by(proposal);
  pass(t, split);

  // Residuals of all other trees: what this one's leaves explain is added back to their sums.
  const auto n_slots = static_cast<std::size_t>(state.tree.n_leaves());
  leaves_.resize(n_slots);
  for (std::size_t k = 0; k < n_slots; ++k) leaves_[k] = {state.weight[k], sums_.total[k] + state.weight[k] * state.value[k]};
  LeafSums tried{};
  for (int k = 0; k < 2; ++k) {
    const auto slot = static_cast<std::size_t>(k == 0 ? proposal.a : proposal.b);
    if (slot < n_slots) tried = tried + LeafSums{sums_.weight[k], sums_.left[k] + sums_.weight[k] * state.value[slot]};
  }

  pending_.tree = t;
  pending_.move = Move::none;
  pending_.split = split;
  clear_values(n_slots + 1);
  std::ranges::copy(state.value, pending_.values.before);
  if (proposal.move != Move::none && accepts(proposal, leaves_, tried, log(random.uniform_open())))
    move(state, proposal, leaves_, tried);
  pending_.values.n_slots = static_cast<int>(std::max(n_slots, leaves_.size()));
  draw_values(state, leaves_, random);
  std::ranges::copy(state.value, pending_.values.after);
}

// As kernels ask for them: zeros beyond the slots of either tree, and of rows beyond the data.
void Chain::clear_values(std::size_t n_slots) noexcept {
  for (std::int32_t* values : {pending_.values.before, pending_.values.after}) {
    std::fill_n(values, std::max<std::size_t>(n_slots, kFewSlots), 0);
    values[kMostLeaves] = 0;
  }
}

simd::BartSplit Chain::split_by(const Proposal& proposal) {
  if (proposal.move != Move::grow && proposal.move != Move::change) return {};
  const Rule& rule = proposal.rule;
  const std::uint8_t* code = data_.column(rule.variable);
  const auto a = static_cast<std::uint8_t>(proposal.a), b = static_cast<std::uint8_t>(proposal.b);
  if (!rule.is_set) return {code, rule.shift, rule.bound, a, b};
  side_ = 1 - side_;  // the other one may still be what is applied
  auto& side = sides_[static_cast<std::size_t>(side_)];
  for (std::size_t i = 0; i < side.size(); ++i) side[i] = rule.goes_left(code[i]) ? 0 : 1;
  return {side.data(), 0, 0, a, b};
}

bool Chain::accepts(const Proposal& proposal, std::span<const LeafSums> leaves, LeafSums tried, double log_u) const {
  const auto a = static_cast<std::size_t>(proposal.a), b = static_cast<std::size_t>(proposal.b);
  const LeafModel of = model();
  const auto both = [&](const LeafSums& x, const LeafSums& y) { return of.log_marginal(x) + of.log_marginal(y); };
  const auto enough = [&](const LeafSums& leaf) { return leaf.weight >= settings_.min_weight; };
  double gain = 0;
  if (proposal.move == Move::prune) {
    gain = of.log_marginal(leaves[a] + leaves[b]) - both(leaves[a], leaves[b]);
  } else {
    const LeafSums whole = proposal.move == Move::grow ? leaves[a] : leaves[a] + leaves[b];
    const LeafSums rest = whole - tried;
    if (!enough(tried) || !enough(rest)) return false;
    gain = both(tried, rest) - (proposal.move == Move::grow ? of.log_marginal(whole) : both(leaves[a], leaves[b]));
  }
  return log_u < proposal.log_ratio + gain;
}

// The accepted move, in the tree, its leaves, and what is to be applied to the rows.
void Chain::move(TreeState& state, const Proposal& proposal, std::vector<LeafSums>& leaves, LeafSums tried) {
  const auto a = static_cast<std::size_t>(proposal.a), b = static_cast<std::size_t>(proposal.b);
  pending_.move = proposal.move;
  if (proposal.move == Move::prune) {
    const auto last = leaves.size() - 1;
    const LeafSums whole = leaves[a] + leaves[b];
    leaves[a] = whole;
    leaves[b] = leaves[last];
    leaves.pop_back();
    // The kept slot may be the last one: then it is that which is freed.
    pending_.split.a = static_cast<std::uint8_t>(a == last ? b : a);
    pending_.split.b = static_cast<std::uint8_t>(a == last ? a : b);
    pending_.last = static_cast<int>(last);
    state.tree.prune(proposal.node);
    return;
  }
  const bool grows = proposal.move == Move::grow;
  const LeafSums whole = grows ? leaves[a] : leaves[a] + leaves[b];
  if (grows) leaves.emplace_back();
  leaves[a] = tried;
  leaves[b] = whole - tried;
  if (grows) state.tree.grow(proposal.node, proposal.rule);
  else state.tree.change(proposal.node, proposal.rule);
}

void Chain::draw_values(TreeState& state, std::span<const LeafSums> leaves, runtime::Rng& random) {
  state.value.resize(leaves.size());
  state.weight.resize(leaves.size());
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    state.value[k] = model().draw(leaves[k], random);
    state.weight[k] = leaves[k].weight;
  }
}

// The tree anew, in place of a move of it.
void Chain::regrow(int t) {
  TreeState& state = trees_[static_cast<std::size_t>(t)];
  runtime::Rng random = rng(kRoots, static_cast<std::uint64_t>(t));
  const auto n = static_cast<std::size_t>(data_.n_rows());
  std::uint8_t* const slot = slots(t);
  for (std::size_t i = 0; i < n; ++i) residual_[i] += state.value[slot[i]];
  auto [tree, leaves] = grower_->grow({residual_.data(), n}, space_, model(), {slot, n}, random);
  state.tree = std::move(tree);
  draw_values(state, leaves, random);
  for (std::size_t i = 0; i < n; ++i) residual_[i] -= state.value[slot[i]];
}

index_t Chain::block_rows() const {
  std::int64_t before = 0, after = 0;
  if (pending_.tree >= 0)
    for (int k = 0; k < pending_.values.n_slots; ++k) {
      before = std::max(before, std::abs(static_cast<std::int64_t>(pending_.values.before[k])));
      after = std::max(after, std::abs(static_cast<std::int64_t>(pending_.values.after[k])));
    }
  const std::int64_t bound = std::max<std::int64_t>(bound_ + before + after, 1);
  if (bound >= kLargestResidual)
    throw NumericalError("BART: residuals have grown to " + std::to_string(static_cast<double>(bound) * settings_.unit) +
                         " times the scale of y; expected less than 32");
  const index_t adds = ((std::int64_t{1} << 31) - 1) / bound;  // of residuals in a lane of 32 bits
  return std::clamp<index_t>(16 * adds / kRows * kRows, kRows, kLongestBlock);
}

std::int32_t Chain::apply(index_t begin, index_t rows) {
  const simd::BartTable& kernels = simd::bart();
  std::int32_t* const residual = residual_.data() + begin;
  std::uint8_t* const slot = slots(pending_.tree) + begin;
  simd::BartSplit split = pending_.split;
  switch (pending_.move) {
    case Move::none: return kernels.values(residual, slot, rows, pending_.values);
    case Move::prune: return kernels.merge(residual, slot, rows, pending_.values, split.a, split.b, pending_.last);
    default: split.code += begin; return kernels.split(residual, slot, rows, pending_.values, split);
  }
}

// Applies what is pending and sums what tree `next` (-1: none) asks for, block by block while a block is in the cache.
void Chain::pass(int next, const simd::BartSplit& tried) {
  const index_t n = data_.stride(), block = block_rows();
  std::int64_t largest = pending_.tree >= 0 ? 0 : bound_;
  const int n_slots = next >= 0 ? trees_[static_cast<std::size_t>(next)].tree.n_leaves() : 0;
  std::fill_n(sums_.total, n_slots, 0);
  sums_.total[kMostLeaves] = 0;
  for (int k = 0; k < 2; ++k) sums_.left[k] = sums_.weight[k] = 0;
  for (index_t begin = 0; begin < n; begin += block) {
    const index_t rows = std::min(block, n - begin);
    if (pending_.tree >= 0) largest = std::max<std::int64_t>(largest, apply(begin, rows));
    if (next < 0) continue;
    simd::BartSplit here = tried;
    if (here.code != nullptr) here.code += begin;
    simd::bart().sums(residual_.data() + begin, weight_.empty() ? nullptr : weight_.data() + begin, slots(next) + begin, rows, n_slots,
                      here, sums_);
  }
  bound_ = largest;
  pending_.tree = -1;
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
  runtime::Rng random = rng(kScale);
  sigma2_ = (settings_.nu * settings_.lambda + squares * settings_.weight_unit) / random.chi_square(settings_.nu + total_weight_);
}

void Chain::draw_leaf_variance() {
  double squares = 0;
  index_t leaves = 0;
  for (const TreeState& state : trees_) {
    for (const std::int32_t value : state.value) squares += static_cast<double>(static_cast<std::int64_t>(value) * value);
    leaves += state.tree.n_leaves();
  }
  runtime::Rng random = rng(kLeaves);
  const double m = settings_.leaf_freedom;
  tau2_ = (m * settings_.tau2 + squares * settings_.unit * settings_.unit) / random.chi_square(m + static_cast<double>(leaves));
}

void Chain::measure_residuals() noexcept {
  bound_ = 0;
  for (const std::int32_t r : residual_) bound_ = std::max(bound_, std::abs(static_cast<std::int64_t>(r)));
}

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
    runtime::Rng random = rng(kLatents, static_cast<std::uint64_t>(begin / kLatentRows));
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

void Chain::draw_weights() {
  runtime::Rng random = rng(kWeights);
  const auto usable = space_.usable();
  sparsity_.clear();
  for (const TreeState& state : trees_)
    state.tree.each_inner_node([&](int node) {
      space_.exhausted(state.tree, node, exhausted_);
      const auto place = std::ranges::lower_bound(usable, state.tree[node].rule.variable) - usable.begin();
      sparsity_.count(static_cast<std::size_t>(place), exhausted_, random);
    });
  sparsity_.draw(random);
  space_.weights().set(sparsity_.weights());
}

}  // namespace mlwright::sampler::bart
