package io.github.cellfuse.cli.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.spi.LayerTrace;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TracedLstmTest {
    private static final int ROWS = 2, STEPS = 3;

    private final Random random = new Random(11);
    private final LstmModel model = RandomLstm.model(random, 2, 3, 4, false, true);

    @Test
    void theRunHasItsBitsAndItsTrace() {
        LstmInput input = input();
        LstmOutput expected;
        TracedBatch usual;
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession session = java.newSession()) {
            expected = session.run(input);
            usual = TracedBatch.run("", java, input, new int[] {0, 1});
        }
        try (TracedLstm traced = TracedLstm.of(LstmEngine.open(Device.JAVA, model));
                LstmSession session = traced.newSession()) {
            assertThrows(IllegalStateException.class, () -> traced.last(input.lengths(), true));
            assertSame(traced, session.engine());
            LstmOutput found = session.run(input);
            assertEquals(expected.y(), found.y());
            assertArrayEquals(expected.finalState().h(), found.finalState().h());
            assertArrayEquals(expected.finalState().c(), found.finalState().c());
            TracedBatch batch = traced.last(input.lengths(), true);
            assertEquals(2, batch.layers().size());
            for (int layer = 0; layer < 2; layer++) {
                LayerTrace one = usual.layers().get(layer),
                        other = batch.layers().get(layer);
                for (CellValue quantity : CellValue.values()) {
                    assertArrayEquals(one.of(quantity), other.of(quantity), quantity.toString());
                }
            }
        }
    }

    /** A graph pads shorter sentences, and uses its memory again. */
    @Test
    void theLastRunIsKeptWithTheLengthsThatAreAskedFor() {
        try (TracedLstm traced = TracedLstm.of(LstmEngine.open(Device.JAVA, model));
                LstmSession session = traced.newSession()) {
            session.run(LstmInput.batchMajor(new float[3], 1, 1));
            LstmInput input = input();
            session.run(input);
            float first = input.x().get(0),
                    state = input.initialState().orElseThrow().c()[0];
            input.x().put(0, 9);
            input.initialState().orElseThrow().c()[0] = 9;
            TracedBatch batch = traced.last(new int[] {3, 1}, false);
            assertEquals(first, batch.input().x().get(0));
            assertEquals(state, batch.input().initialState().orElseThrow().c()[0]);
            assertArrayEquals(new int[] {3, 1}, batch.input().lengths());
            assertArrayEquals(new int[] {0, 1}, batch.rowNumbers());
            assertFalse(batch.hasSameBits());
            assertEquals(1, CellOrigins.kept(batch, 1, 1).length);
        }
    }

    @Test
    void anEngineThatCannotBeTracedIsRefusedAndClosed() {
        LstmEngine reference = LstmEngine.open(Device.REFERENCE, model);
        String message = assertThrows(InvalidInputException.class, () -> TracedLstm.of(reference))
                .getMessage();
        assertTrue(message.contains("reference can't be traced"), message);
        assertThrows(IllegalStateException.class, reference::newSession);
    }

    @Test
    void itClosesTheEngine() {
        LstmEngine java = LstmEngine.open(Device.JAVA, model);
        TracedLstm.of(java).close();
        assertThrows(IllegalStateException.class, java::newSession);
    }

    private LstmInput input() {
        return LstmInput.batchMajor(RandomLstm.values(random, ROWS * STEPS * 3, 1), ROWS, STEPS)
                .withInitialState(RandomLstm.state(random, model, ROWS));
    }
}
