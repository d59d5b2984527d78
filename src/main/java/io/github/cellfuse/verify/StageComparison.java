package io.github.cellfuse.verify;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import java.util.OptionalInt;

/**
 * The values of one stage, to be compared.
 *
 * @param model the model of this stage
 * @param input the whole batch
 * @param sample the judged rows as a batch of their own
 * @param rows indices of the judged rows in the whole batch
 * @param device the device's results for the whole batch
 * @param expected the Java engine's results for the whole batch
 * @param bound double-precision results and error bounds of the sample
 */
record StageComparison(
        LstmModel model,
        LstmInput input,
        LstmInput sample,
        int[] rows,
        LstmOutput device,
        LstmOutput expected,
        ErrorBound bound) {

    StageReport report(String name) {
        Tally y = new Tally();
        StepRanges ranges = new StepRanges(input.steps());
        OptionalInt firstDifferingStep = compareOutputs(y, ranges);
        judgeOutputs(y, ranges);
        return new StageReport(
                name,
                y.result(),
                states(
                        device.finalState().h(),
                        expected.finalState().h(),
                        bound.exact().h(),
                        bound.h(),
                        model.hiddenWidths()),
                states(
                        device.finalState().c(),
                        expected.finalState().c(),
                        bound.exact().c(),
                        bound.c(),
                        model.cellWidths()),
                ranges.result(),
                firstDifferingStep);
    }

    private OptionalInt compareOutputs(Tally y, StepRanges ranges) {
        int width = model.outputSize(), firstStep = input.steps();
        float[] found = new float[width], wanted = new float[width];
        for (int row = 0; row < input.rows(); row++) {
            for (int time = 0; time < input.steps(); time++) {
                int at = input.offset(row, time, width);
                device.y().get(at, found);
                expected.y().get(at, wanted);
                ranges.of(time).compare(row, time, width, found, 0, wanted, 0);
                if (!y.compare(row, time, width, found, 0, wanted, 0)) {
                    firstStep = Math.min(firstStep, time);
                }
            }
        }
        return firstStep < input.steps() ? OptionalInt.of(firstStep) : OptionalInt.empty();
    }

    private void judgeOutputs(Tally y, StepRanges ranges) {
        int width = model.outputSize();
        for (int n = 0; n < rows.length; n++) {
            for (int time = 0; time < input.steps(); time++) {
                int at = input.offset(rows[n], time, width), sampleAt = sample.offset(n, time, width);
                for (int k = 0; k < width; k++) {
                    for (Tally tally : new Tally[] {y, ranges.of(time)}) {
                        tally.judge(
                                rows[n],
                                time,
                                k,
                                device.y().get(at + k),
                                expected.y().get(at + k),
                                bound.exact().y()[sampleAt + k],
                                bound.y().limit(sampleAt + k));
                    }
                }
            }
        }
    }

    /** Compares and judges final states: matrices {@code [N,widths[k]]}, one after the other. */
    private Agreement states(float[] found, float[] expected, double[] exact, TensorErrors errors, int[] widths) {
        Tally tally = new Tally();
        int all = 0, sampled = 0;
        for (int state = 0; state < widths.length; state++) {
            int width = widths[state];
            for (int row = 0; row < input.rows(); row++) {
                for (int k = 0; k < width; k++) {
                    int at = all + row * width + k;
                    tally.compare(state, row, k, found[at], expected[at]);
                }
            }
            for (int n = 0; n < rows.length; n++) {
                for (int k = 0; k < width; k++) {
                    int at = all + rows[n] * width + k;
                    int sampleAt = sampled + n * width + k;
                    tally.judge(state, rows[n], k, found[at], expected[at], exact[sampleAt], errors.limit(sampleAt));
                }
            }
            all += input.rows() * width;
            sampled += rows.length * width;
        }
        return tally.result();
    }
}
