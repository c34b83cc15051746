// What boosting minimises: a loss over whole arrays, for the booster.
//
// The engine never asks for more than gradients and Hessians of one output, the total loss, the start values and, where a
// loss renews leaves, the best constant of one. Each loss's arithmetic is in loss/*.hpp; its array kernels are in
// simd/losses.hpp (losses of one score) and simd/boosting.hpp (of several); a user's come as a C function.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "mlwright/base/view.hpp"
#include "mlwright/loss/verbs.hpp"
#include "mlwright/runtime/cancel.hpp"
#include "mlwright/tree/targets.hpp"

namespace mlwright::tree {

// A user's loss, compiled: block signature, called without the GIL from several threads at once. kind 0: values into
// out_a; kind 1: gradients into out_a and Hessians into out_b. Returns 0, or the 1-based number of the observation that
// failed.
using UserLoss = std::int64_t (*)(std::int64_t kind, std::int64_t n, const double* y, const double* raw, double* out_a,
                                  double* out_b);
// What such a loss adds to the scores of a leaf's rows, into *out; w is never null. Returns 0, or not where it failed.
using UserLeaf = std::int64_t (*)(std::int64_t n, const double* y, const double* raw, const double* w, double* out);

class Objective {
 public:
  virtual ~Objective() = default;
  virtual int n_outputs() const noexcept { return 1; }
  // Whether an iteration grows one tree for all outputs: gradients(0) choose its cuts, and every leaf is renewed for each
  // output.
  virtual bool shares_trees() const noexcept { return false; }
  virtual bool constant_hessian() const noexcept { return false; }
  // Whether gradients() costs about what reading their results from memory would: nobody then keeps them.
  virtual bool cheap_gradients() const noexcept { return false; }
  // Called once an iteration, before gradients() of each output. raw: output k at raw + k * y.size().
  virtual void prepare(const Targets& y, std::span<const double> raw, std::uint64_t iteration, runtime::CancelToken& token);
  // Of rows [begin, end) of output k, into g[0], g[1], ...; y[0], y[1], ... are their targets, raw the scores of all rows. h is
  // not touched if the Hessian is constant. Between calls of prepare() the same rows and scores give the same bits.
  virtual void gradients(const double* y, const double* raw, int k, index_t begin, index_t end, double* g, double* h) const = 0;
  // Sum of weight * loss over rows [begin, end), whose targets are y[0], y[1], ...; weight, of all rows, may be null.
  virtual double loss(const double* y, const double* raw, index_t n_rows, const double* weight, index_t begin,
                      index_t end) const = 0;
  // The constant of each output that minimises the loss; weight may be empty.
  virtual std::vector<double> start(std::span<const double> y, std::span<const double> weight,
                                    runtime::CancelToken& token) const = 0;
  // Whether the values of leaves come from leaf_step() instead of gradients and Hessians.
  virtual bool renews_leaves() const noexcept { return false; }
  // What is best added to the scores `raw` of a leaf's rows: an exact minimiser, where there is a rule for it. The arrays
  // are the caller's to spoil; weight may be empty. Called from several threads at once.
  virtual double leaf_step(int k, std::span<double> y, std::span<double> raw, std::span<double> weight) const;
  // Gradients and Hessians of the next iteration, from outside; for given_objective() only.
  virtual void give(std::span<const double> g, std::span<const double> h);
};

// A loss of loss/list.hpp, by its name there; a null pointer if it has none of that name.
std::unique_ptr<Objective> scalar_objective(std::string_view name, double parameter);
std::unique_ptr<Objective> multinomial_objective(int n_classes);
// Every class against all others: binary log losses side by side, one output a class.
std::unique_ptr<Objective> one_vs_rest_objective(int n_classes);
// Several quantiles of one target: one tree an iteration whose leaves hold a step for each level.
std::unique_ptr<Objective> quantiles_objective(std::vector<double> levels);
// The normal law of the target: two outputs, its mean and the logarithm of its standard deviation.
std::unique_ptr<Objective> normal_objective();
// A loss computed elsewhere: Objective::give() brings its gradients before each iteration; its value and start are not known.
// leaf: null where leaves are Newton steps, here and below.
std::unique_ptr<Objective> given_objective(int n_outputs, UserLeaf leaf);
// How scores become predictions: raw, exp(raw), 1 / (1 + exp(-raw)). Here it only says where a start value is looked for.
using loss::Link;
// start_value: NaN to have it searched for.
std::unique_ptr<Objective> user_objective(UserLoss loss, double start_value, Link link, UserLeaf leaf);

// Weighted mean loss, summed in chunks of a fixed size.
double mean_loss(const Objective& objective, const Targets& y, std::span<const double> raw,
                 std::span<const double> weight, runtime::CancelToken& token);

// Probabilities of log loss from scores: class k of row i at out[k * n + i], for two classes (one output) or n_outputs.
void class_probabilities(const double* raw, index_t n, int n_outputs, double* out, runtime::CancelToken& token);

}  // namespace mlwright::tree
