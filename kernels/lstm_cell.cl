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
// Needs activations.cl before it.

typedef struct {
  floatv c;  // cell state
  floatv h;  // hidden state
} cell_state;

// One cell update in the order of the numerical contract: the candidate's product is rounded, the sum is one fma.
inline cell_state lstm_cell_update(floatv ai, floatv af, floatv ag, floatv ao, floatv c) {
  cell_state next;
  next.c = fma(sigmoid(af), c, sigmoid(ai) * tanh_(ag));
  next.h = sigmoid(ao) * tanh_(next.c);
  return next;
}

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
//   global size (B, N, D) with the step as the offset of dimension 2; rows without this step are left alone
__kernel void lstm_cell(__global const float* restrict a, __global float* restrict c, __global float* restrict h,
                        __global const int* restrict active, int row_pitch, int units, int h_slot_rows, int h_stride,
                        int first_reverse, int longest) {
  int block = get_global_id(0), row = get_global_id(1);
  int step = get_global_offset(2), direction = get_global_id(2) - step;
  int slot = slot_of(step, direction >= first_reverse, longest);
  if (row >= active[slot]) return;
  int blocks = (units + VEC - 1) / VEC;
  size_t place = (size_t)direction * row_pitch + row;
  __global const float* gates = a + off_gates(place, block, blocks);
  __global float* cell = c + off_cell(place, block, blocks);
  cell_state next =
      lstm_cell_update(load_aligned(0, gates), load_aligned(1, gates), load_aligned(2, gates), load_aligned(3, gates), load_aligned(0, cell));
  store_aligned(next.c, 0, cell);
  __global float* hidden = h + ((size_t)slot * h_slot_rows + row) * h_stride + direction * units;
  store_lanes(next.h, hidden + block * VEC, units - block * VEC);
}
