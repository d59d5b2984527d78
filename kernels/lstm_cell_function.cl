// requires: activations, cell_functions
//
// A function of a cell over many values, as a kernel of its own: every device is tested with it.
//
//      x [n·VEC] ── FUNCTION, α, β ──► y [n·VEC]

// A function of cell_functions.cl.
#ifndef FUNCTION
#define FUNCTION f_sigmoid
#endif

//   x, y [n·VEC];  global size n
__kernel void lstm_cell_function(__global const float* restrict x, __global float* restrict y, float alpha, float beta) {
  size_t i = get_global_id(0);
  vstorev(FUNCTION(vloadv(i, x), alpha, beta), i, y);
}
