// requires: activations, gate_product
//
// Kernels that measure the limits of a device and do nothing else.
//
//      a[0] ── fma ── fma ── fma ── …
//      a[1] ── fma ── fma ── fma ── …       4·ROWS independent chains in registers, one for each sum
//      …                                    of gate_product.cl's tile, without any access to memory
//
//      from ──► a vector ──► to             memory: one read and one write, no computation
//      from ──► + ──► + ──► …               a range that stays in a cache: only reads

// 2·4·ROWS·VEC·n floating-point operations per work-item.
//
// A product's multiply-adds: only the sum changes. Of the three operands, NVIDIA's GPUs read only the sum in each
// cycle, because the factors are still there from the instruction before; with three others they would be half as fast.
// All values depend on the work-item, and the chains of a vector differ. Otherwise a compiler computes a chain once for
// all work-items, or for all lanes, and moves the result.
__kernel void lstm_fma_peak(
    __global float* restrict out,  // [global size·VEC] keeps the compiler from removing the work
    float x,                       // gives the work-items different factors
    int n) {                       // multiply-adds of each chain, a multiple of 4
  float factor = x * (float)(get_global_id(0) + 1);
  floatv first = (floatv)(factor), second = (floatv)(factor + x);
  floatv a[ROWS][4];
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < 4; q++) {
      float* lane = (float*)&a[m][q];
#pragma unroll
      for (int v = 0; v < VEC; v++) lane[v] = factor * (float)((4 * m + q) * VEC + v);
    }
  }
  // Four multiply-adds of each chain for one jump.
#pragma unroll 1
  for (int k = 0; k < n; k += 4) {
#pragma unroll
    for (int u = 0; u < 4; u++) {
#pragma unroll
      for (int m = 0; m < ROWS; m++) {
#pragma unroll
        for (int q = 0; q < 4; q++) a[m][q] = fma(first, second, a[m][q]);
      }
    }
  }
  floatv sum = (floatv)(0.0f);
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < 4; q++) sum += a[m][q];
  }
  vstorev(sum, get_global_id(0), out);
}

// Memory to memory: each work-item moves VEC values, 8·VEC bytes. The kernel uses ordinary loads and stores like all
// the others. The driver's own copy command may use instructions that are not available to kernels.
__kernel void lstm_copy(
    __global const float* restrict from,  // [global size·VEC]
    __global float* restrict to) {        // [global size·VEC]
  size_t i = get_global_id(0);
  vstorev(vloadv(i, from), i, to);
}

// Does nothing, so that only the launch is timed.
//   global size 1
__kernel void lstm_nothing(
    __global float* restrict out,  // [n]
    int n) {                       // 0, which the compiler doesn't know
  if ((int)get_global_id(0) < n) out[0] = 0.0f;
}

// Memory to registers, the path of the weights. Each work-item reads its own range repeatedly.
__kernel void lstm_read(
    __global const float* restrict from,  // [global size·vectors·VEC]
    __global float* restrict out,         // [global size·VEC] keeps the compiler from removing the work
    int vectors,                          // vectors in a work-item's range, a multiple of 4
    int passes) {                         // times that a work-item reads its range
  from += get_global_id(0) * (size_t)vectors * VEC;
  floatv sum[4] = {(floatv)(0.0f), (floatv)(0.0f), (floatv)(0.0f), (floatv)(0.0f)};
  for (int pass = 0; pass < passes; pass++) {
    for (int v = 0; v < vectors; v += 4) {
#pragma unroll
      for (int u = 0; u < 4; u++) sum[u] += vloadv(v + u, from);
    }
  }
  vstorev(sum[0] + sum[1] + sum[2] + sum[3], get_global_id(0), out);
}
