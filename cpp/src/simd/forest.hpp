// Forests over tiles of rows: values to codes, codes to leaves, leaves to sums. See tree/sliced.hpp.
//
// A tile is columns of one byte a row. Codes are shifted by -128, so that signed bytes, which every instruction set
// compares, order them. Buffers are padded to whole blocks of kForestBlock rows.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr int kForestBlock = 64;
inline constexpr int kForestTile = 512;  // rows: a tile of 28 columns and its sums stay in the first-level cache

// The split of the rows in `slot`: those whose code in `column` is above `threshold` move to a new slot.
struct SlotNode {
  std::uint32_t column;
  std::uint8_t slot;
  std::int8_t threshold;
};

// Node i of kForestBlock trees, one a lane, for one row: lanes that have no such node ask for slot kNoSlot.
struct TreeStep {
  std::uint8_t column[kForestBlock];
  std::uint8_t slot[kForestBlock];
  std::int8_t threshold[kForestBlock];
};
inline constexpr std::uint8_t kNoSlot = 0xff;        // trees have 255 slots at most
inline constexpr std::uint8_t kMemberColumn = 0xff;  // the code is no column's: it stands among MemberCodes
inline constexpr int kCodeTable = 16;                // codes of one row that one instruction looks up
inline constexpr int kMostCodeTables = 8;

// Step i's codes of the lanes with kMemberColumn, 0 in all other lanes, are kForestBlock from codes[place[i]] on; none if
// place[i] < 0.
struct MemberCodes {
  const std::int8_t* codes;
  const std::int32_t* place;
};

// A column of one row's codes. Its thresholds, ascending and padded with +infinity, stand in segments of kSearchStep; before
// them stand kSearchStep pivots, the last thresholds of the segments, padded too.
struct RowColumn {
  std::uint32_t search;  // where its pivots are
  std::int8_t missing;   // the code of NaN, and of |x| <= zero_bound if zero_as_missing
  bool zero_as_missing;
};
inline constexpr int kSearchStep = 16;

struct ForestTable {
  // slot[r] of `rows` rows (a multiple of kForestBlock): all start in slot 0, node i moves rows to slot i + 1.
  void (*slots)(const SlotNode* nodes, int n_nodes, const std::int8_t* const* columns, int rows, std::uint8_t* slot);
  // slot[t] of kForestBlock trees for one row: all start in slot 0, step i moves trees to slot i + 1. Columns are below
  // n_tables * kCodeTable, and kMostCodeTables * kCodeTable codes are readable. members: null if no step has any.
  void (*tree_slots)(const TreeStep* steps, int n_steps, const std::int8_t* codes, int n_tables, const MemberCodes* members,
                     std::uint8_t* slot);
  // code[c] = #{thresholds of column c < x[c]} - 128, or what is said for missing values.
  void (*row_codes_f64)(const double* x, const RowColumn* columns, int n, const double* search, double zero_bound, std::int8_t* code);
  void (*row_codes_f32)(const float* x, const RowColumn* columns, int n, const float* search, float zero_bound, std::int8_t* code);
  // sum[r] += values[slot[r]]; 32 values are readable whatever n_values is
  void (*add_f64)(const double* values, int n_values, const std::uint8_t* slot, int rows, double* sum);
  void (*add_f32)(const float* values, int n_values, const std::uint8_t* slot, int rows, float* sum);
  // code[r] = #{thresholds < x[r]} - 128 by `levels` <= 8 steps down a search tree (children of entry k: 2k, 2k + 1; the
  // root is entry 1), or missing_code if x[r] is NaN or |x[r]| <= zero_bound. Returns whether any was. rows: whole blocks.
  bool (*codes_f64)(const double* x, int rows, const double* search, int levels, double zero_bound, std::int8_t missing_code,
                    std::int8_t* code);
  bool (*codes_f32)(const float* x, int rows, const float* search, int levels, float zero_bound, std::int8_t missing_code,
                    std::int8_t* code);
  // The same codes with `to` in place of `from`.
  void (*recode)(const std::int8_t* code, int rows, std::int8_t from, std::int8_t to, std::int8_t* out);
  // out[r] = -128 if bit category[r] % 32 of word category[r] / 32 is set, else 127. Word n_words stands for categories
  // beyond the words, word n_words + 1 for kNoCategory.
  void (*members)(const std::uint32_t* category, int rows, const std::uint32_t* words, std::uint32_t n_words, std::int8_t* out);
};
inline constexpr std::uint32_t kNoCategory = 0xffffffffU;
inline constexpr std::uint32_t kForeignCategory = 0xffffffdfU;  // beyond any set

MLWRIGHT_SIMD_TABLES(ForestTable, forest)

}  // namespace mlwright::simd
