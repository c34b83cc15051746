#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/tree/booster.hpp"
#include "objectives.hpp"
#include "thresholds.hpp"

namespace mlwright::bindings {

namespace py = pybind11;
using tree::BinnedMatrix;
using tree::Booster;
using tree::Thresholds;

namespace {

template <class T>
Vector<T> to_array(const std::vector<T>& values) {
  return Vector<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

template <class T>
py::tuple find_thresholds(const py::array_t<T, 0>& x, const Vector<double>& weight, int max_bins, std::uint64_t seed) {
  const auto view = matrix<T>(x);
  if (weight.size() != 0 && weight.size() != view.rows) throw py::value_error("weight: its length differs from X's rows");
  return to_tuple(without_gil([&](auto& token) { return tree::find_thresholds(view, span(weight), max_bins, seed, token); }));
}

template <class T>
std::shared_ptr<BinnedMatrix> bin(const py::array_t<T, 0>& x, const Vector<double>& values,
                                  const Vector<std::int64_t>& offsets) {
  const auto view = matrix<T>(x);
  Thresholds thresholds = thresholds_from(values, offsets);
  if (offsets.size() != view.cols + 1) throw py::value_error("thresholds: made for another number of features");
  return without_gil([&](auto& token) { return std::make_shared<BinnedMatrix>(view, std::move(thresholds), token); });
}

// The codes as an array (rows x features), for tests and twins.
py::array_t<std::uint8_t> codes(const BinnedMatrix& bins) {
  py::array_t<std::uint8_t> out({bins.n_rows(), bins.n_features()});
  auto at = out.mutable_unchecked<2>();
  std::vector<std::uint8_t> column(static_cast<std::size_t>(bins.n_rows()));
  for (index_t j = 0; j < bins.n_features(); ++j) {
    bins.copy_column(j, column);
    for (index_t i = 0; i < bins.n_rows(); ++i) at(i, j) = column[static_cast<std::size_t>(i)];
  }
  return out;
}

// The histogram of some rows: sums of g, of h, and counts, each as long as all features' codes.
py::tuple sums_of(const BinnedMatrix& bins, const Vector<std::uint32_t>& rows, const tree::RowEntries& entries, int count_bits) {
  for (const std::uint32_t row : span(rows))
    if (row >= bins.n_rows()) throw py::value_error("histogram: a row out of range");
  const tree::HistogramLayout layout(bins);
  std::vector<tree::Entry> sums(layout.size());
  without_gil([&](auto& token) { 
    const auto then = [](index_t, index_t, index_t) {};
    tree::HistogramBuilder(bins, layout).build(span(rows), entries, sums, 1, then, token);
  });
  tree::FixedPoint fixed;
  fixed.count_bits = count_bits;
  Vector<std::int64_t> sum_g(static_cast<py::ssize_t>(sums.size())), sum_h(sum_g.size()), count(sum_g.size());
  for (std::size_t k = 0; k < sums.size(); ++k) {
    mutable_span(sum_g)[k] = sums[k].g;
    mutable_span(sum_h)[k] = static_cast<std::int64_t>(sums[k].hn >> count_bits);
    mutable_span(count)[k] = fixed.count(sums[k]);
  }
  return py::make_tuple(sum_g, sum_h, count);
}

constexpr int kCountBits = 20;

void check_entries(const BinnedMatrix& bins, const Vector<std::int64_t>& g, const Vector<std::int64_t>& h) {
  if (g.size() != bins.n_rows() || (h.size() != 0 && h.size() != bins.n_rows()))
    throw py::value_error("histogram: entries of the wrong length");
}

py::tuple histogram(const BinnedMatrix& bins, const Vector<std::uint32_t>& rows, const Vector<std::int64_t>& g,
                    const Vector<std::int64_t>& h) {
  check_entries(bins, g, h);
  std::vector<tree::Entry> wide(static_cast<std::size_t>(bins.n_rows()));
  for (std::size_t i = 0; i < wide.size(); ++i)
    wide[i] = {span(g)[i], (h.size() != 0 ? static_cast<std::uint64_t>(span(h)[i]) : 1) << kCountBits | 1};
  tree::RowEntries entries;
  entries.wide = wide;
  return sums_of(bins, rows, entries, kCountBits);
}

// The same from packed rows; h empty: 1 for every row.
py::tuple packed_histogram(const BinnedMatrix& bins, const Vector<std::uint32_t>& rows, const Vector<std::int64_t>& g,
                           const Vector<std::int64_t>& h) {
  check_entries(bins, g, h);
  tree::FixedPoint fixed;
  fixed.count_bits = kCountBits;
  tree::RowEntries entries;
  entries.packing = tree::Packing::of(fixed, h.size() == 0);
  std::vector<std::uint32_t> packed(static_cast<std::size_t>(bins.n_rows()));
  for (std::size_t i = 0; i < packed.size(); ++i)
    packed[i] = entries.packing.row(span(g)[i], h.size() != 0 ? static_cast<std::uint64_t>(span(h)[i]) : 0);
  entries.packed = packed;
  return sums_of(bins, rows, entries, kCountBits);
}

using Nodes = std::vector<tree::Node>;

// All nodes of some trees as a dict of arrays, the form that fitted models keep.
// Sets of categories come with them where a model has categorical features.
py::dict to_arrays(const std::vector<Nodes>& trees, bool has_sets, const tree::CategorySets& sets) {
  std::size_t n = 0;
  for (const Nodes& nodes : trees) n += nodes.size();
  const auto length = static_cast<py::ssize_t>(n);
  Vector<std::int32_t> feature(length), left(length), right(length);
  Vector<double> threshold(length), value(length), gain(length);
  Vector<std::int64_t> count(length), offsets(static_cast<py::ssize_t>(trees.size() + 1));
  Vector<std::uint8_t> missing_left(length);
  Vector<std::uint8_t> rule(length);
  Vector<std::int32_t> set(length);
  py::ssize_t i = 0;
  offsets.mutable_at(0) = 0;
  for (std::size_t t = 0; t < trees.size(); ++t) {
    for (const tree::Node& node : trees[t]) {
      feature.mutable_at(i) = node.feature;
      left.mutable_at(i) = node.left;
      right.mutable_at(i) = node.right;
      threshold.mutable_at(i) = node.threshold;
      value.mutable_at(i) = node.value;
      gain.mutable_at(i) = node.gain;
      count.mutable_at(i) = node.count;
      rule.mutable_at(i) = node.set < 0 ? 0 : 2;
      set.mutable_at(i) = node.set;
      missing_left.mutable_at(i++) = node.missing_left;
    }
    offsets.mutable_at(static_cast<py::ssize_t>(t + 1)) = i;
  }
  py::dict arrays(py::arg("feature") = feature, py::arg("threshold") = threshold, py::arg("left") = left,
                  py::arg("right") = right, py::arg("missing_left") = missing_left, py::arg("value") = value,
                  py::arg("gain") = gain, py::arg("count") = count, py::arg("offsets") = offsets);
  if (has_sets) {
    arrays["rule"] = rule;
    arrays["category_set"] = set;
    arrays["set_offsets"] = to_array(sets.offsets);
    arrays["set_words"] = to_array(sets.words);
  }
  return arrays;
}

tree::TreeRules rules_from(const py::dict& d) {
  tree::TreeRules rules;
  rules.max_leaves = d["max_leaves"].cast<index_t>();
  rules.max_depth = d["max_depth"].cast<int>();
  rules.min_samples_leaf = d["min_samples_leaf"].cast<std::int64_t>();
  rules.l2 = d["l2"].cast<double>();
  rules.l1 = d["l1"].cast<double>();
  rules.min_hessian = d["min_hessian"].cast<double>();
  rules.learning_rate = d["learning_rate"].cast<double>();
  rules.max_features = d["max_features"].cast<double>();
  rules.tree_features = d["tree_features"].cast<double>();
  rules.extra_trees = d["extra_trees"].cast<bool>();
  rules.sampling = {d["subsample"].cast<double>(), d["subsample_freq"].cast<std::uint64_t>(), d["by_gradient"].cast<bool>(),
                    d["top_rate"].cast<double>(), d["other_rate"].cast<double>()};
  rules.seed = d["seed"].cast<std::uint64_t>();
  rules.monotonic = d["monotonic"].cast<std::vector<std::int8_t>>();
  rules.categorical = d["categorical"].cast<std::vector<std::uint8_t>>();
  rules.interaction = d["interaction"].cast<std::vector<std::vector<std::int32_t>>>();
  return rules;
}

void check_rules(const tree::TreeRules& rules, index_t n_features) {
  const tree::SamplingRules& sampling = rules.sampling;
  if (!(sampling.subsample > 0 && sampling.subsample <= 1 && sampling.every > 0 && sampling.top_rate >= 0 &&
        sampling.other_rate >= 0 && sampling.top_rate + sampling.other_rate > 0))
    throw py::value_error("sampling: rates must be shares of the rows");
  if (!rules.monotonic.empty() && static_cast<index_t>(rules.monotonic.size()) != n_features)
    throw py::value_error("monotonic: made for another number of features");
  if (!rules.categorical.empty() && static_cast<index_t>(rules.categorical.size()) != n_features)
    throw py::value_error("categorical: made for another number of features");
  for (const auto& group : rules.interaction)
    for (const std::int32_t j : group)
      if (j < 0 || j >= n_features) throw py::value_error("interaction: a feature out of range");
}

// T: double, or std::uint8_t for numbers of classes.
template <class T>
std::unique_ptr<Booster> make_booster(std::shared_ptr<BinnedMatrix> bins, const Vector<T>& y, const Vector<double>& weight,
                                      const py::tuple& loss, const py::dict& rules, std::uint64_t first_tree) {
  const LossSpec spec = loss_spec(loss);
  check_targets(spec, span(y));
  tree::TreeRules r = rules_from(rules);
  check_rules(r, bins->n_features());
  return std::make_unique<Booster>(std::move(bins), span(y), span(weight), make_objective(spec), std::move(r), first_tree);
}

double mean_loss(const py::tuple& loss, const Vector<double>& y, const Vector<double>& raw, const Vector<double>& weight) {
  const LossSpec spec = loss_spec(loss);
  check_targets(spec, span(y));
  if (raw.size() != y.size() * spec.n_outputs || (weight.size() != 0 && weight.size() != y.size()))
    throw py::value_error("mean_loss: y, raw and weight differ in length");
  const auto made = make_objective(spec);
  return without_gil([&](auto& token) { return tree::mean_loss(*made, span(y), span(raw), span(weight), token); });
}

py::array_t<double> probabilities(const Vector<double>& raw) {
  if (raw.ndim() != 2 || raw.shape(0) < 1) throw py::value_error("probabilities: expected scores of shape (n_outputs, n)");
  const index_t n = raw.shape(1);
  const int n_outputs = static_cast<int>(raw.shape(0));
  py::array_t<double> out({static_cast<index_t>(std::max(2, n_outputs)), n});
  double* p = out.mutable_data();
  without_gil([&](auto& token) { tree::class_probabilities(raw.data(), n, n_outputs, p, token); });
  return out;
}

using Ints = Vector<std::int32_t>;
using TreeArrays = std::tuple<Ints, Ints, Ints, Vector<double>, Ints>;  // feature, left, right, value, leaf of each row

py::list refit(Booster& booster, const std::vector<TreeArrays>& arrays, double decay) {
  std::vector<tree::GivenTree> trees;
  for (const auto& [feature, left, right, value, leaf_of_row] : arrays)
    trees.push_back({span(feature), span(left), span(right), span(value), span(leaf_of_row)});
  py::list values;
  for (const auto& of_tree : without_gil([&](auto& token) { return booster.refit(trees, decay, token); }))
    values.append(to_array(of_tree));
  return values;
}

void register_booster(py::module_& m) {
  py::class_<BinnedMatrix, std::shared_ptr<BinnedMatrix>>(m, "BinnedMatrix")
      .def("codes", &codes)
      .def("histogram", &histogram)
      .def("packed_histogram", &packed_histogram);
  py::class_<Booster>(m, "Booster")
      .def(py::init(&make_booster<double>), py::arg("bins"), py::arg("y").noconvert(), py::arg("weight").noconvert(), py::arg("loss"),
           py::arg("rules"), py::arg("first_tree"), py::keep_alive<1, 3>(), py::keep_alive<1, 4>())  // it reads y and weight
      .def(py::init(&make_booster<std::uint8_t>), py::arg("bins"), py::arg("y").noconvert(), py::arg("weight").noconvert(),
           py::arg("loss"), py::arg("rules"), py::arg("first_tree"), py::keep_alive<1, 3>(), py::keep_alive<1, 4>())
      .def("start", [](Booster& b) { return to_array(without_gil([&](auto& token) { return b.start(token); })); })
      .def("set_raw", [](Booster& b, const Vector<double>& raw) { b.set_raw(span(raw)); }, py::arg("raw").noconvert())
      .def("set_start", [](Booster& b, const Vector<double>& start) {
        without_gil([&](auto& token) { b.set_start(span(start), token); });
      }, py::arg("start").noconvert())
      .def("give", [](Booster& b, const Vector<double>& g, const Vector<double>& h) { b.give(span(g), span(h)); },
           py::arg("g").noconvert(), py::arg("h").noconvert())
      .def("raw", [](Booster& b) { return Vector<double>(static_cast<py::ssize_t>(b.raw().size()), b.raw().data()); })
      .def("set_columns", [](Booster& b, std::vector<std::int32_t> features, std::vector<std::vector<std::uint8_t>> code_of) {
        b.set_columns({std::move(features), std::move(code_of)});
      })
      .def("gradients", [](Booster& b, int output) {
        const auto at = without_gil([&](auto& token) { return b.gradients(output, token); });
        return py::make_tuple(to_array(at.g), to_array(at.h));
      })
      .def("refit", &refit)
      .def("loss", [](Booster& b) { return without_gil([&](auto& token) { return b.loss(token); }); })
      .def("grow", [](Booster& b, int n_iterations) {
        std::vector<Nodes> trees;
        without_gil([&](auto& token) {
          for (int i = 0; i < n_iterations; ++i)
            for (Nodes& nodes : b.step(token)) trees.push_back(std::move(nodes));
        });
        return to_arrays(trees, b.has_columns(), b.take_sets());
      });
}

}  // namespace

void register_tree(py::module_& m) {
  py::module_ tree = m.def_submodule("tree");
  register_booster(tree);
  tree.def("find_thresholds", &find_thresholds<double>, py::arg("x").noconvert(), py::arg("weight").noconvert(),
           py::arg("max_bins"), py::arg("seed"));
  tree.def("find_thresholds", &find_thresholds<float>, py::arg("x").noconvert(), py::arg("weight").noconvert(),
           py::arg("max_bins"), py::arg("seed"));
  tree.def("bin", &bin<double>, py::arg("x").noconvert(), py::arg("values").noconvert(), py::arg("offsets").noconvert());
  tree.def("bin", &bin<float>, py::arg("x").noconvert(), py::arg("values").noconvert(), py::arg("offsets").noconvert());
  tree.def("mean_loss", &mean_loss);
  tree.def("probabilities", &probabilities, py::arg("raw").noconvert());
}

}  // namespace mlwright::bindings
