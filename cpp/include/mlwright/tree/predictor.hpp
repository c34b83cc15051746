// Scores of rows by a forest: checked once, laid out for speed, then walked without any check.
//
//   raw(k, i) = (start_k + sum of the values that the trees give row i for output k, in the order of the trees) / divide_by
//
// The order of a row's additions is that of the trees whatever the number of threads or rows, so the bits are those of
// training, and of the library that an imported model comes from where that adds in tree order too.
// Thread-safe once built.
#pragma once

#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/tree/forest.hpp"
#include "mlwright/tree/walker.hpp"

namespace mlwright::tree {

class Predictor {
 public:
  Predictor(const ForestArrays& forest, ForestRules rules);  // throws ModelFormatError as check_forest and check_rules

  int n_outputs() const noexcept { return static_cast<int>(rules_.start.size()); }
  index_t n_trees() const noexcept { return walker_.n_trees(); }
  index_t n_features() const noexcept { return n_features_; }

  // raw: n_outputs x rows. T is double or float.
  template <class T>
  void predict(MatrixView<const T> x, MatrixView<double> raw, runtime::CancelToken& token) const;

  // raw += the values of trees [first, last), neither started nor divided; tree t belongs to output t % n_outputs.
  template <class T>
  void add_to(MatrixView<const T> x, index_t first, index_t last, MatrixView<double> raw, runtime::CancelToken& token) const;

 private:
  template <class Sum, class T>
  void add(MatrixView<const T> x, index_t first, index_t last, MatrixView<double> raw, runtime::CancelToken& token) const;
  template <class Sum>
  void add_block(const double* rows, int n_rows, index_t stride, index_t first, index_t last, Sum* sums) const;
  template <class T>
  void require_fit(MatrixView<const T> x, MatrixView<double> raw) const;

  index_t n_features_, leaf_size_;
  ForestRules rules_;
  Walker walker_;
  std::vector<double> values_;  // leaf_size_ numbers a leaf of the walker
};

}  // namespace mlwright::tree
