#include "mlwright/tree/category_columns.hpp"

#include "mlwright/base/error.hpp"

namespace mlwright::tree {

CategoryColumns::CategoryColumns(std::vector<std::int32_t> features, std::vector<std::vector<std::uint8_t>> code_of)
    : features_(std::move(features)), code_of_(std::move(code_of)) {
  if (features_.size() != code_of_.size()) throw InvalidArgument("boosting: columns without a table of codes");
}

void CategoryColumns::translate(std::vector<Node>& nodes, const TreeRules& rules) {
  for (Node& node : nodes) {
    if (node.feature < 0) continue;
    const auto column = static_cast<std::size_t>(node.feature);
    node.feature = features_[column];
    if (code_of_[column].empty()) continue;
    CodeSet left = node.left_codes;
    if (!rules.is_categorical(static_cast<index_t>(column)))
      for (int code = 0; code < 256 && code <= node.threshold; ++code) left.insert(code);
    node.set = set_of(column, left);
    node.threshold = 0;
  }
}

std::int32_t CategoryColumns::set_of(std::size_t column, const CodeSet& codes) {
  const auto [known, fresh] = known_.try_emplace({column, codes}, static_cast<std::int32_t>(sets_.offsets.size()) - 1);
  if (!fresh) return known->second;
  const std::vector<std::uint8_t>& code_of = code_of_[column];
  const std::size_t begin = sets_.words.size();
  sets_.words.resize(begin + (code_of.size() + 31) / 32, 0U);
  for (std::size_t c = 0; c < code_of.size(); ++c)
    if (codes.has(code_of[c])) sets_.words[begin + c / 32] |= 1U << (c % 32);
  sets_.offsets.push_back(static_cast<std::int64_t>(sets_.words.size()));
  return known->second;
}

CategorySets CategoryColumns::take_sets() {
  known_.clear();
  return std::exchange(sets_, {});
}

}  // namespace mlwright::tree
