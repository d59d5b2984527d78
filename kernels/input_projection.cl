// requires: activations, lstm_cell, weights, gate_product
//
// The input's share of the pre-activations for many time steps at once: it doesn't depend on the hidden state.
//
//      x [slots, rows, I] ──×── W [B,K,4,VEC] ──+ bias ──► p [slots, rows, B, 4, VEC]
//
// It replaces, for every direction, slot, row, gate and unit,
//      p = b;  for (k = 0; k < I; k++) p = fma(x[slot][row][k], W[gate][unit][k], p);

// Rows of consecutive slots follow one another in memory, so a tile may span slots: a batch of one row still fills its tiles. The
// slots are those of the steps first_step … last_step, so each direction has its own; all of them are in the order of time.

//   x [..,row_pitch,x_stride]  its slot x_first is the first in the buffer
//   w [D,B,I+P,4,VEC]  packed weights of both products: the input's part of each panel comes first
//   bias [D,B,CELL_VECTORS,VEC];  p [D,last_step-first_step+1,row_pitch,B,4,VEC]
//   active [..]  rows with a step, by slot: tiles without any are skipped
//   first_reverse, longest as in lstm_cell
//   global size (tiles, B, D)
__kernel void lstm_input_projection(__global const float* restrict x, __global float* restrict p,
                                    __global const weight_t* restrict w, __global const float* restrict bias,
                                    __global const int* restrict active, int row_pitch, int x_first, int x_stride, int inputs,
                                    int recurrent_inputs, int first_reverse, int longest, int first_step, int last_step) {
  int row = get_global_id(0) * ROWS, block = get_global_id(1), blocks = get_global_size(1), direction = get_global_id(2);
  int first_slot = chunk_slot(first_step, last_step, direction >= first_reverse, longest);
  int rows = (last_step - first_step + 1) * row_pitch, left = rows - row, wanted = 0;
  for (int m = 0; m < ROWS && m < left; m++) wanted |= (row + m) % row_pitch < active[first_slot + (row + m) / row_pitch];
  if (!wanted) return;

  int panel_number = direction * blocks + block;
  __global const weight_t* panel = w + (size_t)panel_number * (inputs + recurrent_inputs) * 4 * VEC;
  floatv a[ROWS][4];
  start_from_bias(a, bias + (size_t)panel_number * CELL_VECTORS * VEC);
  accumulate(a, x + ((size_t)(first_slot - x_first) * row_pitch + row) * x_stride, x_stride, inputs, panel, panel, 0);

  __global float* out = p + off_gates((size_t)direction * rows + row, block, blocks);
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    if (m < left) {
#pragma unroll
      for (int q = 0; q < 4; q++) vstorev(a[m][q], q, out + off_gates(m, 0, blocks));
    }
  }
}
