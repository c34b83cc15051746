// A sum that betrays its order of addition: no two orders give the same bits.
#pragma once

#include "mlwright/runtime/ordered_reduce.hpp"

namespace mlwright::tests {

// 1/1 + 1/2 + ... + 1/n by the pool.
inline double harmonic(index_t n, index_t grain) {
  runtime::CancelToken token;
  double total = 0;
  runtime::ordered_reduce(
      n, grain, token, [] { return 0.0; },
      [](double& part, index_t begin, index_t end) {
        part = 0;
        for (index_t i = begin; i < end; ++i) part += 1.0 / static_cast<double>(i + 1);
      },
      [&](double part) { total += part; });
  return total;
}

}  // namespace mlwright::tests
