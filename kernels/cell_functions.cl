// requires: activations
//
// The functions that a cell may use besides sigmoid and tanh, as *defined* operations. With those two they are the
// eleven functions of ONNX's operator LSTM.
//
//      Relu             x ≤ 0 ? 0 : x                     HardSigmoid  α·x + β, kept within 0 and 1
//      LeakyRelu        x < 0 ? α·x : x                   Elu          x < 0 ? α·(e^x - 1) : x
//      ThresholdedRelu  x < α ? 0 : x                     Softsign     x / (1 + |x|)
//      Affine           α·x + β                           Softplus     ln(1 + e^x)
//      ScaledTanh       α·tanh(β·x)
//
// All comparisons keep a NaN. docs/design/numerics.md lists the sequences of operations and their errors.
// io.github.cellfuse.jvm.Activations performs the same operations in Java. Change both together.

// e^x - 1 for x ≤ 0, computed as tanh_ computes it for -2|x|. It is -1 for x ≤ -17.4.
inline floatv expm1_of_negative(floatv x) {
  floatv z = x < (floatv)(-20.0f) ? (floatv)(-20.0f) : x;
  floatv t = fma(z, (floatv)(0x1.715476p+0f), (floatv)(ROUND_TO_INT));
  floatv r = reduce(z, t - (floatv)(ROUND_TO_INT));
  floatv scale = as_floatv((as_intv(t) << 23) + (intv)(0x3F800000));
  return fma(expm1_reduced(r), scale, scale - (floatv)(1.0f));
}

inline floatv elu(floatv x, floatv alpha) {
  floatv m = expm1_of_negative(x < (floatv)(0.0f) ? x : (floatv)(-0.0f));
  return x < (floatv)(0.0f) ? alpha * m : x;
}

// |x|/(1+|x|). A power of two scales both so that the sum is in [1,2], where the guess of the reciprocal is valid.
// Beyond 2^26 the quotient is 1.
inline floatv softsign(floatv x) {
  floatv a = fabs(x);
  a = a > (floatv)(0x1p26f) ? (floatv)(0x1p26f) : a;
  floatv one = as_floatv((intv)(0x7F000000) - (as_intv((floatv)(1.0f) + a) & (intv)(0x7F800000)));
  floatv num = a * one;
  floatv d = one + num;
  floatv r = fma(fma((floatv)(0.34375f), d, (floatv)(-1.53125f)), d, (floatv)(2.1875f));
  floatv error = fma(-d, r, (floatv)(1.0f));
  r = fma(r, fma(error, error, error), r);
  floatv q = num * r;
  // The rounding error of the sum; exact, because the larger term comes first.
  floatv lost = a < (floatv)(1.0f) ? num - (d - one) : one - (d - num);
  floatv residual = fma(-q, lost, fma(-q, d, num));
  q = fma(residual, r, q);
  return as_floatv(as_intv(q) | (as_intv(x) & (intv)(0x80000000)));
}

// max(x, 0) + ln(1 + u) with u = e^-|x|; ln(1 + u) = 2·artanh(s/2) with s = u/(1 + u/2), s ≤ 2/3. The rounding error
// of u is added times the slope 1/(1 + u), for which three terms in s are enough.
inline floatv softplus(floatv x) {
  floatv z = -fabs(x);
  z = z < (floatv)(-104.0f) ? (floatv)(-104.0f) : z;
  floatv t = fma(z, (floatv)(0x1.715476p+0f), (floatv)(ROUND_TO_INT));
  floatv r = reduce(z, t - (floatv)(ROUND_TO_INT));
  floatv scale = as_floatv((as_intv(t) << 23) + (intv)(0x4F800000));
  floatv m = expm1_reduced(r);
  floatv e = fma(m, scale, scale);
  floatv u = e * (floatv)(0x1p-32f), lost = fma(m, scale, scale - e) * (floatv)(0x1p-32f);
  floatv s = quotient(u, (floatv)(1.0f), (floatv)(0.5f) * u);
  floatv w = s * s;
  floatv p = fma((floatv)(0x1.1eca06p-11f), w, (floatv)(0x1.1ec042p-9f));
  p = fma(p, w, (floatv)(0x1.99d1ccp-7f));
  p = fma(p, w, (floatv)(0x1.555502p-4f));
  floatv slope = fma((floatv)(0.5f), w, (floatv)(1.0f) - s);
  floatv log1p = s + fma(p * w, s, lost * slope);
  return (x > (floatv)(0.0f) ? x : (floatv)(0.0f)) + log1p;
}

// All functions in one form, f_elu(x, α, β), under the names that build options use. A build option selects the
// function of a cell, because some compilers keep all branches of a switch, each with its multiply-adds.
inline floatv f_sigmoid(floatv x, float alpha, float beta) { return sigmoid(x); }
inline floatv f_tanh(floatv x, float alpha, float beta) { return tanh_(x); }
inline floatv f_relu(floatv x, float alpha, float beta) { return x <= (floatv)(0.0f) ? (floatv)(0.0f) : x; }
inline floatv f_affine(floatv x, float alpha, float beta) { return fma((floatv)(alpha), x, (floatv)(beta)); }
inline floatv f_leaky_relu(floatv x, float alpha, float beta) { return x < (floatv)(0.0f) ? (floatv)(alpha) * x : x; }
inline floatv f_thresholded_relu(floatv x, float alpha, float beta) { return x < (floatv)(alpha) ? (floatv)(0.0f) : x; }
inline floatv f_scaled_tanh(floatv x, float alpha, float beta) { return (floatv)(alpha) * tanh_((floatv)(beta) * x); }
inline floatv f_hard_sigmoid(floatv x, float alpha, float beta) {
  floatv y = fma((floatv)(alpha), x, (floatv)(beta));
  y = y < (floatv)(0.0f) ? (floatv)(0.0f) : y;
  return y > (floatv)(1.0f) ? (floatv)(1.0f) : y;
}
inline floatv f_elu(floatv x, float alpha, float beta) { return elu(x, (floatv)(alpha)); }
inline floatv f_softsign(floatv x, float alpha, float beta) { return softsign(x); }
inline floatv f_softplus(floatv x, float alpha, float beta) { return softplus(x); }
