// requires: activations, lstm_cell, weights, gate_product
//
// The projection of a hidden state from H to P values (PyTorch's proj_size): h[t] = S·(o⊙tanh(c)).
//
//      m [rows,H] ──×── S [B,H,VEC] ──► h [rows,P]        B blocks of VEC outputs; each direction has its own
//
// It replaces, for every row and output,
//      a = 0;  for (k = 0; k < H; k++) a = fma(m[row][k], S[output][k], a);

//   m [row_pitch,m_stride]  D·hidden values a row;  s [D,B,hidden,VEC]
//   h [..,h_slot_rows,h_stride]  D·outputs values a row
inline void hidden_projection_tile(int row, int rows, int block, int blocks, int direction, int slot,
                                   __global const float* restrict m, __global const weight_t* restrict s,
                                   __global float* restrict h, int m_stride, int hidden, int outputs, int h_slot_rows,
                                   int h_stride) {
  floatv a[ROWS];
#pragma unroll
  for (int r = 0; r < ROWS; r++) a[r] = (floatv)(0.0f);
  __global const float* source = m + (size_t)row * m_stride + direction * hidden;
  __global const weight_t* panel = s + ((size_t)direction * blocks + block) * hidden * VEC;
  for (int k = 0; k < hidden; k++) {
    floatv weight = load_weights(k, panel);
#pragma unroll
    for (int r = 0; r < ROWS; r++) a[r] = fma((floatv)(source[r * m_stride + k]), weight, a[r]);
  }

  __global float* out = h + ((size_t)slot * h_slot_rows + row) * h_stride + direction * outputs + block * VEC;
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    if (r < rows) store_lanes(a[r], out + (size_t)r * h_stride, outputs - block * VEC);
  }
}

//   first_reverse, longest as in lstm_cell
//   global size (row tiles, B, D) with the step as the offset of dimension 2
__kernel void lstm_hidden_projection(__global const float* restrict m, __global const weight_t* restrict s,
                                     __global float* restrict h, __global const int* restrict active, int m_stride,
                                     int hidden, int outputs, int h_slot_rows, int h_stride, int first_reverse,
                                     int longest) {
  int row = get_global_id(0) * ROWS, block = get_global_id(1), blocks = get_global_size(1);
  int step = get_global_offset(2), direction = get_global_id(2) - step;
  int slot = slot_of(step, direction >= first_reverse, longest);
  int rows = active[slot] - row;
  if (rows <= 0) return;
  hidden_projection_tile(row, rows, block, blocks, direction, slot, m, s, h, m_stride, hidden, outputs, h_slot_rows,
                         h_stride);
}
