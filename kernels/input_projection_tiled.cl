// requires: activations, lstm_cell, weights, gate_product_tiled
//
// The input's part of the pre-activations for many time steps at once. The same as input_projection.cl, by
// work-groups that stage their tiles in local memory (gate_product_tiled.cl).
//
//      x [slots, rows, I] ──×── W [B,K,4,VEC] ──+ bias ──► p [slots, rows, B, 4, VEC]

//   global size (unit blocks, rounded up to WG_UNITS; WG_ROWS for each GROUP_ROWS rows of all slots; D)
__kernel GROUP_SIZE void lstm_input_projection_tiled(
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
    int blocks) {                         // B; the global size is rounded up
  __local float4 x_tile[2 * X_TILE];
  __local floatv w_tile[2 * W_TILE];
  int direction = get_global_id(2);
  int first_slot = chunk_slot(first_step, last_step, direction >= first_reverse, longest);
  int all = (last_step - first_step + 1) * row_pitch, row = get_group_id(1) * GROUP_ROWS, rows = all - row;

  // The whole group skips a tile in which no row has a step.
  int wanted = 0;
  for (int at = row, end = row + min(rows, GROUP_ROWS); at < end; at += row_pitch - at % row_pitch) {
    wanted |= at % row_pitch < active[first_slot + at / row_pitch];
  }
  if (!wanted) return;

  int first = get_group_id(0) * WG_UNITS, last = blocks - 1 - first;
  int block = min(first + (int)get_local_id(0), blocks - 1);
  int panel = (inputs + recurrent_inputs) * 4 * VEC;
  __global const float* start = bias + off_bias(direction, block, blocks);
  floatv a[ROWS][4];
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < 4; q++) a[m][q] = load_aligned(q, start);
  }
  staged_product input, nothing;
  input.x = x + ((size_t)(first_slot - x_first) * row_pitch + row) * x_stride;
  input.stride = x_stride;
  input.K = inputs;
  nothing = input;
  nothing.K = 0;
  accumulate_staged(a, input, nothing, w + ((size_t)direction * blocks + first) * panel, rows - 1, panel, last, x_tile,
                    w_tile);

  if ((int)get_local_id(0) > last) return;  // beyond the last unit block
  __global float* out = p + off_gates((size_t)direction * all + row, block, blocks);
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    int at = row_of(m);
    if (at < rows) {
#pragma unroll
      for (int q = 0; q < 4; q++) store_aligned(a[m][q], q, out + off_gates(at, 0, blocks));
    }
  }
}
