// requires: activations, weights
//
// The product of gate_product_tiled.cl for few rows: a work-item has one unit instead of four, so that a launch has
// work for every compute unit. The work-group stages both factors in local memory.
//
//   x [rows][K] ── TILE_K columns at a time ──┐         ┌── TILE_K k at a time ── weights [unit block][K][4][PACK]
//                                             ▼         ▼
//            two x_tile [GROUP_ROWS][TILE_K + 4]      two w_tile [TILE_K][WG_UNITS + 1][4]            in local memory
//                                             │         │
//             4 k of each of its ROWS rows ◄──┘         └──► one vector for each k: the 4 gates of its unit
//
//   work-item (u, r) of WG_UNITS × WG_ROWS: ROWS rows, r, WG_ROWS + r, … × one unit × 4 gates, a vector for each row
//
// For every (row, unit, gate) it replaces the same plain loop as gate_product.cl. One chain of fma in ascending k
// produces the same bits:
//      for (k = 0; k < K; k++) a = fma(x[row][k], w[k][gate][unit], a);
//
// While one tile is multiplied, values for the other arrive from global memory and wait in registers. With few rows,
// waiting for them takes most of the time, so a stage is as deep as local memory allows.
//
// For a whole sequence (lstm_sequence_persistent.cl) the weights of all k stay in one w_tile [K][WG_UNITS][4], and a
// stage is one of x alone.

#if VEC != 1 || PACK != 4
#error "a work-item of the narrow kernels has one unit of a block of four: VEC must be 1 and PACK 4"
#endif
// Rows of a work-item.
#ifndef ROWS
#define ROWS 1
#endif
// Work-items of a group along the units: a multiple of PACK, or any number if weights are resident.
#ifndef WG_UNITS
#define WG_UNITS 8
#endif
// Work-items of a group along the rows.
#ifndef WG_ROWS
#define WG_ROWS 16
#endif
// Number of k in a stage: a multiple of 4 that gives every work-item the same number of values to fetch.
#ifndef TILE_K
#define TILE_K 64
#endif

// Number of k whose weights stay in local memory for a whole sequence, at most; 0 if each stage brings its own.
#ifndef RESIDENT_K
#define RESIDENT_K 0
#endif

#define WG_ITEMS (WG_UNITS * WG_ROWS)
#define GROUP_ROWS (WG_ROWS * ROWS)
#define GROUP_SIZE __attribute__((reqd_work_group_size(WG_UNITS, WG_ROWS, 1)))

// Padding spreads simultaneous accesses over the banks of local memory.
#define X_PITCH (TILE_K / 4 + 1)  // in float4
#if RESIDENT_K
#define W_PITCH WG_UNITS  // in float4; all units of a wave read side by side, and it is written only once
#else
#define W_PITCH (WG_UNITS + 1)
#endif
#define X_TILE (GROUP_ROWS * X_PITCH)
#define W_TILE (TILE_K * W_PITCH)
#define X_FETCHES (GROUP_ROWS * TILE_K / 4 / WG_ITEMS)  // float4 of x that a work-item fetches for a stage
#define W_FETCHES (TILE_K * WG_UNITS / WG_ITEMS)        // vectors of weights that it fetches
#define ROUNDS_AHEAD 4  // rounds of 4 k whose reads of local memory are under way
#if TILE_K % 4 || X_FETCHES * 4 * WG_ITEMS != GROUP_ROWS * TILE_K || \
    !RESIDENT_K && (WG_UNITS % PACK || W_FETCHES * WG_ITEMS != TILE_K * WG_UNITS)
#error "a stage can't be divided equally: see WG_UNITS and TILE_K"
#endif

// The number of this work-item in its group.
inline int item_of_group() { return get_local_id(1) * WG_UNITS + get_local_id(0); }

// Its unit, and which of WG_ROWS neighboring rows it has. Pairs of neighbors have the same unit, and every second
// neighbor has the same row. An NVIDIA GPU then reads 16 bytes of local memory for 16 work-items at a time, otherwise
// for 8. With resident weights, whose groups have 2 or 4 units, this order takes longer.
#if RESIDENT_K || WG_ROWS % 2
inline int item_unit() { return get_local_id(0); }
inline int item_row() { return get_local_id(1); }
#else
inline int item_unit() { return item_of_group() / 2 % WG_UNITS; }
inline int item_row() { return item_of_group() / (2 * WG_UNITS) * 2 + item_of_group() % 2; }
#endif

// The index within the group's rows of this work-item's m-th row.
inline int row_of(int m) { return m * WG_ROWS + item_row(); }

// The products of 4 k, of which `count` count.
INLINED void multiply_add_four(float4 a[ROWS], __local const float4* x_line, __local const float4* w_line, int count) {
  float4 x[ROWS];
#pragma unroll
  for (int m = 0; m < ROWS; m++) x[m] = x_line[row_of(m) * X_PITCH];
  float4 weight = w_line[item_unit()];
#pragma unroll
  for (int m = 0; m < ROWS; m++) a[m] = fma((float4)(x[m].x), weight, a[m]);
  if (count > 1) {
    weight = w_line[W_PITCH + item_unit()];
#pragma unroll
    for (int m = 0; m < ROWS; m++) a[m] = fma((float4)(x[m].y), weight, a[m]);
  }
  if (count > 2) {
    weight = w_line[2 * W_PITCH + item_unit()];
#pragma unroll
    for (int m = 0; m < ROWS; m++) a[m] = fma((float4)(x[m].z), weight, a[m]);
  }
  if (count > 3) {
    weight = w_line[3 * W_PITCH + item_unit()];
#pragma unroll
    for (int m = 0; m < ROWS; m++) a[m] = fma((float4)(x[m].w), weight, a[m]);
  }
}

// a[row] (i f g o) += x_tile[row][k] · w_tile[k] for the first `depth` k of a stage. Only whole k are multiplied, as
// adding a product with zero would turn -0 into +0. A full stage has a constant number of rounds, so that reads of
// local memory run ahead of the products.
INLINED void multiply_stage(float4 a[ROWS], __local const float4* x_tile, __local const float4* w_tile, int depth) {
  if (depth == TILE_K) {
#pragma unroll ROUNDS_AHEAD
    for (int j = 0; j < TILE_K; j += 4) multiply_add_four(a, x_tile + j / 4, w_tile + j * W_PITCH, 4);
  } else {
#pragma unroll 1
    for (int j = 0; j + 4 <= depth; j += 4) multiply_add_four(a, x_tile + j / 4, w_tile + j * W_PITCH, 4);
    if (depth % 4) multiply_add_four(a, x_tile + depth / 4, w_tile + depth / 4 * 4 * W_PITCH, depth % 4);
  }
}

// Fetches this work-item's share of a stage of x, from column 0 of the group's first row on. `left` columns are left.
// Neighbors fetch neighboring k of a row. Nothing beyond a row is read; rows beyond last_row are read as the last one.
INLINED void fetch_x(float4 fetched[X_FETCHES], __global const float* x, int stride, int left, int last_row) {
  int is_aligned = ((size_t)x | (uint)stride * sizeof(float)) % sizeof(float4) == 0;
#pragma unroll
  for (int i = 0; i < X_FETCHES; i++) {
    int e = item_of_group() + i * WG_ITEMS, row = e / (TILE_K / 4), at = e % (TILE_K / 4) * 4;
    __global const float* from = x + (size_t)min(row, last_row) * stride + at;
    if (is_aligned && left - at >= 4) {
      fetched[i] = *(__global const float4*)from;
    } else {
      fetched[i].x = at < left ? from[0] : 0.0f;
      fetched[i].y = at + 1 < left ? from[1] : 0.0f;
      fetched[i].z = at + 2 < left ? from[2] : 0.0f;
      fetched[i].w = at + 3 < left ? from[3] : 0.0f;
    }
  }
}

// Stores what fetch_x has fetched.
INLINED void store_x(const float4 fetched[X_FETCHES], __local float4* x_tile) {
#pragma unroll
  for (int i = 0; i < X_FETCHES; i++) {
    int e = item_of_group() + i * WG_ITEMS;
    x_tile[e / (TILE_K / 4) * X_PITCH + e % (TILE_K / 4)] = fetched[i];
  }
}

#if RESIDENT_K

// Stages the weights of K k for as long as the kernel runs: at most RESIDENT_K.
//   w      where these weights begin in the panel of unit block 0
//   first  the first unit of the group; units beyond the last one are read as the last one
INLINED void stage_weights(__global const weight_t* w, int K, int panel, int first, int units, __local float4* w_tile) {
#pragma unroll 1
  for (int e = item_of_group(); e < K * WG_UNITS; e += WG_ITEMS) {
    int unit = min(first + e % WG_UNITS, units - 1), lane = unit % PACK;
    __global const weight_t* line = w + (size_t)(unit / PACK) * panel + e / WG_UNITS * 4 * PACK;
    w_tile[e] = (float4)(load_weights(lane, line), load_weights(PACK + lane, line), load_weights(2 * PACK + lane, line),
                         load_weights(3 * PACK + lane, line));
  }
}

// a[row] (i f g o) += x[row][k] · w_tile[k] for k = 0 … K-1, in this order. All work-items of the group have to call it
// together. x is [..][stride] from the group's first row on; x_tile is [2][X_TILE].
INLINED void accumulate_resident(float4 a[ROWS], __global const float* x, int stride, int K, int last_row,
                                 __local float4* x_tile, __local const float4* w_tile) {
  int stages = (K + TILE_K - 1) / TILE_K, half_of = 0, depth = 0;
  // As in accumulate_narrow, stage -1 only fetches, and the last stage fetches itself again.
#pragma unroll 1
  for (int stage = -1; stage < stages; stage++) {
    int k = min(stage + 1, stages - 1) * TILE_K;
    float4 x_next[X_FETCHES];
    fetch_x(x_next, x + k, stride, K - k, last_row);
    multiply_stage(a, x_tile + half_of * X_TILE, w_tile + max(stage, 0) * TILE_K * W_PITCH, depth);
    half_of = 1 - half_of;
    depth = min(K - k, TILE_K);
    store_x(x_next, x_tile + half_of * X_TILE);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

#else

// Fetches the e-th vector of a stage of the group's panels: 4 units of a gate of one k. Lines from `left` on repeat the
// one before, as the buffer may end there. They are not multiplied. Blocks beyond last_block are read as the last one.
INLINED float4 fetch_weights(__global const weight_t* w, int e, int left, int panel, int last_block) {
  int block = e / (TILE_K * 4), line = e % (TILE_K * 4);
  return load_block(min(line, left - 1), w + (size_t)min(block, last_block) * panel);
}

// Stores such a vector: from the 4 units of a gate to the 4 gates of a unit.
INLINED void store_weights(float4 fetched, int e, __local float4* w_tile) {
  int block = e / (TILE_K * 4), line = e % (TILE_K * 4);
  __local float* to = (__local float*)w_tile + (line / 4 * W_PITCH + block * PACK) * 4 + line % 4;
  to[0] = fetched.x;
  to[4] = fetched.y;
  to[8] = fetched.z;
  to[12] = fetched.w;
}

// A product of the group.
typedef struct {
  __global const float* x;     // [..][stride] from the group's first row on
  int stride, K;               // K columns of x are multiplied
  __global const weight_t* w;  // where their weights begin in the panel of the group's first unit block
} narrow_product;

// a[row] (i f g o) += first.x[row][k] · first.w[k] for k = 0 … K-1, then the same with second, in this order. All
// work-items of the group have to call it together.
//   last_row, last_block  rows and unit blocks beyond these are read as the last one
//   panel                 weights from one unit block to the next
//   x_tile [2][X_TILE], w_tile [2][W_TILE]
INLINED void accumulate_narrow(float4 a[ROWS], narrow_product first, narrow_product second, int last_row, int panel,
                               int last_block, __local float4* x_tile, __local float4* w_tile) {
  int firsts = (first.K + TILE_K - 1) / TILE_K, stages = firsts + (second.K + TILE_K - 1) / TILE_K;
  int half_of = 0, depth = 0;  // which of the two tiles is multiplied, and how many k of it
  // Stage -1 only fetches. The last stage fetches itself again, because compilers get a branch around a barrier wrong.
#pragma unroll 1
  for (int stage = -1; stage < stages; stage++) {
    int next = min(stage + 1, stages - 1), in_second = next >= firsts;
    int k = (in_second ? next - firsts : next) * TILE_K, left = (in_second ? second.K : first.K) - k;
    __global const float* x = (in_second ? second.x : first.x) + k;
    __global const weight_t* w = (in_second ? second.w : first.w) + k * 4 * PACK;
    int stride = in_second ? second.stride : first.stride;

    float4 x_next[X_FETCHES], w_next[W_FETCHES];
    fetch_x(x_next, x, stride, left, last_row);
#pragma unroll
    for (int i = 0; i < W_FETCHES; i++) {
      w_next[i] = fetch_weights(w, item_of_group() + i * WG_ITEMS, left * 4, panel, last_block);
    }

    multiply_stage(a, x_tile + half_of * X_TILE, w_tile + half_of * W_TILE, depth);

    half_of = 1 - half_of;
    depth = min(left, TILE_K);
    store_x(x_next, x_tile + half_of * X_TILE);
#pragma unroll
    for (int i = 0; i < W_FETCHES; i++) {
      store_weights(w_next[i], item_of_group() + i * WG_ITEMS, w_tile + half_of * W_TILE);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

#endif
