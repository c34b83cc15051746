"""A file from a stranger is a valid model or a ModelFormatError, in memory and time bounded by its size."""

import json
import os
import re
import subprocess
import sys
import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlwright
from mlwright import ModelFormatError, io
from mlwright.io import container, strict_json
from mlwright.testing.model_files import attempt, damaged, extremes, put_together, reseal, take_apart
from mlwright.testing.models import fitted_examples

EXAMPLES = fitted_examples()
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
X = np.zeros((2, 4))


def seal(text, body=b""):
    """A file with this header text and body, and a right checksum."""
    header = text.encode() if isinstance(text, str) else text
    header += b" " * (-(8 + len(header)) % container.ALIGNMENT)
    return reseal(len(header).to_bytes(8, "little") + header + body + bytes(32))


def test_truncated_at_every_offset(toy):
    data = io.dumps(toy)
    for end in range(len(data)):
        with pytest.raises(ModelFormatError):
            io.loads(data[:end])
    with pytest.raises(ModelFormatError, match="the file is damaged"):
        io.loads(data + b"\0")


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, 0xFF])
def test_every_byte_flipped(toy, flip):
    data = bytearray(io.dumps(toy))
    for i in range(len(data)):
        data[i] ^= flip
        with pytest.raises(ModelFormatError):
            io.loads(data)
        data[i] ^= flip


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, 0xFF])
def test_every_byte_flipped_and_the_checksum_made_right(toy, flip):
    data = bytearray(io.dumps(toy))
    valid = 0
    for i in range(len(data) - container.DIGEST_BYTES):
        data[i] ^= flip
        valid += attempt(reseal(bytes(data)), X)
        data[i] ^= flip
    assert valid > 0  # flipping a coefficient's lowest bit, say, is another valid model


HEADERS = {
    "empty": "",
    "no object": "[1]",
    "no metadata": '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    "metadata of numbers": '{"__metadata__":{"format":1}}',
    "not ASCII": '{"__metadata__":{"ä":"1"}}',
    "not UTF-8": b'{"__metadata__":{"\xff":"1"}}',
    "UTF-16": '{"__metadata__":{}}'.encode("utf-16"),
    "NaN": '{"__metadata__":{},"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,0]}}',
    "same key twice": '{"__metadata__":{},"__metadata__":{}}',
    "deep": "[" * 5000 + "]" * 5000,
    "very deep": "[" * (4 << 20),
    "deep objects": '{"a":' * (1 << 20),
    "many values": "[" + "[]," * (2 << 20) + "[]]",
    "many objects": "[" + "{}," * (2 << 20) + "{}]",
    "many numbers": "[" + "1.5," * (1 << 20) + "1]",
    "long integer": '{"__metadata__":' + "9" * (1 << 20) + "}",
    "huge float": '{"__metadata__":1e99999}',
    "unterminated strings": '"\\"' * (1 << 20),
    "backslashes": '{"' + "\\" * (1 << 20),
    "control character": '{"__metadata__":{"a":"\x01"}}',
    "trailing text": '{"__metadata__":{}}{}',
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_absurd_headers(header):
    start = time.process_time()
    with pytest.raises(ModelFormatError):
        io.loads(seal(header))
    assert time.process_time() - start < 10


TENSORS = {
    "negative length": ("U8", [-1], [0, 0]),
    "boolean length": ("U8", [True], [0, 1]),
    "float length": ("U8", [1.0], [0, 1]),
    "text length": ("U8", ["1"], [0, 1]),
    "huge length": ("U8", [2**63], [0, 2**63]),
    "overflowing product": ("F64", [2**32, 2**32], [0, 0]),
    "overflow hidden by zero": ("U8", [0, 2**62, 2**62], [0, 0]),
    "many axes": ("U8", [1] * 40, [0, 1]),
    "shape is a number": ("U8", 3, [0, 3]),
    "unknown dtype": ("F8_E5M2", [1], [0, 1]),
    "dtype is a list": (["U8"], [1], [0, 1]),
    "negative offset": ("U8", [1], [-1, 0]),
    "offsets backwards": ("U8", [1], [1, 0]),
    "gap at the start": ("U8", [1], [1, 2]),
    "more bytes than the shape": ("U8", [1], [0, 2]),
    "boolean offset": ("U8", [1], [False, True]),
    "float offset": ("U8", [1], [0, 1.0]),
    "three offsets": ("U8", [1], [0, 1, 1]),
    "beyond the file": ("U8", [1 << 40], [0, 1 << 40]),
}


@pytest.mark.parametrize("entry", TENSORS.values(), ids=TENSORS)
def test_absurd_tensors(entry):
    code, shape, offsets = entry
    tensor = {"dtype": code, "shape": shape, "data_offsets": offsets}
    end = offsets[1] if isinstance(offsets[1], int) and 0 < offsets[1] < 100 else 1
    digest = {"dtype": "U8", "shape": [32], "data_offsets": [end, end + 32]}
    text = strict_json.dumps({"__metadata__": {}, "a": tensor, ".sha256": digest})
    with pytest.raises(ModelFormatError, match="header"):
        io.loads(seal(text, bytes(end)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r'"data_offsets":\[0,', '"data_offsets":[64,'),  # a gap, or an overlap
        (r'{"__metadata__"', '{ "__metadata__"'),
        (r'"dtype":"F32","shape"', '"shape"'),
        (r'"\.pad\d+"', '".other"'),
        (r'"\.sha256"', '".sha512"'),
        (r'"edges_":', '"flags_":'),
    ],
)
def test_a_header_has_one_valid_form(toy, old, new):
    data = io.dumps(toy)
    n = int.from_bytes(data[:8], "little")
    changed, count = re.subn(old, new, data[8 : 8 + n].decode().rstrip(), count=1)
    assert count == 1
    with pytest.raises(ModelFormatError):
        io.loads(seal(changed, data[8 + n : -32]))


def test_padding_holds_nothing(toy):
    data = bytearray(io.dumps(toy))
    header = container.read_header(bytes(data), len(data))
    slot = next(slot for slot in header.slots if slot.name.startswith(".pad"))
    data[header.start + slot.start] = 1
    with pytest.raises(ModelFormatError, match="is not zero"):
        io.loads(reseal(bytes(data)))


def test_a_boolean_is_0_or_1(toy):
    data = bytearray(io.dumps(toy))
    header = container.read_header(bytes(data), len(data))
    slot = next(slot for slot in header.slots if slot.name == "flags_")
    data[header.start + slot.start] = 2
    with pytest.raises(ModelFormatError, match="'flags_' of booleans holds a byte that is not 0 or 1"):
        io.loads(reseal(bytes(data)))


def edited(toy, **changes):
    """The toy's file with values of its description replaced."""
    metadata, tensors = take_apart(io.dumps(toy))
    model = json.loads(metadata["model"])
    for path, value in changes.items():
        *folders, key = path.split("__")
        node = model
        for folder in folders:
            node = node[folder]
        node[key] = value
    return put_together({**metadata, "model": json.dumps(model)}, tensors)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class": "os.system"}, "names the class 'os.system', which this version does not know; upgrade mlwright"),
        ({"class": ["tests.Toy"]}, "which this version does not know"),
        ({"version": 2}, "its tests.Toy has state of version 2; this mlwright reads version 1; load it with the"),
        ({"version": True}, "has state of version True"),
        ({"params__beta": 1}, "Toy has no parameter 'beta'; upgrade mlwright"),
        ({"params": []}, "params: got .*expected an object"),
        ({"state__more_": 1}, "has 'more_', which its declaration does not name"),
        ({"state__n_features_in_": 5}, r"names_: got shape \(4,\); expected \(p\) with p = 5"),
        ({"state__n_features_in_": 10**18}, "expected a count"),
        ({"state__n_iter_": 10**18}, "n_iter_: got 10+; expected at least 0 and at most 100"),
        ({"state__coef_": "U"}, "coef_: got a tensor float32"),
        ({"state__coef_": "G"}, "coef_: got 'G' for an array"),
        ({"state__names_": "C"}, "names_: its tensor is missing"),
        ({"state__parts_": []}, "holds tensors that no attribute uses"),
        ({"output": "numpy"}, "output: got 'numpy'; expected one of"),
        ({"params__alpha": {"float32": 0.1}}, "which is no float32"),
        ({"params__alpha": {"float": "1e5"}}, "got '1e5' for a float"),
        ({"params__alpha": {"uint8": 256}}, "got 256 for an uint8"),
        ({"params__alpha": {"bool": 1}}, "got 1 for a boolean"),
        ({"params__alpha": {"object": "os.system"}}, "a value of kind 'object', which this version does not know"),
        ({"params__alpha": {"set": [1, True]}}, "the same member twice"),
        ({"params__alpha": {"dict": [[1, 2], [1.0, 3]]}}, "names the key 1.0 twice"),
        ({"params__alpha": {"dict": [[{"array": "C"}, 3]]}}, "a key that is no number"),
        ({"params__alpha": 2**64}, "does not fit 64 bits"),
        ({"params__alpha": "\ud800"}, "half of a surrogate pair"),
    ],
)
def test_the_message_says_what_is_wrong(toy, changes, message):
    with pytest.raises(ModelFormatError, match=message):
        io.loads(edited(toy, **changes))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format_version", "2", "format version '2', written by 'mlwright .*'; this mlwright reads version 1; upgrade"),
        ("format", "other", "holds no mlwright model"),
        ("model", "{", "is not valid JSON"),
        ("model", '{"a":1,"a":2}', "names the same key twice"),
        ("model", '{"a":NaN}', "NaN is not JSON"),
        ("model", "[" * 99, "nested more than 64 levels"),
        ("more", "", "holds no mlwright model"),
    ],
)
def test_metadata(toy, key, value, message):
    metadata, tensors = take_apart(io.dumps(toy))
    with pytest.raises(ModelFormatError, match=message):
        io.loads(put_together({**metadata, key: value}, tensors))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("coef_", np.full((4, 3), np.nan, np.float32), "coef_: got a number that is not finite"),
        ("edges_", np.array([2.0, 1, 0, 0, 0]), "edges_: got values that fall"),
        ("edges_", np.zeros((5, 0)), r"edges_: got shape \(5, 0\)"),
        ("names_.utf8", np.full(36, 255, np.uint8), "names_: its strings are not UTF-8"),
        ("names_.ends", np.array([-1, 9, 18, 36]), "names_: its strings end where no string can end"),
        ("names_.ends", np.array([9, 18, 27, 2**62]), "names_: its strings end where no string can end"),
        ("classes_", np.full((3, 6), 0x110000, np.uint32), "no Unicode code point"),
        ("classes_", np.full((3, 6), 0xD800, np.uint32), "no Unicode code point"),
        ("classes_", np.zeros((3, 0), np.uint32), "expected code points"),
    ],
)
def test_tensors_are_checked(toy, name, value, message):
    metadata, tensors = take_apart(io.dumps(toy))
    with pytest.raises(ModelFormatError, match=message):
        io.loads(put_together(metadata, {**tensors, name: value}))


def test_a_file_cannot_name_a_cache_of_pickles():
    example = next(example for example in EXAMPLES if example.registered_name == "sklearn.pipeline.Pipeline")
    with pytest.raises(ModelFormatError, match="a pipeline with memory= is never stored"):
        io.loads(edited(example.make(), params__memory="/somewhere"))


@given(st.data())
def test_structured_damage_to_the_toy(toy_file, data):
    attempt(data.draw(damaged(toy_file)), X)


@each_example
@given(data=st.data())
def test_structured_damage(example, data):
    attempt(data.draw(damaged(file_of(example))), example.X)


# What the fuzz tests found.
DAMAGE = {
    "linear_model.Ridge:targets": lambda state, tensors: state["_statistics"].update(weight=0.0),
    "bayes.BayesianLinearRegression": lambda state, tensors: tensors["_basis"].fill(1e308),
    "bayes.SpikeSlabRegressor": lambda state, tensors: tensors["set_probabilities_"].fill(1e308),
    "ensemble.HistGradientBoostingClassifier:binary": lambda state, tensors: tensors.update(
        classes_=tensors["classes_"][:0]
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_numbers_that_cannot_be(name):
    example = next(one for one in EXAMPLES if one.name == name)
    metadata, tensors = take_apart(file_of(example))
    model = json.loads(metadata["model"])
    DAMAGE[name](model["state"], tensors)
    attempt(put_together({**metadata, "model": json.dumps(model)}, tensors), example.X)


@pytest.mark.slow
@each_example
def test_extreme_numbers(example):
    for data in extremes(file_of(example)):
        attempt(data, example.X)


@pytest.mark.slow
@each_example
@settings(max_examples=int(os.environ.get("MLWRIGHT_FUZZ", "2000")))
@given(data=st.data())
def test_fuzz(example, data):
    """`make fuzz COUNT=...` sets how many damaged files each example makes."""
    attempt(data.draw(damaged(file_of(example), n_changes=6)), example.X)


@cache
def file_of(example):
    return io.dumps(example.make())


_BUDGET = """
import resource, sys, time
import numpy, mlwright
from mlwright import io
start = time.process_time()
status = open("/proc/self/status").read()
now = 1024 * int(status.split("VmSize:")[1].split()[0])
resource.setrlimit(resource.RLIMIT_AS, (now + (320 << 20),) * 2)
for path in sys.argv[1:]:
    try:
        mlwright.load(path)
    except mlwright.ModelFormatError as error:
        print("refused:", str(error)[:60])
"""


def test_hostile_files_under_a_memory_limit(tmp_path):
    """The largest headers that are read at all, and a sparse file of a terabyte, within 320 MB of address space."""
    paths = []
    for i, header in enumerate(HEADERS.values()):
        paths.append(tmp_path / f"{i}.mlw")
        paths[-1].write_bytes(seal(header))
    sparse = tmp_path / "sparse.mlw"
    with open(sparse, "wb") as file:
        file.write(seal('{"__metadata__":{}}'))
        file.truncate(1 << 40)
    run = [sys.executable, "-c", _BUDGET, *paths, sparse]
    result = subprocess.run(run, capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.count("refused:") == len(HEADERS) + 1


@pytest.mark.slow
def test_loading_takes_time_linear_in_the_size(toy_class):
    def seconds(p):
        data = io.dumps(toy_class().fit(np.zeros((1, p))))
        return min(_timed(data) for _ in range(5))

    assert seconds(80_000) < 8 * seconds(20_000)


def _timed(data):
    start = time.perf_counter()
    io.loads(data)
    return time.perf_counter() - start


def test_a_file_that_shrinks_while_it_is_mapped_is_no_crash(toy, tmp_path, monkeypatch):
    path = tmp_path / "toy.mlw"
    mlwright.save(toy, path)
    from mlwright.io import files

    monkeypatch.setattr(files, "_check_metadata", lambda metadata: path.write_bytes(b"short"))
    for mmap in (False, True):
        mlwright.save(toy, path)
        with pytest.raises(ModelFormatError):
            mlwright.load(path, mmap=mmap)
