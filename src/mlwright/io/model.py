"""A model as JSON and tensors, and back: class, parameters, fitted state.

Reading goes from cheap to dear: names, then values against the class's declaration, then the object, and at last the
class's own `_validate_state`. A value that fails any of these never reaches a kernel.
"""

from collections.abc import Mapping
from functools import cache
from inspect import signature
from typing import Any

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright.io import plain, strict_json
from mlwright.io.composite import Optional
from mlwright.io.context import Sink, Source
from mlwright.io.registry import checks_of, class_of, name_of, state_of
from mlwright.io.schema import Choice

_KEYS = {"class", "version", "params", "state", "output"}
_OUTPUT_CONFIG = "_sklearn_output_config"  # what set_output() leaves; belongs to any transformer
_REQUESTS = "_metadata_request"  # what set_fit_request() and its like leave; belongs to any estimator
_FITTED_WITH = "_as_fitted"  # what the fit context keeps of parameters; in files only where set_params changed them
_OUTPUT = Optional(Choice("default", "pandas", "polars"))


def encode(model: Any) -> tuple[str, dict[str, np.ndarray]]:
    """The description of `model` as canonical JSON, and its tensors by name."""
    out = Sink("", encode_model=_encode_model)
    text = strict_json.dumps(_encode_model(model, out))
    strict_json.check_size(text, "model")
    return text, out.tensors


def decode(text: str, tensors: Mapping[str, np.ndarray]) -> Any:
    """The model that :func:`encode` described; ModelFormatError if there is none."""
    remaining = dict(tensors)
    source = Source("", tensors=remaining, decode_model=_decode_model)
    model = _decode_model(strict_json.loads(text, "model file"), source)
    if remaining:
        raise ModelFormatError(f"model file: holds tensors that no attribute uses: {', '.join(remaining):.200}")
    return model


def _encode_model(model: Any, out: Sink) -> dict[str, Any]:
    name = name_of(model)
    schema = state_of(type(model))
    # A class may state its parameters for a file where one is code, e.g. a loss function of the user's.
    parameters = getattr(model, "_params_for_file", lambda: model.get_params(deep=False))()
    attributes = {key: value for key, value in vars(model).items() if key not in parameters}
    output = attributes.pop(_OUTPUT_CONFIG, {}).get("transform")
    _drop_requests(model, attributes, out)
    fitted_with = attributes.pop(_FITTED_WITH, {})
    place = out.at("params")
    node = {
        "class": name,
        "version": schema.version,
        "params": {key: plain.encode(value, place.at(key)) for key, value in sorted(parameters.items())},
        "state": schema.encode(attributes, out.fresh()) if attributes else None,
        "output": _OUTPUT.encode(output, out.at("output")),
    }
    changed = {key: value for key, value in fitted_with.items() if not _same(value, getattr(model, key))}
    if changed:
        place = out.at("fitted_with")
        node["fitted_with"] = {key: plain.encode(value, place.at(key)) for key, value in sorted(changed.items())}
    _check(model, bool(attributes), out)
    return node


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and np.array_equal(a, b))


def _drop_requests(model: Any, attributes: dict[str, Any], out: Sink) -> None:
    """Metadata requests are settings of a process, not of a model: leave out the default ones, refuse others."""
    if _REQUESTS not in attributes:
        return
    # They have no equality of their own, but their text is all that they hold.
    default = type(model)(**model.get_params(deep=False))._get_metadata_request()
    if str(attributes.pop(_REQUESTS)) != str(default):
        raise out.error(
            f"this {type(model).__name__} has metadata requests (set_fit_request, set_score_request, ...), which a "
            "model file does not hold; take them back, e.g. set_fit_request(sample_weight=None), and set them again "
            "after loading"
        )


def _decode_model(node: Any, source: Source) -> Any:
    if type(node) is not dict or node.keys() - {"fitted_with"} != _KEYS:
        raise source.error(f"is no model; expected an object with the keys {', '.join(sorted(_KEYS))}")
    cls = class_of(node["class"])
    schema = state_of(cls)
    if type(node["version"]) is not int or node["version"] != schema.version:
        raise source.error(
            f"its {node['class']} has state of version {node['version']!r:.20}; this mlwright reads version "
            f"{schema.version}; load it with the version of mlwright that wrote it, or fit again"
        )
    parameters = _decode_parameters(cls, node["params"], source.at("params"))
    attributes = {} if node["state"] is None else schema.decode(node["state"], source.fresh())
    output = _OUTPUT.decode(node["output"], source.at("output"))
    model = cls(**parameters)
    vars(model).update(attributes)
    if "fitted_with" in node or attributes:
        _restore_fitted_with(model, parameters, node.get("fitted_with", {}), source.at("fitted_with"))
    if output is not None:
        setattr(model, _OUTPUT_CONFIG, {"transform": output})
    _check(model, bool(attributes), source)
    return model


def _restore_fitted_with(model: Any, parameters: dict[str, Any], node: Any, source: Source) -> None:
    """The parameters that the model was fitted with: those that a file names beside the present ones, else these."""
    later = getattr(model, "_read_later", ())
    if type(node) is not dict or not node.keys() <= set(later):
        raise source.error(f"got {node!r:.80}; expected values of {', '.join(later) or 'nothing'}")
    values = {key: plain.decode(value, source.at(key)) for key, value in node.items()}
    try:
        if values:
            type(model)(**(parameters | values))._validate_params()
    except (TypeError, ValueError) as error:
        raise source.error(str(error)) from error
    if later:
        setattr(model, _FITTED_WITH, {name: values.get(name, getattr(model, name)) for name in later})


_parameters_of = cache(lambda cls: signature(cls).parameters)


def _decode_parameters(cls: type, node: Any, source: Source) -> dict[str, Any]:
    if type(node) is not dict:
        raise source.error(f"got {node!r:.80}; expected an object")
    known = _parameters_of(cls)
    missing = [key for key, parameter in known.items() if parameter.default is parameter.empty and key not in node]
    if missing:
        raise source.error(f"{cls.__name__} needs {', '.join(missing)}")
    unknown = node.keys() - known.keys()
    if unknown:
        raise source.error(
            f"{cls.__name__} has no parameter {', '.join(map(repr, sorted(unknown))):.200}; "
            "upgrade mlwright if a newer version wrote the file"
        )
    return {key: plain.decode(value, source.at(key)) for key, value in node.items()}


def _check(model: Any, fitted: bool, place: Sink | Source) -> None:
    """What only the whole model can tell: the constraints of its parameters, then its own validator."""
    try:
        model._validate_params()
        with np.errstate(all="ignore"):  # what overflows in a check is no number that passes it
            for check in checks_of(type(model), fitted):
                check(model)
    except ModelFormatError as error:
        raise place.error(str(error)) from error
    except (TypeError, ValueError) as error:
        raise place.at("params").error(str(error)) from error
