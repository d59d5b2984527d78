// requires: activations, lstm_cell, weights, gate_product, step_parameters, lstm_step, hidden_projection, arrivals
//
// A whole sequence of one layer in one launch.
//
//                        units 0 … H/U-1     units H/U … 2H/U-1  U groups of units
//      rows of group 0   1 ─►║ 2 ─►║ …       1 ─►║ 2 ─►║ …       one work-item each: its rows, its units,
//      rows of group 1   1 ─►║ 2 ─►║ …       1 ─►║ 2 ─►║ …       one direction, all steps
//                            ║ a step begins when all work-items of the row group have finished the previous one
//
// With one group of units (U = 1), a work-item owns all units of its rows, and no other work-item reads their hidden
// states. It never waits, so any number of row groups and both directions can run together, on every device. But it
// reads all weights in every step, which suits only small hidden sizes.
//
// With several groups of units the work-items are cooperative: they wait for each other. Each uses only its own share
// of the weights, which stays in its core's cache from step to step. It goes through the share back and forth,
// because a cache still holds what was used last. A row group of a direction is a team (arrivals.cl), whose work-items
// have to run at the same time. The host uses this only if each gets its own thread, and runs one direction after the
// other, as both together would need twice the threads. On a busy machine, a thread may lose its core to another
// process for milliseconds, and the others would wait all that time; so they give up soon.

// Computes the steps from first_step to last_step. With a projection, h is [row_pitch,h_stride], shared by all slots.
//   global size (directions of this launch · row_groups · unit_groups)
__kernel void lstm_sequence(
    STEP_PARAMETERS,
    __global const weight_t* restrict s,  // [D,blocks of P,H,VEC] packed weights of the projection; read if projected
    __global float* history,              // [T+2,row_pitch,y_stride] y, to write the projected hidden states to
    int projected,                        // 1: the layer has a projection
    int row_groups,                       // groups of rows for each direction
    int unit_groups,                      // U, groups of units for each group of rows
    int first_direction,                  // the first direction of this launch
    __global int* arrivals,               // [(D·row_groups+1)·LINE] zeros before step 1, except for the first line:
                                          // once a work-item has given up, no other one waits again
    int patience,                         // how long the first step may take, in units of clock.cl
    int step_patience) {                  // how much longer for each step, in 256ths of that unit
  // Work-items of a direction are neighbors, so their core's cache is likely to hold its weights already.
  int unit_group = get_global_id(0) % unit_groups, team = first_direction * row_groups + get_global_id(0) / unit_groups;
  int row_group = team % row_groups, direction = team / row_groups;
  int blocks = (units + VEC - 1) / VEC, outputs = (recurrent_inputs + VEC - 1) / VEC;
  int first = blocks * unit_group / unit_groups, last = blocks * (unit_group + 1) / unit_groups - 1;
  int waits = projected ? 2 : 1;
  uint begun = clock_now();
  if (unit_groups > 1 && atomic_or(arrivals, 0)) return;  // a work-item gave up, so earlier states are missing

  for (int step = first_step; step <= last_step; step++) {
    int slot = slot_of(step, direction >= first_reverse, longest), rows = active[slot];
    int turn = step & 1 ? 1 : -1;
    int end = turn > 0 ? last : first;
    for (int block = first + last - end; first <= block && block <= last; block += turn) {
      int next = block == end ? block : block + turn;
      for (int row = row_group * ROWS; row < rows; row += row_groups * ROWS) {
        lstm_step_tile(row, rows - row, block, blocks, next, direction, slot, STEP_ARGUMENTS);
      }
    }
    uint until = patience_for(step - first_step + 1, patience, step_patience);
    if (unit_groups > 1) {
      arrive(arrivals, team);
      if (!all_arrived(arrivals, team, ((step - 1) * waits + 1) * unit_groups, begun, until)) return;
    }
    if (projected) {
      for (int block = unit_group; block < outputs; block += unit_groups) {
        for (int row = row_group * ROWS; row < rows; row += row_groups * ROWS) {
          hidden_projection_tile(row, rows - row, block, outputs, direction, slot, h, s, history, h_stride, units,
                                 recurrent_inputs, row_pitch, y_stride);
        }
      }
      if (unit_groups > 1) {
        arrive(arrivals, team);
        if (!all_arrived(arrivals, team, step * waits * unit_groups, begun, until)) return;
      }
    }
  }
}
