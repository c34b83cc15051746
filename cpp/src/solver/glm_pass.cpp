#include "mlwright/solver/glm_pass.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/row_sums.hpp"

namespace mlwright::solver {
namespace {

using linalg::kBlockRows;
using linalg::Scratch;

// The blocks of rows that a stride visits.
struct Blocks {
  index_t n, stride;
  index_t count() const { return ((n + kBlockRows - 1) / kBlockRows + stride - 1) / stride; }
  index_t begin(index_t k) const { return k * stride * kBlockRows; }
  index_t rows(index_t k) const { return std::min(kBlockRows, n - begin(k)); }
  index_t visited() const {
    index_t sum = 0;
    if (count() > 0) sum = (count() - 1) * kBlockRows + rows(count() - 1);
    return sum;
  }
  index_t grain(index_t work) const { return linalg::row_grain(count() * kBlockRows, work) / kBlockRows; }
};

const double* at(const double* a, index_t i) { return a == nullptr ? nullptr : a + i; }

// Where the parts of a chunk's sums are.
struct Layout {
  index_t padded;
  bool gram;
  index_t border() const { return padded; }
  index_t hessian() const { return 2 * padded; }
  index_t scalars() const { return hessian() + (gram ? padded * padded : 0); }
  index_t size() const { return scalars() + 3; }
};

double sum_of(const double* a, index_t n) {
  double sum = 0.0;
  for (index_t i = 0; i < n; ++i) sum += a[i];
  return sum;
}

struct Pass {
  const GlmData& data;
  const double* raw;
  double start;
  Depth depth;
  double *eta, *kept_h;
  Layout layout;

  void block(index_t begin, index_t rows, double* scratch, double* sums) const {
    double g[kBlockRows], h[kBlockRows];
    double* scores = eta + begin;
    const bool wants_g = depth != Depth::loss, wants_h = depth == Depth::hessian;
    data.x.load(begin, rows, scratch);
    data.x.project(begin, rows, scratch, raw, start, scores);
    if (data.offset != nullptr)
      for (index_t r = 0; r < rows; ++r) scores[r] += data.offset[begin + r];
    double* scalars = sums + layout.scalars();
    scalars[0] += data.loss.evaluate(data.y + begin, scores, at(data.w, begin), rows, wants_g ? g : nullptr, wants_h ? h : nullptr);
    if (!wants_g) return;
    scalars[1] += sum_of(g, rows);
    data.x.accumulate(begin, rows, scratch, g, sums);
    if (!wants_h) return;
    scalars[2] += sum_of(h, rows);
    data.x.accumulate(begin, rows, scratch, h, sums + layout.border());
    if (layout.gram) data.x.add_gram(begin, rows, scratch, h, sums + layout.hessian());
    if (kept_h != nullptr) std::copy_n(h, rows, kept_h + begin);
  }
};

}  // namespace

GlmSums glm_pass(const GlmData& data, const std::vector<double>& coef, double intercept, Depth depth, index_t stride,
                 double* eta, runtime::CancelToken& token) {
  const linalg::RowBlocks& x = data.x;
  const Blocks blocks{x.rows(), stride};
  const Layout layout{x.padded(), depth == Depth::hessian && x.gram_in_cache()};
  const bool apart = depth == Depth::hessian && !layout.gram;
  std::vector<double> raw(coef.size()), kept(apart ? static_cast<std::size_t>(x.rows()) : 0);
  double shift = 0.0;
  x.prepare(coef, 0, raw.data(), &shift);
  const Pass pass{data, raw.data(), intercept + shift, depth, eta, apart ? kept.data() : nullptr, layout};
  Scratch scratch(x.scratch_size(0, layout.gram));
  const index_t work = 2 * x.work_per_row() + (layout.gram ? layout.padded * layout.padded / 2 : 0);
  const std::vector<double> sums = linalg::sum_over_rows(
      blocks.count(), blocks.grain(work), layout.size(), token, [&](double* sum, index_t first, index_t last) {
        double* mine = scratch.mine();
        for (index_t k = first; k < last; ++k) pass.block(blocks.begin(k), blocks.rows(k), mine, sum);
      });
  GlmSums out;
  const double* s = sums.data();
  const double* scalars = s + layout.scalars();
  out.loss = scalars[0], out.total_g = scalars[1], out.total_h = scalars[2], out.rows = blocks.visited();
  out.gradient.assign(s, s + layout.padded);
  x.settle(out.gradient.data(), 0, &out.total_g);
  if (depth != Depth::hessian) return out;
  out.border.assign(s + layout.border(), s + layout.hessian());
  x.settle(out.border.data(), 0, &out.total_h);
  if (layout.gram) out.hessian.assign(s + layout.hessian(), s + layout.scalars());
  else out.hessian = x.gram(kept.data(), token);
  return out;
}

double loss_between(const GlmData& data, const double* from, const double* to, double t, index_t stride,
                    runtime::CancelToken& token) {
  const Blocks blocks{data.x.rows(), stride};
  const auto sum = linalg::sum_over_rows(
      blocks.count(), blocks.grain(1), 1, token, [&](double* total, index_t first, index_t last) {
        double eta[kBlockRows];
        for (index_t k = first; k < last; ++k) {
          const index_t begin = blocks.begin(k), rows = blocks.rows(k);
          for (index_t r = 0; r < rows; ++r) eta[r] = from[begin + r] + t * (to[begin + r] - from[begin + r]);
          *total += data.loss.evaluate(data.y + begin, eta, at(data.w, begin), rows, nullptr, nullptr);
        }
      });
  return sum[0];
}

double largest_move(const GlmData& data, const double* a, const double* b, index_t stride) {
  const Blocks blocks{data.x.rows(), stride};
  double most = 0.0;
  for (index_t k = 0; k < blocks.count(); ++k)
    for (index_t r = blocks.begin(k); r < blocks.begin(k) + blocks.rows(k); ++r)
      if (data.w == nullptr || data.w[r] != 0.0) most = std::max(most, std::fabs(a[r] - b[r]));
  return most;
}

Moments column_moments(const linalg::RowBlocks& x, const double* w, runtime::CancelToken& token) {
  const index_t n = x.rows(), padded = x.padded();
  Scratch scratch(x.scratch_size(0, false));
  const auto sums = linalg::sum_over_rows(
      n, linalg::row_grain(n, 2 * x.work_per_row()), 2 * padded + 1, token, [&](double* sum, index_t begin, index_t end) {
        double factor[kBlockRows];
        double* mine = scratch.mine();
        linalg::for_blocks(begin, end, [&](index_t r, index_t rows) {
          for (index_t i = 0; i < rows; ++i) factor[i] = w == nullptr ? 1.0 : w[r + i];
          x.load(r, rows, mine);
          x.accumulate(r, rows, mine, factor, sum);
          x.add_squares(r, rows, mine, factor, sum + padded);
          sum[2 * padded] += sum_of(factor, rows);
        });
      });
  const double* s = sums.data();
  return {s[2 * padded], {s, s + padded}, {s + padded, s + 2 * padded}};
}

}  // namespace mlwright::solver
