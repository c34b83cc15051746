#include "tree/row_slices.hpp"

#include <algorithm>
#include <limits>

namespace mlwright::tree {
namespace {

// Nanoseconds, measured with AVX2 on one core; only their proportions to those of sliced.cpp matter.
constexpr double kRowCode = 2.0, kRowMember = 4.0, kRowTree = 1.0, kRowStep = 1.2, kRowTable = 1.0;

// Pivots, then segments, of thresholds in ascending order.
template <class T>
std::uint32_t add_search(const std::vector<T>& thresholds, std::vector<T>& search) {
  constexpr std::size_t kStep = simd::kSearchStep;
  const std::size_t place = search.size(), n_segments = thresholds.size() / kStep + 1;
  search.resize(place + (n_segments + 1) * kStep, std::numeric_limits<T>::infinity());
  std::copy(thresholds.begin(), thresholds.end(), search.begin() + static_cast<std::ptrdiff_t>(place + kStep));
  for (std::size_t s = 0; s + 1 < n_segments; ++s) search[place + s] = thresholds[s * kStep + kStep - 1];
  return static_cast<std::uint32_t>(place);
}

}  // namespace

// How a run is worked off, and its cost: as blocks of trees, or none where walking is cheaper.
RowSlices::Run RowSlices::run_of(const SlicedRun& source, double& cost) {
  Run run;
  cost = source.walked_cost;
  if (source.trees.empty() || source.columns.size() > kMostColumns) return run;
  run.n_tables = std::max(1, static_cast<int>((source.columns.size() + simd::kCodeTable - 1) / simd::kCodeTable));
  std::size_t n_steps = 0, n_members = 0;
  for (std::size_t first = 0; first < source.trees.size(); first += kTrees) {
    const std::size_t last = std::min(first + kTrees, source.trees.size());
    int longest = 0;
    for (std::size_t t = first; t < last; ++t) {
      longest = std::max<int>(longest, source.trees[t].n_nodes);
      n_members += source.trees[t].n_members;
    }
    run.blocks.push_back({n_steps, longest});
    n_steps += static_cast<std::size_t>(longest);
  }
  const double sliced = kRowCode * static_cast<double>(source.columns.size()) + kRowMember * static_cast<double>(n_members) +
                        kRowTree * static_cast<double>(source.trees.size()) +
                        (kRowStep + kRowTable * run.n_tables) * static_cast<double>(n_steps);
  if (sliced < source.walked_cost)
    cost = sliced;
  else
    run.blocks.clear();
  return run;
}

RowSlices::RowSlices(const Sliced& sliced) : sliced_(&sliced) {
  std::size_t n_steps = 0;
  for (const SlicedRun& source : sliced.runs()) {
    double cost = 0;
    runs_.push_back(run_of(source, cost));
    cost_ += cost;
    runs_.back().first_step = n_steps;
    if (!runs_.back().blocks.empty())
      n_steps += runs_.back().blocks.back().first_step + static_cast<std::size_t>(runs_.back().blocks.back().n_steps);
  }
  steps_ = Buffer<simd::TreeStep>(n_steps);
  for (simd::TreeStep& step : steps_) {
    std::fill_n(step.column, kTrees, std::uint8_t{0});
    std::fill_n(step.slot, kTrees, simd::kNoSlot);
    std::fill_n(step.threshold, kTrees, std::int8_t{0});
  }
  for (std::size_t r = 0; r < runs_.size(); ++r) {
    if (is_walked(r)) continue;
    add_columns(sliced.runs()[r], runs_[r]);
    add_trees(sliced.runs()[r], runs_[r]);
  }
}

void RowSlices::add_columns(const SlicedRun& source, Run& run) {
  for (const SlicedRun::Column& column : source.columns) {
    const std::uint32_t search = add_search(sliced_->thresholds<double>(column), search64_);
    // Rounding down may make the last threshold finite or not: both are as long where it matters, for the place is shared.
    search32_.resize(search);
    std::vector<float> rounded = sliced_->thresholds<float>(column);
    rounded.resize(sliced_->thresholds<double>(column).size(), std::numeric_limits<float>::infinity());
    add_search(rounded, search32_);
    run.features.push_back(column.feature);
    run.columns.push_back({search, missing_code(column.missing_left), column.zero_as_missing});
  }
}

void RowSlices::add_trees(const SlicedRun& source, Run& run) {
  run.place.assign(run.blocks.back().first_step + static_cast<std::size_t>(run.blocks.back().n_steps), -1);
  for (std::size_t t = 0; t < source.trees.size(); ++t) {
    const SlicedRun::Tree& tree = source.trees[t];
    run.values.push_back(tree.value);
    const std::size_t first = run.blocks[t / kTrees].first_step, lane = t % kTrees;
    for (std::size_t i = 0; i < tree.n_nodes; ++i) {
      const simd::SlotNode& node = sliced_->nodes()[tree.node + i];
      simd::TreeStep& step = steps_[run.first_step + first + i];
      step.slot[lane] = node.slot;
      step.threshold[lane] = node.threshold;
      step.column[lane] = static_cast<std::uint8_t>(node.column);
      if (node.column < source.columns.size()) continue;
      std::int32_t& place = run.place[first + i];
      if (place < 0) {
        place = static_cast<std::int32_t>(run.member_codes);
        run.member_codes += kTrees;
      }
      const SlicedRun::Member& member = source.members[tree.member + node.column - source.columns.size()];
      run.members.push_back({member, source.categories[member.category],
                             static_cast<std::uint32_t>(place) + static_cast<std::uint32_t>(lane)});
      step.column[lane] = simd::kMemberColumn;
    }
  }
}

void RowSlices::make_codes(const Run& run, const double* x, std::int8_t* code) const {
  simd::forest().row_codes_f64(x, run.columns.data(), static_cast<int>(run.columns.size()), search64_.data(), zero_bound<double>(), code);
}
void RowSlices::make_codes(const Run& run, const float* x, std::int8_t* code) const {
  simd::forest().row_codes_f32(x, run.columns.data(), static_cast<int>(run.columns.size()), search32_.data(), zero_bound<float>(), code);
}

std::int8_t RowSlices::member_code(const MemberPlace& at, double x) const {
  const std::uint32_t category = category_code(x);
  std::int8_t code;
  simd::forest().members(&category, 1, sliced_->words() + at.member.word, at.member.n_words, &code);
  return code;
}

void RowSlices::find_leaves(const Run& run, std::size_t block, const std::int8_t* codes, const std::int8_t* members,
                            std::uint8_t* slot) const {
  const Block& at = run.blocks[block];
  const simd::MemberCodes member_codes{members, run.place.data() + at.first_step};
  simd::forest().tree_slots(steps_.data() + run.first_step + at.first_step, at.n_steps, codes, run.n_tables,
                            run.members.empty() ? nullptr : &member_codes, slot);
}

}  // namespace mlwright::tree
