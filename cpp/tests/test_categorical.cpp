#include "mlwright/tree/categorical.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "mlwright/runtime/rng.hpp"

using namespace mlwright;
using namespace mlwright::tree;

namespace {

struct Category {
  double g;  // the sum over its rows, Hessians being 1
  int n;
};

// Categories of one node as the grower sees them; the last one is of missing values where `missing` says so.
struct Node {
  FixedPoint fixed;
  std::vector<Entry> codes;
  NodeSums sums;
  int n_bins;

  explicit Node(const std::vector<Category>& categories, bool missing = false)
      : fixed(FixedPoint::fit(largest(categories), 1.0, count(categories))),
        n_bins(static_cast<int>(categories.size()) - (missing ? 1 : 0)) {
    for (const Category& c : categories) {
      const auto h = static_cast<std::uint64_t>(std::llround(c.n * fixed.h_scale()));
      codes.push_back({std::llround(c.g * fixed.g_scale()), h << fixed.count_bits | static_cast<std::uint64_t>(c.n)});
      sums.sum = {sums.sum.g + codes.back().g, sums.sum.hn + codes.back().hn};
    }
  }

  Split split(const SplitRules& rules = {}, runtime::Rng* one_cut = nullptr) const {
    return best_split_of_categories(codes, 7, n_bins, sums, fixed, rules, one_cut);
  }

 private:
  static double largest(const std::vector<Category>& categories) {
    double all = 1;
    for (const Category& c : categories) all = std::max(all, std::abs(c.g));
    return all;
  }
  static std::uint64_t count(const std::vector<Category>& categories) {
    std::uint64_t all = 0;
    for (const Category& c : categories) all += static_cast<std::uint64_t>(c.n);
    return all;
  }
};

std::vector<Category> drawn(std::uint64_t seed, int k, int n) {
  runtime::Rng rng(seed, 0, 0);
  std::vector<Category> categories;
  for (int c = 0; c < k; ++c) categories.push_back({n * (rng.uniform() - 0.5), n});
  return categories;
}

// The gain of sending a set left, by the formula of split.hpp.
double gain_of(const Node& node, unsigned set, double l2) {
  double g[2] = {0, 0}, h[2] = {0, 0};
  for (std::size_t c = 0; c < node.codes.size(); ++c) {
    g[set >> c & 1U] += node.fixed.g(node.codes[c]);
    h[set >> c & 1U] += node.fixed.h(node.codes[c]);
  }
  const auto part = [&](double a, double b) { return a * a / (b + l2); };
  return part(g[0], h[0]) + part(g[1], h[1]) - part(g[0] + g[1], h[0] + h[1]);
}

unsigned set_of(const Split& split, std::size_t n) {
  unsigned set = 0;
  for (std::size_t c = 0; c < n; ++c) set |= split.left_codes.has(static_cast<int>(c)) ? 1U << c : 0U;
  return set;
}

}  // namespace

TEST(categories_of_equal_size_are_cut_by_the_best_of_all_sets) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Node node(drawn(seed, 8, 40));
    const Split split = node.split();
    CHECK(split.found());
    CHECK(split.feature == 7);
    double best = 0;
    for (unsigned set = 1; set < 255; ++set) best = std::max(best, gain_of(node, set, kEvidenceRows));
    const double got = gain_of(node, set_of(split, 8), kEvidenceRows);
    CHECK(got >= best * (1 - 1e-12));
    CHECK(std::abs(split.gain - got) <= 1e-9 * got);
  }
}

TEST(numbers_of_categories_do_not_matter) {
  const std::vector<Category> categories = drawn(1, 20, 15);
  const Split plain = Node(categories).split();
  std::vector<std::size_t> order(categories.size());
  std::iota(order.begin(), order.end(), 0U);
  for (int turn = 0; turn < 20; ++turn) {
    std::next_permutation(order.begin(), order.end());
    std::rotate(order.begin(), order.begin() + 7, order.end());
    std::vector<Category> moved;
    for (const std::size_t c : order) moved.push_back(categories[c]);
    const Split split = Node(moved).split();
    CHECK(split.gain == plain.gain);
    for (std::size_t c = 0; c < order.size(); ++c)
      CHECK(split.left_codes.has(static_cast<int>(c)) == plain.left_codes.has(static_cast<int>(order[c])));
  }
}

TEST(categories_of_few_rows_are_evidence_of_nothing_and_stay_together) {
  std::vector<Category> categories{{-30, 40}, {30, 40}};
  for (int c = 0; c < 6; ++c) categories.push_back({c % 2 ? 8.0 : -8.0, kEvidenceRows - 1});
  const Split split = Node(categories).split();
  CHECK(split.left_codes.has(0) != split.left_codes.has(1));
  for (int c = 3; c < 8; ++c) CHECK(split.left_codes.has(c) == split.left_codes.has(2));
  for (Category& c : categories) c.n = kEvidenceRows - 1;
  CHECK(!Node(categories).split().found());
}

TEST(missing_values_go_to_the_side_that_gains_more) {
  for (const double g : {-35.0, 35.0}) {
    const Node node({{-30, 40}, {-20, 40}, {25, 40}, {g, 40}}, true);
    const Split split = node.split();
    CHECK(split.found());
    CHECK(split.left_codes.has(0));
    CHECK(split.left_codes.has(1));
    CHECK(!split.left_codes.has(2));
    CHECK(!split.left_codes.has(3));  // missing values are told by missing_left
    CHECK(split.missing_left == (g < 0));
    CHECK(split.left.g + split.right.g == node.sums.sum.g);
    CHECK(split.left.hn + split.right.hn == node.sums.sum.hn);
  }
}

TEST(no_cut_where_nothing_is_gained) {
  CHECK(!Node({{0, 40}, {0, 40}}).split().found());
  CHECK(!Node({{20, 40}, {20, 40}, {20, 40}}).split().found());
  CHECK(!Node({{-20, 40}}).split().found());
  SplitRules rules;
  rules.min_count = 41;
  CHECK(!Node({{-20, 40}, {20, 40}}).split(rules).found());
  Node without_hessian({{-20, 40}, {20, 40}});
  for (Entry& e : without_hessian.codes) e.hn &= (std::uint64_t{1} << without_hessian.fixed.count_bits) - 1;
  without_hessian.sums.sum.hn = without_hessian.codes[0].hn + without_hessian.codes[1].hn;
  CHECK(!without_hessian.split().found());
}

TEST(a_byte_of_categories) {
  const Node node(drawn(3, 255, 20));
  const Split split = node.split();
  CHECK(split.found());
  int n_left = 0;
  for (int c = 0; c < 255; ++c) n_left += split.left_codes.has(c);
  CHECK(n_left > 50);
  CHECK(n_left < 205);
}

TEST(one_random_cut_is_one_of_the_order) {
  const Node node(drawn(4, 6, 30));
  const double best = node.split().gain;
  bool differs = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    runtime::Rng rng(seed, 1, 0);
    const Split split = node.split({}, &rng);
    if (!split.found()) continue;
    CHECK(split.gain <= best);
    CHECK(std::abs(split.gain - gain_of(node, set_of(split, 6), kEvidenceRows)) <= 1e-9 * best);
    differs |= split.gain < best;
  }
  CHECK(differs);
}
