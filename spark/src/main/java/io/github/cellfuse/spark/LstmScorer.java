package io.github.cellfuse.spark;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.batch.Chunking;
import io.github.cellfuse.batch.DeviceNeed;
import java.io.Serializable;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Runs an LSTM: one session on the engine that the tasks of the JVM share. */
final class LstmScorer implements Scorer<LstmScorer.Sequence> {
    /** A boxed float and the reference to it: what Spark hands a row's arrays over as. */
    private static final int BOXED_BYTES = 20;

    /** A row without its numbers. */
    private static final int ROW_BYTES = 256;

    private final Columns columns;
    private final ScoreSettings settings;
    private final EnginePool.Lease lease;
    private final LstmEngine engine;
    private final LstmModel model;
    private final LstmSession session;
    private final List<DeviceInfo.Memory> memories;
    /** The most rows of a batch by its steps. */
    private final Map<Integer, Integer> limits = new HashMap<>();

    private float[] x = new float[0];
    private FloatBuffer y = FloatBuffer.allocate(0);
    /** The longest row of the batch that is being gathered, and the most rows of that many steps. */
    private int longest;

    private int mostRows;
    private long paddingSteps;

    /**
     * The columns that a task reads, in this order.
     *
     * @param input the name of the column with the sequences; the others are null if they aren't used
     * @param isFlat whether arrays and vectors are flat {@code [T·I]}, rather than {@code [T][I]}
     */
    record Columns(String input, boolean isFlat, String length, String initialH, String initialC, LstmResult result)
            implements Serializable {}

    /**
     * A row.
     *
     * @param x {@code [T,I]}
     * @param h the state before the first step, {@code [L·D·P]}; null for zeros
     * @param c {@code [L·D·H]}; null for zeros
     */
    record Sequence(float[] x, int steps, int length, float[] h, float[] c) {}

    private record Open(LstmEngine engine, List<DeviceInfo.Memory> memories) implements EnginePool.Opened {
        private static Open of(LstmEngine engine) {
            return new Open(engine, ScoreSettings.memories(List.of(engine)));
        }

        @Override
        public void close() {
            engine.close();
        }
    }

    LstmScorer(Columns columns, ScoreSettings settings, DeviceChoice choice) {
        this.columns = columns;
        this.settings = settings;
        lease = settings.acquire(
                choice,
                List.of(),
                () -> Open.of(choice.open(
                        ModelSource.readLstm(settings.model(), settings.bytes().value()), settings.options())));
        try {
            Open open = (Open) lease.opened();
            engine = open.engine();
            memories = open.memories();
            model = engine.model();
            session = engine.newSession();
        } catch (RuntimeException | Error e) {
            lease.close();
            throw e;
        }
    }

    @Override
    public Sequence read(Object... values) throws BadRow {
        int next = 0;
        float[] sequence = sequence(values[next++]);
        int steps = sequence.length / model.inputSize(), length = steps;
        if (columns.length() != null) {
            length = length(values[next++], steps);
        }
        float[] h = columns.initialH() == null
                ? null
                : state(columns.initialH(), "L*D*P", values[next++], model.hiddenValuesBelow(model.layerCount()));
        float[] c = columns.initialC() == null
                ? null
                : state(columns.initialC(), "L*D*H", values[next], model.cellValuesBelow(model.layerCount()));
        try {
            Chunking.of(model, 1, steps, 1);
        } catch (InvalidInputException e) {
            throw new BadRow("column '" + columns.input() + "': " + e.getMessage());
        }
        return new Sequence(sequence, steps, length, h, c);
    }

    private float[] sequence(Object value) throws BadRow {
        String column = "column '" + columns.input() + "'";
        int inputs = model.inputSize();
        if (value == null) {
            throw new BadRow(column + ": expected a sequence, found null");
        }
        ColumnValues.Numbers numbers = numbers(column, value);
        int[] sizes = numbers.sizes();
        if (sizes.length == 0 || numbers.floats().length == 0 && (columns.isFlat() || sizes[0] == 0)) {
            throw new BadRow(column + ": expected at least one step, found none");
        }
        if (columns.isFlat() && sizes[0] % inputs != 0) {
            throw new BadRow(column + ": expected a multiple of " + inputs + " values, the features of a step, found "
                    + sizes[0]);
        }
        if (!columns.isFlat() && sizes[1] != inputs) {
            throw new BadRow(column + ": expected steps of " + inputs + " features, found steps of " + sizes[1]);
        }
        return numbers.floats();
    }

    private static ColumnValues.Numbers numbers(String column, Object value) throws BadRow {
        try {
            return ColumnValues.floats(value);
        } catch (BadRow e) {
            throw new BadRow(column + ": " + e.getMessage());
        }
    }

    private int length(Object value, int steps) throws BadRow {
        if (!(value instanceof Number number)) {
            throw new BadRow("column '" + columns.length() + "': expected a length, found null");
        }
        if (number.longValue() < 0 || number.longValue() > steps) {
            throw new BadRow("column '" + columns.length() + "': expected 0 to " + steps + " steps, found "
                    + number.longValue());
        }
        return number.intValue();
    }

    private static float[] state(String name, String shape, Object value, long expected) throws BadRow {
        String column = "column '" + name + "'";
        if (value == null) {
            throw new BadRow(column + ": expected a state, found null");
        }
        float[] state = numbers(column, value).floats();
        if (state.length != expected) {
            throw new BadRow(
                    column + ": expected a state [" + shape + "] of " + expected + " values, found " + state.length);
        }
        return state;
    }

    @Override
    public boolean accepts(List<Sequence> batch, Sequence next) {
        if (batch.isEmpty() || next.steps() > longest) {
            int most = limits.computeIfAbsent(next.steps(), this::mostRows);
            if (!batch.isEmpty() && batch.size() >= most) {
                return false;
            }
            longest = next.steps();
            mostRows = most;
        }
        return batch.size() < mostRows;
    }

    private int mostRows(int steps) {
        long values = (long) steps * model.inputSize();
        long results = columns.result() == LstmResult.Y ? (long) steps * model.outputSize() : model.outputSize();
        long bytes =
                Float.BYTES * (Chunking.floats(model, steps) + values + results) + BOXED_BYTES * values + ROW_BYTES;
        return settings.mostRows(bytes, memories, List.of(new DeviceNeed(model, steps)));
    }

    @Override
    public List<Object[]> run(List<Sequence> batch) {
        int rows = batch.size();
        int steps = batch.stream().mapToInt(Sequence::steps).max().orElseThrow();
        boolean needsY = needsY();
        LstmInput input = input(batch, steps);
        LstmState last = LstmState.zeros(model, rows);
        LstmOutput output = needsY
                ? new LstmOutput(Layout.BATCH_MAJOR, rows, steps, y(rows, steps), last)
                : LstmOutput.statesOnly(Layout.BATCH_MAJOR, rows, steps, last);
        try {
            session.run(input, output);
        } catch (InvalidInputException e) {
            throw e;
        } catch (CellFuseException e) {
            // The next attempt gets a new engine, if the device still has one. An interrupt is no failure.
            if (!Thread.currentThread().isInterrupted()) {
                lease.markBroken();
            }
            throw new CellFuseException(engine.device() + ": " + e.getMessage(), e);
        }
        paddingSteps = batch.stream().mapToLong(row -> steps - row.length()).sum();
        List<Object[]> results = new ArrayList<>(rows);
        for (int row = 0; row < rows; row++) {
            results.add(new Object[] {result(output, row, batch.get(row))});
        }
        return results;
    }

    private LstmInput input(List<Sequence> batch, int steps) {
        int rows = batch.size(), inputs = model.inputSize();
        int row = Math.toIntExact((long) steps * inputs), all = Math.multiplyExact(rows, row);
        if (x.length < all) {
            x = new float[all];
        }
        int[] lengths = new int[rows];
        boolean areFull = true;
        for (int k = 0; k < rows; k++) {
            Sequence sequence = batch.get(k);
            System.arraycopy(sequence.x(), 0, x, k * row, sequence.x().length);
            // What an earlier batch left there isn't read, but a NaN in it must not look like this row's.
            Arrays.fill(x, k * row + sequence.x().length, (k + 1) * row, 0);
            lengths[k] = sequence.length();
            areFull &= sequence.length() == steps;
        }
        LstmInput input = LstmInput.of(Layout.BATCH_MAJOR, FloatBuffer.wrap(x).slice(0, all), rows, steps);
        LstmInput valid = areFull ? input : input.withLengths(lengths);
        return columns.initialH() == null && columns.initialC() == null ? valid : valid.withInitialState(states(batch));
    }

    private LstmState states(List<Sequence> batch) {
        LstmState state = LstmState.zeros(model, batch.size());
        for (int row = 0; row < batch.size(); row++) {
            if (batch.get(row).h() != null) {
                scatter(batch.get(row).h(), state.h(), row, batch.size(), model.hiddenWidths());
            }
            if (batch.get(row).c() != null) {
                scatter(batch.get(row).c(), state.c(), row, batch.size(), model.cellWidths());
            }
        }
        return state;
    }

    /** Writes a row's values into matrices [N,width], one after another. */
    private static void scatter(float[] values, float[] matrices, int row, int rows, int... widths) {
        int from = 0, matrix = 0;
        for (int width : widths) {
            System.arraycopy(values, from, matrices, matrix + row * width, width);
            from += width;
            matrix += rows * width;
        }
    }

    /** Returns a row's values of matrices [N,width], one after another, from the matrix {@code first}. */
    private static float[] gather(float[] matrices, int row, int rows, int first, int... widths) {
        float[] values = new float[IntStream.of(widths).skip(first).sum()];
        int to = 0, matrix = 0;
        for (int k = 0; k < widths.length; k++) {
            if (k >= first) {
                System.arraycopy(matrices, matrix + row * widths[k], values, to, widths[k]);
                to += widths[k];
            }
            matrix += rows * widths[k];
        }
        return values;
    }

    private FloatBuffer y(int rows, int steps) {
        int size = Math.multiplyExact(Math.multiplyExact(rows, steps), model.outputSize());
        if (y.capacity() < size) {
            y = FloatBuffer.allocate(size);
        }
        return y.slice(0, size);
    }

    /** A reverse direction ends at the first step, so that y after the last one isn't among the final states. */
    private boolean needsY() {
        return columns.result() == LstmResult.Y
                || columns.result() == LstmResult.LAST && model.last().direction() != Direction.FORWARD;
    }

    /** Returns the column's value of a row. Its own steps only: those of longer rows beside it aren't its. */
    private Object result(LstmOutput output, int row, Sequence sequence) {
        LstmState last = output.finalState();
        int rows = output.rows(), width = model.outputSize();
        int[] widths = model.hiddenWidths();
        return switch (columns.result()) {
            case LAST -> {
                if (sequence.length() > 0 && !output.hasY()) {
                    yield gather(last.h(), row, rows, widths.length - 1, widths);
                }
                float[] values = new float[width]; // zeros if no step is valid
                if (sequence.length() > 0) {
                    output.y().get((row * output.steps() + sequence.length() - 1) * width, values);
                }
                yield values;
            }
            case H_N -> gather(last.h(), row, rows, 0, widths);
            case C_N -> gather(last.c(), row, rows, 0, model.cellWidths());
            case Y -> {
                float[][] y = new float[sequence.steps()][width];
                for (int step = 0; step < y.length; step++) {
                    output.y().get((row * output.steps() + step) * width, y[step]);
                }
                yield y;
            }
        };
    }

    @Override
    public long paddingSteps() {
        return paddingSteps;
    }

    @Override
    public void close() {
        try {
            session.close();
        } finally {
            lease.close();
        }
    }
}
