#include <pybind11/pybind11.h>

#include <cmath>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/density/constraint.hpp"
#include "mlwright/sampler/chains.hpp"
#include "mlwright/sampler/diagnostics.hpp"
#include "mlwright/sampler/independence.hpp"
#include "mlwright/sampler/psis.hpp"
#include "watcher.hpp"

namespace mlwright::bindings {
namespace {

using density::Block;
using runtime::CancelToken;
using Numbers = Vector<double>;

// Blocks as rows (kind, size, lower, upper).
std::vector<Block> blocks_of(const Numbers& table) {
  std::vector<Block> blocks;
  const auto rows = span<double>(table);
  for (std::size_t i = 0; i + 4 <= rows.size(); i += 4)
    blocks.push_back({static_cast<density::Constraint>(static_cast<int>(rows[i])), static_cast<index_t>(rows[i + 1]), rows[i + 2], rows[i + 3]});
  return blocks;
}

void require_at_least(const Numbers& a, index_t size, const char* name) {
  if (a.size() < size)
    throw py::value_error(std::string(name) + ": got " + std::to_string(a.size()) + " numbers, expected " + std::to_string(size));
}

double constrain(const Numbers& table, const Numbers& u, Numbers& x) {
  const auto blocks = blocks_of(table);
  require_at_least(u, density::free_size(blocks), "u");
  require_at_least(x, density::size(blocks), "x");
  return density::constrain(blocks, u.data(), x.mutable_data());
}

void pull_back(const Numbers& table, const Numbers& u, const Numbers& x, const Numbers& gx, Numbers& gu) {
  const auto blocks = blocks_of(table);
  for (const auto* free : {&u, static_cast<const Numbers*>(&gu)}) require_at_least(*free, density::free_size(blocks), "u");
  for (const auto* whole : {&x, &gx}) require_at_least(*whole, density::size(blocks), "x");
  density::pull_back(blocks, u.data(), x.data(), gx.data(), gu.mutable_data());
}

bool unconstrain(const Numbers& table, const Numbers& x, Numbers& u) {
  const auto blocks = blocks_of(table);
  require_at_least(x, density::size(blocks), "x");
  require_at_least(u, density::free_size(blocks), "u");
  return density::unconstrain(blocks, x.data(), u.mutable_data());
}

void diagnose(const Vector<double>& draws, Numbers& out) {
  if (draws.ndim() != 3) throw py::value_error("draws: expected chains x draws x columns");
  const sampler::Draws view{draws.data(), draws.shape(0), draws.shape(1), draws.shape(2)};
  require_at_least(out, view.columns * sampler::kDiagnostics, "out");
  static_assert(sizeof(sampler::Diagnostics) == sampler::kDiagnostics * sizeof(double));
  auto* const target = reinterpret_cast<sampler::Diagnostics*>(out.mutable_data());
  without_gil([&](CancelToken& token) { sampler::diagnose(view, target, token); });
}

void pareto_smoothed(const Vector<double>& log_likelihood, double efficiency, Numbers& out) {
  if (log_likelihood.ndim() != 2) throw py::value_error("log_likelihood: expected rows x draws");
  const index_t rows = log_likelihood.shape(0), draws = log_likelihood.shape(1);
  if (draws < 1 || !(efficiency > 0)) throw py::value_error("log_likelihood: expected draws, and an efficiency above zero");
  require_at_least(out, rows * sampler::kLeftOut, "out");
  static_assert(sizeof(sampler::LeftOut) == sampler::kLeftOut * sizeof(double));
  auto* const target = reinterpret_cast<sampler::LeftOut*>(out.mutable_data());
  const double* const data = log_likelihood.data();
  without_gil([&](CancelToken& token) { sampler::pareto_smoothed(data, rows, draws, efficiency, target, token); });
}

// A compiled density by the addresses of its function and of its data, as Python's side keeps them alive.
struct Model {
  std::vector<Block> blocks;
  sampler::Target target;
  Model(std::uintptr_t function, std::uintptr_t data, const Numbers& table)
      : blocks(blocks_of(table)),
        target(reinterpret_cast<sampler::LogDensity>(function), reinterpret_cast<void*>(data), blocks) {}
  Model(const Model&) = delete;
};

// Settings with the numbers of their normal law, which the arrays keep alive.
struct How {
  Numbers mean, root;
  sampler::Settings settings;
};

How how(const py::dict& d) {
  How h{d["mean"].cast<Numbers>(), d["root"].cast<Numbers>(), {}};
  if (h.root.size() != h.mean.size() && h.root.size() != h.mean.size() * h.mean.size())
    throw py::value_error("root: expected a number, or a row, for each number of mean");
  sampler::Settings& s = h.settings;
  s.seed = d["seed"].cast<std::uint64_t>();
  s.warm_up = d["warm_up"].cast<index_t>();
  s.target_acceptance = d["target_acceptance"].cast<double>();
  s.max_depth = d["max_depth"].cast<int>();
  s.method = static_cast<sampler::Method>(d["method"].cast<int>());
  s.n_steps = d["n_steps"].cast<int>();
  s.finds_directions = d["finds_directions"].cast<bool>();
  s.normal = {span<double>(h.mean), span<double>(h.root)};
  return h;
}

void require_normal(const Model& model, const How& how) {
  const index_t d = model.target.free_size(), given = how.mean.size();
  if (given != d && (given != 0 || !how.settings.has_dynamics()))
    throw py::value_error("mean: got " + std::to_string(given) + " numbers, expected " + std::to_string(d));
}

double evaluate(const Model& model, const Numbers& u, Numbers& gradient, Numbers& x) {
  require_at_least(u, model.target.free_size(), "u");
  require_at_least(gradient, model.target.free_size(), "gradient");
  require_at_least(x, model.target.size(), "x");
  std::vector<double> scratch(static_cast<std::size_t>(model.target.size()));
  double* const out_gradient = gradient.mutable_data();
  double* const out_x = x.mutable_data();
  return without_gil([&](CancelToken&) { return model.target(u.data(), out_gradient, out_x, scratch.data()); });
}

void log_ratios(const Model& model, const How& how, Numbers& out) {
  require_normal(model, how);
  const auto target = mutable_span<double>(out);
  without_gil([&](CancelToken& token) { sampler::log_ratios(model.target, how.settings.normal, how.settings.seed, target, token); });
}

void initialise(const Model& model, const How& how, const Numbers& starts, Numbers& states) {
  require_normal(model, how);
  const auto rows = mutable_span<double>(states);
  const auto given = span<double>(starts);
  if (!given.empty())
    require_at_least(starts, states.size() / sampler::state_size(model.target.free_size(), how.settings) * model.target.free_size(), "starts");
  without_gil([&](CancelToken& token) { sampler::initialise(model.target, how.settings, given, rows, token); });
}

void sample(const Model& model, const How& how, index_t n, Numbers& states, Numbers& draws, Numbers& statistics,
            py::object watcher, double interval) {
  require_normal(model, how);
  const auto rows = mutable_span<double>(states);
  double* const out_draws = draws.mutable_data();
  double* const out_statistics = statistics.mutable_data();
  const index_t size = sampler::state_size(model.target.free_size(), how.settings);
  const index_t chains = static_cast<index_t>(rows.size()) / size;
  const index_t before = chains > 0 ? static_cast<index_t>(rows[0]) : 0;
  const index_t kept = std::max<index_t>(before + n - std::max(before, how.settings.warm_up), 0);
  require_at_least(draws, chains * kept * model.target.size(), "draws");
  require_at_least(statistics, chains * kept * sampler::kStatisticsCount, "statistics");
  Watcher watched(std::move(watcher), interval);
  without_gil([&](CancelToken& token) {
    sampler::sample(model.target, how.settings, n, rows, out_draws, out_statistics, token, watched.progress());
  });
}

}  // namespace

void register_sampler(py::module_& m) {
  py::module_ d = m.def_submodule("density");
  d.def("constrain", &constrain, py::arg("blocks"), py::arg("u"), py::arg("x").noconvert());
  d.def("pull_back", &pull_back, py::arg("blocks"), py::arg("u"), py::arg("x"), py::arg("gradient_x"),
        py::arg("gradient_u").noconvert());
  d.def("unconstrain", &unconstrain, py::arg("blocks"), py::arg("x"), py::arg("u").noconvert());
  py::module_ s = m.def_submodule("sampler");
  s.def("diagnose", &diagnose, py::arg("draws").noconvert(), py::arg("out").noconvert());
  s.def("pareto_smoothed", &pareto_smoothed, py::arg("log_likelihood").noconvert(), py::arg("efficiency"),
        py::arg("out").noconvert());
  py::class_<How>(s, "Settings").def(py::init(&how), py::arg("options"));
  s.def("state_size", [](index_t free_size, const How& how) { return sampler::state_size(free_size, how.settings); },
        py::arg("free_size"), py::arg("settings"));
  py::class_<Model>(s, "Model")
      .def(py::init<std::uintptr_t, std::uintptr_t, const Numbers&>(), py::arg("function"), py::arg("data"), py::arg("blocks"));
  s.def("evaluate", &evaluate, py::arg("model"), py::arg("u"), py::arg("gradient").noconvert(), py::arg("x").noconvert());
  s.def("log_ratios", &log_ratios, py::arg("model"), py::arg("settings"), py::arg("out").noconvert());
  s.def("initialise", &initialise, py::arg("model"), py::arg("settings"), py::arg("starts"), py::arg("states").noconvert());
  s.def("sample", &sample, py::arg("model"), py::arg("settings"), py::arg("n"), py::arg("states").noconvert(),
        py::arg("draws").noconvert(), py::arg("statistics").noconvert(), py::arg("watcher"), py::arg("interval"));
  py::list names;
  for (const char* name : sampler::kStatistics) names.append(name);
  s.attr("STATISTICS") = names;
}

}  // namespace mlwright::bindings
