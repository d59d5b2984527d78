// requires: activations, lstm_cell, weights, gate_product
//
// The input's part of the pre-activations for many time steps at once, as it doesn't depend on the hidden state.
//
//      x [slots, rows, I] ──×── W [B,K,4,VEC] ──+ bias ──► p [slots, rows, B, 4, VEC]
//
// For every direction, slot, row, gate and unit it replaces
//      p = b;  for (k = 0; k < I; k++) p = fma(x[slot][row][k], W[gate][unit][k], p);
//
// Rows of consecutive slots are adjacent in memory, so a tile may span slots: a batch of one row still fills its
// tiles. The slots belong to the steps first_step … last_step, so each direction has its own. All slots are in the
// order of time.

//   global size (tiles, B, D) or more
__kernel void lstm_input_projection(
    __global const float* restrict x,     // [..,row_pitch,x_stride] input; its first slot is x_first
    __global float* restrict p,           // [D,last_step-first_step+1,row_pitch,B,4,VEC] receives the pre-activations
    __global const weight_t* restrict w,  // [D,B,I+P,4,VEC] packed weights; the input's part of each panel comes first
    __global const float* restrict bias,  // [D,B,CELL_VECTORS,VEC] biases, then peepholes
    __global const int* restrict active,  // [slots] rows that have a step at each slot; tiles without any are skipped
    int row_pitch,                        // rows from one slot to the next
    int x_first,                          // the slot that x begins with
    int x_stride,                         // floats from one row of x to the next
    int inputs,                           // I
    int recurrent_inputs,                 // P
    int first_reverse,                    // directions from this one on are reverse
    int longest,                          // the length of the longest row
    int first_step,                       // the first step to project
    int last_step,                        // the last step to project
    int blocks) {                         // B
  int row = get_global_id(0) * ROWS, direction = get_global_id(2);
  int block = get_global_id(1);
  int first_slot = chunk_slot(first_step, last_step, direction >= first_reverse, longest);
  int rows = (last_step - first_step + 1) * row_pitch, left = rows - row, wanted = 0;
  for (int m = 0; m < ROWS && m < left; m++) {
    wanted |= (row + m) % row_pitch < active[first_slot + (row + m) / row_pitch];
  }
  if (!wanted || block >= blocks) return;

  int panel_number = direction * blocks + block;
  __global const weight_t* panel = w + (size_t)panel_number * (inputs + recurrent_inputs) * 4 * VEC;
  floatv a[ROWS][4];
  start_from_bias(a, bias + off_bias(direction, block, blocks));
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
