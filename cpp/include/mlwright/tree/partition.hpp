// Stable partition of a node's rows by the code of one feature.
#pragma once

#include <cstdint>
#include <span>

#include "mlwright/base/view.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/tree/code_set.hpp"

namespace mlwright::tree {

struct CodeTest {
  std::uint8_t bin;            // codes <= bin go left
  std::uint8_t missing_code;   // this code goes where missing_left says, if has_missing
  bool has_missing;
  bool missing_left;
  const CodeSet* left_codes;  // null, or what goes left in place of codes <= bin
};

// Rows that go left first, each side in its former order; returns how many go left. scratch: as long as rows.
index_t partition_rows(std::span<std::uint32_t> rows, std::span<std::uint32_t> scratch, const std::uint8_t* column,
                       const CodeTest& test, runtime::CancelToken& token);

}  // namespace mlwright::tree
