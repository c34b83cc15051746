"""scikit-learn-intelex (oneDAL): its own classes, no patching; a fit that fell back to scikit-learn does not count."""

import logging

from sklearnex.linear_model import LinearRegression, LogisticRegression, Ridge

MODELS = {
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
