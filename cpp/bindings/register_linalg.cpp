#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>

#include "arrays.hpp"
#include "call.hpp"
#include "designs.hpp"
#include "mlwright/linalg/column_products.hpp"
#include "mlwright/linalg/fold_statistics.hpp"
#include "mlwright/linalg/gram.hpp"
#include "mlwright/linalg/row_triangle.hpp"
#include "mlwright/linalg/single_statistics.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using linalg::Design;
using Strided = py::array_t<double, 0>;

using Weight = std::optional<Vector<double>>;

const double* weight_of(const Weight& w, index_t n) {
  if (!w) return nullptr;
  if (w->size() != n) throw py::value_error("weights: their number differs from the number of rows");
  return w->data();
}

void require_rows(const Design& x, const MatrixView<const double>& y) {
  if (x.rows() != y.rows) throw py::value_error("X and y differ in their number of rows");
}

Vector<double> to_array(const std::vector<double>& values, std::vector<py::ssize_t> shape) {
  Vector<double> a(std::move(shape));
  std::copy(values.begin(), values.end(), a.mutable_data());
  return a;
}

py::object to_tuple(const linalg::FoldStatistics& stats) {
  if (!stats.finite) return py::none();
  const auto q = static_cast<py::ssize_t>(stats.mean.size());
  return py::make_tuple(stats.weight, to_array(stats.mean, {q}), to_array(stats.scatter, {q, q}),
                        to_array(stats.scale, {q}));
}

py::object fold_statistics(const py::object& x, const Strided& y, const Weight& w) {
  const auto design = design_of(x);
  const auto targets = matrix<double>(y);
  require_rows(*design, targets);
  const double* weights = weight_of(w, targets.rows);
  return to_tuple(without_gil([&](auto& token) { return linalg::fold_statistics(*design, targets, weights, token); }));
}

py::object single_statistics(const py::array_t<float, 0>& x, const Strided& y) {
  const auto rows = matrix<float>(x);
  const auto targets = matrix<double>(y);
  if (rows.rows != targets.rows) throw py::value_error("X and y differ in their number of rows");
  return to_tuple(without_gil([&](auto& token) { return linalg::single_statistics(rows, targets, token); }));
}

// Stacked over the sets: weights (K), means (K, q), scatters (K, q, q), scales (K, q).
py::object fold_statistics_of_sets(const py::object& x, const Strided& y, const Weight& w, const Vector<std::int64_t>& numbers,
                                   const Vector<std::int64_t>& starts) {
  const auto design = design_of(x);
  const auto targets = matrix<double>(y);
  if (numbers.size() != targets.rows) throw py::value_error("y and the row numbers differ in length");
  const double* weights = weight_of(w, targets.rows);
  const std::span rows(numbers.data(), static_cast<std::size_t>(numbers.size()));
  const std::span bounds(starts.data(), static_cast<std::size_t>(starts.size()));
  const auto sets =
      without_gil([&](auto& token) { return linalg::fold_statistics(*design, targets, weights, rows, bounds, token); });
  if (!sets.empty() && !sets.back().finite) return py::none();
  const auto k = static_cast<py::ssize_t>(sets.size());
  const index_t q = design->cols() + targets.cols;
  Vector<double> weight(k), mean({k, q}), scatter({k, q, q}), scale({k, q});
  for (py::ssize_t i = 0; i < k; ++i) {
    const auto& set = sets[static_cast<std::size_t>(i)];
    weight.mutable_at(i) = set.weight;
    std::copy(set.mean.begin(), set.mean.end(), mean.mutable_data(i, 0));
    std::copy(set.scatter.begin(), set.scatter.end(), scatter.mutable_data(i, 0, 0));
    std::copy(set.scale.begin(), set.scale.end(), scale.mutable_data(i, 0));
  }
  return py::make_tuple(weight, mean, scatter, scale);
}

// (p x t): sum w (x - mean_x) scale_x residual', residual = (y - mean_y) scale_y - (x - mean_x) scale_x b.
Vector<double> residual_gradient(const py::object& x, const Strided& y, const Weight& w, const Vector<double>& mean,
                                 const Vector<double>& scale, const Vector<double>& b) {
  const auto design = design_of(x);
  const auto targets = matrix<double>(y);
  require_rows(*design, targets);
  const index_t p = design->cols(), t = targets.cols;
  require_size(mean, p + t, "mean");
  require_size(scale, p + t, "scale");
  require_size(b, p * t, "b");
  const double* weights = weight_of(w, targets.rows);
  const linalg::Augmented z{*design, targets, false, {mean.data(), scale.data(), nullptr}};
  const auto g = without_gil([&](auto& token) { return linalg::residual_gradient(z, weights, b.data(), token); });
  Vector<double> out({p, t});
  for (index_t j = 0; j < p; ++j)
    for (index_t k = 0; k < t; ++k) out.mutable_at(j, k) = g[static_cast<std::size_t>(k * z.padded() + j)];
  return out;
}

// X' diag(w) X of (X - row_shift) scale, nothing appended: with X transposed this is the Gram of the dual problem.
Vector<double> gram(const py::object& x, const Weight& w, const Vector<double>& row_shift, const Vector<double>& scale) {
  const auto design = design_of(x);
  const index_t n = design->rows(), p = design->cols();
  require_size(row_shift, n, "row_shift");
  require_size(scale, p, "scale");
  const std::vector<double> zero(static_cast<std::size_t>(p), 0.0);
  const linalg::Augmented z{*design, {nullptr, n, 0, 0, 0}, false, {zero.data(), scale.data(), row_shift.data()}};
  const double* weights = weight_of(w, n);
  const auto g = without_gil([&](auto& token) { return linalg::weighted_gram(z, weights, token); });
  Vector<double> out({p, p});
  for (index_t j = 0; j < p; ++j)
    std::copy_n(g.data() + j * z.padded(), p, out.mutable_data() + j * p);
  return out;
}

Vector<double> affine_map(const py::object& x, const Strided& coef, const Vector<double>& start) {
  const auto design = design_of(x);
  const auto c = matrix<double>(coef);
  if (c.cols != design->cols()) throw py::value_error("X and coef differ in their number of columns");
  require_size(start, c.rows, "start");
  Vector<double> out({design->rows(), c.rows});
  const MatrixView<double> view{out.mutable_data(), design->rows(), c.rows, c.rows, 1};
  without_gil([&](auto& token) { linalg::affine_map(*design, c, start.data(), view, token); });
  return out;
}

// r holds one vector a row.
template <class T>
Vector<double> column_products_of(const py::array_t<T, 0>& x, const Vector<double>& r) {
  const auto view = matrix<T>(x);
  if (r.ndim() != 2 || r.shape(1) != view.rows) throw py::value_error("X and r differ in their number of rows");
  Vector<double> out({view.cols, r.shape(0)});
  double* to = out.mutable_data();
  without_gil([&](auto& token) { linalg::column_products<T>(view, r.data(), r.shape(0), to, token); });
  return out;
}

Vector<double> column_products(const py::object& x, const Vector<double>& r) {
  if (py::isinstance<py::array_t<double>>(x)) return column_products_of(py::reinterpret_borrow<Strided>(x), r);
  if (py::isinstance<py::array_t<float>>(x)) return column_products_of(py::reinterpret_borrow<py::array_t<float, 0>>(x), r);
  throw py::type_error("X: expected a float array");
}

Vector<double> quadratic_forms(const Vector<double>& gram, const Vector<double>& b) {
  if (gram.ndim() != 2 || gram.shape(0) != gram.shape(1) || b.ndim() != 2 || b.shape(1) != gram.shape(0))
    throw py::value_error("quadratic forms: expected a (p, p) matrix and vectors of p numbers");
  Vector<double> out(b.shape(0));
  double* to = out.mutable_data();
  without_gil([&](auto& token) { linalg::quadratic_forms(gram.data(), gram.shape(0), b.data(), b.shape(0), to, token); });
  return out;
}

// Fills factor (r, r) and, with u, rows (m, r).
double row_triangle(const Vector<double>& products, const Vector<std::int64_t>& chosen, const Weight& u, Vector<double>& factor,
                    std::optional<Vector<double>>& rows) {
  if (products.ndim() != 2 || products.shape(0) != products.shape(1)) throw py::value_error("products: expected a square matrix");
  const index_t n = products.shape(0), m = chosen.size(), r = u ? m - 1 : m;
  if (r < 1 || u.has_value() != rows.has_value())
    throw py::value_error("row triangle: expected one row or more, two or more and a place for coordinates with u");
  for (const std::int64_t number : span(chosen))
    if (number < 0 || number >= n) throw py::value_error("chosen: expected numbers of rows, 0 <= number < " + std::to_string(n));
  const double* mirror = weight_of(u, m);
  require_size(factor, r * r, "factor");
  if (rows) require_size(*rows, m * r, "rows");
  double *to = factor.mutable_data(), *to_rows = rows ? rows->mutable_data() : nullptr;
  return without_gil([&](auto&) { return linalg::row_triangle(products.data(), n, span(chosen), mirror, to, to_rows); });
}

}  // namespace

void register_linalg(py::module_& m) {
  py::module_ linalg = m.def_submodule("linalg");
  linalg.def("fold_statistics", &fold_statistics, py::arg("x"), py::arg("y").noconvert(), py::arg("w").noconvert());
  linalg.def("single_statistics", &single_statistics, py::arg("x").noconvert(), py::arg("y").noconvert());
  linalg.def("fold_statistics_of_sets", &fold_statistics_of_sets, py::arg("x"), py::arg("y").noconvert(),
             py::arg("w").noconvert(), py::arg("numbers").noconvert(), py::arg("starts").noconvert());
  linalg.def("residual_gradient", &residual_gradient, py::arg("x"), py::arg("y").noconvert(), py::arg("w").noconvert(),
             py::arg("mean").noconvert(), py::arg("scale").noconvert(), py::arg("b").noconvert());
  linalg.def("gram", &gram, py::arg("x"), py::arg("w").noconvert(), py::arg("row_shift").noconvert(),
             py::arg("scale").noconvert());
  linalg.def("column_products", &column_products, py::arg("x"), py::arg("r").noconvert());
  linalg.def("quadratic_forms", &quadratic_forms, py::arg("gram").noconvert(), py::arg("b").noconvert());
  linalg.def("row_triangle", &row_triangle, py::arg("products").noconvert(), py::arg("chosen").noconvert(),
             py::arg("u").noconvert(), py::arg("factor").noconvert(), py::arg("rows").noconvert());
  linalg.def("affine_map", &affine_map, py::arg("x"), py::arg("coef").noconvert(), py::arg("start").noconvert());
}

}  // namespace mlwright::bindings
