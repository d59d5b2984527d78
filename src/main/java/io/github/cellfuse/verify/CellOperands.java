package io.github.cellfuse.verify;

import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.verify.CellFault.Operand;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What one cell computed its values from, as the device has it.
 *
 * @param weights of the direction
 * @param x features {@code [I]}
 * @param h hidden state before the step {@code [P]}
 * @param c cell state before the step {@code [H]}
 * @param values the values that the step computed
 */
record CellOperands(LstmWeights weights, float[] x, float[] h, float[] c, Map<CellValue, float[]> values) {

    /**
     * Takes one cell out of several; the arrays have the cells one after the other, and {@code values} at {@code at}.
     */
    static CellOperands of(
            LstmWeights weights, float[] x, float[] h, float[] c, int cell, Map<CellValue, float[]> values, int at) {
        Map<CellValue, float[]> own = new EnumMap<>(CellValue.class);
        values.forEach((quantity, all) -> own.put(
                quantity,
                part(all, at, quantity == CellValue.HIDDEN_STATE ? weights.outputSize() : weights.hiddenSize())));
        return new CellOperands(
                weights,
                part(x, cell, weights.inputSize()),
                part(h, cell, weights.outputSize()),
                part(c, cell, weights.hiddenSize()),
                own);
    }

    private static float[] part(float[] all, int place, int width) {
        float[] part = new float[width];
        System.arraycopy(all, place * width, part, 0, width);
        return part;
    }

    /** Returns the number of products of a quantity that is a sum; otherwise 0. */
    int products(CellValue quantity) {
        if (quantity.isPreactivation()) {
            return weights.inputSize() + weights.outputSize();
        }
        return quantity == CellValue.HIDDEN_STATE && weights.hasProjection() ? weights.hiddenSize() : 0;
    }

    /** Returns the operands of a quantity of unit {@code unit}. */
    List<Operand> of(CellValue quantity, int unit) {
        List<Operand> operands = new ArrayList<>();
        switch (quantity) {
            case INPUT_PREACTIVATION, FORGET_PREACTIVATION, CANDIDATE_PREACTIVATION, OUTPUT_PREACTIVATION -> {
                int row = quantity.ordinal() * weights.hiddenSize() + unit;
                float input = largest(weights.input(), row, x), hidden = largest(weights.recurrent(), row, h);
                operands.add(new Operand("bias", weights.bias()[row]));
                operands.add(new Operand("largest product with x", input));
                operands.add(new Operand("largest product with h", hidden));
            }
            case INPUT_GATE -> addGate(operands, CellValue.INPUT_PREACTIVATION, 0, unit, c[unit]);
            case FORGET_GATE -> {
                if (weights.equations().coupled()) {
                    add(operands, CellValue.INPUT_GATE, unit);
                } else {
                    addGate(operands, CellValue.FORGET_PREACTIVATION, 1, unit, c[unit]);
                }
            }
            case CANDIDATE -> add(operands, CellValue.CANDIDATE_PREACTIVATION, unit);
            case CELL_STATE -> {
                add(operands, CellValue.FORGET_GATE, unit);
                operands.add(new Operand("c before", c[unit]));
                add(operands, CellValue.INPUT_GATE, unit);
                add(operands, CellValue.CANDIDATE, unit);
            }
            case OUTPUT_GATE ->
                addGate(operands, CellValue.OUTPUT_PREACTIVATION, 2, unit, values.get(CellValue.CELL_STATE)[unit]);
            case UNPROJECTED -> addHidden(operands, unit);
            case HIDDEN_STATE -> {
                if (weights.hasProjection()) {
                    float[] m = values.get(CellValue.UNPROJECTED);
                    operands.add(new Operand(
                            "largest product with m",
                            largest(weights.projection().orElseThrow(), unit, m)));
                } else {
                    addHidden(operands, unit);
                }
            }
        }
        return operands;
    }

    private void addGate(List<Operand> operands, CellValue preactivation, int peephole, int unit, float cell) {
        add(operands, preactivation, unit);
        weights.peepholes().ifPresent(p -> {
            operands.add(new Operand("peephole", p[peephole * weights.hiddenSize() + unit]));
            operands.add(new Operand(preactivation == CellValue.OUTPUT_PREACTIVATION ? "c" : "c before", cell));
        });
    }

    private void addHidden(List<Operand> operands, int unit) {
        add(operands, CellValue.OUTPUT_GATE, unit);
        add(operands, CellValue.CELL_STATE, unit);
    }

    private void add(List<Operand> operands, CellValue quantity, int unit) {
        operands.add(new Operand(quantity.toString(), values.get(quantity)[unit]));
    }

    /** Returns the product of largest magnitude of a row of {@code matrix} and {@code vector}. */
    private static float largest(float[] matrix, int row, float[] vector) {
        float largest = 0;
        for (int k = 0; k < vector.length; k++) {
            float product = matrix[row * vector.length + k] * vector[k];
            // A NaN stays.
            largest = Float.isNaN(largest) || Math.abs(product) <= Math.abs(largest) ? largest : product;
        }
        return largest;
    }
}
