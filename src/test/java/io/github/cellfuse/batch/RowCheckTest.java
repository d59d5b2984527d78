package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.RandomLstm;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowCheckTest {
    /** Of any model, layout, lengths and states: a right row is right, and each value of it counts. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void everyValueOfARowCounts(long seed) {
        RandomLstm random = RandomLstm.of(seed);
        LstmModel model = random.model();
        LstmInput input = random.input();
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession session = java.newSession()) {
            LstmOutput output = session.run(input), states = LstmOutput.statesOnly(model, input);
            session.run(input, states);
            for (int row = 0; row < input.rows(); row++) {
                assertEquals(Optional.empty(), check(model, row, input, output).difference(session), random + "");
                assertEquals(Optional.empty(), check(model, row, input, states).difference(session), random + "");
                int step = row % input.steps(), unit = row % model.outputSize();
                int at = input.offset(row, step, model.outputSize()) + unit;
                float right = output.y().get(at);
                output.y().put(at, right + 1);
                assertFound("y at step " + step + ", unit " + unit, check(model, row, input, output), session);
                output.y().put(at, right);
                assertStateCounts(
                        "h_n", model, model.hiddenWidths(), output.finalState().h(), row, input, output, session);
                assertStateCounts(
                        "c_n", model, model.cellWidths(), states.finalState().c(), row, input, states, session);
            }
        }
    }

    private static RowCheck check(LstmModel model, int row, LstmInput input, LstmOutput output) {
        return RowCheck.copy(model, 1000 + row, row, input.steps(), input, output);
    }

    private static void assertStateCounts(
            String name,
            LstmModel model,
            int[] widths,
            float[] values,
            int row,
            LstmInput input,
            LstmOutput output,
            LstmSession session) {
        int below = 0;
        for (int state = 0; state < widths.length; state++) {
            int unit = row % widths[state], at = below * input.rows() + row * widths[state] + unit;
            float right = values[at];
            values[at] = right + 1;
            RowCheck check = check(model, row, input, output);
            values[at] = right; // it has a copy
            assertFound(name + " at state " + state + ", unit " + unit, check, session);
            below += widths[state];
        }
    }

    private static void assertFound(String where, RowCheck check, LstmSession session) {
        String found = check.difference(session).orElse("nothing");
        assertTrue(found.startsWith(where + ": expected "), found + " instead of " + where);
    }

    /** The first steps of a row: its states are those of a later one, and aren't compared. */
    @Test
    void firstStepsOfARow() {
        LstmModel model = RandomLstm.model(new Random(1), Direction.FORWARD, 2, 3, 4, false, true);
        LstmInput input = RandomLstm.input(new Random(2), model, 5, 20);
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession session = java.newSession()) {
            LstmOutput output = session.run(input);
            for (int row = 0; row < 5; row++) {
                for (int steps = 1; steps <= 20; steps++) {
                    RowCheck check = RowCheck.copy(model, row, row, steps, input, output);
                    assertEquals(Optional.empty(), check.difference(session));
                    assertEquals(Math.min(steps, input.lengths()[row]) * model.flopsPerStep(), check.flops());
                }
            }
            int at = input.offset(3, 7, model.outputSize());
            output.y().put(at, output.y().get(at) + 1);
            assertEquals(
                    Optional.empty(),
                    RowCheck.copy(model, 3, 3, 7, input, output).difference(session));
            assertFound("y at step 7, unit 0", RowCheck.copy(model, 3, 3, 8, input, output), session);
        }
    }
}
