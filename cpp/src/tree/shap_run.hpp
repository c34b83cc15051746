// How the sums of Shapley values are worked off.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/view.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/shap.hpp"
#include "tree/shap_state.hpp"

namespace mlwright::tree {

// Where the sums of a tree's slots are added: features or pairs of features.
struct ShapOutput {
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

// One call of values() or interactions(): pieces of trees, as many at a time as their tables fit in memory; for each such
// batch the patterns of all rows, then the tables, then the sums, each in parallel.
class ShapRun {
 public:
  ShapRun(const ShapState& state, const std::vector<ShapPlan>& plans, ShapOutput output, runtime::CancelToken& token)
      : state_(state), plans_(plans), output_(output), token_(token), tiles_(state.used.size()),
        workers_([] { return Worker{}; }) {}

  // Rows of float or double, one output row each.
  template <class T>
  void add(MatrixView<const T> x);

 private:
  using RowMask = simd::RowMask;

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
    std::size_t first_ids;    // its groups' pattern numbers, tile by tile
  };

  const ShapPlan& plan(const Piece& piece) const { return plans_[piece.tree]; }
  const TreePaths& paths(const Piece& piece) const { return state_.trees[piece.tree]; }

  void take_batch(std::size_t& tree, std::size_t& segment);
  RowMask* ids(std::size_t group, index_t tile);
  void decide(const Piece& piece, index_t tile, Worker& mine) const;
  void number_patterns();
  void number_group(const Piece& piece, const LeafGroup& group, const Worker& mine, RowMask* id) const;
  void fill_tables();
  // The patterns that some row has; all of them where looking for them would cost more than it saves.
  void find_patterns(const LeafGroup& group, std::size_t ids_of_group, std::vector<RowMask>& found);
  void fill_table(const Piece& piece, const LeafGroup& group, double* table, std::size_t ids_of_group, Worker& mine);
  // place(row, output): where the sums of a row and output are.
  template <class Place>
  static void add_leaf(const TreePaths& tree, const ShapPlan& p, std::uint32_t leaf, std::span<const double> parts, int n,
                       Place place);
  void add_sums();
  void add_piece(const Piece& piece, index_t tile, Worker& mine);
  void clear_sums(const Piece& piece, int n, std::size_t stride, Worker& mine) const;
  void add_long_leaf(const Piece& piece, std::uint32_t l, int n, std::size_t stride, Worker& mine);
  void scatter(const Piece& piece, index_t tile, int n, std::size_t stride, const Worker& mine) const;

  const ShapState& state_;
  const std::vector<ShapPlan>& plans_;
  ShapOutput output_;
  runtime::CancelToken& token_;
  ShapTiles tiles_;
  runtime::PerWorker<Worker> workers_;
  index_t first_row_ = 0;
  std::vector<Piece> pieces_;
  Buffer<double> tables_;
  std::vector<RowMask> ids_;
};

}  // namespace mlwright::tree
