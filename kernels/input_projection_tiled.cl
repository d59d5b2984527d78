// requires: activations, lstm_cell, weights, gate_product_tiled
//
// The input's share of the pre-activations for many time steps at once, as in input_projection.cl, by work-groups that stage their
// tiles in local memory (gate_product_tiled.cl).
//
//      x [slots, rows, I] ──×── W [B,K,4,VEC] ──+ bias ──► p [slots, rows, B, 4, VEC]

//   parameters as in lstm_input_projection; blocks: B, which the global size doesn't tell here
//   global size (unit blocks, rounded up to WG_UNITS; WG_ROWS for each GROUP_ROWS rows of all slots; D)
__kernel GROUP_SIZE void lstm_input_projection_tiled(
    __global const float* restrict x, __global float* restrict p, __global const weight_t* restrict w,
    __global const float* restrict bias, __global const int* restrict active, int row_pitch, int x_first, int x_stride,
    int inputs, int recurrent_inputs, int first_reverse, int longest, int first_step, int last_step,
    int blocks) {
  __local float4 x_tile[2 * X_TILE];
  __local floatv w_tile[2 * W_TILE];
  int direction = get_global_id(2);
  int first_slot = chunk_slot(first_step, last_step, direction >= first_reverse, longest);
  int all = (last_step - first_step + 1) * row_pitch, row = get_group_id(1) * GROUP_ROWS, rows = all - row;

  // A tile without any row that has a step is skipped, by the whole group.
  int wanted = 0;
  for (int at = row, end = row + min(rows, GROUP_ROWS); at < end; at += row_pitch - at % row_pitch) {
    wanted |= at % row_pitch < active[first_slot + at / row_pitch];
  }
  if (!wanted) return;

  int first = get_group_id(0) * WG_UNITS, last = blocks - 1 - first;
  int block = min(first + (int)get_local_id(0), blocks - 1);
  int panel = (inputs + recurrent_inputs) * 4 * VEC;
  __global const float* start = bias + ((size_t)direction * blocks + block) * CELL_VECTORS * VEC;
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
  input.w = w + ((size_t)direction * blocks + first) * panel;
  nothing = input;
  nothing.K = 0;
  accumulate_staged(a, input, nothing, rows - 1, panel, last, x_tile, w_tile);

  if ((int)get_local_id(0) > last) return;  // no such block of units
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
