#include "tree/shap_run.hpp"

#include <algorithm>

namespace mlwright::tree {

using simd::kShapRows;
using simd::RowMask;

namespace {
constexpr index_t kTilesAtOnce = 256;  // of kShapRows rows each
}  // namespace

template <class T>
void ShapRun::add(MatrixView<const T> x) {
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

void ShapRun::take_batch(std::size_t& tree, std::size_t& segment) {
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

RowMask* ShapRun::ids(std::size_t group, index_t tile) {
  return ids_.data() + (group * static_cast<std::size_t>(tiles_.n_tiles()) + static_cast<std::size_t>(tile)) * kShapRows;
}

void ShapRun::decide(const Piece& piece, index_t tile, Worker& mine) const {
  const TreePaths& tree = paths(piece);
  mine.masks.resize(tree.tests.size() * kShapRows);
  for (const std::uint32_t t : piece.segment->tests)
    state_.decide(tree.tests[t], tiles_, tile, mine.masks.data() + t * kShapRows);
}

void ShapRun::number_patterns() {
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

void ShapRun::number_group(const Piece& piece, const LeafGroup& group, const Worker& mine, RowMask* id) const {
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

void ShapRun::fill_tables() {
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

void ShapRun::find_patterns(const LeafGroup& group, std::size_t ids_of_group, std::vector<RowMask>& found) {
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

void ShapRun::fill_table(const Piece& piece, const LeafGroup& group, double* table, std::size_t ids_of_group, Worker& mine) {
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

template <class Place>
void ShapRun::add_leaf(const TreePaths& tree, const ShapPlan& p, std::uint32_t leaf, std::span<const double> parts, int n,
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

void ShapRun::add_sums() {
  runtime::parallel_for(tiles_.n_tiles(), kShapTileGrain, token_, [&](index_t, index_t begin, index_t end) {
    Worker& mine = workers_.local();
    for (const Piece& piece : pieces_)
      for (index_t tile = begin; tile < end; ++tile) add_piece(piece, tile, mine);
  });
}

void ShapRun::add_piece(const Piece& piece, index_t tile, Worker& mine) {
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

void ShapRun::clear_sums(const Piece& piece, int n, std::size_t stride, Worker& mine) const {
  if (mine.sums.size() < stride * kShapRows) mine.sums = Buffer<double>(stride * kShapRows);
  for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r)
    for (std::size_t slots = 0; slots < stride; slots += plan(piece).n_slots)
      for (const std::uint32_t block : piece.segment->blocks)
        std::fill_n(mine.sums.data() + r * stride + slots + block * kShapBlock, kShapBlock, 0.0);
}

void ShapRun::add_long_leaf(const Piece& piece, std::uint32_t l, int n, std::size_t stride, Worker& mine) {
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

void ShapRun::scatter(const Piece& piece, index_t tile, int n, std::size_t stride, const Worker& mine) const {
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

template void ShapRun::add(MatrixView<const double>);
template void ShapRun::add(MatrixView<const float>);

}  // namespace mlwright::tree
