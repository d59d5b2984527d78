// A whole sequence of one direction of one layer in one launch.
//
//      rows 0 … ROWS-1        t=0 ─► t=1 ─► t=2 ─► …        one work-item: all units of its rows, all time steps
//      rows ROWS … 2·ROWS-1   t=0 ─► t=1 ─► t=2 ─► …        another; they never wait for each other
//
// A row's hidden state is read by its own row alone, so a work-item that owns all units of its rows needs no barrier. It saves the
// launches, and its states stay in the cache; but each work-item reads all weights for every step, so they should fit its core's
// cache: small hidden sizes, long sequences. Needs lstm_step.cl and hidden_projection.cl (and what they need) before it.

//   STEP_PARAMETERS as in lstm_step; with a projection h is [row_pitch,units], shared by all slots
//   s [..,units,VEC]  the projection's weights, and history [T+2,row_pitch,y_stride] = y to write to, where projected is not 0
//   steps  T;  global size (row tiles)
__kernel void lstm_sequence(STEP_PARAMETERS, __global const float* restrict s, __global float* history, int projected,
                            int steps) {
  int row = get_global_id(0) * ROWS, blocks = (units + VEC - 1) / VEC;
  for (int step = 1; step <= steps; step++) {
    int slot = back < 0 ? step : steps + 1 - step;
    int rows = active[slot] - row;
    if (rows <= 0) continue;
    for (int block = 0; block < blocks; block++) lstm_step_tile(row, rows, block, blocks, slot, STEP_ARGUMENTS);
    if (projected) {
      for (int block = 0; block * VEC < recurrent_inputs; block++) {
        hidden_projection_tile(row, rows, block, slot, h, s, history, units, recurrent_inputs, row_pitch, y_stride, y_column);
      }
    }
  }
}
