#include "mlwright/solver/fold_pass.hpp"

#include <algorithm>
#include <limits>

#include "linalg/row_sums.hpp"

namespace mlwright::solver {
namespace {

using linalg::kBlockRows;

struct Pass {
  const GlmData& data;
  const std::int32_t* fold;
  index_t folds, width, coefs;
  const double *raw, *start;
  double* held_out;

  // Sums: the gradients (padded x width), their totals, the losses.
  void block(index_t begin, index_t rows, double* mine, double* sum) const {
    double* eta = mine + data.x.scratch_size(width, false);
    data.x.load(begin, rows, mine);
    data.x.project_many(begin, rows, mine, raw, width, eta);
    for (index_t r = 0; r < rows; ++r) {
      const double offset = data.offset == nullptr ? 0.0 : data.offset[begin + r];
      for (index_t f = 0; f < folds; ++f) eta[r * width + f] += start[f] + offset;
      const std::int32_t own = fold[begin + r];
      held_out[begin + r] = own < 0 ? std::numeric_limits<double>::quiet_NaN() : eta[r * width + own];
    }
    for (index_t f = 0; f < folds; ++f) fit(f, begin, rows, eta, sum + coefs);
    data.x.accumulate_many(begin, rows, mine, eta, width, sum);
  }

  // Scores of fit f to derivatives, in place.
  void fit(index_t f, index_t begin, index_t rows, double* eta, double* totals) const {
    double score[kBlockRows], weight[kBlockRows], g[kBlockRows];
    for (index_t r = 0; r < rows; ++r) {
      score[r] = eta[r * width + f];
      weight[r] = fold[begin + r] == f ? 0.0 : data.w == nullptr ? 1.0 : data.w[begin + r];
    }
    totals[width + f] += data.loss.evaluate(data.y + begin, score, weight, rows, g, nullptr);
    double total = 0.0;
    for (index_t r = 0; r < rows; ++r) {
      eta[r * width + f] = g[r];
      total += g[r];
    }
    totals[f] += total;
  }
};

}  // namespace

FoldSums fold_pass(const GlmData& data, const std::int32_t* fold, index_t folds, const double* coef, const double* intercept,
                   double* held_out, runtime::CancelToken& token) {
  const linalg::RowBlocks& x = data.x;
  const index_t n = x.rows(), width = fold_width(folds), coefs = x.padded() * width;
  std::vector<double> raw(static_cast<std::size_t>(coefs)), start(static_cast<std::size_t>(width));
  x.prepare({coef, static_cast<std::size_t>(coefs)}, width, raw.data(), start.data());
  for (index_t f = 0; f < folds; ++f) start[static_cast<std::size_t>(f)] += intercept[f];
  const Pass pass{data, fold, folds, width, coefs, raw.data(), start.data(), held_out};
  linalg::Scratch scratch(x.scratch_size(width, false) + kBlockRows * width);
  const index_t grain = linalg::row_grain(n, 2 * x.work_per_row() * width);
  const auto sums = linalg::sum_over_rows(n, grain, coefs + 2 * width, token, [&](double* sum, index_t begin, index_t end) {
    double* mine = scratch.mine();
    linalg::for_blocks(begin, end, [&](index_t r, index_t rows) { pass.block(r, rows, mine, sum); });
  });
  const auto at = [&](index_t i) { return sums.begin() + i; };
  FoldSums out{width, {at(coefs + width), at(coefs + 2 * width)}, {at(coefs), at(coefs + width)}, {at(0), at(coefs)}};
  x.settle(out.gradient.data(), width, out.total_g.data());
  return out;
}

}  // namespace mlwright::solver
