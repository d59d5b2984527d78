// requires: activations, weights
//
// The register tile that every product of the engine is made of: ROWS rows of the batch × VEC units × GATES gates.
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
// in just this order: one chain of fma in ascending k is what makes every plan and every tile give the same bits.

// Rows of the batch in a work-item's tile.
#ifndef ROWS
#define ROWS 4
#endif

// Gates whose sums the registers hold at once. With 4, six rows fill the 32 registers of AVX-512 and NEON (24 sums, 4 weights), three
// the 16 of AVX2. With 2 a tile goes over k twice and may have twice the rows: each weight that comes from a far cache then
// serves twice as many, at the price of reading the rows twice.
#ifndef GATES
#define GATES 4
#endif

// Cache lines of the weights needed next that are fetched with every 4 k, so that a panel from the far cache or from memory is
// there when its first tile comes; 0 where the device has no such instruction or needs none.
#ifndef PREFETCH
#define PREFETCH 0
#endif

// OpenCL's prefetch() does nothing on PoCL, but its compiler has a builtin that fetches into the second-level cache. Other
// compilers have the builtin too but refuse a pointer to global memory there (NVIDIA's does).
#ifdef POCL_DEVICE_ADDRESS_BITS
#define prefetch_line(p) __builtin_prefetch(p, 0, 2)
#else
#define prefetch_line(p) prefetch(p, WEIGHT_LINE)
#endif
#define LINE 16                         // floats of a cache line
#define WEIGHT_LINE (512 / WEIGHT_BITS)  // weights of a cache line

// Inlined for certain: a tile that is passed in memory instead of registers is several times slower.
#define TILE_FUNCTION __attribute__((always_inline)) inline

// The products of one k. x points to it in the tile's first row, w to the first of the pass's gates.
TILE_FUNCTION void multiply_add(floatv a[ROWS][GATES], __global const float* restrict x, int stride,
                                __global const weight_t* restrict w) {
  floatv weight[GATES];
#pragma unroll
  for (int q = 0; q < GATES; q++) weight[q] = load_weights(q, w);
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    floatv value = (floatv)(x[m * stride]);
#pragma unroll
    for (int q = 0; q < GATES; q++) a[m][q] = fma(value, weight[q], a[m][q]);
  }
}

// a[row][gate] += x[row·stride + k] · w[k][gate] for k = 0 … K-1, in this order.
//   ahead  what to fetch meanwhile: from there on, ahead_step weights for every 4 k (0: one line again and again, which costs nothing)
TILE_FUNCTION void accumulate(floatv a[ROWS][GATES], __global const float* restrict x, int stride, int K,
                              __global const weight_t* restrict w, __global const weight_t* ahead, int ahead_step) {
  int k = 0;
  // Four k at a time: address arithmetic would take the ports that multiply-adds need.
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

// All rows of the tile start from the bias of the pass's gates, [GATES][VEC] of their unit block.
TILE_FUNCTION void start_from_bias(floatv a[ROWS][GATES], __global const float* restrict bias) {
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < GATES; q++) a[m][q] = vloadv(q, bias);
  }
}
