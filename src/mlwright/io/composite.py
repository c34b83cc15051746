"""Declarations made of declarations: lists, maps, records, choices, nested models."""

from typing import Any

from mlwright.io.context import Sink, Source
from mlwright.io.schema import Size, Spec, Text


class Optional(Spec):
    """None, or what the inner declaration says."""

    def __init__(self, inner: Spec):
        self.inner = inner

    def encode(self, value, out):
        return None if value is None else self.inner.encode(value, out)

    def decode(self, node, source):
        return None if node is None else self.inner.decode(node, source)


class AnyOf(Spec):
    """One of several declarations; the file says which by its number."""

    def __init__(self, *choices: Spec):
        self.choices = choices

    def encode(self, value, out):
        reasons = []
        for number, choice in enumerate(self.choices):
            trial = out.trial()
            try:
                node = choice.encode(value, trial)
            except (TypeError, ValueError) as error:
                reasons.append(str(error))
                continue
            out.accept(trial)
            return [number, node]
        raise out.error("fits none of its declarations: " + "; ".join(reasons))

    def decode(self, node, source):
        if type(node) is not list or len(node) != 2 or type(node[0]) is not int:
            raise source.error("got no pair of a choice's number and its value")
        if not 0 <= node[0] < len(self.choices):
            raise source.error(f"got choice {node[0]} of {len(self.choices)}")
        return self.choices[node[0]].decode(node[1], source)


class ListOf(Spec):
    """A list (or, with ``kind=tuple``, a tuple) of equal declarations; `size` is a letter for its length."""

    def __init__(self, item: Spec, size: str | None = None, kind: type = list):
        self.item, self.size, self.kind = item, size, kind

    def encode(self, value, out):
        if type(value) is not self.kind:
            raise out.error(f"got {type(value).__name__}; expected {self.kind.__name__}")
        self._check(len(value), out)
        return [self.item.encode(item, out.at(i)) for i, item in enumerate(value)]

    def decode(self, node, source):
        if type(node) is not list:
            raise source.error(f"got {node!r:.80}; expected a list")
        self._check(len(node), source)
        return self.kind(self.item.decode(item, source.at(i)) for i, item in enumerate(node))

    def _check(self, length: int, place: Sink | Source) -> None:
        if self.size is not None:
            Size(self.size).decode(length, place)


class MapOf(Spec):
    """A dict from strings to equal declarations; the order is kept."""

    def __init__(self, item: Spec):
        self.item = item

    def encode(self, value, out):
        if type(value) is not dict:
            raise out.error(f"got {type(value).__name__}; expected dict")
        pairs = enumerate(value.items())
        return [[Text().encode(key, out), self.item.encode(item, out.at(i))] for i, (key, item) in pairs]

    def decode(self, node, source):
        if type(node) is not list or not all(type(pair) is list and len(pair) == 2 for pair in node):
            raise source.error("got no list of pairs; expected a map")
        pairs = enumerate(node)
        result = {Text().decode(key, source): self.item.decode(item, source.at(i)) for i, (key, item) in pairs}
        if len(result) != len(node):
            raise source.error("a map names the same key twice")
        return result


class Record(Spec):
    """A dict with these keys, no others; a key under :class:`Maybe` may be absent."""

    def __init__(self, **fields: Spec):
        self.fields = fields

    def encode(self, value, out):
        if type(value) is not dict:
            raise out.error(f"got {type(value).__name__}; expected dict")
        return self.encode_fields(value, out)

    def encode_fields(self, value: dict[str, Any], out: Sink) -> dict[str, Any]:
        self._check(value, out)
        return {key: spec.encode(value[key], out.at(key)) for key, spec in self.fields.items() if key in value}

    def decode(self, node, source):
        if type(node) is not dict:
            raise source.error(f"got {node!r:.80}; expected an object")
        self._check(node, source)
        return {key: spec.decode(node[key], source.at(key)) for key, spec in self.fields.items() if key in node}

    def _check(self, value: dict[str, Any], place: Sink | Source) -> None:
        missing = [key for key, spec in self.fields.items() if key not in value and not isinstance(spec, Maybe)]
        unknown = [key for key in value if key not in self.fields]
        if missing:
            raise place.error(f"lacks {', '.join(missing)}")
        if unknown:
            raise place.error(f"has {', '.join(map(repr, unknown)):.200}, which its declaration does not name")


class Maybe(Spec):
    """A field of a :class:`Record` or :class:`State` that may be absent."""

    def __init__(self, inner: Spec):
        self.encode, self.decode = inner.encode, inner.decode


class Nested(Spec):
    """A model within a model; `names` restricts it to these registered classes."""

    def __init__(self, *names: str):
        self.names = names

    def encode(self, value, out):
        node = out.encode_model(value, out)
        self._check(node, out)
        return node

    def decode(self, node, source):
        self._check(node, source)
        return source.decode_model(node, source)

    def _check(self, node: Any, place: Sink | Source) -> None:
        if self.names and (type(node) is not dict or node.get("class") not in self.names):
            raise place.error(f"got another model than {' or '.join(self.names)}")


class State(Record):
    """The fitted state of a class: its attributes by name, in this order in the file.

    Parameters
    ----------
    _version : int, default=1
        Raised when a change to the state makes older files unreadable.
    **fields : Spec
    """

    def __init__(self, _version: int = 1, **fields: Spec):
        super().__init__(**fields)
        self.version = _version
