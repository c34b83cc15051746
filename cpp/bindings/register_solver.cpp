#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/solver/penalty_paths.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using Doubles = Vector<double>;
using MaybeDoubles = std::optional<Doubles>;

void require(bool fits, const char* what) {
  if (!fits) throw py::value_error(std::string("paths: unexpected shape of ") + what);
}

const double* pointer(const MaybeDoubles& a) { return a ? a->data() : nullptr; }

// What every family of penalties needs; sizes are checked here, since native code reads by them.
solver::Paths paths_of(const Doubles& gram, const Vector<std::int64_t>& which, const Doubles& linear, const Doubles& square,
                       const MaybeDoubles& start, index_t n_steps, double tol, double violation, index_t max_sweeps) {
  require(gram.ndim() == 3 && gram.shape(1) == gram.shape(2), "gram");
  require(linear.ndim() == 2 && linear.shape(1) == gram.shape(1), "linear");
  const index_t p = gram.shape(1), n_paths = linear.shape(0);
  require(square.size() == n_paths, "square");
  require(which.size() == n_paths, "which");
  require(!start || start->size() == n_paths * p, "start");
  for (index_t k = 0; k < n_paths; ++k) require(which.data()[k] >= 0 && which.data()[k] < gram.shape(0), "which");
  return {p, n_paths, n_steps, gram.data(), which.data(), linear.data(), square.data(), pointer(start), tol, violation,
          max_sweeps};
}

struct Results {
  Doubles coef, gap, violation, objective;
  Vector<std::int32_t> n_sweeps;
  explicit Results(const solver::Paths& paths)
      : coef({paths.n_paths, paths.n_steps, paths.p}),
        gap({paths.n_paths, paths.n_steps}),
        violation({paths.n_paths, paths.n_steps}),
        objective({paths.n_paths, paths.n_steps}),
        n_sweeps({paths.n_paths, paths.n_steps}) {}
  solver::PathResults view() {
    return {coef.mutable_data(), gap.mutable_data(), violation.mutable_data(), objective.mutable_data(),
            n_sweeps.mutable_data()};
  }
  py::tuple tuple() { return py::make_tuple(coef, gap, violation, objective, n_sweeps); }
};

void require_bounds(const MaybeDoubles& low, const MaybeDoubles& high, index_t p) {
  require(low.has_value() == high.has_value() && (!low || (low->size() == p && high->size() == p)), "bounds");
}

py::tuple elastic_net_paths(const Doubles& gram, const Vector<std::int64_t>& which, const Doubles& linear,
                            const Doubles& square, const Doubles& l1, const Doubles& l2, const Doubles& l1_weight,
                            const Doubles& l2_weight, const MaybeDoubles& low, const MaybeDoubles& high,
                            const MaybeDoubles& start, double tol, double violation, index_t max_sweeps) {
  require(l1.ndim() == 2 && l1.size() == l2.size() && l1.shape(0) == linear.shape(0), "l1 and l2");
  const auto paths = paths_of(gram, which, linear, square, start, l1.shape(1), tol, violation, max_sweeps);
  require(l1_weight.size() == paths.p && l2_weight.size() == paths.p, "weights");
  require_bounds(low, high, paths.p);
  const solver::ElasticNetSteps steps{l1.data(), l2.data(), l1_weight.data(), l2_weight.data(), pointer(low), pointer(high)};
  Results results(paths);
  const auto view = results.view();
  without_gil([&](auto& token) { solver::elastic_net_paths(paths, steps, view, token); });
  return results.tuple();
}

py::tuple concave_paths(const Doubles& gram, const Vector<std::int64_t>& which, const Doubles& linear, const Doubles& square,
                        bool scad, const Doubles& strength, double gamma, const Doubles& weight, const Doubles& unit,
                        const MaybeDoubles& low, const MaybeDoubles& high, const MaybeDoubles& start, double violation,
                        index_t max_sweeps) {
  require(strength.ndim() == 2 && strength.shape(0) == linear.shape(0), "strength");
  const auto paths = paths_of(gram, which, linear, square, start, strength.shape(1), 0.0, violation, max_sweeps);
  require(weight.size() == paths.p && unit.size() == paths.p, "weights");
  require_bounds(low, high, paths.p);
  Results results(paths);
  const auto view = results.view();
  const solver::ConcaveSteps steps{strength.data(), gamma,          weight.data(), unit.data(),
                                   pointer(low),    pointer(high), scad};
  without_gil([&](auto& token) { solver::concave_paths(paths, steps, view, token); });
  return results.tuple();
}

}  // namespace

void register_solver(py::module_& m) {
  py::module_ solver = m.def_submodule("solver");
  const auto a = [](const char* name) { return py::arg(name).noconvert(); };
  solver.def("elastic_net_paths", &elastic_net_paths, a("gram"), a("which"), a("linear"), a("square"), a("l1"), a("l2"),
             a("l1_weight"), a("l2_weight"), a("low"), a("high"), a("start"), py::arg("tol"), py::arg("violation"),
             py::arg("max_sweeps"));
  solver.def("concave_paths", &concave_paths, a("gram"), a("which"), a("linear"), a("square"), py::arg("scad"),
             a("strength"), py::arg("gamma"), a("weight"), a("unit"), a("low"), a("high"), a("start"),
             py::arg("violation"), py::arg("max_sweeps"));
}

}  // namespace mlwright::bindings
