// requires: activations
//
// Copies the states of a batch into and out of a run, between the caller's order of rows and the sorted order.
//
//      h0 [N,P], c0 [N,H]  ──order──►  history slot before a row's first step,  c [row_pitch,B·VEC]
//      hn [N,P], cn [N,H]  ◄──order──  history slot of a row's last step,       c
//
// Each direction has its own states. For a row of length 0 both slots are the same, so its final state is its initial
// state.

// The slots of the state before the first step and after the last step of a row with this length.
inline int slot_before(int length, int reverse) { return reverse ? length + 1 : 0; }
inline int slot_after(int length, int reverse) { return reverse ? 1 : length; }

// The parameters that both kernels have. N is the number of rows in this call.
//   global size (at least max(P, H), N, D)
#define STATE_PARAMETERS                                                                                              \
  __global const int* restrict order,       /* [N] the caller's row n of each sorted row; if its initial state is */  \
                                            /* zeros and must not be read: -1-n */                                    \
      __global const int* restrict lengths, /* [N] the length of each sorted row */                                   \
      int row_pitch,                        /* rows from one slot of y to the next */                                 \
      int y_stride,                         /* floats from one row of y to the next */                                \
      int outputs,                          /* P */                                                                   \
      int units,                            /* H */                                                                   \
      int first_reverse,                    /* directions from this one on are reverse */                             \
      int state_rows,                       /* rows in state: more than N if streams keep their states there */       \
      int h_first,                          /* where h [D,state_rows,P] of this layer begins in state */              \
      int c_first                           /* where c [D,state_rows,H] of this layer begins in state */

__kernel void lstm_load_state(
    __global const float* restrict state,  // [LINE | h of all layers | c of all layers]
    __global float* restrict y,            // [T+2,row_pitch,y_stride] history, D·P values per row
    __global float* restrict c,            // [D,row_pitch,B·VEC] cell states
    __global int* restrict arrivals,       // [places] set to zeros from first_place on, as arrivals.cl expects
    STATE_PARAMETERS,
    int given,                             // 0: all states are zeros, and `state` isn't read
    int first_place,                       // arrivals before this one keep their values
    int places) {                          // length of arrivals
  int u = get_global_id(0), row = get_global_id(1), direction = get_global_id(2);
  if (u == 0 && row == 0 && direction == 0) {
    for (int place = first_place; place < places; place++) arrivals[place] = 0;
  }
  int pitch = (units + VEC - 1) / VEC * VEC;
  // A row without a given state loads the first value, which always exists, and drops it: no load depends on a branch.
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

// Also copies arrivals[0] to state[0], so that the host learns from one transfer whether a work-item gave up waiting.
__kernel void lstm_store_state(
    __global float* restrict state,           // [LINE | h of all layers | c of all layers]
    __global const float* restrict y,         // [T+2,row_pitch,y_stride] history, D·P values per row
    __global const float* restrict c,         // [D,row_pitch,B·VEC] cell states
    __global const int* restrict arrivals,    // [places] as the sequence leaves it
    STATE_PARAMETERS,
    int places) {                             // length of arrivals; 0 if no work-items wait for each other
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
