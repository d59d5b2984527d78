#!/usr/bin/env python3
"""Writes the fixtures of the format tests: files as NumPy and PyTorch write them, and what is in them.

Needs numpy and torch; run it from the repository root. The .safetensors files are put together here byte by byte after the
format's description, independently of the Java code that reads them.
"""

import json
import pathlib
import struct
import warnings

import numpy as np
import torch

OUT = pathlib.Path("src/test/resources/format")
SPECIAL = [0.0, -0.0, 1.0, -1.5, np.pi, np.inf, -np.inf, np.nan]


def npy_values():
    """Arrays by name: every dtype with the values at which a conversion could go wrong."""
    f8 = SPECIAL + [1e300, -1e300, 1e-300, 1 + 2.0**-24, 1 + 3 * 2.0**-24, 3.4028235677973366e38, 2.0**-149, 2.0**-150]
    arrays = {
        "f2": np.array(SPECIAL + [65504, 2.0**-24, 3 * 2.0**-24, -2.0**-14, 2.0**-15], np.float16),
        "f4": np.array(SPECIAL + [3.4028235e38, 1e-45, 1.1754942e-38], np.float32),
        "f8": np.array(f8, np.float64),
        "b1": np.array([True, False, True]),
    }
    for bits in (8, 16, 32, 64):
        for kind, name in (("int", "i"), ("uint", "u")):
            dtype = np.dtype(f"{kind}{bits}")
            info = np.iinfo(dtype)
            values = [0, 1, info.min, info.max, info.max - 1, info.max // 2 + 1]
            values += [v for v in (2**24 + 1, 2**24 + 3, 2**63 + 2**39, 2**63 + 2**39 + 1) if v <= info.max]
            arrays[f"{name}{bits // 8}"] = np.array(values, dtype)
    return arrays


def write_npy():
    expected = []

    def add(name, array, version=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with open(OUT / f"{name}.npy", "wb") as file:
                np.lib.format.write_array(file, array, version=version)
            with np.errstate(over="ignore"):
                bits = np.ascontiguousarray(array).astype("<f4").view("<u4").reshape(-1)
        shape = ",".join(map(str, array.shape))
        expected.append(f"{name}\t{shape}\t{' '.join(f'{b:08x}' for b in bits)}")

    for name, array in npy_values().items():
        add(f"little_{name}", array.astype(array.dtype.newbyteorder("<")))
        if array.dtype.itemsize > 1:
            add(f"big_{name}", array.astype(array.dtype.newbyteorder(">")))
    cube = np.arange(24, dtype="<f4").reshape(2, 3, 4)
    add("cube", cube)
    add("version2", cube, (2, 0))
    add("version3", cube, (3, 0))
    add("scalar", np.array(2.5, "<f4"))
    add("empty", np.zeros((3, 0), "<f4"))
    add("column_fortran", np.asfortranarray(np.arange(5, dtype="<f4").reshape(5, 1)))
    add("fortran", np.asfortranarray(cube))
    (OUT / "npy_expected.tsv").write_text("\n".join(expected) + "\n")

    np.save(OUT / "refused_complex.npy", np.zeros(2, np.complex64))
    np.save(OUT / "refused_object.npy", np.array([{}, None], object))
    np.save(OUT / "refused_string.npy", np.array(["a", "bc"]))
    np.save(OUT / "refused_structured.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))
    np.save(OUT / "refused_dates.npy", np.array(["2020-01-01"], "datetime64[D]"))


def write_npz():
    cube = np.arange(24, dtype="<f4").reshape(2, 3, 4)
    arrays = {"y": cube, "lengths": np.array([3, 0, 2]), "zeros": np.zeros((40, 50), "<f4")}
    np.savez(OUT / "stored.npz", **arrays)
    np.savez_compressed(OUT / "deflated.npz", **arrays)


def write_safetensors(name, tensors, metadata=None):
    """`tensors`: by name a dtype, a shape and the bytes."""
    header = {"__metadata__": metadata} if metadata else {}
    data = b""
    for key, (dtype, shape, content) in tensors.items():
        header[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (OUT / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def state(module, prefix=""):
    """A module's tensors, as F32."""
    return {
        prefix + key: ("F32", value.shape, value.detach().numpy().astype("<f4").tobytes())
        for key, value in module.state_dict().items()
    }


def run(name, lstm):
    """An LSTM and what PyTorch computes with it, in double precision so that only the model's order matters."""
    write_safetensors(name, state(lstm, "encoder.rnn."), {"format": "pt"})
    x = torch.randn(5, 3, lstm.input_size)
    with torch.no_grad():
        y, (h, c) = lstm.double()(x.double())
    np.savez(OUT / f"{name}.npz", x=x.numpy(), y=y.numpy(), h_n=h.numpy(), c_n=c.numpy())


def write_models():
    torch.manual_seed(7)
    run("lstm", torch.nn.LSTM(3, 4))
    run("lstm_no_bias", torch.nn.LSTM(2, 3, bias=False))
    run("lstm_deep", torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2))

    head = state(torch.nn.Linear(4, 2), "head.")
    encoder = state(torch.nn.LSTM(3, 4), "encoder.")
    write_safetensors("lstm_and_gru", encoder | state(torch.nn.GRU(3, 4), "gru.") | head)
    write_safetensors("two_lstms", encoder | state(torch.nn.LSTM(3, 4), "decoder.") | head)
    write_safetensors("gru", state(torch.nn.GRU(3, 4)) | state(torch.nn.RNN(3, 4), "rnn."))
    write_safetensors("head", head)

    values = np.array(SPECIAL + [1 + 2.0**-24], np.float64)
    with np.errstate(over="ignore"):
        tensors = {
            "f64": ("F64", values.shape, values.astype("<f8").tobytes()),
            "f32": ("F32", values.shape, values.astype("<f4").tobytes()),
            "f16": ("F16", values.shape, values.astype("<f2").tobytes()),
            "bf16": ("BF16", (3, 1), (np.array([1.0, -2.5, np.inf], "<f4").view("<u4") >> 16).astype("<u2").tobytes()),
            "i64": ("I64", (2,), np.array([1, 2], "<i8").tobytes()),
            "bool": ("BOOL", (3,), b"\1\0\1"),
            "scalar": ("F32", (), np.array(2.5, "<f4").tobytes()),
            "nothing": ("F32", (0, 4), b""),
        }
    write_safetensors("dtypes", tensors, {"made by": "a test"})


OUT.mkdir(parents=True, exist_ok=True)
write_npy()
write_npz()
write_models()
