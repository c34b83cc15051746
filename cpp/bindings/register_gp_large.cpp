// Gaussian processes of many rows: state-space models and Vecchia approximations.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <utility>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "gp_kernel.hpp"
#include "mlwright/gp/neighbours.hpp"
#include "mlwright/gp/state_space.hpp"
#include "mlwright/gp/vecchia.hpp"

namespace mlwright::bindings {
namespace {

using Doubles = Vector<double>;
using Indices = Vector<index_t>;
using Terms = std::vector<std::tuple<int, double, double>>;  // states, variance, length

std::vector<gp::Term> terms_of(const Terms& terms) {
  std::vector<gp::Term> out;
  for (const auto& [states, variance, length] : terms) out.push_back({states, variance, length});
  return out;
}

gp::Series series_of(const Doubles& t, const Doubles& y, const Doubles& noise, const Vector<std::uint8_t>& observed) {
  const index_t n = t.size();
  if (y.ndim() != 2 || y.shape(0) != n) throw py::value_error("y: expected a row for each of t");
  require_size(noise, n, "noise");
  if (observed.size() != n) throw py::value_error("observed: expected a number for each of t");
  for (index_t i = 1; i < n; ++i)
    if (!(t.data()[i] >= t.data()[i - 1])) throw py::value_error("t: expected numbers that rise");
  return {t.data(), y.data(), noise.data(), observed.data(), n, y.shape(1)};
}

py::tuple series_likelihood(const Terms& terms, const Doubles& t, const Doubles& y, const Doubles& noise,
                            const Vector<std::uint8_t>& observed, bool with_gradient) {
  const gp::Series series = series_of(t, y, noise, observed);
  const auto found = without_gil([&](auto& token) { return gp::series_likelihood(terms_of(terms), series, with_gradient, token); });
  return py::make_tuple(found.positive_definite, found.value,
                        Doubles(static_cast<index_t>(found.gradient.size()), found.gradient.data()));
}

bool series_left_out(const Terms& terms, const Doubles& t, const Doubles& y, const Doubles& noise,
                     const Vector<std::uint8_t>& observed, Doubles weights, Doubles precision) {
  const gp::Series series = series_of(t, y, noise, observed);
  require_size(weights, series.n * series.n_targets, "weights");
  require_size(precision, series.n, "precision");
  double *const to_weights = weights.mutable_data(), *const to_precision = precision.mutable_data();
  return without_gil([&](auto& token) { return gp::series_left_out(terms_of(terms), series, to_weights, to_precision, token); });
}

bool series_moments(const Terms& terms, const Doubles& t, const Doubles& y, const Doubles& noise,
                    const Vector<std::uint8_t>& observed, Doubles mean, Doubles variance) {
  const gp::Series series = series_of(t, y, noise, observed);
  require_size(mean, series.n * series.n_targets, "mean");
  require_size(variance, series.n, "variance");
  double *const to_mean = mean.mutable_data(), *const to_variance = variance.mutable_data();
  return without_gil([&](auto& token) { return gp::series_moments(terms_of(terms), series, to_mean, to_variance, token); });
}

bool series_covariance(const Terms& terms, const Doubles& t, const Doubles& y, const Doubles& noise,
                       const Vector<std::uint8_t>& observed, Doubles out) {
  const gp::Series series = series_of(t, y, noise, observed);
  index_t wanted = 0;
  for (index_t i = 0; i < series.n; ++i) wanted += observed.data()[i] == 0;
  require_size(out, wanted * wanted, "out");
  double* const target = out.mutable_data();
  return without_gil([&](auto& token) { return gp::series_covariance(terms_of(terms), series, target, token); });
}

Indices maximin_order(const Doubles& x) {
  if (x.ndim() != 2) throw py::value_error("X: expected two axes");
  Indices order(x.shape(0));
  index_t* const out = order.mutable_data();
  without_gil([&](auto& token) { gp::maximin_order(x.data(), x.shape(0), x.shape(1), out, token); });
  return order;
}

Indices table_of(index_t rows, index_t m) {
  if (m < 1) throw py::value_error("neighbours: expected at least one");
  return Indices(std::vector<index_t>{rows, m});
}

Indices earlier_neighbours(const Doubles& x, index_t m) {
  if (x.ndim() != 2) throw py::value_error("X: expected two axes");
  Indices table = table_of(x.shape(0), m);
  index_t* const out = table.mutable_data();
  without_gil([&](auto& token) { gp::earlier_neighbours(x.data(), x.shape(0), x.shape(1), m, out, token); });
  return table;
}

Indices nearest_neighbours(const Doubles& x, const Doubles& queries, index_t m) {
  if (x.ndim() != 2 || queries.ndim() != 2 || x.shape(1) != queries.shape(1))
    throw py::value_error("X: expected two axes, and as many columns as the queries have");
  Indices table = table_of(queries.shape(0), m);
  index_t* const out = table.mutable_data();
  without_gil([&](auto& token) {
    gp::nearest_neighbours(x.data(), x.shape(0), queries.data(), queries.shape(0), x.shape(1), m, out, token);
  });
  return table;
}

// Each number below `limit`, or -1 and only -1 from there on.
gp::Neighbours neighbours_of(const Indices& table, index_t rows, index_t limit, bool earlier) {
  if (table.ndim() != 2 || table.shape(0) != rows || table.shape(1) < 1) throw py::value_error("neighbours: expected a row for each row");
  const index_t m = table.shape(1);
  for (index_t i = 0; i < rows; ++i) {
    const index_t* row = table.data() + i * m;
    for (index_t k = 0; k < m && row[k] >= 0; ++k)
      if (row[k] >= (earlier ? i : limit)) throw py::value_error("neighbours: got the number of a row that is not there before");
  }
  return {table.data(), m};
}

py::tuple vecchia_likelihood(const Steps& steps, const Doubles& parameters, const Doubles& x, const Doubles& y,
                             const Doubles& noise, const Indices& neighbours, bool with_gradient) {
  const gp::Points points = points_of(x);
  const gp::Kernel kernel = kernel_of(steps, parameters, x.shape(1));
  if (y.ndim() != 2 || y.shape(0) != points.n) throw py::value_error("y: expected a row for each of X");
  require_size(noise, points.n, "noise");
  const gp::Neighbours near = neighbours_of(neighbours, points.n, points.n, true);
  const gp::Targets targets{y.data(), noise.data(), y.shape(1)};
  const auto found =
      without_gil([&](auto& token) { return gp::vecchia_likelihood(kernel, points, targets, near, with_gradient, token); });
  return py::make_tuple(found.positive_definite, found.value,
                        Doubles(static_cast<index_t>(found.gradient.size()), found.gradient.data()));
}

bool vecchia_conditionals(const Steps& steps, const Doubles& parameters, const Doubles& x, const Doubles& noise,
                          const Doubles& queries, const Indices& neighbours, Doubles u, Doubles deviation) {
  const gp::Points points = points_of(x), asked = points_of(queries);
  if (queries.shape(1) != x.shape(1)) throw py::value_error("queries: expected as many columns as X has");
  const gp::Kernel kernel = kernel_of(steps, parameters, x.shape(1));
  require_size(noise, points.n, "noise");
  const gp::Neighbours near = neighbours_of(neighbours, asked.n, points.n, false);
  require_size(u, asked.n * near.m, "u");
  require_size(deviation, asked.n, "D");
  double *const to_u = u.mutable_data(), *const to_D = deviation.mutable_data();
  return without_gil(
      [&](auto& token) { return gp::vecchia_conditionals(kernel, points, noise.data(), asked, near, to_u, to_D, token); });
}

}  // namespace

void register_gp_large(py::module_& m) {
  py::module_ gp = m.attr("gp");
  const auto array = [](const char* name) { return py::arg(name).noconvert(); };
  gp.def("series_likelihood", &series_likelihood, py::arg("terms"), array("t"), array("y"), array("noise"), array("observed"),
         py::arg("with_gradient"));
  gp.def("series_left_out", &series_left_out, py::arg("terms"), array("t"), array("y"), array("noise"), array("observed"),
         array("weights"), array("precision"));
  gp.def("series_moments", &series_moments, py::arg("terms"), array("t"), array("y"), array("noise"), array("observed"),
         array("mean"), array("variance"));
  gp.def("series_covariance", &series_covariance, py::arg("terms"), array("t"), array("y"), array("noise"), array("observed"),
         array("out"));
  gp.def("maximin_order", &maximin_order, array("x"));
  gp.def("earlier_neighbours", &earlier_neighbours, array("x"), py::arg("m"));
  gp.def("nearest_neighbours", &nearest_neighbours, array("x"), array("queries"), py::arg("m"));
  gp.def("vecchia_likelihood", &vecchia_likelihood, py::arg("steps"), array("parameters"), array("x"), array("y"), array("noise"),
         array("neighbours"), py::arg("with_gradient"));
  gp.def("vecchia_conditionals", &vecchia_conditionals, py::arg("steps"), array("parameters"), array("x"), array("noise"),
         array("queries"), array("neighbours"), array("u"), array("deviation"));
}

}  // namespace mlwright::bindings
