"""scikit-learn-intelex (oneDAL): its own classes, no patching; a fit that fell back to scikit-learn does not count."""

import logging

from sklearnex.cluster import KMeans
from sklearnex.decomposition import PCA
from sklearnex.linear_model import LinearRegression, LogisticRegression, Ridge

from benchmarks.clusters import FromFirstRows


def k_means(X, start, settings):
    k, n_iter = settings["n_clusters"], settings["max_iter"]
    return KMeans(k, init=start, n_init=1, max_iter=n_iter, tol=0.0).fit(X).cluster_centers_


MODELS = {
    "k_means": lambda settings: FromFirstRows(settings, k_means),
    "pca": lambda settings: PCA(settings["n_components"], svd_solver="covariance_eigh"),
    "logistic": lambda settings: LogisticRegression(C=settings["C"], tol=settings["tol"], max_iter=10_000),
    "least_squares": lambda settings: LinearRegression(),
    "ridge": lambda settings: Ridge(alpha=settings["alpha"]),
}


class _Record(logging.Handler):
    """Keeps what the library says about how it ran."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


_record = _Record()
_logger = logging.getLogger("sklearnex")
_logger.addHandler(_record)
_logger.setLevel(logging.INFO)
_logger.propagate = False


def notes() -> list[str]:
    """That every fit ran in oneDAL; raises when one fell back."""
    fits = [message for message in _record.messages if ".fit:" in message]
    fell_back = [message for message in fits if "accelerated version" not in message]
    if not fits or fell_back:
        raise RuntimeError(f"fell back to scikit-learn: {fell_back[:1] or 'no fit was logged'}")
    return [f"verified: {len(fits)} fits, none fell back"]
