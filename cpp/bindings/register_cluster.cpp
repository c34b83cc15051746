#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/cluster/lloyd.hpp"
#include "mlwright/cluster/seeding.hpp"
#include "watcher.hpp"

namespace mlwright::bindings {
namespace {

using cluster::Points;
using Doubles = Vector<double>;
using MaybeDoubles = std::optional<Doubles>;

template <class T>
std::unique_ptr<Points> dense(const py::object& x) {
  const auto a = py::reinterpret_borrow<Vector<T>>(x);
  if (a.ndim() != 2) throw py::value_error("X: expected two dimensions");
  return cluster::dense_points<T>(a.data(), a.shape(0), a.shape(1));
}

template <class T, class Index>
std::unique_ptr<Points> csr(const py::tuple& parts) {
  const auto indptr = parts[0].cast<Vector<Index>>(), indices = parts[1].cast<Vector<Index>>();
  return cluster::csr_points<T, Index>(span(indptr), span(indices), span(parts[2].cast<Vector<T>>()), parts[3].cast<index_t>());
}

// A C-contiguous float array or the tuple (indptr, indices, data, n_columns): views, so x must outlive the result.
std::unique_ptr<Points> points_of(const py::object& x) {
  if (py::isinstance<Vector<double>>(x)) return dense<double>(x);
  if (py::isinstance<Vector<float>>(x)) return dense<float>(x);
  if (!py::isinstance<py::tuple>(x)) throw py::type_error("X: expected a C-contiguous float array or a CSR tuple");
  const auto parts = py::reinterpret_borrow<py::tuple>(x);
  if (parts.size() != 4) throw py::type_error("CSR: expected (indptr, indices, data, n_columns)");
  const bool wide = py::isinstance<Vector<std::int64_t>>(parts[0]), twice = py::isinstance<Vector<double>>(parts[2]);
  if (wide) return twice ? csr<double, std::int64_t>(parts) : csr<float, std::int64_t>(parts);
  return twice ? csr<double, std::int32_t>(parts) : csr<float, std::int32_t>(parts);
}

const double* weights_of(const MaybeDoubles& w, const Points& points) {
  if (!w) return nullptr;
  if (w->size() != points.rows()) throw py::value_error("weights: their number differs from the number of rows");
  return w->data();
}

index_t count_of(const Doubles& centers, const Points& points) {
  if (centers.ndim() != 2 || centers.shape(1) != points.cols() || centers.shape(0) < 1)
    throw py::value_error("centers: expected one row of as many numbers as X has columns for each cluster");
  return centers.shape(0);
}

cluster::Frame frame_of(const Doubles& shift, double unit, const Points& points) {
  if (shift.size() != points.cols()) throw py::value_error("shift: expected one number a column");
  if (!(unit > 0.0)) throw py::value_error("unit: expected a positive number");
  return {span(shift), unit};
}

Doubles to_matrix(const std::vector<double>& values, index_t rows, index_t cols) {
  Doubles out({rows, cols});
  std::copy(values.begin(), values.end(), out.mutable_data());
  return out;
}

py::tuple lloyd(const py::object& x, const MaybeDoubles& w, const Doubles& start, const Doubles& shift, double unit,
                index_t max_iter, double tol, const py::object& watcher, double interval) {
  const auto points = points_of(x);
  const double* weights = weights_of(w, *points);
  const index_t k = count_of(start, *points);
  const auto frame = frame_of(shift, unit, *points);
  Vector<std::int32_t> labels(points->rows());
  const auto out = mutable_span(labels);
  Watcher watching(watcher, interval);
  const auto result = without_gil([&](auto& token) {
    return cluster::lloyd(*points, weights, span(start), frame, {max_iter, tol}, out, watching.progress(), token);
  });
  return py::make_tuple(labels, to_matrix(result.centers, k, points->cols()), result.inertia, result.n_iter, result.strict);
}

// Labels and inertia; weights and sums of the clusters, empty unless asked for.
py::tuple assign(const py::object& x, const MaybeDoubles& w, const Doubles& centers, const Doubles& shift, double unit,
                 bool with_sums) {
  const auto points = points_of(x);
  const double* weights = weights_of(w, *points);
  const index_t k = count_of(centers, *points);
  cluster::Centers prepared(k, points->cols(), frame_of(shift, unit, *points), points->sparse());
  prepared.set(span(centers));
  Vector<std::int32_t> labels(points->rows());
  const auto out = mutable_span(labels);
  const auto result = without_gil([&](auto& token) { return cluster::assign(*points, weights, prepared, with_sums, out, token); });
  const index_t kept = with_sums ? k : 0;
  Doubles weight(kept);
  std::copy(result.weight.begin(), result.weight.end(), weight.mutable_data());
  return py::make_tuple(labels, result.inertia, weight, to_matrix(result.sums, kept, points->cols()));
}

Doubles distances(const py::object& x, const Doubles& centers) {
  const auto points = points_of(x);
  const index_t k = count_of(centers, *points);
  const std::vector<double> zero(static_cast<std::size_t>(points->cols()), 0.0);
  cluster::Centers prepared(k, points->cols(), {zero, 1.0}, points->sparse());
  prepared.set(span(centers));
  Doubles out({points->rows(), k});
  double* to = out.mutable_data();
  without_gil([&](auto& token) { cluster::distances(*points, prepared, to, token); });
  return out;
}

Vector<std::int64_t> to_rows(const std::vector<index_t>& rows) {
  Vector<std::int64_t> out(static_cast<py::ssize_t>(rows.size()));
  std::copy(rows.begin(), rows.end(), out.mutable_data());
  return out;
}

Vector<std::int64_t> plus_plus(const py::object& x, const MaybeDoubles& w, const Vector<std::uint64_t>& keys, index_t k,
                               index_t trials, std::uint64_t seed) {
  const auto points = points_of(x);
  const double* weights = weights_of(w, *points);
  if (keys.size() != points->rows() || keys.size() == 0) throw py::value_error("keys: expected one a row, and a row");
  if (k < 1 || trials < 1) throw py::value_error("k-means++: expected at least one centre and one trial");
  return to_rows(without_gil([&](auto& token) { return cluster::plus_plus(*points, weights, span(keys), k, trials, seed, token); }));
}

Vector<std::int64_t> random_rows(const MaybeDoubles& w, const Vector<std::uint64_t>& keys, index_t k, std::uint64_t seed) {
  if (keys.size() == 0 || (w && w->size() != keys.size())) throw py::value_error("keys: expected one for each weight, and one");
  const double* weights = w ? w->data() : nullptr;
  return to_rows(without_gil([&](auto& token) { return cluster::random_rows(weights, span(keys), k, seed, token); }));
}

}  // namespace

void register_cluster(py::module_& m) {
  auto cluster = m.def_submodule("cluster");
  cluster.def("lloyd", &lloyd, py::arg("x"), py::arg("w").noconvert(), py::arg("start").noconvert(),
              py::arg("shift").noconvert(), py::arg("unit"), py::arg("max_iter"), py::arg("tol"), py::arg("watcher"),
              py::arg("interval"));
  cluster.def("assign", &assign, py::arg("x"), py::arg("w").noconvert(), py::arg("centers").noconvert(),
              py::arg("shift").noconvert(), py::arg("unit"), py::arg("with_sums"));
  cluster.def("distances", &distances, py::arg("x"), py::arg("centers").noconvert());
  cluster.def("plus_plus", &plus_plus, py::arg("x"), py::arg("w").noconvert(), py::arg("keys").noconvert(), py::arg("k"),
              py::arg("trials"), py::arg("seed"));
  cluster.def("random_rows", &random_rows, py::arg("w").noconvert(), py::arg("keys").noconvert(), py::arg("k"), py::arg("seed"));
}

}  // namespace mlwright::bindings
