#include "mlwright/tree/row_sample.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/tree/streams.hpp"

namespace mlwright::tree {
namespace {

constexpr std::uint8_t kOut = 0, kDrawn = 1, kLargest = 2;
constexpr index_t kGrain = RowSampler::kStratum;

index_t share_of(double share, index_t n) {
  return std::min(n, static_cast<index_t>(std::ceil(share * static_cast<double>(n))));
}

// Running totals of `of` over the strata: how many come before each, then all.
template <class Of>
std::vector<index_t> totals_before(index_t n, runtime::CancelToken& token, Of of) {
  std::vector<index_t> before(static_cast<std::size_t>(runtime::n_chunks(n, kGrain)) + 1, 0);
  runtime::parallel_for(n, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    index_t total = 0;
    for (index_t i = begin; i < end; ++i) total += of(static_cast<std::size_t>(i));
    before[static_cast<std::size_t>(chunk)] = total;
  });
  index_t sum = 0;
  for (index_t& b : before) sum += std::exchange(b, sum);
  return before;
}

// The k-th largest of some floats that are not negative, 1 <= k <= n: their bits rise with them.
float kth_largest(std::span<const float> x, index_t k) {
  constexpr int kDigits = 1 << 16;
  std::vector<index_t> counts(kDigits, 0);
  for (const float v : x) ++counts[std::bit_cast<std::uint32_t>(v) >> 16];
  int digit = kDigits - 1;
  for (; counts[static_cast<std::size_t>(digit)] < k; --digit) k -= counts[static_cast<std::size_t>(digit)];
  std::vector<float> same;
  same.reserve(static_cast<std::size_t>(counts[static_cast<std::size_t>(digit)]));
  for (const float v : x)
    if (std::bit_cast<std::uint32_t>(v) >> 16 == static_cast<std::uint32_t>(digit)) same.push_back(v);
  std::ranges::nth_element(same, same.begin() + (k - 1), std::greater<>());
  return same[static_cast<std::size_t>(k - 1)];
}

}  // namespace

const RowSample& RowSampler::draw(std::uint64_t iteration, runtime::CancelToken& token) {
  const std::uint64_t draw = iteration / rules_.every;
  if (drawn_ && drawn_for_ == draw) return sample_;
  mark_.assign(static_cast<std::size_t>(n_), kOut);
  mark_drawn(rules_.subsample, draw, token);
  gather(token);
  drawn_ = true;
  drawn_for_ = draw;
  return sample_;
}

double RowSampler::draw_by_gradient(std::uint64_t tree, std::span<double> g, std::span<double> h,
                                    runtime::CancelToken& token) {
  mark_.assign(static_cast<std::size_t>(n_), kOut);
  const index_t n_top = share_of(rules_.top_rate, n_), n_rest = n_ - n_top;
  const index_t n_drawn = std::min(n_rest, share_of(rules_.other_rate, n_));
  if (n_top > 0) mark_largest(g, n_top, token);
  if (n_drawn > 0) mark_drawn(static_cast<double>(n_drawn) / static_cast<double>(n_rest), tree, token);
  gather(token);
  const double factor = n_drawn > 0 ? static_cast<double>(n_rest) / static_cast<double>(n_drawn) : 1.0;
  runtime::parallel_for(n_, kGrain, token, [&](index_t, index_t begin, index_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      if (mark_[i] == kDrawn) {
        g[i] *= factor;
        h[i] *= factor;
      }
  });
  return factor;
}

void RowSampler::mark_largest(std::span<const double> g, index_t n_top, runtime::CancelToken& token) {
  double largest = 0;
  for (const double v : g) largest = std::max(largest, std::abs(v));
  int exponent = 0;
  std::frexp(largest, &exponent);
  const double scale = std::ldexp(1.0, -std::max(exponent, -970));
  size_.resize(static_cast<std::size_t>(n_));
  runtime::parallel_for(n_, kGrain, token, [&](index_t, index_t begin, index_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      size_[i] = static_cast<float>(std::abs(g[i]) * scale);
  });
  const float least = kth_largest(size_, n_top);
  const auto larger = totals_before(n_, token, [&](std::size_t i) { return size_[i] > least; });
  const auto equal = totals_before(n_, token, [&](std::size_t i) { return size_[i] == least; });
  const index_t equals_taken = n_top - larger.back();
  runtime::parallel_for(n_, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    index_t rank = equal[static_cast<std::size_t>(chunk)];
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      if (size_[i] > least || (size_[i] == least && rank++ < equals_taken)) mark_[i] = kLargest;
  });
}

// Of the rows that are not in yet. In a stratum with `left` of them to come and `wanted` to take, the next one is taken
// with probability wanted / left (Knuth, TAOCP 2, 3.4.2, algorithm S).
void RowSampler::mark_drawn(double share, std::uint64_t stream, runtime::CancelToken& token) {
  const auto before = totals_before(n_, token, [&](std::size_t i) { return mark_[i] == kOut; });
  runtime::parallel_for(n_, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    const index_t first = before[static_cast<std::size_t>(chunk)], last = before[static_cast<std::size_t>(chunk) + 1];
    index_t left = last - first, wanted = share_of(share, last) - share_of(share, first);
    runtime::Rng rng(seed_, runtime::stream_id(static_cast<std::uint32_t>(Draws::rows_of_tree), static_cast<std::uint32_t>(stream)),
                     static_cast<std::uint64_t>(chunk));
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end) && wanted > 0; ++i) {
      if (mark_[i] != kOut) continue;
      if (static_cast<index_t>(rng.below(static_cast<std::uint64_t>(left--))) >= wanted) continue;
      mark_[i] = kDrawn;
      --wanted;
    }
  });
}

void RowSampler::gather(runtime::CancelToken& token) {
  const auto in = totals_before(n_, token, [&](std::size_t i) { return mark_[i] != kOut; });
  sample_.n_in = in.back();
  sample_.rows.resize(static_cast<std::size_t>(n_));
  runtime::parallel_for(n_, kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    index_t to = in[static_cast<std::size_t>(chunk)], rest = sample_.n_in + begin - to;
    for (index_t i = begin; i < end; ++i)
      sample_.rows[static_cast<std::size_t>(mark_[static_cast<std::size_t>(i)] != kOut ? to++ : rest++)] =
          static_cast<std::uint32_t>(i);
  });
}

}  // namespace mlwright::tree
