#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "designs.hpp"
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

  Held(const py::object& x, const Vector<double>& shift, const Vector<double>& scale, const Vector<double>& targets,
       const Weight& weights, const Weight& offsets, const py::tuple& spec)
      : blocks(row_blocks_of(x, span(shift), span(scale))), loss(loss_of(spec)) {
    const index_t n = blocks.rows->rows();
    if (targets.size() != n) throw py::value_error("X and y differ in their number of rows");
    y = targets.data();
    w = one_a_row(weights, n, "weights");
    offset = one_a_row(offsets, n, "offset");
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
  return py::dict(py::arg("coef") = first(fit.coef, p), py::arg("intercept") = fit.intercept, py::arg("loss") = fit.loss,
                  py::arg("decrement") = fit.decrement, py::arg("violation") = fit.violation, py::arg("n_iter") = fit.n_iter,
                  py::arg("n_passes") = fit.n_passes, py::arg("rank") = fit.rank, py::arg("status") = static_cast<int>(fit.status));
}

}  // namespace

void register_glm(py::module_& m) {
  py::module_ glm = m.def_submodule("glm");
  glm.def("evaluate", &evaluate, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("loss"),
          py::arg("coef").noconvert(), py::arg("intercept"), py::arg("hessian"));
  glm.def("newton", &newton, py::arg("x"), py::arg("shift").noconvert(), py::arg("scale").noconvert(),
          py::arg("y").noconvert(), py::arg("w").noconvert(), py::arg("offset").noconvert(), py::arg("loss"),
          py::arg("l2").noconvert(), py::arg("fit_intercept"), py::arg("coef").noconvert(), py::arg("intercept"),
          py::arg("saturated"), py::arg("tol"), py::arg("max_iter"));
}

}  // namespace mlwright::bindings
