// Sigmoid and tanh as *defined* operations: the same bits on every device.
//
//      x ──► z = -|x| or -2|x|, bounded from below
//            z = n·ln 2 + r,  |r| ≤ ln(2)/2                      (Cody and Waite's reduction, in two fma)
//            s = e^r - 1                                          (a polynomial: fma only)
//      sigmoid:  e = 2^n (1 + s);  x ≥ 0 ? 1/(1+e) : e/(1+e)
//      tanh:     m = 2^n (1 + s) - 1;  sign(x) · -m/(2+m)
//      quotient: a quadratic guess of 1/d for d in [1,2], one third-order step, one correction by the residual
//
// The functions use only fma, +, -, *, comparison, select and integer operations on the bits. IEEE 754 and OpenCL
// define all of these exactly. The functions avoid exp, native_*, mad, '/' and sqrt, which a device may round as it
// likes. docs/design/numerics.md derives the error: at most 1.51 ulp for sigmoid and 1.96 for tanh, over all 2^32
// inputs. io.github.cellfuse.jvm.Activations performs the same operations in Java. Change both together.
#pragma OPENCL FP_CONTRACT OFF

// Lanes of a work-item's vectors: 16 for 512-bit registers, 8 for 256-bit, 4 for 128-bit; 1 to 4 on GPUs.
#ifndef VEC
#define VEC 4
#endif

// Units of a block in memory. A work-item has all of them, or one (VEC 1).
#ifndef PACK
#define PACK VEC
#endif

// 1: the compiler is NVIDIA's, or clang for its GPUs. Both know PTX.
#if defined(__NVPTX__) || defined(cl_nv_compiler_options)
#define IS_NVIDIA 1
#else
#define IS_NVIDIA 0
#endif

// Inlined for certain: an array that is passed in memory instead of registers makes a tile several times slower.
#define INLINED __attribute__((always_inline)) inline

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#if VEC == 1
typedef float floatv;
typedef int intv;
#define as_floatv as_float
#define as_intv as_int
#define vloadv(offset, p) ((p)[offset])
#define vstorev(value, offset, p) ((p)[offset] = (value))
#else
typedef JOIN(float, VEC) floatv;
typedef JOIN(int, VEC) intv;
#define as_floatv JOIN(as_float, VEC)
#define as_intv JOIN(as_int, VEC)
#define vloadv JOIN(vload, VEC)
#define vstorev JOIN(vstore, VEC)
#endif

// Access to the offset-th vector of a block's units, whose offset in its buffer is a multiple of VEC floats. A vload
// promises only the alignment of a float, so some GPU compilers load it lane by lane.
#if VEC < PACK
#define load_aligned(offset, p) ((p)[(offset) * PACK])
#define store_aligned(value, offset, p) ((p)[(offset) * PACK] = (value))
#elif VEC == 4
#define load_aligned(offset, p) (((__global const floatv*)(p))[offset])
#define store_aligned(value, offset, p) (((__global floatv*)(p))[offset] = (value))
#else
#define load_aligned(offset, p) vloadv(offset, p)
#define store_aligned(value, offset, p) vstorev(value, offset, p)
#endif

// e^r - 1 for |r| ≤ ln(2)/2: r + r²·p(r), p of degree 4 (relative error of e^r below 2^-28).
inline floatv expm1_reduced(floatv r) {
  floatv p = (floatv)(0x1.6a4b36p-10f);
  p = fma(p, r, (floatv)(0x1.12398ep-7f));
  p = fma(p, r, (floatv)(0x1.5558b2p-5f));
  p = fma(p, r, (floatv)(0x1.555492p-3f));
  p = fma(p, r, (floatv)(0x1.fffffcp-2f));
  return fma(p * r, r, r);
}

// Added to z·log2(e), it leaves the rounded integer in the low bits of the sum: 1.5·2^23 leaves no room for a fraction.
#define ROUND_TO_INT 12582912.0f

// z - n·ln 2. The first fma is exact; the second subtracts the part of ln 2 beyond 24 bits.
inline floatv reduce(floatv z, floatv n) {
  return fma(n, (floatv)(0x1.05c610p-29f), fma(n, (floatv)(-0x1.62e430p-1f), z));
}

// num / (one + e) for one + e in [1,2]. The guess is exact at 1 and 2, so tiny arguments pass unchanged. The residual
// belongs to the unrounded sum: num - one·q is exact, because num and one·q are close to each other.
inline floatv quotient(floatv num, floatv one, floatv e) {
  floatv d = one + e;
  floatv r = fma(fma((floatv)(0.34375f), d, (floatv)(-1.53125f)), d, (floatv)(2.1875f));
  floatv error = fma(-d, r, (floatv)(1.0f));
  r = fma(r, fma(error, error, error), r);
  floatv q = num * r;
  floatv residual = fma(-q, e, fma(-one, q, num));
  return fma(residual, r, q);
}

// 1 / (1 + e^-x)
inline floatv sigmoid(floatv x) {
  floatv z = -fabs(x);
  z = z < (floatv)(-104.0f) ? (floatv)(-104.0f) : z;  // keeps a NaN, unlike fmax
  floatv t = fma(z, (floatv)(0x1.715476p+0f), (floatv)(ROUND_TO_INT));
  floatv r = reduce(z, t - (floatv)(ROUND_TO_INT));
  // 2^(n+32) is a normal number for every n down to -150. The last product scales it back, possibly to a denormal.
  floatv scale = as_floatv((as_intv(t) << 23) + (intv)(0x4F800000));
  floatv e = fma(expm1_reduced(r), scale, scale) * (floatv)(0x1p-32f);
  return quotient(x < (floatv)(0.0f) ? e : (floatv)(1.0f), (floatv)(1.0f), e);
}

// The hyperbolic tangent, exact at ±0. Its name is tanh_ because tanh is OpenCL's own, which every device rounds
// differently.
inline floatv tanh_(floatv x) {
  floatv z = (floatv)(-2.0f) * fabs(x);
  z = z < (floatv)(-20.0f) ? (floatv)(-20.0f) : z;  // tanh(10) rounds to 1
  floatv t = fma(z, (floatv)(0x1.715476p+0f), (floatv)(ROUND_TO_INT));
  floatv r = reduce(z, t - (floatv)(ROUND_TO_INT));
  floatv scale = as_floatv((as_intv(t) << 23) + (intv)(0x3F800000));
  floatv m = fma(expm1_reduced(r), scale, scale - (floatv)(1.0f));
  floatv q = quotient(-m, (floatv)(2.0f), m);
  return as_floatv(as_intv(q) | (as_intv(x) & (intv)(0x80000000)));
}

// Both functions over n·VEC values. The opening self-test of a device and the exhaustive test run this kernel.
//   global size n
__kernel void lstm_activations(
    __global const float* restrict x,  // [n·VEC] values
    __global float* restrict s,        // [n·VEC] receives the sigmoid of each
    __global float* restrict t) {      // [n·VEC] receives the hyperbolic tangent of each
  size_t i = get_global_id(0);
  floatv v = vloadv(i, x);
  vstorev(sigmoid(v), i, s);
  vstorev(tanh_(v), i, t);
}
