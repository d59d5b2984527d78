// requires: activations, lstm_cell, weights
//
// What every kernel that makes a step works on: the tensors of a layer, in all its directions.
//
//      step            1    2    …    L         L: the length of the longest row
//      slot, forward   1 ─► 2 ─► … ─► L
//            reverse   L ─► L-1 ─► … ─► 1       counted from L, not from T, so that no step is without work
//
// Hidden states live in a history of time slots [T+2, row_pitch, stride]: time step t (0-based) is slot t+1, and the initial
// state of a row stands in the slot that its first step looks back to: slot 0 forward, slot length+1 in reverse. Reading the
// previous hidden state is then the same access for every step, and nothing is ever copied.
//
// Rows are sorted by falling length: those with a step at this slot are the first active[slot] ones.

// 1: the input's product (and the bias) come from input_projection.cl
#ifndef HOISTED
#define HOISTED 0
#endif
// 1: the cell is the epilogue; 0: the pre-activations are stored for lstm_cell
#ifndef FUSED
#define FUSED 1
#endif

// What a step works on, one tile at a time or all at once.
//   x [..,row_pitch,x_stride]  input; its slot x_first is the first in the buffer (unused when HOISTED)
//   y [T+2,row_pitch,y_stride] history that holds h[t-1]: D·P values a row, in the slot before, or after in reverse
//   w [D,B,I+P,4,VEC], bias [D,B,CELL_VECTORS,VEC]  packed weights (gates i f g o), and peepholes
//   p [D,..,row_pitch,B,4,VEC] pre-activations: when HOISTED those of the steps first_step … last_step, to be read, in the order
//                              of slots; when not FUSED those of the step, to be written
//   c [D,row_pitch,B·VEC]      cell states, updated in place
//   h [..,h_slot_rows,h_stride] receives o⊙tanh(c), D·units values a row; h_slot_rows is 0 where all slots have the same place
//                              may be y: what a direction reads and what it writes never share a slot
//   first_reverse, longest as in lstm_cell
#define STEP_PARAMETERS                                                                                              \
  __global const float *restrict x, __global const float *y, __global const weight_t *restrict w,                   \
      __global const float *restrict bias, __global float *restrict p, __global float *restrict c, __global float *h, \
      __global const int *restrict active, int row_pitch, int x_first, int x_stride, int inputs, int y_stride,        \
      int recurrent_inputs, int units, int h_slot_rows, int h_stride, int first_reverse, int longest, int first_step, \
      int last_step
#define STEP_ARGUMENTS                                                                                               \
  x, y, w, bias, p, c, h, active, row_pitch, x_first, x_stride, inputs, y_stride, recurrent_inputs, units,           \
      h_slot_rows, h_stride, first_reverse, longest, first_step, last_step

// Where h[t-1] of the first row and of this direction is, in the slot that this step looks back to.
inline __global const float* step_before(__global const float* y, int slot, int reverse, int row_pitch, int y_stride,
                                         int direction, int recurrent_inputs) {
  return y + (size_t)(reverse ? slot + 1 : slot - 1) * row_pitch * y_stride + direction * recurrent_inputs;
}

// Where the hoisted pre-activations of the first row are at this step: pre-activation vectors, from off_gates(0, 0, blocks) on.
inline __global const float* step_ready(__global const float* p, int slot, int reverse, int longest, int first_step,
                                        int last_step, int direction, int row_pitch, int blocks) {
  size_t slots = last_step - first_step + 1, at = slot - chunk_slot(first_step, last_step, reverse, longest);
  return p + off_gates((direction * slots + at) * row_pitch, 0, blocks);
}
