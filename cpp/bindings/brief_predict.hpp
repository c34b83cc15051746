// The short way of a few rows into a forest: the one CPython entry that is written by hand.
//
// A prediction of one row takes the core 0.3 us. pybind11's dispatcher, its casters of arrays and its array class take
// three times that, so this function looks at the array itself and makes the result itself. It decides nothing: whatever
// is not an ndarray, aligned and of native float64 or float32, with the right number of columns, some rows and numbers
// that the model accepts, and whatever takes longer than keeping the GIL is worth, is answered with None; the caller
// then goes the long way, which checks, converts and explains.
#pragma once

#include <pybind11/pybind11.h>

#include "mlwright/tree/predictor.hpp"

namespace mlwright::bindings {

// ns: shorter calls keep the GIL, which costs less than to give it up and to poll signals
inline constexpr double kBriefly = 20e3;

// Which numbers go the short way.
enum class Accepts : int { any, no_infinity, finite };

// f(X) -> scores of shape (n_outputs, n), or None. `predictor` is the Python object around
// `core`; f keeps it alive.
pybind11::object brief_predict(pybind11::object predictor, const tree::Predictor& core, Accepts accepts);

}  // namespace mlwright::bindings
