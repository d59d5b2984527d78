package io.github.cellfuse.verify;

import java.util.Arrays;

/**
 * The errors of chains {@code s = fma(x_k, w_k, s)} with the same inputs {@code x}, which have errors: a running error
 * analysis (Higham 2002, §3.3). A computed sum is exactly the true sum, plus the contribution of the inputs' errors,
 * {@code Σ w_k·δx_k}, plus the roundings of the partial sums {@code s_k}, each at most {@code u·|ŝ_k|}. With
 * {@code |ŝ_k| ≤ |s_k| + T} the total {@code T} solves
 *
 * <pre>
 *   T = Σ|w_k|·δx_k + Σ u·|s_k| + n·u·T                              (worst case)
 *   T = sqrt(Σ (w_k·δx_k)² + λ²·Σ (u·|s_k|)²) + λ·sqrt(n)·u·T        (independent errors)
 * </pre>
 *
 * All chains advance together, one input at a time, so that the JVM computes several of them with one instruction.
 */
final class ChainErrors {
    /** Chains that advance through all inputs before the next ones do: their sums stay in the nearest cache. */
    private static final int BLOCK = 256;

    private final DeviceArithmetic arithmetic;
    private final double u, underflow, product;
    private final double[] sum, largest, worst, squares, inherited;
    private long length;

    /** Chains whose number is {@code count}. */
    ChainErrors(DeviceArithmetic arithmetic, int count) {
        this.arithmetic = arithmetic;
        u = arithmetic.unitRoundoff();
        underflow = arithmetic.roundings() * arithmetic.underflow();
        product = arithmetic.fused() ? 0 : 1;
        sum = new double[count];
        largest = new double[count];
        worst = new double[count];
        squares = new double[count];
        inherited = new double[count];
    }

    /** Begins all chains at zero. */
    void begin() {
        for (double[] each : new double[][] {sum, largest, worst, squares}) {
            Arrays.fill(each, 0);
        }
        length = 0;
    }

    /** Sets where chain {@code j} begins: an exact value. */
    void start(int j, double value) {
        sum[j] = value;
    }

    /** Continues the chains with {@code x[k]·w[k][chain]}. */
    void add(double[][] w, double[] x, TensorErrors dx) {
        boolean independent = dx.groups() == null;
        for (int from = 0; from < sum.length; from += BLOCK) {
            int to = Math.min(sum.length, from + BLOCK);
            for (int k = 0; k < x.length; k++) {
                round(w[k], x[k], from, to);
                inheritWorst(w[k], dx.worst()[k], from, to);
                if (independent) {
                    inheritSquare(w[k], dx.probable()[k], from, to);
                }
            }
        }
        if (!independent) {
            inheritGroups(w, dx);
        }
        length += x.length;
    }

    private void round(double[] w, double x, int from, int to) {
        for (int j = from; j < to; j++) {
            double added = w[j] * x, next = sum[j] + added;
            double rounded = Math.abs(next) + (product == 0 ? 0 : Math.abs(added));
            double rounding = u * rounded + underflow;
            sum[j] = next;
            worst[j] += rounding;
            squares[j] += CellError.LAMBDA * CellError.LAMBDA * rounding * rounding;
            largest[j] = Math.max(largest[j], rounded);
        }
    }

    private void inheritWorst(double[] w, double dx, int from, int to) {
        if (dx != 0) {
            for (int j = from; j < to; j++) {
                worst[j] += Math.abs(w[j]) * dx;
            }
        }
    }

    private void inheritSquare(double[] w, double dx, int from, int to) {
        if (dx != 0) {
            for (int j = from; j < to; j++) {
                double error = w[j] * dx;
                squares[j] += error * error;
            }
        }
    }

    /** Within a group, errors are the same and add up; groups are independent of each other. */
    private void inheritGroups(double[][] w, TensorErrors dx) {
        int[] groups = dx.groups();
        for (int group = 0; group < groups.length; group++) {
            Arrays.fill(inherited, 0);
            boolean any = false;
            for (int k = 0; k < groups.length; k++) {
                if (groups[k] == group) {
                    any = true;
                    for (int j = 0; j < inherited.length; j++) {
                        inherited[j] += Math.abs(w[k][j]) * dx.probable()[k];
                    }
                }
            }
            for (int j = 0; any && j < inherited.length; j++) {
                squares[j] += inherited[j] * inherited[j];
            }
        }
    }

    /** Returns the sum of chain {@code j} in double precision. */
    double sum(int j) {
        return sum[j];
    }

    double worst(int j) {
        double ownShare = (double) length * arithmetic.roundings() * u;
        return total(j, ownShare, worst[j]);
    }

    double probable(int j) {
        double ownShare = CellError.LAMBDA * Math.sqrt((double) length * arithmetic.roundings()) * u;
        return total(j, ownShare, Math.sqrt(squares[j]));
    }

    /** If float32 can't hold a partial sum, everything after it is meaningless, even if the full sum is small again. */
    private double total(int j, double ownShare, double errors) {
        double total = ownShare < 1 ? errors / (1 - ownShare) : Double.POSITIVE_INFINITY;
        return largest[j] + total < Float.MAX_VALUE ? total : Double.POSITIVE_INFINITY;
    }
}
