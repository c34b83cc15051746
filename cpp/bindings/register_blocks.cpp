#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/solver/block_descent.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using Doubles = Vector<double>;
using Integers = Vector<std::int64_t>;

void require(bool fits, const char* what) {
  if (!fits) throw py::value_error(std::string("block_paths: unexpected shape of ") + what);
}

// Every feature in at most one group: native code reads and writes by these numbers.
void require_groups(const Integers& start, const Integers& member, index_t p) {
  require(start.size() > 0 && start.data()[0] == 0 && start.data()[start.size() - 1] == member.size(), "groups");
  for (index_t g = 0; g + 1 < start.size(); ++g) require(start.data()[g] < start.data()[g + 1], "groups");
  std::vector<bool> seen(static_cast<std::size_t>(p), false);
  for (index_t i = 0; i < member.size(); ++i) {
    const std::int64_t j = member.data()[i];
    require(j >= 0 && j < p && !seen[static_cast<std::size_t>(j)], "groups");
    seen[static_cast<std::size_t>(j)] = true;
  }
}

// Around zero, so that there is something within them.
void require_bounds(const std::optional<Doubles>& low, const std::optional<Doubles>& high, index_t n) {
  require(low.has_value() == high.has_value(), "bounds");
  if (!low) return;
  require(low->size() == n && high->size() == n, "bounds");
  for (index_t i = 0; i < n; ++i) require(low->data()[i] <= 0.0 && high->data()[i] >= 0.0, "bounds");
}

py::tuple block_paths(const Doubles& gram, const Integers& which, const Doubles& linear, const Doubles& square,
                      const Integers& group_start, const Integers& member, const Doubles& l1, const Doubles& norm,
                      const Doubles& ridge, const Doubles& l1_weight, const Doubles& norm_weight,
                      const Doubles& ridge_weight, const std::optional<Doubles>& start, const std::optional<Doubles>& low,
                      const std::optional<Doubles>& high, double tol, double violation, index_t max_sweeps) {
  require(gram.ndim() == 3 && gram.shape(1) == gram.shape(2), "gram");
  require(linear.ndim() == 3 && linear.shape(2) == gram.shape(1), "linear");
  const index_t p = gram.shape(1), n_paths = linear.shape(0), t = linear.shape(1);
  require(square.size() == n_paths && which.size() == n_paths, "square or which");
  for (index_t k = 0; k < n_paths; ++k) require(which.data()[k] >= 0 && which.data()[k] < gram.shape(0), "which");
  require_groups(group_start, member, p);
  const index_t n_groups = group_start.size() - 1;
  require(l1.ndim() == 2 && l1.shape(0) == n_paths && norm.size() == l1.size() && ridge.size() == l1.size(), "strengths");
  require(l1_weight.size() == member.size() && norm_weight.size() == n_groups && ridge_weight.size() == n_groups, "weights");
  require(!start || start->size() == linear.size(), "start");
  require_bounds(low, high, member.size());
  const index_t steps = l1.shape(1);
  const solver::BlockPaths paths{
      p, t, n_paths, steps, n_groups, gram.data(), which.data(), linear.data(), square.data(),
      start ? start->data() : nullptr, group_start.data(), member.data(), l1.data(), norm.data(), ridge.data(),
      l1_weight.data(), norm_weight.data(), ridge_weight.data(), low ? low->data() : nullptr, high ? high->data() : nullptr, tol,
      violation, max_sweeps};
  Doubles coef({n_paths, steps, t, p}), gap({n_paths, steps}), worst({n_paths, steps}), objective({n_paths, steps});
  Vector<std::int32_t> n_sweeps({n_paths, steps});
  const solver::BlockResults out{coef.mutable_data(), gap.mutable_data(), worst.mutable_data(), objective.mutable_data(),
                                 n_sweeps.mutable_data()};
  without_gil([&](auto& token) { solver::block_paths(paths, out, token); });
  return py::make_tuple(coef, gap, worst, objective, n_sweeps);
}

}  // namespace

void register_blocks(py::module_& m) {
  py::module_ blocks = m.def_submodule("blocks");
  const auto a = [](const char* name) { return py::arg(name).noconvert(); };
  blocks.def("block_paths", &block_paths, a("gram"), a("which"), a("linear"), a("square"), a("group_start"), a("member"),
             a("l1"), a("norm"), a("ridge"), a("l1_weight"), a("norm_weight"), a("ridge_weight"), a("start"),
             a("low"), a("high"), py::arg("tol"), py::arg("violation"), py::arg("max_sweeps"));
}

}  // namespace mlwright::bindings
