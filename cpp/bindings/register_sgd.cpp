#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/solver/row_keys.hpp"
#include "mlwright/solver/sgd.hpp"

namespace mlwright::bindings {
namespace {

using Doubles = Vector<double>;
using MaybeDoubles = std::optional<Doubles>;

template <class T, class Index, class Work>
void with_csr(const py::tuple& parts, Work&& work) {
  const auto indptr = parts[0].cast<Vector<Index>>(), indices = parts[1].cast<Vector<Index>>();
  const auto data = parts[2].cast<Vector<T>>();
  work(solver::CsrRows<T, Index>(span(indptr), span(indices), span(data), parts[3].cast<index_t>()));
}

template <class T, class Work>
void with_dense(const py::object& x, Work&& work) {
  const auto a = py::reinterpret_borrow<Vector<T>>(x);
  if (a.ndim() != 2) throw py::value_error("X: expected two dimensions");
  work(solver::DenseRows<T>(a.data(), a.shape(0), a.shape(1)));
}

// work(rows) for a C-contiguous float array or the tuple (indptr, indices, data, n_columns).
template <class Work>
void with_rows(const py::object& x, Work&& work) {
  if (py::isinstance<Vector<double>>(x)) return with_dense<double>(x, work);
  if (py::isinstance<Vector<float>>(x)) return with_dense<float>(x, work);
  if (!py::isinstance<py::tuple>(x)) throw py::type_error("X: expected a C-contiguous float array or a CSR tuple");
  const auto parts = py::reinterpret_borrow<py::tuple>(x);
  if (parts.size() != 4) throw py::type_error("CSR: expected (indptr, indices, data, n_columns)");
  const bool wide = py::isinstance<Vector<std::int64_t>>(parts[0]), twice = py::isinstance<Vector<double>>(parts[2]);
  if (wide) return twice ? with_csr<double, std::int64_t>(parts, work) : with_csr<float, std::int64_t>(parts, work);
  return twice ? with_csr<double, std::int32_t>(parts, work) : with_csr<float, std::int32_t>(parts, work);
}

double* data_of(MaybeDoubles& a, index_t size, const char* name) {
  if (!a) return nullptr;
  require_size(*a, size, name);
  return a->mutable_data();
}

// What Python's callback says of an epoch.
void ask(const py::object& after, index_t epoch, std::vector<solver::SgdProblem>& problems) {
  py::gil_scoped_acquire gil;
  std::vector<index_t> going;
  std::vector<double> losses;
  for (std::size_t k = 0; k < problems.size(); ++k) {
    if (!problems[k].going) continue;
    going.push_back(static_cast<index_t>(k));
    losses.push_back(problems[k].loss);
  }
  const py::object values = after(epoch, going, losses);
  if (values.is_none()) return;
  const auto given = values.cast<std::vector<double>>();
  if (given.size() != going.size()) throw py::value_error("SGD: expected one value for each problem that goes on");
  for (std::size_t i = 0; i < going.size(); ++i) problems[static_cast<std::size_t>(going[i])].value = given[i];
}

// Epochs of k problems: y, coef and coef_sum are (k, .), changed in place. Returns the epoch that overflowed or -1, the k numbers
// of epochs, and the k last values. after(epoch, going, losses) may return the values of the problems that go on.
py::tuple descend(const py::object& x, const Doubles& y, const Vector<std::int64_t>& row, const MaybeDoubles& weight,
                  const Doubles& class_weight, Doubles coef, Doubles intercept, MaybeDoubles coef_sum, MaybeDoubles intercept_sum,
                  const py::object& after, int loss, double parameter, bool penalised, double alpha, double l1_ratio, int schedule,
                  double eta0, double power_t, index_t t, index_t average, bool fit_intercept, bool shuffle, std::uint64_t seed,
                  index_t max_iter, index_t patience, double tol) {
  const index_t k = intercept.size();
  if (loss < 0 || loss >= loss::kMargins || schedule < 0 || schedule >= solver::kSchedules)
    throw py::value_error("SGD: unknown loss or schedule");
  if (weight) require_size(*weight, row.size(), "weight");
  require_size(class_weight, 2 * k, "class_weight");
  const solver::SgdSettings settings{{static_cast<loss::Margin>(loss), parameter}, penalised, alpha, l1_ratio,
                                     static_cast<solver::Schedule>(schedule), eta0, power_t, t, average, fit_intercept,
                                     shuffle, seed, max_iter, patience, tol};
  const solver::SgdVisits visits{span(row), weight ? weight->data() : nullptr};
  std::vector<solver::SgdProblem> problems;
  index_t overflowed = -1;
  with_rows(x, [&](const auto& rows) {
    const index_t n = rows.rows(), p = rows.cols();
    require_size(y, k * n, "y");
    require_size(coef, k * p, "coef");
    for (const std::int64_t r : visits.row)
      if (r < 0 || r >= n) throw py::value_error("row: out of range");
    double *sum_at = data_of(coef_sum, k * p, "coef_sum"), *intercept_sum_at = data_of(intercept_sum, k, "intercept_sum");
    if ((sum_at == nullptr) != (intercept_sum_at == nullptr) || (average > 0) != (sum_at != nullptr))
      throw py::value_error("SGD: sums are there where there are averages, of coefficients and intercepts");
    for (index_t i = 0; i < k; ++i)
      problems.push_back({y.data() + i * n, class_weight.data()[2 * i], class_weight.data()[2 * i + 1], coef.mutable_data() + i * p,
                          intercept.mutable_data() + i, sum_at == nullptr ? nullptr : sum_at + i * p,
                          sum_at == nullptr ? nullptr : intercept_sum_at + i});
    solver::AfterEpoch tell;
    if (!after.is_none()) tell = [&](index_t epoch) { ask(after, epoch, problems); };
    overflowed = without_gil(
        [&](auto& token) { return solver::sgd_descend(rows, visits, settings, std::span(problems), tell, token); });
  });
  Vector<std::int64_t> n_iter(k);
  Doubles value(k);
  for (index_t i = 0; i < k; ++i) {
    n_iter.mutable_at(i) = problems[static_cast<std::size_t>(i)].n_iter;
    value.mutable_at(i) = problems[static_cast<std::size_t>(i)].value;
  }
  return py::make_tuple(overflowed, n_iter, value);
}

// The keys of the rows: brief ones, or of all entries.
Vector<std::uint64_t> row_keys(const py::object& x, const Doubles& y, bool brief) {
  Vector<std::uint64_t> keys(y.size());
  with_rows(x, [&](const auto& rows) {
    require_size(y, rows.rows(), "y");
    const auto out = mutable_span(keys);
    without_gil([&](auto& token) { brief ? solver::brief_keys(rows, span(y), out, token) : solver::row_keys(rows, span(y), out, token); });
  });
  return keys;
}

}  // namespace

void register_sgd(py::module_& m) {
  py::module_ sgd = m.def_submodule("sgd");
  sgd.def("row_keys", &row_keys, py::arg("x"), py::arg("y").noconvert(), py::arg("brief"));
  sgd.def("descend", &descend, py::arg("x"), py::arg("y").noconvert(), py::arg("row").noconvert(),
          py::arg("weight").noconvert(), py::arg("class_weight").noconvert(), py::arg("coef").noconvert(),
          py::arg("intercept").noconvert(), py::arg("coef_sum").noconvert(), py::arg("intercept_sum").noconvert(),
          py::arg("after"), py::arg("loss"), py::arg("parameter"), py::arg("penalised"), py::arg("alpha"), py::arg("l1_ratio"),
          py::arg("schedule"), py::arg("eta0"), py::arg("power_t"), py::arg("t"), py::arg("average"), py::arg("fit_intercept"),
          py::arg("shuffle"), py::arg("seed"), py::arg("max_iter"), py::arg("patience"), py::arg("tol"));
}

}  // namespace mlwright::bindings
