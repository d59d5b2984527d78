package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.cli.CellFuse;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.faults.FaultLayer;
import io.github.cellfuse.implementations.Implementation;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.graph.Protos;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole graphs and streams as jobs: continued after a kill, on several devices, after failures of a device. */
class GraphJobTest {
    private static final int ROWS = 3_000, STEPS = 30, INPUTS = 4, H = 24;

    /** A line of the journal that names finished rows. */
    private static final Pattern FINISHED = Pattern.compile("(?m)^rows \\d+ \\d+ \\S+ \\S+$");

    /** What runs. */
    private enum Work {
        /** A graph {@code [N,T,I]} with two outputs. */
        GRAPH,
        /** A graph that runs frame by frame, with states and lengths. */
        STREAMS
    }

    @TempDir
    Path folder;

    private final Random random = new Random(5);
    private Path x, lengths, out;

    @BeforeEach
    void makeFiles() {
        x = NpyFiles.floats(
                folder.resolve("x.npy"), RandomLstm.values(random, ROWS * STEPS * INPUTS, 1), ROWS, STEPS, INPUTS);
        lengths = NpyFiles.ints(
                folder.resolve("lengths.npy"), random.ints(ROWS, 0, STEPS + 1).toArray());
        out = folder.resolve("out.npz");
    }

    private Path model(Work work) {
        GraphProto.Builder graph = GraphProto.newBuilder();
        if (work == Work.GRAPH) {
            graph.addInput(floats("x", "batch", "time", INPUTS))
                    .addOutput(floats("z", "batch", "time", H))
                    .addOutput(floats("hn", 1, "batch", H))
                    .addInitializer(longs("one", 1));
            weights(graph, "a", random, 1, INPUTS, H);
            graph.addNode(node("Transpose", "t", List.of("x"), List.of("xt"), Protos.integers("perm", 1L, 0L, 2L)))
                    .addNode(lstm("a", "xt", H, List.of(), List.of("hn")))
                    .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("ys")))
                    .addNode(node("Relu", "r", List.of("ys"), List.of("yr")))
                    .addNode(node("Transpose", "u", List.of("yr"), List.of("z"), Protos.integers("perm", 1L, 0L, 2L)));
        } else {
            graph.addInput(floats("x", "batch", INPUTS))
                    .addInput(floats("h", 1, "batch", H))
                    .addInput(floats("c", 1, "batch", H))
                    .addOutput(floats("p", "batch", H))
                    .addOutput(floats("hn", 1, "batch", H))
                    .addOutput(floats("cn", 1, "batch", H))
                    .addInitializer(longs("zero", 0));
            weights(graph, "a", random, 1, INPUTS, H);
            graph.addNode(node("Unsqueeze", "u", List.of("x", "zero"), List.of("xt")))
                    .addNode(lstm("a", "xt", H, List.of("", "h", "c"), List.of("hn", "cn")))
                    .addNode(node("Squeeze", "s", List.of("hn", "zero"), List.of("p")));
        }
        return Protos.write(folder, graph);
    }

    private String[] arguments(Work work, Path model, Object... more) {
        List<Object> streams = List.of("--frames", 1, "--state", "h=hn", "--state", "c=cn", "--lengths", lengths);
        return Stream.of(List.of("run", model, x, "-o", out), work == Work.STREAMS ? streams : List.of(), List.of(more))
                .flatMap(List::stream)
                .map(Object::toString)
                .toArray(String[]::new);
    }

    /** Returns the output of a run in one chunk on {@code java}, which is deleted. */
    private byte[] whole(Work work, Path model) throws IOException {
        Cli.Result result = Cli.run((Object[]) arguments(work, model, "--device", "java", "--batch", ROWS));
        result.assertDone();
        assertTrue(result.err().contains(" in 1 chunk of "), result.err());
        byte[] bytes = Files.readAllBytes(out);
        Files.delete(out);
        return bytes;
    }

    private void assertComplete(byte[] expected, String said) throws IOException {
        assertArrayEquals(expected, Files.readAllBytes(out), said);
        String names = NpyFiles.names(folder);
        assertFalse(names.contains(".partial") || names.contains(".journal"), names);
    }

    /** Kills a run after it has finished some rows, and returns its journal. */
    private Path killedAfterSomeRows(Work work, Path model) throws Exception {
        ChildJvm child = ChildJvm.start(
                Map.of(),
                List.of(),
                CellFuse.class,
                arguments(work, model, "--device", "java", "--batch", 5, "--threads", 1));
        awaitRows(child);
        child.kill();
        child.await(60);
        return Path.of(out + ".journal");
    }

    @ParameterizedTest
    @EnumSource
    void killedAndContinued(Work work) throws Exception {
        Path model = model(work);
        byte[] expected = whole(work, model);
        Path journal = killedAfterSomeRows(work, model);
        long before = Files.size(journal);

        // Another output, or another input, isn't what was begun.
        Cli.run((Object[]) arguments(work, model, "--device", "java", "-q")).assertError(2, journal, "--resume");
        Cli.run((Object[]) arguments(work, model, "--resume", "--output-name", "hn", "-q"))
                .assertError(2, journal, "outputs");
        assertEquals(before, Files.size(journal));

        Cli.Result resumed = Cli.run((Object[]) arguments(work, model, "--device", "java", "--batch", 77, "--resume"));
        resumed.assertDone();
        assertTrue(resumed.err().contains("continuing an unfinished run"), resumed.err());
        assertComplete(expected, resumed.err());
    }

    @Test
    void anotherModelIsRefused() throws Exception {
        Path model = model(Work.GRAPH), journal = killedAfterSomeRows(Work.GRAPH, model);
        Path other = Files.copy(model, folder.resolve("other.onnx"));
        Cli.run((Object[]) arguments(Work.GRAPH, other, "--device", "java", "--resume", "-q"))
                .assertError(2, journal, "model", "other.onnx");
    }

    @ParameterizedTest
    @EnumSource
    @EnabledOnOs(OS.LINUX)
    void severalDevices(Work work) throws Exception {
        Assumptions.assumeTrue(Implementation.POCL.wanted(), "not run: -Dcellfuse.implementations leaves PoCL out");
        Path model = model(work), json = folder.resolve("report.json");
        byte[] expected = whole(work, model);
        Map<String, String> environment = new HashMap<>(Implementation.POCL.environment());
        environment.put("POCL_DEVICES", "pthread pthread");
        ChildJvm.Result result = ChildJvm.start(
                        environment,
                        List.of(),
                        CellFuse.class,
                        arguments(work, model, "--device", "all", "--json", json))
                .await(120);
        assertEquals(0, result.exit(), result.err());
        assertComplete(expected, result.err());
        JsonObject report = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        int rows = 0;
        for (JsonElement device : report.getAsJsonArray("devices")) {
            assertTrue(device.getAsJsonObject().get("device").getAsString().matches("opencl:0\\.[01]"), result.err());
            rows += device.getAsJsonObject().get("rows").getAsInt();
        }
        assertEquals(2, report.getAsJsonArray("devices").size());
        assertEquals(8, report.get("chunks").getAsInt()); // although one would hold all rows
        assertEquals(ROWS, rows);
    }

    @Test
    void tiersAreNotMixed() throws IOException {
        Path model = model(Work.GRAPH);
        Object[] both = arguments(Work.GRAPH, model, "--device", "java,reference", "--batch", 100, "-q");
        Cli.run(both).assertError(2, "devices: expected one tier", "reference", "--mixed-tiers");
        Cli.run((Object[]) arguments(
                        Work.GRAPH, model, "--device", "java,reference", "--batch", 100, "--mixed-tiers", "-q"))
                .assertDone();
    }

    /**
     * A kernel can't be launched: the chunk runs again, in a new session. Later a driver doesn't return from a call:
     * java finishes what the device has left, and the process ends.
     */
    @ParameterizedTest
    @EnumSource
    @EnabledOnOs(OS.LINUX)
    void aDeviceFailsAndThenHangs(Work work) throws Exception {
        Assumptions.assumeTrue(Implementation.POCL.wanted(), "not run: -Dcellfuse.implementations leaves PoCL out");
        Path model = model(work), control = folder.resolve("control");
        byte[] expected = whole(work, model);
        ChildJvm child = ChildJvm.start(
                FaultLayer.environment(control),
                List.of(),
                CellFuse.class,
                arguments(work, model, "--device", "opencl:0.0", "--batch", 3, "--fallback", "--patience", 1));
        awaitRows(child);
        FaultLayer layer = FaultLayer.of(control);
        layer.failAt("clEnqueueNDRangeKernel", 1, -5);
        while (!child.hasEnded() && !layer.hasFailed()) {
            Thread.sleep(2);
        }
        layer.delay("clEnqueueNDRangeKernel", 600_000_000);
        ChildJvm.Result result = child.await(60);
        assertEquals(0, result.exit(), result.err());
        assertTrue(result.err().contains("CL_OUT_OF_RESOURCES"), result.err());
        assertTrue(result.err().contains("trying again"), result.err());
        assertTrue(result.err().contains("no progress for 1 s"), result.err());
        assertTrue(result.err().contains("going on with java"), result.err());
        assertComplete(expected, result.err());
    }

    /** Waits until the journal names finished rows. */
    private void awaitRows(ChildJvm child) throws Exception {
        Path journal = Path.of(out + ".journal");
        while (!child.hasEnded()
                && !(Files.exists(journal)
                        && FINISHED.matcher(Files.readString(journal)).find())) {
            Thread.sleep(2);
        }
        assertFalse(child.hasEnded(), "the run was too fast to be stopped");
    }
}
