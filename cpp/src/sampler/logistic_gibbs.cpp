#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/linalg/small_cholesky.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/polling.hpp"
#include "mlwright/sampler/polya_gamma.hpp"
#include "simd/gram.hpp"

namespace mlwright::sampler {
namespace {

using simd::kBlockRows;
using simd::kGroup;

constexpr std::uint32_t kLatent = 7441, kCoef = 7442;  // purposes of random numbers
constexpr auto kSlice = std::chrono::milliseconds(20);
constexpr index_t kStream = kBlockRows * kGroup;
constexpr unsigned kDrawsBetweenPolls = 1U << 14;

// The rows, packed with a column of ones behind them for the intercept.
struct Packed {
  index_t n, d, groups;
  Buffer<double> blocks;

  explicit Packed(const LogisticRows& rows)
      : n(rows.x.rows()),
        d(rows.x.cols() + (rows.fit_intercept ? 1 : 0)),
        groups((d + kGroup - 1) / kGroup),
        blocks(static_cast<std::size_t>(count() * groups * kStream)) {
    std::fill(blocks.begin(), blocks.end(), 0.0);
    const linalg::Affine affine{rows.shift.data(), rows.scale.data(), nullptr};
    for (index_t k = 0; k < count(); ++k) {
      double* const block = blocks.data() + k * groups * kStream;
      rows.x.pack(k * kBlockRows, size(k), affine, block);
      if (rows.fit_intercept)
        for (index_t r = 0; r < size(k); ++r) block[(d - 1) / kGroup * kStream + r * kGroup + (d - 1) % kGroup] = 1;
    }
  }
  index_t count() const { return (n + kBlockRows - 1) / kBlockRows; }
  index_t size(index_t k) const { return std::min(kBlockRows, n - k * kBlockRows); }
  index_t padded() const { return groups * kGroup; }
  const double* block(index_t k) const { return blocks.data() + k * groups * kStream; }
};

class Chain {
 public:
  Chain(const LogisticRows& rows, const Packed& packed, std::span<const double> precision, std::uint64_t seed, std::uint64_t number,
        const double* start, std::function<void()> check)
      : rows_(rows),
        packed_(packed),
        precision_(precision),
        seed_(seed),
        number_(number),
        check_(std::move(check)),
        coef_(static_cast<std::size_t>(packed.padded())),
        right_(coef_.size()),
        gram_(coef_.size() * coef_.size()),
        factor_(static_cast<std::size_t>(packed.d * packed.d)),
        weighted_(static_cast<std::size_t>(packed.groups * kStream)) {
    std::copy_n(start, packed.d, coef_.begin());
  }

  index_t iteration() const { return iteration_; }

  void advance() {
    add_rows();
    const index_t d = packed_.d;
    for (index_t i = 0; i < d; ++i)
      for (index_t j = 0; j <= i; ++j) factor_[place(i, j)] = gram_[static_cast<std::size_t>(j * packed_.padded() + i)];
    for (std::size_t j = 0; j < precision_.size(); ++j) factor_[j * static_cast<std::size_t>(d + 1)] += precision_[j];
    if (!linalg::small_cholesky(factor_.data(), d))
      throw NumericalError(
          "polya_gamma: the precision of the coefficients is not positive definite; expected columns that do not depend on each "
          "other, or a smaller prior_scale");
    draw();
    ++iteration_;
  }

  void write(double* out) const { std::copy_n(coef_.begin(), packed_.d, out); }

 private:
  std::size_t place(index_t i, index_t j) const { return static_cast<std::size_t>(i * packed_.d + j); }

  void add_rows() {
    std::fill(right_.begin(), right_.end(), 0.0);
    std::fill(gram_.begin(), gram_.end(), 0.0);
    runtime::Rng rng(seed_, runtime::stream_id(kLatent, static_cast<std::uint32_t>(iteration_)), number_);
    const auto& kernels = simd::gram();
    double eta[kBlockRows], omega[kBlockRows], pull[kBlockRows];
    for (index_t k = 0; k < packed_.count(); ++k) {
      const index_t begin = k * kBlockRows, n = packed_.size(k);
      const double* const block = packed_.block(k);
      kernels.project(block, coef_.data(), n, packed_.groups, 0, eta, 1);
      for (index_t r = 0; r < n; ++r) {
        const double weight = rows_.w == nullptr ? 1 : rows_.w[begin + r], offset = rows_.offset == nullptr ? 0 : rows_.offset[begin + r];
        omega[r] = draw_latent(rng, weight, eta[r] + offset);
        pull[r] = weight * (rows_.y[static_cast<std::size_t>(begin + r)] - 0.5) - omega[r] * offset;
      }
      kernels.accumulate(block, pull, n, packed_.groups, right_.data());
      kernels.weigh(block, omega, n, packed_.groups, weighted_.data());
      kernels.rank_update(block, weighted_.data(), n, 0, packed_.groups, 0, packed_.groups, gram_.data(), packed_.padded(), {});
    }
  }

  // PG(weight, score): as many draws as a row has repetitions, which may be very many.
  double draw_latent(runtime::Rng& rng, double weight, double score) {
    double sum = 0;
    for (double drawn = 0; drawn < weight; ++drawn) {
      if (draws_++ % kDrawsBetweenPolls == 0) check_();
      sum += polya_gamma(rng, score);
    }
    return sum;
  }

  // A^-1 (right + L z) has the mean A^-1 right and the covariance A^-1.
  void draw() {
    const index_t d = packed_.d;
    runtime::Rng rng(seed_, runtime::stream_id(kCoef, static_cast<std::uint32_t>(iteration_)), number_);
    std::copy_n(right_.begin(), d, coef_.begin());
    for (index_t j = 0; j < d; ++j) {
      const double z = rng.normal();
      for (index_t i = j; i < d; ++i) coef_[static_cast<std::size_t>(i)] += factor_[place(i, j)] * z;
    }
    linalg::small_cholesky_solve(factor_.data(), d, coef_.data());
  }

  const LogisticRows& rows_;
  const Packed& packed_;
  std::span<const double> precision_;
  std::uint64_t seed_, number_;
  std::function<void()> check_;
  index_t iteration_ = 0;
  unsigned draws_ = 0;
  std::vector<double> coef_, right_, gram_, factor_, weighted_;
};

}  // namespace

void sample_logistic(const LogisticRows& rows, std::span<const double> precision, std::span<const double> starts,
                     const GibbsSettings& how, double* out, runtime::CancelToken& token, runtime::Progress& progress) {
  const Packed packed(rows);
  const auto check = runtime::poller(token);
  std::vector<Chain> chains;
  for (index_t c = 0; c < how.chains; ++c)
    chains.emplace_back(rows, packed, precision, how.seed, static_cast<std::uint64_t>(c), starts.data() + c * packed.d, check);
  const index_t each = how.warm_up + how.draws, total = each * how.chains;
  for (index_t done = 0; done < total;) {
    runtime::parallel_for(how.chains, 1, token, [&](index_t c, index_t, index_t) {
      Chain& chain = chains[static_cast<std::size_t>(c)];
      const auto stop = std::chrono::steady_clock::now() + kSlice;
      while (chain.iteration() < each && std::chrono::steady_clock::now() < stop) {
        chain.advance();
        const index_t kept = chain.iteration() - 1 - how.warm_up;
        if (kept >= 0) chain.write(out + (c * how.draws + kept) * packed.d);
      }
    });
    done = 0;
    for (const Chain& chain : chains) done += chain.iteration();
    progress.report({.stage = "sampling", .done = done, .total = total});
    token.poll();
  }
}

}  // namespace mlwright::sampler
