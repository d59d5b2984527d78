package io.github.cellfuse.verify;

import java.util.Arrays;

/**
 * The error of a chain {@code s = fma(x_k, w_k, s)} whose inputs {@code x} have errors: a running error analysis
 * (Higham 2002, §3.3). The computed sum is exactly the true sum, plus the contribution of the inputs' errors, {@code Σ
 * w_k·δx_k}, plus the roundings of the partial sums {@code s_k}, each at most {@code u·|ŝ_k|}. With {@code |ŝ_k| ≤
 * |s_k| + T} the total {@code T} solves
 *
 * <pre>
 *   T = Σ|w_k|·δx_k + Σ u·|s_k| + n·u·T                              (worst case)
 *   T = sqrt(Σ (w_k·δx_k)² + λ²·Σ (u·|s_k|)²) + λ·sqrt(n)·u·T        (independent errors)
 * </pre>
 */
final class ChainError {
    private final DeviceArithmetic arithmetic;
    private double sum, largest;
    private double worst, squares;
    private long length;
    private double[] byGroup = {};

    ChainError(DeviceArithmetic arithmetic) {
        this.arithmetic = arithmetic;
    }

    /** Begins a chain at an exact value. */
    void begin(double start) {
        sum = start;
        largest = worst = squares = 0;
        length = 0;
    }

    /** Continues the chain with {@code x·w}; the weights begin at {@code offset}. */
    void add(float[] w, int offset, double[] x, TensorErrors dx) {
        double u = arithmetic.unitRoundoff(), underflow = arithmetic.roundings() * arithmetic.underflow();
        double scale = CellError.LAMBDA * CellError.LAMBDA;
        clearGroups(dx);
        for (int k = 0; k < x.length; k++) {
            double weight = w[offset + k], product = weight * x[k];
            sum += product;
            double rounded = Math.abs(sum) + (arithmetic.fused() ? 0 : Math.abs(product));
            double rounding = u * rounded + underflow;
            worst += Math.abs(weight) * dx.worst()[k] + rounding;
            squares += scale * rounding * rounding;
            double inherited = Math.abs(weight) * dx.probable()[k];
            if (dx.groups() == null) {
                squares += inherited * inherited;
            } else {
                byGroup[dx.groups()[k]] += inherited;
            }
            largest = Math.max(largest, rounded);
        }
        addGroups(dx);
        length += x.length;
    }

    private void clearGroups(TensorErrors dx) {
        if (dx.groups() != null) {
            byGroup = byGroup.length < dx.groups().length ? new double[dx.groups().length] : byGroup;
            Arrays.fill(byGroup, 0, dx.groups().length, 0);
        }
    }

    /** Within a group, errors are the same and add up; groups are independent of each other. */
    private void addGroups(TensorErrors dx) {
        for (int k = 0; dx.groups() != null && k < dx.groups().length; k++) {
            squares += byGroup[k] * byGroup[k];
        }
    }

    double worst() {
        double ownShare = (double) length * arithmetic.roundings() * arithmetic.unitRoundoff();
        double total = ownShare < 1 ? worst / (1 - ownShare) : Double.POSITIVE_INFINITY;
        return overflows(total) ? Double.POSITIVE_INFINITY : total;
    }

    double probable() {
        double ownShare =
                CellError.LAMBDA * Math.sqrt((double) length * arithmetic.roundings()) * arithmetic.unitRoundoff();
        double total = ownShare < 1 ? Math.sqrt(squares) / (1 - ownShare) : Double.POSITIVE_INFINITY;
        return overflows(total) ? Double.POSITIVE_INFINITY : total;
    }

    /** If float32 can't hold a partial sum, everything after it is meaningless, even if the full sum is small again. */
    private boolean overflows(double total) {
        return !(largest + total < Float.MAX_VALUE);
    }
}
