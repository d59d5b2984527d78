package io.github.cellfuse.cli.trace;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.spi.LayerTrace;
import java.util.Arrays;

/**
 * Which step wrote what a cell holds. Step t adds {@code i⊙C̃} to the cell, and each later step keeps the share f of
 * it, so after the last step {@code C = C₀⊙∏f + Σ_t i_t⊙C̃_t⊙∏_{s>t} f_s}: a sum with a part for each step.
 */
public final class CellOrigins {
    private CellOrigins() {}

    /**
     * Returns the parts of what a forward layer's cells hold after a row's last step.
     *
     * @return {@code [T,H]}, by the step that wrote them; what an initial state adds is left out
     */
    static double[][] parts(TracedBatch trace, int layer, int row) {
        LstmLayer sizes = trace.model().layer(layer);
        LayerTrace values = trace.layers().get(layer);
        float[] i = values.of(CellValue.INPUT_GATE);
        float[] f = values.of(CellValue.FORGET_GATE);
        float[] g = values.of(CellValue.CANDIDATE);
        int units = sizes.hiddenSize(), steps = trace.input().lengths()[row];
        double[][] parts = new double[steps][units];
        double[] kept = new double[units];
        Arrays.fill(kept, 1);
        for (int step = steps - 1; step >= 0; step--) {
            int at = (step * trace.input().rows() + row) * units;
            for (int unit = 0; unit < units; unit++) {
                parts[step][unit] = (double) i[at + unit] * g[at + unit] * kept[unit];
                kept[unit] *= f[at + unit];
            }
        }
        return parts;
    }

    /** Returns by step which share of what it wrote is still there after the last step: {@code [T]}, 0 to 1. */
    public static double[] kept(TracedBatch trace, int layer, int row) {
        double[][] parts = parts(trace, layer, row);
        float[] i = trace.layers().get(layer).of(CellValue.INPUT_GATE);
        float[] g = trace.layers().get(layer).of(CellValue.CANDIDATE);
        double[] kept = new double[parts.length];
        for (int step = 0; step < parts.length; step++) {
            int units = parts[step].length, at = (step * trace.input().rows() + row) * units;
            double written = 0;
            for (int unit = 0; unit < units; unit++) {
                kept[step] += Math.abs(parts[step][unit]);
                written += Math.abs((double) i[at + unit] * g[at + unit]);
            }
            kept[step] = written > 0 ? kept[step] / written : 0;
        }
        return kept;
    }
}
