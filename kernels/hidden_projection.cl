// The projection of a hidden state from H to P values (PyTorch's proj_size): h[t] = S·(o⊙tanh(c)).
//
//      m [rows,H] ──×── S [B,H,VEC] ──► h [rows,P]        B blocks of VEC outputs
//
// It replaces, for every row and output,
//      a = 0;  for (k = 0; k < H; k++) a = fma(m[row][k], S[output][k], a);
// Needs activations.cl, lstm_cell.cl and gate_product.cl before it.

//   m [row_pitch,hidden];  s [B,hidden,VEC];  h [..,row_pitch,h_stride] as in lstm_step
inline void hidden_projection_tile(int row, int rows, int block, int slot, __global const float* restrict m,
                                   __global const float* restrict s, __global float* restrict h, int hidden, int outputs,
                                   int h_slot_rows, int h_stride, int h_column) {
  floatv a[ROWS];
#pragma unroll
  for (int r = 0; r < ROWS; r++) a[r] = (floatv)(0.0f);
  __global const float* source = m + (size_t)row * hidden;
  __global const float* panel = s + (size_t)block * hidden * VEC;
  for (int k = 0; k < hidden; k++) {
    floatv weight = vloadv(k, panel);
#pragma unroll
    for (int r = 0; r < ROWS; r++) a[r] = fma((floatv)(source[r * hidden + k]), weight, a[r]);
  }

  __global float* out = h + ((size_t)slot * h_slot_rows + row) * h_stride + h_column + block * VEC;
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    if (r < rows) store_lanes(a[r], out + (size_t)r * h_stride, outputs - block * VEC);
  }
}

//   global size (row tiles, B, 1) with the time slot as the offset of dimension 2
__kernel void lstm_hidden_projection(__global const float* restrict m, __global const float* restrict s,
                                     __global float* restrict h, __global const int* restrict active, int hidden, int outputs,
                                     int h_slot_rows, int h_stride, int h_column) {
  int row = get_global_id(0) * ROWS, slot = get_global_id(2);
  int rows = active[slot] - row;
  if (rows <= 0) return;
  hidden_projection_tile(row, rows, get_global_id(1), slot, m, s, h, hidden, outputs, h_slot_rows, h_stride, h_column);
}
