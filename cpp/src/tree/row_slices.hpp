// The runs of tree/sliced.hpp turned around for one row at a time: the lanes of a vector are 64 trees, not 64 rows.
//
// The row's values become codes, a byte a column, once for all trees of a run. Step i then looks up the code that node i of
// each tree asks for and moves the trees whose row is in the node's slot and goes right: as many steps as the largest of
// the 64 trees has nodes, without a branch and without a chain of dependent loads. After the last, a tree's slot is its
// leaf. Trees of 31 leaves cost some 2 ns each, where walking them costs 15.
//
// Runs of more than 128 columns, and those that are cheaper walked, are left to the walker. Thread-safe once built; only
// comparisons, so the leaves are the walker's at every SIMD level.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mlwright/base/buffer.hpp"
#include "mlwright/base/view.hpp"
#include "simd/forest.hpp"
#include "tree/sliced.hpp"

namespace mlwright::tree {

class RowSlices {
 public:
  static constexpr int kTrees = simd::kForestBlock;

  static constexpr std::size_t kMostColumns = std::size_t{simd::kMostCodeTables} * simd::kCodeTable;

  // What a row needs while it goes through a run.
  template <class Code>
  struct Scratch {
    std::array<Code, kMostColumns> x;
    alignas(64) std::array<std::int8_t, kMostColumns> codes;
    std::vector<std::int8_t> members;
  };

  RowSlices() = default;
  explicit RowSlices(const Sliced& sliced);  // kept by the caller, unmoved, for as long as this

  // Whether run r is left to the walker.
  bool is_walked(std::size_t r) const noexcept { return runs_[r].blocks.empty(); }
  // Estimated nanoseconds a row.
  double cost() const noexcept { return cost_; }

  // The row's codes for run r, compared in Code.
  template <class Code, class T>
  void encode(std::size_t r, const T* row, index_t col_stride, Scratch<Code>& scratch) const {
    const Run& run = runs_[r];
    for (std::size_t c = 0; c < run.features.size(); ++c)
      scratch.x[c] = static_cast<Code>(row[run.features[c] * col_stride]);
    make_codes(run, scratch.x.data(), scratch.codes.data());
    if (run.members.empty()) return;
    scratch.members.assign(run.member_codes, 0);
    for (const MemberPlace& at : run.members)
      scratch.members[at.code] = member_code(at, static_cast<double>(static_cast<Code>(row[at.feature * col_stride])));
  }

  // The leaves of trees 64 * block to 64 * block + 63 of run r, as slots of Sliced::values.
  template <class Code>
  void leaves(std::size_t r, std::size_t block, const Scratch<Code>& scratch, std::uint8_t* slot) const {
    find_leaves(runs_[r], block, scratch.codes.data(), scratch.members.data(), slot);
  }

  // Where the values of run r's trees are in Sliced::values, of output k: at[tree] + k * n_leaves of the tree.
  const std::size_t* values_of(std::size_t r) const noexcept { return runs_[r].values.data(); }

 private:
  struct Block {
    std::size_t first_step;
    int n_steps;
  };
  struct MemberPlace {  // a categorical split
    SlicedRun::Member member;
    std::int32_t feature;
    std::uint32_t code;  // where its code goes
  };
  struct Run {
    int n_tables = 0;
    std::vector<Block> blocks;  // none: walked
    std::vector<std::int32_t> features;
    std::vector<simd::RowColumn> columns;
    std::vector<std::size_t> values;
    std::vector<MemberPlace> members;
    std::vector<std::int32_t> place;  // one a step; see simd::MemberCodes
    std::size_t first_step = 0, member_codes = 0;
  };

  static Run run_of(const SlicedRun& source, double& cost);
  void add_columns(const SlicedRun& source, Run& run);
  void add_trees(const SlicedRun& source, Run& run);
  void make_codes(const Run& run, const double* x, std::int8_t* code) const;
  void make_codes(const Run& run, const float* x, std::int8_t* code) const;
  std::int8_t member_code(const MemberPlace& at, double x) const;
  void find_leaves(const Run& run, std::size_t block, const std::int8_t* codes, const std::int8_t* members, std::uint8_t* slot) const;

  const Sliced* sliced_ = nullptr;
  std::vector<Run> runs_;
  Buffer<simd::TreeStep> steps_;
  std::vector<double> search64_;  // of columns, as simd::RowColumn says
  std::vector<float> search32_;
  double cost_ = 0;
};

}  // namespace mlwright::tree
