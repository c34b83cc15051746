#include <cmath>
#include <set>
#include <vector>

#include "check.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/sampler/bart/predict.hpp"
#include "mlwright/sampler/bart/run.hpp"

using namespace mlwright;
using namespace mlwright::sampler::bart;

namespace {

constexpr index_t kN = 333;
constexpr int kTrees = 9;
const std::vector<Column> kColumns{{9, true, 0}, {254, false, 0}, {0, false, 7}, {0, false, 1}, {0, true, 0}};

struct Rows {
  std::vector<std::uint8_t> codes;
  std::vector<std::int32_t> target;
  std::vector<std::int64_t> weight;
};

Rows rows(bool probit) {
  Rows r;
  runtime::Rng rng(7);
  for (index_t i = 0; i < kN; ++i) {
    const auto a = static_cast<std::uint8_t>(rng.below(10)), b = static_cast<std::uint8_t>(rng.below(255));
    const auto c = static_cast<std::uint8_t>(rng.below(7));
    const bool gone = rng.below(5) == 0;
    r.codes.insert(r.codes.end(), {gone ? std::uint8_t{kMissing} : a, b, c, 0, rng.below(2) == 0 ? std::uint8_t{kMissing} : std::uint8_t{0}});
    const double y = (b > 100 ? 0.3 : -0.2) + (c % 2 == 0 ? 0.1 : 0) + 0.05 * rng.normal();
    r.target.push_back(probit ? (y > 0 ? 1 : -1) : static_cast<std::int32_t>(std::rint(std::ldexp(y, 24))));
    r.weight.push_back(static_cast<std::int64_t>(1 + rng.below(3)));
  }
  return r;
}

MatrixView<const std::uint8_t> view(const std::vector<std::uint8_t>& codes) {
  return {codes.data(), kN, static_cast<index_t>(kColumns.size()), static_cast<index_t>(kColumns.size()), 1};
}

std::vector<ChainDraws> draw(const Rows& r, Settings settings, bool weighted) {
  runtime::CancelToken token;
  const Data data(view(r.codes), kColumns, token);
  settings.tau2 = 0.01;
  settings.lambda = 0.003;
  settings.n_trees = kTrees;
  settings.min_weight = 2;
  runtime::Progress progress;
  return run(data, {r.target, weighted ? std::span<const std::int64_t>(r.weight) : std::span<const std::int64_t>()}, settings,
             {.chains = 2, .burn_in = 60, .draws = 5, .thin = 1}, token, progress);
}

DrawsView view(const Draws& d) { return {d.variable, d.value, d.right, d.kind, d.bound, d.sets, d.ends}; }

}  // namespace

TEST(bart_slots_name_every_leaf_once) {
  Tree tree;
  runtime::Rng rng(3);
  for (int step = 0; step < 5000; ++step) {
    const int parents = tree.n_leaf_parents();
    if (parents == 0 || (tree.n_leaves() < 40 && rng.below(2) == 0)) {
      tree.grow(tree.leaf(static_cast<int>(rng.below(static_cast<std::uint64_t>(tree.n_leaves())))), {0, 0, 3, false, {}});
    } else {
      tree.prune(tree.leaf_parent(static_cast<int>(rng.below(static_cast<std::uint64_t>(parents)))));
    }
    std::set<int> leaves;
    for (int slot = 0; slot < tree.n_leaves(); ++slot) {
      CHECK(tree[tree.leaf(slot)].is_leaf() && tree[tree.leaf(slot)].slot == slot);
      leaves.insert(tree.leaf(slot));
    }
    int inner = 0;
    tree.each_inner_node([&](int) { ++inner; });
    CHECK(static_cast<int>(leaves.size()) == tree.n_leaves() && inner == tree.n_leaves() - 1);
  }
}

TEST(bart_chains_of_every_kind_draw_trees_that_pass_the_check) {
  for (const bool probit : {false, true})
    for (const bool weighted : {false, true})
      for (const index_t root_sweeps : {0, 4}) {
        Settings settings;
        settings.unit = probit ? 0x1p-20 : 0x1p-24;
        settings.is_probit = settings.sigma_is_fixed = probit;
        settings.sigma2 = probit ? 1 : 0.01;
        settings.is_sparse = weighted;
        settings.root_sweeps = root_sweeps;
        const Rows r = rows(probit);
        const auto chains = draw(r, settings, weighted);
        CHECK(chains.size() == 2);
        for (const auto& chain : chains) {
          check(view(chain.trees), kColumns, kTrees);
          std::vector<double> sums(static_cast<std::size_t>(5 * kN));
          runtime::CancelToken token;
          predict(view(chain.trees), kTrees, view(r.codes), {0, settings.unit}, sums.data(), token);
          double error = 0;
          for (index_t i = 0; i < kN; ++i) error += std::fabs(sums[static_cast<std::size_t>(i)] - r.target[static_cast<std::size_t>(i)] * settings.unit) / kN;
          if (!probit) CHECK(error < 0.15);
        }
      }
}

TEST(bart_chains_learn_where_the_noise_is_large) {
  for (const bool weighted : {false, true})
    for (const index_t root_sweeps : {0, 4}) {
      Rows r = rows(false);
      runtime::Rng rng(9);
      const auto noisy = [&](index_t i) { return r.codes[static_cast<std::size_t>(i) * kColumns.size() + 1] > 100; };
      for (index_t i = 0; i < kN; ++i)
        r.target[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(std::rint(std::ldexp((noisy(i) ? 0.3 : 0.02) * rng.normal(), 24)));
      Settings settings;
      settings.sigma2 = 0.01;
      settings.n_variance_trees = 5;
      settings.variance_nu = 12;
      settings.variance_lambda = 0.4;
      settings.root_sweeps = root_sweeps;
      for (const auto& chain : draw(r, settings, weighted)) {
        check(view(chain.variance_trees), kColumns, 5);
        std::vector<double> logs(static_cast<std::size_t>(5 * kN));
        runtime::CancelToken token;
        predict(view(chain.variance_trees), 5, view(r.codes), {0, kLogUnit}, logs.data(), token);
        double noisy_sum = 0, calm_sum = 0;
        int n_noisy = 0;
        for (index_t i = 0; i < kN; ++i) {
          (noisy(i) ? noisy_sum : calm_sum) += logs[static_cast<std::size_t>(4 * kN + i)];
          n_noisy += noisy(i) ? 1 : 0;
        }
        // True is 2 log(0.3 / 0.02) = 5.4.
        CHECK(noisy_sum / n_noisy - calm_sum / (kN - n_noisy) > 3.5);
        CHECK(chain.sigma2.size() == 5 && chain.sigma2[0] > 0.01 && chain.sigma2[0] < 0.2);
      }
    }
}

TEST(bart_refuses_trees_that_are_none) {
  Settings settings;
  settings.sigma2 = 0.01;
  const Draws good = draw(rows(false), settings, false)[0].trees;
  const auto refuses = [&](auto damage) {
    Draws d = good;
    damage(d);
    CHECK_THROWS(ModelFormatError, check(view(d), kColumns, kTrees));
  };
  check(view(good), kColumns, kTrees);
  std::size_t inner = 0;
  while (good.variable[inner] < 0) ++inner;
  refuses([&](Draws& d) { d.right[inner] = 0; });
  refuses([&](Draws& d) { d.right[inner] = 60'000; });
  refuses([&](Draws& d) { d.variable[inner] = 5; });
  refuses([&](Draws& d) { d.variable[inner] = -1; });
  refuses([&](Draws& d) { d.kind[inner] = 3; });
  refuses([&](Draws& d) { d.ends.back() += 1; });
  refuses([&](Draws& d) { d.ends[0] = 0; });
  refuses([&](Draws& d) { d.ends.pop_back(); });
  refuses([&](Draws& d) { d.value.pop_back(); });
}

TEST(bart_refuses_codes_that_are_none) {
  std::vector<std::uint8_t> codes(kColumns.size() * kN, 0);
  codes[2] = 7;
  runtime::CancelToken token;
  CHECK_THROWS(InvalidArgument, Data(view(codes), kColumns, token));
}
