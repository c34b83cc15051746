// Scores of rows by a forest: checked once, laid out for speed, then run without any check.
//
//   raw(k, i) = (start_k + sum of the values that the trees give row i for output k, in the order of the trees) / divide_by
//
// The order of a row's additions is that of the trees whatever the number of threads or rows, so the bits are those of
// training, and of the library that an imported model comes from where that adds in tree order too.
//
// Three ways to the same bits, by the number of rows: a few rows go one by one through 64 trees at a time
// (tree/row_slices.hpp); more go in tiles through slices of 64 rows (tree/sliced.hpp); trees of more than 255 leaves, and
// runs of trees too short for slices, are walked, sixteen trees or rows at a time. Thread-safe once built.
#pragma once

#include <memory>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/tree/forest.hpp"
#include "mlwright/tree/walker.hpp"

namespace mlwright::tree {

class RowSlices;
class Sliced;

class Predictor {
 public:
  Predictor(const ForestArrays& forest, ForestRules rules);  // throws ModelFormatError as check_forest and check_rules
  ~Predictor();

  int n_outputs() const noexcept { return static_cast<int>(rules_.start.size()); }
  index_t n_trees() const noexcept { return walker_.n_trees(); }
  index_t n_features() const noexcept { return n_features_; }
  // Estimated nanoseconds of a call on one thread: what costs less than starting threads, or releasing a lock, is not worth it.
  double cost(index_t rows) const noexcept;

  // raw: n_outputs x rows. T is double or float.
  template <class T>
  void predict(MatrixView<const T> x, MatrixView<double> raw, runtime::CancelToken& token) const;

  // The same, at once and on this thread.
  template <class T>
  void predict_here(MatrixView<const T> x, MatrixView<double> raw) const;

  // raw += the values of trees [first, last), neither started nor divided; tree t belongs to output t % n_outputs.
  template <class T>
  void add_to(MatrixView<const T> x, index_t first, index_t last, MatrixView<double> raw, runtime::CancelToken& token) const;

 private:
  template <class T, class Sum, class Code>
  friend class Tiles;
  template <class T, class Sum, class Code>
  friend class FewRows;
  enum class Start { given, own };  // what scores begin with: those in `raw`, or the forest's start values
  template <class T>
  void add(MatrixView<const T> x, index_t first, index_t last, Start start, MatrixView<double> raw) const;
  template <class T, class Sum, class Code>
  void add_rows(MatrixView<const T> x, index_t first, index_t last, Start start, MatrixView<double> raw) const;
  template <class T>
  void require_fit(MatrixView<const T> x, MatrixView<double> raw) const;
  template <class T>
  index_t grain(MatrixView<const T> x) const noexcept;

  index_t n_features_, leaf_size_;
  ForestRules rules_;
  Walker walker_;
  std::vector<double> values_;  // leaf_size_ numbers a leaf of the walker
  std::unique_ptr<Sliced> sliced_;
  std::unique_ptr<RowSlices> row_slices_;
  index_t few_rows_;  // up to so many rows go one by one
};

}  // namespace mlwright::tree
