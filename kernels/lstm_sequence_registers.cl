// requires: activations, lstm_cell, weights, step_parameters
//
// A whole sequence of one layer in one launch, with the recurrent weights in registers. For the smallest hidden sizes.
//
//      work-item: COLUMNS of the 4·H columns of R, from the first step to the last
//
//      state [GROUP_ROWS][K] in local memory: h[t-1] ──×── its columns ──+── p (x·W + bias of all steps)
//        ▲                                                               ▼
//        │                                                    gates [GROUP_ROWS][4][K] in local memory
//        │                                                               ▼
//        └──────────────── h[t] ◄──────────────────────────── cell of a unit ──► c in registers
//
// A work-group has GROUP_ROWS rows and all units of one direction. In each step every weight is used from the register
// that it was loaded into at the start, so that a step reads only h[t-1] from local memory and p, which was requested a
// step ahead. The four gates of a unit come from four work-items. They meet in local memory, and a step has two
// barriers. R of a larger layer doesn't fit the registers of one group. The weights of its last k are then read in
// every step; they come from the cache next to the registers, and are requested ahead, too.
//
// For every (row, unit, gate) it replaces the same plain loop as gate_product.cl. One chain of fma in ascending k
// produces the same bits:
//      for (k = 0; k < K; k++) a = fma(h[row][k], w[k][gate][unit], a);

#if VEC != 1 || PACK != 4
#error "a column of lstm_sequence_registers is one gate of one unit of a block of four: VEC must be 1 and PACK 4"
#endif
#if !HOISTED || !FUSED
#error "lstm_sequence_registers needs HOISTED=1 and FUSED=1"
#endif
// Rows of a work-item.
#ifndef ROWS
#define ROWS 1
#endif
// Number of k whose weights are in registers: a multiple of 8.
#ifndef RESIDENT_K
#define RESIDENT_K 64
#endif
// Work-items of a group along the units: those that have all columns.
#ifndef WG_UNITS
#define WG_UNITS (4 * RESIDENT_K)
#endif
// Work-items of a group along the rows.
#ifndef WG_ROWS
#define WG_ROWS 1
#endif

// Columns of a work-item.
#ifndef COLUMNS
#define COLUMNS 1
#endif

// Units that a group has room for, and as many k. A layer has as many, or up to 7 fewer.
#define GROUP_K (WG_UNITS * COLUMNS / 4)
#define STREAMS (RESIDENT_K < GROUP_K)  // not all k are resident
#define CELLS ((ROWS * COLUMNS + 3) / 4)  // cells of a work-item, at most
#define GROUP_ROWS (WG_ROWS * ROWS)
#define GROUP_SIZE __attribute__((reqd_work_group_size(WG_UNITS, WG_ROWS, 1)))
#define CERTAIN_K (STREAMS ? RESIDENT_K : RESIDENT_K - 8)  // every layer has these k
#define STATE_PITCH (GROUP_K / 4)                          // in float4
// From one gate of a row to the next. Work-items of a wave write units of all four gates, which this spreads over the
// banks of local memory.
#define GATE_PITCH (GROUP_K + (40 - GROUP_K % 32) % 32)
#define AHEAD 2  // vectors of 4 weights of each column that are requested before they are needed
#if RESIDENT_K % 8 || GROUP_K % 8 || COLUMNS * WG_UNITS != 4 * GROUP_K || RESIDENT_K > GROUP_K
#error "columns can't be divided equally: see RESIDENT_K and WG_UNITS"
#endif

// The j-th column of this work-item, in the order of the pre-activations: [unit block][gate][lane].
inline int column_of(int j) { return (int)get_local_id(0) + j * WG_UNITS; }

// The place of this work-item's n-th cell among those of the rows that the same WG_UNITS work-items multiply; its row
// within the group's rows, and its unit. Some work-items have no cell if ROWS is less than 4.
inline int cell_of(int n) { return (int)get_local_id(0) + n * WG_UNITS; }
inline int has_cell(int n) { return cell_of(n) < ROWS * GROUP_K; }
inline int cell_row(int n) { return (int)get_local_id(1) * ROWS + cell_of(n) / GROUP_K; }
inline int cell_unit(int n) { return cell_of(n) % GROUP_K; }

// Loads the pre-activations of this work-item's columns and rows. Rows beyond last_row are read as that one.
//   ready  [..][columns] from the group's first row on
INLINED void load_ready(float a[COLUMNS][ROWS], __global const float* ready, int columns, int last_row) {
#pragma unroll
  for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
      int at = min((int)get_local_id(1) * ROWS + m, last_row);
      a[j][m] = ready[(size_t)at * columns + min(column_of(j), columns - 1)];
    }
  }
}

// a[row] += state[row][0 … 3] · weight[0 … 3], of which `count` count.
//   state  [ROWS][STATE_PITCH], from the first of the four k on
INLINED void multiply_add_four(float a[ROWS], __local const float4* state, float4 weight, int count) {
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    float4 x = state[m * STATE_PITCH];
    a[m] = fma(x.x, weight.x, a[m]);
    if (count > 1) a[m] = fma(x.y, weight.y, a[m]);
    if (count > 2) a[m] = fma(x.z, weight.z, a[m]);
    if (count > 3) a[m] = fma(x.w, weight.w, a[m]);
  }
}

#if STREAMS
// Loads four weights of each column, from k = 4·four on; at the end the last four.
INLINED void load_four(float4 weight[COLUMNS], int four, int fours, int columns, __global const weight_t* weights) {
#pragma unroll
  for (int j = 0; j < COLUMNS; j++) {
    weight[j] = load_block(min(four, fours - 1) * columns + min(column_of(j), columns - 1), weights);
  }
}
#endif

// Computes the steps from first_step to last_step of a layer without a projection and with GROUP_K-7 to GROUP_K units.
//   global size (WG_UNITS; WG_ROWS for each GROUP_ROWS rows with a step; D)
__kernel GROUP_SIZE void lstm_sequence_registers(
    STEP_PARAMETERS,                                // x and w are unused
    __global const weight_t* restrict by_column) {  // [D,ceil(H/4),B·4·VEC,4] the recurrent weights of w, with four k
                                                    // of a column side by side
  __local float4 state[GROUP_ROWS * STATE_PITCH];
  __local float gates[GROUP_ROWS * 4 * GATE_PITCH];
  __local float* hidden = (__local float*)state;
  int direction = get_global_id(2), reverse = direction >= first_reverse;
  int row = get_group_id(1) * GROUP_ROWS, all = active[1] - row;  // rows that have a step at all
  int blocks = (units + PACK - 1) / PACK, columns = blocks * 4 * PACK, fours = (units + 3) / 4;

  // The steps in which the group has rows: forward it may end before the last step, in reverse begin after the first.
  int start = first_step;
  while (start <= last_step && active[slot_of(start, reverse, longest)] <= row) start++;
  int end = last_step;
  while (end >= start && active[slot_of(end, reverse, longest)] <= row) end--;
  if (start > end) return;  // the whole group

  __global const weight_t* weights = by_column + (size_t)direction * fours * columns * 4;
  float4 weight[COLUMNS][RESIDENT_K / 4];
#pragma unroll
  for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
    for (int k = 0; k < RESIDENT_K; k += 4) {
      int four = k < CERTAIN_K ? k / 4 : min(k / 4, fours - 1);
      weight[j][k / 4] = load_block(four * columns + min(column_of(j), columns - 1), weights);
    }
  }

  // Initial states are in `c` for all rows, also for those that begin with a later step.
  __global float* cell = c + off_cell((size_t)direction * row_pitch + row, 0, blocks);
  int slot = slot_of(start, reverse, longest), rows = active[slot] - row;
  __global const float* before =
      step_before(y, slot, reverse, row_pitch, y_stride, direction, units) + (size_t)row * y_stride;
  float cells[CELLS];
#pragma unroll
  for (int n = 0; n < CELLS; n++) {
    int at = cell_row(n), unit = cell_unit(n), is_unit = has_cell(n) && unit < units;
    cells[n] = is_unit && at < all ? cell[off_cell(at, 0, blocks) + unit] : 0.0f;
    // Rows without a step are multiplied, too, and their results dropped. Zeros replace what an earlier group left.
    if (has_cell(n)) {
      hidden[at * GROUP_K + unit] = is_unit && at < rows ? before[(size_t)at * y_stride + unit] : 0.0f;
    }
  }
  float ready[COLUMNS][ROWS];
  load_ready(ready, step_ready(p, slot, reverse, longest, first_step, last_step, direction, row_pitch, blocks) +
                        off_gates(row, 0, blocks), columns, rows - 1);
  int next = slot_of(min(start + 1, end), reverse, longest), next_rows = active[next] - row;
  barrier(CLK_LOCAL_MEM_FENCE);

  for (int step = start; step <= end; step++) {
    float a[COLUMNS][ROWS];
#pragma unroll
    for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
      for (int m = 0; m < ROWS; m++) a[j][m] = ready[j][m];
    }
    // What the next step needs arrives meanwhile, and the number of rows in the one after that. The last step requests
    // its own values again.
    int later = slot_of(min(step + 2, end), reverse, longest), later_rows = active[later] - row;
    load_ready(ready, step_ready(p, next, reverse, longest, first_step, last_step, direction, row_pitch, blocks) +
                          off_gates(row, 0, blocks), columns, next_rows - 1);

    __local const float4* own = state + (int)get_local_id(1) * ROWS * STATE_PITCH;
#if STREAMS
    // Nobody waits for these until the weights in registers are used up.
    float4 stream[AHEAD][COLUMNS];
#pragma unroll
    for (int i = 0; i < AHEAD; i++) load_four(stream[i], RESIDENT_K / 4 + i, fours, columns, weights);
#endif
#pragma unroll
    for (int k = 0; k < CERTAIN_K; k += 4) {
#pragma unroll
      for (int j = 0; j < COLUMNS; j++) multiply_add_four(a[j], own + k / 4, weight[j][k / 4], 4);
    }
#if STREAMS
#pragma unroll 1
    for (int four = RESIDENT_K / 4; four < fours; four += AHEAD) {
#pragma unroll
      for (int i = 0; i < AHEAD; i++) {
        // Adding a product with zero would turn -0 into +0.
        int count = units - (four + i) * 4;
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) {
          if (count > 0) multiply_add_four(a[j], own + four + i, stream[i][j], count);
        }
        load_four(stream[i], four + AHEAD + i, fours, columns, weights);
      }
    }
#else
#pragma unroll
    for (int k = CERTAIN_K; k < RESIDENT_K; k += 4) {
#pragma unroll
      for (int j = 0; j < COLUMNS; j++) {
        // Adding a product with zero would turn -0 into +0.
        if (units > k) multiply_add_four(a[j], own + k / 4, weight[j][k / 4], units - k);
      }
    }
#endif

#pragma unroll
    for (int j = 0; j < COLUMNS; j++) {
      int column = column_of(j), unit = column / (4 * PACK) * PACK + column % PACK, gate = column / PACK % 4;
#pragma unroll
      for (int m = 0; m < ROWS; m++) {
        int at = (int)get_local_id(1) * ROWS + m;
        gates[(at * 4 + gate) * GATE_PITCH + unit] = a[j][m];
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    before = step_before(y, next, reverse, row_pitch, y_stride, direction, units) + (size_t)row * y_stride;
#pragma unroll
    for (int n = 0; n < CELLS; n++) {
      int at = cell_row(n), unit = cell_unit(n);
      if (has_cell(n) && unit < units) {
        if (at < rows) {
          __local const float* gate = gates + at * 4 * GATE_PITCH + unit;
          float ai = gate[0], af = gate[GATE_PITCH], ag = gate[2 * GATE_PITCH], ao = gate[3 * GATE_PITCH];
          cell_state after = lstm_cell_update(ai, af, ag, ao, cells[n], direction,
                                              bias + off_bias(direction, unit / PACK, blocks) + unit % PACK);
#if TRACED
          store_trace(ai, af, ag, ao, after,
                      trace + off_trace(direction, slot, row + at, unit / PACK, blocks, row_pitch, trace_slots) +
                          unit % PACK);
#endif
          cells[n] = after.c;
          hidden[at * GROUP_K + unit] = after.h;
          h[((size_t)slot * h_slot_rows + row + at) * h_stride + direction * units + unit] = after.h;
        } else if (at < next_rows) {  // in reverse, shorter rows begin later
          hidden[at * GROUP_K + unit] = before[(size_t)at * y_stride + unit];
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    slot = next;
    rows = next_rows;
    next = later;
    next_rows = later_rows;
  }

#pragma unroll
  for (int n = 0; n < CELLS; n++) {
    int at = cell_row(n), unit = cell_unit(n);
    if (has_cell(n) && unit < units && at < all) cell[off_cell(at, 0, blocks) + unit] = cells[n];
  }
}
