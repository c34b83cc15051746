// Chains of BART side by side: y = sum of trees + noise, y_i ~ N(f(x_i), sigma2 / w_i).
//
//   leaf means   N(0, tau2);  tau2 fixed, or ~ m tau2' / chi2(m);  sigma2 ~ nu lambda / chi2(nu), or fixed;
//   trees as in space.hpp
//
// Or noise that differs from row to row: y_i ~ N(f(x_i), s2(x_i) / w_i), s2 a product of trees whose leaves
// ~ nu' lambda' / chi2(nu'), see cpp/src/sampler/bart/noise.hpp; of their draws the leaves are logarithms, in units of kLogUnit.
//
// Or probit: P(class 1) = Phi(offset + f(x)), by latent normal variables, w_i of them (whole numbers) a row.
//
// Chains run on threads of their own; between slices of a few milliseconds the calling thread polls for Ctrl-C and tells the
// progress. Draws do not depend on threads or instruction sets. How a chain works: cpp/src/sampler/bart/chain.hpp.
#pragma once

#include <span>
#include <vector>

#include "mlwright/runtime/cancel.hpp"
#include "mlwright/runtime/progress.hpp"
#include "mlwright/sampler/bart/data.hpp"
#include "mlwright/sampler/bart/draws.hpp"

namespace mlwright::sampler::bart {

inline constexpr double kLogUnit = 0x1p-20;  // of logarithms of variances

struct Settings {
  std::uint64_t seed = 0;
  int n_trees = 200;
  TreePrior tree;
  double unit = 0x1p-24;       // of residuals and leaf means
  double weight_unit = 1;      // of weights
  double tau2 = 1, nu = 3, lambda = 1;
  double leaf_freedom = 0;     // m, tau2 being where it starts and tau2'; 0: tau2 is fixed
  double sigma2 = 1;           // to start from
  bool sigma_is_fixed = false;
  int n_variance_trees = 0;       // 0: sigma2 is that of all rows; after root_sweeps, for which it is so anyway
  double variance_nu = 3, variance_lambda = 1;  // of each of them
  std::int64_t min_weight = 0;  // of a leaf, in units of weights
  index_t root_sweeps = 0;       // first of all: trees are grown from their roots in these sweeps
  bool is_sparse = false;        // few variables are split by, see sparsity.hpp
  index_t sparse_from = 0;       // the sweep after which weights of variables are drawn
  bool is_probit = false;        // target holds 1 and -1 of two classes; sigma2 is 1
  double offset = 0;             // of f, for probit
};

// target: in units, or classes. weight: empty for ones, else of every row, in units.
struct Response {
  std::span<const std::int32_t> target;
  std::span<const std::int64_t> weight;
};

// Sweeps of a chain: root_sweeps of the settings, burn_in, then those of which every thin-th is kept. Without draws, those
// that grew trees from their roots are kept themselves, after burn_in of them: no posterior, but near to it, and soon.
struct Schedule {
  index_t chains = 4, burn_in = 200, draws = 1000, thin = 1;

  index_t first_kept(index_t root_sweeps) const noexcept { return draws == 0 ? burn_in : root_sweeps + burn_in; }
  index_t sweeps(index_t root_sweeps) const noexcept { return draws == 0 ? root_sweeps : first_kept(root_sweeps) + draws * thin; }
};

struct ChainDraws {
  Draws trees, variance_trees;
  std::vector<double> sigma2;  // of every kept draw; where it differs from row to row, on average over them
};

// One item a chain. Throws InvalidArgument for trees of the variance where sweeps grown from roots are kept,
// NumericalError where residuals outgrow their integers.
std::vector<ChainDraws> run(const Data& data, const Response& response, const Settings& settings, const Schedule& schedule,
                            runtime::CancelToken& token, runtime::Progress& progress);

}  // namespace mlwright::sampler::bart
