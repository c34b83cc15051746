"""SHAP values of models of trees."""

import numpy as np

from mlwright._kernels import shap as kernels
from mlwright.explain._explanation import Explanation
from mlwright.explain._model import TreeModel

_PERTURBATIONS = ("auto", "tree_path_dependent", "interventional")


class TreeExplainer:
    """Exact SHAP values and interaction values of boosted trees and forests.

    The values of a row say how far each feature moves the model's raw score (of a classifier: before the logistic or
    softmax function) away from the base value, and add up to it. They do not depend on threads, on the instruction set,
    or on which other rows are explained in the same call: not in a bit.

    Parameters
    ----------
    model : object
        A fitted boosted estimator of :mod:`mlwright.ensemble`, an imported model (``mlwright.deploy``) or a
        :class:`mlwright._kernels.forest.Forest`. Missing values and categorical splits are followed as in ``predict``.
    data : array-like of shape (m, n_features), default=None
        Background: what an unknown feature is replaced by. NaN is allowed where the model allows it. A hundred to a
        thousand rows are usual; the cost of explaining hardly depends on their number.
    feature_perturbation : {'auto', 'tree_path_dependent', 'interventional'}, default='auto'
        What an unknown feature is: 'tree_path_dependent' averages both sides of its splits by how many training rows
        went there, and needs no ``data``; 'interventional' takes it from the rows of ``data``. 'auto' is
        'interventional' where ``data`` is given.
    feature_names : sequence of str, default=None
        Default: those that the model was fitted with.
    output_names : sequence of str, default=None
        Default: the classes of a classifier of more than two.

    Attributes
    ----------
    expected_value : float or ndarray of shape (n_outputs,)
        The base value: the score when no feature is known.
    feature_perturbation : str
        'tree_path_dependent' or 'interventional'.

    Raises
    ------
    TypeError
        If the model has no trees that mlwright knows.
    ValueError
        For a background without rows or of another number of features, or that does not suit
        ``feature_perturbation``; for interventional values of trees with more than 64 different features on a branch.

    Notes
    -----
    Every row x adds up: ``expected_value + shap_values(x).sum()`` is the raw score up to rounding of sums in double
    precision (1e-9 relative at most). Models that sum in float32 (XGBoost's) differ from it by their own rounding.

    References
    ----------
    Lundberg et al., From local explanations to global understanding with explainable AI for trees, Nature Machine
    Intelligence 2 (2020), 56-67.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.ensemble import HistGradientBoostingRegressor
    >>> from mlwright.explain import TreeExplainer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 4))
    >>> y = X[:, 0] + X[:, 1] * X[:, 2]
    >>> model = HistGradientBoostingRegressor().fit(X, y)
    >>> explainer = TreeExplainer(model)
    >>> values = explainer.shap_values(X[:3])
    >>> values.shape
    (3, 4)
    >>> bool(np.allclose(explainer.expected_value + values.sum(axis=1), model.predict(X[:3])))
    True
    """

    def __init__(self, model, data=None, *, feature_perturbation="auto", feature_names=None, output_names=None):
        self._model = TreeModel.of(model)
        self._background = None if data is None else self._background_rows(data)
        self.feature_perturbation = self._perturbation(feature_perturbation)
        forest = self._model.forest
        self._feature_names = _names(feature_names, forest.n_features, "feature_names") or self._model.feature_names
        self._output_names = _names(output_names, forest.n_outputs, "output_names") or self._model.output_names
        base = forest.start / forest.divide_by + self._native.base()
        self.expected_value = float(base[0]) if forest.n_outputs == 1 else base

    def shap_values(self, X):
        """SHAP values of every row.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        values : ndarray of shape (n, n_features), or (n, n_features, n_outputs) of models with several scores
        """
        return self._squeezed(kernels.values_of(self._native, self._model.rows(X), self._model.forest.n_outputs))

    def shap_interaction_values(self, X):
        """Interaction values of every row: symmetric; each row of a matrix sums to the feature's SHAP value.

        Parameters
        ----------
        X : array-like of shape (n, n_features)

        Returns
        -------
        values : ndarray of shape (n, n_features, n_features), or (n, n_features, n_features, n_outputs)
            Off the diagonal half of what a pair brings beyond both features alone; on it what a feature brings alone.
        """
        return self._squeezed(kernels.interactions_of(self._native, self._model.rows(X), self._model.forest.n_outputs))

    def __call__(self, X, *, interactions=False):
        """SHAP values (or interaction values) with the rows and names they belong to.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        interactions : bool, default=False

        Returns
        -------
        explanation : Explanation
            shap's plots take it.
        """
        values = self.shap_interaction_values(X) if interactions else self.shap_values(X)
        base = np.array(np.broadcast_to(self.expected_value, (len(values), *np.shape(self.expected_value))))
        names = self._feature_names
        if names is None and hasattr(X, "columns"):
            names = [str(name) for name in X.columns]
        if names is None:
            names = [f"Feature {j}" for j in range(self._model.forest.n_features)]
        return Explanation(values, base, np.asarray(X), names, self._output_names, interactions=interactions)

    def _background_rows(self, data):
        if np.shape(data)[:1] == (0,):
            raise ValueError("data: got a background of no rows, expected at least one; None for path-dependent values")
        return self._model.rows(data, "data")

    def _perturbation(self, chosen):
        if chosen not in _PERTURBATIONS:
            raise ValueError(f"feature_perturbation: got {chosen!r}, expected one of {_PERTURBATIONS}")
        has_data = self._background is not None
        if chosen == "interventional" and not has_data:
            raise ValueError("feature_perturbation: got 'interventional' without data, expected a background in data=")
        if chosen == "tree_path_dependent" and has_data:
            raise ValueError(
                "feature_perturbation: got 'tree_path_dependent' together with data, expected data=None: these values "
                "come from the model alone"
            )
        return "interventional" if has_data else "tree_path_dependent"

    @property
    def _native(self):
        """Paths and tables of the core; made at the first use in a process, never pickled."""
        if "_shap" not in vars(self):
            forest = self._model.forest
            self._shap = kernels.make_shap(
                forest.trees,
                forest.n_features,
                forest.n_outputs,
                self._background,
                divide_by=forest.divide_by,
                float32_input=forest.input_dtype == "float32",
            )
        return self._shap

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_shap"}

    def _squeezed(self, values):
        return values[..., 0] if self._model.forest.n_outputs == 1 else values


def _names(names, n, what):
    if names is None:
        return None
    names = [str(name) for name in names]
    if len(names) != n:
        raise ValueError(f"{what}: got {len(names)} names, expected {n}")
    return names
