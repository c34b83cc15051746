#include "mlwright/solver/sgd.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/rng.hpp"
#include "mlwright/solver/row_block.hpp"
#include "solver/sgd_path.hpp"

namespace mlwright::solver {
namespace {

constexpr int kParts = 4;  // blocks that are visited, and as many that are copied meanwhile by whoever has time
constexpr index_t kEntriesOfBlock = index_t{1} << 14;  // all parts together are in the second-level cache or the third
constexpr index_t kEntriesForOne = index_t{1} << 13;   // of one problem, whose coefficients then stay in the second-level cache
constexpr index_t kMostVisitsOfBlock = 512;            // between looks for Ctrl-C
constexpr std::uint32_t kOrderOfVisits = 0x5347;

// The visits of an epoch in the order in which they are made.
class Order {
 public:
  Order(const SgdVisits& visits, const SgdSettings& settings) : all_(visits), order_(visits), settings_(settings) {}
  Order(const Order&) = delete;
  Order& operator=(const Order&) = delete;

  void begin(index_t epoch) {
    if (!settings_.shuffle) return;
    row_.resize(all_.row.size());
    runtime::Rng rng(settings_.seed, runtime::stream_id(kOrderOfVisits, static_cast<std::uint32_t>(epoch)));
    runtime::permutation(rng, row_);
    weight_.clear();
    if (all_.weight != nullptr)
      for (const index_t place : row_) weight_.push_back(all_.weight[place]);
    for (index_t& place : row_) place = all_.row[static_cast<std::size_t>(place)];
    order_ = {row_, all_.weight == nullptr ? nullptr : weight_.data()};
  }
  SgdVisits part(index_t first, index_t count) const {
    const auto begin = static_cast<std::size_t>(first);
    const std::size_t size = std::min(static_cast<std::size_t>(count), order_.row.size() - begin);
    return {order_.row.subspan(begin, size), order_.weight == nullptr ? nullptr : order_.weight + first};
  }
  index_t count() const { return static_cast<index_t>(all_.row.size()); }
  double total() const {
    if (all_.weight == nullptr) return static_cast<double>(count());
    return std::accumulate(all_.weight, all_.weight + count(), 0.0);
  }

 private:
  const SgdVisits all_;
  SgdVisits order_;
  const SgdSettings& settings_;
  std::vector<index_t> row_;
  std::vector<double> weight_;
};

// Rows that make a block of some size, by their mean.
template <class T>
index_t visits_of_block(const DenseRows<T>& rows, std::size_t) {
  return std::clamp(kEntriesOfBlock / std::max<index_t>(1, rows.cols()), index_t{1}, kMostVisitsOfBlock);
}
template <class T, class Index>
index_t visits_of_block(const CsrRows<T, Index>& rows, std::size_t problems) {
  const index_t entries = problems == 1 ? kEntriesForOne : kEntriesOfBlock;
  return std::clamp(entries * rows.rows() / std::max<index_t>(1, rows.entries()), index_t{1}, kMostVisitsOfBlock);
}

// Batches of blocks of rows in the order of an epoch: threads visit one batch, a problem each, and copy the next.
template <class Rows>
class Pass {
 public:
  using Path = SgdPath<RowBlock<Rows>>;

  Pass(const Rows& rows, const Order& order, index_t at_once) : rows_(rows), order_(order), at_once_(at_once) {}

  // t: the number of the first visit.
  void run(std::span<Path* const> paths, index_t t, runtime::CancelToken& token) {
    const auto visitors = static_cast<index_t>(paths.size());
    for (index_t block = 0; block < until(kParts); ++block) gather(block);
    for (index_t first = 0; first < blocks(); first += kParts) {
      const index_t next = until(first + kParts), copies = until(next + kParts) - next;
      runtime::parallel_for(visitors + copies, 1, token, [&](index_t task, index_t, index_t) {
        if (task >= visitors) return gather(next + task - visitors);
        for (index_t block = first; block < next; ++block)
          paths[static_cast<std::size_t>(task)]->run(at(block), visits(block), t + block * at_once_);
      });
    }
  }

 private:
  index_t blocks() const { return runtime::n_chunks(order_.count(), at_once_); }
  index_t until(index_t block) const { return std::min(block, blocks()); }
  RowBlock<Rows>& at(index_t block) { return blocks_[block % (2 * kParts)]; }
  SgdVisits visits(index_t block) const { return order_.part(block * at_once_, at_once_); }
  void gather(index_t block) { at(block).gather(rows_, visits(block).row); }

  const Rows& rows_;
  const Order& order_;
  index_t at_once_;
  RowBlock<Rows> blocks_[2 * kParts];
};

}  // namespace

template <class Rows>
index_t sgd_descend(const Rows& rows, const SgdVisits& visits, const SgdSettings& settings, std::span<SgdProblem> problems,
                    const AfterEpoch& after, runtime::CancelToken& token) {
  using Path = typename Pass<Rows>::Path;
  Order order(visits, settings);
  Pass<Rows> pass(rows, order, visits_of_block(rows, problems.size()));
  const double total = order.total();
  const bool asks = settings.patience > 0;
  std::vector<Path> paths;
  paths.reserve(problems.size());
  for (SgdProblem& problem : problems) paths.emplace_back(rows.cols(), settings, problem);

  for (index_t epoch = 0; epoch < settings.max_iter; ++epoch) {
    std::vector<Path*> going;
    for (std::size_t k = 0; k < paths.size(); ++k)
      if (problems[k].going) going.push_back(&paths[k]);
    if (going.empty()) break;
    for (Path* path : going) path->begin(asks || after);
    order.begin(epoch);
    pass.run(going, settings.t + epoch * order.count(), token);
    bool finite = true;
    for (Path* path : going) finite &= path->end(total);
    if (!finite) return epoch;
    if (after) after(epoch);
    for (std::size_t k = 0; asks && k < paths.size(); ++k) problems[k].going = problems[k].going && !paths[k].stops();
  }
  return -1;
}

#define MLWRIGHT_SGD_ROWS(Rows)                                                                                       \
  template index_t sgd_descend<Rows>(const Rows&, const SgdVisits&, const SgdSettings&, std::span<SgdProblem>,        \
                                     const AfterEpoch&, runtime::CancelToken&);
using Csr64Int32 = CsrRows<double, std::int32_t>;
using Csr64Int64 = CsrRows<double, std::int64_t>;
using Csr32Int32 = CsrRows<float, std::int32_t>;
using Csr32Int64 = CsrRows<float, std::int64_t>;
MLWRIGHT_SGD_ROWS(DenseRows<double>)
MLWRIGHT_SGD_ROWS(DenseRows<float>)
MLWRIGHT_SGD_ROWS(Csr64Int32)
MLWRIGHT_SGD_ROWS(Csr64Int64)
MLWRIGHT_SGD_ROWS(Csr32Int32)
MLWRIGHT_SGD_ROWS(Csr32Int64)
#undef MLWRIGHT_SGD_ROWS

}  // namespace mlwright::solver
