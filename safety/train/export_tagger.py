"""Writes trained arrays as the small ONNX files that are served; needs the package onnx.

The graphs are drawn here node by node, for one message without padding: no mask, no batch. Weights
of the encoder become 8 bit numbers; nothing in an ONNX file can run code.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

HEADS = 12
SIZE = 32


class Graph:
    """Nodes and numbers, added one by one; every method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.numbers: dict[str, onnx.TensorProto] = {}

    def number(self, name: str, value: np.ndarray) -> str:
        """A constant of the graph."""
        self.numbers[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def add(self, kind: str, *inputs: str, **settings: object) -> str:
        """One node with one result."""
        result = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [*inputs], [result], result, **settings))
        return result

    def linear(self, name: str, source: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """``source @ weight.T + bias``."""
        product = self.add("MatMul", source, self.number(f"{name}.w", weight.T))
        return self.add("Add", product, self.number(f"{name}.b", bias))

    def norm(self, name: str, source: str, arrays: dict[str, np.ndarray]) -> str:
        """Layer normalisation over the last axis."""
        scale = self.number(f"{name}.weight", arrays[f"{name}.weight"])
        bias = self.number(f"{name}.bias", arrays[f"{name}.bias"])
        return self.add("LayerNormalization", source, scale, bias, epsilon=1e-12, axis=-1)

    def model(self, inputs: tuple[str, ...], result: str) -> onnx.ModelProto:
        """The finished model; its inputs are rows of numbers, its result label scores."""
        self.nodes.append(helper.make_node("Identity", [result], ["scores"]))
        rows = [helper.make_tensor_value_info(i, TensorProto.INT64, [1, None]) for i in inputs]
        scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "tagger", rows, [scores], [*self.numbers.values()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def encoder(arrays: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The English tagger: word pieces and cases in, label scores out."""
    graph = Graph()
    base = "bert.bert.embeddings"
    words = graph.number("words", arrays[f"{base}.word_embeddings.weight"])
    places = graph.number("places", arrays[f"{base}.position_embeddings.weight"])
    types = graph.number("types", arrays[f"{base}.token_type_embeddings.weight"])
    zero, one = graph.number("zero", np.array([0])), graph.number("one", np.array([1]))
    length = graph.add("Slice", graph.add("Shape", "ids"), one, graph.number("two", np.array([2])))
    order = graph.add("Slice", places, zero, length)
    state = graph.add("Add", graph.add("Gather", words, "ids"), order)
    state = graph.add("Add", state, graph.add("Gather", types, "cases"))
    state = graph.norm(f"{base}.LayerNorm", state, arrays)
    layer = 0
    while f"bert.bert.encoder.layer.{layer}.output.dense.weight" in arrays:
        state = _layer(graph, f"bert.bert.encoder.layer.{layer}", state, arrays)
        layer += 1
    head = "bert.classifier"
    scores = graph.linear("head", state, arrays[f"{head}.weight"], arrays[f"{head}.bias"])
    return graph.model(("ids", "cases"), scores)


def _layer(graph: Graph, name: str, state: str, arrays: dict[str, np.ndarray]) -> str:
    def linear(part: str, source: str) -> str:
        full = f"{name}.{part}"
        return graph.linear(full, source, arrays[f"{full}.weight"], arrays[f"{full}.bias"])

    shape = graph.number("split", np.array([1, -1, HEADS, SIZE]))
    query, key, value = (
        graph.add("Reshape", linear(f"attention.self.{part}", state), shape)
        for part in ("query", "key", "value")
    )
    query = graph.add("Transpose", query, perm=[0, 2, 1, 3])
    key = graph.add("Transpose", key, perm=[0, 2, 3, 1])
    value = graph.add("Transpose", value, perm=[0, 2, 1, 3])
    scale = graph.number("scale", np.array(SIZE**-0.5, dtype=np.float32))
    weight = graph.add("Softmax", graph.add("Mul", graph.add("MatMul", query, key), scale), axis=-1)
    seen = graph.add("Transpose", graph.add("MatMul", weight, value), perm=[0, 2, 1, 3])
    seen = graph.add("Reshape", seen, graph.number("join", np.array([1, -1, HEADS * SIZE])))
    state = graph.add("Add", state, linear("attention.output.dense", seen))
    state = graph.norm(f"{name}.attention.output.LayerNorm", state, arrays)
    inner = linear("intermediate.dense", state)
    half = graph.number("half", np.array(0.5, dtype=np.float32))
    root = graph.number("root", np.array(2**-0.5, dtype=np.float32))
    unit = graph.number("unit", np.array(1, dtype=np.float32))
    gate = graph.add("Add", graph.add("Erf", graph.add("Mul", inner, root)), unit)
    inner = graph.add("Mul", graph.add("Mul", inner, gate), half)
    state = graph.add("Add", state, linear("output.dense", inner))
    return graph.norm(f"{name}.output.LayerNorm", state, arrays)


def recurrent(runs: Sequence[dict[str, np.ndarray]]) -> onnx.ModelProto:
    """The Chinese tagger: characters in, label scores out.

    Several runs share what is frozen; each adds its small layer, and their chances are averaged.
    """
    graph, arrays = Graph(), runs[0]
    table = graph.number("characters", arrays["characters.weight"].astype(np.float16))
    table = graph.add("Gather", table, "ids")
    embedded = graph.add("Cast", table, to=TensorProto.FLOAT)
    rows = graph.add("Transpose", embedded, perm=[1, 0, 2])
    second = _gru(graph, "second", _gru(graph, "first", rows, arrays), arrays)
    words = graph.linear("tags", second, arrays["words.weight"], arrays["words.bias"])
    three = graph.number("three", np.array(3, dtype=np.float32))
    words = graph.add("Mul", graph.add("Softmax", words, axis=-1), three)
    seen = graph.add("Concat", rows, second, words, axis=2)
    chances = [_head(graph, f"run{place}", seen, run) for place, run in enumerate(runs)]
    scores = graph.add("Log", graph.add("Mean", *chances))
    return graph.model(("ids",), graph.add("Transpose", scores, perm=[1, 0, 2]))


def _head(graph: Graph, name: str, seen: str, arrays: dict[str, np.ndarray]) -> str:
    third = _gru(graph, "third", seen, arrays, name)
    scores = graph.linear(f"{name}.head", third, arrays["label.weight"], arrays["label.bias"])
    return graph.add("Softmax", scores, axis=-1)


def _gru(graph: Graph, part: str, source: str, arrays: dict[str, np.ndarray], run: str = "") -> str:
    name = run + part

    def both(kind: str) -> np.ndarray:
        return np.stack([_gates(arrays[f"{part}.{kind}_l0{end}"]) for end in ("", "_reverse")])

    weight = graph.number(f"{name}.w", both("weight_ih"))
    again = graph.number(f"{name}.r", both("weight_hh"))
    bias = graph.number(f"{name}.b", np.concatenate([both("bias_ih"), both("bias_hh")], axis=1))
    size = again and arrays[f"{part}.weight_hh_l0"].shape[1]
    settings = {"direction": "bidirectional", "hidden_size": size, "linear_before_reset": 1}
    state = graph.add("GRU", source, weight, again, bias, **settings)
    state = graph.add("Transpose", state, perm=[0, 2, 1, 3])
    return graph.add("Reshape", state, graph.number(f"{name}.shape", np.array([0, 0, -1])))


def _gates(values: np.ndarray) -> np.ndarray:
    """Torch keeps reset, update, new; ONNX wants update, reset, new."""
    reset, update, new = np.split(values, 3)
    return np.concatenate([update, reset, new])


def export(language: str, runs: Sequence[dict[str, np.ndarray]], out: Path) -> None:
    """Draws the graph and writes the file; the English tagger is one run."""
    if language == "zh":
        out.write_bytes(recurrent(runs).SerializeToString())
        return
    (arrays,) = runs
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        whole.write_bytes(encoder(arrays).SerializeToString())
        quantize_dynamic(
            whole,
            out,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "Gather"],
        )


if __name__ == "__main__":
    export(sys.argv[1], [dict(np.load(run)) for run in sys.argv[3:]], Path(sys.argv[2]))
