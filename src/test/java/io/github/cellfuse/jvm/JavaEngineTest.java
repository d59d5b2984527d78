package io.github.cellfuse.jvm;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineContract;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.RandomLstm;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The {@code java} device with the JVM's vectors, which Surefire switches on; {@link PlainJavaEngineTest} is without.
 */
class JavaEngineTest extends EngineContract {
    @Override
    protected Device device() {
        return Device.JAVA;
    }

    /** The arithmetic under test. */
    ArithmeticChoice arithmetic() {
        return ArithmeticChoice.best();
    }

    /** What its choice has to say. */
    String expectedReason() {
        return "vectors of [0-9]+ floats \\(jdk.incubator.vector\\)";
    }

    @Override
    protected LstmEngine open(LstmModel model) {
        return open(model, options());
    }

    private LstmEngine open(LstmModel model, EngineOptions options) {
        return new JavaEngine(model, options, new ModelWeights(model, this::arithmetic, this::arithmetic, 0));
    }

    /** In the middle of an engine's life and between two pieces of a sequence, too. */
    @Test
    void theArithmeticChangesWithTheWorkAndNoBitDoes() {
        Random random = new Random(4);
        LstmModel model = RandomLstm.model(random, 2, 5, 20, false, true);
        LstmInput input = full(RandomLstm.input(random, model, 10, 6));
        ArithmeticChoice first = ArithmeticChoice.choose("off", true, "");
        ModelWeights weights = new ModelWeights(model, () -> first, this::arithmetic, 5e6);
        try (LstmEngine engine = new JavaEngine(model, options(), weights);
                LstmSession session = engine.newSession();
                LstmSession other = engine.newSession()) {
            assertTrue(engine.explain(10, 6).endsWith(first.reason()), engine.explain(10, 6));
            LstmOutput expected = session.run(input);
            int runs = 1;
            while (engine.explain(10, 6).endsWith(first.reason())) {
                Bits.assertSame("run " + runs, expected, session.run(input));
                assertTrue(runs++ < 100, "never changes");
            }
            assertTrue(runs > 1, "changes at once");
            Bits.assertSame("after the change", expected, session.run(input));
            Bits.assertSame("another session", expected, other.run(input));
        }
    }

    @Test
    void noOtherArithmeticWasPickedSilently() {
        LstmModel model = RandomLstm.model(new Random(3), 1, 2, 3, false, true);
        try (LstmEngine engine = open(model)) {
            String explained = engine.explain(4, 5);
            assertTrue(explained.matches(".*, " + expectedReason()), explained);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void theNumberOfThreadsDoesNotMatter(long seed) {
        RandomLstm random = RandomLstm.any(seed);
        LstmOutput expected = run(random, 1);
        for (int threads : new int[] {2, 3, 8}) {
            Bits.assertSame(random + ", " + threads + " threads", expected, run(random, threads));
        }
    }

    /** What runs still writes to the caller's arrays, so nothing may run any more when an interrupted call returns. */
    @Test
    void anInterruptedRunLeavesNothingRunning() throws Exception {
        Random random = new Random(1);
        LstmModel model = RandomLstm.model(random, 1, 64, 128, false, true);
        LstmInput input = full(RandomLstm.input(random, model, 64, 100));
        LstmOutput output = LstmOutput.allocate(model, input);
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            Thread.currentThread().interrupt();
            assertThrows(CellFuseException.class, () -> session.run(input, output));
            assertTrue(Thread.interrupted(), "the interruption is passed on");
            float[] before = output.finalState().c().clone();
            Thread.sleep(500);
            Bits.assertSame("final c afterwards", before, output.finalState().c());
            LstmOutput expected = session.run(input);
            session.run(input, output);
            Bits.assertSame("the next run", expected, output);
        }
    }

    private LstmOutput run(RandomLstm random, int threads) {
        try (LstmEngine engine = open(random.model(), EngineOptions.DEFAULT.withThreads(threads));
                LstmSession session = engine.newSession()) {
            return session.run(random.input());
        }
    }

    private static LstmInput full(LstmInput input) {
        return input.withLengths(
                IntStream.generate(input::steps).limit(input.rows()).toArray());
    }
}
