package io.github.cellfuse.spark;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import io.github.cellfuse.batch.Chunking;
import io.github.cellfuse.batch.DeviceNeed;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.onnx.shape.RowAxes;
import io.github.cellfuse.spi.HalfPrecision;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Runs an ONNX graph. The tasks of the JVM share the engines of its LSTMs; each task has a session of its own. */
final class GraphScorer implements Scorer<GraphScorer.GraphRow> {
    /** A boxed number and the reference to it. */
    private static final int BOXED_BYTES = 20;

    private static final int ROW_BYTES = 256;

    private final Columns columns;
    private final ScoreSettings settings;
    private final EnginePool.Lease lease;
    private final Open open;
    private final OnnxModel model;
    private final RowAxes axes;
    private final OnnxSession session;
    private final List<DeviceInfo.Memory> memories;
    private final List<GraphValue> inputs;
    private boolean isBroken;
    private int mostRows;

    /**
     * The columns of a graph.
     *
     * @param inputs the names of the graph's inputs, and those of the columns that hold them
     * @param outputs the names of the graph's outputs, in the order of the columns
     */
    record Columns(List<String> inputs, List<String> inputColumns, List<String> outputs) implements Serializable {}

    /**
     * A row.
     *
     * @param values the numbers of each input
     * @param shapes the dimensions of each input without that of the rows
     */
    record GraphRow(List<ColumnValues.Numbers> values, List<long[]> shapes) {
        boolean hasShapeOf(GraphRow other) {
            return IntStream.range(0, shapes.size()).allMatch(k -> Arrays.equals(shapes.get(k), other.shapes.get(k)));
        }

        long count() {
            return values.stream()
                    .mapToLong(numbers -> numbers.floats() == null ? numbers.longs().length : numbers.floats().length)
                    .sum();
        }
    }

    /**
     * A graph with the engines of its LSTMs. Sessions are kept for the next task: they hold the graph's other parts.
     */
    private static final class Open implements EnginePool.Opened {
        private final OnnxModel model;
        private final RowAxes axes;
        private final DeviceChoice choice;
        private final ScoreSettings settings;
        private final Map<LstmModel, LstmEngine> engines = new HashMap<>();
        private final Deque<OnnxSession> idle = new ArrayDeque<>();
        private List<DeviceInfo.Memory> memories; // null: no session was open yet

        private Open(OnnxModel model, DeviceChoice choice, ScoreSettings settings) {
            this.model = model;
            this.choice = choice;
            this.settings = settings;
            axes = axes(model);
        }

        private OnnxSession take() {
            synchronized (idle) {
                if (!idle.isEmpty()) {
                    return idle.pop();
                }
            }
            return model.session(this::engine);
        }

        private void give(OnnxSession session) {
            synchronized (idle) {
                idle.push(session);
            }
        }

        private synchronized List<DeviceInfo.Memory> memories(OnnxSession session) {
            if (memories == null) {
                memories = ScoreSettings.memories(session.engines());
            }
            return memories;
        }

        private synchronized LstmEngine engine(LstmModel lstm) {
            return new SharedEngine(engines.computeIfAbsent(lstm, absent -> choice.open(absent, settings.options())));
        }

        @Override
        public void close() {
            synchronized (idle) {
                idle.forEach(OnnxSession::close);
            }
            engines.values().forEach(LstmEngine::close);
        }
    }

    /** An engine that outlives the session which believes to own it. */
    private record SharedEngine(LstmEngine engine) implements LstmEngine {
        @Override
        public Device device() {
            return engine.device();
        }

        @Override
        public LstmModel model() {
            return engine.model();
        }

        @Override
        public Tier tier() {
            return engine.tier();
        }

        @Override
        public String explain(int rows, int steps) {
            return engine.explain(rows, steps);
        }

        @Override
        public LstmSession newSession() {
            return engine.newSession();
        }

        @Override
        public void close() {
            // The pool closes the engine.
        }
    }

    GraphScorer(Columns columns, ScoreSettings settings, DeviceChoice choice) {
        this.columns = columns;
        this.settings = settings;
        lease = settings.acquire(
                choice,
                columns.outputs(),
                () -> new Open(
                        ModelSource.readGraph(settings.model(), settings.bytes().value(), columns.outputs()),
                        choice,
                        settings));
        try {
            open = (Open) lease.opened();
            model = open.model;
            axes = open.axes;
            session = open.take();
            memories = open.memories(session);
            inputs = columns.inputs().stream().map(this::input).toList();
        } catch (RuntimeException | Error e) {
            lease.close();
            throw e;
        }
    }

    /**
     * Returns the axes of a graph's rows.
     *
     * @throws InvalidInputException if its rows depend on each other, or an input doesn't hold rows
     */
    static RowAxes axes(OnnxModel model) {
        RowAxes axes = model.rows()
                .axes()
                .orElseThrow(() -> new InvalidInputException(
                        model.path() + ": expected a graph whose rows don't depend on each other, as those of a table,"
                                + " found one of which this isn't known: "
                                + model.rows().reason()));
        for (GraphValue input : model.inputs()) {
            if (!axes.inputs().containsKey(input.name())) {
                throw new InvalidInputException(model.path() + ": input '" + input.name()
                        + "': expected an input that holds rows, found " + input.describe()
                        + ", which is the same for all rows; make it a constant of the model");
            }
        }
        return axes;
    }

    /** Returns the dimensions of a row in an input: those declared, without that of the rows; -1 if free. */
    static long[] rowShape(GraphValue input, int rowAxis) {
        List<GraphValue.Dimension> all = input.dimensions().orElse(List.of());
        return IntStream.range(0, all.size())
                .filter(axis -> axis != rowAxis)
                .mapToLong(axis -> all.get(axis).size())
                .toArray();
    }

    @Override
    public GraphRow read(Object... values) throws BadRow {
        List<ColumnValues.Numbers> numbers = new ArrayList<>();
        List<long[]> shapes = new ArrayList<>();
        for (int k = 0; k < values.length; k++) {
            GraphValue input = inputs.get(k);
            try {
                if (values[k] == null) {
                    throw new BadRow("expected " + input.describe() + ", found null");
                }
                ElementType type = input.type().orElseThrow();
                ColumnValues.Numbers read = type == ElementType.FLOAT64
                        ? ColumnValues.doubles(values[k])
                        : type.isFloat() ? ColumnValues.floats(values[k]) : ColumnValues.longs(values[k]);
                checkRange(type, read);
                numbers.add(read);
                shapes.add(shape(rowShape(input, axes.inputs().get(input.name())), read.sizes()));
            } catch (BadRow e) {
                throw new BadRow("column '" + columns.inputColumns().get(k) + "' (input '" + input.name() + "'): "
                        + e.getMessage());
            }
        }
        return new GraphRow(numbers, shapes);
    }

    /** A whole number that the input's type can't hold would become another one. */
    static void checkRange(ElementType type, ColumnValues.Numbers numbers) throws BadRow {
        if (type.isFloat() || type == ElementType.BOOL || type == ElementType.INT64) {
            return;
        }
        boolean isUnsigned = type.name().startsWith("U");
        int bits = Math.min(8 * type.bytes(), Long.SIZE - 1) - (isUnsigned ? 0 : 1);
        long most = (1L << bits) - 1, least = isUnsigned ? 0 : -most - 1;
        for (long number : numbers.longs()) {
            if (number < least || number > most) {
                throw new BadRow("expected " + least + " to " + most + ", found " + number);
            }
        }
    }

    private GraphValue input(String name) {
        return model.inputs().stream()
                .filter(input -> input.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Returns the dimensions of a row, which may be nested as they are, or flat if one of them at most is free. */
    private static long[] shape(long[] declared, int... found) throws BadRow {
        long[] shape = declared.clone();
        if (found.length == declared.length) {
            for (int axis = 0; axis < shape.length; axis++) {
                if (shape[axis] >= 0 && shape[axis] != found[axis]) {
                    throw wrongShape(declared, "found " + Arrays.toString(found));
                }
                shape[axis] = found[axis];
            }
        } else {
            long all = Arrays.stream(found).asLongStream().reduce(1, (a, b) -> a * b);
            long fixed = Arrays.stream(declared).filter(size -> size >= 0).reduce(1, (a, b) -> a * b);
            long free = Arrays.stream(declared).filter(size -> size < 0).count();
            if (free > 1 || found.length > 1 || fixed == 0 || (free == 0 ? all != fixed : all % fixed != 0)) {
                throw wrongShape(declared, "found " + Arrays.toString(found));
            }
            for (int axis = 0; axis < shape.length; axis++) {
                shape[axis] = shape[axis] < 0 ? all / fixed : shape[axis];
            }
        }
        if (Arrays.stream(shape).anyMatch(size -> size == 0)) {
            throw wrongShape(declared, "found an empty one: " + Arrays.toString(shape));
        }
        return shape;
    }

    private static BadRow wrongShape(long[] declared, String found) {
        return new BadRow("expected a row of shape " + Arrays.toString(declared).replace("-1", "?") + ", " + found);
    }

    @Override
    public boolean accepts(List<GraphRow> batch, GraphRow next) {
        if (batch.isEmpty()) {
            mostRows = mostRows(next);
            return true;
        }
        return batch.size() < mostRows && batch.get(0).hasShapeOf(next);
    }

    private int mostRows(GraphRow row) {
        Map<String, long[]> shapes = new HashMap<>();
        for (int k = 0; k < columns.inputs().size(); k++) {
            String name = columns.inputs().get(k);
            shapes.put(name, withRows(row.shapes().get(k), axes.inputs().get(name), -1));
        }
        List<LstmPart> lstms = model.lstms();
        List<Long> steps = model.steps(shapes);
        long longest = row.shapes().stream().flatMapToLong(Arrays::stream).max().orElse(1);
        List<DeviceNeed> needs = IntStream.range(0, lstms.size())
                .mapToObj(k -> new DeviceNeed(lstms.get(k).model(), steps.get(k) < 0 ? longest : steps.get(k)))
                .toList();
        long bytes = (BOXED_BYTES + 2L * Long.BYTES) * row.count()
                + ROW_BYTES
                + needs.stream()
                        .mapToLong(need -> Float.BYTES * Chunking.floats(need.model(), need.steps()))
                        .sum();
        return settings.mostRows(bytes, needs.isEmpty() ? List.of() : memories, needs);
    }

    private static long[] withRows(long[] shape, int axis, long rows) {
        long[] all = new long[shape.length + 1];
        for (int k = 0; k < all.length; k++) {
            all[k] = k == axis ? rows : shape[k < axis ? k : k - 1];
        }
        return all;
    }

    @Override
    public List<Object[]> run(List<GraphRow> batch) {
        // A graph may compute a single row in another way: then the last row is there more than once.
        List<GraphRow> all = new ArrayList<>(batch);
        while (all.size() < axes.fewest()) {
            all.add(batch.get(batch.size() - 1));
        }
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        for (int k = 0; k < columns.inputs().size(); k++) {
            inputs.put(columns.inputs().get(k), tensor(all, k));
        }
        Map<String, Tensor> outputs;
        try {
            outputs = session.runInPlace(inputs);
        } catch (InvalidInputException e) {
            throw e;
        } catch (CellFuseException e) {
            isBroken = true;
            if (!Thread.currentThread().isInterrupted()) {
                lease.markBroken();
            }
            throw e;
        }
        List<Object[]> results = new ArrayList<>();
        for (int row = 0; row < batch.size(); row++) {
            Object[] values = new Object[columns.outputs().size()];
            for (int k = 0; k < values.length; k++) {
                String name = columns.outputs().get(k);
                values[k] = row(outputs.get(name), axes.outputs().get(name), row, all.size());
            }
            results.add(values);
        }
        return results;
    }

    private Tensor tensor(List<GraphRow> batch, int k) {
        String name = columns.inputs().get(k);
        ElementType type = inputs.get(k).type().orElseThrow();
        int axis = axes.inputs().get(name), rows = batch.size();
        long[] shape = batch.get(0).shapes().get(k);
        int outer = product(shape, 0, axis), inner = product(shape, axis, shape.length);
        int bytes = Math.multiplyExact(Math.multiplyExact(rows, outer * inner), type.bytes());
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        for (int row = 0; row < rows; row++) {
            ColumnValues.Numbers numbers = batch.get(row).values().get(k);
            for (int o = 0; o < outer; o++) {
                int at = (o * rows + row) * inner * type.bytes();
                for (int i = 0; i < inner; i++) {
                    put(buffer, at + i * type.bytes(), type, numbers, o * inner + i);
                }
            }
        }
        return new Tensor(type, buffer, withRows(shape, axis, rows));
    }

    private static void put(ByteBuffer buffer, int at, ElementType type, ColumnValues.Numbers numbers, int index) {
        switch (type) {
            case FLOAT32 -> buffer.putFloat(at, numbers.floats()[index]);
            case FLOAT64 -> buffer.putLong(at, numbers.longs()[index]);
            case FLOAT16 -> buffer.putShort(at, HalfPrecision.floatToFloat16(numbers.floats()[index]));
            case BFLOAT16 -> buffer.putShort(at, HalfPrecision.floatToBfloat16(numbers.floats()[index]));
            case INT64, UINT64 -> buffer.putLong(at, numbers.longs()[index]);
            case INT32, UINT32 -> buffer.putInt(at, (int) numbers.longs()[index]);
            case INT16, UINT16 -> buffer.putShort(at, (short) numbers.longs()[index]);
            case INT8, UINT8 -> buffer.put(at, (byte) numbers.longs()[index]);
            case BOOL -> buffer.put(at, (byte) (numbers.longs()[index] == 0 ? 0 : 1));
        }
    }

    /**
     * Returns the values of a row, in C order.
     *
     * @param axis the axis of the rows, of which each row has one or more places; null if all rows have the same values
     */
    private static Object row(Tensor tensor, Integer axis, int row, int rows) {
        ByteBuffer bytes = tensor.bytes();
        int size = tensor.type().bytes();
        if (axis == null) {
            return values(bytes, tensor.type(), 0, 1, tensor.elementCount(), 0);
        }
        long[] shape = tensor.shape();
        int outer = product(shape, 0, axis);
        int places = Math.toIntExact(shape[axis] / rows);
        int inner = places * product(shape, axis + 1, shape.length);
        return values(bytes, tensor.type(), row * inner * size, outer, inner, rows * inner * size);
    }

    private static Object values(ByteBuffer bytes, ElementType type, int from, int outer, int inner, int stride) {
        int size = type.bytes(), count = outer * inner;
        if (type.isFloat() && type != ElementType.FLOAT64) {
            float[] values = new float[count];
            for (int k = 0; k < count; k++) {
                values[k] = type.toFloat().read(bytes, from + k / inner * stride + k % inner * size);
            }
            return values;
        }
        if (type == ElementType.FLOAT64) {
            double[] values = new double[count];
            for (int k = 0; k < count; k++) {
                values[k] = bytes.getDouble(from + k / inner * stride + k % inner * size);
            }
            return values;
        }
        long[] values = new long[count];
        for (int k = 0; k < count; k++) {
            int at = from + k / inner * stride + k % inner * size;
            values[k] = type == ElementType.BOOL ? bytes.get(at) : type.toLong().read(bytes, at);
        }
        return values;
    }

    private static int product(long[] shape, int from, int to) {
        return Math.toIntExact(Arrays.stream(shape, from, to).reduce(1, Math::multiplyExact));
    }

    @Override
    public long paddingSteps() {
        return 0; // rows of a batch have one shape
    }

    @Override
    public void close() {
        try {
            if (isBroken) {
                session.close();
            } else {
                open.give(session);
            }
        } finally {
            lease.close();
        }
    }
}
