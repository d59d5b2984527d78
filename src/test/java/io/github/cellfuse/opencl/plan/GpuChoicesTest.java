package io.github.cellfuse.opencl.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.Capabilities.AtomicConfig;
import io.github.cellfuse.cl.Capabilities.VendorFacts;
import io.github.cellfuse.opencl.device.GpuCore;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is chosen on GPUs that aren't here. A change of the policy is a change of the table. */
class GpuChoicesTest {
    private static final Path EXPECTED = Path.of("src/test/resources/opencl/gpu-choices.txt");
    private static final Path FOUND = Path.of("target/gpu-choices.txt");

    private static final Capabilities H100 =
            Described.gpu("NVIDIA H100 80GB HBM3", "NVIDIA Corporation", 132, 48 << 10, 1024, new VendorFacts(90, 32));

    private static final List<Capabilities> GPUS = List.of(
            H100,
            Described.gpu("NVIDIA A100", "NVIDIA Corporation", 108, 48 << 10, 1024, new VendorFacts(80, 32)),
            Described.gpu("NVIDIA RTX 4090", "NVIDIA Corporation", 128, 48 << 10, 1024, new VendorFacts(89, 32)),
            Described.gpu("gfx90a", "Advanced Micro Devices, Inc.", 104, 64 << 10, 256, new VendorFacts(0, 64)),
            Described.gpu("gfx1100", "Advanced Micro Devices, Inc.", 48, 64 << 10, 256, new VendorFacts(0, 32)),
            Described.gpu("Intel(R) Arc(TM) A770", "Intel(R) Corporation", 512, 64 << 10, 1024, VendorFacts.NONE));

    /** T, N, I, H. */
    private static final int[][] SHAPES = {
        {64, 4096, 512, 512},
        {32, 8192, 1024, 1024},
        {32, 1024, 512, 512},
        {64, 1024, 128, 256},
        {64, 256, 512, 512},
        {16, 256, 1024, 1024},
        {25, 128, 1024, 1024},
        {64, 64, 512, 512},
        {64, 16, 512, 512},
        {1024, 16, 768, 768},
        {64, 1, 512, 512},
        {128, 4096, 64, 64},
        {128, 64, 64, 64},
        {64, 256, 128, 128},
        {128, 4096, 128, 128}
    };

    private static final String HEAD = """
            # What is chosen on GPUs for T,N,I,H. Tiles are rows x units, with k of a stage; waves are those of a core.
            # device                T,N,I,H            plan      step's tile     items  local B  groups  waves  \
            | product's tile
            """;

    private static String table() {
        StringBuilder table = new StringBuilder(HEAD);
        for (Capabilities gpu : GPUS) {
            for (int[] shape : SHAPES) {
                table.append(line(gpu, shape)).append('\n');
            }
        }
        return table.toString();
    }

    private static String line(Capabilities gpu, int[] shape) {
        LayerSize layer = new LayerSize(shape[2], shape[3], shape[3], 1);
        PlanChoice choice = Choosers.typical(gpu, layer).choose(shape[1], shape[0], Optional.empty(), true);
        Tile tile = choice.step();
        Staging group = tile.staging();
        boolean whole = choice.plan() == Plan.SEQUENCE && !group.isPersistent();
        GpuCore core = GpuCore.of(gpu);
        StagedCost cost = new StagedCost(core, layer);
        long groups = cost.groups(tile, shape[1]);
        long side = Math.min(cost.resident(tile), (groups + core.cores() - 1) / core.cores());
        return String.format(
                Locale.ROOT,
                "%-23s %-18s %-9s %-15s %5d %8d %7d %6d  | %s",
                gpu.name(),
                shape[0] + "," + shape[1] + "," + shape[2] + "," + shape[3],
                choice.plan().name().toLowerCase(Locale.ROOT),
                whole ? size(tile) : size(tile) + "/" + group.depth() + kind(group),
                group.workItems(),
                whole ? group.stateBytes(tile.rows()) : group.bytes(tile.rows()),
                groups,
                whole ? core.waves(group.workItems()) : side * core.waves(group.workItems()),
                tile.hoisted()
                        ? size(choice.projection()) + "/"
                                + choice.projection().staging().depth()
                        : "-");
    }

    private static String kind(Staging group) {
        return group.isPersistent() ? " of " + group.resident() : group.isNarrow() ? " narrow" : "";
    }

    private static String size(Tile tile) {
        return tile.groupRows() + "x" + tile.groupUnits();
    }

    @Test
    void theTableIsTheSame() throws IOException {
        String found = table();
        Files.writeString(FOUND, found);
        assertEquals(
                Files.readString(EXPECTED),
                found,
                () -> "if the change is wanted, replace " + EXPECTED + " by " + FOUND);
    }

    /** On a core with four schedulers, two waves leave two of them without work. */
    @Test
    void everySchedulerOfABusyCoreHasAWave() {
        for (Capabilities gpu : GPUS) {
            GpuCore core = GpuCore.of(gpu);
            for (int[] shape : SHAPES) {
                LayerSize layer = new LayerSize(shape[2], shape[3], shape[3], 1);
                PlanChoice choice = Choosers.typical(gpu, layer).choose(shape[1], shape[0], Optional.empty(), true);
                if (core.wave() == 32 && choice.plan() != Plan.SEQUENCE) {
                    int waves = core.waves(choice.step().staging().workItems());
                    assertTrue(waves >= core.schedulers(), () -> line(gpu, shape));
                }
            }
        }
    }

    /** Groups that wait for each other run at the same time, and every k of the layer stays in local memory. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void groupsWaitOnlyWhereAllOfThemRunAtTheSameTime(int gpu) {
        Capabilities device = GPUS.get(gpu);
        GpuCore core = GpuCore.of(device);
        int waiting = 0;
        Random random = new Random(20261127);
        for (int k = 0; k < 200; k++) {
            int units = 1 + random.nextInt(1500), rows = 1 + random.nextInt(300), directions = 1 + random.nextInt(2);
            LayerSize layer = new LayerSize(units, units, units, directions);
            PlanChooser chooser = Choosers.typical(device, layer);
            PlanChoice choice = chooser.choose(rows, 64, Optional.empty(), true);
            String what = rows + " rows of " + units + " units: " + choice.reason();
            if (choice.groups().isCooperative()) {
                waiting++;
                Staging group = choice.step().staging();
                assertTrue(
                        group.resident() >= units && group.bytes(choice.step().rows()) <= 48 << 10, what);
                long groups = new StagedCost(core, layer).groups(choice.step(), rows);
                long held = core.localBytes() / group.bytes(choice.step().rows());
                assertTrue(groups <= core.cores() * held, what);
                assertTrue(groups * group.workItems() <= core.cores() * 1024L, what);
            }
            assertFalse(
                    chooser.choose(rows, 64, Optional.empty(), false).groups().isCooperative(), what);
            assertFalse(chooser.choose(rows, 2, Optional.empty(), true).groups().isCooperative(), what);
        }
        assertEquals(device.vendor().startsWith("NVIDIA"), waiting > 0, waiting + " of 200 wait");
    }

    /** Whoever asks for the plan where nobody may wait gets the steps, and is told why. */
    @Test
    void aPlanWhoseGroupsMayNotWaitIsReplacedBySteps() {
        PlanChooser chooser = Choosers.typical(H100, new LayerSize(512, 512, 512, 1));
        PlanChoice asked = chooser.choose(256, 64, Optional.of(Plan.SEQUENCE), true);
        assertTrue(asked.groups().isCooperative() && asked.reason().contains("(as asked)"), asked.reason());
        PlanChoice alone = chooser.choose(256, 64, Optional.of(Plan.SEQUENCE), false);
        assertEquals(Plan.HOISTED, alone.plan());
        assertTrue(alone.reason().contains("(as no work-group may wait for another)"), alone.reason());
    }

    /** A GPU on which groups could wait for each other, but never have. */
    private static Capabilities ready(String name, int units, int wave) {
        boolean isIntel = name.startsWith("Intel");
        return Described.gpu(
                name,
                isIntel ? "Intel(R) Corporation" : "Advanced Micro Devices, Inc.",
                isIntel ? "OpenCL 3.0 NEO" : "OpenCL 2.0 AMD-APP (3635.0)",
                units,
                64 << 10,
                isIntel ? 1024 : 256,
                new VendorFacts(0, wave),
                new AtomicConfig(true, true),
                isIntel);
    }

    /** Where nobody has measured it, groups wait if a user asks for the plan, at most one for 64 KiB of a core. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gfx90a:sramecc+:xnack-                | 104  | 64 | 384 | 104
            gfx1100                               | 48   | 32 | 384 | 96
            Intel(R) Data Center GPU Max 1550     | 1024 | 0  | 256 | 64
            """)
    void untriedGroupsWaitOnlyIfAsked(String name, int units, int wave, int hidden, int together) {
        LayerSize layer = new LayerSize(hidden, hidden, hidden, 1);
        Capabilities gpu = ready(name, units, wave);
        PlanChooser chooser = Choosers.typical(gpu, layer);
        PlanChoice asked = chooser.choose(16, 64, Optional.of(Plan.SEQUENCE), true);
        assertTrue(asked.step().staging().isPersistent(), asked.reason());
        assertTrue(asked.groups().isCooperative() && asked.reason().contains("(as asked)"), asked.reason());
        assertTrue(asked.secondsWithoutWaiting() < 1, "they give up in time");
        assertTrue(new StagedCost(GpuCore.of(gpu), layer).groups(asked.step(), 16) <= together);
        assertTrue(chooser.candidates(16, 64, true).stream()
                .anyMatch(candidate -> candidate.staging().isPersistent() && chooser.mayRun(candidate)));

        PlanChoice usual = chooser.choose(16, 64, Optional.empty(), true);
        assertFalse(usual.groups().isCooperative(), usual.reason());
        PlanChoice alone = chooser.choose(16, 64, Optional.of(Plan.SEQUENCE), false);
        assertEquals(Plan.HOISTED, alone.plan(), alone.reason());
        assertTrue(alone.reason().contains("(as no work-group may wait for another)"), alone.reason());
        assertTrue(chooser.candidates(16, 64, false).stream()
                .noneMatch(candidate -> candidate.staging().isPersistent()));
    }

    /** Without the atomic operations, a clock, or enough cores, it is as if nobody might wait. */
    @Test
    void groupsThatCannotWaitAreReplacedBySteps() {
        LayerSize layer = new LayerSize(384, 384, 384, 1);
        AtomicConfig none = AtomicConfig.NONE,
                ofGroups = new AtomicConfig(true, false),
                all = new AtomicConfig(true, true);
        VendorFacts facts = new VendorFacts(0, 64);
        String amd = "Advanced Micro Devices, Inc.", version = "OpenCL 2.0 AMD-APP (3635.0)";
        for (Capabilities gpu : List.of(
                Described.gpu("gfx90a", amd, version, 104, 64 << 10, 256, facts, none, false),
                Described.gpu("gfx90a", amd, version, 104, 64 << 10, 256, facts, ofGroups, true),
                Described.gpu("gfx90a", amd, "OpenCL 1.2", 104, 64 << 10, 256, facts, all, true),
                // Mesa's driver, whose compiler doesn't know AMD's builtins.
                Described.gpu("AMD Radeon (radeonsi)", "AMD", "OpenCL 3.0", 104, 64 << 10, 256, facts, all, false))) {
            PlanChooser chooser = Choosers.typical(gpu, layer);
            PlanChoice asked = chooser.choose(16, 64, Optional.of(Plan.SEQUENCE), true);
            assertEquals(Plan.HOISTED, asked.plan(), asked.reason());
            assertTrue(asked.reason().contains("(as no work-group may wait for another)"), asked.reason());
            assertTrue(chooser.candidates(16, 64, true).stream()
                    .noneMatch(candidate -> candidate.staging().isPersistent()));
        }
        PlanChooser small = Choosers.typical(ready("gfx1100", 20, 32), layer);
        assertFalse(
                small.choose(16, 64, Optional.of(Plan.SEQUENCE), true).groups().isCooperative(), "40 groups fit");
    }

    /** A tile that is refused makes room for the next, also in another kernel. */
    @ParameterizedTest
    @ValueSource(ints = {1, 16, 256, 4096})
    void refusedTilesAreLeftOut(int rows) {
        PlanChooser chooser = Choosers.typical(H100, new LayerSize(512, 512, 512, 1));
        List<Tile> seen = new ArrayList<>();
        for (Tile tile = step(chooser, rows); tile.isStaged(); tile = step(chooser, rows)) {
            assertTrue(!seen.contains(tile), "again: " + tile);
            seen.add(tile);
            chooser.refuse(KernelSource.step(tile), tile);
        }
        assertTrue(seen.stream().anyMatch(tile -> tile.staging().isNarrow()), seen::toString);
    }

    private static Tile step(PlanChooser chooser, int rows) {
        return chooser.choose(rows, 64, Optional.of(Plan.FUSED), true).step();
    }
}
