package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.OpenCl;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Streams give the bits of each sequence run alone, whatever happens to the others. */
@Tag("extended")
class StreamsTest {
    /** A sequence from its beginning on, in pieces. */
    private static final class Life {
        final List<float[]> x = new ArrayList<>(), y = new ArrayList<>();
        int steps;

        void add(float[] piece, float[] outputs, int length) {
            x.add(piece);
            y.add(outputs);
            steps += length;
        }
    }

    /**
     * Numbers of streams in a call. They are few, because other numbers can mean other tiles, and these other programs.
     */
    private static final int[] SIZES = Extent.of(Stream.of(1, 300), () -> Stream.of(1, 30, 300, 900))
            .mapToInt(Integer::intValue)
            .toArray();

    static List<Device> devices() {
        return TestEngines.all();
    }

    private static LstmModel model(Random random, boolean general) {
        LstmModel model = RandomLstm.model(random, Direction.FORWARD, 2, 3, 10, random.nextBoolean(), true);
        if (!general) {
            return model;
        }
        // A layer of another size and another cell on top.
        LstmWeights top = RandomLstm.model(random, Direction.FORWARD, 1, model.outputSize(), 7, false, true)
                .weights(0, 0)
                .withPeepholes(RandomLstm.values(random, 21, 1))
                .withEquations(CellEquations.ORDINARY.withClip(0.75f));
        return new LstmModel(List.of(model.layer(0), model.layer(1), new LstmLayer(Direction.FORWARD, List.of(top))));
    }

    /** 1000 streams for 25 rounds: in each some have a piece, some pause, some begin anew, some go and others come. */
    @ParameterizedTest
    @MethodSource("devices")
    void aThousandStreamsAreEachAsIfAlone(Device device) {
        long seed = TestEngines.seed(21);
        Random random = new Random(seed);
        LstmModel model = model(random, true);
        List<Life> lives = new ArrayList<>();
        try (LstmEngine engine = LstmEngine.open(device, model);
                LstmSession session = engine.newSession();
                LstmStreams streams = session.newStreams()) {
            Life[] current = new Life[3000];
            List<Integer> alive = new ArrayList<>();
            for (int k = 0; k < 1000; k++) {
                begin(streams.add(), current, lives, alive);
            }
            for (int round = 0; round < 25; round++) {
                Collections.shuffle(alive, random);
                for (int stream : alive.subList(0, 40)) {
                    streams.reset(stream);
                    lives.add(current[stream] = new Life());
                }
                for (int k = 0; k < 30; k++) {
                    streams.drop(alive.remove(alive.size() - 1));
                }
                for (int k = random.nextInt(60); k > 0; k--) {
                    begin(streams.add(), current, lives, alive);
                }
                assertEquals(alive.size(), streams.count());
                Collections.shuffle(alive, random);
                int[] chosen = alive.subList(0, SIZES[round % SIZES.length]).stream()
                        .mapToInt(Integer::intValue)
                        .toArray();
                runPieces(random, model, streams, chosen, current);
            }
            String what = "seed " + seed + " on " + device;
            try (LstmEngine twin = device.equals(Device.REFERENCE) ? null : LstmEngine.open(Device.JAVA, model)) {
                for (int k = 0; k < lives.size(); k++) {
                    // Alone on the device itself is slow, so that is done for some; the twin has the same bits.
                    LstmEngine judge = twin == null || k % 40 == 0 ? engine : twin;
                    assertAsAlone(what + ", life " + k, judge, model, lives.get(k));
                }
            }
        }
    }

    private static void begin(int stream, Life[] current, List<Life> lives, List<Integer> alive) {
        alive.add(stream);
        lives.add(current[stream] = new Life());
    }

    /** A piece of up to 4 steps for each of {@code chosen}, of another length for each. */
    private static void runPieces(Random random, LstmModel model, LstmStreams streams, int[] chosen, Life[] current) {
        int rows = chosen.length, steps = 1 + random.nextInt(4), width = model.inputSize(), out = model.outputSize();
        int[] lengths = random.ints(rows, 0, steps + 1).toArray();
        float[] x = RandomLstm.values(random, rows * steps * width, 2);
        FloatBuffer y = streams.run(LstmInput.batchMajor(x, rows, steps).withLengths(lengths), chosen);
        for (int row = 0; row < rows; row++) {
            float[] outputs = new float[lengths[row] * out];
            y.get(row * steps * out, outputs);
            int from = row * steps * width;
            current[chosen[row]].add(Arrays.copyOfRange(x, from, from + lengths[row] * width), outputs, lengths[row]);
        }
    }

    private static void assertAsAlone(String what, LstmEngine engine, LstmModel model, Life life) {
        if (life.steps == 0) {
            return;
        }
        float[] x = join(life.x);
        try (LstmSession session = engine.newSession()) {
            FloatBuffer alone =
                    session.run(LstmInput.batchMajor(x, 1, life.steps)).y();
            if (engine.tier() == Tier.REFERENCE) {
                // Its states are doubles within a run, and floats between the pieces.
                float[] pieces = join(life.y);
                for (int k = 0; k < pieces.length; k++) {
                    assertEquals(alone.get(k), pieces[k], 1e-5, what + " at " + k);
                }
            } else {
                Bits.assertSame(what, alone, FloatBuffer.wrap(join(life.y)));
            }
        }
    }

    private static float[] join(List<float[]> parts) {
        float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("devices")
    void statesAreGatheredAndScatteredByStream(Device device) {
        Random random = new Random(TestEngines.seed(22));
        LstmModel model = model(random, true);
        try (LstmEngine engine = LstmEngine.open(device, model);
                LstmSession session = engine.newSession();
                LstmStreams streams = session.newStreams();
                LstmStreams others = session.newStreams()) {
            int[] all = IntStream.range(0, 40).map(k -> streams.add()).toArray();
            int[] chosen = {7, 8, 9, 30, 2, 39};
            float[] x = RandomLstm.values(random, 40 * 5 * 3, 2);
            streams.run(LstmInput.batchMajor(x, 40, 5), all);
            streams.reset(9);
            LstmState gathered = streams.gather(chosen);
            // The same as the final states of a run, but for the stream that begins anew.
            LstmState expected = Batches.rows(
                    model, session.run(LstmInput.batchMajor(x, 40, 5)).finalState(), chosen);
            LstmState nine = Batches.rows(model, gathered, 2);
            assertTrue(allZero(nine.h()) && allZero(nine.c()));
            int[] rest = {0, 1, 3, 4, 5};
            Bits.assertSame(
                    "h",
                    Batches.rows(model, expected, rest).h(),
                    Batches.rows(model, gathered, rest).h());
            Bits.assertSame(
                    "c",
                    Batches.rows(model, expected, rest).c(),
                    Batches.rows(model, gathered, rest).c());

            // What goes on elsewhere goes on alike, and leaves the neighbours alone.
            int[] moved = IntStream.range(0, 6).map(k -> others.add()).toArray();
            int bystander = others.add();
            LstmState mark = RandomLstm.state(random, model, 1);
            others.scatter(mark, bystander);
            others.scatter(gathered, moved);
            float[] next = RandomLstm.values(random, 6 * 2 * 3, 2);
            FloatBuffer here = streams.run(LstmInput.batchMajor(next, 6, 2), chosen);
            FloatBuffer there = others.run(LstmInput.batchMajor(next, 6, 2), moved);
            Bits.assertSame("y", here, there);
            Bits.assertSame("bystander h", mark.h(), others.gather(bystander).h());
            Bits.assertSame("bystander c", mark.c(), others.gather(bystander).c());
        }
    }

    private static boolean allZero(float[] values) {
        for (float value : values) {
            if (Float.floatToRawIntBits(value) != 0) {
                return false;
            }
        }
        return true;
    }

    @ParameterizedTest
    @MethodSource("devices")
    void whatDoesNotFitIsRefusedAndChangesNothing(Device device) {
        Random random = new Random(TestEngines.seed(23));
        LstmModel model = model(random, false);
        LstmInput one = LstmInput.batchMajor(RandomLstm.values(random, 6, 1), 1, 2);
        long objects = OpenCl.liveObjects();
        try (LstmEngine engine = LstmEngine.open(device, model)) {
            LstmSession session = engine.newSession();
            LstmStreams streams = session.newStreams();
            int first = streams.add(), second = streams.add();
            streams.run(one, first);
            LstmState before = streams.gather(first);
            refused("streams: expected ids of added streams, found 2", () -> streams.run(one, 2));
            refused("streams: expected ids of added streams, found -1", () -> streams.reset(-1));
            refused(
                    "streams: expected each once, found 1 twice",
                    () -> streams.run(LstmInput.batchMajor(new float[12], 2, 2), second, second));
            refused("rows N: expected one for each of the 2 streams, found 1", () -> streams.run(one, first, second));
            refused(
                    "initial state: streams carry their own; call scatter() instead",
                    () -> streams.run(one.withInitialState(before), first));
            refused(
                    "input: expected 1 rows x 2 steps x 3 features = 6 values, found 4",
                    () -> streams.run(LstmInput.batchMajor(new float[4], 1, 2), first));
            refused(
                    "output: expected a writable buffer of " + 2 * model.outputSize() + " values, found 3",
                    () -> streams.run(one, FloatBuffer.allocate(3), first));
            refused("initial state: expected 2 rows, found 1", () -> streams.scatter(before, first, second));
            Bits.assertSame("h", before.h(), streams.gather(first).h());
            Bits.assertSame("c", before.c(), streams.gather(first).c());
            streams.drop(first);
            refused("streams: expected ids of added streams, found 0", () -> streams.gather(first));
            assertEquals(first, streams.add(), "a number that is free is given again");
            assertTrue(allZero(streams.gather(first).c()), "and begins with zeros");

            streams.close();
            streams.close();
            assertThrows(IllegalStateException.class, streams::add);
            LstmStreams left = session.newStreams();
            left.add();
            session.close();
            assertThrows(IllegalStateException.class, () -> left.run(one, 0));
            left.close();
        }
        assertEquals(objects, OpenCl.liveObjects(), "streams give their memory back");
    }

    /** Another thread may be in a call on the streams: closing their session frees its memory all the same. */
    @ParameterizedTest
    @MethodSource("devices")
    void closingTheSessionFreesStreamsThatAnotherThreadUses(Device device) throws Exception {
        LstmModel model = model(new Random(23), false);
        try (LstmEngine engine = LstmEngine.open(device, model)) {
            long objects = OpenCl.liveObjects();
            for (int k = 0; k < 20; k++) {
                LstmSession session = engine.newSession();
                LstmStreams streams = session.newStreams();
                int[] ids = IntStream.range(0, 500).map(each -> streams.add()).toArray();
                CountDownLatch begun = new CountDownLatch(1);
                AtomicBoolean closed = new AtomicBoolean();
                Thread other = new Thread(() -> {
                    while (!closed.get()) {
                        streams.reset(ids);
                        begun.countDown();
                    }
                });
                other.start();
                begun.await();
                session.close();
                closed.set(true);
                other.join();
                assertEquals(objects, OpenCl.liveObjects(), "attempt " + k);
                assertThrows(
                        IllegalStateException.class, () -> streams.run(LstmInput.batchMajor(new float[6], 1, 2), 0));
            }
        }
    }

    private static void refused(String message, Runnable call) {
        InvalidInputException e = assertThrows(InvalidInputException.class, call::run);
        assertEquals(message, e.getMessage());
    }

    @Test
    void aReverseDirectionIsRefused() {
        LstmModel model = RandomLstm.model(new Random(1), Direction.BIDIRECTIONAL, 1, 2, 3, false, true);
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, model);
                LstmSession session = engine.newSession()) {
            refused(
                    "streaming: expected a forward model, found a BIDIRECTIONAL one, "
                            + "which needs the end of a sequence first",
                    session::newStreams);
        }
    }
}
