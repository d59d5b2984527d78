#!/usr/bin/python3
"""Writes ONNX models as PyTorch's exporter makes them, each with an input and what PyTorch itself answers.

Usage: /usr/bin/python3 src/test/python/make_onnx_cases.py [FOLDER]
       needs numpy and torch (Debian: python3-numpy python3-torch); FOLDER is src/test/resources/onnx unless given

NAME.onnx is the model, NAME.npz holds an array for each of the graph's inputs and outputs under its name. The batch and, where it
is an axis, the time are symbolic unless the case is called static. What PyTorch 1.13 can't export isn't here: LSTMs with a
projection ("LSTMs with projections" are unsupported by its ONNX exporter).
"""
import copy
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SEED = 20260101  # case number n uses SEED + n: adding a case at the end leaves the others as they are


class Bare(nn.Module):
    """nn.LSTM alone, with the states as outputs and, when they are given, as inputs."""

    def __init__(self, I, H, **options):
        super().__init__()
        self.lstm = nn.LSTM(I, H, **options)

    def forward(self, x, h0=None, c0=None):
        y, (h_n, c_n) = self.lstm(x, None if h0 is None else (h0, c0))
        return y, h_n, c_n


class Packed(nn.Module):
    """nn.LSTM over sequences of different lengths."""

    def __init__(self, I, H, **options):
        super().__init__()
        self.lstm = nn.LSTM(I, H, **options)

    def forward(self, x, lengths):
        first = self.lstm.batch_first
        packed = pack_padded_sequence(x, lengths, batch_first=first)
        y, (h_n, c_n) = self.lstm(packed)
        y, _ = pad_packed_sequence(y, batch_first=first)
        return y, h_n, c_n


class Tagger(nn.Module):
    """Tokens in, a score for each tag out: an embedding, LSTMs in both directions, a linear layer."""

    def __init__(self, words, I, H, tags, layers=2):
        super().__init__()
        self.embedding = nn.Embedding(words, I)
        self.lstm = nn.LSTM(I, H, num_layers=layers, bidirectional=True, batch_first=True)
        self.head = nn.Linear(2 * H, tags)

    def forward(self, tokens):
        y, _ = self.lstm(self.embedding(tokens))
        return self.head(y)


class PackedTagger(Tagger):
    """The same over sentences of different lengths."""

    def forward(self, tokens, lengths):
        packed = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True)
        y, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.head(y)


class Classifier(nn.Module):
    """A convolution over time, two LSTMs of different sizes with dropout between, and a head on the last step."""

    def __init__(self, I, H, classes):
        super().__init__()
        self.conv = nn.Conv1d(I, I + 1, 3, padding=1)
        self.first = nn.LSTM(I + 1, H, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.second = nn.LSTM(H, H + 2, batch_first=True)
        self.head = nn.Linear(H + 2, classes)

    def forward(self, x):
        z = torch.relu(self.conv(x.transpose(1, 2))).transpose(1, 2)
        y, _ = self.first(z)
        y, _ = self.second(self.dropout(y))
        return torch.softmax(self.head(y[:, -1]), -1)


class Streaming(nn.Module):
    """One frame and the states in, a probability and the states out: a voice-activity model."""

    def __init__(self, I, H, layers):
        super().__init__()
        self.front = nn.Linear(I, H)
        self.lstm = nn.LSTM(H, H, num_layers=layers)
        self.head = nn.Linear(H, 1)

    def forward(self, frame, h, c):
        z = torch.relu(self.front(frame)).unsqueeze(0)
        y, (h_out, c_out) = self.lstm(z, (h, c))
        return torch.sigmoid(self.head(torch.relu(y.squeeze(0)))), h_out, c_out


class Voice(nn.Module):
    """The same for one of two sampling rates, which is an input: the exporter makes an If of it, with an LSTM in each branch."""

    class Rate(nn.Module):
        def __init__(self, samples, F, H):
            super().__init__()
            self.front = nn.Conv1d(1, F, samples // 4, stride=samples // 8)
            self.lstm = nn.LSTM(F, H, num_layers=2)
            self.head = nn.Linear(H, 1)

        def forward(self, x, h, c):
            z = torch.relu(self.front(x.unsqueeze(1))).permute(2, 0, 1)
            y, (h_out, c_out) = self.lstm(z, (h, c))
            return torch.sigmoid(self.head(y[-1])), h_out, c_out

    def __init__(self):
        super().__init__()
        self.fast = self.Rate(32, 4, 6)
        self.slow = self.Rate(16, 4, 6)

    def forward(self, x, rate, h, c):
        if bool(rate == 16000):
            p, h_out, c_out = self.fast(x, h, c)
        else:
            p, h_out, c_out = self.slow(x, h, c)
        return p, h_out, c_out


STATES = ["h0", "c0"]
BATCH_MAJOR = {0: "batch", 1: "time"}
TIME_MAJOR = {0: "time", 1: "batch"}


def states(layers, directions, N, H):
    return torch.randn(layers * directions, N, H), torch.randn(layers * directions, N, H)


def bare(I, H, N, T, given=False, opset=14, dtype=torch.float32, static=False, **options):
    """A case of nn.LSTM alone: module, inputs by name, axes by name, options of the exporter."""
    module = Bare(I, H, **options).to(dtype)
    axes = BATCH_MAJOR if options.get("batch_first") else TIME_MAJOR
    x = torch.randn(*((N, T) if options.get("batch_first") else (T, N)), I, dtype=dtype)
    inputs, dynamic = {"x": x}, {"x": axes, "y": axes, "h_n": {1: "batch"}, "c_n": {1: "batch"}}
    if given:
        directions = 2 if options.get("bidirectional") else 1
        h0, c0 = states(options.get("num_layers", 1), directions, N, H)
        inputs.update(h0=h0.to(dtype), c0=c0.to(dtype))
        dynamic.update(h0={1: "batch"}, c0={1: "batch"})
    return module, inputs, ["y", "h_n", "c_n"], {} if static else dynamic, {"opset_version": opset}


def packed(I, H, lengths, T, opset=14, **options):
    first = options.get("batch_first")
    module = Packed(I, H, **options)
    N = len(lengths)
    x = torch.randn(*((N, T) if first else (T, N)), I)
    axes = BATCH_MAJOR if first else TIME_MAJOR
    dynamic = {"x": axes, "y": axes, "lengths": {0: "batch"}, "h_n": {1: "batch"}, "c_n": {1: "batch"}}
    inputs = {"x": x, "lengths": torch.tensor(lengths)}
    return module, inputs, ["y", "h_n", "c_n"], dynamic, {"opset_version": opset}


def tagger(opset=14, **exporter):
    dynamic = {"tokens": BATCH_MAJOR, "scores": BATCH_MAJOR}
    inputs = {"tokens": torch.randint(0, 11, (4, 6))}
    return Tagger(11, 5, 6, 3), inputs, ["scores"], dynamic, {"opset_version": opset, **exporter}


def packed_tagger():
    dynamic = {"tokens": BATCH_MAJOR, "scores": BATCH_MAJOR, "lengths": {0: "batch"}}
    inputs = {"tokens": torch.randint(0, 11, (4, 6)), "lengths": torch.tensor([6, 5, 2, 1])}
    return PackedTagger(11, 5, 6, 3), inputs, ["scores"], dynamic, {"opset_version": 14}


def classifier():
    return Classifier(4, 5, 3), {"x": torch.randn(3, 7, 4)}, ["p"], {"x": BATCH_MAJOR, "p": {0: "batch"}}, {"opset_version": 14}


def streaming():
    h, c = states(2, 1, 3, 6)
    axes = {name: {1: "batch"} for name in ["h", "c", "h_out", "c_out"]}
    axes.update(frame={0: "batch"}, p={0: "batch"})
    return Streaming(4, 6, 2), {"frame": torch.randn(3, 4), "h": h, "c": c}, ["p", "h_out", "c_out"], axes, {"opset_version": 14}


def voice():
    h, c = states(2, 1, 3, 6)
    axes = {name: {1: "batch"} for name in ["h", "c", "h_out", "c_out"]}
    axes.update(x={0: "batch", 1: "samples"}, p={0: "batch"})
    inputs = {"x": torch.randn(3, 32), "rate": torch.tensor(16000), "h": h, "c": c}
    return torch.jit.script(Voice()), inputs, ["p", "h_out", "c_out"], axes, {"opset_version": 14, "frames": 5}


def frame_by_frame(module, x, rate, h, c, frames):
    """What is fed in pieces, and the answers of all pieces side by side; from states of zeros."""
    data, answers = torch.randn(x.shape[0], frames * x.shape[1]), []
    h, c = torch.zeros_like(h), torch.zeros_like(c)
    for piece in data.split(x.shape[1], 1):
        p, h, c = module(piece, rate, h, c)
        answers.append(p)
    return {"frames": data.numpy(), "frames_p": torch.cat(answers, 1).numpy()}


# Batches of more than one row and sizes that differ from each other, so that no two axes can be taken for one another.
CASES = {
    "lstm": lambda: bare(3, 5, 4, 6),
    "lstm_batch_first": lambda: bare(3, 5, 4, 6, batch_first=True),
    "lstm_no_bias": lambda: bare(3, 5, 4, 6, bias=False),
    "lstm_bidirectional": lambda: bare(3, 5, 4, 6, bidirectional=True),
    "lstm_layers_2": lambda: bare(3, 5, 4, 6, num_layers=2),
    "lstm_layers_3_batch_first": lambda: bare(3, 5, 4, 6, num_layers=3, batch_first=True),
    "lstm_bidirectional_layers_2_batch_first": lambda: bare(
        3, 5, 4, 6, num_layers=2, bidirectional=True, batch_first=True
    ),
    "lstm_bidirectional_layers_3": lambda: bare(3, 5, 4, 6, num_layers=3, bidirectional=True),
    "lstm_states": lambda: bare(3, 5, 4, 6, given=True),
    "lstm_states_bidirectional_layers_2": lambda: bare(
        3, 5, 4, 6, given=True, num_layers=2, bidirectional=True, batch_first=True
    ),
    "lstm_opset_7": lambda: bare(3, 5, 4, 6, opset=7, num_layers=2, bidirectional=True),
    "lstm_opset_9": lambda: bare(3, 5, 4, 6, opset=9, num_layers=2, bidirectional=True),
    "lstm_opset_13": lambda: bare(3, 5, 4, 6, opset=13, num_layers=2, bidirectional=True),
    "lstm_opset_17": lambda: bare(3, 5, 4, 6, opset=17, num_layers=2, bidirectional=True),
    "lstm_static": lambda: bare(3, 5, 4, 6, static=True, num_layers=2, bidirectional=True, batch_first=True),
    "lstm_double": lambda: bare(3, 5, 4, 6, dtype=torch.float64, num_layers=2),
    "packed": lambda: packed(3, 5, [6, 4, 4, 1], 6),
    "packed_bidirectional_layers_2_batch_first": lambda: packed(
        3, 5, [6, 4, 4, 1], 6, num_layers=2, bidirectional=True, batch_first=True
    ),
    "tagger": lambda: tagger(),
    "tagger_unfolded": lambda: tagger(do_constant_folding=False),
    "tagger_packed": packed_tagger,
    "classifier": classifier,
    "streaming": streaming,
    "voice": voice,
}


def main():
    default = Path(__file__).resolve().parent.parent / "resources" / "onnx"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of shapes that it can't infer, which is what symbolic axes are
    total = 0
    for number, (name, make) in enumerate(CASES.items()):
        torch.manual_seed(SEED + number)
        module, inputs, outputs, axes, options = make()
        module.eval()
        frames = options.pop("frames", 0)
        with torch.no_grad():
            answers = module(*inputs.values())
        answers = answers if isinstance(answers, tuple) else (answers,)
        arrays = {key: value.numpy() for key, value in inputs.items()}
        arrays.update((key, value.numpy()) for key, value in zip(outputs, answers))
        if frames:
            with torch.no_grad():
                arrays.update(frame_by_frame(module, *inputs.values(), frames))
        path = folder / f"{name}.onnx"
        torch.onnx.export(
            module if isinstance(module, torch.jit.ScriptModule) else copy.deepcopy(module),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=axes,
            **options,
        )
        np.savez(folder / f"{name}.npz", **arrays)
        size = path.stat().st_size + (folder / f"{name}.npz").stat().st_size
        total += size
        print(f"{name:42} {size:8} bytes")
    print(f"{len(CASES)} cases, {total} bytes")


if __name__ == "__main__":
    main()
