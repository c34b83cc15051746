"""Bayesian logistic regression."""

from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from mlwright._bayesian.laws import DrawnLaw, LawInParts
from mlwright._kernels.rng import uniform
from mlwright._validation import checked_weights
from mlwright.base import fit_context
from mlwright.bayes._glm.base import CONSTRAINTS, FIELDS, LAW_DRAWS, WARM_UP, NormalPriorGlm
from mlwright.bayes._glm.families import Law
from mlwright.bayes._glm.problem import scores
from mlwright.io.composite import State
from mlwright.io.schema import Labels, Tensor

_PICK = 7412  # stream


class BayesianLogisticRegression(ClassifierMixin, NormalPriorGlm):
    """Logistic regression of two classes with normal priors, and its whole posterior.

    Parameters
    ----------
    prior_scale : float, default=2.5
        Standard deviation of the normal priors of the coefficients of standardised columns. The intercept's is flat.
    method : {"sample", "polya_gamma", "laplace"}, default="sample"
        Exact draws by Markov chains that take candidates from the normal law nearest to the posterior, or by
        Hamiltonian ones where that is too far off; by Gibbs chains with Pólya-Gamma variables, for weights that are
        whole numbers; or draws from the normal approximation at the mode.
    fit_intercept : bool, default=True
    chains : int, default=4
    draws : int, default=1000
        Of each chain.
    compute_loo : bool, default=True
        Whether `score_loo_` and what it is made of are there; it takes as long as a thousand draws.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    coef_ : ndarray of shape (1, n_features)
        Posterior mean.
    intercept_ : ndarray of shape (1,)
    k_hat_ : float
        How far the posterior is from the law of candidates, or with ``method="laplace"`` from the normal approximation
        at the mode: below 0.5 near; above 0.7 too far to trust `log_evidence_`, or draws with ``method="laplace"``.
    acceptance_rate_ : float
        Of the chains' candidates or trajectories.
    log_evidence_ : float
        Log marginal likelihood of y, by importance sampling.
    score_loo_ : float
        The sum over rows of ``log p(y_i | all other rows)``, by importance sampling over up to
        1000 draws.
    loo_log_density_, loo_k_hat_ : ndarray of shape (n_samples,)
        Its terms, and how far to trust them: above 0.7, not.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    ``predict_proba`` is the posterior mean of the probability, ``predict_interval`` and ``predict_quantiles`` are about
    the probability of ``classes_[1]``, and ``sample_predictive`` draws classes. Classes that a plane separates are
    fine: the prior keeps the posterior proper.

    References
    ----------
    Gelman, Jakulin, Pittau, Su (2008), A weakly informative default prior distribution for logistic and other
    regression models. Annals of Applied Statistics 2. Tierney (1994), Markov chains for exploring posterior
    distributions. Annals of Statistics 22. Opper, Archambeau (2009), The variational Gaussian approximation revisited.
    Neural Computation 21. Polson, Scott, Windle (2013), Bayesian inference for logistic models using
    Pólya-Gamma latent variables. JASA 108.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import BayesianLogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = X[:, 0] + rng.logistic(size=200) > 0
    >>> model = BayesianLogisticRegression(random_state=0).fit(X, y)
    >>> draws = model.sample_posterior(1000, random_state=0)
    >>> bool((draws["coef"][:, 0] > draws["coef"][:, 1]).mean() > 0.95)
    True
    >>> model.predict_interval(X[:3], coverage=0.9).shape
    (3, 2)
    """

    _law = Law("binomial", "logit")
    _model_state = State(
        classes_=Labels("2"),
        coef_=Tensor("f8", "1 p"),
        intercept_=Tensor("f8", "1"),
        **FIELDS,
    )
    _parameter_constraints: ClassVar[dict] = {
        **CONSTRAINTS,
        "method": [StrOptions({"sample", "polya_gamma", "laplace"})],
    }

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights count as repetitions.

        Returns
        -------
        self : object
        """
        X, y = validate_data(self, X, y, dtype=np.float64, order="C")
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass: got "
                f"{len(classes)} classes."
            )
        if len(classes) < 2:
            raise ValueError(
                "BayesianLogisticRegression needs samples of at least 2 classes in the data, but the data contains "
                f"only one class: {classes[0]!r}"
            )
        if sample_weight is not None:
            w = checked_weights(sample_weight, X)
            if len(np.unique(codes[w > 0.0])) < 2:
                raise ValueError(
                    "BayesianLogisticRegression needs samples of at least 2 classes in the data, but those of positive "
                    "weight are of one class."
                )
        self.classes_ = classes
        self._fit_problem(self._problem(X, codes.astype(np.float64), sample_weight), self._method, WARM_UP)
        draws = self._all_draws()
        self.coef_, self.intercept_ = draws["coef"].mean(axis=0)[None, :], draws["intercept"].mean(keepdims=True)
        return self

    def predict_proba(self, X):
        """Posterior means of the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, 2)
        """
        p = self._posterior_mean(X)
        return np.column_stack([1.0 - p, p])

    def predict_log_proba(self, X):
        """Logarithms of :meth:`predict_proba`, of shape (n_samples, n_classes); minus infinity where one is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X):
        """Log odds of the posterior mean probability of ``classes_[1]``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        score : ndarray of shape (n_samples,)
        """
        p = self._posterior_mean(X)
        tiny = np.finfo(np.float64).tiny
        return special.logit(np.clip(p, tiny, 1.0 - np.finfo(np.float64).epsneg))

    def predict(self, X):
        """The more probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        p = self._posterior_mean(X)
        return self.classes_[(p > 0.5).astype(np.int64)]

    def _predictive_law(self, X):
        X, draws = self._checked(X), {**self._chains().pick(LAW_DRAWS, 0), "effects": ()}

        def of_rows(begin, end):
            return DrawnLaw(scores(X[begin:end], None, draws, (), ()), self._law.mean)

        return LawInParts(len(X), LAW_DRAWS, of_rows)

    def _predictive_draws(self, X, n_samples, seed):
        X = self._checked(X)
        p = self._means(X, self._posterior_draws(n_samples, seed)).T
        return self.classes_[(uniform(seed, _PICK, p.size).reshape(p.shape) < p).astype(np.int64)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
