// requires: activations
//
// The functions that a cell may have besides sigmoid and tanh: with those, the eleven of ONNX's operator LSTM, as *defined* operations.
//
//      Relu             x ≤ 0 ? 0 : x                     HardSigmoid  α·x + β, kept within 0 and 1
//      LeakyRelu        x < 0 ? α·x : x                   Elu          x < 0 ? α·(e^x - 1) : x
//      ThresholdedRelu  x < α ? 0 : x                     Softsign     x / (1 + |x|)
//      Affine           α·x + β                           Softplus     ln(1 + e^x)
//      ScaledTanh       α·tanh(β·x)
//
// All comparisons are such that a NaN stays one. docs/numerics.md has the sequences and their errors, and
// io.github.cellfuse.java.Activations is the twin in Java: whoever changes a line here changes it there.

// e^x - 1 for x ≤ 0, as tanh has it of -2|x|; -1 from -17.4 on.
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

// |x|/(1+|x|) with both scaled by a power of two, so that the sum is within [1,2] as the guess of its reciprocal wants it. Beyond 2^26
// the quotient is 1.
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
  // What the rounded sum lacks: exact, the larger term first.
  floatv lost = a < (floatv)(1.0f) ? num - (d - one) : one - (d - num);
  floatv residual = fma(-q, lost, fma(-q, d, num));
  q = fma(residual, r, q);
  return as_floatv(as_intv(q) | (as_intv(x) & (intv)(0x80000000)));
}

// max(x, 0) + ln(1 + u) with u = e^-|x|; ln(1 + u) = 2·artanh(s/2) with s = u/(1 + u/2), s ≤ 2/3. What the rounded u lacks comes in by the
// slope 1/(1 + u), of which three terms in s are plenty.
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

// All of them in one form, as a build option names them: f_elu(x, α, β). Which one a cell has is known when it is compiled, and nothing of the
// others is: some compilers would keep all branches of a choice, each with its multiply-adds.
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
