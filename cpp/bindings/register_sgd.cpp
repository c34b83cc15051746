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

// One epoch of k problems: y, coef, paid and coef_sum are (k, .), changed in place; returns the k sums of losses.
Doubles epoch(const py::object& x, const Doubles& y, const Vector<std::int64_t>& row, const MaybeDoubles& weight,
              const Doubles& class_weight, const Doubles& eta, Doubles coef, Doubles intercept, MaybeDoubles paid,
              MaybeDoubles due, MaybeDoubles coef_sum, MaybeDoubles intercept_sum, int loss, double parameter, double alpha,
              double l1_ratio, int schedule, double eta0, double power_t, index_t t, index_t average, bool fit_intercept,
              bool shuffle, std::uint64_t seed, index_t number) {
  const index_t k = eta.size();
  if (loss < 0 || loss >= loss::kMargins || schedule < 0 || schedule >= solver::kSchedules)
    throw py::value_error("SGD: unknown loss or schedule");
  if (weight) require_size(*weight, row.size(), "weight");
  require_size(class_weight, 2 * k, "class_weight");
  require_size(intercept, k, "intercept");
  const solver::SgdSettings settings{{static_cast<loss::Margin>(loss), parameter}, alpha, l1_ratio,
                                     static_cast<solver::Schedule>(schedule), eta0, power_t, t, average, fit_intercept,
                                     shuffle, seed, number};
  const solver::SgdVisits visits{span(row), weight ? weight->data() : nullptr};
  Doubles losses(k);
  with_rows(x, [&](const auto& rows) {
    const index_t n = rows.rows(), p = rows.cols();
    require_size(y, k * n, "y");
    require_size(coef, k * p, "coef");
    for (const std::int64_t r : visits.row)
      if (r < 0 || r >= n) throw py::value_error("row: out of range");
    double *paid_at = data_of(paid, k * p, "paid"), *due_at = data_of(due, k, "due");
    double *sum_at = data_of(coef_sum, k * p, "coef_sum"), *intercept_sum_at = data_of(intercept_sum, k, "intercept_sum");
    if ((paid_at == nullptr) != (due_at == nullptr) || (sum_at == nullptr) != (intercept_sum_at == nullptr) ||
        (average > 0) != (sum_at != nullptr))
      throw py::value_error("SGD: penalty paid and due, and sums, come in pairs");
    std::vector<solver::SgdProblem> problems;
    const auto part = [p](double* all, index_t i) { return all == nullptr ? nullptr : all + i * p; };
    for (index_t i = 0; i < k; ++i)
      problems.push_back({y.data() + i * n, class_weight.data()[2 * i], class_weight.data()[2 * i + 1], eta.data()[i],
                          coef.mutable_data() + i * p, intercept.mutable_data() + i, part(paid_at, i),
                          due_at == nullptr ? nullptr : due_at + i, part(sum_at, i),
                          intercept_sum_at == nullptr ? nullptr : intercept_sum_at + i});
    without_gil([&](auto& token) { solver::sgd_epoch(rows, visits, settings, std::span(problems), token); });
    for (index_t i = 0; i < k; ++i) losses.mutable_at(i) = problems[static_cast<std::size_t>(i)].loss;
  });
  return losses;
}

py::tuple row_keys(const py::object& x, const Doubles& y) {
  Vector<std::uint64_t> keys(y.size());
  bool finite = true;
  with_rows(x, [&](const auto& rows) {
    require_size(y, rows.rows(), "y");
    const auto out = mutable_span(keys);
    finite = without_gil([&](auto& token) { return solver::row_keys(rows, span(y), out, token); });
  });
  return py::make_tuple(keys, finite);
}

}  // namespace

void register_sgd(py::module_& m) {
  py::module_ sgd = m.def_submodule("sgd");
  sgd.def("row_keys", &row_keys, py::arg("x"), py::arg("y").noconvert());
  sgd.def("epoch", &epoch, py::arg("x"), py::arg("y").noconvert(), py::arg("row").noconvert(),
          py::arg("weight").noconvert(), py::arg("class_weight").noconvert(), py::arg("eta").noconvert(),
          py::arg("coef").noconvert(), py::arg("intercept").noconvert(), py::arg("paid").noconvert(),
          py::arg("due").noconvert(), py::arg("coef_sum").noconvert(), py::arg("intercept_sum").noconvert(),
          py::arg("loss"), py::arg("parameter"), py::arg("alpha"), py::arg("l1_ratio"), py::arg("schedule"),
          py::arg("eta0"), py::arg("power_t"), py::arg("t"), py::arg("average"), py::arg("fit_intercept"),
          py::arg("shuffle"), py::arg("seed"), py::arg("number"));
}

}  // namespace mlwright::bindings
