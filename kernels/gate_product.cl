// The register tile that every product of the engine is made of: ROWS rows of the batch × VEC units × 4 gates.
//
//                      weights of one unit block  [K][4][VEC]: one contiguous panel
//                      ┌ i ┬ f ┬ g ┬ o ┐
//                    k │   │   │   │   │ ──────┐
//                      └───┴───┴───┴───┘       ▼
//      row 0  x[0][k] ───────────────►  a[0][i] a[0][f] a[0][g] a[0][o]
//      row 1  x[1][k] ───────────────►  a[1][i] …                          4·ROWS registers of VEC lanes
//      …                                …
//
// For every (row, unit, gate) it replaces the plain loop
//      for (k = 0; k < K; k++) a = fma(x[row][k], w[k][gate][unit], a);
// in just this order: one chain of fma in ascending k is what makes every plan and every tile give the same bits.
// Needs activations.cl before it (for VEC).

// Rows of the batch in a work-item's tile. 6 fills the 32 registers of AVX-512 and NEON (24 sums, 4 weights), 3 the 16 of AVX2.
#ifndef ROWS
#define ROWS 4
#endif

// a[row][gate] += x[row·stride + k] · w[k][gate] for k = 0 … K-1, in this order.
inline void accumulate(floatv a[ROWS][4], __global const float* restrict x, int stride, int K,
                       __global const float* restrict w) {
  for (int k = 0; k < K; k++) {
    floatv wi = vloadv(0, w), wf = vloadv(1, w), wg = vloadv(2, w), wo = vloadv(3, w);
    w += 4 * VEC;
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
      floatv v = (floatv)(x[m * stride + k]);
      a[m][0] = fma(v, wi, a[m][0]);
      a[m][1] = fma(v, wf, a[m][1]);
      a[m][2] = fma(v, wg, a[m][2]);
      a[m][3] = fma(v, wo, a[m][3]);
    }
  }
}

// All rows of the tile start from the bias [4][VEC] of their unit block.
inline void start_from_bias(floatv a[ROWS][4], __global const float* restrict bias) {
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < 4; q++) a[m][q] = vloadv(q, bias);
  }
}
