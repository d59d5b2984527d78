#!/usr/bin/python3
"""Writes the files of the tests of what PyTorch saves beside .safetensors, and of LSTM cells.

Usage: /usr/bin/python3 src/test/python/make_checkpoint_cases.py
       needs torch and numpy (Debian: python3-torch); run it from the repository root

Each checkpoint holds the same small LSTM. expressions.tsv has, for each, the expression in Python that gives its tensors; it is
evaluated here, and its tensors are compared with the LSTM's. cell.safetensors is a torch.nn.LSTMCell with a head, and cell.npz what
PyTorch computes with it step by step in double precision: x [T, N, I], y [T, N, H], h_n, c_n [1, N, H].

PyTorch puts addresses in memory into some checkpoints, so a second run gives other bytes with the same tensors.
"""
import json
import os
import pathlib
import pickle
import struct

import numpy as np
import torch

OUT = pathlib.Path("src/test/resources/checkpoints")


class Model(torch.nn.Module):
    """A module of a class of one's own."""

    def __init__(self, lstm):
        super().__init__()
        self.lstm = lstm


def checkpoints(lstm):
    """By name what is saved, how, and the expression."""
    state, new, old = lstm.state_dict(), {}, {"_use_new_zipfile_serialization": False}
    load = 'torch.load("%s", map_location="cpu")'
    module = 'torch.load("%s", map_location="cpu", weights_only=False)'
    return {
        "state.pt": (state, new, load),
        "state_legacy.pth": (state, old, load),
        "plain_dict.bin": (dict(state), new, load),
        "lightning.ckpt": ({"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}}, new, load + '["state_dict"]'),
        "wrapped_legacy.pth": ({"epoch": 3, "model_state_dict": state}, old, load + '["model_state_dict"]'),
        "module.pt": (lstm, new, module + ".state_dict()"),
        "module_legacy.pt": (lstm, old, module + ".state_dict()"),
        "own_class.pt": (Model(lstm), new, module + ".state_dict()"),
        "module_in_dict.tar": ({"model": lstm, "epoch": 3}, new, module + '["model"].state_dict()'),
    }


def check(name, expression, lstm):
    found = eval(expression)
    for key, value in lstm.state_dict().items():
        key = "lstm." + key if name == "own_class.pt" else key
        assert torch.equal(found[key], value), (name, key)


def write_checkpoints():
    torch.manual_seed(5)
    lstm = torch.nn.LSTM(1, 1)
    lines = []
    for name, (saved, options, pattern) in checkpoints(lstm).items():
        torch.save(saved, name, **options)
        lines.append((name, pattern % name))
    torch.jit.script(lstm).save("scripted.pt")
    lines.append(("scripted.pt", 'torch.jit.load("scripted.pt", map_location="cpu").state_dict()'))
    for name, expression in lines:
        check(name, expression, lstm)
    pathlib.Path("expressions.tsv").write_text("".join("%s\t%s\n" % line for line in lines))
    pathlib.Path("numbers.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))


def write_cell():
    torch.manual_seed(6)
    cell, head = torch.nn.LSTMCell(2, 4), torch.nn.Linear(4, 1)
    header, data = {}, b""
    for prefix, module in (("head.", head), ("decoder.lstm_cell.", cell)):
        for key, value in module.state_dict().items():
            content = value.numpy().astype("<f4").tobytes()
            header[prefix + key] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(content)]}
            data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path("cell.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    x = torch.randn(5, 3, 2)
    h = c = torch.zeros(3, 4, dtype=torch.float64)
    y = []
    with torch.no_grad():
        for step in x.double():
            h, c = cell.double()(step, (h, c))
            y.append(h.numpy())
    np.savez("cell.npz", x=x.numpy(), y=np.stack(y), h_n=h.numpy()[None], c_n=c.numpy()[None])


OUT.mkdir(parents=True, exist_ok=True)
os.chdir(OUT)
write_checkpoints()
write_cell()
