// requires: activations, lstm_cell, weights, step_parameters, gate_product_tiled
//
// A whole sequence of one layer in one launch, with the state of a work-group's rows on the chip. For small hidden
// sizes.
//
//      x·W + bias of all steps (input_projection_tiled.cl) ──► p ──┐
//                                                                  ▼
//      state [H][GROUP_ROWS + 4] in local memory: h[t-1] ──×── R ──+──► cell ──► h[t] ──► state, h
//                                                                        │
//                                       c of a work-item's rows and units, in registers from the first step to the last
//
// A work-group has GROUP_ROWS rows and all units of one direction: a block of VEC units for each of its WG_UNITS
// work-items along the units. No group waits for another, and a step begins with a barrier instead of a launch. Every
// step reads the weights R from global memory; they are small enough for a cache. They are packed once more for this
// kernel, so that neighboring work-items read neighboring vectors:
//
//      R of one k   [4 gates][B blocks][VEC]        work-item (u, r) reads vector u of each gate

#if !HOISTED || !FUSED
#error "lstm_sequence_tiled needs HOISTED=1 and FUSED=1"
#endif

// Number of k whose weights are in registers: they arrive while earlier k are multiplied. A work-item with one row
// multiplies for a shorter time, and has registers for more weights. One with four rows doesn't have enough of them for
// two k that are converted from 16 bits.
#define AHEAD (ROWS == 1 ? 4 : ROWS == 2 || WEIGHT_BITS == 32 ? 2 : 1)

// The weights of one k, a vector of each gate, from `line` on.
INLINED void load_line(floatv weight[4], int blocks, __global const weight_t* line) {
#pragma unroll
  for (int q = 0; q < 4; q++) weight[q] = load_weights(q * blocks, line);
}

// Computes the steps from first_step to last_step of a layer with at most WG_UNITS blocks of units and without a
// projection.
//   global size (WG_UNITS; WG_ROWS for each GROUP_ROWS rows with a step; D)
__kernel GROUP_SIZE void lstm_sequence_tiled(
    STEP_PARAMETERS,                                // x and w are unused
    __global const weight_t* restrict recurrent) {  // [D,H,4,B,VEC] the recurrent weights of w, with a gate's unit
                                                    // blocks side by side
  __local float4 state[WG_UNITS * VEC * X_PITCH];
  int direction = get_global_id(2), reverse = direction >= first_reverse;
  int row = get_group_id(1) * GROUP_ROWS, unit = (int)get_local_id(0) * VEC;
  int blocks = (units + VEC - 1) / VEC, has_units = unit < units, block = min((int)get_local_id(0), blocks - 1);
  size_t place = (size_t)direction * row_pitch + row;
  __global const weight_t* weights = recurrent + ((size_t)direction * units * 4 * blocks + block) * VEC;
  int line = 4 * blocks * VEC;        // weights from one k to the next
  int whole = units / AHEAD * AHEAD;  // k whose weights are read ahead
  __global const float* own_bias = bias + off_bias(direction, block, blocks);
  __global float* cell = c + off_cell(place, block, blocks);
  __local float* own = (__local float*)state + unit * X_PITCH * 4;  // the lines of its units

  // Rows that have no step are multiplied, too, and their results dropped. Zeros replace what an earlier group left
  // here.
  floatv cells[ROWS];
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    cells[m] = (floatv)(0.0f);
#pragma unroll
    for (int v = 0; v < VEC; v++) own[v * X_PITCH * 4 + row_of(m)] = 0.0f;
  }

  // The steps in which the group has rows: forward it may end before the last step, in reverse begin after the first.
  int start = first_step;
  while (start <= last_step && active[slot_of(start, reverse, longest)] <= row) start++;
  int end = last_step;
  while (end >= start && active[slot_of(end, reverse, longest)] <= row) end--;

  int begun = 0;  // rows whose state is in `state` and `cells`
  for (int step = start; step <= end; step++) {
    int slot = slot_of(step, reverse, longest), rows = active[slot] - row;

    // Loaded before the barrier, so that they arrive while work-items wait there.
    floatv a[ROWS][4];
    __global const float* ready =
        step_ready(p, slot, reverse, longest, first_step, last_step, direction, row_pitch, blocks) +
        off_gates(row, block, blocks);
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
#pragma unroll
      for (int q = 0; q < 4; q++) a[m][q] = load_aligned(q, ready + off_gates(min(row_of(m), rows - 1), 0, blocks));
    }

    // Loads the state of rows that begin with this step. Forward, all rows begin together; in reverse, longer rows
    // begin first.
    __global const float* before =
        step_before(y, slot, reverse, row_pitch, y_stride, direction, units) + (size_t)row * y_stride + unit;
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
      int at = row_of(m);
      if (has_units && begun <= at && at < rows) {
        cells[m] = load_aligned(0, cell + off_cell(at, 0, blocks));
        for (int v = 0; v < VEC && unit + v < units; v++) own[v * X_PITCH * 4 + at] = before[(size_t)at * y_stride + v];
      }
    }
    begun = max(begun, rows);
    barrier(CLK_LOCAL_MEM_FENCE);

    floatv weight[AHEAD][4];
    int k = 0;
    if (whole > 0) {
#pragma unroll
      for (int j = 0; j < AHEAD; j++) load_line(weight[j], blocks, weights + j * line);
    }
#pragma unroll 1
    for (; k < whole; k += AHEAD) {
      // The last round reads its own weights again, so that nothing beyond them is read.
      __global const weight_t* next = weights + min(k + AHEAD, whole - AHEAD) * line;
#pragma unroll
      for (int j = 0; j < AHEAD; j++) {
        multiply_add_rows(a, state + (k + j) * X_PITCH, weight[j]);
        load_line(weight[j], blocks, next + j * line);
      }
    }
#pragma unroll 1
    for (; k < units; k++) {
      load_line(weight[0], blocks, weights + k * line);
      multiply_add_rows(a, state + k * X_PITCH, weight[0]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    __global float* hidden = h + ((size_t)slot * h_slot_rows + row) * h_stride + direction * units + unit;
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
      int at = row_of(m);
      if (has_units && at < rows) {
        cell_state after = lstm_cell_update(a[m][0], a[m][1], a[m][2], a[m][3], cells[m], direction, own_bias);
#if TRACED
        store_trace(a[m][0], a[m][1], a[m][2], a[m][3], after,
                    trace + off_trace(direction, slot, row + at, block, blocks, row_pitch, trace_slots));
#endif
        cells[m] = after.c;
        store_lanes(after.h, hidden + (size_t)at * h_stride, units - unit);
        own[0 * X_PITCH * 4 + at] = after.h.x;
        own[1 * X_PITCH * 4 + at] = after.h.y;
        own[2 * X_PITCH * 4 + at] = after.h.z;
        own[3 * X_PITCH * 4 + at] = after.h.w;
      }
    }
  }

#pragma unroll
  for (int m = 0; m < ROWS; m++) {
    int at = row_of(m);
    if (has_units && at < begun) store_aligned(cells[m], 0, cell + off_cell(at, 0, blocks));
  }
}
