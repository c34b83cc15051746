#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/sampler/bart/predict.hpp"
#include "mlwright/sampler/bart/run.hpp"
#include "watcher.hpp"

namespace mlwright::bindings {
namespace {

namespace bart = sampler::bart;
using Codes = py::array_t<std::uint8_t, 0>;
using runtime::CancelToken;

// Columns as rows (n_cuts, has_missing, n_codes).
std::vector<bart::Column> columns_of(const Vector<std::int32_t>& table) {
  const auto rows = span(table);
  std::vector<bart::Column> columns;
  for (std::size_t i = 0; i + 3 <= rows.size(); i += 3) columns.push_back({rows[i], rows[i + 1] != 0, rows[i + 2]});
  return columns;
}

template <class T>
std::span<const T> field(const py::dict& trees, const char* name) {
  const py::object array = trees[name];
  if (!py::isinstance<Vector<T>>(array)) throw py::value_error(std::string("trees: ") + name + " is of another dtype or not contiguous");
  return span(py::reinterpret_borrow<Vector<T>>(array));  // the dict keeps its memory alive
}

bart::DrawsView draws_of(const py::dict& trees) {
  return {field<std::int32_t>(trees, "variable"), field<std::int32_t>(trees, "value"), field<std::uint16_t>(trees, "right"),
          field<std::uint8_t>(trees, "kind"),     field<std::uint8_t>(trees, "bound"), field<std::uint64_t>(trees, "sets"),
          field<index_t>(trees, "ends")};
}

// The items of all chains, one chain after another.
template <class T, class Get>
Vector<T> joined(const std::vector<bart::ChainDraws>& chains, Get get) {
  index_t n = 0;
  for (const auto& chain : chains) n += static_cast<index_t>(get(chain).size());
  Vector<T> out(n);
  T* at = out.mutable_data();
  for (const auto& chain : chains) at = std::copy(get(chain).begin(), get(chain).end(), at);
  return out;
}

using Member = bart::Draws bart::ChainDraws::*;  // the trees of the sum, or those of the variance

// Places in joined arrays: of sets, and ends of trees.
void shift_places(std::vector<bart::ChainDraws>& chains, Member of) {
  index_t nodes = 0, sets = 0;
  for (auto& chain : chains) {
    bart::Draws& trees = chain.*of;
    for (index_t& end : trees.ends) end += nodes;
    for (std::size_t i = 0; i < trees.variable.size(); ++i)
      if (trees.kind[i] == bart::kSetRule) trees.value[i] += static_cast<std::int32_t>(sets);
    nodes += static_cast<index_t>(trees.variable.size());
    sets += static_cast<index_t>(trees.sets.size() / bart::kSetWords);
  }
}

py::dict trees_as_arrays(std::vector<bart::ChainDraws>& chains, Member of) {
  shift_places(chains, of);
  py::dict out;
  out["variable"] = joined<std::int32_t>(chains, [of](const auto& c) -> const auto& { return (c.*of).variable; });
  out["value"] = joined<std::int32_t>(chains, [of](const auto& c) -> const auto& { return (c.*of).value; });
  out["right"] = joined<std::uint16_t>(chains, [of](const auto& c) -> const auto& { return (c.*of).right; });
  out["kind"] = joined<std::uint8_t>(chains, [of](const auto& c) -> const auto& { return (c.*of).kind; });
  out["bound"] = joined<std::uint8_t>(chains, [of](const auto& c) -> const auto& { return (c.*of).bound; });
  out["sets"] = joined<std::uint64_t>(chains, [of](const auto& c) -> const auto& { return (c.*of).sets; });
  out["ends"] = joined<index_t>(chains, [of](const auto& c) -> const auto& { return (c.*of).ends; });
  return out;
}

// (trees of the sum, trees of the variance, sigma2)
py::tuple as_arrays(std::vector<bart::ChainDraws> chains) {
  return py::make_tuple(trees_as_arrays(chains, &bart::ChainDraws::trees), trees_as_arrays(chains, &bart::ChainDraws::variance_trees),
                        joined<double>(chains, [](const auto& c) -> const auto& { return c.sigma2; }));
}

bart::Settings settings_of(const py::dict& d) {
  bart::Settings s;
  s.seed = d["seed"].cast<std::uint64_t>();
  s.n_trees = d["n_trees"].cast<int>();
  s.tree = {d["alpha"].cast<double>(), d["beta"].cast<double>(), d["max_depth"].cast<int>()};
  s.unit = d["unit"].cast<double>();
  s.weight_unit = d["weight_unit"].cast<double>();
  s.tau2 = d["tau2"].cast<double>();
  s.leaf_freedom = d["leaf_freedom"].cast<double>();
  s.nu = d["nu"].cast<double>();
  s.lambda = d["lam"].cast<double>();
  s.sigma2 = d["sigma2"].cast<double>();
  s.sigma_is_fixed = d["sigma_is_fixed"].cast<bool>();
  s.n_variance_trees = d["n_variance_trees"].cast<int>();
  s.variance_nu = d["variance_nu"].cast<double>();
  s.variance_lambda = d["variance_lam"].cast<double>();
  s.min_weight = d["min_weight"].cast<std::int64_t>();
  s.root_sweeps = d["root_sweeps"].cast<index_t>();
  s.is_sparse = d["is_sparse"].cast<bool>();
  s.sparse_from = s.root_sweeps + d["burn_in"].cast<index_t>() / 2;
  s.is_probit = d["is_probit"].cast<bool>();
  s.offset = d["offset"].cast<double>();
  return s;
}

bart::Schedule schedule_of(const py::dict& d) {
  return {d["chains"].cast<index_t>(), d["burn_in"].cast<index_t>(), d["draws"].cast<index_t>(), d["thin"].cast<index_t>()};
}

py::tuple run(const Codes& codes, const Vector<std::int32_t>& columns, const Vector<std::int32_t>& target,
             const Vector<std::int64_t>& weight, const py::dict& options, py::object watcher, double interval) {
  const auto view = matrix<std::uint8_t>(codes);
  if (target.size() != view.rows || (weight.size() != 0 && weight.size() != view.rows))
    throw py::value_error("target and weight: expected one of each row of codes");
  const bart::Settings settings = settings_of(options);
  const bart::Schedule schedule = schedule_of(options);
  const bart::Response response{span(target), span(weight)};
  Watcher watched(std::move(watcher), interval);
  return as_arrays(without_gil([&](CancelToken& token) {
    const bart::Data data(view, columns_of(columns), token);
    return bart::run(data, response, settings, schedule, token, watched.progress());
  }));
}

void check(const py::dict& trees, const Vector<std::int32_t>& columns, index_t n_trees) {
  const bart::DrawsView draws = draws_of(trees);
  const auto of = columns_of(columns);
  without_gil([&](CancelToken&) { bart::check(draws, of, n_trees); });
}

void predict(const py::dict& trees, index_t n_trees, const Codes& codes, double offset, double scale, py::array_t<double, py::array::c_style>& out) {
  const bart::DrawsView draws = draws_of(trees);
  const auto view = matrix<std::uint8_t>(codes);
  if (out.size() != static_cast<index_t>(draws.ends.size()) / n_trees * view.rows)
    throw py::value_error("out: expected a number for each draw and row");
  double* const target = out.mutable_data();
  without_gil([&](CancelToken& token) { bart::predict(draws, n_trees, view, {offset, scale}, target, token); });
}

}  // namespace

void register_bart(py::module_& m) {
  py::module_ b = m.def_submodule("bart");
  b.def("run", &run, py::arg("codes"), py::arg("columns"), py::arg("target"), py::arg("weight"), py::arg("options"),
        py::arg("watcher"), py::arg("interval"));
  b.def("check", &check, py::arg("trees"), py::arg("columns"), py::arg("n_trees"));
  b.def("predict", &predict, py::arg("trees"), py::arg("n_trees"), py::arg("codes"), py::arg("offset"), py::arg("scale"),
        py::arg("out").noconvert());
}

}  // namespace mlwright::bindings
