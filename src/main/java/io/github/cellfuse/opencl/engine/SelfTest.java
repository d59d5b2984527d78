package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.CellEquations;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Plan;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.jvm.Activations;
import io.github.cellfuse.jvm.JavaEngineProvider;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.device.DeviceTraits.WaitingGroups;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanSource;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.plan.StagedTiles;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares a device with the Java engine when an engine opens, because a driver may promise fused multiply-adds and
 * denormals and not deliver them. A device that fails is in the tolerance tier, and the log says which operation
 * failed. What has passed once in a process isn't tested again there.
 */
public final class SelfTest {
    private static final Logger LOG = LoggerFactory.getLogger(SelfTest.class);
    /** The warnings so far: each is logged once, even if a program opens many engines on a device. */
    private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();

    /**
     * A test that passed; that of the ordinary cell includes the operations outside of cells.
     *
     * @param device its place in the list of devices, and its name
     * @param choice the tiles that ran
     */
    private record Passed(String device, WeightPrecision weights, PlanChoice choice, Cell cell) {}

    private static final Set<Passed> PASSED = ConcurrentHashMap.newKeySet();

    /** The number of values in a 16-bit format. */
    private static final int STORED = 1 << 16;
    /** The number of values that the activations are tested with. */
    private static final int VALUES = 8192;
    /** The number of steps of the small LSTM. */
    private static final int STEPS = 5;
    /** Fixed, so that a device doesn't pass on one day and fail on the next. */
    private static final long SEED = 20260101;

    private final ClContext context;
    private final Programs programs;
    private final Tile tile;
    private final int units;
    private final int rows;
    /** The ways in which the small LSTM runs. */
    private final List<Plans> plans;

    private SelfTest(ClContext context, Programs programs, LstmModel model, PlanSource source, boolean asksToWait) {
        this.context = context;
        this.programs = programs;
        Capabilities device = context.device().capabilities();
        tile = DeviceTraits.of(device).largestTile();
        units = tile.vec() + 1;
        rows = rows(device);
        // The size of the small LSTM's second layer.
        LayerSize size = new LayerSize(2 * units, units, units, 2, programs.weights());
        plans = ways(model, source, size, asksToWait);
    }

    /** Returns steps, and what a GPU runs instead of them for some layers of the model. */
    private List<Plans> ways(LstmModel model, PlanSource source, LayerSize size, boolean asksToWait) {
        Capabilities device = context.device().capabilities();
        List<Plans> ways = new ArrayList<>();
        Plans steps = source.plans(device, size, Optional.of(Plan.FUSED));
        ways.add(steps);
        if (mayStageSequences(model)) {
            Plans sequence = source.plans(device, size, Optional.of(Plan.SEQUENCE));
            // Another tile is that of the steps: the device has too little local memory for this kernel.
            if (sequence.choose(rows, STEPS, true).step().isStaged()) {
                ways.add(sequence);
            }
        }
        if (mayWait(model, asksToWait)) {
            ways.add(waiting(steps));
        }
        return List.copyOf(ways);
    }

    /** Returns whether a group of work-items may have all units of one of the model's layers. */
    private boolean mayStageSequences(LstmModel model) {
        DeviceTraits device = DeviceTraits.of(context.device().capabilities());
        return !device.isCpu()
                && !device.endsLongLoops()
                && model.layers().stream()
                        .anyMatch(layer ->
                                !layer.hasProjection() && layer.hiddenSize() <= StagedTiles.UNITS_FOR_SEQUENCE);
    }

    /** Returns whether work-groups may wait for each other in one of the model's layers. */
    private boolean mayWait(LstmModel model, boolean asksToWait) {
        WaitingGroups waiting = DeviceTraits.of(context.device().capabilities()).waitingGroups();
        return (waiting == WaitingGroups.BY_DEFAULT || waiting == WaitingGroups.IF_ASKED && asksToWait)
                && model.layers().stream()
                        .anyMatch(
                                layer -> !layer.hasProjection() && layer.hiddenSize() > StagedTiles.UNITS_FOR_SEQUENCE);
    }

    /** Returns plans under which groups of two units wait for each other; those that give up run by {@code steps}. */
    private Plans waiting(Plans steps) {
        PlanChoice launched = steps.choose(rows, STEPS, false);
        Tile waits = Tile.staged(1, Staging.persistent(2, StagedTiles.FEWEST_ROWS, 16, 64))
                .withHoisted(true);
        SequenceGroups groups =
                new SequenceGroups((int) waits.groupsDown(rows), waits.groupsAlong(Tile.blocks(units, 4)));
        PlanChoice choice = new PlanChoice(Plan.SEQUENCE, waits, launched.projection(), groups, "for the self-test");
        return new Plans() {
            @Override
            public int vec() {
                return steps.vec();
            }

            @Override
            public PlanChoice choose(int rows, int steps, boolean cooperative) {
                return cooperative ? choice : launched;
            }
        };
    }

    /**
     * Returns the tier of the context's device.
     *
     * @param asksToWait whether a user has asked for work-groups that wait for each other
     */
    static Tier tier(ClContext context, Programs programs, LstmModel model, PlanSource source, boolean asksToWait) {
        ClDevice device = context.device();
        List<String> missing = OpenClDevices.missingForExact(device.capabilities());
        if (!missing.isEmpty()) {
            warn(device, "it doesn't promise " + String.join(", ", missing));
            return Tier.TOLERANCE;
        }
        String failure = new SelfTest(context, programs, model, source, asksToWait).failure(cells(model));
        if (failure != null) {
            warn(device, "it failed the opening self-test: " + failure);
            return Tier.TOLERANCE;
        }
        return Tier.EXACT;
    }

    /** Returns what the device computes otherwise than the Java engine; null if every test passes or has passed. */
    private String failure(Set<Cell> cells) {
        boolean replaced = KernelSource.areReplaced(); // by kernels that may change at any time
        for (Plans way : plans) {
            PlanChoice choice = way.choose(rows, STEPS, true);
            for (Cell cell : cells) {
                Passed passed = new Passed(context.device().toString(), programs.weights(), choice, cell);
                if (replaced || !PASSED.contains(passed)) {
                    String failure = cell.equals(ORDINARY) && way == plans.get(0) ? operations() : null;
                    failure = failure == null ? smallLstm(cell, way) : failure;
                    if (failure != null) {
                        return failure;
                    }
                    if (!replaced) {
                        PASSED.add(passed);
                    }
                }
            }
        }
        return null;
    }

    /** Tests the operations outside of cells. Returns null if every bit agrees. */
    private String operations() {
        String failure = activations();
        return failure == null ? storedWeights() : failure;
    }

    private static void warn(ClDevice device, String reason) {
        if (WARNED.add(device + reason)) {
            LOG.warn("{} is in the tolerance tier: {}", device, reason);
        }
    }

    /** Tests sigmoid and tanh, with denormals, saturation and NaN. Returns null if every bit agrees. */
    private String activations() {
        float[] x = values(VALUES, new Random(SEED));
        float[] sigmoid = new float[VALUES], tanh = new float[VALUES];
        try (ClQueue queue = context.queue();
                Kernel kernel = programs.kernel(KernelSource.STATE, tile, "lstm_activations");
                ClBuffer in = context.buffer("self-test input", 4L * VALUES, ClBuffer.Access.READ_ONLY);
                ClBuffer s = context.buffer("self-test sigmoid", 4L * VALUES, ClBuffer.Access.WRITE_ONLY);
                ClBuffer t = context.buffer("self-test tanh", 4L * VALUES, ClBuffer.Access.WRITE_ONLY)) {
            Transfers transfers = new Transfers(queue);
            transfers.write(in, 0, VALUES, view -> view.put(0, x));
            kernel.set("x", in).set("s", s).set("t", t);
            queue.launch(kernel.ready(), NdRange.of(VALUES / tile.vec()));
            transfers.read(s, 0, VALUES, view -> view.get(0, sigmoid));
            transfers.read(t, 0, VALUES, view -> view.get(0, tanh));
        }
        for (int k = 0; k < VALUES; k++) {
            if (differ(sigmoid[k], Activations.sigmoid(x[k]))) {
                return describe("sigmoid(" + Float.toHexString(x[k]) + ")", Activations.sigmoid(x[k]), sigmoid[k]);
            }
            if (differ(tanh[k], Activations.tanh(x[k]))) {
                return describe("tanh(" + Float.toHexString(x[k]) + ")", Activations.tanh(x[k]), tanh[k]);
            }
        }
        return null;
    }

    /** Tests every weight that has 16 bits. Returns null if every bit agrees, or if weights have 32 bits. */
    private String storedWeights() {
        WeightPrecision weights = programs.weights();
        if (weights == WeightPrecision.F32) {
            return null;
        }
        ByteBuffer stored = ByteBuffer.allocateDirect(STORED * weights.bytes()).order(ByteOrder.nativeOrder());
        for (int bits = 0; bits < STORED; bits++) {
            stored.putShort(bits * weights.bytes(), (short) bits);
        }
        float[] loaded = new float[STORED];
        try (ClQueue queue = context.queue();
                Kernel kernel = programs.kernel(KernelSource.LOAD_WEIGHTS, tile, "lstm_load_weights");
                ClBuffer from = context.buffer("self-test weights", stored.capacity(), ClBuffer.Access.READ_ONLY);
                ClBuffer to = context.buffer("self-test floats", 4L * STORED, ClBuffer.Access.WRITE_ONLY)) {
            queue.write(from, 0, stored);
            kernel.set("stored", from).set("loaded", to);
            queue.launch(kernel.ready(), NdRange.of(STORED / tile.vec()));
            new Transfers(queue).read(to, 0, STORED, view -> view.get(0, loaded));
        }
        for (int bits = 0; bits < STORED; bits++) {
            float expected = weights.fromBits(bits);
            if (differ(expected, loaded[bits])) {
                return describe("the " + weights.label() + " " + String.format("%04x", bits), expected, loaded[bits]);
            }
        }
        return null;
    }

    /**
     * Returns the rows of the small LSTM: one more than a tile has. A GPU also gets enough rows for a tile in local
     * memory, because its compiler may get barriers wrong.
     */
    public static int rows(Capabilities device) {
        boolean stages = device.type() != Capabilities.Type.CPU;
        return 1 + (stages ? StagedTiles.FEWEST_ROWS : DeviceTraits.of(device).tallestTile());
    }

    /**
     * The facts that select the code of a layer's cell.
     *
     * @param first the equations of the first direction
     * @param second those of the second direction, or of the first if there is only one
     */
    private record Cell(CellEquations first, CellEquations second, boolean peepholes) {}

    private static final Cell ORDINARY = new Cell(CellEquations.ORDINARY, CellEquations.ORDINARY, false);

    /** Returns the ordinary cell, which is always tested, and the cells of a model. */
    private static Set<Cell> cells(LstmModel model) {
        Set<Cell> cells = new LinkedHashSet<>(Set.of(ORDINARY));
        for (LstmLayer layer : model.layers()) {
            List<LstmWeights> weights = layer.weights();
            cells.add(new Cell(
                    weights.get(0).equations(), weights.get(weights.size() - 1).equations(), layer.hasPeepholes()));
        }
        return cells;
    }

    /** Tests two ragged bidirectional layers with awkward sizes and values. Returns null if every bit agrees. */
    private String smallLstm(Cell cell, Plans way) {
        Random random = new Random(SEED);
        int inputs = 3;
        LstmModel model = new LstmModel(
                Direction.BIDIRECTIONAL,
                List.of(
                        List.of(
                                weights(inputs, units, cell.first, cell, random),
                                weights(inputs, units, cell.second, cell, random)),
                        List.of(
                                weights(2 * units, units, cell.first, cell, random),
                                weights(2 * units, units, cell.second, cell, random))));
        int[] lengths = random.ints(rows, 0, STEPS + 1).toArray();
        lengths[0] = STEPS;
        LstmState state = new LstmState(rows, values(4 * rows * units, random), values(4 * rows * units, random));
        LstmInput input = LstmInput.batchMajor(values(rows * STEPS * inputs, random), rows, STEPS)
                .withLengths(lengths)
                .withInitialState(state);
        LstmOutput found;
        OpenClEngine engine = new OpenClEngine(context, programs, model, way, Tier.EXACT);
        try (LstmSession session = engine.newSession()) {
            found = session.run(input);
        } finally {
            engine.closeMemory();
        }
        LstmOutput expected;
        EngineOptions options = EngineOptions.DEFAULT.withThreads(1).withWeights(programs.weights());
        try (var java = new JavaEngineProvider().openUnwatched(model, options);
                LstmSession session = java.newSession()) {
            expected = session.run(input);
        }
        String failure = compare("y", expected.y(), found.y());
        if (failure == null) {
            failure = compare(
                    "final h",
                    FloatBuffer.wrap(expected.finalState().h()),
                    FloatBuffer.wrap(found.finalState().h()));
        }
        if (failure == null) {
            failure = compare(
                    "final c",
                    FloatBuffer.wrap(expected.finalState().c()),
                    FloatBuffer.wrap(found.finalState().c()));
        }
        return failure;
    }

    private static LstmWeights weights(int inputs, int units, CellEquations equations, Cell cell, Random random) {
        LstmWeights.Builder weights = LstmWeights.builder(inputs, units)
                .input(moderate(4 * units * inputs, random))
                .recurrent(moderate(4 * units * units, random))
                .inputBias(moderate(4 * units, random))
                .recurrentBias(moderate(4 * units, random))
                .equations(equations);
        return (cell.peepholes ? weights.peepholes(moderate(3 * units, random)) : weights).build();
    }

    private static float[] moderate(int count, Random random) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = (random.nextFloat() - 0.5f) * 2;
        }
        return values;
    }

    /** Returns values of every magnitude, including special ones. Most are where the activations are not saturated. */
    private static float[] values(int count, Random random) {
        float[] special = {
            0.0f,
            -0.0f,
            1.0f,
            -1.0f,
            Float.MIN_VALUE,
            -Float.MIN_VALUE,
            Float.MIN_NORMAL,
            -Float.MIN_NORMAL,
            0x1p-130f,
            -0x1p-130f,
            -87.4f,
            -88.8f,
            -100.0f,
            -103.9f,
            -104.1f,
            9.01f,
            9.02f,
            -9.02f,
            17.3f,
            88.8f,
            Float.MAX_VALUE,
            -Float.MAX_VALUE,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.NaN
        };
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = switch (k % 8) {
                // Whole rows of NaN would hide everything else, so special values are rare in long arrays.
                case 0 -> k / 8 % 32 == 0 ? special[k / 256 % special.length] : (random.nextFloat() - 0.5f) * 220;
                case 1 -> Float.intBitsToFloat(random.nextInt() & 0x807FFFFF); // a denormal
                case 2 -> (float) Math.scalb(random.nextDouble() - 0.5, -random.nextInt(126));
                default -> (random.nextFloat() - 0.5f) * 24;
            };
        }
        return values;
    }

    private static String compare(String what, FloatBuffer expected, FloatBuffer found) {
        for (int k = 0; k < expected.limit(); k++) {
            if (differ(expected.get(k), found.get(k))) {
                return describe("a small LSTM's " + what + "[" + k + "]", expected.get(k), found.get(k));
            }
        }
        return null;
    }

    private static boolean differ(float a, float b) {
        return Float.floatToIntBits(a) != Float.floatToIntBits(b);
    }

    private static String describe(String what, float expected, float found) {
        return what + ": expected " + Float.toHexString(expected) + ", found " + Float.toHexString(found);
    }
}
