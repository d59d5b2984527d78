// requires: activations, gate_product
//
// What a device can do at most, measured by kernels that do nothing else.
//
//      a[0] ── fma ── fma ── fma ── …
//      a[1] ── fma ── fma ── fma ── …       4·ROWS independent chains in registers: as many as the tile of
//      …                                    gate_product.cl has sums, and no memory in between
//
//      from ──► a vector ──► to             the memory: one read and one write, nothing computed
//      from ──► + ──► + ──► …               a stretch that stays in some cache: reads alone

//   out [global size·VEC] keeps the compiler from dropping the work; 2·4·ROWS·VEC·n operations per work-item
__kernel void lstm_fma_peak(__global float* restrict out, float x, int n) {
  floatv a[ROWS][4];
  floatv factor = (floatv)(x);
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < 4; q++) a[m][q] = (floatv)(x * (float)(4 * m + q));
  }
  for (int k = 0; k < n; k++) {
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
#pragma unroll
      for (int q = 0; q < 4; q++) a[m][q] = fma(a[m][q], factor, a[m][q]);
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

// Memory to memory, VEC values per work-item: 8·VEC bytes moved. Ordinary loads and stores, as all the kernels have, and not the
// driver's own copy command: that may use instructions which no kernel can ask for.
//   from, to [global size·VEC]
__kernel void lstm_copy(__global const float* restrict from, __global float* restrict to) {
  size_t i = get_global_id(0);
  vstorev(vloadv(i, from), i, to);
}

// Nothing, so that what is left is the launch. `n` is 0, which the compiler doesn't know.
//   out [n]; global size 1
__kernel void lstm_nothing(__global float* restrict out, int n) {
  if ((int)get_global_id(0) < n) out[0] = 0.0f;
}

// Memory to registers: what the weights' way costs. Each work-item goes over its own stretch again and again.
//   from [global size·vectors·VEC], out [global size·VEC]; vectors a multiple of 4
__kernel void lstm_read(__global const float* restrict from, __global float* restrict out, int vectors, int passes) {
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
