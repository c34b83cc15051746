"""K-means."""

import warnings
from typing import ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions

from mlwright._kernels.cluster import lloyd
from mlwright._runtime.progress import Reporter
from mlwright.base import fit_context
from mlwright.cluster._base import KMeansBase
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number, Size, Strings, Tensor


class KMeans(KMeansBase):
    """K-means clustering: Lloyd's algorithm with bounds that spare most distances and change no label.

    From the same first centres it takes the same steps to the same labels as scikit-learn's class.

    Parameters
    ----------
    n_clusters : int, default=8
    init : {"k-means++", "random"}, callable or array-like of shape (n_clusters, n_features), default="k-means++"
        First centres: drawn one after the other far from those drawn before; rows drawn at random; or yours, from
        ``init(X, n_clusters, random_state=...)`` where it is a callable.
    n_init : "auto" or int, default="auto"
        Runs from different first centres, of which the best is kept. "auto" is 1 for "k-means++" and an array, else 10.
    max_iter : int, default=300
    tol : float, default=1e-4
        A run ends when no label changes, or when the squared movements of all centres sum to no more than `tol` times
        the mean variance of the columns.
    verbose : int, default=0
    random_state : int, RandomState instance or None, default=None
    copy_x : bool, default=True
        Has no effect: X is never changed.
    algorithm : {"lloyd", "elkan"}, default="lloyd"
        Has no effect: bounds are used wherever they spare work.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
    labels_ : int32 ndarray of shape (n_samples,)
        As ``predict`` gives them for the rows.
    inertia_ : float
        Weighted sum of squared distances to the nearest centres.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Warns
    -----
    ConvergenceWarning
        If fewer different clusters than `n_clusters` are found, as for rows that repeat.

    Notes
    -----
    Distances are formed in single precision first, with a bound of its rounding; a row is looked at in double
    precision only where that leaves a doubt. The first of equally near centres wins. Results do not depend on threads,
    instruction set or memory layout.

    A weight is a repetition, for the first centres too: random numbers fall on what rows hold, not on where they stand.
    So draws differ from scikit-learn's for the same `random_state`; pass an array as `init` to start where it does.

    References
    ----------
    Lloyd (1982), Least squares quantization in PCM. Hamerly (2010), Making k-means even faster.
    Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.cluster import KMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> model = KMeans(n_clusters=2, init=[[0, 0], [9, 9]]).fit(X)
    >>> model.labels_
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    >>> model.cluster_centers_
    array([[ 1.,  2.],
           [10.,  2.]])
    >>> model.predict([[0, 0], [12, 3]])
    array([0, 1], dtype=int32)
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        cluster_centers_=Tensor("f4 f8", "k p"),
        labels_=Tensor("i4", "n"),
        inertia_=Number(0.0),
        n_iter_=Number(0, integer=True),
    )
    _parameter_constraints: ClassVar[dict] = {
        **KMeansBase._parameter_constraints,
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"lloyd", "elkan"})],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        n_init="auto",
        max_iter=300,
        tol=1e-4,
        verbose=0,
        random_state=None,
        copy_x=True,
        algorithm="lloyd",
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the clusters.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For fewer rows than clusters, first centres of the wrong shape, weights that are negative or all zero.
        NumericalError
            Where squares of finite data overflow.
        """
        problem = self._problem(X, sample_weight)
        random_state = check_random_state(self.random_state)
        best = None
        for _ in range(self._n_runs()):
            run = lloyd(
                problem.rows, problem.w, self._start(problem, random_state), problem.frame.shift, problem.frame.unit,
                int(self.max_iter), self.tol * problem.variance,
                Reporter("k-means", int(self.max_iter), verbose=int(self.verbose)),
            )  # fmt: skip
            # A run whose clusters are the same under other numbers is better by rounding only.
            if best is None or (run[2] < best[2] and not _same_clusters(run[0], best[0])):
                best = run
        self.labels_, centers, self.inertia_, self.n_iter_, _ = best
        self.cluster_centers_ = centers.astype(problem.X.dtype)
        found = np.count_nonzero(np.bincount(self.labels_))
        if found < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({found}) found smaller than n_clusters ({self.n_clusters}). Possibly "
                "due to duplicate points in X.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self


def _same_clusters(a, b):
    """Whether the labels `a` are the labels `b` under other numbers."""
    pairs = len(np.unique(a.astype(np.int64) << 32 | b))
    return pairs == len(np.unique(a)) == len(np.unique(b))
