"""What the classes of stochastic gradient descent share: parameters, the way from data to epochs and back."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import assert_all_finite, validate_data

from mlwright._kernels.sgd import as_rows
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright._validation import checked_weights
from mlwright.linear_model._sgd.fit import Descent, SGDState
from mlwright.linear_model._sgd.visits import visits_of
from mlwright.linear_model._sparse_coef import SparseCoefMixin, dense_coef

REGRESSION_LOSSES = {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"}
_WITH_EPSILON = {"huber", "epsilon_insensitive", "squared_epsilon_insensitive"}
_PA_LOSS = {True: "hinge", False: "epsilon_insensitive"}


class BaseSGD(SparseCoefMixin, BaseEstimator):
    """Base of the two estimators. A subclass gives ``_classifies`` and the targets of its problems."""

    _parameter_constraints: ClassVar[dict] = {
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "learning_rate": [StrOptions({"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"})],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "average": [Interval(Integral, 0, None, closed="neither"), "boolean"],
    }

    def _check_settings(self, for_partial_fit):
        """scikit-learn's rules of which parameter goes with what."""
        if self.early_stopping and for_partial_fit:
            raise ValueError("early_stopping should be False with partial_fit")
        if self.learning_rate == "optimal" and self.alpha == 0:
            raise ValueError(
                "alpha must be > 0 since learning_rate is 'optimal'. alpha is used to compute the optimal learning "
                "rate."
            )
        wanted = _PA_LOSS[self._classifies]
        if self.learning_rate in ("pa1", "pa2") and self.loss != wanted:
            raise ValueError(f"Learning rate '{self.learning_rate}' only works with loss '{wanted}'.")
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("l1_ratio must be set when penalty is 'elasticnet'")

    def _rows(self, X, y, sample_weight, *, reset, **checks):
        """Valid arguments; where every row is visited, the visits find out whether X is finite."""
        all_visited = sample_weight is None and not self.early_stopping
        X, y = validate_data(
            self, X, y, reset=reset, accept_sparse="csr", dtype=[np.float64, np.float32],
            ensure_all_finite=not all_visited, **checks,
        )  # fmt: skip
        return X, y, checked_weights(sample_weight, X)

    def _kernel_settings(self, once):
        """Those of the kernel but for ``t``; `once` is for one epoch that nobody judges."""
        ratio = {"l2": 0.0, "l1": 1.0, "elasticnet": self.l1_ratio, None: 1.0}[self.penalty]
        loss = "hinge" if self.loss == "perceptron" else self.loss
        parameter = self.epsilon if loss in _WITH_EPSILON else float(self.loss == "hinge")
        judged = not once and (self.tol is not None or self.early_stopping)
        return {
            "loss": loss, "parameter": float(parameter), "penalised": self.penalty is not None,
            "alpha": float(self.alpha), "l1_ratio": float(ratio), "schedule": self.learning_rate,
            "eta0": float(self.eta0), "power_t": float(self.power_t), "average": int(self.average),
            "fit_intercept": bool(self.fit_intercept), "shuffle": bool(self.shuffle),
            "seed": seed_from(self.random_state), "max_iter": 1 if once else int(self.max_iter),
            "patience": int(self.n_iter_no_change) if judged else 0,
            "tol": -np.inf if self.tol is None else float(self.tol),
        }  # fmt: skip

    def _start(self, shape, coef_init, intercept_init):
        """The state from which a fit begins: zeros, or what the user gives."""
        coef, intercept = np.zeros(shape), np.zeros(shape[0])
        if coef_init is not None:
            coef_init = np.asarray(coef_init, dtype=np.float64)
            if coef_init.size != coef.size or (shape[0] > 1 and coef_init.shape != shape):
                raise ValueError(f"Provided coef_init does not match dataset: got {coef_init.shape}, expected {shape}.")
            coef = coef_init.reshape(shape).copy()
        if intercept_init is not None:
            intercept_init = np.asarray(intercept_init, dtype=np.float64)
            if intercept_init.size != shape[0]:
                raise ValueError(
                    f"Provided intercept_init does not match dataset: got {intercept_init.size} numbers, expected "
                    f"{shape[0]}."
                )
            intercept = intercept_init.reshape(shape[0]).copy()
        if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
            raise ValueError("coef_init, intercept_init: got NaN or infinity, expected finite numbers to start from.")
        return self._with_sums(SGDState(coef, intercept))

    def _with_sums(self, state):
        if self.average:
            state.coef_sum, state.intercept_sum = np.zeros_like(state.coef), np.zeros_like(state.intercept)
        return state

    def _resume(self):
        """The state of the fitted model, as its last epoch left it."""
        coef, intercept = (
            np.atleast_2d(dense_coef(self)).astype(np.float64),
            np.array(self.intercept_, dtype=np.float64),
        )
        state, plain = self._with_sums(SGDState(coef, intercept, t=int(self.t_))), self._plain
        if self.average:  # where the visits so far were not averaged, what they ended at stands for them
            count = max(state.t - int(self.average), 0)
            state.coef_sum, state.intercept_sum = coef * count, intercept * count
        if plain is not None:
            state.coef, state.intercept = plain["coef"].copy(), plain["intercept"].copy()
        return state

    def _descend(self, X, targets, keyed, w, class_weight, state, max_iter, chosen=None, validate=None):
        """Run the epochs; sets ``n_iter_``, ``t_`` and what ``partial_fit`` goes on from; returns coefficients."""
        design = as_rows(X)
        visits = visits_of(design, keyed, w, shuffle=self.shuffle, chosen=chosen)
        once = max_iter is None  # partial_fit
        descent = Descent(
            design, targets, visits, class_weight, self._kernel_settings(once), validate,
            self._report if self.verbose else None,
        )  # fmt: skip
        with limit(getattr(self, "n_jobs", None)):
            n_iter = descent.run(state)
        if descent.overflowed is not None:
            assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")
            raise ValueError(
                f"Floating-point under-/overflow occurred at epoch #{descent.overflowed + 1}. Scaling input data with "
                "StandardScaler or MinMaxScaler might help; a smaller eta0 or a larger alpha might, too."
            )
        self.n_iter_, self.t_ = int(n_iter.max()), float(state.t)
        coef, intercept = state.best(int(self.average))
        self._plain = None
        if self.average and state.t > int(self.average):
            self._plain = {"coef": state.coef, "intercept": state.intercept}
        diverged = None if once else descent.diverged()
        if diverged is not None:
            warnings.warn(
                f"{type(self).__name__}: the steps diverged: the objective is {diverged:.3g}, far above that of zero "
                "coefficients; scale X by StandardScaler, divide y and sample_weight by their means, or lower eta0.",
                ConvergenceWarning,
                stacklevel=4,
            )
        elif not once and self.tol is not None and self.n_iter_ == max_iter:
            warnings.warn(
                f"{type(self).__name__}: maximum number of iteration reached before convergence: the objective still "
                f"falls by more than tol={self.tol:g} an epoch; increase max_iter.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return coef, intercept

    def _report(self, number, losses, coef, t):
        print(f"-- Epoch {number + 1}\nLosses: {sum(losses):.6g}, norm: {np.linalg.norm(coef):.6g}, T: {t}")

    def _held_out(self, splitter, y, w):
        """Which rows are visited with early stopping: all but the validation set."""
        cv = splitter(test_size=self.validation_fraction, random_state=self.random_state)
        _, held = next(cv.split(np.zeros((len(y), 1)), y))
        if w is not None and not w[held].any():
            raise ValueError(
                "The sample weights for validation set are all zero, consider using a different random state."
            )
        chosen = np.ones(len(y), dtype=bool)
        chosen[held] = False
        return chosen, held

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
