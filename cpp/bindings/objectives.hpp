// The loss of a fit, as Python names it, to the objective that the booster minimises.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mlwright/tree/objective.hpp"

namespace mlwright::bindings {

// mlwright._kernels.tree.LossSpec.
struct LossSpec {
  std::string name;
  int n_outputs;
  std::uintptr_t function;  // of a user's loss
  double start;
  tree::Link link;
  double parameter;
  std::vector<double> levels;    // of several quantiles
  std::uintptr_t leaf_function;  // of a user's loss, or 0
};

LossSpec loss_spec(const pybind11::tuple& t);
std::unique_ptr<tree::Objective> make_objective(const LossSpec& spec);
// Targets of classes index memory: they are checked where they come in.
void check_targets(const LossSpec& spec, const tree::Targets& y);

}  // namespace mlwright::bindings
