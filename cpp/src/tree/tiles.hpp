// Scores of one tile of rows: loads it, runs slices or walks in the order of the trees, stores the sums. Of one thread.
#pragma once

#include <algorithm>
#include <vector>

#include "mlwright/tree/predictor.hpp"
#include "tree/sliced.hpp"

namespace mlwright::tree {

// T: of x; Sum: of the sums; Code: what x is compared in. float where x has no more digits than that.
template <class T, class Sum, class Code>
class Tiles {
 public:
  Tiles(const Predictor& predictor, bool all_trees)
      : p_(predictor), table_(simd::forest()), n_outputs_(static_cast<std::size_t>(predictor.n_outputs())),
        sums_(n_outputs_ * kRows), slot_(kRows) {
    std::size_t columns = 0;
    for (const SlicedRun& run : p_.sliced_->runs())
      if (all_trees) columns = std::max(columns, run.columns.size() + run.most_members);
    codes_.resize(columns * kRows);
    column_.resize(columns);
  }

  static constexpr index_t kRows = simd::kForestTile;

  // Trees [first, last) for the rows of x, at most kRows; slices are for all trees only.
  void run(MatrixView<const T> x, index_t first, index_t last, bool own_start, MatrixView<double> raw) {
    n_ = x.rows;
    padded_ = (n_ + simd::kForestBlock - 1) / simd::kForestBlock * simd::kForestBlock;
    begin_sums(own_start, raw);
    if (column_.empty()) {
      walk(x, first, last);
    } else {
      for (const SlicedRun& run : p_.sliced_->runs()) {
        if (run.trees.empty())
          walk(x, run.first, run.last);
        else
          slice(x, run);
      }
    }
    for (std::size_t k = 0; k < n_outputs_; ++k)
      for (index_t i = 0; i < n_; ++i)
        raw(static_cast<index_t>(k), i) = static_cast<double>(sums_[k * kRows + static_cast<std::size_t>(i)]);
  }

 private:
  void begin_sums(bool own_start, MatrixView<double> raw) {
    for (std::size_t k = 0; k < n_outputs_; ++k)
      for (index_t i = 0; i < padded_; ++i) {
        const double start = own_start ? p_.rules_.start[k] : i < n_ ? raw(static_cast<index_t>(k), i) : 0.0;
        sums_[k * kRows + static_cast<std::size_t>(i)] = static_cast<Sum>(start);
      }
  }

  // Sixty-four rows of the used features side by side.
  void walk(MatrixView<const T> x, index_t first, index_t last) {
    const auto used = p_.walker_.used();
    const auto stride = std::max<index_t>(1, static_cast<index_t>(used.size()));
    rows_.resize(static_cast<std::size_t>(Walker::kBlock * stride), 0.0);
    for (index_t block = 0; block < n_; block += Walker::kBlock) {
      const int n = static_cast<int>(std::min<index_t>(Walker::kBlock, n_ - block));
      for (int i = 0; i < n; ++i)
        for (std::size_t u = 0; u < used.size(); ++u)
          rows_[static_cast<std::size_t>(i * stride) + u] =
              p_.rules_.float32_input ? static_cast<float>(x(block + i, used[u])) : static_cast<double>(x(block + i, used[u]));
      walk_block(rows_.data(), n, stride, first, last, sums_.data() + block);
    }
  }

  void walk_block(const double* rows, int n, index_t stride, index_t first, index_t last, Sum* sums) const {
    std::uint32_t leaf[Walker::kBlock];
    const auto leaf_size = static_cast<std::size_t>(p_.leaf_size_);
    std::size_t output = leaf_size == 1 ? static_cast<std::size_t>(first) % n_outputs_ : 0;
    for (index_t tree = first; tree < last; ++tree) {
      p_.walker_.leaves_of(tree, rows, n, stride, leaf);
      for (std::size_t k = 0; k < leaf_size; ++k)
        for (int i = 0; i < n; ++i)
          sums[(output + k) * kRows + static_cast<std::size_t>(i)] += static_cast<Sum>(p_.values_[leaf[i] * leaf_size + k]);
      if (leaf_size == 1) output = output + 1 == n_outputs_ ? 0 : output + 1;
    }
  }

  void slice(MatrixView<const T> x, const SlicedRun& run) {
    make_codes(x, run);
    make_categories(x, run);
    const int rows = static_cast<int>(padded_);
    std::size_t output = p_.leaf_size_ == 1 ? static_cast<std::size_t>(run.first) % n_outputs_ : 0;
    for (const SlicedRun::Tree& tree : run.trees) {
      for (std::size_t m = 0; m < tree.n_members; ++m) {
        const SlicedRun::Member& member = run.members[tree.member + m];
        std::int8_t* out = codes_.data() + (run.columns.size() + m) * kRows;
        table_.members(categories_.data() + member.category * kRows, rows, p_.sliced_->words() + member.word, member.n_words, out);
        column_[run.columns.size() + m] = out;
      }
      table_.slots(p_.sliced_->nodes() + tree.node, tree.n_nodes, column_.data(), rows, slot_.data());
      for (index_t k = 0; k < p_.leaf_size_; ++k)
        add(p_.sliced_->template values<Sum>() + tree.value + static_cast<std::size_t>(k) * tree.n_leaves, tree.n_leaves, rows,
            sums_.data() + (output + static_cast<std::size_t>(k)) * kRows);
      if (p_.leaf_size_ == 1) output = output + 1 == n_outputs_ ? 0 : output + 1;
    }
  }
  void add(const double* values, int n, int rows, double* sum) const { table_.add_f64(values, n, slot_.data(), rows, sum); }
  void add(const float* values, int n, int rows, float* sum) const { table_.add_f32(values, n, slot_.data(), rows, sum); }

  // Column after column of 64 rows, whose part of x then is in the first-level cache.
  void make_codes(MatrixView<const T> x, const SlicedRun& run) {
    missing_.assign(run.columns.size(), 0);
    for (index_t block = 0; block < padded_; block += simd::kForestBlock)
      for (std::size_t c = 0; c < run.columns.size(); ++c) {
        const SlicedRun::Column& column = run.columns[c];
        if (column.base >= 0) continue;
        Code v[simd::kForestBlock] = {};
        load(x, column.feature, block, v);
        const Code bound = column.zero_as_missing ? zero_bound<Code>() : Code{-1};
        const Code* search = p_.sliced_->template search<Code>(column);
        std::int8_t* out = codes_.data() + c * kRows + block;
        missing_[c] |= codes_of(v, search, column.levels, bound, missing_code(column.missing_left), out) ? 1 : 0;
      }
    for (std::size_t c = 0; c < run.columns.size(); ++c) {
      const std::int32_t base = run.columns[c].base;
      column_[c] = codes_.data() + (base < 0 ? c : static_cast<std::size_t>(base)) * kRows;
      if (base < 0 || !missing_[static_cast<std::size_t>(base)]) continue;
      std::int8_t* out = codes_.data() + c * kRows;
      table_.recode(column_[c], static_cast<int>(padded_), 127, -128, out);
      column_[c] = out;
    }
  }
  bool codes_of(const double* v, const double* search, int levels, double bound, std::int8_t missing, std::int8_t* out) const {
    return table_.codes_f64(v, simd::kForestBlock, search, levels, bound, missing, out);
  }
  bool codes_of(const float* v, const float* search, int levels, float bound, std::int8_t missing, std::int8_t* out) const {
    return table_.codes_f32(v, simd::kForestBlock, search, levels, bound, missing, out);
  }
  void load(MatrixView<const T> x, std::int32_t feature, index_t block, Code* v) const {
    const T* from = x.data + block * x.row_stride + feature * x.col_stride;
    const index_t n = std::min<index_t>(simd::kForestBlock, n_ - block);
    for (index_t i = 0; i < n; ++i) v[i] = static_cast<Code>(from[i * x.row_stride]);
  }

  void make_categories(MatrixView<const T> x, const SlicedRun& run) {
    categories_.resize(run.categories.size() * kRows);
    for (std::size_t c = 0; c < run.categories.size(); ++c)
      for (index_t i = 0; i < padded_; ++i)
        categories_[c * kRows + static_cast<std::size_t>(i)] =
            i < n_ ? category_code(static_cast<double>(static_cast<Code>(x(i, run.categories[c])))) : 0U;
  }

  const Predictor& p_;
  const simd::ForestTable& table_;
  std::size_t n_outputs_;
  index_t n_ = 0, padded_ = 0;
  std::vector<Sum> sums_;  // kRows an output
  std::vector<std::uint8_t> slot_, missing_;
  std::vector<std::int8_t> codes_;  // kRows a column
  std::vector<const std::int8_t*> column_;
  std::vector<std::uint32_t> categories_;
  std::vector<double> rows_;
};

}  // namespace mlwright::tree
