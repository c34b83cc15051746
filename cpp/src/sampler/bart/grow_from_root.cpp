#include "sampler/bart/grow_from_root.hpp"

#include <algorithm>
#include <numeric>

#include "mlwright/runtime/parallel.hpp"
#include "simd/math.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr std::size_t kFewestVariables = 5;  // looked at; more of many: their square root
constexpr int kSetsTried = 16;
constexpr std::size_t kRowsForThreads = 4096;
constexpr int kPackedBits = 44;  // of the sum of residuals beside the count of rows
constexpr std::int64_t kOneRow = std::int64_t{1} << kPackedBits;
constexpr std::int64_t kMostPacked = kOneRow >> 1, kMostRows = std::int64_t{1} << 18;

LeafSums unpacked(std::int64_t packed) noexcept {
  const std::int64_t count = (packed + kMostPacked) >> kPackedBits;
  return {count, packed - count * kOneRow};
}

}  // namespace

RootGrower::RootGrower(const Data& data, std::span<const std::int64_t> weight, std::int64_t min_weight, runtime::CancelToken& token)
    : data_(data),
      token_(token),
      weight_(weight),
      min_weight_(min_weight),
      order_(static_cast<std::size_t>(data.n_rows())),
      right_(order_.size()),
      value_(order_.size()),
      right_value_(order_.size()),
      n_splits_(data.columns().size(), 0) {}

void RootGrower::start(std::span<const std::int32_t> residual) {
  std::iota(order_.begin(), order_.end(), 0U);
  std::ranges::copy(residual, value_.begin());
  std::int64_t largest = 0;
  for (const std::int32_t r : residual) largest = std::max(largest, std::abs(static_cast<std::int64_t>(r)));
  const index_t n = data_.n_rows();
  is_packed_ = weight_.empty() && n < kMostRows && largest * n < kMostPacked;
}

void RootGrower::count(const Tree& tree, int times) {
  tree.each_inner_node([&](int node) { n_splits_[static_cast<std::size_t>(tree[node].rule.variable)] += times; });
}

RootGrower::Grown RootGrower::grow(const Tree& before, std::span<const std::int32_t> residual, TreeSpace& space, const LeafModel& model,
                                   std::span<std::uint8_t> slots, runtime::Rng& rng) {
  start(residual);
  count(before, -1);
  Grown out;
  Part root{0, 0, order_.size(), {}};
  for (std::size_t i = 0; i < residual.size(); ++i) {
    const std::int64_t w = weight_.empty() ? 1 : weight_[i];
    root.sums = root.sums + LeafSums{w, w * residual[i]};
  }
  std::vector<Part> open{root};
  while (!open.empty()) {
    const Part part = open.back();
    open.pop_back();
    const Candidate* chosen = nullptr;
    if (out.tree.n_leaves() < kMostLeaves && space.splittable(out.tree, part.node)) {
      gather(part, space, out.tree, rng);
      chosen = choose(part, space.log_odds_of_leaf(out.tree[part.node].depth), model, rng);
    }
    if (chosen == nullptr) {
      const auto slot = static_cast<std::size_t>(out.tree[part.node].slot);
      out.leaves.resize(std::max(out.leaves.size(), slot + 1));
      out.leaves[slot] = part.sums;
      for (std::size_t k = part.begin; k < part.end; ++k) slots[order_[k]] = static_cast<std::uint8_t>(slot);
      continue;
    }
    const Rule rule = rule_of(*chosen);
    const std::size_t middle = divide(part, rule);
    const LeafSums left = chosen->left;
    out.tree.grow(part.node, rule);
    open.push_back({out.tree[part.node].right, middle, part.end, part.sums - left});
    open.push_back({out.tree[part.node].left, part.begin, middle, left});
  }
  count(out.tree, 1);
  return out;
}

void RootGrower::gather(const Part& part, const TreeSpace& space, const Tree& tree, runtime::Rng& rng) {
  candidates_.clear();
  sets_.clear();
  draw_variables(space, tree, part.node, rng);
  by_code_.resize(variables_.size());
  sum_columns(part);
  for (std::size_t c = 0; c < variables_.size(); ++c) {
    const int variable = variables_[c];
    if (data_.columns()[static_cast<std::size_t>(variable)].n_codes > 0) try_sets(part, variable, by_code_[c], rng);
    else try_cuts(part, variable, by_code_[c]);
  }
}

// Without replacement, by weights: those that come first, each after an exponential time of that rate.
void RootGrower::draw_variables(const TreeSpace& space, const Tree& tree, int node, runtime::Rng& rng) {
  variables_.clear();
  waits_.clear();
  for (const int variable : space.usable())
    waits_.emplace_back(rng.exponential() / (1 + n_splits_[static_cast<std::size_t>(variable)]), variable);
  std::size_t tries = kFewestVariables;
  while (tries * tries < waits_.size()) ++tries;
  if (tries < waits_.size()) {
    std::ranges::nth_element(waits_, waits_.begin() + static_cast<std::ptrdiff_t>(tries));
    waits_.resize(tries);
  }
  for (const auto& [wait, variable] : waits_)
    if (space.has_rules(tree, node, variable)) variables_.push_back(variable);
  std::ranges::sort(variables_);
}

// A chain alone has threads to spare.
void RootGrower::sum_columns(const Part& part) {
  const auto n = static_cast<index_t>(variables_.size());
  if (part.end - part.begin < kRowsForThreads || runtime::max_threads() == 1) return sum_columns(part, 0, n);
  runtime::parallel_for(n, kTogether, token_, [&](index_t, index_t begin, index_t end) { sum_columns(part, begin, end); });
}

void RootGrower::sum_columns(const Part& part, index_t begin, index_t end) {
  for (index_t first = begin; first < end; first += kTogether) {
    const std::span together(variables_.data() + first, static_cast<std::size_t>(std::min(kTogether, end - first)));
    Codes* const sums = by_code_.data() + first;
    if (!is_packed_) {
      for (std::size_t c = 0; c < together.size(); ++c) sum_weighted(part, together[c], sums[c]);
      continue;
    }
    switch (together.size()) {
      case 1: sum_packed<1>(part, together.data(), sums); break;
      case 2: sum_packed<2>(part, together.data(), sums); break;
      case 3: sum_packed<3>(part, together.data(), sums); break;
      default: sum_packed<kTogether>(part, together.data(), sums);
    }
  }
}

template <std::size_t kColumns>
void RootGrower::sum_packed(const Part& part, const int* variables, Codes* sums) const {
  std::array<std::array<std::int64_t, 256>, kColumns> packed{};
  std::array<const std::uint8_t*, kColumns> code;
  for (std::size_t c = 0; c < kColumns; ++c) code[c] = data_.column(variables[c]);
  for (std::size_t k = part.begin; k < part.end; ++k) {
    const std::uint32_t i = order_[k];
    const std::int64_t row = kOneRow + value_[k];
    for (std::size_t c = 0; c < kColumns; ++c) packed[c][code[c][i]] += row;
  }
  for (std::size_t c = 0; c < kColumns; ++c) std::ranges::transform(packed[c], sums[c].begin(), unpacked);
}

void RootGrower::sum_weighted(const Part& part, int variable, Codes& sums) const {
  sums.fill({});
  const std::uint8_t* const code = data_.column(variable);
  for (std::size_t k = part.begin; k < part.end; ++k) {
    const std::uint32_t i = order_[k];
    const std::int64_t w = weight_.empty() ? 1 : weight_[i];
    LeafSums& at = sums[code[i]];
    at.weight += w;
    at.sum += w * value_[k];
  }
}

void RootGrower::try_cuts(const Part& part, int variable, const Codes& sums) {
  const Column& column = data_.columns()[static_cast<std::size_t>(variable)];
  const LeafSums missing = sums[kMissing];
  LeafSums left;
  for (int cut = 0; cut < column.n_cuts; ++cut) {
    const LeafSums here = sums[static_cast<std::size_t>(cut)];
    left = left + here;
    if (here.weight == 0 || (part.sums - missing - left).weight == 0) continue;  // as the cut before, or no cut
    add(part, {variable, -1, 0, static_cast<std::uint8_t>(cut), left});
    if (missing.weight > 0) add(part, {variable, -1, 1, static_cast<std::uint8_t>(cut + 1), left + missing});
  }
  if (missing.weight > 0) add(part, {variable, -1, 0, static_cast<std::uint8_t>(kValues), part.sums - missing});
}

void RootGrower::try_sets(const Part& part, int variable, const Codes& sums, runtime::Rng& rng) {
  const int n_codes = data_.columns()[static_cast<std::size_t>(variable)].n_codes;
  for (int t = 0; t < kSetsTried; ++t) {
    Rule rule{variable, 0, 0, true, {}};
    for (std::uint64_t& word : rule.codes) word = rng.next();
    LeafSums left;
    for (int c = 0; c < n_codes; ++c)
      if (rule.goes_left(static_cast<std::uint8_t>(c))) left = left + sums[static_cast<std::size_t>(c)];
    sets_.push_back(rule.codes);
    add(part, {variable, static_cast<std::int32_t>(sets_.size()) - 1, 0, 0, left});
  }
}

void RootGrower::add(const Part& part, Candidate candidate) {
  const LeafSums right = part.sums - candidate.left;
  const std::int64_t least = std::max<std::int64_t>(min_weight_, 1);
  if (candidate.left.weight >= least && right.weight >= least) candidates_.push_back(candidate);
}

Rule RootGrower::rule_of(const Candidate& c) const {
  if (c.set < 0) return {c.variable, c.shift, c.bound, false, {}};
  return {c.variable, 0, 0, true, sets_[static_cast<std::size_t>(c.set)]};
}

// Log marginal likelihoods of both sides together, in weights_: the logarithms of all of them at once.
void RootGrower::weigh(const Part& part, const LeafModel& model) {
  const std::size_t n = candidates_.size();
  shrink_.resize(2 * n);
  logs_.resize(2 * n);
  weights_.resize(n);
  for (std::size_t c = 0; c < n; ++c) {
    shrink_[2 * c] = model.shrink(candidates_[c].left);
    shrink_[2 * c + 1] = model.shrink(part.sums - candidates_[c].left);
  }
  simd::math().log(shrink_.data(), logs_.data(), static_cast<index_t>(2 * n));
  for (std::size_t c = 0; c < n; ++c) {
    const LeafSums left = candidates_[c].left;
    weights_[c] = model.log_marginal(left, shrink_[2 * c], logs_[2 * c]) +
                  model.log_marginal(part.sums - left, shrink_[2 * c + 1], logs_[2 * c + 1]);
  }
}

// One of the candidates, or none of them: a leaf has their number times the prior's odds.
const RootGrower::Candidate* RootGrower::choose(const Part& part, double log_odds_of_leaf, const LeafModel& model, runtime::Rng& rng) {
  if (candidates_.empty()) return nullptr;
  weigh(part, model);
  const double leaf = model.log_marginal(part.sums) + log_odds_of_leaf + log(static_cast<double>(candidates_.size()));
  const double largest = std::max(leaf, std::ranges::max(weights_));
  for (double& w : weights_) w -= largest;
  simd::math().exp(weights_.data(), weights_.data(), static_cast<index_t>(weights_.size()));
  double total = exp(leaf - largest);
  for (const double w : weights_) total += w;
  double left = rng.uniform() * total - exp(leaf - largest);
  if (left < 0) return nullptr;
  for (std::size_t c = 0; c < candidates_.size(); ++c)
    if ((left -= weights_[c]) < 0) return &candidates_[c];
  return &candidates_.back();
}

// Both sides keep their order, so that later passes read columns forwards. A row is written to both sides and counted at one:
// where it goes can not be foreseen.
std::size_t RootGrower::divide(const Part& part, const Rule& rule) {
  const std::uint8_t* const code = data_.column(rule.variable);
  std::array<std::uint8_t, 256> goes_left;
  for (std::size_t c = 0; c < goes_left.size(); ++c) goes_left[c] = rule.goes_left(static_cast<std::uint8_t>(c)) ? 1 : 0;
  std::uint32_t* const order = order_.data();
  std::uint32_t* const right = right_.data();
  std::int32_t* const value = value_.data();
  std::int32_t* const right_value = right_value_.data();
  std::size_t left = part.begin;
  for (std::size_t k = part.begin; k < part.end; ++k) {
    const std::size_t n_right = k - left;
    const std::uint32_t i = order[k];
    const std::int32_t v = value[k];
    order[left] = right[n_right] = i;
    value[left] = right_value[n_right] = v;
    left += goes_left[code[i]];
  }
  std::copy_n(right, part.end - left, order + left);
  std::copy_n(right_value, part.end - left, value + left);
  return left;
}

}  // namespace mlwright::sampler::bart
