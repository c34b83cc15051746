#include "mlwright/tree/predictor.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"

namespace mlwright::tree {
namespace {

constexpr int kBlock = Walker::kBlock;
constexpr index_t kGrain = 1024;

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
}

template <class T>
void Predictor::require_fit(MatrixView<const T> x, MatrixView<double> raw) const {
  if (x.cols != n_features_ || raw.rows != n_outputs() || raw.cols != x.rows)
    throw InvalidArgument("predict: got X of " + std::to_string(x.rows) + " x " + std::to_string(x.cols) +
                          " and scores of " + std::to_string(raw.rows) + " x " + std::to_string(raw.cols) + ", expected " +
                          std::to_string(n_features_) + " features and " + std::to_string(n_outputs()) + " rows of scores");
}

// sums: output k of row i at sums[k * kBlock + i].
template <class Sum>
void Predictor::add_block(const double* rows, int n_rows, index_t stride, index_t first, index_t last, Sum* sums) const {
  std::uint32_t leaf[kBlock];
  const index_t n_outputs = this->n_outputs();
  index_t output = leaf_size_ == 1 ? first % n_outputs : 0;
  for (index_t tree = first; tree < last; ++tree) {
    walker_.leaves_of(tree, rows, n_rows, stride, leaf);
    if (leaf_size_ == 1) {
      for (int i = 0; i < n_rows; ++i) sums[output * kBlock + i] += static_cast<Sum>(values_[leaf[i]]);
      output = output + 1 == n_outputs ? 0 : output + 1;
    } else {
      for (index_t k = 0; k < n_outputs; ++k)
        for (int i = 0; i < n_rows; ++i)
          sums[k * kBlock + i] += static_cast<Sum>(values_[static_cast<std::size_t>(leaf[i] * leaf_size_ + k)]);
    }
  }
}

template <class Sum, class T>
void Predictor::add(MatrixView<const T> x, index_t first, index_t last, MatrixView<double> raw,
                    runtime::CancelToken& token) const {
  const auto used = walker_.used();
  const auto stride = std::max<index_t>(1, static_cast<index_t>(used.size()));
  runtime::parallel_for(x.rows, kGrain, token, [&](index_t, index_t begin, index_t end) {
    std::vector<double> rows(static_cast<std::size_t>(kBlock * stride), 0.0);
    std::vector<Sum> sums(static_cast<std::size_t>(kBlock * n_outputs()));
    for (index_t block = begin; block < end; block += kBlock) {
      const int n = static_cast<int>(std::min<index_t>(kBlock, end - block));
      for (int i = 0; i < n; ++i)
        for (std::size_t u = 0; u < used.size(); ++u) {
          const T v = x(block + i, used[u]);
          rows[static_cast<std::size_t>(i * stride) + u] = rules_.float32_input ? static_cast<float>(v) : static_cast<double>(v);
        }
      for (int k = 0; k < n_outputs(); ++k)
        for (int i = 0; i < n; ++i) sums[static_cast<std::size_t>(k * kBlock + i)] = static_cast<Sum>(raw(k, block + i));
      add_block(rows.data(), n, stride, first, last, sums.data());
      for (int k = 0; k < n_outputs(); ++k)
        for (int i = 0; i < n; ++i) raw(k, block + i) = sums[static_cast<std::size_t>(k * kBlock + i)];
    }
  });
}

template <class T>
void Predictor::add_to(MatrixView<const T> x, index_t first, index_t last, MatrixView<double> raw,
                       runtime::CancelToken& token) const {
  require_fit(x, raw);
  if (first < 0 || last < first || last > n_trees())
    throw InvalidArgument("trees: got trees " + std::to_string(first) + " to " + std::to_string(last) + " of " +
                          std::to_string(n_trees()));
  if (rules_.float32_sum)
    add<float>(x, first, last, raw, token);
  else
    add<double>(x, first, last, raw, token);
}

template <class T>
void Predictor::predict(MatrixView<const T> x, MatrixView<double> raw, runtime::CancelToken& token) const {
  require_fit(x, raw);
  for (index_t k = 0; k < raw.rows; ++k)
    for (index_t i = 0; i < raw.cols; ++i) raw(k, i) = rules_.start[static_cast<std::size_t>(k)];
  add_to(x, 0, n_trees(), raw, token);
  if (rules_.divide_by == 1) return;
  for (index_t k = 0; k < raw.rows; ++k)
    for (index_t i = 0; i < raw.cols; ++i) raw(k, i) /= rules_.divide_by;
}

template void Predictor::predict(MatrixView<const double>, MatrixView<double>, runtime::CancelToken&) const;
template void Predictor::predict(MatrixView<const float>, MatrixView<double>, runtime::CancelToken&) const;
template void Predictor::add_to(MatrixView<const double>, index_t, index_t, MatrixView<double>, runtime::CancelToken&) const;
template void Predictor::add_to(MatrixView<const float>, index_t, index_t, MatrixView<double>, runtime::CancelToken&) const;

}  // namespace mlwright::tree
