// The input's share of the pre-activations for many time steps at once: it doesn't depend on the hidden state.
//
//      x [slots, rows, I] ──×── W [B,K,4,VEC] ──+ bias ──► p [slots, rows, B, 4, VEC]
//
// It replaces, for every slot, row, gate and unit,
//      p = b;  for (k = 0; k < I; k++) p = fma(x[slot][row][k], W[gate][unit][k], p);
// Needs activations.cl, lstm_cell.cl and gate_product.cl before it.

// Rows of consecutive slots follow one another in memory, so a tile may span slots: a batch of one row still fills its tiles.

//   x [chunk·row_pitch, x_stride]  from the chunk's first slot on, which x_first rows of the buffer precede
//   w [B,I+P,4,VEC]  packed weights of both products: the input's part of each panel comes first
//   bias [B,4,VEC];  p [chunk·row_pitch,B,4,VEC]
//   active [..]  rows with a step, by slot: tiles without any are skipped
//   global size (tiles, B)
__kernel void lstm_input_projection(__global const float* restrict x, __global float* restrict p,
                                    __global const float* restrict w, __global const float* restrict bias,
                                    __global const int* restrict active, int row_pitch, int rows, int first_slot, int x_first,
                                    int x_stride, int inputs, int recurrent_inputs) {
  int row = get_global_id(0) * ROWS, block = get_global_id(1), blocks = get_global_size(1);
  int left = rows - row, wanted = 0;
  for (int m = 0; m < ROWS && m < left; m++) wanted |= (row + m) % row_pitch < active[first_slot + (row + m) / row_pitch];
  if (!wanted) return;

  __global const float* panel = w + (size_t)block * (inputs + recurrent_inputs) * 4 * VEC;
  floatv a[ROWS][4];
  start_from_bias(a, bias + block * 4 * VEC);
  accumulate(a, x + ((size_t)x_first + row) * x_stride, x_stride, inputs, panel, panel, 0);

  __global float* out = p + off_gates(row, block, blocks);
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    if (m < left) {
#pragma unroll
      for (int q = 0; q < 4; q++) vstorev(a[m][q], q, out + off_gates(m, 0, blocks));
    }
  }
}
