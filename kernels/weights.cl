// requires: activations
//
// How the weights are stored: as float32, or in half the memory as float16 or bfloat16. All products are made in float32.
//
//      float32   s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm
//      bfloat16  s eeeeeeee mmmmmmm                      float32's upper half: its range, 8 bits of precision
//      float16   s eeeee mmmmmmmmmm                      up to 65504, 11 bits, denormals from 2^-24
//
// Both become float32 exactly, so the numerical contract holds as ever: for the model whose weights are those that are stored.

// Define at most one of WEIGHTS_F16 and WEIGHTS_BF16; without either weights are float32.
#if defined(WEIGHTS_F16) || defined(WEIGHTS_BF16)
#define WEIGHT_BITS 16
typedef ushort weight_t;  // and not half, which many devices know by its address only
#else
#define WEIGHT_BITS 32
typedef float weight_t;
#endif

// load_weights(offset, p) gives the offset-th VEC weights of p as floats, as vloadv does with floats; p is __global const weight_t*.
#if defined(WEIGHTS_F16)
// In every OpenCL, without an extension; exact by its standard, with denormals where float32 has them.
#if VEC == 1
#define load_weights(offset, p) vload_half(offset, (__global const half*)(p))
#else
#define load_weights(offset, p) JOIN(vload_half, VEC)(offset, (__global const half*)(p))
#endif
#elif defined(WEIGHTS_BF16)
#if VEC == 1
#define load_weights(offset, p) as_float(convert_uint((p)[offset]) << 16)
#else
#define load_weights(offset, p) as_floatv(JOIN(convert_uint, VEC)(vloadv(offset, p)) << 16)
#endif
#else
#define load_weights(offset, p) vloadv(offset, p)
#endif

// All stored values as floats: the opening self-test of a device runs this.
//   stored, loaded [n·VEC]; global size n
__kernel void lstm_load_weights(__global const weight_t* restrict stored, __global float* restrict loaded) {
  size_t i = get_global_id(0);
  vstorev(load_weights(i, stored), i, loaded);
}
