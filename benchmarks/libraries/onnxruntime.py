"""ONNX Runtime with LightGBM's model as one TreeEnsemble node (onnxmltools), in float32 as ONNX has it."""

import onnxruntime
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from benchmarks.libraries.lightgbm_source import importer
from benchmarks.machine import THREADS


def session_predict(model, n_features):
    """``session.run`` on a float32 array, which is the shortest way in."""
    onnx = convert_lightgbm(model, initial_types=[("X", FloatTensorType([None, n_features]))], target_opset=15)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(onnx.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda X: session.run(None, {"X": X})[0].ravel()


MODELS = {"imported_regressor": importer(session_predict)}
