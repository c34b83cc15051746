"""Where encoding and decoding stand: the path inside the model, its tensors, and the sizes seen so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlwright._runtime.errors import ModelFormatError


@dataclass(frozen=True)
class _Place:
    path: str
    sizes: dict[str, int] = field(default_factory=dict)

    def at(self, key: object):
        """The place below this one; the sizes are shared."""
        return type(self)(**{**vars(self), "path": f"{self.path}.{key}" if self.path else str(key)})

    def fresh(self):
        """This place with sizes of its own: what a nested model begins with."""
        return type(self)(**{**vars(self), "sizes": {}})


@dataclass(frozen=True)
class Sink(_Place):
    """Takes a model apart. Tensors are stored under the path they come from."""

    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    encode_model: Callable[[Any, "Sink"], Any] | None = None

    def put(self, array: np.ndarray) -> None:
        self.tensors[self.path] = array

    def trial(self) -> "Sink":
        """A copy to try on; :meth:`accept` takes over what it collected."""
        return Sink(self.path, dict(self.sizes), {}, self.encode_model)

    def accept(self, trial: "Sink") -> None:
        self.sizes.update(trial.sizes)
        self.tensors.update(trial.tensors)

    def error(self, message: str) -> ValueError:
        """What to raise for a value that its declaration does not allow."""
        return ValueError(f"save: {self.path or 'model'}: {message}")

    def refusal(self, message: str) -> TypeError:
        """What to raise for a value of a kind that no model file holds."""
        return TypeError(f"save: {self.path or 'model'}: {message}")


@dataclass(frozen=True)
class Source(_Place):
    """Puts a model together. Each tensor is taken exactly once, by the value at its path."""

    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    decode_model: Callable[[Any, "Source"], Any] | None = None

    def take(self) -> np.ndarray:
        try:
            return self.tensors.pop(self.path)
        except KeyError:
            raise self.error("its tensor is missing from the file") from None

    def error(self, message: str) -> ModelFormatError:
        """What to raise for a value that its declaration does not allow."""
        return ModelFormatError(f"model file: {self.path or 'model'}: {message}")
