// What is to be predicted, a row each: numbers, or numbers of classes in a byte each. The caller's memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/view.hpp"

namespace mlwright::tree {

class Targets {
 public:
  Targets(std::span<const double> numbers) : numbers_(numbers) {}
  Targets(std::span<const std::uint8_t> classes) : classes_(classes) {}

  std::size_t size() const noexcept { return std::max(numbers_.size(), classes_.size()); }
  double operator[](std::size_t row) const noexcept { return classes_.empty() ? numbers_[row] : classes_[row]; }

  // Those of rows [begin, end), the first at [0]: where they are kept, or written to `memory`, which has room for them.
  const double* strip(index_t begin, index_t end, double* memory) const noexcept {
    if (classes_.empty()) return numbers_.data() + begin;
    std::copy(classes_.begin() + begin, classes_.begin() + end, memory);
    return memory;
  }
  const double* strip(index_t begin, index_t end, Buffer<double>& memory) const {
    if (!classes_.empty()) memory = Buffer<double>(static_cast<std::size_t>(end - begin));
    return strip(begin, end, memory.data());
  }
  std::span<const double> all(Buffer<double>& memory) const {
    return {strip(0, static_cast<index_t>(size()), memory), size()};
  }

 private:
  std::span<const double> numbers_;
  std::span<const std::uint8_t> classes_;
};

}  // namespace mlwright::tree
