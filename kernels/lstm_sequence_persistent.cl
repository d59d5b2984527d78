// requires: activations, lstm_cell, weights, step_parameters, gate_product_narrow, arrivals
//
// A whole sequence of one layer in one launch, with the recurrent weights on the chip. For layers whose weights are too
// large for one compute unit, and few rows.
//
//      group: WG_UNITS units × GROUP_ROWS rows of one direction
//
//          recurrent weights of its units [H][WG_UNITS][4] in local memory, from the first step to the last
//                                                              │
//      h[t-1] of its rows and all units ── TILE_K at a time ──×──+── p (x·W + bias, input_projection_tiled.cl)
//                ▲                                               ▼
//                │                                             cell ──► c in registers
//                └──── all groups of these rows have arrived ◄── h[t] of its units
//
// The groups of the same rows and direction are a team. Each needs the hidden states of all others, so a step begins
// when the whole team has finished the previous one (arrivals.cl). All groups of a team have to run at the same time. A
// group that has all units is a team by itself and never waits.

#if !HOISTED || !FUSED || !RESIDENT_K
#error "lstm_sequence_persistent needs HOISTED=1, FUSED=1 and RESIDENT_K"
#endif

// Computes the steps from first_step to last_step of a layer with at most RESIDENT_K units and without a projection.
//   global size (units, rounded up to WG_UNITS; WG_ROWS for each GROUP_ROWS rows with a step; D)
__kernel GROUP_SIZE void lstm_sequence_persistent(
    STEP_PARAMETERS,           // x is unused
    __global int* arrivals,    // [(D·teams of a direction+1)·LINE] zeros before step 1, except for the first value:
                               // it isn't zero once a group has given up. Unused if a group has all units
    int patience,              // how long the first step may take, in units of clock.cl
    int step_patience) {       // how much longer for each step, in 256ths of that unit
  __local float4 x_tile[2 * X_TILE];
  __local float4 w_tile[RESIDENT_K * W_PITCH];
  __local int goes_on;
  int direction = get_global_id(2), reverse = direction >= first_reverse;
  int team = direction * (int)get_num_groups(1) + (int)get_group_id(1), groups = get_num_groups(0);
  int row = get_group_id(1) * GROUP_ROWS, is_first = item_of_group() == 0;

  int blocks = (units + PACK - 1) / PACK, panel = (inputs + units) * 4 * PACK;
  int unit = get_global_id(0), has_unit = unit < units;
  int block = min(unit / PACK, blocks - 1), lane = unit % PACK;
  stage_weights(w + (size_t)direction * blocks * panel + inputs * 4 * PACK, units, panel, get_group_id(0) * WG_UNITS,
                units, w_tile);

  // Initial states are in `c` for all rows, also for those that begin with a later step.
  size_t place = (size_t)direction * row_pitch + row;
  __global float* cell = c + off_cell(place, block, blocks) + lane;
  int all = active[1] - row;  // rows that have a step at all
  float cells[ROWS];
#pragma unroll
  for (int m = 0; m < ROWS; m++) cells[m] = load_aligned(0, cell + off_cell(min(row_of(m), all - 1), 0, blocks));

  if (is_first) goes_on = groups == 1 || !atomic_or(arrivals, 0);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (!goes_on) return;  // a group gave up, so earlier states are missing
  uint begun = clock_now();
  for (int step = first_step; step <= last_step; step++) {
    int slot = slot_of(step, reverse, longest), rows = active[slot] - row, last_row = max(rows - 1, 0);
    // Loaded before the wait, so that they arrive meanwhile. Rows without this step are multiplied, too, and their
    // results dropped.
    float4 a[ROWS];
    __global const float* ready =
        step_ready(p, slot, reverse, longest, first_step, last_step, direction, row_pitch, blocks) +
        off_gates(row, block, blocks) + lane;
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
      __global const float* own = ready + off_gates(min(row_of(m), last_row), 0, blocks);
      a[m] = (float4)(load_aligned(0, own), load_aligned(1, own), load_aligned(2, own), load_aligned(3, own));
    }

    // What the first step needs is there: earlier launches have ended.
    if (is_first && groups > 1 && step > first_step) {
      uint until = patience_for(step - first_step + 1, patience, step_patience);
      goes_on = all_arrived(arrivals, team, (step - 1) * groups, begun, until);
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (!goes_on) return;  // the whole group

    __global const float* before =
        step_before(y, slot, reverse, row_pitch, y_stride, direction, units) + (size_t)row * y_stride;
    accumulate_resident(a, before, y_stride, units, last_row, x_tile, w_tile);

#pragma unroll
    for (int m = 0; m < ROWS; m++) {
      int at = row_of(m);
      if (has_unit && at < rows) {
        cell_state after = lstm_cell_update(a[m].x, a[m].y, a[m].z, a[m].w, cells[m], direction,
                                            bias + off_bias(direction, block, blocks) + lane);
#if TRACED
        store_trace(a[m].x, a[m].y, a[m].z, a[m].w, after,
                    trace + off_trace(direction, slot, row + at, block, blocks, row_pitch, trace_slots) + lane);
#endif
        cells[m] = after.c;
        h[((size_t)slot * h_slot_rows + row + at) * h_stride + direction * units + unit] = after.h;
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (is_first && groups > 1) arrive(arrivals, team);
  }

#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    int at = row_of(m);
    if (has_unit && at < all) store_aligned(cells[m], 0, cell + off_cell(at, 0, blocks));
  }
}
