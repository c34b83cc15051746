// Arrays of random variates, in parallel: element i is drawn from Rng(seed, stream, i / kFillChunk) after those before it
// in its chunk. The same bits for any number of threads. Parameters are checked: InvalidArgument.
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/runtime/parallel.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::runtime {

inline constexpr index_t kFillChunk = 4096;

struct Source {
  std::uint64_t seed;
  std::uint64_t stream;
};

template <class T, class Draw>
void random_fill(Source source, std::span<T> out, CancelToken& token, Draw&& draw) {
  parallel_for(static_cast<index_t>(out.size()), kFillChunk, token, [&](index_t chunk, index_t begin, index_t end) {
    Rng rng(source.seed, source.stream, static_cast<std::uint64_t>(chunk));
    for (index_t i = begin; i < end; ++i) out[static_cast<std::size_t>(i)] = draw(rng);
  });
}

void fill_uniform(Source source, std::span<double> out, CancelToken& token);
void fill_integers(Source source, std::span<index_t> out, CancelToken& token, index_t bound);
void fill_normal(Source source, std::span<double> out, CancelToken& token);
void fill_exponential(Source source, std::span<double> out, CancelToken& token);
void fill_gamma(Source source, std::span<double> out, CancelToken& token, double shape);
void fill_beta(Source source, std::span<double> out, CancelToken& token, double a, double b);
void fill_chi_square(Source source, std::span<double> out, CancelToken& token, double df);
void fill_student_t(Source source, std::span<double> out, CancelToken& token, double df);
void fill_poisson(Source source, std::span<index_t> out, CancelToken& token, double mean);

}  // namespace mlwright::runtime
