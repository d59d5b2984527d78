#!/usr/bin/python3
"""Writes the PyTorch oracle of the tests: what torch.nn.LSTM itself answers, in float32 and in float64.

Usage: /usr/bin/python3 src/test/python/make_pytorch_cases.py [FOLDER]
       needs numpy and torch (Debian: python3-numpy python3-torch); FOLDER is src/test/resources/pytorch unless given

Each case is one .safetensors file, so that the project's own reader reads them:

  lstm.*               F32  the weights, under torch.nn.LSTM's names
  x                    F32  [N, T, I], or [T, N, I] when batch_first is "false"
  lengths              I64  [N], only in cases with variable lengths, 1 <= length <= T
  h0, c0               F32  [L*D, N, P] and [L*D, N, H], only in cases with initial states
  y, h_n, c_n          F32  the module's answers: [N, T, D*P] or [T, N, D*P], [L*D, N, P], [L*D, N, H]
  y64, h_n64, c_n64    F64  the answers of module.double(): the same float32 weights, computed in double

P is H without a projection. Rows of y past a sequence's length are zero, as pad_packed_sequence leaves them.
__metadata__ holds batch_first, bidirectional, num_layers, proj_size, bias and seed, as strings.
"""
import copy
import json
import struct
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SEED = 20260101  # case number n uses SEED + n: adding a case at the end leaves the others as they are


class Case(NamedTuple):
    name: str
    I: int  # features
    H: int  # cell size
    N: int  # batch
    T: int  # steps
    L: int = 1  # layers
    P: int = 0  # projection, 0: none
    bi: bool = False
    bias: bool = True
    batch_first: bool = True
    lengths: str = ""  # "": all T; "mixed": 1..T with both ends present; "short": all below T; "ones": all 1
    states: bool = False  # initial states given
    weight_scale: float = 1.0  # 3: the gates saturate
    input_scale: float = 1.0


# Sizes are awkward on purpose: 1, 7 and 31 are no multiple of a vector, 64 is one of any, 207 is none and large.
CASES = [
    # the smallest there is, and each size on its own
    Case("scalar", 1, 1, 1, 1),
    Case("scalar_long", 1, 1, 1, 64),
    Case("scalar_batch", 1, 1, 31, 7),
    Case("wide_input", 207, 1, 7, 7),
    Case("wide_input_7", 207, 7, 7, 7),
    Case("hidden_7", 7, 7, 7, 7),
    Case("hidden_31", 7, 31, 7, 7),
    Case("hidden_64", 7, 64, 7, 7),
    Case("hidden_207", 1, 207, 1, 7),
    Case("one_step", 31, 31, 7, 1),
    Case("one_row", 31, 31, 1, 31),
    Case("batch_64", 7, 7, 64, 7),
    Case("batch_207", 1, 1, 207, 7),
    Case("long_sequence", 7, 7, 1, 207),
    # the switches of the module, one at a time
    Case("no_bias", 7, 31, 7, 7, bias=False),
    Case("time_major", 7, 31, 7, 7, batch_first=False),
    Case("states", 7, 31, 7, 7, states=True),
    Case("layers_2", 7, 31, 7, 7, L=2),
    Case("layers_3", 7, 7, 7, 7, L=3),
    Case("bidirectional", 7, 31, 7, 7, bi=True),
    Case("projection", 7, 31, 7, 7, P=7),
    Case("projection_1", 7, 7, 7, 7, P=1),
    Case("projection_31_of_64", 31, 64, 7, 7, P=31),
    # variable lengths
    Case("lengths", 7, 31, 7, 7, lengths="mixed"),
    Case("lengths_short", 7, 7, 7, 31, lengths="short"),
    Case("lengths_ones", 7, 7, 7, 7, lengths="ones"),
    Case("lengths_time_major_states", 7, 7, 31, 7, lengths="mixed", batch_first=False, states=True),
    Case("lengths_bidirectional", 7, 7, 31, 7, lengths="mixed", bi=True),
    Case("lengths_bidirectional_states", 7, 7, 7, 31, lengths="mixed", bi=True, states=True, L=2),
    Case("lengths_projection", 7, 31, 7, 31, lengths="mixed", P=7, L=2),
    # switches together
    Case("bidirectional_no_bias_time_major", 7, 7, 7, 7, bi=True, bias=False, batch_first=False),
    Case("bidirectional_layers_3", 7, 7, 7, 7, L=3, bi=True, states=True),
    Case("bidirectional_projection", 7, 31, 7, 7, L=2, bi=True, P=7, states=True),
    Case("projection_no_bias_time_major", 7, 31, 7, 7, P=7, bias=False, batch_first=False),
    Case("everything", 7, 7, 7, 31, L=3, P=1, bi=True, batch_first=False, lengths="mixed", states=True),
    # saturated gates and large inputs
    Case("saturated", 7, 31, 1, 31, weight_scale=3),
    Case("saturated_64", 7, 64, 7, 7, weight_scale=3, states=True),
    Case("saturated_bidirectional_layers_2", 7, 7, 7, 31, L=2, bi=True, weight_scale=3, lengths="mixed"),
    Case("large_input", 7, 31, 1, 31, input_scale=10),
    Case("large_input_saturated", 7, 7, 7, 31, weight_scale=3, input_scale=10),
    Case("large_input_projection", 7, 31, 7, 7, P=7, weight_scale=3, input_scale=10),
]


def make_lengths(case):
    if not case.lengths:
        return None
    lowest, highest = {"mixed": (1, case.T), "short": (1, case.T - 2), "ones": (1, 1)}[case.lengths]
    lengths = torch.randint(lowest, highest + 1, (case.N,))
    # both ends present, and not in sorted order: the longest row is not the first
    lengths[0], lengths[-1] = lowest, highest
    return lengths


def answer(module, case, x, lengths, states):
    """y, h_n, c_n of the module."""
    if lengths is None:
        y, (h_n, c_n) = module(x, states)
    else:
        packed = pack_padded_sequence(x, lengths, batch_first=case.batch_first, enforce_sorted=False)
        y, (h_n, c_n) = module(packed, states)
        y, _ = pad_packed_sequence(y, batch_first=case.batch_first, total_length=case.T)
    return y, h_n, c_n


def make(case, seed):
    torch.manual_seed(seed)
    module = torch.nn.LSTM(
        case.I, case.H, case.L, bias=case.bias, batch_first=case.batch_first, bidirectional=case.bi, proj_size=case.P
    )
    x = torch.randn(*((case.N, case.T) if case.batch_first else (case.T, case.N)), case.I) * case.input_scale
    lengths = make_lengths(case)
    directions = 2 if case.bi else 1
    states = None
    if case.states:
        rows = case.L * directions
        states = (torch.randn(rows, case.N, case.P or case.H).tanh(), torch.randn(rows, case.N, case.H))

    with torch.no_grad():
        for weights in module.parameters():
            weights.mul_(case.weight_scale)
        single = answer(module, case, x, lengths, states)
        double_states = tuple(s.double() for s in states) if states else None
        double = answer(copy.deepcopy(module).double(), case, x.double(), lengths, double_states)

    tensors = {f"lstm.{name}": values for name, values in module.state_dict().items()}
    tensors["x"] = x
    if lengths is not None:
        tensors["lengths"] = lengths
    if states:
        tensors["h0"], tensors["c0"] = states
    tensors.update(zip(("y", "h_n", "c_n"), single))
    tensors.update(zip(("y64", "h_n64", "c_n64"), double))
    metadata = {
        "batch_first": str(case.batch_first).lower(),
        "bidirectional": str(case.bi).lower(),
        "num_layers": str(case.L),
        "proj_size": str(case.P),
        "bias": str(case.bias).lower(),
        "seed": str(seed),
    }
    error = max((s.double() - d).abs().max().item() for s, d in zip(single, double))
    return {name: values.numpy() for name, values in tensors.items()}, metadata, error


DTYPES = {"float32": ("F32", "<f4"), "float64": ("F64", "<f8"), "int64": ("I64", "<i8")}


def write_safetensors(path, tensors, metadata):
    """The format is: u64 length of the header, the header (JSON, padded with spaces to 8 bytes), the bytes."""
    header, offset, chunks = {"__metadata__": metadata}, 0, []
    # the wide types first: every tensor then starts at a multiple of its element's size
    for name, values in sorted(tensors.items(), key=lambda item: -item[1].itemsize):
        dtype, bytes_as = DTYPES[str(values.dtype)]
        chunk = np.ascontiguousarray(values).astype(bytes_as).tobytes()
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [offset, offset + len(chunk)]}
        offset += len(chunk)
        chunks.append(chunk)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def main():
    default = Path(__file__).resolve().parent.parent / "resources" / "pytorch"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    names = {case.name for case in CASES}
    assert len(names) == len(CASES), "two cases of one name"
    for stale in folder.glob("*.safetensors"):
        if stale.stem not in names:
            stale.unlink()
    total, worst = 0, 0.0
    for number, case in enumerate(CASES):
        tensors, metadata, error = make(case, SEED + number)
        path = folder / f"{case.name}.safetensors"
        write_safetensors(path, tensors, metadata)
        total, worst = total + path.stat().st_size, max(worst, error)
        print(f"{case.name:34} {path.stat().st_size:8} bytes, float32 against float64 {error:.1e}")
    print(f"{len(CASES)} cases, {total} bytes, largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
