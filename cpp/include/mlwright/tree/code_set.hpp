// A set of the codes of one binned feature, of which there are at most 256.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace mlwright::tree {

class CodeSet {
 public:
  void insert(int code) noexcept { words_[static_cast<std::size_t>(code) / 32] |= 1U << (code % 32); }
  bool has(int code) const noexcept { return words_[static_cast<std::size_t>(code) / 32] >> (code % 32) & 1U; }

  friend auto operator<=>(const CodeSet&, const CodeSet&) = default;

 private:
  std::array<std::uint32_t, 8> words_{};
};

}  // namespace mlwright::tree
