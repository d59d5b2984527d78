// requires: activations, lstm_cell, weights, gate_product, step_parameters, lstm_step, hidden_projection
//
// A whole sequence of one layer in one launch.
//
//                        units 0 … H/U-1     units H/U … 2H/U-1     U groups of units
//      rows of group 0   1 ─►║ 2 ─►║ …       1 ─►║ 2 ─►║ …          one work-item each: its rows, its units, one direction,
//      rows of group 1   1 ─►║ 2 ─►║ …       1 ─►║ 2 ─►║ …          all steps
//                            ║ a step begins when all of a row group's work-items have ended the one before
//
// With one group of units (U = 1) a work-item owns all units of its rows, whose hidden states nobody else reads: no waiting, any
// number of row groups, both directions at once, every device. But it reads all weights for every step: for small hidden sizes.
//
// With several, each work-item keeps to its own share of the weights, which stays in its core's cache from step to step; it goes
// through the share to and fro, because what was used last is what a cache still has. Then the work-items of a row group have to
// run at the same time, which OpenCL doesn't promise. The host asks for it only where each gets a thread of its own, for one
// direction after the other: both at once would need twice the threads. And they don't wait forever: after `patience` looks one
// gives up, says so in arrivals[0], and the host runs the batch another way.

// A place in `arrivals` for each team: a row group of a direction. A cache line apart; the first one says whether somebody gave up.
inline int off_arrivals(int team) { return (team + 1) * LINE; }

// Waits until `expected` work-items have arrived since the sequence began; 0 when it gave up. An atomic that changes nothing is
// the look: unlike a load it is ordered, with what others wrote before they arrived.
inline int all_arrived(__global int* arrivals, int team, int expected, int patience) {
  __global int* count = arrivals + off_arrivals(team);
  mem_fence(CLK_GLOBAL_MEM_FENCE);
  atomic_inc(count);
  while (atomic_or(count, 0) < expected) {
    if (--patience < 0) {
      atomic_or(arrivals, 1);
      return 0;
    }
  }
  mem_fence(CLK_GLOBAL_MEM_FENCE);
  return 1;
}

//   STEP_PARAMETERS as in lstm_step, to be done from first_step to last_step; with a projection h is [row_pitch,h_stride], shared by
//     all slots
//   s [D,..,units,VEC]  the projection's weights, and history [T+2,row_pitch,y_stride] = y to write to, where projected is not 0
//   arrivals [(D·row_groups+1)·LINE]  zeros before step 1; the first line is never cleared: who gave up once isn't asked again
//   global size (directions of this launch · row_groups · unit_groups); the directions are those from first_direction on
__kernel void lstm_sequence(STEP_PARAMETERS, __global const weight_t* restrict s, __global float* history, int projected,
                            int row_groups, int unit_groups, int first_direction, __global int* arrivals, int patience) {
  // A direction's work-items are neighbours, and likely to meet its weights in their core's cache.
  int unit_group = get_global_id(0) % unit_groups, team = first_direction * row_groups + get_global_id(0) / unit_groups;
  int row_group = team % row_groups, direction = team / row_groups;
  int blocks = (units + VEC - 1) / VEC, outputs = (recurrent_inputs + VEC - 1) / VEC;
  int first = blocks * unit_group / unit_groups, last = blocks * (unit_group + 1) / unit_groups - 1;
  int waits = projected ? 2 : 1;
  if (unit_groups > 1 && atomic_or(arrivals, 0)) return;  // somebody gave up: what follows has nothing to build on

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
    if (unit_groups > 1 && !all_arrived(arrivals, team, ((step - 1) * waits + 1) * unit_groups, patience)) return;
    if (projected) {
      for (int block = unit_group; block < outputs; block += unit_groups) {
        for (int row = row_group * ROWS; row < rows; row += row_groups * ROWS) {
          hidden_projection_tile(row, rows - row, block, outputs, direction, slot, h, s, history, h_stride, units,
                                 recurrent_inputs, row_pitch, y_stride);
        }
      }
      if (unit_groups > 1 && !all_arrived(arrivals, team, step * waits * unit_groups, patience)) return;
    }
  }
}
