#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>

#include "arrays.hpp"
#include "call.hpp"
#include "designs.hpp"
#include "mlwright/solver/frisch_newton.hpp"

namespace mlwright::bindings {
namespace {

using Doubles = Vector<double>;
using MaybeDoubles = std::optional<Doubles>;

// (coefficients of shape (k, q), dual variables of shape (k, n), iterations of shape (k,)) for k levels.
py::tuple frisch_newton(const py::object& x, const Doubles& y, const MaybeDoubles& w, const Doubles& levels,
                        const Doubles& shift, const Doubles& scale, bool ones, const MaybeDoubles& l1,
                        const MaybeDoubles& rhs, double tol, index_t max_iter) {
  const auto design = design_of(x);
  const index_t n = design->rows(), p = design->cols(), k = levels.size();
  require_size(y, n, "y");
  require_size(shift, p, "shift");
  require_size(scale, p, "scale");
  solver::QuantileRows rows{*design, span(y), nullptr, span(shift), span(scale), ones, {}};
  const index_t q = rows.parameters();
  if (w) {
    require_size(*w, n, "w");
    rows.w = w->data();
  }
  if (l1) {
    require_size(*l1, p, "l1");
    rows.l1 = span(*l1);
  }
  if (rhs) require_size(*rhs, k * q, "rhs");
  const std::span<const double> right = rhs ? span(*rhs) : std::span<const double>();
  const auto fits = without_gil([&](auto& token) {
    return solver::frisch_newton(rows, span(levels), right, {tol, max_iter}, token);
  });
  Doubles b({k, q}), a({k, n});
  Vector<std::int64_t> n_iter({k});
  for (index_t i = 0; i < k; ++i) {
    const auto& fit = fits[static_cast<std::size_t>(i)];
    std::copy(fit.b.begin(), fit.b.end(), b.mutable_data() + i * q);
    std::copy(fit.a.begin(), fit.a.end(), a.mutable_data() + i * n);
    n_iter.mutable_at(i) = fit.n_iter;
  }
  return py::make_tuple(b, a, n_iter);
}

}  // namespace

void register_quantile(py::module_& m) {
  py::module_ quantile = m.def_submodule("quantile");
  quantile.def("frisch_newton", &frisch_newton, py::arg("x"), py::arg("y").noconvert(), py::arg("w").noconvert(),
               py::arg("levels").noconvert(), py::arg("shift").noconvert(), py::arg("scale").noconvert(), py::arg("ones"),
               py::arg("l1").noconvert(), py::arg("rhs").noconvert(), py::arg("tol"), py::arg("max_iter"));
}

}  // namespace mlwright::bindings
