#include "mlwright/tree/small_nodes.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/tree/categorical.hpp"

using namespace mlwright;
using namespace mlwright::tree;

namespace {

constexpr index_t kRows = 400, kFeatures = 70;  // more than one block of features

// Features of 1 to 255 bins, every third with missing values, ten rows the same as ten others.
BinnedMatrix drawn_bins(runtime::Rng& rng) {
  std::vector<double> x(kRows * kFeatures);
  Thresholds thresholds{{}, {0}};
  for (index_t j = 0; j < kFeatures; ++j) {
    const auto n_bins = j == 0 ? 1 : static_cast<std::int64_t>(1 + rng.below(255));
    for (std::int64_t t = 1; t < n_bins; ++t) thresholds.values.push_back(static_cast<double>(t) - 0.5);
    thresholds.offsets.push_back(static_cast<index_t>(thresholds.values.size()));
    for (index_t i = 0; i < kRows; ++i) {
      const bool missing = j % 3 == 2 && rng.below(4) == 0;
      const auto bin = static_cast<double>(rng.below(static_cast<std::uint64_t>(n_bins)));
      x[static_cast<std::size_t>(i + j * kRows)] = missing ? std::numeric_limits<double>::quiet_NaN() : bin;
    }
    for (index_t i = 0; i < 10; ++i) x[static_cast<std::size_t>(i + j * kRows)] = x[static_cast<std::size_t>(i + 10 + j * kRows)];
  }
  runtime::CancelToken token;
  return BinnedMatrix(MatrixView<const double>{x.data(), kRows, kFeatures, 1, kRows}, std::move(thresholds), token);
}

struct Rows {
  FixedPoint fixed = FixedPoint::fit(1.0, 1.0, kRows);
  std::vector<Entry> entries;

  explicit Rows(runtime::Rng& rng) {
    for (index_t i = 0; i < kRows; ++i) {
      const auto h = static_cast<std::uint64_t>(std::llround(rng.uniform() * fixed.h_scale()));
      entries.push_back({std::llround((rng.uniform() - 0.5) * fixed.g_scale()), h << fixed.count_bits | 1U});
    }
  }
};

bool same(const Split& a, const Split& b) {
  return a.feature == b.feature && a.gain == b.gain && a.missing_left == b.missing_left && a.left.g == b.left.g &&
         a.left.hn == b.left.hn && a.right.g == b.right.g && a.right.hn == b.right.hn && a.left_codes == b.left_codes &&
         (a.feature < 0 || a.bin == b.bin);
}

// Whether both searches find the same cut of some random rows, feature by feature and over all.
bool agree(const BinnedMatrix& bins, runtime::Rng& rng, index_t n, const SplitRules& rules,
           const std::vector<std::uint8_t>& categorical) {
  runtime::CancelToken token;
  const Rows all(rng);
  const RowEntries entries{all.entries, {}, {}};
  std::vector<std::uint32_t> rows;
  for (index_t i = 0; i < n; ++i) rows.push_back(static_cast<std::uint32_t>(rng.below(kRows)));
  NodeSums node;
  for (const std::uint32_t row : rows) node.sum = {node.sum.g + all.entries[row].g, node.sum.hn + all.entries[row].hn};
  const SplitSearch::OfFeature of_feature = [&](std::span<const Entry> codes, int n_bins, index_t j) {
    const auto best = categorical[static_cast<std::size_t>(j)] != 0 ? best_split_of_categories : best_split_of_feature;
    return best(codes, j, n_bins, node, all.fixed, rules, nullptr);
  };
  const HistogramLayout layout(bins);
  const SplitSearch search(bins, layout, categorical);
  std::vector<std::uint8_t> whole = categorical;
  for (index_t j = 0; j < kFeatures; ++j)
    if (!rules.monotonic.empty() && rules.monotonic[static_cast<std::size_t>(j)] != 0 && bins.has_missing(j))
      whole[static_cast<std::size_t>(j)] = 1;
  const SmallNodes small(bins, layout, whole);
  std::vector<Entry> histogram(layout.size());
  HistogramBuilder(bins, layout).build(rows, entries, histogram, kFeatures, [](index_t, index_t, index_t) {}, token);
  std::vector<index_t> features(kFeatures);
  std::iota(features.begin(), features.end(), index_t{0});
  bool equal = small.take(n);
  for (std::size_t j = 0; j < features.size(); ++j) {
    const auto one = std::span(features).subspan(j, 1);
    equal = equal && same(small.best(one, rows, entries, of_feature),
                          search.best(one, histogram, node, all.fixed, rules, of_feature));
  }
  return equal && same(small.best(features, rows, entries, of_feature),
                       search.best(features, histogram, node, all.fixed, rules, of_feature));
}

}  // namespace

TEST(small_nodes_are_cut_as_by_their_histograms) {
  runtime::Rng rng(3, 0, 0);
  const BinnedMatrix bins = drawn_bins(rng);
  std::vector<std::int8_t> monotonic(kFeatures);
  for (std::size_t j = 0; j < monotonic.size(); ++j) monotonic[j] = static_cast<std::int8_t>(static_cast<int>(j % 3) - 1);
  std::vector<std::uint8_t> none(kFeatures), some(kFeatures);
  for (std::size_t j = 0; j < some.size(); j += 4) some[j] = 1;
  for (const index_t n : {0, 1, 2, 7, 40, 60}) {
    for (const std::int64_t min_count : {1, 5, 20}) {
      SplitRules rules;
      rules.min_count = min_count;
      rules.l2 = 0.25;
      CHECK(agree(bins, rng, n, rules, none));
      CHECK(agree(bins, rng, n, rules, some));
      rules.monotonic = monotonic;
      CHECK(agree(bins, rng, n, rules, none));
    }
  }
}

TEST(small_nodes_are_those_of_fewer_rows_than_half_the_codes) {
  runtime::Rng rng(4, 0, 0);
  const BinnedMatrix bins = drawn_bins(rng);
  const HistogramLayout layout(bins);
  const SmallNodes small(bins, layout, std::vector<std::uint8_t>(kFeatures));
  const auto most = static_cast<index_t>(layout.size()) / kFeatures / 2;
  CHECK(small.take(most));
  CHECK(!small.take(most + 1));
}
