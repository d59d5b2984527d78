// requires: activations
//
// How the weights are stored: as float32, or in half the memory as float16 or bfloat16. All products use float32.
//
//      float32   s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm
//      bfloat16  s eeeeeeee mmmmmmm                      float32's upper half: its range, 8 bits of precision
//      float16   s eeeee mmmmmmmmmm                      up to 65504, 11 bits, denormals from 2^-24
//
// Both convert to float32 exactly, so the numerical contract holds for the model that has the stored weights.

// At most one of WEIGHTS_F16 and WEIGHTS_BF16 is defined; without them, weights are float32.
#if defined(WEIGHTS_F16) || defined(WEIGHTS_BF16)
#define WEIGHT_BITS 16
typedef ushort weight_t;  // not half: without an extension, OpenCL only has pointers to it
#else
#define WEIGHT_BITS 32
typedef float weight_t;
#endif

// load_weights_by_lane(offset, p) loads the offset-th vector of VEC weights from p and converts it to floats. Like
// vloadv, but p is a __global const weight_t*.
#if defined(WEIGHTS_F16)
// vload_half needs no extension. Its standard makes it exact, including denormals if the device has them in float32.
#if VEC == 1
#define load_weights_by_lane(offset, p) vload_half(offset, (__global const half*)(p))
#else
#define load_weights_by_lane(offset, p) JOIN(vload_half, VEC)(offset, (__global const half*)(p))
#endif
#elif defined(WEIGHTS_BF16)
#if VEC == 1
#define load_weights_by_lane(offset, p) as_float(convert_uint((p)[offset]) << 16)
#else
#define load_weights_by_lane(offset, p) as_floatv(JOIN(convert_uint, VEC)(vloadv(offset, p)) << 16)
#endif
#else
#define load_weights_by_lane(offset, p) vloadv(offset, p)
#endif

// load_block(offset, p) is the same for vectors of four weights whose offset in their buffer is a multiple of four
// weights, as it is in every panel of blocks of four units: one load, like load_aligned.
#if PACK == 4
#if defined(WEIGHTS_F16)
#define load_block(offset, p) vloada_half4(offset, (__global const half*)(p))
#elif defined(WEIGHTS_BF16)
#define load_block(offset, p) as_float4(convert_uint4(((__global const ushort4*)(p))[offset]) << 16)
#else
#define load_block(offset, p) (((__global const float4*)(p))[offset])
#endif
#endif

// load_weights(offset, p) loads the offset-th vector of VEC weights of a panel.
#if VEC == 4
#define load_weights(offset, p) load_block(offset, p)
#else
#define load_weights(offset, p) load_weights_by_lane(offset, p)
#endif

// Converts all stored values to floats. The opening self-test of a device runs this kernel.
//   global size n
__kernel void lstm_load_weights(
    __global const weight_t* restrict stored,  // [n·VEC] weights
    __global float* restrict loaded) {         // [n·VEC] receives them as floats
  size_t i = get_global_id(0);
  vstorev(load_weights(i, stored), i, loaded);
}
