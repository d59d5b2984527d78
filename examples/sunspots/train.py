#!/usr/bin/python3
"""Trains the sunspot forecaster and writes the files of this folder; the README beside it tells the story.

Usage: /usr/bin/python3 train.py [FOLDER]      needs numpy and torch (Debian: python3-numpy python3-torch); a minute

The seed and the number of threads are fixed, so that one machine gives one model. Another release of PyTorch, or
another processor, may round differently and train a slightly different one; the files in the repository belong
together.
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch

SEED = 1749  # the first year of the series
WINDOW = 36  # T: three years of months
FEATURES = 2  # I: the month itself, and the mean of the twelve months up to it
HIDDEN = 32  # H
LAYERS = 2  # L
HELD_OUT = 240  # N: the last twenty years, seen neither in training nor in choosing the epoch
VALIDATION = 240  # the twenty years before: they choose the epoch
EPOCHS = 30
BATCH = 64

here = Path(__file__).resolve().parent


class Forecaster(torch.nn.Module):
    """[N, T, I] -> [N]: the next month, on the scaled axis."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(FEATURES, HIDDEN, LAYERS, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, 1)

    def forward(self, x):
        y, _ = self.lstm(x)
        return self.head(y[:, -1]).squeeze(-1)


def scaled(sunspots, fitted):
    """The square root, standardised by the months that are trained on.

    Counts grow noisier as they grow larger, roughly with their square root; the root makes the noise even.
    """
    root = np.sqrt(sunspots)
    return (root - root[:fitted].mean()) / root[:fitted].std(), float(root[:fitted].mean()), float(root[:fitted].std())


def windows(sunspots, axis, root_mean, root_std):
    """Every window of T months [N, T, I] and the month that follows it, scaled [N]."""
    sums = np.cumsum(np.concatenate([[0.0], sunspots]))
    year = (sums[12:] - sums[:-12]) / 12  # year[j]: the mean of months j .. j+11
    features = np.stack([axis[11:], (np.sqrt(year) - root_mean) / root_std], axis=1)  # starts at month 11
    count = len(features) - WINDOW
    x = np.stack([features[n : n + WINDOW] for n in range(count)])
    return x.astype(np.float32), axis[11 + WINDOW :].astype(np.float32)


def write_safetensors(path, tensors, metadata):
    """The format is: u64 length of the header, the header (JSON, padded with spaces to 8 bytes), the bytes."""
    header, offset = {"__metadata__": metadata}, 0
    for name, values in tensors.items():
        assert values.dtype == np.float32
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            out.write(np.ascontiguousarray(values).astype("<f4").tobytes())


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # the order of the sums, and with it the trained bits, depends on the number of threads

    sunspots = np.loadtxt(here / "sunspots.csv", delimiter=",", skiprows=1, usecols=1)
    axis, root_mean, root_std = scaled(sunspots, len(sunspots) - HELD_OUT - VALIDATION)
    x, target = (torch.from_numpy(a) for a in windows(sunspots, axis, root_mean, root_std))
    train = slice(0, len(x) - HELD_OUT - VALIDATION)
    validation = slice(train.stop, train.stop + VALIDATION)

    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    best, best_epoch, best_weights = float("inf"), 0, None
    for epoch in range(1, EPOCHS + 1):
        for rows in torch.randperm(train.stop).split(BATCH):
            loss = torch.nn.functional.mse_loss(model(x[rows]), target[rows])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        schedule.step()
        with torch.no_grad():
            error = torch.nn.functional.mse_loss(model(x[validation]), target[validation]).item()
        if error < best:
            best, best_epoch = error, epoch
            best_weights = {name: values.clone() for name, values in model.state_dict().items()}
        if epoch % 10 == 0:
            print(f"epoch {epoch:3}  last batch {loss.item():.4f}  validation {error:.4f}")
    model.load_state_dict(best_weights)
    print(f"kept epoch {best_epoch}, validation {best:.4f}")

    inputs = x[-HELD_OUT:].contiguous()
    with torch.no_grad():
        y, (h_n, c_n) = model.lstm(inputs)
        forecast = model(inputs).double().numpy()
    metadata = {
        "framework": "torch.nn.LSTM",
        "batch_first": "true",
        "features": "sqrt(sunspots), sqrt(mean of 12 months), both (v - root_mean) / root_std",
        "root_mean": repr(root_mean),
        "root_std": repr(root_std),
    }
    tensors = {name: values.numpy() for name, values in model.state_dict().items()}
    write_safetensors(folder / "model.safetensors", tensors, metadata)
    np.save(folder / "input.npy", inputs.numpy())
    np.save(folder / "expected_y.npy", y.numpy())
    np.savez(folder / "expected.npz", y=y.numpy(), h_n=h_n.numpy(), c_n=c_n.numpy())

    truth = sunspots[-HELD_OUT:]
    months = np.maximum(forecast * root_std + root_mean, 0.0) ** 2
    for name, guess in [("this model", months), ("persistence", sunspots[-HELD_OUT - 1 : -1])]:
        error = guess - truth
        print(f"held-out {name:11}  RMSE {np.sqrt(np.mean(error**2)):.2f}  MAE {np.mean(np.abs(error)):.2f} sunspots")


if __name__ == "__main__":
    main()
