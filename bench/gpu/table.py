"""The table of a GPU in docs/lab/benchmarks.md, from the files of a session:

  python3 bench/gpu/table.py SHAPES PEERS     prints the table of shapes.jsonl and peer.jsonl; and, to standard error,
                                              what the text around it says: versions, range of ratios, bits, failures
  python3 bench/gpu/table.py --check PAGE     compares each table that follows a comment
                                              <!-- bench/gpu/table.py SHAPES PEERS --> with these files, whose paths
                                              begin at the project's root
"""
import itertools
import json
import math
import os
import re
import sys

HEADER = ["T,N,I,H", "plan", "CellFuse", "TFLOP/s", "wall", "cuDNN fp32", "cuDNN TF32", "ratio to fp32",
          "ratio to TF32"]
MARKED = re.compile(r"<!-- bench/gpu/table\.py\s+(\S+)\s+(\S+)\s+-->\n\n((?:\|.*\n)+)")
NONE = "–"


def fail(message, status=2):
    print("error: " + message, file=sys.stderr)
    sys.exit(status)


def read(name):
    """Returns the objects of a file with one JSON object in each line."""
    found = []
    try:
        with open(name, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                try:
                    value = json.loads(line)
                except ValueError as e:
                    fail(f"{name}, line {number}: expected a JSON object, found {line.strip()[:60]!r} ({e})")
                if not isinstance(value, dict):
                    fail(f"{name}, line {number}: expected a JSON object, found {line.strip()[:60]!r}")
                found.append(value)
    except (OSError, UnicodeDecodeError) as e:
        fail(f"{name}: can't be read: {e}")
    return found


def digits(x, count=3):
    """Returns x with so many significant digits, without an exponent: 7.32, 17.7, 254, 0.0332."""
    if x is None:
        return NONE
    rounded = float(f"{x:.{count - 1}e}")
    return f"{rounded:.{max(0, count - 1 - math.floor(math.log10(rounded)))}f}"


def ms(x):
    return NONE if x is None else digits(x) + " ms"


def ratio(peer, ours):
    return NONE if peer is None or ours is None else f"{peer / ours:.2f}"


def plan(x):
    name = re.search(r": (\w+) plan", x.get("plan", ""))
    return f"`{name.group(1)}`" if name else NONE


def load(shapes, peers):
    """Returns the lines of both files, checked, and the peers' milliseconds by shape and mode."""
    ours, theirs = read(shapes), read(peers)
    for x in ours:
        if not re.fullmatch(r"\d+,\d+,\d+,\d+", str(x.get("shape"))):
            fail(f"{shapes}: shape: expected T,N,I,H, found {x.get('shape')!r}")
        times = [x.get("device_ms"), x.get("wall_ms")]
        if not x.get("error") and not all(isinstance(time, (int, float)) and time > 0 for time in times):
            fail(f"{shapes}: {x['shape']}: expected device_ms and wall_ms above 0, or error")
    if not ours:
        fail(f"{shapes}: expected a line for each shape, found none")
    for x in theirs:
        if "kind" not in x:
            fail(f"{peers}: expected a kind in each line, found {json.dumps(x)[:60]}")
    return ours, theirs, {(x["shape"], x["mode"]): x["ms"] for x in theirs if x["kind"] == "lstm"}


def table(ours, times):
    rows = [HEADER, ["---"] * len(HEADER)]
    for x in ours:
        t, n, i, h = map(int, x["shape"].split(","))
        mine, fp32, tf32 = x.get("device_ms"), times.get((x["shape"], "fp32")), times.get((x["shape"], "tf32"))
        tflops = 8e-9 * h * (h + i) * n * t / mine if mine else None
        rows.append([x["shape"], plan(x), ms(mine), digits(tflops), ms(x.get("wall_ms")), ms(fp32), ms(tf32),
                     ratio(fp32, mine), ratio(tf32, mine)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def remarks(ours, theirs, times):
    torch = next((x for x in theirs if x["kind"] == "torch"), {})
    device = torch.get("device") or "no CUDA device"
    yield f"{device}, torch {torch.get('version', NONE)}, cuDNN {torch.get('cudnn', NONE)}"
    for mode in ("fp32", "tf32", "fp32-graph"):
        ratios = [(times[x["shape"], mode] / x["device_ms"], x["shape"])
                  for x in ours if x.get("device_ms") and (x["shape"], mode) in times]
        if ratios:
            mean = math.exp(sum(math.log(r) for r, _ in ratios) / len(ratios))
            (least, slowest), (most, fastest) = min(ratios), max(ratios)
            yield (f"ratio to {mode}: {least:.2f} ({slowest}) to {most:.2f} ({fastest}), geometric mean {mean:.2f},"
                   f" {sum(r > 1 for r, _ in ratios)} of {len(ratios)} above 1")
    bits = [x["bits_as_java"] for x in ours if x.get("bits_as_java") is not None]
    yield f"the bits of java: {sum(bits)} of {len(bits)} shapes compared"
    for x in ours:
        if x.get("error"):
            yield f"CellFuse failed: {x['shape']}: {x['error']}"
    for x in theirs:
        if x["kind"] in ("error", "skipped"):
            yield "torch: " + json.dumps(x)


def check(page):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    try:
        with open(page, encoding="utf-8") as f:
            marked = MARKED.findall(f.read())
    except (OSError, UnicodeDecodeError) as e:
        fail(f"{page}: can't be read: {e}")
    if not marked:
        fail(f"{page}: expected a table below a comment <!-- bench/gpu/table.py SHAPES PEERS -->, found none")
    for shapes, peers, found in marked:
        ours, _, times = load(os.path.join(root, shapes), os.path.join(root, peers))
        expected = table(ours, times)
        if found != expected:
            pairs = itertools.zip_longest(expected.splitlines(), found.splitlines(), fillvalue="no line")
            line = next(f"expected '{a}', found '{b}'" for a, b in pairs if a != b)
            fail(f"{page}: {line}; python3 bench/gpu/table.py {shapes} {peers} prints the table", 1)
    print(f"{page}: checked {len(marked)} table{'s' * (len(marked) > 1)} of GPUs")


def main(words):
    if len(words) != 2:
        fail("expected SHAPES PEERS or --check PAGE, found " + (" ".join(words) or "nothing"))
    if words[0] == "--check":
        check(words[1])
        return
    ours, theirs, times = load(*words)
    print(table(ours, times), end="")
    for line in remarks(ours, theirs, times):
        print(line, file=sys.stderr)


main(sys.argv[1:])
