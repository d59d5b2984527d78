// requires: activations, weights
//
// The register tile that all products of the engine consist of: ROWS rows of the batch × VEC units × GATES gates.
//
//                      weights of one unit block  [K][4][VEC]: one contiguous panel
//                      ┌ i ┬ f ┬ g ┬ o ┐
//                    k │   │   │   │   │ ──────┐
//                      └───┴───┴───┴───┘       ▼
//      row 0  x[0][k] ───────────────►  a[0][i] a[0][f] a[0][g] a[0][o]
//      row 1  x[1][k] ───────────────►  a[1][i] …                          GATES·ROWS registers of VEC lanes
//      …                                …
//
// For every (row, unit, gate) it replaces the plain loop
//      for (k = 0; k < K; k++) a = fma(x[row][k], w[k][gate][unit], a);
// in exactly this order. One chain of fma in ascending k makes every plan and every tile produce the same bits.

// Rows of the batch in a work-item's tile.
#ifndef ROWS
#define ROWS 4
#endif

// Gates whose sums the registers hold at the same time. With 4 gates, six rows fill the 32 registers of AVX-512 and
// NEON (24 sums, 4 weights), and three rows fill the 16 registers of AVX2. With 2 gates, a tile makes two passes over
// k and can have twice as many rows: each weight from a far cache then serves twice as many rows, but the rows are
// read twice.
#ifndef GATES
#define GATES 4
#endif

// Cache lines of the next panel of weights to prefetch with every 4 k, so that the panel has arrived from the far
// cache or from memory when its first tile begins. 0 if the device has no prefetch instruction or doesn't need it.
#ifndef PREFETCH
#define PREFETCH 0
#endif

// OpenCL's prefetch() does nothing on PoCL, but PoCL's compiler has a builtin that fetches into the second-level cache.
// Other compilers have this builtin too, but some (NVIDIA's) reject a pointer to global memory.
#ifdef POCL_DEVICE_ADDRESS_BITS
#define prefetch_line(p) __builtin_prefetch(p, 0, 2)
#else
#define prefetch_line(p) prefetch(p, WEIGHT_LINE)
#endif
#define WEIGHT_LINE (512 / WEIGHT_BITS)  // weights of a cache line

// The products of one k. x points to column k of the tile's first row, w to the first gate of this pass at k.
INLINED void multiply_add(floatv a[ROWS][GATES], __global const float* restrict x, int stride,
                          __global const weight_t* restrict w) {
  floatv weight[GATES];
  // By lane: with loads of whole vectors, lstm_sequence runs out of registers on NVIDIA's GPUs.
#pragma unroll
  for (int q = 0; q < GATES; q++) weight[q] = load_weights_by_lane(q, w);
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    floatv value = (floatv)(x[m * stride]);
#pragma unroll
    for (int q = 0; q < GATES; q++) a[m][q] = fma(value, weight[q], a[m][q]);
  }
}

// a[row][gate] += x[row·stride + k] · w[k][gate] for k = 0 … K-1, in this order.
//   ahead       where prefetching begins
//   ahead_step  weights to advance with every 4 k; 0 fetches the same lines every time, which costs nothing
INLINED void accumulate(floatv a[ROWS][GATES], __global const float* restrict x, int stride, int K,
                        __global const weight_t* restrict w, __global const weight_t* ahead, int ahead_step) {
  int k = 0;
  // Four k at a time: otherwise address arithmetic would occupy the ports that multiply-adds need.
#pragma unroll 1
  for (; k + 4 <= K; k += 4) {
#pragma unroll
    for (int u = 0; u < 4; u++) multiply_add(a, x + u, stride, w + u * 4 * VEC);
#pragma unroll
    for (int line = 0; line < PREFETCH; line++) prefetch_line(ahead + line * WEIGHT_LINE);
    ahead += ahead_step;
    x += 4;
    w += 4 * 4 * VEC;
  }
  for (; k < K; k++, x++, w += 4 * VEC) multiply_add(a, x, stride, w);
}

// Starts all rows of the tile from the bias of this pass's gates, [GATES][VEC] of their unit block.
INLINED void start_from_bias(floatv a[ROWS][GATES], __global const float* restrict bias) {
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < GATES; q++) a[m][q] = vloadv(q, bias);
  }
}
