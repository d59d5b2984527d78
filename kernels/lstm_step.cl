// requires: activations, lstm_cell, weights, gate_product, step_parameters
//
// One time step of one layer, in all its directions: products and cell in one kernel.
//
//      x[t] ──×── W ──┐                  HOISTED: input_projection.cl has computed this part
//      bias ──────────+──┐
//      h[t-1] ──×── R ───+──► pre-activations, in registers ──► cell (lstm_cell.cl) ──► c, h[t]
//                                         └ not FUSED: stored, and lstm_cell runs as a kernel of its own
//
// A work-item owns ROWS rows × VEC units × 4 gates of one direction. The activations and the update of the cell state
// are therefore the epilogue of the product, and the pre-activations never leave the registers. The directions are
// independent of each other, so one launch computes a step of both.
//
// Buffers are padded to whole tiles, so a tile may read rows that have no step. It never stores them.

// A single pass over k keeps all sums in registers, where every index has to be a constant. With two
// passes, the sums of the first wait in memory.
#if GATES == 4
#define EACH_PASS _Pragma("unroll")
#else
#define EACH_PASS _Pragma("unroll 1")
#endif

// The epilogue of each row, as code of its own only where the sums stay in registers to the end, as GPUs need it. With
// vectors of 8 or 16 lanes, which only CPUs have, the sums go through memory once: that costs nothing measurable, and
// the cell, which is most of the code, is compiled once instead of ROWS times.
#if GATES == 4 && VEC <= 4
#define EACH_ROW _Pragma("unroll")
#else
#define EACH_ROW _Pragma("unroll 1")
#endif

// The step of one tile: the rows from `row` on, of which `rows` are left, and unit block `block` of `blocks`.
// Meanwhile the tile prefetches its share of the weights of unit block `next`.
INLINED void lstm_step_tile(int row, int rows, int block, int blocks, int next, int direction, int slot,
                            STEP_PARAMETERS) {
  int reverse = direction >= first_reverse;
  int panel_weights = (inputs + recurrent_inputs) * 4 * VEC;
  __global const weight_t* panels = w + (size_t)direction * blocks * panel_weights;
  __global const weight_t* panel = panels + (size_t)block * panel_weights;
  __global const weight_t* recurrent = panel + inputs * 4 * VEC;

  // The share of tile n is the n-th part of the panel. Tiles beyond the last part have none.
  int depth = recurrent_inputs + (HOISTED ? 0 : inputs);
  size_t share = (size_t)(row / ROWS) * (4 / GATES) * (depth / 4) * PREFETCH * WEIGHT_LINE;
  int has_share = next != block && share < (size_t)depth * 4 * VEC;
  __global const weight_t* ahead =
      panels + (size_t)next * panel_weights + (HOISTED ? inputs * 4 * VEC : 0) + (has_share ? share : 0);
  int ahead_step = has_share ? PREFETCH * WEIGHT_LINE : 0;

  // Once for the product and the cell, as a product of ints: another pointer, or one of 64 bits throughout, would cost
  // the registers that lstm_sequence doesn't have.
  __global const float* own_bias = bias + (size_t)(direction * blocks + block) * CELL_VECTORS * VEC;
  __global const float* before =
      step_before(y, slot, reverse, row_pitch, y_stride, direction, recurrent_inputs) + (size_t)row * y_stride;

  floatv gates[ROWS][4];  // memory, where EACH_ROW or EACH_PASS is a loop; it stays in the nearest cache
  EACH_PASS
  for (int gate = 0; gate < 4; gate += GATES) {
    floatv a[ROWS][GATES];
#if HOISTED
    __global const float* ready =
        step_ready(p, slot, reverse, longest, first_step, last_step, direction, row_pitch, blocks) +
        off_gates(row, block, blocks);
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
#pragma unroll
      for (int q = 0; q < GATES; q++) a[m][q] = vloadv(gate + q, ready + off_gates(m, 0, blocks));
    }
#else
    start_from_bias(a, own_bias + gate * VEC);
    accumulate(a, x + ((size_t)(slot - x_first) * row_pitch + row) * x_stride, x_stride, inputs, panel + gate * VEC,
               ahead, ahead_step);
    ahead += inputs / 4 * ahead_step;
#endif
    accumulate(a, before, y_stride, recurrent_inputs, recurrent + gate * VEC, ahead, ahead_step);
    ahead += recurrent_inputs / 4 * ahead_step;
#pragma unroll
    for (int m = 0; m < ROWS; m++) {
#pragma unroll
      for (int q = 0; q < GATES; q++) gates[m][gate + q] = a[m][q];
    }
  }

  // Not finish_row, which the tiled kernel ends with: here its pointers for each row cost registers, and the whole
  // sequence in tiles of 4 rows spills on sm_80.
  size_t place = (size_t)direction * row_pitch + row;
#if FUSED
  __global float* cell = c + off_cell(place, block, blocks);
  __global float* hidden = h + ((size_t)slot * h_slot_rows + row) * h_stride + direction * units + block * VEC;
  EACH_ROW
  for (int m = 0; m < ROWS; m++) {
    if (m < rows) {
      cell_state after = lstm_cell_update(gates[m][0], gates[m][1], gates[m][2], gates[m][3],
                                          vloadv(0, cell + off_cell(m, 0, blocks)), direction, own_bias);
#if TRACED
      store_trace(gates[m][0], gates[m][1], gates[m][2], gates[m][3], after,
                  trace + off_trace(direction, slot, row + m, block, blocks, row_pitch, trace_slots));
#endif
      vstorev(after.c, 0, cell + off_cell(m, 0, blocks));
      store_lanes(after.h, hidden + (size_t)m * h_stride, units - block * VEC);
    }
  }
#else
  __global float* out = p + off_gates(place, block, blocks);
  EACH_ROW
  for (int m = 0; m < ROWS; m++) {
    if (m < rows) {
#pragma unroll
      for (int q = 0; q < 4; q++) vstorev(gates[m][q], q, out + off_gates(m, 0, blocks));
    }
  }
#endif
}

//   global size (row tiles, B, D) or more, with the step as the offset of dimension 2, so that no argument changes from
//     step to step; the row tiles are those of the direction with more rows at this step
__kernel void lstm_step(STEP_PARAMETERS) {
  int row = get_global_id(0) * ROWS, block = get_global_id(1), blocks = (units + VEC - 1) / VEC;
  int step = get_global_offset(2), direction = get_global_id(2) - step;
  int slot = slot_of(step, direction >= first_reverse, longest);
  int rows = active[slot] - row;
  if (rows <= 0 || block >= blocks) return;
  lstm_step_tile(row, rows, block, blocks, min(block + 1, blocks - 1), direction, slot, STEP_ARGUMENTS);
}
