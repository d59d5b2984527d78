package io.github.cellfuse.opencl.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.Choosers;
import io.github.cellfuse.opencl.plan.Described;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Staging;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The file of tuned entries of a device, and engines that use it. */
class TunedTest {
    private static final LayerSize LAYER = new LayerSize(5, 40, 40, 1);
    private static final DeviceSpeed SPEED = new DeviceSpeed(232e9, 115.5e9, 97e9, 36.125e9, 2.003e-6);
    private static final Candidate SEPARATE = new Candidate(Plan.SEPARATE, 3, 4, 1, false, SequenceGroups.EACH_TILE);

    @TempDir
    private Path folder;

    private final Capabilities device = TestDevices.first().capabilities();
    private String before;

    @BeforeEach
    void useTheFolder() {
        before = System.getProperty("cellfuse.tuned");
        System.setProperty("cellfuse.tuned", folder.toString());
    }

    @AfterEach
    void leaveTheFolder() {
        if (before == null) {
            System.clearProperty("cellfuse.tuned");
        } else {
            System.setProperty("cellfuse.tuned", before);
        }
    }

    private TunedFile file() {
        return TunedFile.at(folder, device);
    }

    private List<TunedEntry> entries() {
        return file().read().map(Tuned::entries).orElse(List.of());
    }

    /** A whole sequence of 512 units, whose 128 groups keep the weights of four units each. */
    private static Candidate persistent() {
        return new Candidate(
                Plan.SEQUENCE, 1, 4, 0, true, new SequenceGroups(1, 128), Staging.persistent(4, 16, 64, 512));
    }

    /** A whole sequence of 128 units, whose groups have the weights of 80 k in registers. */
    private static Candidate inRegisters() {
        return new Candidate(
                Plan.SEQUENCE, 1, 4, 0, true, SequenceGroups.EACH_TILE, Staging.inRegisters(2, 1, 128, 80));
    }

    private static TunedEntry entry(int rows, int steps, Candidate candidate) {
        return new TunedEntry(LAYER, rows, steps, candidate, 7);
    }

    private void store(TunedEntry... entries) throws Exception {
        file().update(SPEED, List.of(), List.of(entries));
    }

    @Test
    void aFileComesBackAsItWasWritten() throws Exception {
        assertEquals(List.of(), entries(), "never tuned");
        List<TunedEntry> entries = List.of(
                entry(1, 64, SEPARATE),
                entry(16, 64, new Candidate(Plan.FUSED, 16, 2, 4, false, SequenceGroups.EACH_TILE)),
                entry(64, 64, new Candidate(Plan.HOISTED, 1, 4, 0, true, SequenceGroups.EACH_TILE)),
                entry(64, 8, new Candidate(Plan.SEQUENCE, 13, 2, 0, true, new SequenceGroups(1, 2))),
                entry(Integer.MAX_VALUE, 1, new Candidate(Plan.SEQUENCE, 6, 4, 0, false, SequenceGroups.EACH_TILE)),
                entry(
                        65,
                        64,
                        new Candidate(Plan.FUSED, 8, 4, 0, false, SequenceGroups.EACH_TILE, new Staging(8, 16, 8))),
                entry(
                        66,
                        64,
                        new Candidate(Plan.FUSED, 1, 4, 0, false, SequenceGroups.EACH_TILE, Staging.narrow(8, 16, 64))),
                entry(67, 64, persistent()),
                entry(68, 64, inRegisters()));
        store(entries.toArray(TunedEntry[]::new));
        assertEquals(new Tuned(SPEED, entries), file().read().orElseThrow());
        String text = Files.readString(file().path());
        assertTrue(
                text.contains(" plan=sequence tile=1 gates=4 prefetch=0 hoisted=yes groups=1x128"
                        + " staging=4x16x64x1x512 ahead=7\n"),
                text);
        assertTrue(text.contains(" hoisted=yes groups=each-tile staging=256x1x0x2x80 ahead="), text);

        TunedEntry other = entry(16, 64, SEPARATE);
        file().update(SPEED, List.of(other.key(), entries.get(2).key()), List.of(other));
        assertEquals(
                Map.of(
                        entries.get(0).key(), entries.get(0),
                        other.key(), other,
                        entries.get(3).key(), entries.get(3),
                        entries.get(4).key(), entries.get(4),
                        entries.get(5).key(), entries.get(5),
                        entries.get(6).key(), entries.get(6),
                        entries.get(7).key(), entries.get(7),
                        entries.get(8).key(), entries.get(8)),
                entries().stream().collect(Collectors.toMap(TunedEntry::key, e -> e)),
                "measured again: replaced by the new winner, or deleted if there is none");
        assertTrue(file().delete());
        assertFalse(file().delete());
        assertEquals(List.of(), entries());
    }

    /** One bad field at a time: each gives its warning, once. */
    @ParameterizedTest(name = "{0} -> {1}")
    @CsvSource(delimiter = '|', textBlock = """
            cellfuse-tuned 3 | cellfuse-tuned 2     | version: expected 3, found '2'
            cellfuse-tuned 3 | something else       | line 1: expected 'cellfuse-tuned ...', found 'something else'
            (?m)^kernels .*  | kernels 0123456789ab | kernels: expected '
            gflops 232.000 | gflops 0.000 | fma-peak-gflops: expected a number above 0 such as 12.345, found '0.000'
            gflops 232.000 | gflops NaN | fma-peak-gflops: expected a number above 0 such as 12.345, found 'NaN'
            launch-us 2.003  | launch-us 1e3        | launch-us: expected a number above 0 such as 12.345, found '1e3'
            core-far | core-fair | line 8: expected 'core-far-gbytes-per-s ...', found 'core-fair-gbytes-per-s 97.000'
            (?m)^driver .*   | driver 0.1           | driver: expected '
            (?m)^device .*   | device Other         | device: expected '
            (?m)^compute-units .* | compute-units 977 | compute-units: expected '
            entries 1        | entries 2            | entries: expected 2 whole lines, found 1
            entries 1        | entries -1           | entries: expected 0 to 10000, found '-1'
            \\R$             | !                    | entries: expected 1 whole lines, found 0
            inputs=5         | inputs=0             | line 12, inputs: expected 1 to 16777216, found '0'
            directions=1     | directions=3         | line 12, directions: expected 1 to 2, found '3'
            weights=f32      | weights=f8           | line 12, weights: expected f32, f16 or bf16, found 'f8'
            weights=f32      | weights=F16          | line 12, weights: expected f32, f16 or bf16, found 'F16'
            rows=16          | rows=99999999999     | line 12, rows: expected 1 to 2147483647, found '99999999999'
            rows=16          | rows=2147483648      | line 12, rows: expected 1 to 2147483647, found '2147483648'
            steps=64         | steps=-1             | line 12, steps: expected 1 to 2147483647, found '-1'
            steps=64         | step=64              | line 12: expected steps=..., found 'step=64'
            plan=separate | plan=fastest | line 12, plan: expected separate, fused, hoisted or sequence, found 'fastest'
            tile=3           | tile=17              | line 12, tile: expected 1 to 16, found '17'
            tile=3           | tile=0               | line 12, tile: expected 1 to 16, found '0'
            tile=3           | tile=3x              | line 12, tile: expected 1 to 16, found '3x'
            gates=4          | gates=3              | line 12, gates: expected 2 or 4, found '3'
            prefetch=1       | prefetch=5           | line 12, prefetch: expected 0 to 4, found '5'
            hoisted=no       | hoisted=yes          | line 12, hoisted: expected no, found 'yes'
            hoisted=no       | hoisted=maybe        | line 12, hoisted: expected no, found 'maybe'
            groups=each-tile | groups=1x2           | line 12, groups: expected each-tile, found '1x2'
            plan=separate    | plan=hoisted         | line 12, hoisted: expected yes, found 'no'
            ahead=7          | ahead=7 ahead=8      | line 12: expected 15 fields, found 16
            ahead=7          | ahead=101            | line 12, ahead: expected 0 to 100, found '101'
            """)
    void aFileWithAnythingWrongIsIgnoredWithOneWarning(String what, String by, String warning) throws Exception {
        store(entry(16, 64, SEPARATE));
        Path path = file().path();
        String good = Files.readString(path);
        String bad = good.replaceFirst(what, by);
        assertFalse(bad.equals(good), good);
        Files.writeString(path, bad);
        String log = log(() -> {
            assertEquals(List.of(), entries());
            assertEquals(List.of(), entries());
        });
        assertTrue(log.contains(path + " is ignored: " + warning), log);
        assertEquals(1, log.split("is ignored", -1).length - 1, log);
        // Tuning replaces it.
        TunedEntry next = entry(1, 1, SEPARATE);
        log(() -> {
            try {
                file().update(SPEED, List.of(), List.of(next));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertEquals(List.of(next), entries());
    }

    @ParameterizedTest
    @ValueSource(strings = {"7x0", "0x2", "1x", "x2", "1x2x3", "-1x2", "1x9999999"})
    void groupsThatAreNoneAreRefused(String groups) throws Exception {
        store(entry(16, 64, new Candidate(Plan.SEQUENCE, 6, 4, 0, false, new SequenceGroups(1, 2))));
        Files.writeString(file().path(), Files.readString(file().path()).replace("groups=1x2", "groups=" + groups));
        String log = log(() -> assertEquals(List.of(), entries()));
        assertTrue(log.contains("line 12, groups: expected "), log);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            8x16               | no, or numbers such as 8x16x8, 8x16x64x1 or 4x16x64x1x512, found '8x16'
            4x16x64x2          | no, or numbers such as 8x16x8, 8x16x64x1 or 4x16x64x1x512, found '4x16x64x2'
            4x16x64x2x512      | no, or numbers such as 8x16x8, 8x16x64x1 or 4x16x64x1x512, found '4x16x64x2x512'
            4x16x64x1x         | no, or numbers such as 8x16x8, 8x16x64x1 or 4x16x64x1x512, found '4x16x64x1x'
            4x16x64x1x512x1    | no, or numbers such as 8x16x8, 8x16x64x1 or 4x16x64x1x512, found '4x16x64x1x512x1'
            4x16x64x1x-512     | no, or numbers such as 8x16x8, 8x16x64x1 or 4x16x64x1x512, found '4x16x64x1x-512'
            8x16x0             | 1 to 1024, found '0'
            8x0x64x1           | 1 to 1024, found '0'
            4x16x64x1x0        | 1 to 1024, found '0'
            4x16x64x1x1025     | 1 to 1024, found '1025'
            """)
    void stagingsThatAreNoneAreRefused(String staging, String expected) throws Exception {
        store(entry(16, 64, persistent()));
        String good = "staging=4x16x64x1x512";
        Files.writeString(file().path(), Files.readString(file().path()).replace(good, "staging=" + staging));
        String log = log(() -> assertEquals(List.of(), entries()));
        assertTrue(log.contains("line 12, staging: expected " + expected), log);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            staging=256x1x0x2x80  | staging=256x1x0x3x80   | no, or numbers such as 8x16x8
            staging=256x1x0x2x80  | staging=256x0x0x2x80   | 1 to 1024, found '0'
            staging=256x1x0x2x80  | staging=1025x1x0x2x80  | 1 to 1024, found '1025'
            groups=each-tile      | groups=1x2             | a stage of 1 or more, unless a sequence is hoisted
            hoisted=yes           | hoisted=no             | a stage of 1 or more, unless a sequence is hoisted
            plan=sequence         | plan=hoisted           | a stage of 1 or more, unless a sequence is hoisted
            """)
    void weightsInRegistersAreThoseOfAHoistedSequenceThatWaitsForNobody(String good, String bad, String expected)
            throws Exception {
        store(entry(16, 64, inRegisters()));
        String text = Files.readString(file().path());
        assertTrue(text.contains(good), text);
        Files.writeString(file().path(), text.replace(good, bad));
        String log = log(() -> assertEquals(List.of(), entries()));
        assertTrue(log.contains("line 12, staging: expected " + expected), log);
    }

    /** Groups that keep their weights are those of a hoisted sequence, and wait for each other. */
    @ParameterizedTest
    @CsvSource({
        "groups=1x128, groups=each-tile",
        "groups=1x128, groups=128x1",
        "hoisted=yes, hoisted=no",
        "plan=sequence tile=1 gates=4 prefetch=0 hoisted=yes groups=1x128,"
                + "plan=hoisted tile=1 gates=4 prefetch=0 hoisted=yes groups=each-tile"
    })
    void onlyGroupsOfASequenceThatWaitKeepTheirWeights(String good, String bad) throws Exception {
        store(entry(16, 64, persistent()));
        String text = Files.readString(file().path());
        assertTrue(text.contains(good), text);
        Files.writeString(file().path(), text.replace(good, bad));
        String log = log(() -> assertEquals(List.of(), entries()));
        assertTrue(
                log.contains("line 12, staging: expected no, or 3 or 4 numbers unless groups wait and x is hoisted,"
                        + " found '4x16x64x1x512'"),
                log);
    }

    /** A link to a device that never ends, a pipe that nobody writes to, and a folder. */
    @ParameterizedTest
    @ValueSource(strings = {"device", "pipe", "folder"})
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void whatIsNoFileIsIgnoredWithOneWarning(String what) throws Exception {
        Path path = file().path();
        Files.createDirectories(path.getParent());
        switch (what) {
            case "device" -> Files.createSymbolicLink(path, Path.of("/dev/zero"));
            case "pipe" ->
                assertEquals(
                        0, new ProcessBuilder("mkfifo", path.toString()).start().waitFor());
            default -> Files.createDirectory(path);
        }
        String log = log(() -> assertEquals(Optional.empty(), file().read()));
        assertTrue(log.contains("content: expected a file to read, found a "), log);
    }

    /** Reading a damaged file never throws. */
    @Test
    void damagedBytesNeverFail() throws Exception {
        store(entry(16, 64, SEPARATE), entry(1, 64, SEPARATE));
        byte[] good = Files.readAllBytes(file().path());
        long seed = TestEngines.seed(41);
        Random random = new Random(seed);
        log(() -> {
            for (int k = 0; k < 400; k++) {
                byte[] bad = Arrays.copyOf(good, k < good.length ? k : good.length);
                for (int n = random.nextInt(4); n > 0 && bad.length > 0; n--) {
                    bad[random.nextInt(bad.length)] = (byte) random.nextInt();
                }
                try {
                    Files.write(file().path(), bad);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
                for (TunedEntry entry : entries()) {
                    Candidate candidate = entry.candidate();
                    assertTrue(
                            candidate.rows() >= 1 && candidate.rows() <= 16 && candidate.prefetch() <= 4,
                            "seed " + seed);
                }
            }
        });
        Files.write(file().path(), new byte[2 << 20]);
        String log = log(() -> assertEquals(List.of(), entries()));
        assertTrue(log.contains("size: expected at most 1048576 bytes, found 2097152"), log);
        Files.delete(file().path());
        Files.createDirectory(file().path());
        log = log(() -> assertEquals(List.of(), entries()));
        assertTrue(log.contains("content: expected a file to read"), log);
    }

    /** No entry is lost, and every reader sees a whole file. */
    @Test
    void manyMayWriteAtOnce() throws Exception {
        int writers = 6, each = 15;
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        String log = log(() -> {
            for (int w = 0; w < writers; w++) {
                int steps = w + 1;
                threads.add(new Thread(() -> {
                    try {
                        for (int rows = 1; rows <= each; rows++) {
                            store(entry(rows, steps, SEPARATE));
                            assertTrue(entries().size() >= rows);
                        }
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                }));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        });
        assertEquals(List.of(), failures);
        assertEquals("", log);
        assertEquals(writers * each, entries().size());
        try (var files = Files.list(folder)) {
            assertTrue(files.noneMatch(f -> f.toString().endsWith(".tmp")));
        }
    }

    @Test
    void anEntryServesWhatIsNearAndTheNearestServesBest() {
        TunedEntry small = entry(16, 64, SEPARATE), large = entry(64, 16, SEPARATE), few = entry(16, 4, SEPARATE);
        TunedTable table = new TunedTable(List.of(small, large, few));
        assertEquals(Optional.of(small), table.find(8, 1000, true));
        assertEquals(Optional.empty(), table.find(7, 64, true));
        assertEquals(Optional.of(large), table.find(32, 32, true), "of two that are equally near, the larger");
        assertEquals(Optional.of(small), table.find(31, 64, true));
        assertEquals(Optional.of(large), table.find(128, 16, true));
        assertEquals(Optional.empty(), table.find(129, 16, true));
        assertEquals(Optional.of(few), table.find(16, 4, true));
        assertEquals(Optional.of(few), table.find(16, 2, true));
        assertEquals(Optional.empty(), table.find(16, 1, true));
        assertEquals(Optional.of(small), table.find(16, 12, true));
        assertEquals(Optional.empty(), table.find(Integer.MAX_VALUE, Integer.MAX_VALUE, true));

        Candidate shared = new Candidate(Plan.SEQUENCE, 6, 4, 0, false, new SequenceGroups(1, 2));
        TunedTable waits = new TunedTable(List.of(entry(16, 64, shared)));
        assertTrue(waits.find(16, 64, true).isPresent());
        assertTrue(waits.find(16, 64, false).isEmpty(), "not after cooperative work-items gave up waiting");
    }

    /** Cooperative groups from another machine could wait forever here. */
    @Test
    void cooperativeEntriesThatCannotRunHereAreLeftOut() throws Exception {
        TunedEntry fine = entry(1, 64, SEPARATE);
        store(fine, entry(16, 64, new Candidate(Plan.SEQUENCE, 6, 4, 0, false, new SequenceGroups(1, 2))));
        PlanChooser oneCore = Choosers.typical(device, LAYER, 0);
        String log = log(() -> {
            assertEquals(
                    List.of(fine),
                    TunedTable.of(file().read().orElseThrow(), file(), LAYER, oneCore)
                            .entries());
            TunedTable.of(file().read().orElseThrow(), file(), LAYER, oneCore);
        });
        assertTrue(log.contains(file().path() + " is ignored: an entry for 16 rows, groups: expected "), log);
        assertEquals(1, log.split("is ignored", -1).length - 1, log);
        PlanChooser chooser = Choosers.typical(device, LAYER, 4096);
        assertFalse(chooser.mayRun(
                new Candidate(Plan.SEQUENCE, 6, 4, 0, false, new SequenceGroups(1, device.computeUnits() + 1))));
        assertFalse(chooser.mayRun(new Candidate(Plan.SEQUENCE, 6, 4, 0, false, new SequenceGroups(1 << 30, 1 << 30))));
        assertTrue(chooser.mayRun(new Candidate(Plan.SEQUENCE, 6, 4, 0, false, new SequenceGroups(1 << 30, 1))));
        assertEquals(
                List.of(),
                TunedTable.of(file().read().orElseThrow(), file(), new LayerSize(6, 40, 40, 1), chooser)
                        .entries(),
                "another layer");
    }

    /** On a GPU where groups wait only if asked, an entry asks, and so does whoever names the plan. */
    @Test
    void groupsOfAnUntriedGpuWaitWhereTuningHasMeasuredThem() throws Exception {
        Capabilities gpu = Described.gpu(
                "gfx90a",
                "Advanced Micro Devices, Inc.",
                "OpenCL 2.0 AMD-APP",
                104,
                64 << 10,
                256,
                new Capabilities.VendorFacts(0, 64),
                new Capabilities.AtomicConfig(true, true),
                false);
        LayerSize layer = new LayerSize(384, 384, 384, 1);
        Plans untuned = TunedPlans.of(gpu, layer, Optional.empty());
        assertFalse(untuned.asksToWait());
        assertFalse(untuned.choose(16, 64, true).groups().isCooperative());
        Candidate waiting = new Candidate(
                Plan.SEQUENCE, 1, 4, 0, true, new SequenceGroups(1, 96), Staging.persistent(4, 16, 64, 384));
        TunedFile.at(folder, gpu).update(SPEED, List.of(), List.of(new TunedEntry(layer, 16, 64, waiting, 7)));
        Plans tuned = TunedPlans.of(gpu, layer, Optional.empty());
        assertTrue(tuned.asksToWait());
        assertEquals(waiting, Candidate.of(tuned.choose(16, 64, true)));
        assertFalse(tuned.choose(16, 64, false).groups().isCooperative());
        assertFalse(TunedPlans.of(gpu, layer, Optional.of(Plan.FUSED)).asksToWait());
        Plans forced = TunedPlans.of(gpu, layer, Optional.of(Plan.SEQUENCE));
        assertTrue(forced.asksToWait());
        assertTrue(forced.choose(16, 64, true).groups().isCooperative());
    }

    /** The fastest candidate for 16-bit weights may be slow for 32-bit weights. */
    @Test
    void entriesOfAnotherPrecisionOfTheWeightsDoNotCount() throws Exception {
        LayerSize halves = new LayerSize(5, 40, 40, 1, WeightPrecision.F16);
        TunedEntry floats = entry(16, 64, SEPARATE), half = new TunedEntry(halves, 16, 64, SEPARATE, 9);
        store(floats, half);
        assertEquals(List.of(floats, half), entries(), "neither replaces the other");
        PlanChooser chooser = Choosers.typical(device, LAYER);
        Tuned tuned = file().read().orElseThrow();
        assertEquals(
                List.of(floats), TunedTable.of(tuned, file(), LAYER, chooser).entries());
        assertEquals(
                List.of(half), TunedTable.of(tuned, file(), halves, chooser).entries());
        LayerSize other = new LayerSize(5, 40, 40, 1, WeightPrecision.BF16);
        assertEquals(List.of(), TunedTable.of(tuned, file(), other, chooser).entries());
    }

    @Test
    void anEngineUsesTunedEntriesWithTheSameBits() throws Exception {
        long seed = TestEngines.seed(77);
        Random random = new Random(seed);
        LstmModel model = RandomLstm.model(random, 2, 9, 37, false, true);
        LstmInput input = RandomLstm.input(random, model, 31, 20);
        Device.OpenCl on = OpenClDevices.nameOf(TestDevices.first());
        String usual = explain(on, model, EngineOptions.DEFAULT);
        assertFalse(usual.contains("tuned"), usual);
        LstmOutput expected = run(Device.JAVA, model, input);
        Bits.assertSame("seed " + seed + ", not tuned", expected, run(on, model, input));

        List<Candidate> candidates =
                Choosers.typical(device, LayerSize.of(model)).candidates(31, 20, true);
        for (Candidate candidate : candidates) {
            TunedEntry entry = new TunedEntry(LayerSize.of(model), 40, 30, candidate, 12);
            file().update(SPEED, List.of(), List.of(entry));
            String says = explain(on, model, EngineOptions.DEFAULT);
            assertTrue(says.contains(candidate.name() + " (tuned: 12 % less time"), says);
            Bits.assertSame("seed " + seed + ", " + candidate, expected, run(on, model, input));
        }
        String rounded = explain(on, model, EngineOptions.DEFAULT.withWeights(WeightPrecision.BF16));
        assertFalse(rounded.contains("tuned"), rounded);
        String forced = explain(on, model, EngineOptions.DEFAULT.withPlan(Plan.SEPARATE));
        assertTrue(forced.contains("as asked") && !forced.contains("tuned"), forced);
        System.setProperty("cellfuse.tuned", "off");
        assertEquals(usual, explain(on, model, EngineOptions.DEFAULT));
    }

    private static String explain(Device device, LstmModel model, EngineOptions options) {
        try (LstmEngine engine = LstmEngine.open(device, model, options)) {
            return engine.explain(31, 20);
        }
    }

    private static LstmOutput run(Device device, LstmModel model, LstmInput input) {
        try (LstmEngine engine = LstmEngine.open(device, model);
                var session = engine.newSession()) {
            return session.run(input);
        }
    }

    @Test
    void theTunerMeasuresEachCandidateAndStoresItsWinner() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 5, 40, false, true);
        try (Tuner tuner = new Tuner(OpenClDevices.nameOf(TestDevices.first()), model)) {
            Tuning tuning = tuner.tune(7, 3, 0.05);
            assertEquals(
                    Choosers.typical(device, LayerSize.of(model))
                            .candidates(7, 3, true)
                            .size(),
                    tuning.measured().size());
            assertEquals(
                    1,
                    tuning.measured().stream().filter(Tuning.Measured::isUsual).count());
            assertTrue(tuning.measured().stream().allMatch(m -> m.seconds() > 0 && m.ratio() > 0));
            tuner.store(tuning);
            assertEquals(tuning.winner().stream().toList(), entries());
        }
    }

    @Test
    void theFolderIsNamedOrInTheProgramCache() {
        Path cache = folder.resolve("cache"), other = folder.resolve("other");
        Map<String, String> none = Map.of();
        assertEquals(Optional.of(cache.resolve("tuned")), TunedFile.folder(none::get, none::get, Optional.of(cache)));
        assertEquals(Optional.empty(), TunedFile.folder(none::get, none::get, Optional.empty()));
        Map<String, String> set = Map.of("cellfuse.tuned", other.toString(), "CELLFUSE_TUNED", other.toString());
        assertEquals(Optional.of(other), TunedFile.folder(set::get, none::get, Optional.empty()));
        assertEquals(Optional.of(other), TunedFile.folder(none::get, set::get, Optional.of(cache)));
        Map<String, String> off = Map.of("cellfuse.tuned", "off");
        assertEquals(Optional.empty(), TunedFile.folder(off::get, set::get, Optional.of(cache)));
        String name = file().path().getFileName().toString();
        assertTrue(name.matches("[A-Za-z0-9-]{1,49}[0-9a-f]{12}\\.txt"), name);
    }

    /** Returns what is logged while {@code action} runs. */
    private static String log(Runnable action) {
        PrintStream before = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            action.run();
        } finally {
            System.setErr(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
