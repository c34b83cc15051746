#include "registers.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The native core of mlwright. Private: call it through mlwright._kernels.";
  mlwright::bindings::register_errors(m);
  mlwright::bindings::register_bart(m);
  mlwright::bindings::register_blas(m);
  mlwright::bindings::register_blocks(m);
  mlwright::bindings::register_capi(m);
  mlwright::bindings::register_mixture_quantiles(m);
  mlwright::bindings::register_order_statistics(m);
  mlwright::bindings::register_polya_gamma(m);
  mlwright::bindings::register_quantile(m);
  mlwright::bindings::register_rng(m);
  mlwright::bindings::register_linalg(m);
  mlwright::bindings::register_cluster(m);
  mlwright::bindings::register_column_moments(m);
  mlwright::bindings::register_loss(m);
  mlwright::bindings::register_mixture(m);
  mlwright::bindings::register_glm(m);
  mlwright::bindings::register_gp(m);
  mlwright::bindings::register_gp_large(m);
  mlwright::bindings::register_glm_density(m);
  mlwright::bindings::register_horseshoe(m);
  mlwright::bindings::register_runtime(m);
  mlwright::bindings::register_sgd(m);
  mlwright::bindings::register_sampler(m);
  mlwright::bindings::register_selection(m);
  mlwright::bindings::register_shap(m);
  mlwright::bindings::register_simd(m);
  mlwright::bindings::register_solver(m);
  mlwright::bindings::register_sparse_product(m);
  mlwright::bindings::register_tree(m);
  mlwright::bindings::register_forest(m);
  mlwright::bindings::register_binned_data(m);
  mlwright::bindings::register_categories(m);
}
