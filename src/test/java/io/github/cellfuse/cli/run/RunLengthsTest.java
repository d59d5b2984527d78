package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.batch.BatchJob;
import io.github.cellfuse.batch.BatchListener;
import io.github.cellfuse.batch.ChunkMetrics;
import io.github.cellfuse.batch.DeviceNeed;
import io.github.cellfuse.batch.Journal;
import io.github.cellfuse.batch.LengthOrder;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that differ in length, and are long enough that a run orders them. */
class RunLengthsTest {
    private static final int ROWS = 300, STEPS = 512, INPUTS = 2;

    @TempDir
    Path folder;

    private LstmModel model;
    private Path modelFile, x, lengths, h0, c0;
    private float[] values;
    private int[] valid;

    @BeforeEach
    void makeFiles() {
        write(Direction.BIDIRECTIONAL);
    }

    private void write(Direction direction) {
        Random random = new Random(5);
        model = RandomLstm.model(random, direction, 2, INPUTS, 5, true, true);
        modelFile = folder.resolve("model.safetensors");
        PyTorchLstm.save(model, modelFile, true, "");
        values = RandomLstm.values(random, ROWS * STEPS * INPUTS, 1);
        x = NpyFiles.floats(folder.resolve("x.npy"), values, ROWS, STEPS, INPUTS);
        valid = random.ints(ROWS, 0, STEPS + 1).toArray();
        Arrays.fill(valid, 100, 150, 0);
        lengths = NpyFiles.ints(folder.resolve("lengths.npy"), valid);
        LstmState state = RandomLstm.state(random, model, ROWS);
        int states = model.layerCount() * direction.count();
        h0 = NpyFiles.floats(
                folder.resolve("h0.npy"), state.h(), states, ROWS, model.last().stateSize());
        c0 = NpyFiles.floats(
                folder.resolve("c0.npy"), state.c(), states, ROWS, model.last().hiddenSize());
    }

    private Cli.Result run(Path input, Path out, Object... more) {
        return Cli.run(Stream.concat(
                        Stream.of("run", modelFile, input, "-o", out, "--lengths", lengths, "--device", "java"),
                        Stream.of(more))
                .toArray());
    }

    private Path expected(Object... more) {
        Path out = folder.resolve(
                "expected-" + more.length + (more.length > 0 && more[0].equals("--h0") ? ".npz" : ".npy"));
        run(x, out, more).assertDone();
        return out;
    }

    private void assertSame(Path expected, Path found) throws IOException {
        assertArrayEquals(Files.readAllBytes(expected), Files.readAllBytes(found));
        assertFalse(Files.exists(Journal.of(found)), NpyFiles.names(folder));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 100, 299})
    void theOutputIsTheSameBytes(int batch) throws IOException {
        Path out = folder.resolve("out.npz"), json = folder.resolve("out.json");
        Cli.Result result = run(x, out, "--h0", h0, "--c0", c0, "--batch", batch, "--json", json)
                .assertDone();
        assertSame(expected("--h0", h0, "--c0", c0), out);
        assertTrue(result.err().contains("by length in windows of 131072 rows"), result.err());
        JsonObject report = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        assertEquals(
                Arrays.stream(valid).asLongStream().sum(),
                report.get("valid_steps").getAsLong());
        // Rows without a step are in memory with one.
        assertTrue(report.get("padding_steps").getAsLong() >= 50, report.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"FORWARD", "BIDIRECTIONAL"})
    void soAreTheLastOutputs(Direction direction) throws IOException {
        write(direction);
        Path out = folder.resolve("out.npy");
        run(x, out, "--output-name", "last", "--batch", 30).assertDone();
        assertSame(expected("--output-name", "last"), out);
    }

    /** Rows whose steps are apart are computed in their own order. */
    @Test
    void timeFirst() throws IOException {
        float[] turned = new float[values.length];
        for (int row = 0; row < ROWS; row++) {
            for (int step = 0; step < STEPS; step++) {
                System.arraycopy(values, (row * STEPS + step) * INPUTS, turned, (step * ROWS + row) * INPUTS, INPUTS);
            }
        }
        Path time = NpyFiles.floats(folder.resolve("time.npy"), turned, STEPS, ROWS, INPUTS);
        Path out = folder.resolve("out.npy"), whole = folder.resolve("whole.npy");
        Cli.Result result = run(time, out, "--layout", "TNC", "--batch", 20).assertDone();
        assertFalse(result.err().contains("by length"), result.err());
        run(time, whole, "--layout", "TNC").assertDone();
        assertSame(whole, out);
    }

    @Test
    void aFolder() throws IOException {
        Path parts = Files.createDirectory(folder.resolve("parts"));
        int[] ends = {0, 1, 120, 121, ROWS};
        for (int k = 1; k < ends.length; k++) {
            int row = STEPS * INPUTS;
            NpyFiles.floats(
                    parts.resolve("part-" + k + ".npy"),
                    Arrays.copyOfRange(values, ends[k - 1] * row, ends[k] * row),
                    ends[k] - ends[k - 1],
                    STEPS,
                    INPUTS);
        }
        Path out = folder.resolve("out.npy");
        run(parts, out, "--batch", 40).assertDone();
        assertSame(expected(), out);
    }

    @Test
    void theSmallestOfSeveralDevicesLimitsTheRows() {
        DeviceInfo.Memory large = new DeviceInfo.Memory(1L << 34, 1L << 32);
        DeviceInfo.Memory small = new DeviceInfo.Memory(1 << 30, 2_000_000);
        try (NpyArray input = NpyArray.open(x);
                NpyArray valid = NpyArray.open(lengths)) {
            RunShape shape = RunShape.of(model, LayoutOption.NTC, input);
            RunInput source = new RunInput(shape, input, Optional.of(valid), Optional.empty(), Optional.empty());
            RunRows rows = RunRows.of(source, shape, null, true, false, false, List.of(large, small, large));
            int chunk = rows.chunking().chunkRows();
            int most = DeviceNeed.mostRows(List.of(new DeviceNeed(model, shape.steps())), small);
            assertTrue(chunk <= most && most > 1, chunk + " of " + most);
            int shortest = DeviceNeed.mostRows(List.of(new DeviceNeed(model, 1)), small);
            for (long first = 0; first < shape.rows(); first += rows.limit().rows(first)) {
                assertTrue(
                        rows.limit().rows(first) <= shortest,
                        first + ": " + rows.limit().rows(first));
            }
            RunRows given = RunRows.of(source, shape, most + 1, true, false, false, List.of(small));
            assertEquals(most + 1, given.chunking().chunkRows()); // the user's word
        }
    }

    private Map<String, String> identity(RunShape shape, Optional<LengthOrder> order, LstmEngine java) {
        return LstmBatch.identity(java, shape, order, List.of("y"))
                .with("input", InputFile.parse(x.toString()))
                .with("lengths", InputFile.parse(lengths.toString()))
                .facts();
    }

    /** Runs some chunks into an unfinished output, as a run does that is interrupted. */
    private void runSomeChunks(Path out, boolean isOrdered) {
        try (NpyArray input = NpyArray.open(x);
                NpyArray valid = NpyArray.open(lengths);
                LstmEngine java = LstmEngine.open(Device.JAVA, model)) {
            RunShape shape = RunShape.of(model, LayoutOption.NTC, input);
            RunInput source = new RunInput(shape, input, Optional.of(valid), Optional.empty(), Optional.empty());
            RunRows rows = RunRows.of(source, shape, 25, true, false, false, List.of());
            LengthOrder order = rows.order().orElseThrow();
            Map<String, String> facts = identity(shape, isOrdered ? rows.order() : Optional.empty(), java);
            try (Journal journal = Journal.create(Journal.of(out), facts);
                    RunOutput sink = RunOutput.resumable(out, false, false, RunOutputTest.arrays(shape, out))) {
                List<BatchJob> job = new ArrayList<>();
                job.add(new BatchJob(List.of(java), order.source(), order.sink(sink), 25)
                        .withLimit(rows.limit())
                        .withJournal(journal)
                        .withListener(new BatchListener() {
                            @Override
                            public void onChunk(ChunkMetrics chunk) {
                                if (chunk.rowsDone() > 100) {
                                    job.get(0).cancel();
                                }
                            }
                        }));
                assertThrows(CellFuseException.class, () -> job.get(0).run());
                assertTrue(journal.entries().size() > 2);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {25, 11, 1000})
    void anInterruptedRunIsContinued(int batch) throws IOException {
        Path out = folder.resolve("out.npy");
        runSomeChunks(out, true);
        // What one row has isn't what its checksum says.
        byte[] partial = Files.readAllBytes(Path.of(out + ".partial"));
        partial[partial.length / 2] ^= 1;
        Files.write(Path.of(out + ".partial"), partial);
        Cli.Result result = run(x, out, "--batch", batch, "--resume").assertDone();
        assertTrue(result.err().contains("continuing an unfinished run"), result.err());
        int computed = Integer.parseInt(result.err().replaceAll("(?s).*out.npy: (\\d+) rows in.*", "$1"));
        assertTrue(computed < 250, computed + " rows were computed again");
        assertSame(expected(), out);
    }

    /** As an earlier version, which had no order, would have left it. */
    @Test
    void aJournalOfRowsInTheirOwnOrderIsRefused() {
        Path out = folder.resolve("out.npy");
        runSomeChunks(out, false);
        run(x, out, "--batch", 25, "--resume", "-q")
                .assertError(2, Journal.of(out) + ": order", "by length in windows of 131072 rows", "found none");
    }
}
