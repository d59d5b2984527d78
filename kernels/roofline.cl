// What a device can do at most, measured by kernels that do nothing else.
//
//      a[0] ── fma ── fma ── fma ── …
//      a[1] ── fma ── fma ── fma ── …       4·ROWS independent chains in registers: as many as the tile of
//      …                                    gate_product.cl has sums, and no memory in between
//
// Needs activations.cl and gate_product.cl before it (for VEC and ROWS).

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
