#include "objectives.hpp"

#include <pybind11/stl.h>

namespace mlwright::bindings {

namespace py = pybind11;

namespace {

tree::Link link_from(const std::string& name) {
  if (name == "identity") return tree::Link::identity;
  if (name == "log") return tree::Link::log;
  if (name == "logit") return tree::Link::logit;
  throw py::value_error("link: got '" + name + "', expected identity, log or logit");
}

bool of_classes(const LossSpec& spec) { return spec.name == "log_loss" || spec.name == "one_vs_rest"; }

}  // namespace

LossSpec loss_spec(const py::tuple& t) {
  return {t[0].cast<std::string>(), t[1].cast<int>(), t[2].cast<std::uintptr_t>(), t[3].cast<double>(),
          link_from(t[4].cast<std::string>()), t[5].cast<double>(), t[6].cast<std::vector<double>>(), t[7].cast<std::uintptr_t>()};
}

std::unique_ptr<tree::Objective> make_objective(const LossSpec& spec) {
  if (of_classes(spec)) {
    if (spec.n_outputs == 1) return tree::scalar_objective("binary_log_loss", 0);
    return spec.name == "log_loss" ? tree::multinomial_objective(spec.n_outputs) : tree::one_vs_rest_objective(spec.n_outputs);
  }
  const auto leaf = reinterpret_cast<tree::UserLeaf>(spec.leaf_function);
  if (spec.name == "user")
    return tree::user_objective(reinterpret_cast<tree::UserLoss>(spec.function), spec.start, spec.link, leaf);
  if (spec.name == "normal") return tree::normal_objective();
  if (spec.name == "given") return tree::given_objective(spec.n_outputs, leaf);
  if (spec.name == "quantiles") {
    if (spec.levels.empty()) throw py::value_error("quantiles: got no level, expected one or more");
    return tree::quantiles_objective(spec.levels);
  }
  if (auto found = tree::scalar_objective(spec.name, spec.parameter)) return found;
  throw py::value_error("loss: got '" + spec.name + "', expected the name of one");
}

void check_targets(const LossSpec& spec, const tree::Targets& y) {
  if (!of_classes(spec)) return;
  const double classes = spec.n_outputs == 1 ? 2 : spec.n_outputs;
  for (std::size_t i = 0; i < y.size(); ++i)
    if (const double v = y[i]; !(v >= 0 && v < classes && v == static_cast<double>(static_cast<int>(v))))
      throw py::value_error(spec.name + ": a target is not a class number");
}

}  // namespace mlwright::bindings
