#include "mlwright/sampler/bart/run.hpp"

#include <chrono>
#include <memory>

#include "mlwright/base/error.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/polling.hpp"
#include "sampler/bart/chain.hpp"

namespace mlwright::sampler::bart {
namespace {

constexpr std::chrono::milliseconds kSlice{20};

void advance(Chain& chain, index_t first_sweeps, const Schedule& schedule, ChainDraws& out) {
  chain.sweep();
  const index_t kept = chain.iteration() - first_sweeps;
  if (kept <= 0 || kept % schedule.thin != 0) return;
  chain.keep(out);
}

}  // namespace

std::vector<ChainDraws> run(const Data& data, const Response& response, const Settings& settings, const Schedule& schedule,
                            runtime::CancelToken& token, runtime::Progress& progress) {
  if (schedule.draws == 0 && settings.n_variance_trees > 0)
    throw InvalidArgument("BART: sweeps grown from roots, which are to be kept, have the same noise everywhere; expected no trees of the variance");
  const auto n_chains = static_cast<std::size_t>(schedule.chains);
  std::vector<ChainDraws> out(n_chains);
  const auto check = runtime::poller(token);
  std::vector<std::unique_ptr<Chain>> chains(n_chains);
  const index_t first_sweeps = schedule.first_kept(settings.root_sweeps), sweeps = schedule.sweeps(settings.root_sweeps);
  index_t done = 0;
  while (done < sweeps * schedule.chains) {
    runtime::parallel_for(schedule.chains, 1, token, [&](index_t c, index_t, index_t) {
      const auto at = static_cast<std::size_t>(c);
      if (!chains[at]) chains[at] = std::make_unique<Chain>(data, response, settings, at, check, token);
      const auto stop = std::chrono::steady_clock::now() + kSlice;
      while (chains[at]->iteration() < sweeps && std::chrono::steady_clock::now() < stop)
        advance(*chains[at], first_sweeps, schedule, out[at]);
    });
    done = 0;
    for (const auto& chain : chains) done += chain->iteration();
    progress.report({.stage = "sampling", .done = done, .total = sweeps * schedule.chains});
    token.poll();
  }
  return out;
}

}  // namespace mlwright::sampler::bart
