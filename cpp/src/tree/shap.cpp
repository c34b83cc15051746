#include "mlwright/tree/shap.hpp"

#include <algorithm>
#include <string>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/shap.hpp"
#include "tree/shap_state.hpp"

namespace mlwright::tree {
namespace {

using simd::kShapRows;
using simd::RowMask;

constexpr index_t kTilesAtOnce = 256;  // of kShapRows rows each

// Where the sums of a tree's slots are added: features or pairs of features.
struct Output {
  double* data;
  index_t n_features, n_outputs;
  ShapTarget target;

  std::size_t row_size() const noexcept {
    return static_cast<std::size_t>(n_outputs * n_features * (target == ShapTarget::pair ? n_features : 1));
  }
  void add(double* row, std::int32_t i, std::int32_t j, index_t output, double v) const noexcept {
    if (target == ShapTarget::feature) {
      row[i * n_outputs + output] += v;
      return;
    }
    row[(i * n_features + j) * n_outputs + output] += v;
    row[(j * n_features + i) * n_outputs + output] += v;
  }
};

// Scratch of one thread.
struct Worker {
  std::vector<RowMask> masks;    // kShapRows a test
  std::vector<double> present;   // kShapRows a literal
  Buffer<double> sums;
  std::vector<RowMask> ids;
};

// One piece of a tree whose groups have their tables in memory.
struct Piece {
  std::size_t tree;
  const Segment* segment;
  std::size_t first_table;  // where its tables begin
  std::size_t first_ids;    // its groups' pattern numbers: kTilesAtOnce tiles a group
};

// One call of values() or interactions(): pieces of trees, as many at a time as their tables fit in memory; for each such
// batch the patterns of all rows, then the tables, then the sums, each in parallel.
class ShapRun {
 public:
  ShapRun(const ShapState& state, const std::vector<ShapPlan>& plans, Output output, runtime::CancelToken& token)
      : state_(state), plans_(plans), output_(output), token_(token), tiles_(state.used.size()),
        workers_([] { return Worker{}; }) {}

  template <class T>
  void add(MatrixView<const T> x) {
    for (index_t begin = 0; begin < x.rows; begin += kTilesAtOnce * kShapRows) {
      const index_t end = std::min(x.rows, begin + kTilesAtOnce * kShapRows);
      first_row_ = begin;
      tiles_.fill(x.row_block(begin, end), state_.used, state_.float32_input, token_);
      for (std::size_t tree = 0, segment = 0; tree < plans_.size();) {
        take_batch(tree, segment);
        number_patterns();
        fill_tables();
        add_sums();
      }
    }
  }

 private:
  const ShapPlan& plan(const Piece& piece) const { return plans_[piece.tree]; }
  const TreePaths& paths(const Piece& piece) const { return state_.trees[piece.tree]; }

  void take_batch(std::size_t& tree, std::size_t& segment) {
    pieces_.clear();
    std::size_t n_groups = 0, table_size = 0;
    while (tree < plans_.size()) {
      if (segment == plans_[tree].segments.size()) {
        ++tree;
        segment = 0;
        continue;
      }
      const Segment& next = plans_[tree].segments[segment];
      if (!pieces_.empty() && (table_size + next.table_size > kShapTableLimit || n_groups + next.n_groups > kShapGroupLimit)) break;
      pieces_.push_back({tree, &next, table_size, n_groups});
      table_size += next.table_size;
      n_groups += next.n_groups;
      ++segment;
    }
    if (tables_.size() < table_size) tables_ = Buffer<double>(table_size);
    ids_.resize(n_groups * static_cast<std::size_t>(tiles_.n_tiles()) * kShapRows);
  }

  RowMask* ids(std::size_t group, index_t tile) {
    return ids_.data() + (group * static_cast<std::size_t>(tiles_.n_tiles()) + static_cast<std::size_t>(tile)) * kShapRows;
  }

  void decide(const Piece& piece, index_t tile, Worker& mine) const {
    const TreePaths& tree = paths(piece);
    mine.masks.resize(tree.tests.size() * kShapRows);
    for (const std::uint32_t t : piece.segment->tests)
      state_.decide(tree.tests[t], tiles_, tile, mine.masks.data() + t * kShapRows);
  }

  void number_patterns() {
    runtime::parallel_for(tiles_.n_tiles(), kShapTileGrain, token_, [&](index_t, index_t begin, index_t end) {
      Worker& mine = workers_.local();
      for (const Piece& piece : pieces_)
        for (index_t tile = begin; tile < end; ++tile) {
          decide(piece, tile, mine);
          for (std::uint32_t g = 0; g < piece.segment->n_groups; ++g)
            number_group(piece, plan(piece).groups[piece.segment->first_group + g], mine, ids(piece.first_ids + g, tile));
        }
    });
  }

  void number_group(const Piece& piece, const LeafGroup& group, const Worker& mine, RowMask* id) const {
    if (group.is_long) return;
    const ShapPlan& p = plan(piece);
    std::fill_n(id, kShapRows, RowMask{0});
    RowMask all[kShapRows];
    for (int b = 0; b < group.n_bits; ++b) {
      const PatternBit& bit = p.bits[group.first_bit + static_cast<std::uint32_t>(b)];
      const auto place = static_cast<RowMask>(1U << b);
      const Condition* conditions = p.bit_conditions.data() + bit.first;
      if (bit.count == 1 && conditions[0].left) {
        simd::shap().add_bit(mine.masks.data() + conditions[0].test * kShapRows, place, id);
        continue;
      }
      std::fill_n(all, kShapRows, RowMask{0xffff});
      for (std::uint32_t c = 0; c < bit.count; ++c)
        simd::shap().narrow(mine.masks.data() + conditions[c].test * kShapRows, !conditions[c].left, all);
      simd::shap().add_bit(all, place, id);
    }
  }

  void fill_tables() {
    struct Task {
      const Piece* piece;
      std::uint32_t group;
      std::size_t table, ids;
    };
    std::vector<Task> tasks;
    for (const Piece& piece : pieces_) {
      std::size_t table = piece.first_table;
      for (std::uint32_t g = 0; g < piece.segment->n_groups; ++g) {
        const LeafGroup& group = plan(piece).groups[piece.segment->first_group + g];
        if (!group.is_long) tasks.push_back({&piece, piece.segment->first_group + g, table, piece.first_ids + g});
        table += group.table_size();
      }
    }
    runtime::parallel_for(static_cast<index_t>(tasks.size()), 4, token_, [&](index_t, index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const Task& task = tasks[static_cast<std::size_t>(i)];
        fill_table(*task.piece, plan(*task.piece).groups[task.group], tables_.data() + task.table, task.ids, workers_.local());
      }
    });
  }

  // The patterns that some row has; all of them where looking for them would cost more than it saves.
  void find_patterns(const LeafGroup& group, std::size_t ids_of_group, std::vector<RowMask>& found) {
    const std::size_t n_patterns = std::size_t{1} << group.n_bits;
    const auto n_rows = static_cast<std::size_t>(tiles_.n_rows());
    found.clear();
    std::vector<std::uint8_t> seen(n_patterns, n_rows >= 16 * n_patterns);
    if (n_rows < 16 * n_patterns) {
      const RowMask* id = ids(ids_of_group, 0);
      for (std::size_t r = 0; r < n_rows; ++r) seen[id[r]] = 1;
    }
    for (std::size_t p = 0; p < n_patterns; ++p)
      if (seen[p]) found.push_back(static_cast<RowMask>(p));
  }

  void fill_table(const Piece& piece, const LeafGroup& group, double* table, std::size_t ids_of_group, Worker& mine) {
    const TreePaths& tree = paths(piece);
    const ShapPlan& p = plan(piece);
    find_patterns(group, ids_of_group, mine.ids);
    const std::size_t entry = group.n_blocks * kShapBlock;
    for (const RowMask id : mine.ids) std::fill_n(table + id * entry, entry, 0.0);
    LeafGame game(state_.quadrature, tree, state_.background_of(piece.tree), output_.target);
    for (std::uint32_t l = group.first_leaf; l < group.first_leaf + group.n_leaves; ++l) {
      const PathLeaf& leaf = tree.leaves[l];
      game.prepare(l);
      mine.present.resize(leaf.count * kShapRows);
      for (std::size_t first = 0; first < mine.ids.size(); first += kShapRows) {
        const int n = static_cast<int>(std::min<std::size_t>(kShapRows, mine.ids.size() - first));
        for (std::uint32_t i = 0; i < leaf.count; ++i) {
          const LiteralBits bits = p.literal_bits[leaf.first + i];
          for (int r = 0; r < kShapRows; ++r) {
            const unsigned id = mine.ids[first + static_cast<std::size_t>(std::min(r, n - 1))];
            mine.present[i * kShapRows + static_cast<unsigned>(r)] = (id & bits.ones) == bits.ones && (id & bits.zeros) == 0;
          }
        }
        add_leaf(tree, p, l, game(mine.present.data(), n), n, [&](int r, int k) {
          return table + mine.ids[first + static_cast<std::size_t>(r)] * entry +
                 static_cast<std::size_t>(k) * (entry / static_cast<std::size_t>(tree.n_outputs));
        });
      }
    }
  }

  // place(row, output): where the sums of a row and output are.
  template <class Place>
  static void add_leaf(const TreePaths& tree, const ShapPlan& p, std::uint32_t leaf, std::span<const double> parts, int n,
                       Place place) {
    const std::uint32_t* places = p.places.data() + p.first_place[leaf];
    const std::size_t n_targets = parts.size() / kShapRows;
    for (int r = 0; r < n; ++r)
      for (int k = 0; k < tree.n_outputs; ++k) {
        const double v = tree.values[leaf * static_cast<std::size_t>(tree.n_outputs) + static_cast<std::size_t>(k)];
        double* sums = place(r, k);
        for (std::size_t t = 0; t < n_targets; ++t) sums[places[t]] += v * parts[t * kShapRows + static_cast<std::size_t>(r)];
      }
  }

  void add_sums() {
    runtime::parallel_for(tiles_.n_tiles(), kShapTileGrain, token_, [&](index_t, index_t begin, index_t end) {
      Worker& mine = workers_.local();
      for (const Piece& piece : pieces_)
        for (index_t tile = begin; tile < end; ++tile) add_piece(piece, tile, mine);
    });
  }

  void add_piece(const Piece& piece, index_t tile, Worker& mine) {
    const TreePaths& tree = paths(piece);
    const ShapPlan& p = plan(piece);
    const std::size_t stride = std::size_t{p.n_slots} * static_cast<std::size_t>(tree.n_outputs);
    const int n = tiles_.rows_of(tile);
    clear_sums(piece, n, stride, mine);
    std::size_t table = piece.first_table;
    bool decided = false;
    for (std::uint32_t g = 0; g < piece.segment->n_groups; ++g) {
      const LeafGroup& group = p.groups[piece.segment->first_group + g];
      if (group.is_long) {
        if (!decided) decide(piece, tile, mine);
        decided = true;
        add_long_leaf(piece, group.first_leaf, n, stride, mine);
        continue;
      }
      simd::shap().add_entries(tables_.data() + table, ids(piece.first_ids + g, tile), n, p.offsets.data() + group.first_offset,
                               static_cast<int>(group.n_blocks), mine.sums.data(), static_cast<index_t>(stride));
      table += group.table_size();
    }
    scatter(piece, tile, n, stride, mine);
  }

  void clear_sums(const Piece& piece, int n, std::size_t stride, Worker& mine) const {
    if (mine.sums.size() < stride * kShapRows) mine.sums = Buffer<double>(stride * kShapRows);
    for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r)
      for (std::size_t slots = 0; slots < stride; slots += plan(piece).n_slots)
        for (const std::uint32_t block : piece.segment->blocks)
          std::fill_n(mine.sums.data() + r * stride + slots + block * kShapBlock, kShapBlock, 0.0);
  }

  void add_long_leaf(const Piece& piece, std::uint32_t l, int n, std::size_t stride, Worker& mine) {
    const TreePaths& tree = paths(piece);
    const ShapPlan& p = plan(piece);
    LeafGame game(state_.quadrature, tree, state_.background_of(piece.tree), output_.target);
    game.prepare(l);
    const auto literals = tree.literals_of(tree.leaves[l]);
    mine.present.resize(literals.size() * kShapRows);
    RowMask all[kShapRows];
    for (std::size_t i = 0; i < literals.size(); ++i) {
      std::fill_n(all, kShapRows, RowMask{0xffff});
      for (const Condition& c : tree.conditions_of(literals[i]))
        simd::shap().narrow(mine.masks.data() + c.test * kShapRows, !c.left, all);
      simd::shap().to_numbers(all, mine.present.data() + i * kShapRows);
    }
    add_leaf(tree, p, l, game(mine.present.data(), n), n, [&](int r, int k) {
      return mine.sums.data() + static_cast<std::size_t>(r) * stride + static_cast<std::size_t>(k) * p.n_slots;
    });
  }

  void scatter(const Piece& piece, index_t tile, int n, std::size_t stride, const Worker& mine) const {
    const TreePaths& tree = paths(piece);
    const ShapPlan& p = plan(piece);
    for (int r = 0; r < n; ++r) {
      double* row = output_.data + static_cast<std::size_t>(first_row_ + tile * kShapRows + r) * output_.row_size();
      for (int k = 0; k < tree.n_outputs; ++k) {
        const double* sums = mine.sums.data() + static_cast<std::size_t>(r) * stride + static_cast<std::size_t>(k) * p.n_slots;
        for (const std::uint32_t block : piece.segment->blocks)
          for (std::size_t s = block * kShapBlock; s < std::min<std::size_t>(p.slots.size(), (block + 1) * kShapBlock); ++s)
            output_.add(row, p.slots[s].first, p.slots[s].second, tree.first_output + k, sums[s]);
      }
    }
  }

  const ShapState& state_;
  const std::vector<ShapPlan>& plans_;
  Output output_;
  runtime::CancelToken& token_;
  ShapTiles tiles_;
  runtime::PerWorker<Worker> workers_;
  index_t first_row_ = 0;
  std::vector<Piece> pieces_;
  Buffer<double> tables_;
  std::vector<RowMask> ids_;
};

}  // namespace

TreeShap::TreeShap(const ForestArrays& forest, std::span<const double> cover, const ForestRules& rules,
                   MatrixView<const double> background, runtime::CancelToken& token) {
  if (cover.size() != forest.feature.size())
    throw InvalidArgument("SHAP values: got " + std::to_string(cover.size()) + " covers for " +
                          std::to_string(forest.feature.size()) + " nodes");
  for (const double c : cover)
    if (!(c >= 0)) throw InvalidArgument("SHAP values: got a node whose cover is negative or not a number");
  auto state = std::make_unique<ShapState>();
  state->n_features = forest.n_features;
  state->n_outputs = static_cast<index_t>(rules.start.size());
  state->float32_input = rules.float32_input;
  state->set_words.assign(forest.set_words.begin(), forest.set_words.end());
  state->trees.resize(static_cast<std::size_t>(forest.n_trees()));
  runtime::parallel_for(forest.n_trees(), 1, token, [&](index_t, index_t begin, index_t end) {
    for (index_t t = begin; t < end; ++t)
      state->trees[static_cast<std::size_t>(t)] =
          paths_of(forest, cover, t, static_cast<int>(state->n_outputs), rules.divide_by);
  });
  state->find_used();
  if (background.rows > 0)
    state->count_background(background, token);
  else
    state->quadrature = Quadrature((state->longest_path() + 1) / 2);
  state->value_plans = state->plans(ShapTarget::feature, token);
  state_ = std::move(state);
}

TreeShap::~TreeShap() = default;

index_t TreeShap::n_features() const noexcept { return state_->n_features; }
index_t TreeShap::n_outputs() const noexcept { return state_->n_outputs; }

std::vector<double> TreeShap::base() const {
  std::vector<double> base(static_cast<std::size_t>(state_->n_outputs), 0.0);
  for (std::size_t t = 0; t < state_->trees.size(); ++t) {
    const TreePaths& tree = state_->trees[t];
    const auto n = static_cast<std::size_t>(tree.n_outputs);
    for (std::size_t l = 0; l < tree.leaves.size(); ++l) {
      const double share = leaf_base(tree, state_->background_of(t), l);
      for (std::size_t k = 0; k < n; ++k) base[static_cast<std::size_t>(tree.first_output) + k] += share * tree.values[l * n + k];
    }
  }
  return base;
}

namespace {

void check_shape(index_t got, index_t expected, std::size_t size, std::size_t needed) {
  if (got != expected || size != needed)
    throw InvalidArgument("SHAP values: got rows of " + std::to_string(got) + " features, expected " + std::to_string(expected));
}

}  // namespace

template <class T>
void TreeShap::values(MatrixView<const T> x, std::span<double> out, runtime::CancelToken& token) const {
  const Output output{out.data(), n_features(), n_outputs(), ShapTarget::feature};
  check_shape(x.cols, n_features(), out.size(), static_cast<std::size_t>(x.rows) * output.row_size());
  std::ranges::fill(out, 0.0);
  ShapRun(*state_, state_->value_plans, output, token).add(x);
}

template <class T>
void TreeShap::interactions(MatrixView<const T> x, std::span<double> out, runtime::CancelToken& token) const {
  const Output output{out.data(), n_features(), n_outputs(), ShapTarget::pair};
  check_shape(x.cols, n_features(), out.size(), static_cast<std::size_t>(x.rows) * output.row_size());
  std::vector<double> own(static_cast<std::size_t>(x.rows * n_features() * n_outputs()));
  values(x, std::span(own), token);
  std::ranges::fill(out, 0.0);
  ShapRun(*state_, state_->plans(ShapTarget::pair, token), output, token).add(x);
  const index_t p = n_features(), n_out = n_outputs();
  runtime::parallel_for(x.rows, 64, token, [&](index_t, index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i)
      for (index_t j = 0; j < p; ++j)
        for (index_t k = 0; k < n_out; ++k) {
          double* row = out.data() + static_cast<std::size_t>((i * p + j) * p * n_out + k);
          double others = 0;
          for (index_t l = 0; l < p; ++l) others += row[l * n_out];
          row[j * n_out] = own[static_cast<std::size_t>((i * p + j) * n_out + k)] - others;
        }
  });
}

template void TreeShap::values(MatrixView<const double>, std::span<double>, runtime::CancelToken&) const;
template void TreeShap::values(MatrixView<const float>, std::span<double>, runtime::CancelToken&) const;
template void TreeShap::interactions(MatrixView<const double>, std::span<double>, runtime::CancelToken&) const;
template void TreeShap::interactions(MatrixView<const float>, std::span<double>, runtime::CancelToken&) const;

}  // namespace mlwright::tree
