"""The error family. Messages say: subject, got, expected, remedy."""


class MlwrightError(Exception):
    """Base of the errors that only mlwright raises."""


class ModelFormatError(MlwrightError, ValueError):
    """A model file is damaged, from another format version, or no model file at all."""


class NumericalError(MlwrightError, ArithmeticError):
    """A computation has no finite answer, e.g. a matrix that must be positive definite is not."""


class LossOfPrecisionWarning(UserWarning):
    """An answer was given, but with fewer right digits than usual; the message says how many and what to do."""
