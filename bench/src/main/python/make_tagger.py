#!/usr/bin/python3
"""Writes tagger.onnx.gz: a tagger as PyTorch's exporter makes it, with weights of zero, which pack well.

Usage: /usr/bin/python3 bench/src/main/python/make_tagger.py
       needs torch (Debian: python3-torch)

Tokens [batch, time] in, a score for each tag [batch, time, tags] out: an embedding, two bidirectional LSTM layers, a linear layer. The
benchmark puts random weights of the same shapes in the place of the zeros.
"""
import gzip
import io
from pathlib import Path

import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, words, features, units, tags):
        super().__init__()
        self.embedding = nn.Embedding(words, features)
        self.lstm = nn.LSTM(features, units, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(2 * units, tags)

    def forward(self, tokens):
        y, _ = self.lstm(self.embedding(tokens))
        return self.head(y)


model = Tagger(words=10000, features=128, units=256, tags=17).eval()
for parameter in model.parameters():
    nn.init.zeros_(parameter)
file = io.BytesIO()
torch.onnx.export(
    model,
    torch.zeros(2, 3, dtype=torch.int64),
    file,
    opset_version=14,
    input_names=["tokens"],
    output_names=["scores"],
    dynamic_axes={"tokens": {0: "batch", 1: "time"}, "scores": {0: "batch", 1: "time"}},
)
target = Path(__file__).parents[1] / "resources" / "tagger.onnx.gz"
target.write_bytes(gzip.compress(file.getvalue(), 9, mtime=0))
print(target, target.stat().st_size, "bytes")
