// requires: activations
//
// The states of a batch on their way in and out of a run, between the caller's order of rows and the sorted one.
//
//      h0 [N,P], c0 [N,H]  ──order──►  history slot that a row's first step looks back to,  c [row_pitch,B·VEC]
//      hn [N,P], cn [N,H]  ◄──order──  history slot of a row's last step,                   c
//
// All of this for each direction D. One row of the batch has the same state before and after when its length is 0: both slots are then the same one.

// Slot of the state before the first step, and after the last, of a row with this length.
inline int slot_before(int length, int reverse) { return reverse ? length + 1 : 0; }
inline int slot_after(int length, int reverse) { return reverse ? 1 : length; }

//   state [LINE | h of all layers | c of all layers]: this layer's h [D,N,P] from h_first on, its c [D,N,H] from c_first on. The first
//     line says in the end whether somebody gave up (lstm_sequence.cl). N is state_rows here: streams keep their states from call to call
//     in a `state` with more rows than a call has.
//   y [T+2,row_pitch,y_stride]  D·P values a row;  c [D,row_pitch,B·VEC]
//   order [N]: the caller's row of sorted row n, or -1 minus that where its state is zeros and isn't to be read; lengths [N]: its length
//   first_reverse  the directions from there on are reverse
//   global size (max(P, H), N, D)
#define STATE_PARAMETERS                                                                                            \
  __global const int *restrict order, __global const int *restrict lengths, int row_pitch, int y_stride, int outputs, \
      int units, int first_reverse, int state_rows, int h_first, int c_first

//   given  0: all states are zeros, and `state` isn't read
//   arrivals [places]  becomes zeros from first_place on, as lstm_sequence.cl wants it before the first step
__kernel void lstm_load_state(__global const float* restrict state, __global float* restrict y, __global float* restrict c,
                              __global int* restrict arrivals, STATE_PARAMETERS, int given, int first_place, int places) {
  int u = get_global_id(0), row = get_global_id(1), direction = get_global_id(2);
  if (u == 0 && row == 0 && direction == 0) {
    for (int place = first_place; place < places; place++) arrivals[place] = 0;
  }
  int pitch = (units + VEC - 1) / VEC * VEC;
  // Where nothing is to be read the first value is, which is always there: what to do differs from row to row, what to load need not.
  int read = given && order[row] >= 0;
  size_t from = (size_t)direction * state_rows + (read ? order[row] : 0);
  if (u < outputs) {
    size_t slot = slot_before(lengths[row], direction >= first_reverse);
    float value = state[read ? h_first + from * outputs + u : 0];
    y[(slot * row_pitch + row) * y_stride + direction * outputs + u] = read ? value : 0.0f;
  }
  if (u < units) {
    float value = state[read ? c_first + from * units + u : 0];
    c[((size_t)direction * row_pitch + row) * pitch + u] = read ? value : 0.0f;
  }
}

//   places  0: nobody waited for anybody
__kernel void lstm_store_state(__global float* restrict state, __global const float* restrict y, __global const float* restrict c,
                               __global const int* restrict arrivals, STATE_PARAMETERS, int places) {
  int u = get_global_id(0), row = get_global_id(1), direction = get_global_id(2);
  if (u == 0 && row == 0 && direction == 0) state[0] = places > 0 ? arrivals[0] : 0;
  int pitch = (units + VEC - 1) / VEC * VEC;
  size_t to = (size_t)direction * state_rows + (order[row] < 0 ? -1 - order[row] : order[row]);
  if (u < outputs) {
    size_t slot = slot_after(lengths[row], direction >= first_reverse);
    state[h_first + to * outputs + u] = y[(slot * row_pitch + row) * y_stride + direction * outputs + u];
  }
  if (u < units) state[c_first + to * units + u] = c[((size_t)direction * row_pitch + row) * pitch + u];
}
