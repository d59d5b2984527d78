package io.github.cellfuse.cli.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.RandomLstm;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RecordedLstmTest {
    private final Random random = new Random(7);

    /** The states of a stream are zeros at first, so the last call says more than the first. */
    @Test
    void theLastOfTheLargestBatchesIsRemembered() {
        LstmModel model = RandomLstm.model(random, 1, 2, 3, false, true);
        try (RecordedLstm engine = new RecordedLstm(model, false);
                LstmSession session = engine.newSession()) {
            assertEquals(Optional.empty(), engine.batch());
            float[] shared = {1, 2, 3, 4};
            session.run(LstmInput.batchMajor(shared, 2, 1));
            shared[0] = 5;
            LstmInput last = LstmInput.batchMajor(shared, 1, 2)
                    .withLengths(1)
                    .withInitialState(RandomLstm.state(random, model, 1));
            session.run(last);
            float[] state = last.initialState().orElseThrow().c().clone();
            shared[0] = 9;
            last.initialState().orElseThrow().c()[0] = 9;
            session.run(LstmInput.batchMajor(new float[2], 1, 1));
            LstmInput kept = engine.batch().orElseThrow();
            assertEquals(5, kept.x().get(0));
            assertArrayEquals(new int[] {1}, kept.lengths());
            assertArrayEquals(state, kept.initialState().orElseThrow().c());
        }
    }

    @Test
    void theFirstOfTheLargestBatchesIsRemembered() {
        LstmModel model = RandomLstm.model(random, 1, 2, 3, false, true);
        try (RecordedLstm engine = new RecordedLstm(model, true);
                LstmSession session = engine.newSession()) {
            session.run(LstmInput.batchMajor(new float[] {1, 1}, 1, 1));
            session.run(LstmInput.batchMajor(new float[] {2, 2, 2, 2}, 2, 1));
            session.run(LstmInput.batchMajor(new float[] {3, 3, 3, 3}, 1, 2));
            assertEquals(2, engine.batch().orElseThrow().x().get(0));
        }
    }
}
