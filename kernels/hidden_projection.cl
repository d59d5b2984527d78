// requires: activations, lstm_cell, weights, gate_product
//
// The projection of a hidden state from H to P values (PyTorch's proj_size): h[t] = S·(o⊙tanh(c)).
//
//      m [rows,H] ──×── S [B,H,VEC] ──► h [rows,P]        B blocks of VEC outputs, S per direction
//
// It replaces, for every row and output,
//      a = 0;  for (k = 0; k < H; k++) a = fma(m[row][k], S[output][k], a);

// One tile: the rows from `row` on, of which `rows` are left, and output block `block` of `blocks`. The other
// parameters are those of the kernel below.
inline void hidden_projection_tile(int row, int rows, int block, int blocks, int direction, int slot,
                                   __global const float* restrict m, __global const weight_t* restrict s,
                                   __global float* restrict h, int m_stride, int units, int outputs, int h_slot_rows,
                                   int h_stride) {
  floatv a[ROWS];
#pragma unroll
  for (int r = 0; r < ROWS; r++) a[r] = (floatv)(0.0f);
  __global const float* source = m + (size_t)row * m_stride + direction * units;
  __global const weight_t* panel = s + ((size_t)direction * blocks + block) * units * VEC;
  for (int k = 0; k < units; k++) {
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

//   global size (row tiles, B, D) or more, with the step as the offset of dimension 2
__kernel void lstm_hidden_projection(
    __global const float* restrict m,      // [row_pitch,m_stride] o⊙tanh(c), D·H values per row
    __global const weight_t* restrict s,   // [D,B,H,VEC] packed weights of the projection
    __global float* restrict h,            // [slots,h_slot_rows,h_stride] receives the hidden states, D·P values a row
    __global const int* restrict active,   // [slots] rows that have a step at each slot
    int m_stride,                          // floats from one row of m to the next
    int units,                             // H
    int outputs,                           // P
    int h_slot_rows,                       // rows from one slot of h to the next
    int h_stride,                          // floats from one row of h to the next
    int first_reverse,                     // directions from this one on are reverse
    int longest) {                         // the length of the longest row
  int row = get_global_id(0) * ROWS, block = get_global_id(1), blocks = (outputs + VEC - 1) / VEC;
  int step = get_global_offset(2), direction = get_global_id(2) - step;
  int slot = slot_of(step, direction >= first_reverse, longest);
  int rows = active[slot] - row;
  if (rows <= 0 || block >= blocks) return;
  hidden_projection_tile(row, rows, block, blocks, direction, slot, m, s, h, m_stride, units, outputs, h_slot_rows,
                         h_stride);
}
