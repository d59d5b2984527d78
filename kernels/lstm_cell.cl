// requires: activations, cell_functions
//
// The cell: computes the next cell state and hidden state from four pre-activations and a cell state.
//
//      a_i ─ σ ─ i ─┐
//      a_g ─ tanh ─ g ┴─ i⊙g ─┐
//      a_f ─ σ ─ f ─┐         ├─ + ── c' ─┬──────────────► c'
//      c ───────────┴─ f⊙c ───┘           └ tanh ─┐
//      a_o ─ σ ─ o ───────────────────────────────┴─ o⊙ ─► h'
//
// In a loop over rows n and units u it replaces
//      c[n][u] = f*c[n][u] + i*g;   h[n][u] = o*tanh(c[n][u]);

// 1: the gates i, f and o see the cell state through peepholes, whose weights follow the biases of each unit block.
#ifndef PEEPHOLES
#define PEEPHOLES 0
#endif
// Vectors of a unit block in `bias`: the biases of four gates, then the peepholes of i, f and o.
#define CELL_VECTORS (PEEPHOLES ? 7 : 4)
// 1: every cell also stores the values that it computes, to be compared or shown. The bits stay the same.
#ifndef TRACED
#define TRACED 0
#endif

typedef struct {
  floatv c;  // cell state
  floatv h;  // hidden state
#if TRACED
  floatv i, f, g, o;  // gates
#endif
} cell_state;

#if TRACED
#define KEEP_GATES next.i = i, next.f = f, next.g = g, next.o = o
#else
#define KEEP_GATES
#endif

// lstm_cell_update: one cell, in the order of operations of the numerical contract. The product i*g is rounded; the
// sum is one fma.
//   ai, af, ag, ao  pre-activations of the gates i, f, g, o
//   c               cell state
//   direction       whose equations apply
//   bias            [CELL_VECTORS][PACK] of the unit block, read only for peepholes
#if !defined(FIRST_GATE) && !PEEPHOLES
inline cell_state lstm_cell_update(floatv ai, floatv af, floatv ag, floatv ao, floatv c, int direction,
                                   __global const float* bias) {
  cell_state next;
  floatv f = sigmoid(af), i = sigmoid(ai), g = tanh_(ag);
  next.c = fma(f, c, i * g);
  floatv o = sigmoid(ao);
  next.h = o * tanh_(next.c);
  KEEP_GATES;
  return next;
}
#else
// Other equations that a cell may have. Macros FIRST_… define those of the first direction. Macros SECOND_… define
// those of the second direction if they differ. Functions are those of cell_functions.cl.
#ifndef FIRST_GATE
#define FIRST_GATE f_sigmoid      // function of the gates i, f and o, then its parameters
#define FIRST_GATE_ALPHA 0.0f
#define FIRST_GATE_BETA 0.0f
#define FIRST_CANDIDATE f_tanh    // function of the candidate g
#define FIRST_CANDIDATE_ALPHA 0.0f
#define FIRST_CANDIDATE_BETA 0.0f
#define FIRST_HIDDEN f_tanh       // function of the cell state in the hidden state
#define FIRST_HIDDEN_ALPHA 0.0f
#define FIRST_HIDDEN_BETA 0.0f
#define FIRST_CLIP INFINITY       // pre-activations are limited to ±clip
#define FIRST_COUPLED 0           // 1: the forget gate is 1 - i
#endif

inline floatv clipped(floatv a, float clip) {
  a = a > (floatv)(clip) ? (floatv)(clip) : a;
  return a < (floatv)(-clip) ? (floatv)(-clip) : a;
}

// One cell with the equations E. The pre-activations already include the peepholes of i and f. `peephole` is the
// weight of the output gate, which sees the new cell state.
#define GENERAL_CELL(NAME, E)                                                                                      \
  inline cell_state NAME(floatv ai, floatv af, floatv ag, floatv ao, floatv c, floatv peephole) {                  \
    cell_state next;                                                                                               \
    floatv i = E##_GATE(clipped(ai, E##_CLIP), E##_GATE_ALPHA, E##_GATE_BETA);                                     \
    floatv f = E##_COUPLED ? (floatv)(1.0f) - i : E##_GATE(clipped(af, E##_CLIP), E##_GATE_ALPHA, E##_GATE_BETA);  \
    floatv g = E##_CANDIDATE(clipped(ag, E##_CLIP), E##_CANDIDATE_ALPHA, E##_CANDIDATE_BETA);                      \
    next.c = fma(f, c, i * g);                                                                                     \
    if (PEEPHOLES) ao = fma(peephole, next.c, ao);                                                                 \
    floatv o = E##_GATE(clipped(ao, E##_CLIP), E##_GATE_ALPHA, E##_GATE_BETA);                                     \
    next.h = o * E##_HIDDEN(next.c, E##_HIDDEN_ALPHA, E##_HIDDEN_BETA);                                            \
    KEEP_GATES;                                                                                                    \
    return next;                                                                                                   \
  }

GENERAL_CELL(first_cell, FIRST)
#ifdef SECOND_GATE
GENERAL_CELL(second_cell, SECOND)
#endif

inline cell_state lstm_cell_update(floatv ai, floatv af, floatv ag, floatv ao, floatv c, int direction,
                                   __global const float* bias) {
  floatv peephole = (floatv)(0.0f);
#if PEEPHOLES
  ai = fma(load_aligned(4, bias), c, ai);
  af = fma(load_aligned(5, bias), c, af);
  peephole = load_aligned(6, bias);
#endif
  cell_state next = first_cell(ai, af, ag, ao, c, peephole);
#ifdef SECOND_GATE
  // Computes both and selects one: this case is rare, and compilers warn about a branch here or get it wrong.
  cell_state other = second_cell(ai, af, ag, ao, c, peephole);
  next.c = direction > 0 ? other.c : next.c;
  next.h = direction > 0 ? other.h : next.h;
#if TRACED
  next.i = direction > 0 ? other.i : next.i;
  next.f = direction > 0 ? other.f : next.f;
  next.g = direction > 0 ? other.g : next.g;
  next.o = direction > 0 ? other.o : next.o;
#endif
#endif
  return next;
}
#endif

// Stores the first `count` lanes of a vector: the last unit block of a layer is rarely full. vstore4 promises only the
// alignment of a float, so NVIDIA's compiler stores lane by lane, unless it is told where the address allows more.
inline void store_lanes(floatv value, __global float* p, int count) {
#if VEC == 4 && IS_NVIDIA
  if (count >= VEC && (size_t)p % sizeof(float4) == 0) {
    *(__global float4*)p = value;
    return;
  }
#endif
  if (count >= VEC) {
    vstorev(value, 0, p);
  } else {
#if VEC == 4
    // Selected, not indexed: GPU compilers put an indexed array into memory.
#pragma unroll 1
    for (int v = 0; v < count; v++) p[v] = v == 0 ? value.x : v == 1 ? value.y : value.z;
#elif VEC > 1
    float lane[VEC];
    vstorev(value, 0, lane);
    for (int v = 0; v < count; v++) p[v] = lane[v];
#endif
  }
}

// The time slot of a step. Steps count from 1 in the order of the direction, up to `longest`, the length of the
// longest row. Each direction then has work in exactly these steps, and both can run in the same launch.
inline int slot_of(int step, int reverse, int longest) { return reverse ? longest + 1 - step : step; }

// The earliest slot of the steps first_step … last_step.
inline int chunk_slot(int first_step, int last_step, int reverse, int longest) {
  return slot_of(reverse ? last_step : first_step, reverse, longest);
}

// Offsets of a row's pre-activations and cell states, and of a direction's biases, at unit block `block` of `blocks`.
inline size_t off_gates(size_t row, int block, int blocks) { return (row * blocks + block) * 4 * PACK; }
inline size_t off_cell(size_t row, int block, int blocks) { return (row * blocks + block) * PACK; }
inline size_t off_bias(size_t direction, int block, int blocks) {
  return (direction * blocks + block) * CELL_VECTORS * PACK;
}

#if TRACED
// Vectors of a row and unit block in `trace`: pre-activations i f g o as the products leave them, then gates i f g o,
// the new cell state, and o⊙tanh(c).
#define TRACE_VECTORS 10

// The last parameters of every kernel with a cell, and the same names as arguments.
#define TRACE_PARAMETERS                                                                                             \
  , __global float* restrict trace, /* [D,trace_slots,row_pitch,B,TRACE_VECTORS,VEC] receives the values of the */   \
                                    /* cells; slot s is at s modulo trace_slots */                                   \
      int trace_slots               /* consecutive slots that trace has room for */
#define TRACE_ARGUMENTS , trace, trace_slots

// The offset in `trace` of a row at unit block `block` of `blocks`.
inline size_t off_trace(size_t direction, int slot, int row, int block, int blocks, int row_pitch, int trace_slots) {
  size_t place = (direction * trace_slots + slot % trace_slots) * row_pitch + row;
  return (place * blocks + block) * TRACE_VECTORS * PACK;
}

// Stores the values of one row and unit block at `trace`.
inline void store_trace(floatv ai, floatv af, floatv ag, floatv ao, cell_state after, __global float* trace) {
  store_aligned(ai, 0, trace);
  store_aligned(af, 1, trace);
  store_aligned(ag, 2, trace);
  store_aligned(ao, 3, trace);
  store_aligned(after.i, 4, trace);
  store_aligned(after.f, 5, trace);
  store_aligned(after.g, 6, trace);
  store_aligned(after.o, 7, trace);
  store_aligned(after.c, 8, trace);
  store_aligned(after.h, 9, trace);
}
#else
#define TRACE_PARAMETERS
#define TRACE_ARGUMENTS
#endif

// Updates the cell states of one row and unit block in place and stores the first `count` hidden states.
//   bias   [CELL_VECTORS][PACK] of the unit block, read only for peepholes
//   trace  [TRACE_VECTORS][PACK] of the row and unit block, if TRACED
INLINED void update_cells(floatv ai, floatv af, floatv ag, floatv ao, __global float* cell, __global float* hidden,
                          int count, int direction, __global const float* bias
#if TRACED
                          ,
                          __global float* trace
#endif
) {
  cell_state next = lstm_cell_update(ai, af, ag, ao, load_aligned(0, cell), direction, bias);
#if TRACED
  store_trace(ai, af, ag, ao, next, trace);
#endif
  store_aligned(next.c, 0, cell);
  store_lanes(next.h, hidden, count);
}

// The cell as a stand-alone kernel, which moves 28 bytes for each unit. Rows without this step keep their values.
//   global size (B, N, D) or more, with the step as the offset of dimension 2
__kernel void lstm_cell(
    __global const float* restrict a,     // [D,row_pitch,B,4,VEC] pre-activations, gates i f g o
    __global float* restrict c,           // [D,row_pitch,B·VEC] cell states, updated in place
    __global float* restrict h,           // [slots,h_slot_rows,h_stride] receives the hidden states, D·H values a row
    __global const int* restrict active,  // [slots] rows that have a step at each slot
    int row_pitch,                        // rows from one direction of a and c to the next
    int units,                            // H
    int h_slot_rows,                      // rows from one slot of h to the next
    int h_stride,                         // floats from one row of h to the next
    int first_reverse,                    // directions from this one on are reverse
    int longest                           // the length of the longest row
#if PEEPHOLES
    ,
    __global const float* restrict bias   // [D,B,CELL_VECTORS,VEC] packed biases, then peepholes
#endif
    TRACE_PARAMETERS) {
  int block = get_global_id(0), row = get_global_id(1);
  int step = get_global_offset(2), direction = get_global_id(2) - step;
  int slot = slot_of(step, direction >= first_reverse, longest);
  int blocks = (units + VEC - 1) / VEC;
  if (row >= active[slot] || block >= blocks) return;
  size_t place = (size_t)direction * row_pitch + row;
  __global const float* gates = a + off_gates(place, block, blocks);
  __global float* cell = c + off_cell(place, block, blocks);
  __global float* hidden = h + ((size_t)slot * h_slot_rows + row) * h_stride + direction * units + block * VEC;
#if PEEPHOLES
  __global const float* own_bias = bias + off_bias(direction, block, blocks);
#else
  __global const float* own_bias = 0;
#endif
  update_cells(load_aligned(0, gates), load_aligned(1, gates), load_aligned(2, gates), load_aligned(3, gates), cell,
               hidden, units - block * VEC, direction, own_bias
#if TRACED
               ,
               trace + off_trace(direction, slot, row, block, blocks, row_pitch, trace_slots)
#endif
  );
}
