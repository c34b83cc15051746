// Sums over rows in chunks whose edges depend on the shape only: what every pass over a design is made of.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "mlwright/runtime/ordered_reduce.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/per_worker.hpp"
#include "simd/gram.hpp"

namespace mlwright::linalg {

using simd::kBlockRows;

constexpr index_t kUsualChunks = 64;
constexpr index_t kLeastChunkRows = 8 * kBlockRows;   // below, starting a thread costs more than it saves
constexpr index_t kMostChunkWork = index_t{1} << 30;  // multiply-adds: some 50 ms, so that Ctrl-C is soon heard

using Buffer = std::unique_ptr<double[]>;
inline Buffer zeros(index_t n) { return std::make_unique<double[]>(static_cast<std::size_t>(n)); }

// Scratch of the worker that asks, made at its first use: a thread that gets no chunk touches no memory.
class Scratch {
 public:
  explicit Scratch(index_t size) : size_(size), buffers_([] { return Buffer(); }) {}
  double* mine() {
    Buffer& buffer = buffers_.local();
    if (buffer == nullptr) buffer = zeros(size_);
    return buffer.get();
  }

 private:
  index_t size_;
  runtime::PerWorker<Buffer> buffers_;
};

// Rows a chunk, by the shape alone; `work` multiply-adds a row.
inline index_t row_grain(index_t n, index_t work) {
  const index_t most = std::max(kLeastChunkRows, kMostChunkWork / std::max<index_t>(1, work));
  const index_t grain = std::clamp((n + kUsualChunks - 1) / kUsualChunks, kLeastChunkRows, most);
  return (grain + kBlockRows - 1) / kBlockRows * kBlockRows;
}

template <class Visit>
void for_blocks(index_t begin, index_t end, Visit&& visit) {
  for (index_t r = begin; r < end; r += kBlockRows) visit(r, std::min(kBlockRows, end - r));
}

// The sum over chunks of rows of what add(sum, begin, end) adds to a zeroed array, in chunk order.
template <class Add>
std::vector<double> sum_over_rows(index_t n, index_t grain, index_t size, runtime::CancelToken& token, Add&& add) {
  std::vector<double> total(static_cast<std::size_t>(size), 0.0);
  if (runtime::n_chunks(n, grain) == 1) {
    // A region even so: inside another one it gives this thread the first place of a PerWorker made for one.
    runtime::parallel_for(n, grain, token, [&](index_t, index_t begin, index_t end) { add(total.data(), begin, end); });
    return total;
  }
  runtime::ordered_reduce(
      n, grain, token, [&] { return zeros(size); },
      [&](Buffer& sum, index_t begin, index_t end) {
        std::fill_n(sum.get(), size, 0.0);
        add(sum.get(), begin, end);
      },
      [&](const Buffer& sum) {
        for (index_t i = 0; i < size; ++i) total[static_cast<std::size_t>(i)] += sum[static_cast<std::size_t>(i)];
      });
  return total;
}

}  // namespace mlwright::linalg
