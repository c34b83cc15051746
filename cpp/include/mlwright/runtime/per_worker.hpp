// One object of scratch memory for each participant of a region.
//
//   PerWorker<std::vector<double>> scratch([&] { return std::vector<double>(p); });
//   parallel_for(n, grain, token, [&](index_t, index_t begin, index_t end) { auto& mine = scratch.local(); ... });
//
// Made by the calling thread, before the region. Holds the number of threads fixed while it lives, so that a concurrent
// set_num_threads() cannot let in more participants than there are objects.
#pragma once

#include <vector>

#include "mlwright/runtime/parallel.hpp"

namespace mlwright::runtime {

template <class T>
class PerWorker {
 public:
  template <class Make>
  explicit PerWorker(Make&& make) : limit_(max_threads()) {
    const int n = max_threads();
    items_.reserve(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) items_.push_back(Padded{make()});
  }
  // After a region: f(object) for all. Who did what is chance, so what comes of it must not depend on that.
  template <class F>
  void for_each(F&& f) {
    for (Padded& item : items_) f(item.value);
  }
  T& local() noexcept { return items_[static_cast<std::size_t>(worker_slot())].value; }

 private:
  struct alignas(64) Padded {  // no two workers write to one cache line
    T value;
  };
  ThreadLimit limit_;
  std::vector<Padded> items_;
};

}  // namespace mlwright::runtime
