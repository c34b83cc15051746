#include <algorithm>
#include <cmath>
#include <vector>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "mlwright/solver/block_descent.hpp"

namespace mlwright::solver {

namespace {

constexpr int kSquarings = 6;  // of a Gram matrix; its norm is then within 2 % of the largest eigenvalue of 10 columns

std::size_t at(index_t i) { return static_cast<std::size_t>(i); }

// |A^(2^k)|_F^(1 / 2^k) is not below the largest eigenvalue of A, and near it: A is squared, and divided by its norm, k times.
double largest_eigenvalue(std::vector<double>& a, index_t n) {
  std::vector<double> square(a.size());
  double log_norm = 0.0, share = 1.0;
  for (int k = 0; k <= kSquarings; ++k) {
    double norm = 0.0;
    for (const double entry : a) norm += entry * entry;
    norm = std::sqrt(norm);
    if (!(norm > 0.0)) return 0.0;
    log_norm += share * std::log(norm);
    share *= 0.5;
    if (k == kSquarings) break;
    for (double& entry : a) entry /= norm;
    std::fill(square.begin(), square.end(), 0.0);
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < n; ++j)
        for (index_t e = 0; e < n; ++e) square[at(i * n + e)] += a[at(i * n + j)] * a[at(j * n + e)];
    a.swap(square);
  }
  return std::exp(log_norm) * (1.0 + 1e-12);
}

struct Scratch {
  std::vector<double> b, gradient, bounds;
};

// The start of path k, or what is within bounds and nearest to it.
void load_start(const BlockPaths& paths, index_t k, double* b) {
  std::copy_n(paths.start + k * paths.t * paths.p, paths.t * paths.p, b);
  if (paths.low == nullptr) return;
  for (index_t i = 0; i < paths.group_start[paths.n_groups]; ++i)
    for (index_t e = 0; e < paths.t; ++e) {
      double& entry = b[e * paths.p + paths.member[i]];
      entry = std::clamp(entry, paths.low[i], paths.high[i]);
    }
}

// All steps of path k, one after the other.
void follow_path(const BlockPaths& paths, index_t k, const BlockResults& out, Scratch& mine, runtime::CancelToken& token) {
  const index_t size = paths.t * paths.p, steps = paths.n_steps;
  mine.b.assign(at(size), 0.0);
  mine.gradient.resize(at(size));
  mine.bounds.resize(at(paths.n_groups));
  if (paths.start != nullptr) load_start(paths, k, mine.b.data());
  const BlockQuadratic problem{paths.p,         paths.t,        paths.gram + paths.which[k] * paths.p * paths.p,
                               paths.linear + k * size, paths.square[k], paths.n_groups,
                               paths.group_start, paths.member};
  block_bounds(problem, mine.bounds.data());
  const Stop stop{paths.tol * problem.square, paths.violation * std::sqrt(problem.square), paths.max_sweeps};
  for (index_t s = 0; s < steps; ++s) {
    const index_t i = k * steps + s;
    const GroupPenalties penalty{paths.l1[i],        paths.norm[i], paths.ridge[i], paths.l1_weight, paths.norm_weight,
                                 paths.ridge_weight, paths.low,     paths.high};
    const Descent done =
        block_descent(problem, penalty, mine.bounds.data(), mine.b.data(), mine.gradient.data(), stop, token);
    std::copy_n(mine.b.data(), size, out.coef + i * size);
    out.gap[i] = done.gap;
    out.violation[i] = done.violation;
    out.objective[i] = done.objective;
    out.n_sweeps[i] = static_cast<std::int32_t>(done.n_sweeps);
  }
}

}  // namespace

void block_bounds(const BlockQuadratic& q, double* bounds) {
  std::vector<double> block;
  for (index_t g = 0; g < q.n_groups; ++g) {
    const index_t n = q.start[g + 1] - q.start[g];
    const std::int64_t* of_group = q.member + q.start[g];
    if (n == 1) {
      bounds[g] = q.gram[of_group[0] * q.p + of_group[0]];
      continue;
    }
    block.resize(at(n * n));
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < n; ++j) block[at(i * n + j)] = q.gram[of_group[i] * q.p + of_group[j]];
    bounds[g] = largest_eigenvalue(block, n);
  }
}

void block_paths(const BlockPaths& paths, const BlockResults& out, runtime::CancelToken& token) {
  runtime::PerWorker<Scratch> scratch([] { return Scratch(); });
  runtime::parallel_for(paths.n_paths, 1, token, [&](index_t k, index_t, index_t) {
    follow_path(paths, k, out, scratch.local(), token);
  });
}

}  // namespace mlwright::solver
