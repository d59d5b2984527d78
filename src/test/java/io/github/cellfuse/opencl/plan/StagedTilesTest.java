package io.github.cellfuse.opencl.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Extent;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.Capabilities.VendorFacts;
import io.github.cellfuse.cl.ClBuildException;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.engine.LooseKernels;
import io.github.cellfuse.opencl.engine.OpenClEngine;
import io.github.cellfuse.opencl.engine.SelfTest;
import io.github.cellfuse.opencl.engine.StagedPlans;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The choices for GPUs of all sizes, and their bits on the devices of this machine. */
class StagedTilesTest {
    private static final LayerSize LARGE = new LayerSize(512, 512, 512, 1);
    private static final LayerSize SMALL = new LayerSize(64, 64, 64, 1);
    private static final Capabilities GPU = Described.gpu(60, 64 << 10, 1024);

    private static PlanChoice choice(Capabilities device, LayerSize layer, int rows, int steps) {
        return chooser(device, layer).choose(rows, steps, Optional.empty(), true);
    }

    private static PlanChooser chooser(Capabilities device, LayerSize layer) {
        return Choosers.typical(device, layer);
    }

    @Test
    void aGpuStagesWhatACpuReadsFromItsCaches() {
        PlanChoice many = choice(GPU, LARGE, 8192, 64);
        assertEquals(Plan.FUSED, many.plan());
        assertFalse(many.step().staging().isNarrow(), many.reason());
        PlanChoice some = choice(GPU, LARGE, 64, 64);
        assertEquals(Plan.HOISTED, some.plan(), "the input's product fills compute units that a step leaves idle");
        assertTrue(some.step().staging().isNarrow(), some.reason());
        assertTrue(some.projection().isStaged());
        PlanChoice one = choice(GPU, LARGE, 1, 64);
        assertEquals(Plan.HOISTED, one.plan());
        assertTrue(one.step().staging().isNarrow(), "neighbors read neighboring weights");
        assertTrue(one.projection().isStaged(), "the rows of all steps do");
        PlanChoice small = choice(GPU, SMALL, 4096, 64);
        assertEquals(Plan.SEQUENCE, small.plan());
        assertTrue(small.step().isStaged());
        assertEquals(64, small.step().groupUnits(), "all 64 units in a group");
        assertTrue(
                small.reason()
                        .matches("sequence plan, hoisted \\(a small layer: .*\\), "
                                + "tile of [0-9]+ rows x 64 units .* in local memory"),
                small.reason());
        PlanChoice projected = choice(GPU, new LayerSize(64, 32, 64, 1), 4096, 64);
        assertNotEquals(Plan.SEQUENCE, projected.plan(), "the whole sequence has no projection");
    }

    private static final Capabilities H100 =
            Described.gpu("NVIDIA H100 80GB HBM3", "NVIDIA Corporation", 132, 48 << 10, 1024, new VendorFacts(90, 32));

    /** A GPU with as many compute units as an H200, whose groups have up to 48 KiB of local memory. */
    private static Tile sequence(int units, int rows, long items) {
        LayerSize layer = new LayerSize(units, units, units, 1);
        return choice(Described.gpu(132, 48 << 10, items), layer, rows, 64).step();
    }

    @ParameterizedTest
    @CsvSource({
        "64, 1, 1, 8", // the smallest group
        "64, 64, 1, 8",
        "64, 1024, 1, 8",
        "64, 2048, 2, 16", // one group each, where smaller ones would take two turns
        "64, 4096, 4, 32",
        "64, 16384, 4, 64",
        "20, 64, 1, 16",
        "128, 64, 1, 4",
        "128, 1024, 2, 8",
        "128, 65536, 4, 32"
    })
    void groupsOfAWholeSequenceHaveFewRowsWhereTheBatchIsSmall(int units, int rows, int tileRows, int groupRows) {
        Tile tile = sequence(units, rows, 1024);
        assertEquals(tileRows, tile.rows(), tile::toString);
        assertEquals(groupRows, tile.groupRows(), tile::toString);
    }

    @Test
    void groupsOfAWholeSequenceOccupyEverySchedulerWhereTheLimitsAllow() {
        for (int units = 1; units <= 128; units++) {
            for (int rows = 1; rows <= 1 << 17; rows *= 2) {
                Tile tile = sequence(units, rows, 1024);
                assertTrue(tile.staging().workItems() >= 128, units + " units, " + rows + " rows: " + tile);
                assertEquals(64, sequence(units, rows, 64).staging().workItems());
            }
        }
    }

    @Test
    void everyChosenTileOfAWholeSequenceIsAuditedAtItsLargest() {
        Set<Tile> audited = new HashSet<>(StagedTiles.everySequence());
        for (int units = 1; units <= 256; units++) {
            Tile tile = new StagedTiles(GPU, new LayerSize(units, units, units, 1))
                    .sequence(1 << units % 18)
                    .orElseThrow();
            assertTrue(
                    audited.stream()
                            .anyMatch(large -> large.rows() == tile.rows()
                                    && large.groupUnits() == tile.groupUnits()
                                    && large.groupRows() >= tile.groupRows()),
                    tile::toString);
        }
        assertTrue(
                new StagedTiles(GPU, new LayerSize(257, 257, 257, 1))
                        .sequence(64)
                        .isEmpty(),
                "too many units");
    }

    /** Every NVIDIA GPU since Volta has as many registers. */
    @Test
    void weightsOfASmallLayerStayInRegistersOnNvidia() {
        for (int units = 1; units <= 128; units++) {
            for (int rows = 1; rows <= 1 << 14; rows *= 2) {
                LayerSize layer = new LayerSize(units, units, units, 1);
                Tile tile = choice(H100, layer, rows, 64).step();
                String what = units + " units, " + rows + " rows: " + tile + ", " + tile.staging();
                assertTrue(tile.staging().isInRegisters(), what);
                int items = tile.staging().workItems();
                assertTrue(items >= 128 && items <= 256, what);
                assertTrue(tile.groupUnits() >= units && tile.groupUnits() < units + 8, what);
                assertEquals(1, tile.groupsAlong(Tile.blocks(units, 4)), what);
            }
        }
        LayerSize projected = new LayerSize(64, 32, 64, 1);
        assertFalse(choice(H100, projected, 64, 64).step().staging().isInRegisters());
    }

    @Test
    void smallBatchesGetGroupsOfOneRow() {
        Map<Integer, Integer> rowsOfGroups = new TreeMap<>();
        for (int rows : new int[] {1, 64, 256, 1024, 4096}) {
            rowsOfGroups.put(
                    rows,
                    choice(H100, new LayerSize(64, 64, 64, 1), rows, 64).step().groupRows());
        }
        assertEquals(Map.of(1, 1, 64, 1, 256, 2, 1024, 4, 4096, 8), rowsOfGroups);
    }

    /** A device with wrong barriers must not be in the exact tier. */
    @Test
    void theOpeningSelfTestOfAGpuStagesItsTiles() {
        for (Plan plan : List.of(Plan.FUSED, Plan.SEQUENCE)) {
            PlanChoice choice =
                    chooser(GPU, new LayerSize(10, 5, 5, 2)).choose(SelfTest.rows(GPU), 5, Optional.of(plan), true);
            assertEquals(plan, choice.plan());
            assertTrue(choice.step().isStaged(), choice.reason());
        }
        Capabilities processor = Described.device(Capabilities.Type.CPU, "OpenCL 3.0 PoCL", 2, 16);
        assertEquals(7, SelfTest.rows(processor), "a row more than a tile");
    }

    @Test
    void tilesThatDoNotFitTheDeviceAreNotChosen() {
        Capabilities processor = Described.device(Capabilities.Type.CPU, "OpenCL 3.0 PoCL", 2, 16);
        Capabilities without = Described.device(Capabilities.Type.GPU, "OpenCL 2.0 AMD-APP", 60, 1);
        Candidate staged = Candidate.of(choice(GPU, LARGE, 4096, 64));
        assertTrue(chooser(GPU, LARGE).mayRun(staged));
        assertFalse(chooser(processor, LARGE).mayRun(staged), "tuned elsewhere");
        for (LayerSize layer : new LayerSize[] {LARGE, SMALL}) {
            assertFalse(choice(processor, layer, 4096, 64).step().isStaged(), "a CPU has caches");
            assertFalse(choice(without, layer, 4096, 64).step().isStaged(), "local memory that is not dedicated");
            for (long local : new long[] {4 << 10, 16 << 10, 32 << 10, 48 << 10, 64 << 10, 100 << 10, 228 << 10}) {
                for (long items : new long[] {32, 64, 128, 256, 1024}) {
                    PlanChoice choice = choice(Described.gpu(60, local, items), layer, 4096, 64);
                    for (Tile tile : new Tile[] {choice.step(), choice.projection()}) {
                        boolean whole = tile == choice.step() && choice.plan() == Plan.SEQUENCE;
                        long bytes = whole
                                ? tile.staging().stateBytes(tile.rows())
                                : tile.staging().bytes(tile.rows());
                        assertTrue(!tile.isStaged() || bytes <= local, () -> choice + " in " + local + " bytes");
                        assertTrue(tile.staging().workItems() <= items, () -> choice + " by " + items + " work-items");
                    }
                }
            }
        }
        for (int rows : new int[] {1, 64, 1024, 8192}) {
            int shallow = staging(16 << 10, rows).depth(),
                    deep = staging(128 << 10, rows).depth();
            assertTrue(shallow < deep, () -> "more local memory, fewer barriers: " + shallow + " and " + deep + " k");
        }
    }

    private static Staging staging(long localBytes, int rows) {
        return choice(Described.gpu(60, localBytes, 1024), LARGE, rows, 64)
                .step()
                .staging();
    }

    /** Returns the cases for every device of this machine. */
    static Stream<Arguments> devicesAndSeeds() {
        long first = TestEngines.seed(500);
        return TestDevices.list().stream()
                .flatMap(device -> Extent.seeds(first, 5, 12).mapToObj(seed -> Arguments.of(device, seed)));
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("devicesAndSeeds")
    void theChoicesOfAGpuGiveTheBitsOfTheJavaEngine(ClDevice device, long seed) {
        Random random = new Random(seed);
        WeightPrecision weights = WeightPrecision.values()[(int) (seed % 3)];
        int rows = 16 + random.nextInt(60), units = 1 + random.nextInt(200);
        LstmModel model = RandomLstm.model(random, 2, 1 + random.nextInt(40), units, seed % 4 == 0, true);
        RandomLstm batch = new RandomLstm(seed, model, RandomLstm.input(random, model, rows, 9));
        Capabilities gpu = Described.gpu(1 + random.nextInt(4), 64 << 10, 256);
        PlanChooser chooser = chooser(gpu, LayerSize.of(model, weights));
        LstmOutput expected;
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model, EngineOptions.DEFAULT.withWeights(weights));
                var session = java.newSession()) {
            expected = session.run(batch.input());
        }
        Set<Tile> staged = new HashSet<>();
        try (ClContext context = device.open()) {
            Programs programs = new Programs(context, weights);
            for (Plan plan : Plan.values()) {
                OpenClEngine engine = new OpenClEngine(
                        context, programs, model, new StagedPlans(chooser, Optional.of(plan)), Tier.EXACT);
                try (var session = engine.newSession()) {
                    PlanChoice choice = engine.choose(rows, 9);
                    Stream.of(choice.step(), choice.projection())
                            .filter(Tile::isStaged)
                            .forEach(staged::add);
                    Bits.assertSame(batch + ", " + weights + " by " + choice, expected, session.run(batch.input()));
                } finally {
                    engine.closeMemory();
                }
            }
        }
        assertTrue(staged.size() > 1, "too few tiles were staged: " + staged);
    }

    /** After a compiler's error the next tile is chosen, and finally one that is not staged. */
    @ParameterizedTest
    @EnumSource(Plan.class)
    void aTileThatDoesntCompileIsReplacedByTheNext(Plan plan, @TempDir Path folder) throws IOException {
        RandomLstm batch = RandomLstm.of(TestEngines.seed(31));
        LstmModel model = RandomLstm.model(new Random(31), 1, 5, 9, false, true);
        RandomLstm many = new RandomLstm(31, model, RandomLstm.input(new Random(31), model, 40, 3));
        PlanChooser chooser = chooser(GPU, LayerSize.of(model));
        assertTrue(chooser.choose(40, 3, Optional.of(plan), true).step().isStaged(), batch::toString);
        LstmOutput expected = javaOutput(many);
        String group = "#define GROUP_SIZE";
        LooseKernels.withEach(folder, group, "#error no group compiles\n" + group, () -> {
            try (ClContext context = TestDevices.first().open()) {
                OpenClEngine engine = new OpenClEngine(
                        context, new Programs(context), model, new StagedPlans(chooser, Optional.of(plan)), Tier.EXACT);
                Bits.assertSame("after refusals", expected, engine.newSession().run(many.input()));
                assertFalse(engine.choose(40, 3).step().isStaged(), "no staged tile compiles");
            }
        });
    }

    @Test
    void withoutAnotherTileTheErrorIsTheCompilersLog(@TempDir Path folder) throws IOException {
        RandomLstm batch = RandomLstm.of(TestEngines.seed(32));
        PlanChooser chooser = chooser(GPU, LayerSize.of(batch.model()));
        LooseKernels.with(
                folder, "activations.cl", "#define JOIN(a, b)", "#error nothing compiles\n#define JOIN(a, b)", () -> {
                    try (ClContext context = TestDevices.first().open()) {
                        OpenClEngine engine = new OpenClEngine(
                                context,
                                new Programs(context),
                                batch.model(),
                                new StagedPlans(chooser, Optional.empty()),
                                Tier.EXACT);
                        ClBuildException e = assertThrows(
                                ClBuildException.class,
                                () -> engine.newSession().run(batch.input()));
                        assertTrue(e.getMessage().contains("nothing compiles"), e.getMessage());
                    }
                });
    }

    private static LstmOutput javaOutput(RandomLstm batch) {
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, batch.model());
                var session = engine.newSession()) {
            return session.run(batch.input());
        }
    }
}
