// requires: activations, cell_functions
//
// A function of a cell over many values, as a stand-alone kernel that tests run on every device.
//
//      x [n·VEC] ── FUNCTION, α, β ──► y [n·VEC]

// One of the functions of cell_functions.cl.
#ifndef FUNCTION
#define FUNCTION f_sigmoid
#endif

//   global size n
__kernel void lstm_cell_function(
    __global const float* restrict x,  // [n·VEC] values
    __global float* restrict y,        // [n·VEC] receives the function of each
    float alpha,                       // the function's first parameter
    float beta) {                      // the function's second parameter
  size_t i = get_global_id(0);
  vstorev(FUNCTION(vloadv(i, x), alpha, beta), i, y);
}
