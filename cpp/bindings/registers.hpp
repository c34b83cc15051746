// One register function a folder of the core; module.cpp, which calls them all, is the only one to include this: a new line
// here recompiles nothing else.
#pragma once

#include <pybind11/pybind11.h>

namespace mlwright::bindings {

void register_bart(pybind11::module_& m);
void register_binned_data(pybind11::module_& m);  // after register_tree
void register_blas(pybind11::module_& m);
void register_blocks(pybind11::module_& m);
void register_capi(pybind11::module_& m);
void register_categories(pybind11::module_& m);
void register_cluster(pybind11::module_& m);
void register_column_moments(pybind11::module_& m);
void register_errors(pybind11::module_& m);
void register_forest(pybind11::module_& m);
void register_mixture_quantiles(pybind11::module_& m);
void register_order_statistics(pybind11::module_& m);
void register_polya_gamma(pybind11::module_& m);
void register_quantile(pybind11::module_& m);
void register_glm(pybind11::module_& m);
void register_gp(pybind11::module_& m);
void register_gp_large(pybind11::module_& m);  // after register_gp
void register_glm_density(pybind11::module_& m);
void register_horseshoe(pybind11::module_& m);
void register_rng(pybind11::module_& m);
void register_mixture(pybind11::module_& m);
void register_linalg(pybind11::module_& m);
void register_loss(pybind11::module_& m);
void register_runtime(pybind11::module_& m);
void register_sgd(pybind11::module_& m);
void register_sampler(pybind11::module_& m);
void register_selection(pybind11::module_& m);
void register_shap(pybind11::module_& m);
void register_simd(pybind11::module_& m);
void register_solver(pybind11::module_& m);
void register_sparse_product(pybind11::module_& m);
void register_tree(pybind11::module_& m);

}  // namespace mlwright::bindings
