#include "mlwright/sampler/bart/predict.hpp"

#include <algorithm>
#include <vector>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/sampler/bart/data.hpp"
#include "simd/forest.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr index_t kTile = simd::kForestTile, kDraws = 32;  // rows and draws of one task
constexpr std::uint8_t kShift = 128;                       // kernels compare signed bytes

[[noreturn]] void refuse(const char* what) {
  throw ModelFormatError(std::string("BART trees: ") + what + "; the model is damaged");
}

struct Open {  // a node whose place is known: in the tree, and the slot its rows are in
  std::size_t node;
  int slot;
};

// Columns of a tile: codes as they are, codes plus one, and, for each rule of categories in turn, its sides.
class Tile {
 public:
  Tile(MatrixView<const std::uint8_t> codes, index_t begin)
      : p_(static_cast<std::size_t>(codes.cols)), rows_(static_cast<int>(std::min(kTile, codes.rows - begin))),
        bytes_(2 * p_ * kTile), columns_(2 * p_) {
    for (std::size_t j = 0; j < p_; ++j)
      for (std::uint8_t shift = 0; shift < 2; ++shift) {
        std::int8_t* const column = bytes_.data() + (2 * j + shift) * kTile;
        columns_[2 * j + shift] = column;
        for (int r = 0; r < rows_; ++r)
          column[r] = static_cast<std::int8_t>(codes(begin + r, static_cast<index_t>(j)) + shift - kShift);
      }
  }

  int rows() const noexcept { return rows_; }
  int padded_rows() const noexcept { return static_cast<int>(padded(rows_)); }
  const std::int8_t* const* columns() const noexcept { return columns_.data(); }

  // The column whose codes are above 0 where a set of codes sends rows right.
  std::uint32_t add_sides(std::size_t variable, const std::uint64_t* set) {
    const std::size_t n = n_sides_++;
    if (n == sides_.size()) sides_.emplace_back(kTile);
    const std::int8_t* const code = columns_[2 * variable];
    for (int r = 0; r < rows_; ++r) {
      const auto c = static_cast<std::uint8_t>(code[r] + kShift);
      sides_[n][static_cast<std::size_t>(r)] = (set[c >> 6] >> (c & 63) & 1) != 0 ? 0 : 1;
    }
    columns_.resize(2 * p_ + n);
    columns_.push_back(sides_[n].data());
    return static_cast<std::uint32_t>(2 * p_ + n);
  }
  void forget_sides() noexcept { n_sides_ = 0; }

 private:
  std::size_t p_;
  int rows_;
  std::vector<std::int8_t> bytes_;
  std::vector<const std::int8_t*> columns_;
  std::vector<std::vector<std::int8_t>> sides_;
  std::size_t n_sides_ = 0;
};

// Sorts a tile's rows into the leaves of one tree after another and adds their values.
class Walker {
 public:
  Walker(const DrawsView& draws, Tile& tile) : draws_(draws), tile_(tile) {}

  void add(std::size_t tree, double* sums) {
    plan(tree == 0 ? 0 : static_cast<std::size_t>(draws_.ends[tree - 1]));
    const simd::ForestTable& kernels = simd::forest();
    kernels.slots(nodes_.data(), static_cast<int>(nodes_.size()), tile_.columns(), tile_.padded_rows(), slots_);
    kernels.add_f64(values_, static_cast<int>(nodes_.size()) + 1, slots_, tile_.padded_rows(), sums);
  }

 private:
  void plan(std::size_t root) {
    nodes_.clear();
    tile_.forget_sides();
    open_.assign(1, {root, 0});
    while (!open_.empty()) {
      const auto [node, slot] = open_.back();
      open_.pop_back();
      if (draws_.variable[node] < 0) {
        values_[slot] = draws_.value[node];
        continue;
      }
      nodes_.push_back(split(node, slot));
      open_.push_back({node + draws_.right[node], static_cast<int>(nodes_.size())});
      open_.push_back({node + 1, slot});
    }
  }

  simd::SlotNode split(std::size_t node, int slot) {
    const auto variable = static_cast<std::uint32_t>(draws_.variable[node]);
    const auto at = static_cast<std::uint8_t>(slot);
    if (draws_.kind[node] == kSetRule) {
      const std::uint64_t* set = draws_.sets.data() + static_cast<std::size_t>(draws_.value[node]) * kSetWords;
      return {tile_.add_sides(variable, set), at, 0};
    }
    return {2 * variable + draws_.kind[node], at, static_cast<std::int8_t>(draws_.bound[node] - kShift)};
  }

  const DrawsView& draws_;
  Tile& tile_;
  std::vector<simd::SlotNode> nodes_;
  std::vector<Open> open_;
  double values_[256] = {};
  std::uint8_t slots_[kTile];
};

class Checker {
 public:
  Checker(const DrawsView& draws, std::span<const Column> columns) : draws_(draws), columns_(columns) {}

  // Whether [begin, end) is one tree: right children begin where left subtrees end.
  void tree(std::size_t begin, std::size_t end) {
    ends_.assign(1, end);
    int leaves = 0;
    for (std::size_t node = begin; node < end; ++node) {
      if (ends_.empty()) refuse("a tree goes on beyond its leaves");
      const std::size_t stop = ends_.back();
      if (draws_.variable[node] < 0) {
        if (++leaves > kMostLeaves || node + 1 != stop) refuse("a tree's nodes are not in order");
        ends_.pop_back();
        continue;
      }
      rule(node);
      const std::size_t right = node + draws_.right[node];
      if (right <= node + 1 || right >= stop) refuse("a right child is out of place");
      ends_.push_back(right);
    }
    if (!ends_.empty()) refuse("a tree lacks leaves");
  }

 private:
  void rule(std::size_t node) const {
    const auto j = static_cast<std::size_t>(draws_.variable[node]);
    if (j >= columns_.size()) refuse("a rule is of no column");
    const bool set = columns_[j].n_codes > 0;
    if (set != (draws_.kind[node] == kSetRule) || draws_.kind[node] > kSetRule) refuse("a rule does not fit its column");
    const auto place = static_cast<std::int64_t>(draws_.value[node]);
    if (set && (place < 0 || static_cast<std::size_t>(place) >= draws_.sets.size() / kSetWords)) refuse("a rule has no set");
  }

  const DrawsView& draws_;
  std::span<const Column> columns_;
  std::vector<std::size_t> ends_;
};

}  // namespace

void check(const DrawsView& draws, std::span<const Column> columns, index_t n_trees) {
  const std::size_t n = draws.variable.size();
  if (draws.value.size() != n || draws.right.size() != n || draws.kind.size() != n || draws.bound.size() != n)
    refuse("arrays of nodes differ in length");
  if (draws.sets.size() % kSetWords != 0 || n_trees < 1 || draws.ends.empty() ||
      draws.ends.size() % static_cast<std::size_t>(n_trees) != 0)
    refuse("got no whole draws");
  Checker checker(draws, columns);
  index_t begin = 0;
  for (const index_t end : draws.ends) {
    if (end <= begin || end > static_cast<index_t>(n)) refuse("trees overlap");
    checker.tree(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
    begin = end;
  }
  if (begin != static_cast<index_t>(n)) refuse("nodes belong to no tree");
}

void predict(const DrawsView& draws, index_t n_trees, MatrixView<const std::uint8_t> codes, Scale scale, double* out,
             runtime::CancelToken& token) {
  const index_t n = codes.rows, n_draws = static_cast<index_t>(draws.ends.size()) / n_trees;
  const index_t by_draws = (n_draws + kDraws - 1) / kDraws, tiles = (n + kTile - 1) / kTile;
  runtime::parallel_for(tiles * by_draws, 1, token, [&](index_t task, index_t, index_t) {
    const index_t begin = task / by_draws * kTile, first = task % by_draws * kDraws;
    Tile tile(codes, begin);
    Walker walker(draws, tile);
    for (index_t d = first; d < std::min(first + kDraws, n_draws); ++d) {
      alignas(64) double sums[kTile] = {};
      for (index_t t = 0; t < n_trees; ++t) walker.add(static_cast<std::size_t>(d * n_trees + t), sums);
      double* const row = out + d * n + begin;
      for (int r = 0; r < tile.rows(); ++r) row[r] = scale.offset + scale.scale * sums[r];
    }
  });
}

}  // namespace mlwright::sampler::bart
