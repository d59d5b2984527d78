// requires: activations, lstm_cell, weights, step_parameters, gate_product_tiled
//
// The time step of lstm_step.cl, by work-groups that stage their tiles in local memory (gate_product_tiled.cl).
//
//      group (U, R):  WG_UNITS unit blocks × GROUP_ROWS rows of one direction
//                     x[t], then h[t-1], and weights ─► local memory ─► pre-activations in registers ─► cell ─► c, h

// The sums stay in registers only if every index is a constant.
#define EACH_ROW _Pragma("unroll")

//   global size (unit blocks, rounded up to WG_UNITS; WG_ROWS for each GROUP_ROWS rows; D) with the step as the offset
//     of dimension 2; the rows are those of the direction with more rows at this step
__kernel GROUP_SIZE void lstm_step_tiled(STEP_PARAMETERS) {
  __local float4 x_tile[2 * X_TILE];
  __local floatv w_tile[2 * W_TILE];
  int step = get_global_offset(2), direction = get_global_id(2) - step;
  int reverse = direction >= first_reverse, slot = slot_of(step, reverse, longest);
  int row = get_group_id(1) * GROUP_ROWS, rows = active[slot] - row;
  if (rows <= 0) return;  // the whole group

  int blocks = (units + VEC - 1) / VEC, first = get_group_id(0) * WG_UNITS, last = blocks - 1 - first;
  int block = min(first + (int)get_local_id(0), blocks - 1);
  int panel = (inputs + recurrent_inputs) * 4 * VEC;
  // The input's weights come first in a panel.
  __global const weight_t* panels =
      w + ((size_t)direction * blocks + first) * panel + (HOISTED ? inputs * 4 * VEC : 0);

  floatv a[ROWS][4];
#if HOISTED
  __global const float* ready =
      step_ready(p, slot, reverse, longest, first_step, last_step, direction, row_pitch, blocks) +
      off_gates(row, block, blocks);
  EACH_ROW
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < 4; q++) a[m][q] = load_aligned(q, ready + off_gates(min(row_of(m), rows - 1), 0, blocks));
  }
#else
  __global const float* own_bias = bias + off_bias(direction, block, blocks);
  EACH_ROW
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int q = 0; q < 4; q++) a[m][q] = load_aligned(q, own_bias);
  }
#endif

  staged_product input, hidden;
  input.x = x + ((size_t)(slot - x_first) * row_pitch + row) * x_stride;
  input.stride = x_stride;
  input.K = HOISTED ? 0 : inputs;
  hidden.x = step_before(y, slot, reverse, row_pitch, y_stride, direction, recurrent_inputs) + (size_t)row * y_stride;
  hidden.stride = y_stride;
  hidden.K = recurrent_inputs;
  accumulate_staged(a, input, hidden, panels, rows - 1, panel, last, x_tile, w_tile);

  if ((int)get_local_id(0) > last) return;  // beyond the last unit block
  EACH_ROW
  for (int m = 0; m < ROWS; m++) {
    int at = row_of(m);
    if (at < rows) finish_row(a[m], row, at, block, blocks, direction, slot, STEP_ARGUMENTS);
  }
}
