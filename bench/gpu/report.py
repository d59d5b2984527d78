"""The summary of a session: report.py FOLDER COMMIT, to standard output; at most 150 lines by the caller."""
import glob
import json
import os
import re
import sys

d = sys.argv[1]


def text(name):
    try:
        with open(os.path.join(d, name), errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def lines(name):
    found = []
    for line in text(name).splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            pass
    return found


def load(name):
    try:
        return json.loads(text(name))
    except ValueError:
        return None


def f(value, form="{:.3f}"):
    return "-" if value is None else form.format(value)


print("CellFuse on a GPU, commit", sys.argv[2] if len(sys.argv) > 2 else "")
print("\n== steps")
print(text("status.txt").rstrip())
print("\n== device")
facts = text("facts.txt")
for line in facts.splitlines():
    if re.match(r"(-- OpenCL's driver|NVIDIA |.*, 580|  device:|model name|no OpenCL GPU)", line):
        print(line[:230])
probe = load("opencl.json") or {}
for p in probe.get("platforms", []):
    for x in p["devices"]:
        print(f"  {x['name']}: {x['compute_units']} compute units, {x['clock_mhz']} MHz, local {x['local_bytes']} B (type {x['local_type']}), group {x['max_work_group_size']},"
              f" cache {x['cache_bytes']} B, line {x['cache_line']}, largest buffer {x['max_alloc_bytes']}, single {hex(x['single_fp_config'] or 0)},"
              f" vector {x['preferred_float_width']}/{x['native_float_width']}, unified {x['unified_memory']}, registers {x['nv_registers_per_block']}")
devices = load("devices.json")
if devices is None:
    print("cellfuse devices --json: no answer")
print("\n== correctness")
for line in text("verify.txt").splitlines():
    if re.match(r"(SUNSPOTS|VERIFY|cellfuse: device|.*self-test|NOT)", line):
        print(line[:200])
for line in text("tests.txt").splitlines():
    print(line[:200])
failed = []
for name in sorted(glob.glob(os.path.join(d, "tests-*.txt"))):
    with open(name, errors="replace") as g:
        body = g.read()
    good, bad = len(re.findall(r":: SUCCESSFUL$", body, re.M)), re.findall(r"^(.*) :: FAILED$", body, re.M)
    print(f"{os.path.basename(name)}: {good} passed, {len(bad)} failed, {len(re.findall(r':: STARTED$', body, re.M)) - good - len(bad)} unfinished")
    failed += bad
for line in failed[:15]:
    print("  FAILED", line[:180])

print("\n== ours (the device's clock, without transfers) against cuDNN (CUDA events); TFLOP/s of the products; ratio = cuDNN's time / ours, > 1: we are faster")
peer = {}
for x in lines("peer.jsonl"):
    if x.get("kind") == "lstm":
        peer.setdefault(x["shape"], {})[x["mode"]] = x
ours = {x["shape"]: x for x in lines("shapes.jsonl") if not x.get("error")}
print(f"{'T,N,I,H':>18} {'ours ms':>9} {'TFLOP/s':>8} {'wall ms':>9} {'fp32 ms':>9} {'tf32 ms':>9} {'fp16 ms':>9} {'graph':>8} {'/fp32':>6} {'/tf32':>6} bits plan")
for shape in list(ours) + [s for s in peer if s not in ours]:
    x, p = ours.get(shape, {}), peer.get(shape, {})
    ms = lambda mode: p.get(mode, {}).get("ms")
    mine = x.get("device_ms")
    ratio = lambda mode: ms(mode) / mine if mine and ms(mode) else None
    plan = re.sub(r"^.*?: ", "", x.get("plan", ""))
    plan = re.sub(r" \(.*?\)", "", plan)
    print(f"{shape:>18} {f(mine):>9} {f(x.get('device_tflops'), '{:.1f}'):>8} {f(x.get('wall_ms')):>9} {f(ms('fp32')):>9} {f(ms('tf32')):>9} {f(ms('fp16')):>9} "
          f"{f(ms('fp32-graph')):>8} {f(ratio('fp32'), '{:.2f}'):>6} {f(ratio('tf32'), '{:.2f}'):>6} {str(x.get('bits_as_java', '-'))[:5]} {plan[:70]}")
for x in lines("shapes.jsonl"):
    if x.get("error"):
        print("  ours failed:", x["shape"], x["error"][:200])
for x in lines("peer.jsonl"):
    if x.get("kind") in ("copy", "cell", "gemm", "pcie", "torch", "error", "skipped"):
        print("  peer:", json.dumps(x)[:200])
for title, name in (("every plan", "plans.jsonl"), ("after tune", "tuned.jsonl")):
    for x in lines(name):
        print(f"  {title}: {x['shape']} {x.get('plan_asked') or 'chosen'}: {f(x.get('device_ms'))} ms, {f(x.get('device_tflops'), '{:.1f}')} TFLOP/s {x.get('plan', x.get('error', ''))[:110]}")
for x in list(ours.values())[:3]:
    print("  kernels of", x["shape"], json.dumps(x["kernels"])[:220], "gaps", f(1 - x["busy_ms"] / x["device_ms"], "{:.2f}"))

compared = [line for line in text("compare.txt").splitlines() if re.match(r"(CellFuse on|cellfuse: |torch |T,N,I,H|\d+,\d+,|  |geometric)", line)]
if compared:
    print("\n== ours and torch in turns, same weights and input, results compared")
    for line in compared:
        print(line[:200])

print("\n== bench")
for suite in ("quick", "lstm", "cell", "deepbench"):
    bench = load(f"bench-{suite}.json")
    if not bench:
        continue
    v = bench["device"]
    print(f"{suite}: peak {v['fma_peak_gflops'] or 0:.0f} GFLOP/s, copy {v['copy_gbytes_per_s'] or 0:.0f} GB/s, launch {v['launch_us'] or 0:.2f} us, to device"
          f" {v['to_device_gbytes_per_s'] or 0:.1f} GB/s, back {v['to_host_gbytes_per_s'] or 0:.1f} GB/s")
    for r in bench["results"]:
        if suite in ("cell", "quick") or r["kernel"] != "run" and suite == "lstm" or suite == "deepbench" and r["n"] >= 32 and r["h"] >= 1024:
            print(f"  {r['kernel']} {r['plan'] or ''} {r['t']},{r['n']},{r['i']},{r['h']}: {1e6 * r['seconds']:.1f} us, {r['gflops'] or 0:.0f} GFLOP/s,"
                  f" {r['gbytes_per_s'] or 0:.0f} GB/s, {100 * (r['of_roofline'] or 0):.0f} % of its roof")
ptx = load("ptx/ptx.json")
if ptx is not None:
    print("\n== the compiler's kernels (registers by ptxas from the driver's PTX)")
    for row in ptx[:40]:
        for k in row.get("kernels", []):
            if k["name"].endswith(("_tiled", "_narrow", "_persistent")) or k["name"] in ("lstm_cell", "lstm_step"):
                print(f"  {k['name']} [{k['reqntid']}] shared {sum(k['shared'])}: {k.get('registers')} registers, spills {k.get('spill_stores')}/{k.get('spill_loads')},"
                      f" {k['ld.global.v4']} of {k['ld.global']} global loads of 16 bytes, ftz/approx {k['mad_ftz_or_approx']} {json.dumps(row.get('sass', ''))[:150]}")
        if "kernels" not in row:
            print("  ", row)
            break
probes = load("opencl-probes.json")
if probes:
    print("\n== questions to the device")
    for k, v in probes["probes"].items():
        if k != "options":
            print(f"  {k}: {json.dumps(v)[:420]}")
clocks = [line.split() for line in text("dmon.txt").splitlines() if line and line[0] != "#"]
if clocks:
    sm = [int(c[-1]) for c in clocks if c[-1].isdigit()]
    print(f"\nclocks (dmon): SM {min(sm, default=0)} to {max(sm, default=0)} MHz in {len(sm)} samples; dmon.txt has them")
