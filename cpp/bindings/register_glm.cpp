#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "designs.hpp"
#include "mlwright/solver/fold_pass.hpp"
#include "mlwright/solver/linear_objectives.hpp"
#include "mlwright/solver/newton.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using Weight = std::optional<Vector<double>>;

// mlwright._kernels.glm.GlmLoss: the name of a built-in loss with its parameter, or the address of the user's function.
std::unique_ptr<solver::RowLoss> loss_of(const py::tuple& spec) {
  const auto address = spec[2].cast<std::uintptr_t>();
  if (address != 0) return solver::user_loss(reinterpret_cast<solver::UserRows>(address));
  return solver::built_in_loss(spec[0].cast<std::string>(), spec[1].cast<double>());
}

const double* one_a_row(const Weight& a, index_t n, const char* name) {
  if (!a) return nullptr;
  if (a->size() != n) throw py::value_error(std::string(name) + ": expected one number a row");
  return a->data();
}

std::vector<double> padded(const Vector<double>& a, const linalg::RowBlocks& x, const char* name) {
  if (a.size() != x.cols()) throw py::value_error(std::string(name) + ": expected one number a column");
  std::vector<double> out(static_cast<std::size_t>(x.padded()), 0.0);
  std::copy_n(a.data(), a.size(), out.begin());
  return out;
}

Vector<double> first(const std::vector<double>& a, index_t n) {
  Vector<double> out(n);
  std::copy_n(a.data(), n, out.mutable_data());
  return out;
}

// A design with its targets, held together for one call.
struct Held {
  BlocksOf blocks;
  std::unique_ptr<solver::RowLoss> loss;
  const double *y, *w, *offset;

  // keeps: whether many passes will be made; scores: of each row, which has as many offsets.
  Held(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& targets,
       const Weight& weights, const Weight& offsets, const py::tuple& spec, bool keeps = false, index_t scores = 1)
      : blocks(row_blocks_of(x, span(shift), span(scale), keeps)), loss(loss_of(spec)) {
    const index_t n = blocks.rows->rows();
    if (targets.size() != n) throw py::value_error("X and y differ in their number of rows");
    y = targets.data();
    w = one_a_row(weights, n, "weights");
    offset = one_a_row(offsets, n * scores, scores == 1 ? "offset" : "offset of every class");
  }
  solver::GlmData data() const { return {*blocks.rows, y, w, offset, *loss}; }
};

// Loss, gradient and, if wanted, Hessian in the columns (z, 1), and the scores.
py::tuple evaluate(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& y,
                   const Weight& w, const Weight& offset, const py::tuple& spec, const Vector<double>& coef, double intercept,
                   bool hessian) {
  const Held held(x, shift, scale, y, w, offset, spec);
  const index_t p = held.blocks.rows->cols(), width = held.blocks.rows->padded();
  const auto b = padded(coef, *held.blocks.rows, "coef");
  Vector<double> eta(y.size());
  double* to = eta.mutable_data();
  const auto depth = hessian ? solver::Depth::hessian : solver::Depth::gradient;
  const auto sums = without_gil([&](auto& token) { return solver::glm_pass(held.data(), b, intercept, depth, 1, to, token); });
  Vector<double> gradient(p + 1);
  std::copy_n(sums.gradient.data(), p, gradient.mutable_data());
  gradient.mutable_at(p) = sums.total_g;
  if (!hessian) return py::make_tuple(sums.loss, gradient, py::none(), eta);
  Vector<double> h({p + 1, p + 1});
  for (index_t i = 0; i < p; ++i) {
    for (index_t j = i; j < p; ++j) h.mutable_at(i, j) = h.mutable_at(j, i) = sums.hessian[static_cast<std::size_t>(i * width + j)];
    h.mutable_at(i, p) = h.mutable_at(p, i) = sums.border[static_cast<std::size_t>(i)];
  }
  h.mutable_at(p, p) = sums.total_h;
  return py::make_tuple(sums.loss, gradient, h, eta);
}

py::dict facts_of(const solver::NewtonFit& fit, index_t p) {
  return py::dict(py::arg("coef") = first(fit.coef, p), py::arg("intercept") = fit.intercept, py::arg("loss") = fit.loss,
                  py::arg("decrement") = fit.decrement, py::arg("violation") = fit.violation, py::arg("n_iter") = fit.n_iter,
                  py::arg("n_passes") = fit.n_passes, py::arg("rank") = fit.rank, py::arg("status") = static_cast<int>(fit.status));
}

py::dict newton(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& y,
                const Weight& w, const Weight& offset, const py::tuple& spec, const Vector<double>& l2, bool fit_intercept,
                const Vector<double>& coef, double intercept, double saturated, double tol, index_t max_iter) {
  const Held held(x, shift, scale, y, w, offset, spec);
  const index_t p = held.blocks.rows->cols();
  const solver::NewtonProblem problem{held.data(), padded(l2, *held.blocks.rows, "l2"), fit_intercept, saturated};
  const auto start = padded(coef, *held.blocks.rows, "coef");
  const auto fit = without_gil([&](auto& token) {
    return solver::newton(problem, start, intercept, {tol, max_iter, true}, token);
  });
  return facts_of(fit, p);
}

py::list newton_path(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& y,
                     const Weight& w, const Weight& offset, const py::tuple& spec, const std::vector<Vector<double>>& l2,
                     bool fit_intercept, const Vector<double>& coef, double intercept, double saturated, double tol,
                     index_t max_iter) {
  const Held held(x, shift, scale, y, w, offset, spec);
  const index_t p = held.blocks.rows->cols();
  std::vector<std::vector<double>> penalties;
  for (const auto& one : l2) penalties.push_back(padded(one, *held.blocks.rows, "l2"));
  if (penalties.empty()) throw py::value_error("l2: expected one penalty or more");
  const solver::NewtonProblem problem{held.data(), penalties.front(), fit_intercept, saturated};
  const auto start = padded(coef, *held.blocks.rows, "coef");
  const auto fits = without_gil([&](auto& token) {
    return solver::newton_path(problem, penalties, start, intercept, {tol, max_iter, true}, token);
  });
  py::list out;
  for (const auto& fit : fits) out.append(facts_of(fit, p));
  return out;
}

// Coefficients (p x k) and intercepts (k) as L-BFGS has them, and back; k is 1 or a number of classes.
std::vector<double> stacked(const Vector<double>& coef, const Vector<double>& intercept, index_t p, index_t padded, index_t width) {
  const index_t k = intercept.size();
  if (k > width || coef.size() != p * k) throw py::value_error("coef: expected one number a column and class");
  std::vector<double> x(static_cast<std::size_t>((padded + 1) * width), 0.0);
  for (index_t c = 0; c < k; ++c) {
    for (index_t j = 0; j < p; ++j) x[static_cast<std::size_t>(j * width + c)] = coef.data()[j * k + c];
    x[static_cast<std::size_t>(padded * width + c)] = intercept.data()[c];
  }
  return x;
}

py::dict unstacked(const std::vector<double>& x, index_t p, index_t padded, index_t width, index_t k, const solver::LbfgsFit& fit) {
  Vector<double> coef({p, k}), intercept(k);
  for (index_t c = 0; c < k; ++c) {
    for (index_t j = 0; j < p; ++j) coef.mutable_at(j, c) = x[static_cast<std::size_t>(j * width + c)];
    intercept.mutable_at(c) = x[static_cast<std::size_t>(padded * width + c)];
  }
  return py::dict(py::arg("coef") = coef, py::arg("intercept") = intercept, py::arg("objective") = fit.objective,
                  py::arg("violation") = fit.violation, py::arg("n_iter") = fit.n_iter,
                  py::arg("n_passes") = static_cast<double>(fit.n_evaluations), py::arg("status") = static_cast<int>(fit.status));
}

void require_class_numbers(const Vector<double>& y, index_t classes) {
  for (index_t i = 0; i < y.size(); ++i) {
    const double v = y.data()[i];
    if (!(v >= 0 && v < static_cast<double>(classes) && v == static_cast<double>(static_cast<index_t>(v))))
      throw py::value_error("multinomial: a target is not a class number");
  }
}

solver::LinearProblem linear_problem(const Held& held, const Vector<double>& l2, bool fit_intercept, double saturated,
                                     const Weight& squares) {
  const linalg::RowBlocks& x = *held.blocks.rows;
  return {x, held.y, held.w, held.offset, padded(l2, x, "l2"), fit_intercept, saturated,
          squares ? padded(*squares, x, "squares") : std::vector<double>{}};
}

// One fit a row of l2 (m x p), each from where the one before ended.
py::list lbfgs_path(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& y,
                    const Weight& w, const Weight& offset, const py::tuple& spec, const std::vector<Vector<double>>& l2,
                    bool fit_intercept, const Vector<double>& coef, const Vector<double>& intercept, double saturated,
                    const Weight& squares, double curvature, double tol, index_t max_iter) {
  const Held held(x, shift, scale, y, w, offset, spec, true);
  const index_t p = held.blocks.rows->cols(), width = held.blocks.rows->padded();
  auto point = stacked(coef, intercept, p, width, 1);
  std::vector<solver::LinearProblem> problems;
  for (const auto& one : l2) problems.push_back(linear_problem(held, one, fit_intercept, saturated, squares));
  std::vector<std::pair<std::vector<double>, solver::LbfgsFit>> fits;
  without_gil([&](auto& token) {
    for (auto& problem : problems) {
      const auto objective = solver::scalar_objective(std::move(problem), *held.loss, curvature, token);
      const auto fit = solver::lbfgs(*objective, point, {tol, max_iter}, token);
      fits.emplace_back(point, fit);
    }
  });
  py::list out;
  for (const auto& [where, fit] : fits) out.append(unstacked(where, p, width, 1, 1, fit));
  return out;
}

py::dict multinomial(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& y,
                     const Weight& w, const Weight& offset, index_t classes, const Vector<double>& l2, bool fit_intercept,
                     const Vector<double>& coef, const Vector<double>& intercept, double saturated, const Weight& squares, double tol, index_t max_iter) {
  const Held held(x, shift, scale, y, w, offset, py::make_tuple("binary_log_loss", 0.0, 0), true, classes);
  require_class_numbers(y, classes);
  const index_t p = held.blocks.rows->cols(), padded_columns = held.blocks.rows->padded(), width = solver::class_width(classes);
  if (intercept.size() != classes) throw py::value_error("intercept: expected one number a class");
  auto point = stacked(coef, intercept, p, padded_columns, width);
  auto problem = linear_problem(held, l2, fit_intercept, saturated, squares);
  const auto fit = without_gil([&](auto& token) {
    const auto objective = solver::multinomial_objective(std::move(problem), classes, token);
    return solver::lbfgs(*objective, point, {tol, max_iter}, token);
  });
  return unstacked(point, p, padded_columns, width, classes, fit);
}

// Loss, gradient (p x classes) and sums of residuals at one point.
py::tuple class_gradient(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& y,
                         const Weight& w, const Weight& offset, index_t classes, const Vector<double>& coef,
                         const Vector<double>& intercept) {
  const Held held(x, shift, scale, y, w, offset, py::make_tuple("binary_log_loss", 0.0, 0), false, classes);
  require_class_numbers(y, classes);
  const index_t p = held.blocks.rows->cols(), columns = held.blocks.rows->padded(), width = solver::class_width(classes);
  if (intercept.size() != classes) throw py::value_error("intercept: expected one number a class");
  const auto point = stacked(coef, intercept, p, columns, width);
  std::vector<double> gradient(point.size());
  const solver::LinearProblem problem{*held.blocks.rows, held.y, held.w, held.offset, {}, true, 0.0, {}};
  const double loss = without_gil([&](auto& token) {
    return solver::multinomial_pass(problem, classes, point.data(), gradient.data(), token);
  });
  const py::dict parts = unstacked(gradient, p, columns, width, classes, {});
  return py::make_tuple(loss, parts["coef"], parts["intercept"]);
}

// Losses, gradients (folds x (p + 1)) and scores of held-out rows of the fits that each leave one fold out.
py::tuple fold_gradients(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& y,
                         const Weight& w, const Weight& offset, const py::tuple& spec, const Vector<std::int32_t>& fold,
                         const Vector<double>& coef, const Vector<double>& intercept) {
  const Held held(x, shift, scale, y, w, offset, spec);
  const index_t p = held.blocks.rows->cols(), padded = held.blocks.rows->padded(), folds = intercept.size();
  const index_t width = solver::fold_width(folds);
  if (coef.size() != folds * p || folds < 1) throw py::value_error("coef: expected one number a fold and column");
  if (fold.size() != y.size()) throw py::value_error("fold: expected one number a row");
  for (index_t i = 0; i < fold.size(); ++i)
    if (fold.data()[i] < -1 || fold.data()[i] >= folds) throw py::value_error("fold: a row's is none of the fits");
  std::vector<double> b(static_cast<std::size_t>(padded * width), 0.0);
  for (index_t f = 0; f < folds; ++f)
    for (index_t j = 0; j < p; ++j) b[static_cast<std::size_t>(j * width + f)] = coef.data()[f * p + j];
  Vector<double> held_out(y.size()), gradient({folds, p + 1});
  double* out = held_out.mutable_data();
  const auto sums = without_gil([&](auto& token) {
    return solver::fold_pass(held.data(), fold.data(), folds, b.data(), intercept.data(), out, token);
  });
  for (index_t f = 0; f < folds; ++f) {
    for (index_t j = 0; j < p; ++j) gradient.mutable_at(f, j) = sums.gradient[static_cast<std::size_t>(j * width + f)];
    gradient.mutable_at(f, p) = sums.total_g[static_cast<std::size_t>(f)];
  }
  return py::make_tuple(first(sums.loss, folds), gradient, held_out);
}

// Sum of weights, and sums of w x and w x^2 of every column.
py::tuple moments(const py::object& x, const Weight& w) {
  const auto [n, p] = extent_of(x);
  const std::vector<double> zero(static_cast<std::size_t>(p), 0.0), one(static_cast<std::size_t>(p), 1.0);
  const auto blocks = row_blocks_of(x, zero, one);
  const double* weights = one_a_row(w, n, "weights");
  const auto sums = without_gil([&](auto& token) { return solver::column_moments(*blocks.rows, weights, token); });
  return py::make_tuple(sums.weight, first(sums.first, p), first(sums.second, p));
}

}  // namespace

void register_glm(py::module_& m) {
  py::module_ glm = m.def_submodule("glm");
  glm.attr("PACKED_COLUMNS") = kPackedColumns;
  glm.def("evaluate", &evaluate, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("loss"),
          py::arg("coef").noconvert(), py::arg("intercept"), py::arg("hessian"));
  glm.def("newton", &newton, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("loss"),
          py::arg("l2").noconvert(), py::arg("fit_intercept"), py::arg("coef").noconvert(), py::arg("intercept"),
          py::arg("saturated"), py::arg("tol"), py::arg("max_iter"));
  glm.def("newton_path", &newton_path, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("loss"), py::arg("l2"),
          py::arg("fit_intercept"), py::arg("coef").noconvert(), py::arg("intercept"), py::arg("saturated"), py::arg("tol"),
          py::arg("max_iter"));
  glm.def("lbfgs_path", &lbfgs_path, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("loss"), py::arg("l2"),
          py::arg("fit_intercept"), py::arg("coef").noconvert(), py::arg("intercept").noconvert(), py::arg("saturated"),
          py::arg("squares").noconvert(), py::arg("curvature"), py::arg("tol"), py::arg("max_iter"));
  glm.def("multinomial", &multinomial, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("classes"), py::arg("l2").noconvert(),
          py::arg("fit_intercept"), py::arg("coef").noconvert(), py::arg("intercept").noconvert(), py::arg("saturated"),
          py::arg("squares").noconvert(), py::arg("tol"), py::arg("max_iter"));
  glm.def("class_gradient", &class_gradient, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("classes"), py::arg("coef").noconvert(),
          py::arg("intercept").noconvert());
  glm.def("fold_gradients", &fold_gradients, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("loss"),
          py::arg("fold").noconvert(), py::arg("coef").noconvert(), py::arg("intercept").noconvert());
  glm.def("moments", &moments, py::arg("x"), py::arg("w").noconvert());
}

}  // namespace mlwright::bindings
