// The booster's gradients: computed a strip of rows at a time, by whoever needs them, and rounded to integers.
//
// Most losses cost less to evaluate than 16 bytes a row to write and to read again. So only what is dear, or changed after it was
// computed, is kept (Booster::keeps_gradients_); the rest is computed once for its range and its integers, and once more
// for the sums of leaves. Both give the same bits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/tree/booster.hpp"
#include "simd/boosting.hpp"

namespace mlwright::tree {
namespace {

constexpr index_t kGrain = 16384;
constexpr std::uint64_t kPackedFrom = 8192;  // with fewer rows histograms take little of the time
constexpr std::int64_t kLeastG = 64, kLeastH = 64, kLeastGAlone = 1 << 16;  // units; see round_coarsely()

// f(first row, last row, strip) for the strips of rows [begin, end).
template <class Strip, class F>
void for_strips(index_t begin, index_t end, Strip strip_of, F f) {
  double memory[2 * Gradients::kStrip];
  for (index_t i = begin; i < end; i += Gradients::kStrip) {
    const index_t next = std::min(i + Gradients::kStrip, end);
    f(i, next, strip_of(i, next, memory));
  }
}

void widen(simd::GradientRange& range, const simd::GradientRange& other) {
  if (std::isnan(range.largest_g)) return;
  range.largest_g = std::isnan(other.largest_g) ? other.largest_g : std::max(range.largest_g, other.largest_g);
  range.largest_h = std::max(range.largest_h, other.largest_h);
  range.smallest_h = std::min(range.smallest_h, other.smallest_h);
}

// RowTotals and the kernel's are integers: their sums know no order.
template <class Totals>
void add_to(Totals& all, const Totals& some) {
  all.sum.g += some.sum.g;
  all.sum.hn += some.sum.hn;
  all.n_small += some.n_small;
}

simd::Rounding rounding_for(const FixedPoint& fixed, bool constant_hessian) {
  return {fixed.g_scale(), fixed.h_scale(), fixed.count_bits, constant_hessian ? kLeastGAlone : kLeastG,
          constant_hessian ? 0 : kLeastH};
}

}  // namespace

Booster::RowTotals Booster::totals_of(const simd::RoundedTotals& totals) noexcept {
  return {{totals.g, totals.hn}, totals.n_small};
}

// Of rows [begin, end), importance weights multiplied in; no h unless has_hessians_.
void Booster::compute(int output, index_t begin, index_t end, double* g, double* h) const {
  double memory[Gradients::kStrip];
  for (index_t i = begin; i < end; i += Gradients::kStrip) {
    const index_t next = std::min(i + Gradients::kStrip, end);
    objective_->gradients(y_.strip(i, next, memory), raw_.data() + output * bins_->n_rows(), output, i, next, g + (i - begin),
                          h == nullptr ? nullptr : h + (i - begin));
  }
  if (!has_hessians_) return;
  if (objective_->constant_hessian()) std::fill_n(h, end - begin, 1.0);
  if (weight_.empty() || repetitions_) return;
  simd::boosting().multiply(g, weight_.data() + begin, end - begin);
  simd::boosting().multiply(h, weight_.data() + begin, end - begin);
}

Gradients::Strip Booster::strip(int output, index_t begin, index_t end, double* memory) const {
  if (keeps_gradients_) return {g_.data() + begin, hessians_are_one_ ? nullptr : h_.data() + begin};
  double* h = memory + Gradients::kStrip;
  compute(output, begin, end, memory, h);
  return {memory, hessians_are_one_ ? nullptr : h};
}

// Names the first observation whose derivatives no tree can be grown by.
void Booster::refuse_gradients(int output) const {
  const double* raw = raw_.data() + output * bins_->n_rows();
  for_strips(0, bins_->n_rows(), strips(output), [&](index_t begin, index_t end, const Gradients::Strip& s) {
    for (index_t i = begin; i < end; ++i) {
      const double g = s.g[i - begin], h = s.h == nullptr ? 1.0 : s.h[i - begin];
      if (!std::isfinite(g) || !std::isfinite(h))
        throw NumericalError("loss: its gradient or Hessian is not a finite number: " + std::to_string(g) + " and " +
                             std::to_string(h) + " at y = " + std::to_string(y_[static_cast<std::size_t>(i)]) + ", raw = " +
                             std::to_string(raw[i]) +
                             "; expected finite values; look at the loss, the targets' magnitude and learning_rate");
    }
  });
}

// The range of one output's gradients; rows are packed too, by the units of the iteration before, which most often are
// those of this one.
Booster::Range Booster::find_range(int output, const Units& guess, runtime::CancelToken& token) {
  struct OfChunk {
    simd::GradientRange range{0, 0, std::numeric_limits<double>::infinity()};
    RowTotals packed;
  };
  hessians_are_one_ = !has_hessians_;
  std::vector<OfChunk> chunks(static_cast<std::size_t>(runtime::n_chunks(bins_->n_rows(), kGrain)));
  runtime::parallel_for(bins_->n_rows(), kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    if (keeps_gradients_) compute(output, begin, end, g_.data() + begin, has_hessians_ ? h_.data() + begin : nullptr);
    OfChunk mine;
    for_strips(begin, end, strips(output), [&](index_t i, index_t next, const Gradients::Strip& s) {
      widen(mine.range, simd::boosting().range(s.g, s.h, next - i));
      if (guess.known) add_to(mine.packed, pack(s.g, guess.constant_hessian ? nullptr : s.h, i, next, guess));
    });
    chunks[static_cast<std::size_t>(chunk)] = mine;
  });
  OfChunk all;
  for (const OfChunk& chunk : chunks) {
    widen(all.range, chunk.range);
    add_to(all.packed, chunk.packed);
  }
  if (std::isnan(all.range.largest_g)) refuse_gradients(output);
  if (!(all.range.smallest_h >= 0))
    throw NumericalError("loss: got the negative Hessian " + std::to_string(all.range.smallest_h) +
                         ", expected >= 0 everywhere; return an upper bound of it instead");
  // Ones that were computed (a user's loss says so) are as good as ones that were known: finer units, fewer bytes.
  hessians_are_one_ = !has_hessians_ || (all.range.largest_h == 1 && all.range.smallest_h == 1 && !sampler_.by_gradient());
  return {all.range.largest_g, all.range.largest_h, all.packed};
}

// Where rows are sampled by gradient, `sample` is set to those of this output.
Gradients Booster::gradients_of(int output, const RowSample*& sample, runtime::CancelToken& token) {
  Units& units = units_[static_cast<std::size_t>(output)];
  Range range = find_range(output, units, token);
  if (sampler_.by_gradient()) {
    const double factor = sampler_.draw_by_gradient(tree_, g_, h_, token);
    sample = &sampler_.sample();
    range.largest_g *= factor;
    range.largest_h *= factor;
  }
  FixedPoint fixed = FixedPoint::fit(range.largest_g, range.largest_h, total_count_);
  Rounded rounded;
  if (!round_coarsely(output, range, units, fixed, rounded, token)) rounded = round_finely(output, fixed, token);
  return {strips(output),  hessians_are_one_, repetitions_ ? std::span<const double>(weight_) : std::span<const double>(),
          rounded.rows, rounded.totals.sum, fixed};
}

// Rounds to the units that packed rows have room for; false, and nothing is changed, if those do not do: more than half
// of the rows have fewer than kLeastG or kLeastH units, so that the rounding of each, 1 in 128 at worst, would begin to
// show in the choice of cuts. Rows are counted by their integers, repetitions as often as they stand for: the answer is
// the same for repetitions and for repeated rows, though rows that stand for several are not packed themselves.
bool Booster::round_coarsely(int output, const Range& range, Units& units, FixedPoint& fixed, Rounded& rounded,
                             runtime::CancelToken& token) {
  const bool packs = !repetitions_ && !sampler_.by_gradient();
  const Units coarse{fixed.coarse(hessians_are_one_), hessians_are_one_, true};
  const bool guessed = units == coarse;
  units.known = false;
  if (total_count_ < kPackedFrom) return false;
  const Rounded coarsely = repetitions_ ? round_finely(output, coarse.fixed, token)
                                        : (guessed ? packed_rows(coarse, range.packed) : round_to_packed(output, coarse, token));
  if (static_cast<std::uint64_t>(coarsely.totals.n_small) * 2 > total_count_) return false;
  if (packs) units = coarse;
  fixed = coarse.fixed;
  rounded = coarsely;
  return true;
}

template <class Round>
Booster::RowTotals Booster::round_all(int output, runtime::CancelToken& token, Round round) const {
  std::vector<RowTotals> chunks(static_cast<std::size_t>(runtime::n_chunks(bins_->n_rows(), kGrain)));
  runtime::parallel_for(bins_->n_rows(), kGrain, token, [&](index_t chunk, index_t begin, index_t end) {
    RowTotals mine;
    for_strips(begin, end, strips(output),
               [&](index_t i, index_t next, const Gradients::Strip& s) { add_to(mine, round(s, i, next)); });
    chunks[static_cast<std::size_t>(chunk)] = mine;
  });
  RowTotals all;
  for (const RowTotals& chunk : chunks) add_to(all, chunk);
  return all;
}

Booster::Rounded Booster::round_finely(int output, const FixedPoint& fixed, runtime::CancelToken& token) {
  static_assert(sizeof(simd::PackedEntry) == sizeof(Entry));
  if (entries_.empty()) entries_ = Buffer<Entry>(y_.size());
  const simd::Rounding rounding = rounding_for(fixed, hessians_are_one_);
  Rounded rounded;
  rounded.totals = round_all(output, token, [&](const Gradients::Strip& s, index_t i, index_t next) {
    return totals_of(simd::boosting().round_to_entries(s.g, s.h, repetitions_ ? weight_.data() + i : nullptr, next - i, rounding,
                                             reinterpret_cast<simd::PackedEntry*>(entries_.data() + i)));
  });
  rounded.rows.wide = {entries_.data(), entries_.size()};
  return rounded;
}

Booster::RowTotals Booster::pack(const double* g, const double* h, index_t begin, index_t end, const Units& units) {
  return totals_of(simd::boosting().round_to_packed(g, h, end - begin, rounding_for(units.fixed, units.constant_hessian),
                                          units.constant_hessian ? 0 : Packing::kRowBits, packed_.data() + begin));
}

Booster::Rounded Booster::packed_rows(const Units& units, const RowTotals& totals) const {
  Rounded rounded;
  rounded.totals = totals;
  rounded.rows.packed = {packed_.data(), packed_.size()};
  rounded.rows.packing = Packing::of(units.fixed, units.constant_hessian);
  return rounded;
}

Booster::Rounded Booster::round_to_packed(int output, const Units& units, runtime::CancelToken& token) {
  if (packed_.empty()) packed_ = Buffer<std::uint32_t>(y_.size());
  const RowTotals totals = round_all(output, token, [&](const Gradients::Strip& s, index_t i, index_t next) {
    return pack(s.g, s.h, i, next, units);
  });
  return packed_rows(units, totals);
}

Booster::WeightedGradients Booster::gradients(int output, runtime::CancelToken& token) {
  // What outputs share trees by is one gradient of all of them; it reads the scores of all.
  if (output < 0 || output >= (objective_->shares_trees() ? 1 : n_outputs()))
    throw InvalidArgument("boosting: no gradients of output " + std::to_string(output));
  objective_->prepare(y_, raw_, tree_ / static_cast<std::uint64_t>(objective_->shares_trees() ? 1 : n_outputs()), token);
  find_range(output, {}, token);
  WeightedGradients all;
  all.g.resize(y_.size());
  if (!hessians_are_one_ || repetitions_) all.h.assign(y_.size(), 1.0);
  runtime::parallel_for(bins_->n_rows(), kGrain, token, [&](index_t, index_t begin, index_t end) {
    for_strips(begin, end, strips(output), [&](index_t i, index_t next, const Gradients::Strip& s) {
      std::copy_n(s.g, next - i, all.g.begin() + i);
      if (s.h != nullptr) std::copy_n(s.h, next - i, all.h.begin() + i);
    });
  });
  if (!repetitions_) return all;
  simd::boosting().multiply(all.g.data(), weight_.data(), bins_->n_rows());
  simd::boosting().multiply(all.h.data(), weight_.data(), bins_->n_rows());
  return all;
}

}  // namespace mlwright::tree
