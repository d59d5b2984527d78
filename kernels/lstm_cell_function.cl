// A function of a cell over many values, as a kernel of its own: every device is tested with it.
//
//      x [n·VEC] ── cell_function f, α, β ──► y [n·VEC]
//
// Needs activations.cl and cell_functions.cl before it.

//   x, y [n·VEC];  f  the function's number;  global size n
__kernel void lstm_cell_function(__global const float* restrict x, __global float* restrict y, int f, float alpha, float beta) {
  size_t i = get_global_id(0);
  vstorev(cell_function(f, vloadv(i, x), alpha, beta), i, y);
}
