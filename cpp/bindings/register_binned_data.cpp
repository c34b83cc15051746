// Sparse rows and columns for trees; reusable binned matrices.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/tree/binning.hpp"
#include "mlwright/tree/sparse_bins.hpp"
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

std::shared_ptr<BinnedMatrix> binned_from_codes(const py::array_t<std::uint8_t, 0>& codes, const Vector<double>& cuts,
                                                const Vector<std::int64_t>& offsets) {
  const auto view = matrix<std::uint8_t>(codes);
  Thresholds thresholds = thresholds_from(cuts, offsets);
  if (offsets.size() != view.cols + 1) throw py::value_error("thresholds: made for another number of features");
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(view.rows));
  std::iota(rows.begin(), rows.end(), 0U);
  return without_gil([&](auto& token) { return std::make_shared<BinnedMatrix>(view, rows, std::move(thresholds), token); });
}

// Codes other than zero's of each column, as they are pickled.
std::shared_ptr<BinnedMatrix> binned_from_columns(const Vector<std::int64_t>& pointer, const Vector<std::uint32_t>& row,
                                                  const Vector<std::uint8_t>& code, index_t n_rows,
                                                  const Vector<double>& cuts, const Vector<std::int64_t>& offsets) {
  Thresholds thresholds = thresholds_from(cuts, offsets);
  bool good = pointer.size() > 0 && pointer.size() == offsets.size() && pointer.data()[0] == 0 && row.size() == code.size() &&
              pointer.data()[pointer.size() - 1] == row.size();
  for (py::ssize_t j = 0; good && j + 1 < pointer.size(); ++j) good = pointer.data()[j] <= pointer.data()[j + 1];
  if (!good) throw py::value_error("binned matrix: its columns do not fit; it is damaged");
  tree::SparseBins::Columns columns{{pointer.data(), pointer.data() + pointer.size()},
                                    {row.data(), row.data() + row.size()},
                                    {code.data(), code.data() + code.size()}};
  return without_gil([&](auto& token) {
    tree::SparseBins bins(std::move(columns), n_rows, thresholds, token);
    return std::make_shared<BinnedMatrix>(std::move(bins), std::move(thresholds), token);
  });
}

py::object stored_columns(const BinnedMatrix& bins) {
  if (bins.sparse() == nullptr) return py::none();
  const auto& columns = bins.sparse()->columns();
  const auto copy = [](const auto& v) {
    using T = typename std::decay_t<decltype(v)>::value_type;
    return Vector<T>(static_cast<py::ssize_t>(v.size()), v.data());
  };
  return py::make_tuple(copy(columns.pointer), copy(columns.row), copy(columns.code));
}

std::shared_ptr<BinnedMatrix> take_rows(const BinnedMatrix& bins, const Vector<std::uint32_t>& rows) {
  return without_gil([&](auto& token) { return std::make_shared<BinnedMatrix>(bins.take(span(rows), token)); });
}

py::array_t<double> binned_values(const BinnedMatrix& bins, const Vector<std::int32_t>& features, index_t first, index_t last) {
  if (first < 0 || last < first) throw py::value_error("binned matrix: rows out of range");
  py::array_t<double, 0> out(std::vector<py::ssize_t>{last - first, features.size()});
  const auto view = mutable_matrix<double>(out);
  without_gil([&](auto& token) { bins.values(span(features), first, view, token); });
  return out;
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
  const auto n = [](const char* name) { return py::arg(name).noconvert(); };
  tree.def("binned_from_codes", &binned_from_codes, n("codes"), n("cuts"), n("offsets"));
  tree.def("binned_from_columns", &binned_from_columns, n("pointer"), n("row"), n("code"), py::arg("n_rows"), n("cuts"), n("offsets"));
  tree.def("stored_columns", &stored_columns);
  tree.def("take_rows", &take_rows, py::arg("bins"), n("rows"));
  tree.def("binned_values", &binned_values, py::arg("bins"), n("features"), py::arg("first"), py::arg("last"));
}

}  // namespace mlwright::bindings
