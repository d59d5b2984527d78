#!/usr/bin/python3
"""Writes the files of the tests of Keras' formats, and what Keras' equations give for them.

Usage: /usr/bin/python3 src/test/python/make_keras_cases.py [FOLDER]
       needs numpy and h5py (Debian: python3-numpy python3-h5py); FOLDER is src/test/resources/keras unless given

No Keras is needed: the files are laid out here as its versions lay them out, and the expected values are computed here in double
precision from the equations of its LSTM (https://keras.io/api/layers/recurrent_layers/lstm/), layer by layer as Keras goes through a
model. Each case is a model, NAME.h5 or NAME.keras, and NAME.npz beside it:

  x          [N, T, I]
  lengths    [N], only in cases with a mask; the steps past them are masked
  out        what the model returns: the last LSTM layer's outputs [N, T, D*H], or its last output [N, D*H]
  h, c       the final states, each layer's and direction's [N, H] one after the other, flat

Models that are to be refused are named refused_*.
"""
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np

SEED = 20260301
ROWS, STEPS, FEATURES = 3, 5, 3


# ---- Keras' equations -------------------------------------------------------------------------------------------------

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def activation(name, version):
    old = version.startswith("2")
    return {
        "sigmoid": sigmoid,
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0),
        "linear": lambda x: x,
        "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
        "softsign": lambda x: x / (1 + np.abs(x)),
        "softplus": lambda x: np.log1p(np.exp(x)),
        "leaky_relu": lambda x: np.where(x >= 0, x, 0.2 * x),
        "hard_sigmoid": (lambda x: np.clip(0.2 * x + 0.5, 0, 1)) if old
        else (lambda x: np.minimum(np.maximum(x + 3, 0), 6) / 6),
    }[name]


def lstm(layer, weights, x, mask, version):
    """One direction: all outputs in the order in which they are computed, and the final states."""
    kernel, recurrent = (np.asarray(w, np.float64) for w in weights[:2])
    bias = np.asarray(weights[2], np.float64) if layer["use_bias"] else 0.0
    act, gate = activation(layer["activation"], version), activation(layer["recurrent_activation"], version)
    n, t, _ = x.shape
    h = c = np.zeros((n, layer["units"]))
    output = np.zeros((n, layer["units"]))
    outputs = []
    steps = range(t - 1, -1, -1) if layer["go_backwards"] else range(t)
    for step in steps:
        i, f, g, o = np.split(x[:, step] @ kernel + h @ recurrent + bias, 4, axis=1)
        c_new = gate(f) * c + gate(i) * act(g)
        h_new = gate(o) * act(c_new)
        if mask is not None:
            keep = mask[:, step, None]
            c_new, h_new = np.where(keep, c_new, c), np.where(keep, h_new, h)
            output = np.where(keep, h_new, output)
        else:
            output = h_new
        h, c = h_new, c_new
        outputs.append(output)
    return np.stack(outputs, axis=1), h, c


def compute(layers, weights, x, mask, version):
    """The model's output and the final states."""
    states = []
    x = np.asarray(x, np.float64)
    for layer in layers:
        kind = layer["class_name"]
        if kind == "LSTM":
            y, h, c = lstm(layer, weights[layer["name"]][0], x, mask, version)
            states.append((h, c))
            x = y if layer["return_sequences"] else y[:, -1]
        elif kind == "Bidirectional":
            parts = [layer["layer"], layer["backward_layer"] or dict(layer["layer"], go_backwards=True)]
            ys = []
            for part, own in zip(parts, weights[layer["name"]]):
                y, h, c = lstm(part, own, x, mask, version)
                states.append((h, c))
                ys.append(y)
            if parts[0]["return_sequences"]:
                x = np.concatenate([ys[0], ys[1][:, ::-1]], axis=2)
            else:
                x = np.concatenate([ys[0][:, -1], ys[1][:, -1]], axis=1)
    return x, states


# ---- layers and their weights -----------------------------------------------------------------------------------------

def LSTM(units, name, **options):
    layer = dict(class_name="LSTM", name=name, units=units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 return_sequences=True, return_state=False, go_backwards=False, stateful=False, unroll=False)
    layer.update(options)
    return layer


def Bidirectional(layer, name, merge_mode="concat", backward_layer=None):
    return dict(class_name="Bidirectional", name=name, layer=layer, merge_mode=merge_mode, backward_layer=backward_layer)


def Other(class_name, name, **options):
    return dict(class_name=class_name, name=name, **options)


def make_weights(layers, dtype, random):
    """By layer: for each direction kernel, recurrent kernel, bias."""
    weights, inputs = {}, FEATURES
    for layer in layers:
        parts = {"LSTM": [layer], "Bidirectional": [layer.get("layer"), layer.get("backward_layer") or layer.get("layer")]}.get(
            layer["class_name"])
        if layer["class_name"] == "Embedding":
            weights[layer["name"]] = [[random.standard_normal((7, 4)).astype(dtype)]]
            inputs = 4
        if layer["class_name"] == "Dense":
            weights[layer["name"]] = [[random.standard_normal((inputs, 2)).astype(dtype), np.zeros(2, dtype)]]
            inputs = 2
        if not parts or parts[0]["class_name"] != "LSTM":
            continue
        weights[layer["name"]] = []
        for part in parts:
            h = part["units"]
            own = [random.uniform(-1, 1, (inputs, 4 * h)), random.uniform(-1, 1, (h, 4 * h))]
            if part["use_bias"]:
                # As after training: no gate like another.
                own.append(random.uniform(-1, 1, 4 * h) + np.repeat([0.0, 1.0, 0.2, -0.3], h))
            weights[layer["name"]].append([w.astype(dtype) for w in own])
        inputs = len(parts) * parts[0]["units"]
    return weights


# ---- configurations ---------------------------------------------------------------------------------------------------

def is_3(version):
    return version.startswith("3")


def dtype_config(version, dtype):
    if not is_3(version):
        return dtype
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}


def initializer(version, name, **config):
    if not is_3(version):
        return {"class_name": name, "config": config}
    return {"module": "keras.initializers", "class_name": name, "config": config, "registered_name": None}


def lstm_config(layer, version, dtype):
    config = {"name": layer["name"], "trainable": True, "dtype": dtype_config(version, dtype)}
    for key in ("return_sequences", "return_state", "go_backwards", "stateful", "unroll"):
        config[key] = layer[key]
    config["zero_output_for_mask" if is_3(version) else "time_major"] = False
    for key in ("units", "activation", "recurrent_activation", "use_bias"):
        config[key] = layer[key]
    config["kernel_initializer"] = initializer(version, "GlorotUniform", seed=None)
    config["recurrent_initializer"] = initializer(version, "Orthogonal", gain=1.0, seed=None)
    config["bias_initializer"] = initializer(version, "Zeros")
    config["unit_forget_bias"] = True
    for key in ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
                "recurrent_constraint", "bias_constraint"):
        config[key] = None
    config.update(dropout=0.1, recurrent_dropout=0.0)
    config.update({"seed": None} if is_3(version) else {"implementation": 2})
    if layer.get("cudnn") == "class":
        for key in ("activation", "recurrent_activation", "use_bias", "unroll", "dropout", "recurrent_dropout", "implementation",
                    "time_major"):
            config.pop(key)
    return config


def wrapped(class_name, config, version, registered=None):
    entry = {"class_name": class_name, "config": config}
    if is_3(version):
        entry = {"module": None if registered else "keras.layers", **entry, "registered_name": registered}
    return entry


def lstm_class(layer):
    return "CuDNNLSTM" if layer.get("cudnn") == "class" else "LSTM"


def layer_entry(layer, version, dtype):
    kind = layer["class_name"]
    if kind == "LSTM":
        return wrapped(lstm_class(layer), lstm_config(layer, version, dtype), version, layer.get("registered_name"))
    if kind == "Bidirectional":
        config = {"name": layer["name"], "trainable": True, "dtype": dtype_config(version, dtype),
                  "merge_mode": layer["merge_mode"]}
        inner = layer["layer"]
        if inner["class_name"] != "LSTM":
            config["layer"] = wrapped(inner["class_name"], {"name": inner["name"], "units": inner["units"]}, version)
            return wrapped("Bidirectional", config, version)
        name = inner["name"]
        forward = dict(inner, name="forward_" + name if is_3(version) else name)
        config["layer"] = wrapped(lstm_class(inner), lstm_config(forward, version, dtype), version)
        if is_3(version) or layer["backward_layer"]:
            backward = layer["backward_layer"] or dict(inner, go_backwards=not inner["go_backwards"])
            config["backward_layer"] = wrapped(
                "LSTM", lstm_config(dict(backward, name="backward_" + name), version, dtype), version)
        return wrapped("Bidirectional", config, version)
    config = {"name": layer["name"], "trainable": True, "dtype": dtype_config(version, dtype)}
    config.update({key: value for key, value in layer.items() if key not in ("class_name", "name")})
    if kind == "InputLayer":
        config = {"batch_shape" if is_3(version) else "batch_input_shape": [None, None, FEATURES], "dtype": dtype,
                  "sparse": False, "name": layer["name"]}
    config.pop("registered_name", None)
    return wrapped(kind, config, version, layer.get("registered_name"))


def model_config(layers, version, dtype, functional, outputs=None):
    entries = [layer_entry(layer, version, dtype) for layer in layers]
    if not functional:
        config = {"name": "sequential", "layers": entries}
        if is_3(version):
            config = {"name": "sequential", "trainable": True, "dtype": dtype_config(version, dtype), "layers": entries,
                      "build_input_shape": [None, None, FEATURES]}
            return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None,
                    "build_config": {"input_shape": [None, None, FEATURES]}}
        return {"class_name": "Sequential", "config": config}

    def source(name):
        if is_3(version):
            return {"class_name": "__keras_tensor__",
                    "config": {"shape": [None, None, FEATURES], "dtype": dtype, "keras_history": [name, 0, 0]}}
        return [name, 0, 0, {}]

    for position, (entry, layer) in enumerate(zip(entries, layers)):
        entry["name"] = layer["name"]
        reads = layer.get("reads", [layers[position - 1]["name"]] if position else [])
        entry["config"].pop("reads", None)
        if not reads:
            entry["inbound_nodes"] = []
        elif is_3(version):
            entry["inbound_nodes"] = [{"args": [source(name) for name in reads], "kwargs": {}}]
        else:
            entry["inbound_nodes"] = [[source(name) for name in reads]]
    config = {"name": "functional" if is_3(version) else "model", "trainable": True, "layers": entries,
              "input_layers": [[layers[0]["name"], 0, 0]], "output_layers": [[layers[-1]["name"], 0, 0]]}
    model = {"class_name": "Functional", "config": config}
    return {"module": "keras.src.models.functional", **model, "registered_name": "Functional"} if is_3(version) else model


# ---- files ------------------------------------------------------------------------------------------------------------

def cudnn_layout(arrays, random):
    """A kernel [I, 4H], a recurrent kernel [H, 4H] and a bias [4H] as CuDNNLSTM stores them: in the columns of each gate, C order,
    the values of the matrix [H, I] or [H, H]; and two biases, whose sum counts."""
    def stored(kernel):
        return np.hstack([np.ascontiguousarray(gate.T).reshape(gate.shape) for gate in np.split(kernel, 4, axis=1)])

    first = random.uniform(-1, 1, arrays[2].shape).astype(arrays[2].dtype)
    return [stored(arrays[0]), stored(arrays[1]), np.concatenate([first, arrays[2] - first])]


def write_h5(target, layers, weights, config, version, split_names=False, with_config=True, filters=None, **_):
    """As model.save("NAME.h5") writes it in Keras 2 and 3."""
    with h5py.File(target, "w") as file:
        if with_config:
            file.attrs["keras_version"] = version if is_3(version) else version.encode()
            file.attrs["backend"] = b"tensorflow"
            file.attrs["model_config"] = json.dumps(config).encode("utf8")
            group = file.create_group("model_weights")
        else:
            group = file
        group.attrs["layer_names"] = [layer["name"].encode() for layer in layers]
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = version.encode()
        for layer in sorted(layers, key=lambda one: one["name"]):
            own = group.create_group(layer["name"])
            names, values = [], []
            for d, arrays in enumerate(weights.get(layer["name"], [])):
                if layer.get("layer", layer).get("cudnn"):
                    arrays = cudnn_layout(arrays, np.random.default_rng(SEED))
                kinds = ["kernel", "recurrent_kernel", "bias"] if layer["class_name"] in ("LSTM", "Bidirectional") \
                    else ["kernel", "bias"] if layer["class_name"] == "Dense" else ["embeddings"]
                cell = "/lstm_cell" if layer["class_name"] in ("LSTM", "Bidirectional") else ""
                inner = "/" + ("forward_", "backward_")[d] + layer["layer"]["name"] if layer["class_name"] == "Bidirectional" else ""
                for kind, value in zip(kinds, arrays):
                    path = layer["name"] + inner + cell + "/" + kind
                    names.append(("sequential/" + path if is_3(version) else path + ":0").encode())
                    values.append(value)
            if split_names and names:
                for part, some in enumerate(np.array_split(np.asarray(names), 2)):
                    own.attrs["weight_names%d" % part] = some
            else:
                own.attrs["weight_names"] = names
            for name, value in zip(names, values):
                dataset = own.create_dataset(name, value.shape, dtype=value.dtype, **(filters or {}))
                dataset[:] = value
        if with_config:
            group.create_group("top_level_model_weights").attrs["weight_names"] = []
            file.create_group("optimizer_weights")


def snake_case(name):
    name = re.sub(r"\W+", "", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def weights_h5(layers, weights, version, metadata, bfloat16=False):
    """As it lies in a .keras file: groups by class and number."""
    out = io.BytesIO()
    twice = version.startswith("2.12")
    container = "_layer_checkpoint_dependencies" if twice else "layers"

    def variables(file, path, values, name):
        group = file.create_group(path).create_group("vars")
        if metadata and name:
            group.attrs["name"] = name
        for number, value in enumerate(values):
            if bfloat16:
                bits = (np.asarray(value, np.float32).view(np.uint32) >> 16).astype("<u2")
                dataset = group.create_dataset(str(number), data=bits.view("V2").reshape(value.shape))
                dataset.attrs["dtype"] = "bfloat16"
            else:
                group[str(number)] = value

    with h5py.File(out, "w") as file:
        file.create_group("vars")
        used = {}
        for layer in layers:
            kind = snake_case(layer["class_name"])
            used[kind] = used.get(kind, -1) + 1
            path = container + "/" + kind + ("_%d" % used[kind] if used[kind] else "")
            if twice and layer["name"] in weights:
                used[kind] += 1  # the same layer again, as layer-N
            arrays = weights.get(layer["name"], [])
            if layer["class_name"] == "LSTM":
                variables(file, path, [], layer["name"])
                variables(file, path + "/cell", arrays[0], "lstm_cell")
                if is_3(version):
                    file.create_group(path + "/cell/seed_generator").create_group("vars")["0"] = np.zeros(2, np.uint32)
            elif layer["class_name"] == "Bidirectional" and arrays:
                variables(file, path, [], layer["name"])
                for d, side in enumerate(("forward_layer", "backward_layer")):
                    variables(file, path + "/" + side, [], side[:-6] + "_" + layer["layer"]["name"])
                    variables(file, path + "/" + side + "/cell", arrays[d], "lstm_cell")
            else:
                variables(file, path, arrays[0] if arrays else [], layer["name"])
        file.create_group("optimizer").create_group("vars")["0"] = np.int64(12)
    return out.getvalue()


def write_keras(target, layers, weights, config, version, deflate=False, metadata=False, bfloat16=False, **_):
    """As model.save("NAME.keras") writes it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as archive:
        for name, content in (
                ("metadata.json", json.dumps({"keras_version": version, "date_saved": "2026-01-01@12:00:00"}).encode()),
                ("config.json", json.dumps(config).encode()),
                ("model.weights.h5", weights_h5(layers, weights, version, metadata, bfloat16))):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = archive.compression
            archive.writestr(entry, content)


class Cases:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    def add(self, name, version, layers, functional=False, dtype="float32", masked=False, expected=True, read=None, **options):
        """read: the names of the LSTM layers that are read; all unless given."""
        random = np.random.default_rng(SEED + self.count)
        self.count += 1
        layers = [Other("InputLayer", "input_layer")] + layers
        weights = make_weights(layers, np.dtype("float32" if dtype == "bfloat16" else dtype), random)
        if dtype == "bfloat16":
            weights = {key: [[(w.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32) for w in part] for part in parts]
                       for key, parts in weights.items()}
            options["bfloat16"] = True
        config = model_config(layers, version, dtype, functional)
        write = write_h5 if name.endswith(".h5") else write_keras
        write(self.folder / name, layers, weights, config, version, **options)
        if not expected:
            return
        chosen = [layer for layer in layers if layer["class_name"] in ("LSTM", "Bidirectional") and
                  (read is None or layer["name"] in read)]
        features = weights[chosen[0]["name"]][0][0].shape[0]
        x = random.uniform(-2, 2, (ROWS, STEPS, features)).astype(np.float32)
        arrays = {"x": x}
        mask = None
        if masked:
            arrays["lengths"] = lengths = np.array([STEPS, 2, 4])
            mask = np.arange(STEPS)[None, :] < lengths[:, None]
        out, states = compute(chosen, weights, x, mask, version)
        arrays.update(out=out, h=np.concatenate([h.ravel() for h, _ in states]), c=np.concatenate([c.ravel() for _, c in states]))
        np.savez(self.folder / (Path(name).stem + ".npz"), **arrays)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "resources" / "keras")
    folder.mkdir(parents=True, exist_ok=True)
    cases = Cases(folder)
    add = cases.add
    old, older, new = "2.15.0", "2.12.0", "3.8.0"

    def stack(**top):
        return [LSTM(5, "lstm"), Other("Dropout", "dropout", rate=0.2, noise_shape=None, seed=None), LSTM(4, "lstm_1"),
                LSTM(3, "lstm_2", **top)]

    add("single_2.h5", old, [LSTM(4, "lstm")])
    add("single_3.keras", new, [LSTM(4, "lstm")])
    add("single_3_h5.h5", new, [LSTM(4, "encoder")])
    add("last_output_2.h5", old, [LSTM(4, "lstm", return_sequences=False)])
    add("bidirectional_2.h5", old, [Bidirectional(LSTM(4, "lstm"), "bidirectional")])
    add("bidirectional_3.keras", new, [Bidirectional(LSTM(4, "lstm"), "bidirectional")], metadata=True)
    add("bidirectional_last_3.keras", new, [Bidirectional(LSTM(4, "lstm", return_sequences=False), "both")])
    add("bidirectional_own_backward_2.h5", old,
        [Bidirectional(LSTM(4, "lstm"), "bidirectional",
                       backward_layer=LSTM(4, "back", activation="relu", use_bias=False, go_backwards=True))])
    add("stack_2.h5", old, stack())
    add("stack_3.keras", new, stack(return_sequences=False), metadata=True, deflate=True)
    add("stack_2_12.keras", older, stack())
    add("mixed_directions_3.keras", new,
        [Bidirectional(LSTM(4, "lstm"), "bidirectional"), LSTM(5, "lstm"), Bidirectional(LSTM(2, "lstm_1"), "bidirectional_1")])
    add("backwards_2.h5", old, [LSTM(4, "lstm", go_backwards=True)])
    add("backwards_last_3.keras", new, [LSTM(4, "lstm", go_backwards=True, return_sequences=False)])
    add("backwards_below_3.keras", new, [LSTM(4, "lstm", go_backwards=True), LSTM(3, "lstm_1")])
    add("backwards_twice_2.h5", old, [LSTM(4, "lstm", go_backwards=True), LSTM(3, "lstm_1", go_backwards=True), LSTM(2, "lstm_2")])
    add("no_bias_3.keras", new, [LSTM(4, "lstm", use_bias=False), LSTM(4, "lstm_1", use_bias=False)])
    add("hard_sigmoid_2.h5", old, [LSTM(4, "lstm", recurrent_activation="hard_sigmoid")])
    add("hard_sigmoid_3.keras", new, [LSTM(4, "lstm", recurrent_activation="hard_sigmoid")])
    for function in ("relu", "linear", "elu", "softsign", "softplus", "leaky_relu"):
        add(function + "_3.keras", new, [LSTM(3, "lstm", activation=function)])
    add("gates_2.h5", old, [LSTM(3, "lstm", activation="softsign", recurrent_activation="softsign")])
    add("masked_2.h5", old,
        [Other("Masking", "masking", mask_value=0.0), LSTM(4, "lstm"), Other("SpatialDropout1D", "spatial_dropout1d", rate=0.3),
         Bidirectional(LSTM(3, "lstm_1"), "bidirectional"), Other("GaussianNoise", "noise", stddev=0.1)], masked=True)
    add("masked_last_3.keras", new,
        [Other("Masking", "masking", mask_value=-1.0), LSTM(4, "lstm", return_sequences=False, go_backwards=True)], masked=True)
    add("functional_2.h5", old, stack(), functional=True, split_names=True)
    add("functional_3.keras", new, stack(), functional=True)
    add("float16_3.keras", new, stack(), dtype="float16")
    add("float64_2.h5", old, [LSTM(4, "lstm")], dtype="float64")
    embedding = Other("Embedding", "embedding", input_dim=7, output_dim=4, mask_zero=False)
    add("tagger_2.h5", old,
        [embedding, LSTM(4, "lstm"), Bidirectional(LSTM(3, "lstm_1"), "bidirectional"), Other("Dense", "head", units=2)],
        read=["lstm", "bidirectional"])
    add("tagger_3.keras", new,
        [embedding, LSTM(4, "lstm"), Bidirectional(LSTM(3, "lstm_1"), "bidirectional"), Other("Dense", "head", units=2)],
        functional=True, read=["lstm", "bidirectional"])

    def refused(name, version, layers, **options):
        add("refused_" + name, version, layers, expected=False, deflate=True, **options)

    refused("weights_2.h5", old, [LSTM(4, "lstm")], with_config=False)
    refused("gru_3.keras", new, [Other("GRU", "gru", units=4), Bidirectional(Other("GRU", "gru", units=4), "bidirectional")])
    refused("conv_2.h5", old, [Other("ConvLSTM1D", "conv_lstm1d", filters=4)])
    refused("custom_3.keras", new, [LSTM(4, "lstm", registered_name="shop>LSTM")])
    refused("bfloat16_3.keras", new, [LSTM(4, "lstm")], dtype="bfloat16")
    refused("selu_3.keras", new, [LSTM(4, "lstm", activation="selu")])
    refused("own_function_3.keras", new,
            [LSTM(4, "lstm", activation={"module": "builtins", "class_name": "function", "config": "mine",
                                         "registered_name": "function"})])
    refused("sum_3.keras", new, [Bidirectional(LSTM(4, "lstm"), "bidirectional", merge_mode="sum")])
    refused("unmerged_2.h5", old, [Bidirectional(LSTM(4, "lstm"), "bidirectional", merge_mode=None)])
    refused("last_inside_2.h5", old, [LSTM(4, "lstm", return_sequences=False), LSTM(4, "lstm_1")])
    refused("turned_bidirectional_3.keras", new, [LSTM(4, "lstm", go_backwards=True), Bidirectional(LSTM(4, "lstm_1"), "bidirectional")])
    refused("backwards_forward_3.keras", new, [Bidirectional(LSTM(4, "lstm", go_backwards=True), "bidirectional")])
    refused("masked_backwards_2.h5", old,
            [Other("Masking", "masking", mask_value=0.0), LSTM(4, "lstm", go_backwards=True), LSTM(4, "lstm_1")])
    refused("units_differ_3.keras", new,
            [Bidirectional(LSTM(4, "lstm"), "bidirectional", backward_layer=LSTM(5, "back", go_backwards=True))])
    refused("branch_3.keras", new,
            [LSTM(3, "lstm"), LSTM(3, "lstm_1", reads=["input_layer"])], functional=True)
    refused("state_2.h5", old,
            [LSTM(3, "lstm"), LSTM(3, "lstm_1", reads=["lstm", "input_layer"])], functional=True)
    refused("dense_between_3.keras", new, [LSTM(4, "lstm"), Other("Dense", "dense", units=2), LSTM(4, "lstm_1")])

    def edited(name, change):
        refused(name, old, [LSTM(4, "lstm")])
        with h5py.File(folder / ("refused_" + name), "r+") as file:
            change(file["model_weights/lstm/lstm/lstm_cell"])

    def replaced(cell, name, **options):
        values = np.array(cell[name])
        del cell[name]
        cell.create_dataset(name, **{"data": values, **options})

    def linked(cell):
        del cell["kernel:0"]
        cell["kernel:0"] = h5py.ExternalLink("single_2.h5", "/model_weights/lstm/lstm/lstm_cell/kernel:0")

    edited("link_2.h5", linked)
    edited("lzf_2.h5", lambda cell: replaced(cell, "kernel:0", compression="lzf"))
    edited("integers_2.h5", lambda cell: replaced(cell, "kernel:0", dtype="i4"))
    edited("missing_2.h5", lambda cell: cell.pop("recurrent_kernel:0"))

    cudnn = dict(recurrent_activation="sigmoid", cudnn="class")
    add("cudnn_2.h5", "2.1.3", [LSTM(4, "lstm", **cudnn), LSTM(3, "lstm_1", return_sequences=False, **cudnn)])
    add("cudnn_bidirectional_2.h5", "2.2.4", [Bidirectional(LSTM(4, "lstm", **cudnn), "bidirectional")])
    # Written by CuDNNLSTM, and loaded as LSTM with its own functions: the biases show it.
    add("cudnn_weights_2.h5", "2.2.4", [LSTM(4, "lstm", recurrent_activation="hard_sigmoid", cudnn="weights")])
    add("deflated_2.h5", old, [LSTM(4, "lstm")], filters=dict(compression="gzip"))
    add("shuffled_2.h5", old, [LSTM(4, "lstm"), LSTM(5, "lstm_1")],
        filters=dict(compression="gzip", compression_opts=9, shuffle=True, fletcher32=True))
    add("chunked_2.h5", old, [LSTM(4, "lstm")], filters=dict(chunks=True))
    add("deflated_float64_2.h5", old, [LSTM(4, "lstm")], dtype="float64", filters=dict(compression="gzip", shuffle=True))
    add("deflated_float16_2.h5", old, [LSTM(4, "lstm")], dtype="float16", filters=dict(compression="gzip", shuffle=True))
    inside = [embedding, Other("Dropout", "dropout", rate=0.2, noise_shape=None, seed=None), LSTM(4, "lstm"), LSTM(3, "lstm_1"),
              Other("Dense", "dense", units=2), LSTM(2, "lstm_2"), Other("Dense", "head", units=2)]
    refused("chains_3.keras", new, inside)
    refused("chains_functional_2.h5", old, inside, functional=True)
    refused("state_and_dense_2.h5", old,
            [LSTM(3, "lstm"), LSTM(3, "lstm_1", reads=["lstm", "input_layer"]), Other("Dense", "head", units=2)], functional=True)


if __name__ == "__main__":
    main()
