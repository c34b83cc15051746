// Sparse rows and columns for trees; reusable binned matrices.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/tree/binning.hpp"
#include "mlwright/tree/sparse_bins.hpp"
#include "registers.hpp"
#include "thresholds.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using tree::BinnedMatrix;
using tree::SparseColumns;
using tree::Thresholds;

template <class T, class Index>
SparseColumns<T, Index> columns_of(const Vector<Index>& pointer, const Vector<Index>& row, const Vector<T>& value, index_t n_rows) {
  const SparseColumns<T, Index> x{span(pointer), span(row), span(value), n_rows};
  x.check();
  return x;
}

template <class T, class Index>
py::tuple find_thresholds(const Vector<Index>& pointer, const Vector<Index>& row, const Vector<T>& value, index_t n_rows,
                          const Vector<double>& weight, int max_bins, std::uint64_t seed) {
  const auto x = columns_of(pointer, row, value, n_rows);
  if (weight.size() != 0 && weight.size() != n_rows) throw py::value_error("weight: its length differs from X's rows");
  return to_tuple(without_gil([&](auto& token) { return tree::find_thresholds(x, span(weight), max_bins, seed, token); }));
}

template <class T, class Index>
std::shared_ptr<BinnedMatrix> bin(const Vector<Index>& pointer, const Vector<Index>& row, const Vector<T>& value,
                                  index_t n_rows, const Vector<double>& cuts, const Vector<std::int64_t>& offsets) {
  const auto x = columns_of(pointer, row, value, n_rows);
  Thresholds thresholds = thresholds_from(cuts, offsets);
  if (offsets.size() != pointer.size()) throw py::value_error("thresholds: made for another number of features");
  return without_gil([&](auto& token) { return std::make_shared<BinnedMatrix>(x, std::move(thresholds), token); });
}

// Rows of a matrix in CSR form as a dense array: column j goes to place[j] if that is not negative; equal places add up.
template <class T, class Index>
void gather_rows(const Vector<Index>& pointer, const Vector<Index>& column, const Vector<T>& value,
                 const Vector<std::int32_t>& place, index_t first, Vector<T>& out) {
  if (out.ndim() != 2 || first < 0 || first + out.shape(0) >= pointer.size())
    throw py::value_error("gather_rows: rows out of range");
  const index_t n = out.shape(0), width = out.shape(1), n_columns = place.size();
  const auto ends = span(pointer);
  T* to = mutable_span(out).data();
  without_gil([&](auto&) {
    std::fill_n(to, n * width, T{0});
    for (index_t i = 0; i < n; ++i) {
      const auto begin = static_cast<index_t>(ends[static_cast<std::size_t>(first + i)]);
      const auto end = static_cast<index_t>(ends[static_cast<std::size_t>(first + i + 1)]);
      if (begin < 0 || end < begin || end > std::min<index_t>(column.size(), value.size()))
        throw InvalidArgument("X: a sparse matrix whose pointers do not fit its values");
      for (index_t k = begin; k < end; ++k) {
        const auto j = static_cast<index_t>(column.data()[k]);
        if (j < 0 || j >= n_columns) throw InvalidArgument("X: a sparse matrix whose indices are out of range");
        const index_t at = place.data()[j];
        if (at >= 0 && at < width) to[i * width + at] += value.data()[k];
      }
    }
  });
}

template <class T, class Index>
void define(py::module_& tree) {
  const auto n = [](const char* name) { return py::arg(name).noconvert(); };
  tree.def("find_sparse_thresholds", &find_thresholds<T, Index>, n("pointer"), n("row"), n("value"), py::arg("n_rows"), n("weight"),
           py::arg("max_bins"), py::arg("seed"));
  tree.def("bin_sparse", &bin<T, Index>, n("pointer"), n("row"), n("value"), py::arg("n_rows"), n("cuts"), n("offsets"));
  tree.def("gather_rows", &gather_rows<T, Index>, n("pointer"), n("column"), n("value"), n("place"), py::arg("first"), n("out"));
}

}  // namespace

void register_binned_data(py::module_& m) {
  py::module_ tree = m.attr("tree");
  define<double, std::int32_t>(tree);
  define<double, std::int64_t>(tree);
  define<float, std::int32_t>(tree);
  define<float, std::int64_t>(tree);
}

}  // namespace mlwright::bindings
