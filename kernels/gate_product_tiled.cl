// requires: activations, weights
//
// The register tile of gate_product.cl for a work-group that stages both factors in local memory. It is for GPUs, where
// each value from global memory has to serve many work-items.
//
//   x [rows][K] ── TILE_K columns at a time ──┐         ┌── TILE_K k at a time ── weights [unit block][K][4][VEC]
//                                             ▼         ▼
//              two x_tile [TILE_K][GROUP_ROWS + 4]     two w_tile [TILE_K][4][WG_UNITS + 1][VEC]        in local memory
//                                             │         │
//              ROWS values of its rows, ◄─────┘         └─────► 4 vectors of its unit block,
//              4 rows side by side                              one of each gate
//
//   work-item (u, r) of WG_UNITS × WG_ROWS: ROWS rows × VEC units × 4 gates in registers
//   rows of work-item r, for WG_ROWS = 16:   4r … 4r+3,  64+4r … 64+4r+3,  …   (fewer than 4 are side by side)
//
// For every (row, unit, gate) it replaces the same plain loop as gate_product.cl. One chain of fma in ascending k
// produces the same bits:
//      for (k = 0; k < K; k++) a = fma(x[row][k], w[k][gate][unit], a);
//
// Neighboring work-items read neighboring 16 bytes of local memory. That is why a work-item's rows come in groups of
// 4: with eight consecutive rows each, one read of all work-items would skip every second 16 bytes.
//
// While one tile is multiplied, values for the other arrive from global memory and wait in registers. A stage therefore
// needs only one barrier.

#if VEC != 4
#error "the tiled kernels read local memory 16 bytes at a time: VEC must be 4"
#endif
// Rows of a work-item: 1, 2 or a multiple of 4.
#ifndef ROWS
#define ROWS 8
#endif
// Work-items of a group along the units. Each has a block of VEC units; eight of them read 128 adjacent bytes of
// weights.
#ifndef WG_UNITS
#define WG_UNITS 8
#endif
// Work-items of a group along the rows.
#ifndef WG_ROWS
#define WG_ROWS 16
#endif
// Number of k in a stage: a multiple of 4 that gives every work-item the same number of values to fetch.
#ifndef TILE_K
#define TILE_K 8
#endif

// 1: the order of products, and of loads from local memory, that suits NVIDIA's GPUs.
#ifndef FOR_NVIDIA
#define FOR_NVIDIA IS_NVIDIA
#endif

#define WG_ITEMS (WG_UNITS * WG_ROWS)
#define GROUP_ROWS (WG_ROWS * ROWS)
#define GROUP_SIZE __attribute__((reqd_work_group_size(WG_UNITS, WG_ROWS, 1)))

// Rows of a work-item that are side by side, and one value of each of them.
#if ROWS == 1
#define RUN 1
typedef float run_values;
#elif ROWS == 2
#define RUN 2
typedef float2 run_values;
#else
#define RUN 4
typedef float4 run_values;
#endif

// Padding spreads simultaneous writes over the banks of local memory: 4 floats for each line of x_tile, one vector
// for each line of w_tile.
#define X_PITCH ((GROUP_ROWS + 4) / 4)   // in float4
#define W_PITCH (WG_UNITS + 1)           // in floatv
#define X_TILE (TILE_K * X_PITCH)
#define W_TILE (TILE_K * 4 * W_PITCH)
#define X_FETCHES (GROUP_ROWS * TILE_K / 4 / WG_ITEMS)  // float4 of x that a work-item fetches for a stage
#define W_FETCHES (TILE_K * 4 * WG_UNITS / WG_ITEMS)    // floatv of weights that it fetches
#if ROWS % RUN || GROUP_ROWS % 4
#error "ROWS must be 1, 2 or a multiple of 4, and the rows of a group a multiple of 4"
#endif
#if X_FETCHES * 4 * WG_ITEMS != GROUP_ROWS * TILE_K || W_FETCHES * WG_ITEMS != TILE_K * 4 * WG_UNITS
#error "a stage can't be divided equally: see ROWS and TILE_K"
#endif

// The index within the group's rows of this work-item's m-th row.
inline int row_of(int m) { return (m / RUN * WG_ROWS + (int)get_local_id(1)) * RUN + m % RUN; }

// Loads the values of a work-item's rows from one line of x_tile, [GROUP_ROWS].
INLINED void load_rows(run_values x[ROWS / RUN], __local const float4* x_line) {
#pragma unroll
  for (int m = 0; m < ROWS; m += RUN) {
    x[m / RUN] = ((__local const run_values*)x_line)[m / RUN * WG_ROWS + get_local_id(1)];
  }
}

// Loads the weight vectors of its units from one line of w_tile, [4][W_PITCH].
INLINED void load_gates(floatv w[4], __local const floatv* w_line) {
#pragma unroll
  for (int q = 0; q < 4; q++) w[q] = w_line[q * W_PITCH + get_local_id(0)];
}

// The products of one k.
INLINED void multiply_add(floatv a[ROWS][4], const run_values x[ROWS / RUN], const floatv w[4]) {
  const float* value = (const float*)x;
#if FOR_NVIDIA
  // A register is in one of two banks, the even or the odd one, and each bank can be read once in a cycle. Of the three
  // operands of a multiply-add, one must therefore still be there from the instruction before: all products of a row
  // follow each other. The other two, a weight and a sum, are the same lane of two vectors, so both are even or both
  // are odd. Lanes must alternate, so that both banks have as much to do; a read may wait for two cycles. A row that
  // goes backwards begins with weights that are still there, too.
#pragma unroll
  for (int m = 0; m < ROWS; m++) {
#pragma unroll
    for (int i = 0; i < 4 * VEC; i++) {
      int j = m % 2 ? 4 * VEC - 1 - i : i;
      float* sum = (float*)&a[m][j / VEC] + j % VEC;
      *sum = fma(value[m], ((const float*)&w[j / VEC])[j % VEC], *sum);
    }
  }
#else
#pragma unroll
  for (int m = 0; m < ROWS; m += RUN) {
#pragma unroll
    for (int q = 0; q < 4; q++) {
#pragma unroll
      for (int r = 0; r < RUN; r++) a[m + r][q] = fma((floatv)(value[m + r]), w[q], a[m + r][q]);
    }
  }
#endif
}

// The products of one k whose factors are in local memory: x_line [GROUP_ROWS], w_line [4][W_PITCH].
INLINED void multiply_add_staged(floatv a[ROWS][4], __local const float4* x_line, __local const floatv* w_line) {
  run_values x[ROWS / RUN];
  floatv w[4];
  load_rows(x, x_line);
  load_gates(w, w_line);
  multiply_add(a, x, w);
}

// The same for rows in local memory, x_line [GROUP_ROWS], and weights that are in registers.
INLINED void multiply_add_rows(floatv a[ROWS][4], __local const float4* x_line, const floatv weight[4]) {
  run_values x[ROWS / RUN];
  load_rows(x, x_line);
  multiply_add(a, x, weight);
}

// The offset of a line. Neither factor is negative, so one multiplication is enough: for a signed product of 64 bits, a
// GPU needs several.
inline size_t off_line(int line, int pitch) { return (size_t)(uint)line * (uint)pitch; }

// A product of the group.
typedef struct {
  __global const float* x;  // [..][stride] from the group's first row on
  int stride, K;            // K columns of x are multiplied
} staged_product;

// The products of the first `depth` k of a stage.
//   x_line [depth][X_PITCH], w_line [depth][4][W_PITCH]
INLINED void multiply_add_stage(floatv a[ROWS][4], __local const float4* x_line, __local const floatv* w_line,
                                int depth) {
#if FOR_NVIDIA
  if (depth == 0) return;
  // The next k's factors arrive in registers of their own while one k is multiplied. Nothing is read beyond the last k.
  // A test around the loads alone would make the compiler copy registers, so it ends the loop.
  run_values even_x[ROWS / RUN], odd_x[ROWS / RUN];
  floatv even_w[4], odd_w[4];
  load_gates(even_w, w_line);
  load_rows(even_x, x_line);
#if HOISTED
  __local const float4* last = x_line + (depth - 1) * X_PITCH;
#define K_LEFT(count) (x_line + (count - 1) * X_PITCH <= last)  // the counter would be a register too many
#else
  int left = depth;
#define K_LEFT(count) (left >= count)
#endif
#pragma unroll 1
  while (K_LEFT(2)) {
    load_gates(odd_w, w_line + 4 * W_PITCH);
    load_rows(odd_x, x_line + X_PITCH);
    multiply_add(a, even_x, even_w);
    if (!K_LEFT(3)) {
      multiply_add(a, odd_x, odd_w);
      return;
    }
    x_line += 2 * X_PITCH;
    w_line += 2 * 4 * W_PITCH;
#if !HOISTED
    left -= 2;
#endif
    load_gates(even_w, w_line);
    load_rows(even_x, x_line);
    multiply_add(a, odd_x, odd_w);
  }
  multiply_add(a, even_x, even_w);
#else
  // Two k at a time: the second's values arrive while the first's are multiplied. With more, registers run out.
#pragma unroll 1
  for (int j = 0; j + 2 <= depth; j += 2) {
    multiply_add_staged(a, x_line, w_line);
    multiply_add_staged(a, x_line + X_PITCH, w_line + 4 * W_PITCH);
    x_line += 2 * X_PITCH;
    w_line += 2 * 4 * W_PITCH;
  }
  if (depth % 2 == 1) multiply_add_staged(a, x_line, w_line);
#endif
}

// a[row][gate] += first.x[row][k] · w[k][gate] for k = 0 … first.K-1, then the same with second and the weights that
// follow. All work-items of the group have to call it together.
//   w                     weights [first.K + second.K][4][VEC] in the panel of the group's first unit block
//   last_row, last_block  rows and unit blocks beyond these are read as the last one
//   panel                 weights from one unit block to the next
//   x_tile [2][X_TILE], w_tile [2][W_TILE]
INLINED void accumulate_staged(floatv a[ROWS][4], staged_product first, staged_product second,
                               __global const weight_t* w, int last_row, int panel, int last_block,
                               __local float4* x_tile, __local floatv* w_tile) {
  int item = get_local_id(1) * WG_UNITS + get_local_id(0);
  int stages = (first.K + TILE_K - 1) / TILE_K + (second.K + TILE_K - 1) / TILE_K;
  __global const float* x = first.x;
  int stride = first.stride, left = first.K;
  int half_of = 0, depth = 0;  // which of the two tiles is multiplied, and how many k of it: none in the first stage
  // One loop over the stages of both products, because compilers get a branch around a barrier wrong.
#pragma unroll 1
  for (int stage = 0; stage < stages; stage++) {
    if (left == 0) {
      x = second.x;
      stride = second.stride;
      left = second.K;
    }

    // Neighbors fetch neighboring k of a row and neighboring vectors of a panel. The buffers may end after the last k.
    // Values beyond it repeat the last ones and are not multiplied: adding a product with zero would turn -0 into +0.
    float4 x_next[X_FETCHES];
    floatv w_next[W_FETCHES];
    if (left >= TILE_K && ((size_t)x | (uint)stride * sizeof(float)) % sizeof(float4) == 0) {
#pragma unroll
      for (int i = 0; i < X_FETCHES; i++) {
        int e = item + i * WG_ITEMS, row = e / (TILE_K / 4), at = e % (TILE_K / 4) * 4;
        x_next[i] = *(__global const float4*)(x + off_line(min(row, last_row), stride) + at);
      }
    } else {
#pragma unroll
      for (int i = 0; i < X_FETCHES; i++) {
        int e = item + i * WG_ITEMS, row = e / (TILE_K / 4), at = e % (TILE_K / 4) * 4;
        __global const float* from = x + off_line(min(row, last_row), stride);
        x_next[i].x = from[min(at, left - 1)];
        x_next[i].y = from[min(at + 1, left - 1)];
        x_next[i].z = from[min(at + 2, left - 1)];
        x_next[i].w = from[min(at + 3, left - 1)];
      }
    }
#pragma unroll
    for (int i = 0; i < W_FETCHES; i++) {
      int e = item + i * WG_ITEMS, block = e / (TILE_K * 4), line = e % (TILE_K * 4);
      w_next[i] = load_weights(min(line, left * 4 - 1), w + off_line(min(block, last_block), panel));
    }

    multiply_add_stage(a, x_tile + half_of * X_TILE, w_tile + half_of * W_TILE, depth);

    half_of = 1 - half_of;
    depth = min(left, TILE_K);
    left -= depth;
    x += depth;
    w += depth * 4 * VEC;
    __local float* x_to = (__local float*)(x_tile + half_of * X_TILE);
    __local floatv* w_to = w_tile + half_of * W_TILE;
#pragma unroll
    for (int i = 0; i < X_FETCHES; i++) {
      int e = item + i * WG_ITEMS, row = e / (TILE_K / 4), at = e % (TILE_K / 4) * 4;
      x_to[(at + 0) * X_PITCH * 4 + row] = x_next[i].x;
      x_to[(at + 1) * X_PITCH * 4 + row] = x_next[i].y;
      x_to[(at + 2) * X_PITCH * 4 + row] = x_next[i].z;
      x_to[(at + 3) * X_PITCH * 4 + row] = x_next[i].w;
    }
#pragma unroll
    for (int i = 0; i < W_FETCHES; i++) {
      int e = item + i * WG_ITEMS, block = e / (TILE_K * 4), line = e % (TILE_K * 4);
      w_to[line * W_PITCH + block] = w_next[i];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  multiply_add_stage(a, x_tile + half_of * X_TILE, w_tile + half_of * W_TILE, depth);
}
