#include "mlwright/tree/predictor.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "tree/few_rows.hpp"
#include "tree/row_slices.hpp"
#include "tree/sliced.hpp"
#include "tree/tiles.hpp"

namespace mlwright::tree {
namespace {

constexpr double kThreadsPay = 30e3;  // ns: a call below this is not shared with other threads
constexpr double kLatency = 2.5;      // how much more a block of 64 rows alone costs than its share of a tile

}  // namespace

Predictor::Predictor(const ForestArrays& forest, ForestRules rules)
    : n_features_(forest.n_features), leaf_size_(forest.leaf_size), rules_(std::move(rules)) {
  check_forest(forest);
  check_rules(forest, rules_);
  walker_ = Walker(forest);
  const auto leaf_size = static_cast<std::size_t>(leaf_size_);
  values_.resize(forest.value.size());
  for (std::uint32_t leaf = 0; leaf < forest.feature.size(); ++leaf)
    std::copy_n(forest.value.data() + walker_.source_of(leaf) * leaf_size, leaf_size, values_.data() + leaf * leaf_size);
  sliced_ = std::make_unique<Sliced>(forest);
  row_slices_ = std::make_unique<RowSlices>(*sliced_);
  const double ratio = row_slices_->cost() > 0 ? sliced_->sliced_cost() / row_slices_->cost() : 1.0;
  few_rows_ = static_cast<index_t>(std::min(1.0, kLatency * ratio) * simd::kForestBlock);
}

Predictor::~Predictor() = default;

double Predictor::cost(index_t rows) const noexcept {
  return static_cast<double>(rows) * (rows <= few_rows_ ? row_slices_->cost() : sliced_->sliced_cost());
}

template <class T>
void Predictor::require_fit(MatrixView<const T> x, MatrixView<double> raw) const {
  if (x.cols != n_features_ || raw.rows != n_outputs() || raw.cols != x.rows)
    throw InvalidArgument("predict: got X of " + std::to_string(x.rows) + " x " + std::to_string(x.cols) +
                          " and scores of " + std::to_string(raw.rows) + " x " + std::to_string(raw.cols) + ", expected " +
                          std::to_string(n_features_) + " features and " + std::to_string(n_outputs()) + " rows of scores");
}

template <class T, class Sum, class Code>
void Predictor::add_rows(MatrixView<const T> x, index_t first, index_t last, Start start, MatrixView<double> raw) const {
  const bool all = first == 0 && last == n_trees();
  if (all && x.rows <= few_rows_) return FewRows<T, Sum, Code>(*this).run(x, start == Start::own, raw);
  Tiles<T, Sum, Code> tiles(*this, all);
  for (index_t begin = 0; begin < x.rows; begin += tiles.kRows) {
    const index_t end = std::min(x.rows, begin + tiles.kRows);
    const MatrixView<double> out{raw.data + begin * raw.col_stride, raw.rows, end - begin, raw.row_stride, raw.col_stride};
    tiles.run(x.row_block(begin, end), first, last, start == Start::own, out);
  }
}

template <class T>
void Predictor::add(MatrixView<const T> x, index_t first, index_t last, Start start, MatrixView<double> raw) const {
  const bool float32 = sizeof(T) == sizeof(float) || rules_.float32_input;
  if (rules_.float32_sum)
    float32 ? add_rows<T, float, float>(x, first, last, start, raw) : add_rows<T, float, double>(x, first, last, start, raw);
  else
    float32 ? add_rows<T, double, float>(x, first, last, start, raw) : add_rows<T, double, double>(x, first, last, start, raw);
}

// Rows a chunk: enough to be worth a thread, and whole tiles where there are many rows.
template <class T>
index_t Predictor::grain(MatrixView<const T> x) const noexcept {
  constexpr index_t kTile = simd::kForestTile;
  const double row = std::max(1e-3, cost(x.rows) / static_cast<double>(std::max<index_t>(1, x.rows)));
  const double wanted = kThreadsPay / row;
  if (wanted >= static_cast<double>(x.rows)) return std::max<index_t>(1, x.rows);
  const auto rows = std::max<index_t>(1, static_cast<index_t>(wanted));
  const index_t unit = x.rows >= 4 * kTile ? kTile : simd::kForestBlock;
  return (rows + unit - 1) / unit * unit;
}

template <class T>
void Predictor::add_to(MatrixView<const T> x, index_t first, index_t last, MatrixView<double> raw,
                       runtime::CancelToken& token) const {
  require_fit(x, raw);
  if (first < 0 || last < first || last > n_trees())
    throw InvalidArgument("trees: got trees " + std::to_string(first) + " to " + std::to_string(last) + " of " +
                          std::to_string(n_trees()));
  runtime::parallel_for(x.rows, grain(x), token, [&](index_t, index_t begin, index_t end) {
    const MatrixView<double> out{raw.data + begin * raw.col_stride, raw.rows, end - begin, raw.row_stride, raw.col_stride};
    add(x.row_block(begin, end), first, last, Start::given, out);
  });
}

template <class T>
void Predictor::predict_here(MatrixView<const T> x, MatrixView<double> raw) const {
  require_fit(x, raw);
  add(x, 0, n_trees(), Start::own, raw);
  if (rules_.divide_by == 1) return;
  for (index_t k = 0; k < raw.rows; ++k)
    for (index_t i = 0; i < raw.cols; ++i) raw(k, i) /= rules_.divide_by;
}

template <class T>
void Predictor::predict(MatrixView<const T> x, MatrixView<double> raw, runtime::CancelToken& token) const {
  require_fit(x, raw);
  runtime::parallel_for(x.rows, grain(x), token, [&](index_t, index_t begin, index_t end) {
    predict_here(x.row_block(begin, end),
                 {raw.data + begin * raw.col_stride, raw.rows, end - begin, raw.row_stride, raw.col_stride});
  });
}

#define MLWRIGHT_INSTANTIATE(T)                                                                                           \
  template void Predictor::predict(MatrixView<const T>, MatrixView<double>, runtime::CancelToken&) const;                 \
  template void Predictor::predict_here(MatrixView<const T>, MatrixView<double>) const;                                   \
  template void Predictor::add_to(MatrixView<const T>, index_t, index_t, MatrixView<double>, runtime::CancelToken&) const;
MLWRIGHT_INSTANTIATE(double)
MLWRIGHT_INSTANTIATE(float)
#undef MLWRIGHT_INSTANTIATE

}  // namespace mlwright::tree
