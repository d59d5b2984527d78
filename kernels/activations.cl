// Sigmoid and tanh as *defined* operations: the same bits on every device.
//
//      x ──► z = -|x| or -2|x|, bounded from below
//            z = n·ln 2 + r,  |r| ≤ ln(2)/2                      (Cody and Waite's reduction, in two fma)
//            s = e^r - 1                                          (a polynomial: fma only)
//      sigmoid:  e = 2^n (1 + s);  x ≥ 0 ? 1/(1+e) : e/(1+e)
//      tanh:     m = 2^n (1 + s) - 1;  sign(x) · -m/(2+m)
//            the quotient: a quadratic guess of 1/d for d in [1,2], one third-order step, one correction by the residual
//
// Only fma, +, -, *, comparison, select and integer operations on the bits: all of them exactly defined by IEEE 754 and OpenCL.
// exp, native_*, mad, '/' and sqrt are absent: a device is free to round those as it likes. docs/numerics.md derives the error
// (at most 1.51 ulp for sigmoid, 1.96 for tanh, over all 2^32 inputs) and io.github.cellfuse.java.Activations is the twin in Java:
// whoever changes a line here changes it there.
#pragma OPENCL FP_CONTRACT OFF

// Lanes of one work-item's vectors: 16 for 512-bit registers, 8 for 256, 4 for 128; GPUs 1 to 4.
#ifndef VEC
#define VEC 4
#endif

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

// For what stands at a multiple of VEC floats in its buffer. OpenCL promises a vload no more than a float's alignment, whereupon some
// compilers for GPUs load lane by lane.
#if VEC == 4
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

// z·log2(e), rounded to an integer in the low bits of the sum: 1.5·2^23 leaves no room for a fraction.
#define ROUND_TO_INT 12582912.0f

// z - n·ln 2. The first fma is exact; the second subtracts what ln 2 has beyond 24 bits.
inline floatv reduce(floatv z, floatv n) {
  return fma(n, (floatv)(0x1.05c610p-29f), fma(n, (floatv)(-0x1.62e430p-1f), z));
}

// num / (one + e) for one + e in [1,2]. The guess is exact at 1 and 2, so tiny arguments pass unchanged. The residual is that of
// the unrounded sum: num - one·q is exact, as the two are near one another.
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
  z = z < (floatv)(-104.0f) ? (floatv)(-104.0f) : z;  // a NaN stays one, as fmax would not let it
  floatv t = fma(z, (floatv)(0x1.715476p+0f), (floatv)(ROUND_TO_INT));
  floatv r = reduce(z, t - (floatv)(ROUND_TO_INT));
  // 2^(n+32) is a normal number for every n down to -150; the product comes down to its place, denormal or not, at the end.
  floatv scale = as_floatv((as_intv(t) << 23) + (intv)(0x4F800000));
  floatv e = fma(expm1_reduced(r), scale, scale) * (floatv)(0x1p-32f);
  return quotient(x < (floatv)(0.0f) ? e : (floatv)(1.0f), (floatv)(1.0f), e);
}

// The hyperbolic tangent; exact at ±0. Called tanh_ because tanh is OpenCL's own, differently rounded by every device.
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

// Both functions over n·VEC values: the opening self-test of a device and the exhaustive test run this.
//   x, s, t [n·VEC]; global size n
__kernel void lstm_activations(__global const float* restrict x, __global float* restrict s, __global float* restrict t) {
  size_t i = get_global_id(0);
  floatv v = vloadv(i, x);
  vstorev(sigmoid(v), i, s);
  vstorev(tanh_(v), i, t);
}
