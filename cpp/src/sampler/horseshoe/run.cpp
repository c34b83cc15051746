#include <algorithm>
#include <chrono>
#include <memory>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/polling.hpp"
#include "sampler/horseshoe/chain.hpp"
#include "simd/reduce.hpp"

namespace mlwright::sampler {
namespace {

constexpr auto kSlice = std::chrono::milliseconds(20);

// x'x + kappa of the columns.
std::vector<double> squares(const Horseshoe& problem) {
  std::vector<double> out(static_cast<std::size_t>(problem.p));
  for (std::size_t j = 0; j < out.size(); ++j) {
    const index_t at = static_cast<index_t>(j);
    const double* const x = problem.columns + at * problem.n;
    out[j] = problem.slab_precision + (problem.gram != nullptr ? problem.gram[at * (problem.p + 1)] : simd::reduce().dot(x, x, problem.n));
  }
  return out;
}

}  // namespace

void sample_horseshoe(const Horseshoe& problem, const HorseshoeSettings& how, double* coef, double* variance, double* scale,
                      runtime::CancelToken& token, runtime::Progress& progress) {
  const horseshoe::PackedColumns packed(problem);
  const std::vector<double> own = squares(problem);
  const auto check = runtime::poller(token);
  std::vector<std::unique_ptr<horseshoe::Chain>> chains;
  for (index_t c = 0; c < how.chains; ++c)
    chains.push_back(std::make_unique<horseshoe::Chain>(problem, packed, own, how.seed, static_cast<std::uint64_t>(c), how.warm_up, check));
  const index_t each = how.warm_up + how.draws, total = each * how.chains;
  for (index_t done = 0; done < total;) {
    runtime::parallel_for(how.chains, 1, token, [&](index_t c, index_t, index_t) {
      horseshoe::Chain& chain = *chains[static_cast<std::size_t>(c)];
      const auto stop = std::chrono::steady_clock::now() + kSlice;
      while (chain.iteration() < each && std::chrono::steady_clock::now() < stop) {
        chain.advance();
        const index_t kept = chain.iteration() - 1 - how.warm_up, at = c * how.draws + kept;
        if (kept < 0) continue;
        std::copy(chain.coef().begin(), chain.coef().end(), coef + at * problem.p);
        variance[at] = chain.variance(), scale[at] = chain.scale();
      }
    });
    done = 0;
    for (const auto& chain : chains) done += chain->iteration();
    progress.report({.stage = "sampling", .done = done, .total = total});
    token.poll();
  }
}

}  // namespace mlwright::sampler
