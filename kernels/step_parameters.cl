// requires: activations, lstm_cell, weights
//
// What all kernels that compute a time step share: the tensors of a layer, in all its directions, and the epilogue.
//
//      step            1    2    …    L         L: the length of the longest row
//      slot, forward   1 ─► 2 ─► … ─► L
//            reverse   L ─► L-1 ─► … ─► 1       counted from L, not from T, so that every step has work
//
// Hidden states are in a history of time slots [T+2, row_pitch, stride]. Time step t (0-based) is slot t+1. The
// initial state of a row is in the slot before its first step: slot 0 forward, slot length+1 in reverse. All steps
// read the previous hidden state in the same way, and nothing is ever copied.
//
// Rows are sorted by decreasing length, so the rows that have a step at a slot are the first active[slot] rows.

// 1: input_projection.cl has computed the input's product, including the bias.
#ifndef HOISTED
#define HOISTED 0
#endif
// 1: the step ends with the cell. 0: it stores the pre-activations for the kernel lstm_cell.
#ifndef FUSED
#define FUSED 1
#endif

// The parameters of a step, and the same names as arguments.
#define STEP_PARAMETERS                                                                                                \
  __global const float* restrict x,        /* [..,row_pitch,x_stride] input from slot x_first on; unused if HOISTED */ \
      __global const float* y,             /* [T+2,row_pitch,y_stride] history with h[t-1], D·P values per row */      \
      __global const weight_t* restrict w, /* [D,B,I+P,4,VEC] packed weights, gates i f g o */                         \
      __global const float* restrict bias, /* [D,B,CELL_VECTORS,VEC] biases, then peepholes */                         \
      __global float* restrict p,          /* [D,..,row_pitch,B,4,VEC] pre-activations. If HOISTED they are read: */   \
                                           /* those of the chunk, in the order of slots. */                            \
                                           /* If not FUSED they are written: those of this step */                     \
      __global float* restrict c,          /* [D,row_pitch,B·VEC] cell states, updated in place */                     \
      __global float* h,                   /* [..,h_slot_rows,h_stride] receives o⊙tanh(c), D·H values per row. May */ \
                                           /* be the buffer y, as no direction reads a slot that it writes */          \
      __global const int* restrict active, /* [T+2] rows that have a step at each slot */                              \
      int row_pitch,                       /* rows from one slot to the next */                                        \
      int x_first,                         /* the slot that x begins with */                                           \
      int x_stride,                        /* floats from one row of x to the next */                                  \
      int inputs,                          /* I */                                                                     \
      int y_stride,                        /* floats from one row of y to the next */                                  \
      int recurrent_inputs,                /* P: values of a hidden state */                                           \
      int units,                           /* H */                                                                     \
      int h_slot_rows,                     /* rows from one slot of h to the next; 0 if all slots share one place */   \
      int h_stride,                        /* floats from one row of h to the next */                                  \
      int first_reverse,                   /* directions from this one on are reverse */                               \
      int longest,                         /* the length of the longest row */                                         \
      int first_step,                      /* the first step of the chunk: the steps that p holds if HOISTED, and */   \
                                           /* that a sequence computes */                                              \
      int last_step                        /* the last step of the chunk */                                            \
      TRACE_PARAMETERS
#define STEP_ARGUMENTS                                                                                               \
  x, y, w, bias, p, c, h, active, row_pitch, x_first, x_stride, inputs, y_stride, recurrent_inputs, units,           \
      h_slot_rows, h_stride, first_reverse, longest, first_step, last_step TRACE_ARGUMENTS

// h[t-1] of the first row and this direction, in the slot before this step.
inline __global const float* step_before(__global const float* y, int slot, int reverse, int row_pitch, int y_stride,
                                         int direction, int recurrent_inputs) {
  return y + (size_t)(reverse ? slot + 1 : slot - 1) * row_pitch * y_stride + direction * recurrent_inputs;
}

// The hoisted pre-activations of the first row at this step; off_gates gives the offsets of the others.
inline __global const float* step_ready(__global const float* p, int slot, int reverse, int longest, int first_step,
                                        int last_step, int direction, int row_pitch, int blocks) {
  size_t slots = last_step - first_step + 1, at = slot - chunk_slot(first_step, last_step, reverse, longest);
  return p + off_gates((direction * slots + at) * row_pitch, 0, blocks);
}

// The epilogue of a step for one row and unit block: updates the cells from the pre-activations `gates`, or stores
// these if not FUSED. The row is number `at` of the tile that begins with `row`.
INLINED void finish_row(const floatv gates[4], int row, int at, int block, int blocks, int direction, int slot,
                        STEP_PARAMETERS) {
  size_t place = (size_t)direction * row_pitch + row;
#if FUSED
  __global float* cell = c + off_cell(place, block, blocks) + off_cell(at, 0, blocks);
  __global float* hidden = h + ((size_t)slot * h_slot_rows + row) * h_stride + direction * units + block * PACK;
  update_cells(gates[0], gates[1], gates[2], gates[3], cell, hidden + (size_t)at * h_stride, units - block * PACK,
               direction, bias + off_bias(direction, block, blocks)
#if TRACED
               ,
               trace + off_trace(direction, slot, row + at, block, blocks, row_pitch, trace_slots)
#endif
  );
#else
  __global float* out = p + off_gates(place, block, blocks) + off_gates(at, 0, blocks);
#pragma unroll
  for (int q = 0; q < 4; q++) store_aligned(gates[q], q, out);
#endif
}
