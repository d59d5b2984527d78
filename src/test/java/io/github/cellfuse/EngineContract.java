package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every engine that computes in float32 keeps, whatever the device: a row's bits depend on its own sequence and
 * nothing else. Each device inherits these tests. A case that fails prints its seed; {@code bin/test -Dtest=NAME
 * -Dcellfuse.seed=SEED} begins with it.
 */
public abstract class EngineContract extends SessionContract {
    /**
     * A case: where weights are floats every third one has cells of another kind, for each of which a device compiles
     * its kernels.
     */
    private RandomLstm random(long seed) {
        return options().weights() == WeightPrecision.F32 ? RandomLstm.any(seed) : RandomLstm.of(seed);
    }

    static LongStream seeds() {
        return Extent.seeds(TestEngines.seed(1000), 6, 12);
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("seeds")
    void rowsDoNotDependOnTheirNeighbours(long seed) {
        RandomLstm random = random(seed);
        LstmInput input = random.input();
        int rows = input.rows();
        List<Integer> shuffled =
                new ArrayList<>(IntStream.range(0, rows).boxed().toList());
        Collections.shuffle(shuffled, new Random(seed));
        int cut = new Random(seed).nextInt(rows) + 1;
        try (LstmEngine engine = open(random.model());
                LstmSession session = engine.newSession()) {
            LstmOutput whole = session.run(input);
            for (List<Integer> part : List.of(shuffled.subList(0, cut), shuffled.subList(cut, rows))) {
                if (!part.isEmpty()) {
                    int[] chosen = part.stream().mapToInt(Integer::intValue).toArray();
                    LstmOutput expected = Batches.rows(random.model(), whole, chosen);
                    Bits.assertSame(
                            random + ", rows in another order",
                            expected,
                            session.run(Batches.rows(random.model(), input, chosen)));
                }
            }
        }
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("seeds")
    void aSequenceInTwoPiecesIsTheSequence(long seed) {
        Random random = new Random(seed);
        LstmModel model = forward(random);
        int rows = 1 + random.nextInt(9), steps = 2 + random.nextInt(9);
        float[] x = RandomLstm.values(random, steps * rows * model.inputSize(), 3);
        LstmState initial = RandomLstm.state(random, model, rows);
        LstmInput input = LstmInput.timeMajor(x, rows, steps).withInitialState(initial);
        int cut = 1 + random.nextInt(steps - 1), at = cut * rows * model.inputSize();
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            LstmOutput whole = session.run(input);
            FloatBuffer firstX = input.x().slice(0, at);
            FloatBuffer secondX = input.x().slice(at, input.x().limit() - at);
            LstmOutput first = session.run(
                    LstmInput.of(Layout.TIME_MAJOR, firstX, rows, cut).withInitialState(initial));
            LstmOutput second = session.run(
                    LstmInput.of(Layout.TIME_MAJOR, secondX, rows, steps - cut).withInitialState(first.finalState()));
            int y = cut * rows * model.outputSize();
            String what = "seed " + seed + ", cut after step " + cut + " of " + steps;
            Bits.assertSame(what + ": first y", whole.y().slice(0, y), first.y());
            Bits.assertSame(what + ": second y", whole.y().slice(y, whole.y().limit() - y), second.y());
            Bits.assertSame(
                    what + ": h", whole.finalState().h(), second.finalState().h());
            Bits.assertSame(
                    what + ": c", whole.finalState().c(), second.finalState().c());
        }
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("seeds")
    void bothLayoutsGiveTheSame(long seed) {
        RandomLstm random = random(seed);
        LstmInput input = random.input(), other = Batches.otherLayout(random.model(), input);
        LstmOutput expected = run(random.model(), input), found = run(random.model(), other);
        Bits.assertSame(
                random + ": y", Batches.otherLayout(random.model(), expected).y(), found.y());
        Bits.assertSame(
                random + ": h", expected.finalState().h(), found.finalState().h());
        Bits.assertSame(
                random + ": c", expected.finalState().c(), found.finalState().c());
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("seeds")
    void aShortRowIsTheSequenceThatEndsThere(long seed) {
        Random random = new Random(seed);
        LstmModel model = RandomLstm.model(random, 2, 3, 7, random.nextBoolean(), true);
        int rows = 8, steps = 6;
        int[] lengths = random.ints(rows, 0, steps + 1).toArray();
        lengths[0] = 0;
        LstmState state = RandomLstm.state(random, model, rows);
        LstmInput input = LstmInput.batchMajor(RandomLstm.values(random, rows * steps * 3, 2), rows, steps)
                .withInitialState(state)
                .withLengths(lengths);
        LstmOutput ragged = run(model, input);
        for (int row = 0; row < rows; row++) {
            LstmOutput found = Batches.rows(model, ragged, row);
            int length = lengths[row], width = model.outputSize();
            for (int k = length * width; k < steps * width; k++) {
                assertTrue(Bits.same(0.0f, found.y().get(k)), "seed " + seed + ", row " + row + ": y past its length");
            }
            LstmState own = Batches.rows(model, state, row);
            if (length == 0) {
                Bits.assertSame(
                        "seed " + seed + ": h of a row without steps",
                        own.h(),
                        found.finalState().h());
                Bits.assertSame(
                        "seed " + seed + ": c of a row without steps",
                        own.c(),
                        found.finalState().c());
                continue;
            }
            FloatBuffer x = input.x().slice(row * steps * 3, length * 3);
            LstmOutput alone =
                    run(model, LstmInput.of(Layout.BATCH_MAJOR, x, 1, length).withInitialState(own));
            Bits.assertSame(
                    "seed " + seed + ", row " + row + ": y",
                    alone.y(),
                    found.y().slice(0, length * width));
            Bits.assertSame(
                    "seed " + seed + ", row " + row + ": h",
                    alone.finalState().h(),
                    found.finalState().h());
            Bits.assertSame(
                    "seed " + seed + ", row " + row + ": c",
                    alone.finalState().c(),
                    found.finalState().c());
        }
    }

    @Test
    void aSessionForgetsTheBatchBefore() {
        Random random = new Random(TestEngines.seed(7));
        LstmModel model = RandomLstm.model(random, 2, 5, 20, false, true);
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            for (int rows : new int[] {40, 3, 64, 1, 40}) {
                LstmInput input = RandomLstm.input(random, model, rows, 1 + random.nextInt(8));
                try (LstmSession fresh = engine.newSession()) {
                    Bits.assertSame("N=" + rows, fresh.run(input), session.run(input));
                }
            }
        }
    }

    @Test
    void nanAndInfinityGoThroughAndStayInTheirRow() {
        Random random = new Random(TestEngines.seed(8));
        LstmModel model = RandomLstm.model(random, 1, 3, 9, false, true);
        float[] x = RandomLstm.values(random, 5 * 4 * 3, 1);
        LstmOutput clean = run(model, LstmInput.batchMajor(x.clone(), 5, 4));
        x[1 * 4 * 3] = Float.NaN;
        x[3 * 4 * 3] = Float.POSITIVE_INFINITY;
        LstmOutput found = run(model, LstmInput.batchMajor(x, 5, 4));
        for (int row : new int[] {0, 2, 4}) {
            Bits.assertSame("clean row " + row, Batches.rows(model, clean, row), Batches.rows(model, found, row));
        }
        assertTrue(Float.isNaN(Batches.rows(model, found, 1).y().get(0)), "NaN in the data is NaN in the result");
        float saturated = Batches.rows(model, found, 3).y().get(0);
        assertTrue(Math.abs(saturated) <= 1, "an infinite feature saturates the gates: " + saturated);
    }

    @Test
    void inputIsNotChangedAndBuffersMayBeDirect() {
        Random random = new Random(TestEngines.seed(9));
        LstmModel model = RandomLstm.model(random, 1, 4, 6, false, true);
        float[] values = RandomLstm.values(random, 3 * 5 * 4, 1), copy = values.clone();
        LstmInput heap = LstmInput.batchMajor(values, 3, 5);
        FloatBuffer direct = ByteBuffer.allocateDirect(values.length * 4)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        direct.put(values); // the position at the end must not matter
        LstmOutput expected = run(model, heap);
        Bits.assertSame("direct", expected, run(model, LstmInput.of(Layout.BATCH_MAJOR, direct, 3, 5)));
        assertArrayEquals(copy, values);
        assertEquals(0, heap.x().position());
    }

    @Test
    void whereTheOutputStandsDoesNotMatter() {
        RandomLstm random = RandomLstm.of(TestEngines.seed(6));
        try (LstmEngine engine = open(random.model());
                LstmSession session = engine.newSession()) {
            LstmOutput expected = session.run(random.input());
            FloatBuffer direct = ByteBuffer.allocateDirect(expected.y().limit() * 4) // big-endian, as it happens
                    .asFloatBuffer();
            direct.position(direct.limit());
            LstmOutput found = new LstmOutput(
                    expected.layout(),
                    expected.rows(),
                    expected.steps(),
                    direct,
                    LstmState.zeros(random.model(), expected.rows()));
            session.run(random.input(), found);
            assertEquals(direct.limit(), direct.position());
            Bits.assertSame(random.toString(), expected, found);
        }
    }

    private static LstmModel forward(Random random) {
        LstmModel model;
        do {
            model = RandomLstm.model(
                    random, 1 + random.nextInt(2), 1 + random.nextInt(8), 1 + random.nextInt(40), false, true);
        } while (model.last().direction() != Direction.FORWARD);
        return model;
    }

    /** Ragged lengths cost no order: what comes out is in the caller's order, also when all rows are equally long. */
    @Test
    void orderOfRowsIsKept() {
        LstmModel model = RandomLstm.model(new Random(3), 1, 1, 4, false, true);
        float[] x = new float[50];
        for (int k = 0; k < x.length; k++) {
            x[k] = k * 0.1f;
        }
        LstmOutput all = run(model, LstmInput.batchMajor(x, 50, 1));
        for (int row = 0; row < 50; row += 7) {
            LstmOutput one = run(model, LstmInput.batchMajor(new float[] {x[row]}, 1, 1));
            Bits.assertSame("row " + row, one, Batches.rows(model, all, row));
        }
    }
}
