#!/usr/bin/python3
"""Compares a y.npy of this example with PyTorch's, and turns it into forecasts.

Usage: /usr/bin/python3 compare.py Y.npy       needs numpy

Prints the largest difference, and the forecasts' error in sunspots. Exit status 1 when the difference is above 1e-5.
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np

BOUND = 1e-5
here = Path(__file__).resolve().parent


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header, start = json.loads(data[8 : 8 + length]), 8 + length
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[start + first : start + end], "<f4").reshape(entry["shape"])
    return tensors, metadata


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    y = np.load(sys.argv[1])
    expected = np.load(here / "expected_y.npy")
    if y.shape != expected.shape:
        sys.exit(f"compare: error: expected shape {expected.shape}, found {y.shape}")
    difference = float(np.abs(y.astype(np.float64) - expected).max())
    print(f"largest difference from PyTorch {difference:.3g}, bound {BOUND:g}")

    tensors, metadata = read_safetensors(here / "model.safetensors")
    root = y[:, -1] @ tensors["head.weight"][0] + tensors["head.bias"][0]
    root = root * float(metadata["root_std"]) + float(metadata["root_mean"])
    sunspots = np.loadtxt(here / "sunspots.csv", delimiter=",", skiprows=1, usecols=1)
    truth, last = sunspots[-len(y) :], sunspots[-len(y) - 1 : -1]
    for name, forecast in [("this model", np.maximum(root, 0) ** 2), ("persistence", last)]:
        error = forecast - truth
        print(f"{name:11}  RMSE {np.sqrt(np.mean(error**2)):.2f}  MAE {np.mean(np.abs(error)):.2f} sunspots")
    # the comparison is this way round so that a NaN fails
    return 0 if difference <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
