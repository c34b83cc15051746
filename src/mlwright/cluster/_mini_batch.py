"""K-means on samples of the rows, and on streams."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from mlwright._kernels import rng
from mlwright._kernels.cluster import assign, random_rows
from mlwright._kernels.sgd import as_rows, row_keys
from mlwright._runtime.progress import Reporter
from mlwright._runtime.rng import seed_from, stream_id
from mlwright.base import fit_context
from mlwright.cluster._base import Frame, KMeansBase
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number, Size, Strings, Tensor

_BATCHES, _FIRST, _JUDGED = 0x4D42, 0x4D46, 0x4D4A  # purposes of random numbers
_SEEDS = 1 << 64


class MiniBatchKMeans(KMeansBase):
    """K-means that moves the centres after each batch of rows: for very many rows, and for rows that keep coming.

    Parameters
    ----------
    n_clusters : int, default=8
    init : {"k-means++", "random"}, callable or array-like of shape (n_clusters, n_features), default="k-means++"
    max_iter : int, default=100
        Passes over the rows, counted in rows drawn.
    batch_size : int, default=1024
    verbose : int, default=0
    compute_labels : bool, default=True
        Label all rows at the end.
    random_state : int, RandomState instance or None, default=None
    tol : float, default=0.0
        Stop when the squared movements of the centres sum to no more than `tol` times the mean variance of the columns.
    max_no_improvement : int or None, default=10
        Stop after as many batches in a row without a better smoothed inertia.
    init_size : int or None, default=None
        Rows sampled for the first centres; 3 batches, or 3 rows a cluster if that is more.
    n_init : "auto" or int, default="auto"
        First centres tried, of which the best on a sample is kept. "auto" is 1 for "k-means++" and an array, else 3.
    reassignment_ratio : float, default=0.01
        Centres with less than this share of the largest count are put on rows of a batch from time to time.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
    labels_ : int32 ndarray of shape (n_samples,)
        When ``compute_labels=True``.
    inertia_ : float
        Of all rows, or its running estimate without labels.
    n_iter_ : int
        Passes over the rows.
    n_steps_ : int
        Batches.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    Batches are drawn with replacement, a row as often as its weight says, and by what rows hold: whole weights are
    repetitions.

    References
    ----------
    Sculley (2010), Web-scale k-means clustering.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.cluster import MiniBatchKMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> MiniBatchKMeans(n_clusters=2, init=[[0, 0], [9, 9]], random_state=0).fit(X).labels_
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        cluster_centers_=Tensor("f4 f8", "k p"),
        labels_=Maybe(Tensor("i4", "n")),
        inertia_=Number(0.0),
        n_iter_=Maybe(Number(0, integer=True)),
        n_steps_=Number(0, integer=True),
        _counts=Tensor("f8", "k"),
        _seed=Number(0, integer=True),
        _since_reassigned=Number(0, integer=True),
    )
    _parameter_constraints: ClassVar[dict] = {
        **KMeansBase._parameter_constraints,
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "compute_labels": ["boolean"],
        "max_no_improvement": [Interval(Integral, 0, None, closed="left"), None],
        "init_size": [Interval(Integral, 1, None, closed="left"), None],
        "reassignment_ratio": [Interval(Real, 0, None, closed="left")],
    }
    _runs_by_default = 3

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        max_iter=100,
        batch_size=1024,
        verbose=0,
        compute_labels=True,
        random_state=None,
        tol=0.0,
        max_no_improvement=10,
        init_size=None,
        n_init="auto",
        reassignment_ratio=0.01,
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the clusters from batches drawn of the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        problem = self._problem(X, sample_weight)
        urn = _Urn(problem)
        batch, tol = min(int(self.batch_size), urn.n), self.tol * problem.variance
        self._begin(problem, urn, batch)
        n_steps = max(1, self.max_iter * urn.n // batch)
        reporter = Reporter("mini-batch k-means", n_steps, verbose=int(self.verbose))
        patience = _Patience(self.max_no_improvement, min(2.0 * batch / (urn.n + 1), 1.0))
        for _ in range(n_steps):
            rows = problem.X[urn.draw(self._seed, _BATCHES, self.n_steps_, batch)]
            inertia, moved = self._step(rows, None, problem.frame)
            reporter.report(self.n_steps_, inertia=inertia / batch)
            if self.n_steps_ > 1 and (patience.is_out(inertia / batch) or (tol > 0.0 and moved <= tol)):
                break
        self.n_iter_ = -(-self.n_steps_ * batch // urn.n)
        self.inertia_ = float(patience.smooth or 0.0) * urn.n
        if self.compute_labels:
            centers = self.cluster_centers_.astype(np.float64)
            self.labels_, self.inertia_, _, _ = assign(
                problem.rows, problem.w, centers, problem.frame.shift, problem.frame.unit
            )
        return self

    @fit_context
    def partial_fit(self, X, y=None, sample_weight=None):
        """Move the centres by one batch; the first one also gives the first centres.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        first = not hasattr(self, "cluster_centers_")
        problem = self._problem(X, sample_weight, reset=first, fewest=None if first else 1)
        if first:
            self._begin(problem, _Urn(problem), problem.X.shape[0])
        self.inertia_ = self._step(problem.X, problem.w, problem.frame)[0]
        vars(self).pop("labels_", None)
        if self.compute_labels:
            centers = self.cluster_centers_.astype(np.float64)
            self.labels_, self.inertia_, _, _ = assign(
                problem.rows, problem.w, centers, problem.frame.shift, problem.frame.unit
            )
        return self

    def _begin(self, problem, urn, batch):
        """The best of several first centres, judged on a sample; nothing counted yet."""
        for name in ("labels_", "n_iter_"):
            vars(self).pop(name, None)
        random_state = check_random_state(self.random_state)
        self._seed = seed_from(random_state)
        size = self._first_size(batch, urn.n)
        judged = as_rows(problem.X[urn.draw(self._seed, _JUDGED, 0, size)])
        best = np.inf
        for run in range(self._n_runs()):
            sample = problem.part(urn.draw(self._seed, _FIRST, run, size)) if size < urn.n else problem
            centers = self._start(sample, random_state)
            inertia = assign(judged, None, centers, problem.frame.shift, problem.frame.unit)[1]
            if run == 0 or inertia < best:
                best, self.cluster_centers_ = inertia, centers.astype(problem.X.dtype)
        self._counts = np.zeros(int(self.n_clusters))
        self._since_reassigned = self.n_steps_ = 0

    def _first_size(self, batch, n):
        """Rows sampled for the first centres."""
        size, fewest = 3 * batch if self.init_size is None else int(self.init_size), int(self.n_clusters)
        if size >= fewest:
            return min(size, n)
        if self.init_size is not None:
            warnings.warn(
                f"init_size={size} should be larger than n_clusters={fewest}. Setting it to min(3*n_clusters, "
                "n_samples)",
                RuntimeWarning,
                stacklevel=5,
            )
        return min(3 * fewest, n)

    def _step(self, X, w, frame: Frame):
        """One batch; its inertia before the centres move, and the sum of their squared movements."""
        old = self.cluster_centers_.astype(np.float64)
        rows = as_rows(X)
        _, inertia, weight, sums = assign(rows, w, old, frame.shift, frame.unit, with_sums=True)
        counts = self._counts + weight
        share = np.divide(weight, counts, out=np.zeros_like(counts), where=weight > 0.0)
        mean = np.divide(sums, weight[:, None], out=old.copy(), where=weight[:, None] > 0.0)
        new = old + share[:, None] * (mean - old)
        self._counts = counts
        self._since_reassigned += X.shape[0]
        if (counts == 0.0).any() or self._since_reassigned >= 10 * self.n_clusters:
            self._since_reassigned = 0
            self._reassign(new, X, rows, w)
        self.cluster_centers_ = new.astype(self.cluster_centers_.dtype)
        self.n_steps_ += 1
        return inertia, ((new - old) ** 2).sum()

    def _reassign(self, centers, X, rows, w):
        """Put centres of few rows on rows of the batch."""
        few = self._counts < self.reassignment_ratio * self._counts.max()
        most = X.shape[0] // 2
        if few.sum() > most:
            few[np.argsort(self._counts, kind="stable")[most:]] = False
        if not few.any():
            return
        keys = row_keys(rows, np.zeros(X.shape[0]))
        chosen = X[random_rows(w, keys, int(few.sum()), (self._seed + 1 + self.n_steps_) % _SEEDS)]
        centers[few] = chosen.toarray() if hasattr(chosen, "toarray") else chosen
        self._counts[few] = self._counts[~few].min()


class _Urn:
    """Draws of rows with replacement, in proportion to their weights, by what they hold.

    Attributes
    ----------
    n : int
        Rows; where all weights are whole numbers, their sum.
    """

    def __init__(self, problem):
        w = problem.w
        self._order = np.argsort(problem.keys, kind="stable")
        self._ends = None if w is None else np.cumsum(w[self._order])
        whole = w is not None and (w == np.rint(w)).all()
        self.n = int(w.sum()) if whole else problem.X.shape[0]

    def draw(self, seed, purpose, number, size):
        """Row numbers (size,)."""
        u = rng.uniform(seed, stream_id(purpose, number), size)
        if self._ends is None:
            return self._order[np.minimum((u * len(self._order)).astype(np.int64), len(self._order) - 1)]
        at = np.searchsorted(self._ends, u * self._ends[-1], side="right")
        return self._order[np.minimum(at, np.searchsorted(self._ends, self._ends[-1]))]


class _Patience:
    """The smoothed inertia of batches, and whether it has stopped falling."""

    def __init__(self, most, share):
        self.most, self.share = most, share
        self.smooth, self.best, self.waited = None, np.inf, 0

    def is_out(self, inertia):
        self.smooth = inertia if self.smooth is None else self.smooth + self.share * (inertia - self.smooth)
        self.waited = 0 if self.smooth < self.best else self.waited + 1
        self.best = min(self.best, self.smooth)
        return self.most is not None and self.waited >= self.most
