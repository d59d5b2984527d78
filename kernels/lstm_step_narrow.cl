// requires: activations, lstm_cell, weights, step_parameters, gate_product_narrow
//
// The time step of lstm_step.cl for few rows, by work-groups that stage their tiles in local memory
// (gate_product_narrow.cl).
//
//      group (U, R):  WG_UNITS units × GROUP_ROWS rows of one direction
//                     x[t], then h[t-1], and weights ─► local memory ─► pre-activations in registers ─► cell ─► c, h

//   global size (units, rounded up to WG_UNITS; WG_ROWS for each GROUP_ROWS rows; D) with the step as the offset of
//     dimension 2; the rows are those of the direction with more rows at this step
__kernel GROUP_SIZE void lstm_step_narrow(STEP_PARAMETERS) {
  __local float4 x_tile[2 * X_TILE];
  __local float4 w_tile[2 * W_TILE];
  int step = get_global_offset(2), direction = get_global_id(2) - step;
  int reverse = direction >= first_reverse, slot = slot_of(step, reverse, longest);
  int row = get_group_id(1) * GROUP_ROWS, rows = active[slot] - row;
  if (rows <= 0) return;  // the whole group

  int blocks = (units + PACK - 1) / PACK, first = get_group_id(0) * (WG_UNITS / PACK), last = blocks - 1 - first;
  int unit = get_group_id(0) * WG_UNITS + item_unit(), has_unit = unit < units;
  int block = min(unit / PACK, blocks - 1), lane = unit % PACK;
  int panel = (inputs + recurrent_inputs) * 4 * PACK;
  __global const weight_t* panels = w + ((size_t)direction * blocks + first) * panel;

  float4 a[ROWS];
#if HOISTED
  __global const float* ready =
      step_ready(p, slot, reverse, longest, first_step, last_step, direction, row_pitch, blocks) +
      off_gates(row, block, blocks) + lane;
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    __global const float* own = ready + off_gates(min(row_of(m), rows - 1), 0, blocks);
    a[m] = (float4)(load_aligned(0, own), load_aligned(1, own), load_aligned(2, own), load_aligned(3, own));
  }
#else
  __global const float* own_bias = bias + off_bias(direction, block, blocks) + lane;
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    a[m] = (float4)(load_aligned(0, own_bias), load_aligned(1, own_bias), load_aligned(2, own_bias),
                    load_aligned(3, own_bias));
  }
#endif

  narrow_product input, hidden;
  input.x = x + ((size_t)(slot - x_first) * row_pitch + row) * x_stride;
  input.stride = x_stride;
  input.K = HOISTED ? 0 : inputs;
  input.w = panels;
  hidden.x = step_before(y, slot, reverse, row_pitch, y_stride, direction, recurrent_inputs) + (size_t)row * y_stride;
  hidden.stride = y_stride;
  hidden.K = recurrent_inputs;
  hidden.w = panels + inputs * 4 * PACK;
  accumulate_narrow(a, input, hidden, rows - 1, panel, last, x_tile, w_tile);

  if (!has_unit) return;
  // Every tensor of the epilogue has the units of a block side by side.
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    int at = row_of(m);
    floatv gates[4] = {a[m].x, a[m].y, a[m].z, a[m].w};
    if (at < rows) {
      finish_row(gates, row, at, block, blocks, direction, slot, x, y, w, bias + lane, p + lane, c + lane, h + lane,
                 active, row_pitch, x_first, x_stride, inputs, y_stride, recurrent_inputs, units, h_slot_rows, h_stride,
                 first_reverse, longest, first_step, last_step
#if TRACED
                 ,
                 trace + lane, trace_slots
#endif
      );
    }
  }
}
