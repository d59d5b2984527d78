// requires: activations, cell_functions
//
// The cell: four pre-activations and a cell state become a cell state and a hidden state.
//
//      a_i ─ σ ─ i ─┐
//      a_g ─ tanh ─ g ┴─ i⊙g ─┐
//      a_f ─ σ ─ f ─┐         ├─ + ── c' ─┬──────────────► c'
//      c ───────────┴─ f⊙c ───┘           └ tanh ─┐
//      a_o ─ σ ─ o ───────────────────────────────┴─ o⊙ ─► h'
//
// In a loop over rows n and units u this kernel replaces
//      c[n][u] = f*c[n][u] + i*g;   h[n][u] = o*tanh(c[n][u]);

// 1: the gates i, f and o see the cell state through peepholes, whose weights follow the bias of each unit block.
#ifndef PEEPHOLES
#define PEEPHOLES 0
#endif
// Vectors of a unit block in `bias`: four gates' biases, then the peepholes of i, f and o.
#define CELL_VECTORS (PEEPHOLES ? 7 : 4)

typedef struct {
  floatv c;  // cell state
  floatv h;  // hidden state
} cell_state;

// lstm_cell_update: one cell in the order of the numerical contract. The candidate's product is rounded, the sum is one fma.
//   direction  whose cell it is;  bias [CELL_VECTORS][VEC] of its unit block, read for the peepholes alone
#if !defined(FIRST_GATE) && !PEEPHOLES
inline cell_state lstm_cell_update(floatv ai, floatv af, floatv ag, floatv ao, floatv c, int direction,
                                   __global const float* bias) {
  cell_state next;
  next.c = fma(sigmoid(af), c, sigmoid(ai) * tanh_(ag));
  next.h = sigmoid(ao) * tanh_(next.c);
  return next;
}
#else
// Any of the other equations that a cell may have, those of the first direction under the names FIRST_…; SECOND_… where the second
// direction has others. Functions are those of cell_functions.cl.
#ifndef FIRST_GATE
#define FIRST_GATE f_sigmoid      // of the gates i, f and o, with its parameters
#define FIRST_GATE_ALPHA 0.0f
#define FIRST_GATE_BETA 0.0f
#define FIRST_CANDIDATE f_tanh    // of the candidate memory
#define FIRST_CANDIDATE_ALPHA 0.0f
#define FIRST_CANDIDATE_BETA 0.0f
#define FIRST_HIDDEN f_tanh       // of the cell state on its way to the hidden state
#define FIRST_HIDDEN_ALPHA 0.0f
#define FIRST_HIDDEN_BETA 0.0f
#define FIRST_CLIP INFINITY       // pre-activations are kept within ±clip
#define FIRST_COUPLED 0           // 1: the forget gate is 1 - i
#endif

inline floatv clipped(floatv a, float clip) {
  a = a > (floatv)(clip) ? (floatv)(clip) : a;
  return a < (floatv)(-clip) ? (floatv)(-clip) : a;
}

// One cell with the equations E. Peepholes of i and f are in the pre-activations already; `peephole` is that of the output gate, which
// sees the new cell state.
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
  ai = fma(vloadv(4, bias), c, ai);
  af = fma(vloadv(5, bias), c, af);
  peephole = vloadv(6, bias);
#endif
  cell_state next = first_cell(ai, af, ag, ao, c, peephole);
#ifdef SECOND_GATE
  // Both, and one is chosen: a rare case, and a branch here is what compilers warn of or get wrong.
  cell_state other = second_cell(ai, af, ag, ao, c, peephole);
  next.c = direction > 0 ? other.c : next.c;
  next.h = direction > 0 ? other.h : next.h;
#endif
  return next;
}
#endif

// Stores the first `count` lanes of a vector: the last unit block of a layer is rarely full.
inline void store_lanes(floatv value, __global float* p, int count) {
  if (count >= VEC) {
    vstorev(value, 0, p);
  } else {
#if VEC == 4
    // Chosen and not indexed: on a GPU an array that is indexed lies in memory.
#pragma unroll 1
    for (int v = 0; v < count; v++) p[v] = v == 0 ? value.x : v == 1 ? value.y : value.z;
#elif VEC > 1
    float lane[VEC];
    vstorev(value, 0, lane);
    for (int v = 0; v < count; v++) p[v] = lane[v];
#endif
  }
}

// Where a step stands in time. Steps are counted from 1 in the order of the direction, up to `longest`, the length of the longest
// row: each direction then has work in just these steps, and both can go side by side.
inline int slot_of(int step, int reverse, int longest) { return reverse ? longest + 1 - step : step; }

// The first in time of the steps first_step … last_step.
inline int chunk_slot(int first_step, int last_step, int reverse, int longest) {
  return slot_of(reverse ? last_step : first_step, reverse, longest);
}

// Where pre-activation vectors and cell states of (row, unit block) are. B = unit blocks of VEC units.
inline size_t off_gates(size_t row, int block, int blocks) { return (row * blocks + block) * 4 * VEC; }
inline size_t off_cell(size_t row, int block, int blocks) { return (row * blocks + block) * VEC; }

// The pointwise kernel on its own: 28 bytes moved for each cell.
//   a [D,row_pitch,B,4,VEC]  pre-activations, gates i f g o
//   c [D,row_pitch,B·VEC]    cell states, updated in place
//   h [slots,h_slot_rows,h_stride]  hidden states, D·units of a row
//   first_reverse  the directions from there on are reverse
//   bias [D,B,CELL_VECTORS,VEC]  where there are peepholes
//   global size (B, N, D) with the step as the offset of dimension 2; rows without this step are left alone
#if PEEPHOLES
#define CELL_BIAS_PARAMETER , __global const float* restrict biases
#define CELL_BIAS biases + ((size_t)direction * blocks + block) * CELL_VECTORS * VEC
#else
#define CELL_BIAS_PARAMETER
#define CELL_BIAS 0
#endif
__kernel void lstm_cell(__global const float* restrict a, __global float* restrict c, __global float* restrict h,
                        __global const int* restrict active, int row_pitch, int units, int h_slot_rows, int h_stride,
                        int first_reverse, int longest CELL_BIAS_PARAMETER) {
  int block = get_global_id(0), row = get_global_id(1);
  int step = get_global_offset(2), direction = get_global_id(2) - step;
  int slot = slot_of(step, direction >= first_reverse, longest);
  if (row >= active[slot]) return;
  int blocks = (units + VEC - 1) / VEC;
  size_t place = (size_t)direction * row_pitch + row;
  __global const float* gates = a + off_gates(place, block, blocks);
  __global float* cell = c + off_cell(place, block, blocks);
  __global const float* bias = CELL_BIAS;
  cell_state next = lstm_cell_update(load_aligned(0, gates), load_aligned(1, gates), load_aligned(2, gates),
                                     load_aligned(3, gates), load_aligned(0, cell), direction, bias);
  store_aligned(next.c, 0, cell);
  __global float* hidden = h + ((size_t)slot * h_slot_rows + row) * h_stride + direction * units;
  store_lanes(next.h, hidden + block * VEC, units - block * VEC);
}
