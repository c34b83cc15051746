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

}  // namespace

void elastic_net_paths(const Paths& paths, const ElasticNetSteps& steps, const PathResults& out, runtime::CancelToken& token) {
  const auto plain = [&](index_t k, index_t s) {
    const index_t i = k * paths.n_steps + s;
    return penalty::ElasticNets{steps.l1[i], steps.l2[i], steps.l1_weight, steps.l2_weight};
  };
  if (steps.low == nullptr)
    run(paths, out, token, plain);
  else
    run(paths, out, token, [&](index_t k, index_t s) {
      return penalty::BoxedElasticNets{plain(k, s), steps.low, steps.high};
    });
}

void concave_paths(const Paths& paths, const ConcaveSteps& steps, const PathResults& out, runtime::CancelToken& token) {
  const auto family = [&]<class Penalty>(index_t k, index_t s) {
    return penalty::Concaves<Penalty>{steps.strength[k * paths.n_steps + s], steps.gamma, steps.weight, steps.unit};
  };
  if (steps.scad)
    run(paths, out, token, [&](index_t k, index_t s) { return family.template operator()<penalty::Scad>(k, s); });
  else
    run(paths, out, token, [&](index_t k, index_t s) { return family.template operator()<penalty::Mcp>(k, s); });
}

}  // namespace mlwright::solver
