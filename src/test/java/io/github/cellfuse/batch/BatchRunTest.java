package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.RandomLstm;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchRunTest {
    /** Whatever the chunks, the rows' bits are those of one run over the whole batch. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void chunksLeaveNoTrace(long seed) {
        RandomLstm random = RandomLstm.of(seed);
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, random.model());
                LstmSession session = engine.newSession()) {
            LstmOutput expected = session.run(random.input());
            for (int chunkRows : new int[] {1, 2, 5, 64, random.input().rows()}) {
                Memory memory = new Memory(random.model(), random.input());
                Chunking chunking = Chunking.of(
                        random.model(), random.input().rows(), random.input().steps(), chunkRows);
                List<Long> progress = new ArrayList<>();
                BatchRun.Report report = BatchRun.run(engine, memory, memory, chunking, progress::add);
                Bits.assertSame(random + ", chunks of " + chunkRows, expected, memory.output);
                assertEquals(chunking.count(), report.chunks());
                assertEquals(chunking.count(), progress.size());
                assertEquals(random.input().rows(), progress.get(progress.size() - 1));
                assertEquals(
                        Arrays.stream(random.input().lengths()).sum()
                                * random.model().flopsPerStep(),
                        report.flops());
                assertTrue(memory.largestRead <= chunkRows, "rows read at once: " + memory.largestRead);
            }
        }
    }

    /** A sink that doesn't read y gets the states of every row, with the same bits, and no y. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void yIsLeftOutForASinkThatDoesNotReadIt(long seed) {
        RandomLstm random = RandomLstm.of(seed);
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, random.model());
                LstmSession session = engine.newSession()) {
            LstmState expected = session.run(random.input()).finalState();
            Memory memory = new Memory(random.model(), random.input());
            ChunkSink states = new ChunkSink() {
                @Override
                public boolean needsY() {
                    return false;
                }

                @Override
                public int write(long firstRow, LstmOutput part) {
                    assertFalse(part.hasY());
                    memory.writeStates(firstRow, part);
                    return 0;
                }

                @Override
                public int checksum(long firstRow, int rows) {
                    throw new AssertionError("nothing is resumed here");
                }

                @Override
                public void force() {
                    throw new AssertionError("memory isn't durable");
                }
            };
            BatchRun.run(engine, memory, states, new Chunking(random.input().rows(), 3), done -> {});
            Bits.assertSame(
                    random + ": h", expected.h(), memory.output.finalState().h());
            Bits.assertSame(
                    random + ": c", expected.c(), memory.output.finalState().c());
        }
    }

    @Test
    void aFailingSinkEndsTheRun() {
        RandomLstm random = RandomLstm.of(1);
        Memory memory = new Memory(random.model(), random.input());
        CellFuseException failure = new CellFuseException("disk full");
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, random.model())) {
            ChunkSink full = new ChunkSink() {
                @Override
                public int write(long firstRow, LstmOutput output) {
                    throw failure;
                }

                @Override
                public int checksum(long firstRow, int rows) {
                    throw new AssertionError("nothing was written");
                }

                @Override
                public void force() {
                    throw new AssertionError("nothing was written");
                }
            };
            Chunking chunking = new Chunking(random.input().rows(), 1);
            assertSame(
                    failure,
                    assertThrows(
                            CellFuseException.class, () -> BatchRun.run(engine, memory, full, chunking, done -> {})));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> BatchRun.run(engine, memory, memory, new Chunking(1 << 20, 1), done -> {}));
        }
    }

    /** A batch in memory, cut and put together element by element. */
    private static final class Memory implements ChunkSource, ChunkSink {
        private final LstmModel model;
        private final LstmInput whole;
        private final LstmOutput output;
        private int largestRead;

        Memory(LstmModel model, LstmInput whole) {
            this.model = model;
            this.whole = whole;
            output = LstmOutput.allocate(model, whole);
        }

        @Override
        public Layout layout() {
            return whole.layout();
        }

        @Override
        public long rows() {
            return whole.rows();
        }

        @Override
        public int steps() {
            return whole.steps();
        }

        @Override
        public void readInput(long firstRow, int rows, FloatBuffer x) {
            largestRead = Math.max(largestRead, rows);
            assertTrue(x.isDirect());
            assertEquals(rows * steps() * model.inputSize(), x.limit());
            LstmInput chunk = LstmInput.of(layout(), x, rows, steps());
            copy(whole, (int) firstRow, whole.x(), chunk, 0, x, rows, model.inputSize());
        }

        @Override
        public Optional<int[]> readLengths(long firstRow, int rows) {
            int[] lengths = whole.lengths();
            boolean isFull = Arrays.stream(lengths).allMatch(length -> length == steps());
            return isFull
                    ? Optional.empty()
                    : Optional.of(Arrays.copyOfRange(lengths, (int) firstRow, (int) firstRow + rows));
        }

        @Override
        public Optional<LstmState> readInitialState(long firstRow, int rows) {
            return whole.initialState().map(state -> {
                LstmState part = LstmState.zeros(model, rows);
                copyRows(
                        state.h(),
                        whole.rows(),
                        (int) firstRow,
                        part.h(),
                        rows,
                        0,
                        rows,
                        model.last().stateSize());
                copyRows(
                        state.c(),
                        whole.rows(),
                        (int) firstRow,
                        part.c(),
                        rows,
                        0,
                        rows,
                        model.last().hiddenSize());
                return part;
            });
        }

        @Override
        public int write(long firstRow, LstmOutput part) {
            LstmInput chunk = LstmInput.of(layout(), part.y(), part.rows(), steps());
            copy(chunk, 0, part.y(), whole, (int) firstRow, output.y(), part.rows(), model.outputSize());
            writeStates(firstRow, part);
            return 0;
        }

        void writeStates(long firstRow, LstmOutput part) {
            LstmState from = part.finalState();
            LstmState to = output.finalState();
            copyRows(
                    from.h(),
                    part.rows(),
                    0,
                    to.h(),
                    whole.rows(),
                    (int) firstRow,
                    part.rows(),
                    model.last().stateSize());
            copyRows(
                    from.c(),
                    part.rows(),
                    0,
                    to.c(),
                    whole.rows(),
                    (int) firstRow,
                    part.rows(),
                    model.last().hiddenSize());
        }

        @Override
        public int checksum(long firstRow, int rows) {
            throw new AssertionError("nothing is resumed here");
        }

        @Override
        public void force() {
            throw new AssertionError("memory isn't durable");
        }

        private void copy(
                LstmInput from,
                int firstFrom,
                FloatBuffer source,
                LstmInput to,
                int firstTo,
                FloatBuffer target,
                int rows,
                int features) {
            for (int row = 0; row < rows; row++) {
                for (int step = 0; step < steps(); step++) {
                    for (int f = 0; f < features; f++) {
                        target.put(
                                to.offset(firstTo + row, step, features) + f,
                                source.get(from.offset(firstFrom + row, step, features) + f));
                    }
                }
            }
        }

        private static void copyRows(
                float[] from, int rowsFrom, int firstFrom, float[] to, int rowsTo, int firstTo, int rows, int width) {
            for (int k = 0; k < to.length / width / rowsTo; k++) {
                System.arraycopy(
                        from, (k * rowsFrom + firstFrom) * width, to, (k * rowsTo + firstTo) * width, rows * width);
            }
        }
    }
}
