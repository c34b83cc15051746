#include "mlwright/solver/penalty_paths.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"

namespace mlwright::solver {
namespace {

struct Scratch {
  CdWorkspace workspace;
  std::vector<double> b, gradient;
};

// penalty_at(path, step) -> a family of per_feature.hpp
template <class PenaltyAt>
void run(const Paths& paths, const PathResults& out, runtime::CancelToken& token, PenaltyAt&& penalty_at) {
  const index_t p = paths.p, steps = paths.n_steps;
  runtime::PerWorker<Scratch> scratch([] { return Scratch(); });
  runtime::parallel_for(paths.n_paths, 1, token, [&](index_t k, index_t, index_t) {
    Scratch& mine = scratch.local();
    mine.workspace.reset();
    mine.b.assign(static_cast<std::size_t>(p), 0.0);
    mine.gradient.resize(static_cast<std::size_t>(p));
    if (paths.start != nullptr) std::copy_n(paths.start + k * p, p, mine.b.data());
    const Quadratic problem{p, paths.gram + paths.which[k] * p * p, p, paths.linear + k * p, paths.square[k]};
    const Stop stop{paths.tol * problem.square, paths.violation * std::sqrt(problem.square), paths.max_sweeps};
    for (index_t s = 0; s < steps; ++s) {
      const Descent done = coordinate_descent(problem, penalty_at(k, s), mine.b.data(), mine.gradient.data(),
                                              mine.workspace, stop, token);
      std::copy_n(mine.b.data(), p, out.coef + (k * steps + s) * p);
      out.gap[k * steps + s] = done.gap;
      out.violation[k * steps + s] = done.violation;
      out.objective[k * steps + s] = done.objective;
      out.n_sweeps[k * steps + s] = static_cast<std::int32_t>(done.n_sweeps);
    }
  });
}

// Within bounds, unless these are null.
template <class FamilyAt>
void run_within(const double* low, const double* high, const Paths& paths, const PathResults& out, runtime::CancelToken& token,
                FamilyAt&& family_at) {
  if (low == nullptr) return run(paths, out, token, family_at);
  run(paths, out, token, [&](index_t k, index_t s) {
    return penalty::Boxed<decltype(family_at(k, s))>{family_at(k, s), low, high};
  });
}

}  // namespace

void elastic_net_paths(const Paths& paths, const ElasticNetSteps& steps, const PathResults& out, runtime::CancelToken& token) {
  run_within(steps.low, steps.high, paths, out, token, [&](index_t k, index_t s) {
    const index_t i = k * paths.n_steps + s;
    return penalty::ElasticNets{steps.l1[i], steps.l2[i], steps.l1_weight, steps.l2_weight};
  });
}

void concave_paths(const Paths& paths, const ConcaveSteps& steps, const PathResults& out, runtime::CancelToken& token) {
  const auto all = [&]<class Penalty>(Penalty) {
    run_within(steps.low, steps.high, paths, out, token, [&](index_t k, index_t s) {
      return penalty::Concaves<Penalty>{steps.strength[k * paths.n_steps + s], steps.gamma, steps.weight, steps.unit};
    });
  };
  if (steps.scad)
    all(penalty::Scad{});
  else
    all(penalty::Mcp{});
}

}  // namespace mlwright::solver
