"""Asks OpenCL through ctypes, without Java: what every device says of itself, and some questions that only the device answers.

probe.py FILE.json [facts]       facts: no kernels are run
Needs libOpenCL.so.1 (LD_LIBRARY_PATH) and OCL_ICD_VENDORS as the loader wants them. Ends with 3 where there is no GPU (KIT_ANY=1: any device).
"""
import array
import ctypes as c
import json
import os
import sys
import time

cl = c.CDLL("libOpenCL.so.1")
P, S, U, UL, I = c.c_void_p, c.c_size_t, c.c_uint, c.c_ulong, c.c_int
for name in ("clCreateContext", "clCreateCommandQueue", "clCreateBuffer", "clCreateProgramWithSource", "clCreateKernel", "clEnqueueMapBuffer"):
    getattr(cl, name).restype = P
cl.clCreateContext.argtypes = [P, U, P, P, P, P]
cl.clCreateCommandQueue.argtypes = [P, P, UL, P]
cl.clCreateBuffer.argtypes = [P, UL, S, P, P]
cl.clCreateProgramWithSource.argtypes = [P, U, P, P, P]
cl.clBuildProgram.argtypes = [P, U, P, c.c_char_p, P, P]
cl.clGetProgramBuildInfo.argtypes = [P, P, U, S, P, P]
cl.clGetProgramInfo.argtypes = [P, U, S, P, P]
cl.clCreateKernel.argtypes = [P, c.c_char_p, P]
cl.clSetKernelArg.argtypes = [P, U, S, P]
cl.clEnqueueNDRangeKernel.argtypes = [P, P, U, P, P, P, U, P, P]
cl.clEnqueueReadBuffer.argtypes = cl.clEnqueueWriteBuffer.argtypes = [P, P, U, S, S, P, U, P, P]
cl.clEnqueueMapBuffer.argtypes = [P, P, U, UL, S, S, U, P, P, P]
cl.clEnqueueUnmapMemObject.argtypes = [P, P, P, U, P, P]
cl.clGetDeviceIDs.argtypes = [P, UL, U, P, P]
cl.clGetPlatformInfo.argtypes = cl.clGetDeviceInfo.argtypes = [P, U, S, P, P]
cl.clGetKernelWorkGroupInfo.argtypes = [P, P, U, S, P, P]
for name in ("clFinish", "clFlush", "clReleaseMemObject", "clReleaseProgram", "clReleaseKernel"):
    getattr(cl, name).argtypes = [P]

DEVICE = {
    "name": (0x102B, "s"), "vendor": (0x102C, "s"), "driver": (0x102D, "s"), "profile": (0x102E, "s"), "version": (0x102F, "s"),
    "c_version": (0x103D, "s"), "extensions": (0x1030, "s"), "type": (0x1000, "l"), "vendor_id": (0x1001, "u"), "compute_units": (0x1002, "u"),
    "max_work_group_size": (0x1004, "z"), "max_work_item_sizes": (0x1005, "z"), "clock_mhz": (0x100C, "u"), "address_bits": (0x100D, "u"),
    "max_alloc_bytes": (0x1010, "l"), "mem_base_addr_align_bits": (0x1019, "u"), "single_fp_config": (0x101B, "l"), "cache_type": (0x101C, "u"),
    "cache_line": (0x101D, "u"), "cache_bytes": (0x101E, "l"), "global_bytes": (0x101F, "l"), "max_constant_bytes": (0x1020, "l"),
    "local_type": (0x1022, "u"), "local_bytes": (0x1023, "l"), "error_correction": (0x1024, "u"), "timer_resolution_ns": (0x1025, "z"),
    "preferred_float_width": (0x100A, "u"), "native_float_width": (0x103A, "u"), "double_fp_config": (0x1032, "l"), "half_fp_config": (0x1033, "l"),
    "unified_memory": (0x1035, "u"), "max_parameter_bytes": (0x1017, "z"), "printf_bytes": (0x1049, "z"), "queue_properties": (0x102A, "l"),
    "max_sub_groups": (0x105C, "u"), "sub_group_independent": (0x105D, "u"), "preferred_work_group_multiple": (0x1067, "z"),
    "non_uniform_work_groups": (0x1065, "u"), "atomic_memory_capabilities": (0x1063, "l"), "atomic_fence_capabilities": (0x1064, "l"),
    "svm_capabilities": (0x1053, "l"), "generic_address_space": (0x1069, "u"), "device_enqueue": (0x1070, "l"),
    "nv_compute_capability_major": (0x4000, "u"), "nv_compute_capability_minor": (0x4001, "u"), "nv_registers_per_block": (0x4002, "u"),
    "nv_warp_size": (0x4003, "u"), "nv_gpu_overlap": (0x4004, "u"), "nv_kernel_exec_timeout": (0x4005, "u"), "nv_integrated": (0x4006, "u"),
    "nv_copy_engines": (0x4007, "u"), "nv_max_registers_unused": (0x400A, "u"),
}


def info(call, handle, key, kind):
    size = S(0)
    if call(handle, key, 0, None, c.byref(size)) != 0 or size.value == 0:
        return None
    data = c.create_string_buffer(size.value)
    if call(handle, key, size.value, data, None) != 0:
        return None
    if kind == "s":
        return data.value.decode(errors="replace").strip()
    values = [int.from_bytes(data.raw[k:k + (4 if kind == "u" else 8)], "little") for k in range(0, size.value, 4 if kind == "u" else 8)]
    return values[0] if len(values) == 1 else values


def ids(call, *head):
    n = U(0)
    if call(*head, 0, None, c.byref(n)) != 0 or n.value == 0:
        return []
    found = (P * n.value)()
    call(*head, n.value, found, None)
    return list(found)


report = {"loader": None, "platforms": [], "probes": {}}
with open("/proc/self/maps") as maps:
    report["loader"] = next((line.split()[-1] for line in maps if "libOpenCL" in line), None)
chosen = None
cl.clGetPlatformIDs.argtypes = [U, P, P]
for platform in ids(cl.clGetPlatformIDs):
    entry = {k: info(cl.clGetPlatformInfo, platform, v, "s") for k, v in {"name": 0x902, "version": 0x901, "vendor": 0x903, "extensions": 0x904}.items()}
    entry["devices"] = []
    for kind in (4, 2, 8):
        for device in ids(cl.clGetDeviceIDs, platform, kind):
            entry["devices"].append({k: info(cl.clGetDeviceInfo, device, v[0], v[1]) for k, v in DEVICE.items()})
            if kind == 4 or os.environ.get("KIT_ANY"):
                chosen = chosen or (platform, device)
    report["platforms"].append(entry)


def save():
    with open(sys.argv[1], "w") as f:
        json.dump(report, f, indent=1)


save()
for p in report["platforms"]:
    print("platform:", p["name"], p["version"])
    for d in p["devices"]:
        print("  device:", d["name"], "| driver", d["driver"], "|", d["version"], "|", d["c_version"], "| compute units", d["compute_units"], "| local",
              d["local_bytes"], "| group", d["max_work_group_size"], "| float abilities", hex(d["single_fp_config"] or 0), "| sm",
              d["nv_compute_capability_major"], d["nv_compute_capability_minor"])
        print("  extensions:", d["extensions"])
if not chosen:
    print("no OpenCL GPU")
    sys.exit(3)
if "facts" in sys.argv[2:]:
    sys.exit(0)

device = P(chosen[1])
error = I(0)
context = P(cl.clCreateContext(None, 1, c.byref(device), None, None, c.byref(error)))
queue = P(cl.clCreateCommandQueue(context, device, 0, c.byref(error)))
probes = report["probes"]
units = report["platforms"][0]["devices"][0]["compute_units"] or 1
for p in report["platforms"]:
    for d in p["devices"]:
        if d["type"] and d["type"] & 4:
            units = d["compute_units"]


def build(source, options=""):
    """(program or None, log, binary)"""
    text = c.c_char_p(source.encode())
    program = P(cl.clCreateProgramWithSource(context, 1, c.byref(text), None, c.byref(error)))
    status = cl.clBuildProgram(program, 1, c.byref(device), options.encode(), None, None)
    log = info(lambda h, k, s, v, r: cl.clGetProgramBuildInfo(h, device, k, s, v, r), program, 0x1183, "s") or ""
    binary = b""
    if status == 0:
        size = S(0)
        cl.clGetProgramInfo(program, 0x1165, 8, c.byref(size), None)
        data = c.create_string_buffer(max(1, size.value))
        pointer = P(c.addressof(data))
        cl.clGetProgramInfo(program, 0x1166, 8, c.byref(pointer), None)
        binary = data.raw[:size.value]
    return (program if status == 0 else None), log[:600], binary


def kernel(program, name):
    return P(cl.clCreateKernel(program, name.encode(), c.byref(error)))


def buffer(size, flags=1):
    return P(cl.clCreateBuffer(context, flags, size, None, c.byref(error)))


def launch(k, items, group, *arguments):
    for n, a in enumerate(arguments):
        if isinstance(a, int):
            v = I(a)
            s = cl.clSetKernelArg(k, n, 4, c.byref(v))
        elif isinstance(a, tuple):
            s = cl.clSetKernelArg(k, n, a[0], None)
        else:
            s = cl.clSetKernelArg(k, n, 8, c.byref(a))
        if s:
            return f"argument {n}: {s}"
    g, l = S(items), S(group)
    return cl.clEnqueueNDRangeKernel(queue, k, 1, None, c.byref(g), c.byref(l), 0, None, None) or cl.clFinish(queue)


def probe(name):
    def run(f):
        try:
            probes[name] = f()
        except Exception as e:
            probes[name] = f"failed: {e!r}"
        print(f"{name}: {json.dumps(probes[name])[:400]}", flush=True)
        save()
    return run


@probe("options")
def _():
    source = "__kernel void k(__global float* a) { a[get_global_id(0)] = fma(a[0], a[1], a[2]); }"
    found = {}
    for options in ("", "-cl-std=CL1.2", "-cl-std=CL3.0", "-cl-nv-verbose", "-cl-nv-maxrregcount=128", "-cl-nv-opt-level=3"):
        program, log, binary = build(source, options)
        found[options] = {"builds": program is not None, "log": log, "binary": binary[:160].decode(errors="replace")}
    return found


@probe("aligned 16-byte loads in the binary")
def _():
    _, log, binary = build("""__kernel void k(__global const float* restrict a, __global float* restrict o, __global const float4* restrict b) {
      size_t i = get_global_id(0); vstore4(vload4(i, a) + b[i], i, o); }""")
    text = binary.decode(errors="replace")
    return {"vload4": [line.strip() for line in text.splitlines() if "ld.global" in line or "st.global" in line][:12], "log": log}


ASM = "asm"


@probe("inline PTX")
def _():
    global ASM
    source = """__kernel void k(__global uint* o) { uint x; asm volatile("mov.u32 %0, %%laneid;" : "=r"(x)); o[get_global_id(0)] = x; }"""
    logs = {}
    for ASM in ("asm", "__asm__"):
        program, logs[ASM], _ = build(source.replace("asm volatile", ASM + " volatile"))
        if program is not None:
            break
    if program is None:
        return {"builds": False, "logs": logs}
    o = buffer(256)
    status = launch(kernel(program, "k"), 64, 64, o)
    back = array.array("I", [0] * 64)
    cl.clEnqueueReadBuffer(queue, o, 1, 0, 256, (c.c_char * 256).from_buffer(back), 0, None, None)
    return {"builds": ASM, "status": status, "right": list(back) == [k % 32 for k in range(64)]}


@probe("cp.async through inline PTX")
def _():
    program, log, _ = build("""__kernel __attribute__((reqd_work_group_size(64, 1, 1))) void k(__global const float4* a, __global float4* o) {
      __local float4 t[64]; size_t i = get_local_id(0);
      uint to = (uint)(size_t)(t + i);
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\\n cp.async.commit_group;\\n cp.async.wait_group 0;" :: "r"(to), "l"(a + i) : "memory");
      barrier(CLK_LOCAL_MEM_FENCE); o[i] = t[63 - i]; }""".replace("asm volatile", ASM + " volatile"))
    if program is None:
        return {"builds": False, "log": log}
    a, o = buffer(1024), buffer(1024)
    values = array.array("f", range(256))
    cl.clEnqueueWriteBuffer(queue, a, 1, 0, 1024, (c.c_char * 1024).from_buffer(values), 0, None, None)
    status = launch(kernel(program, "k"), 64, 64, a, o)
    back = array.array("f", [0] * 256)
    cl.clEnqueueReadBuffer(queue, o, 1, 0, 1024, (c.c_char * 1024).from_buffer(back), 0, None, None)
    right = all(back[4 * i + j] == values[4 * (63 - i) + j] for i in range(64) for j in range(4))
    return {"builds": True, "status": status, "right": right}


@probe("local memory")
def _():
    found = {}
    for kib in (48, 64, 96, 200):
        program, log, _ = build(f"__kernel void k(__global float* o) {{ __local float t[{kib * 256}]; int i = get_local_id(0); for (int k = i; k < {kib * 256};"
                                f" k += 64) t[k] = k; barrier(CLK_LOCAL_MEM_FENCE); o[i] = t[{kib * 256 - 1} - i]; }}")
        found[f"static {kib} KiB"] = log if program is None else launch(kernel(program, "k"), 64, 64, buffer(256))
        program, log, _ = build(f"__kernel void k(__global float* o, __local float* t) {{ int i = get_local_id(0); for (int k = i; k < {kib * 256}; k += 64)"
                                f" t[k] = k; barrier(CLK_LOCAL_MEM_FENCE); o[i] = t[{kib * 256 - 1} - i]; }}")
        found[f"argument {kib} KiB"] = log if program is None else launch(kernel(program, "k"), 64, 64, buffer(256), (kib * 1024,))
    return found


@probe("launches (us)")
def _():
    program, _, _ = build("__kernel void k(__global float* o, int n) { if ((int)get_global_id(0) < n) o[0] = 0; }")
    k, o = kernel(program, "k"), buffer(256)
    found = {}
    launch(k, 64, 64, o, 0)
    for name, items, group in (("one group", 64, 64), ("a group for each compute unit", 256 * units, 256), ("8 groups each", 8 * 256 * units, 256)):
        g, l = S(items), S(group)
        for flush in (0, 16):
            best = 1e9
            for _ in range(3):
                start = time.perf_counter()
                for n in range(1000):
                    cl.clEnqueueNDRangeKernel(queue, k, 1, None, c.byref(g), c.byref(l), 0, None, None)
                    if flush and n % flush == flush - 1:
                        cl.clFlush(queue)
                cl.clFinish(queue)
                best = min(best, time.perf_counter() - start)
            found[f"{name}{', flush every 16' if flush else ''}"] = round(best * 1e3, 3)
    start = time.perf_counter()
    for _ in range(200):
        launch(k, 64, 64, o, 0)
    found["launch and finish"] = round((time.perf_counter() - start) * 5e3, 2)
    return found


# All groups meet at a counter: as many as run at once, and nobody waits for ever.
@probe("a barrier of the whole grid (us)")
def _():
    program, log, _ = build("""__kernel void k(__global volatile int* count, __global int* gave_up, int rounds, int groups) {
      for (int r = 1; r <= rounds; r++) {
        barrier(CLK_GLOBAL_MEM_FENCE);
        if (get_local_id(0) == 0) {
          mem_fence(CLK_GLOBAL_MEM_FENCE);
          atomic_inc(count);
          int tries = 0;
          while (*count < r * groups && *gave_up == 0) if (++tries > (1 << 22)) { *gave_up = r; break; }
          mem_fence(CLK_GLOBAL_MEM_FENCE);
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
      } }""")
    if program is None:
        return log
    if not report["platforms"][0]["devices"][0]["nv_warp_size"]:
        return "not run: no NVIDIA device"
    k, found = kernel(program, "k"), {}
    for groups in (units // 4, units, 2 * units):
        count, gave_up = buffer(4), buffer(4)
        times = []
        for rounds in (10, 1010):
            zero = array.array("i", [0])
            for b in (count, gave_up):
                cl.clEnqueueWriteBuffer(queue, b, 1, 0, 4, (c.c_char * 4).from_buffer(zero), 0, None, None)
            start = time.perf_counter()
            status = launch(k, 256 * groups, 256, count, gave_up, rounds, groups)
            times.append(time.perf_counter() - start)
        back = array.array("i", [0])
        cl.clEnqueueReadBuffer(queue, gave_up, 1, 0, 4, (c.c_char * 4).from_buffer(back), 0, None, None)
        found[f"{groups} groups"] = {"status": status, "gave_up_in_round": back[0], "us": round((times[1] - times[0]) * 1e3, 2)}
    return found


@probe("transfers of 256 MiB (GB/s)")
def _():
    size = 256 << 20
    found = {}
    host = c.create_string_buffer(size)
    c.memset(host, 1, size)
    plain, pinned = buffer(size), buffer(size, 1 | 16)

    def timed(f):
        best = 1e9
        for _ in range(3):
            start = time.perf_counter()
            f()
            cl.clFinish(queue)
            best = min(best, time.perf_counter() - start)
        return round(size / best * 1e-9, 2)

    found["write from pageable"] = timed(lambda: cl.clEnqueueWriteBuffer(queue, plain, 1, 0, size, host, 0, None, None))
    found["read to pageable"] = timed(lambda: cl.clEnqueueReadBuffer(queue, plain, 1, 0, size, host, 0, None, None))
    at = cl.clEnqueueMapBuffer(queue, pinned, 1, 3, 0, size, 0, None, None, c.byref(error))
    if at:
        found["write from ALLOC_HOST_PTR"] = timed(lambda: cl.clEnqueueWriteBuffer(queue, plain, 1, 0, size, at, 0, None, None))
        found["read to ALLOC_HOST_PTR"] = timed(lambda: cl.clEnqueueReadBuffer(queue, plain, 1, 0, size, at, 0, None, None))

    def mapping(flags, touch):
        def f():
            p = cl.clEnqueueMapBuffer(queue, plain, 1, flags, 0, size, 0, None, None, c.byref(error))
            if touch:
                c.memmove(host, p, size) if flags == 1 else c.memmove(p, host, size)
            cl.clEnqueueUnmapMemObject(queue, plain, p, 0, None, None)
        return f

    found["map for reading and unmap"] = timed(mapping(1, False))
    found["map for reading, copy out, unmap"] = timed(mapping(1, True))
    found["map to overwrite, copy in, unmap"] = timed(mapping(4, True))
    return found


save()
