package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.OpenCl;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The events in a recording of the JDK's Flight Recorder. */
class FlightRecorderTest {
    private static final LstmModel MODEL = RandomLstm.model(new Random(1), Direction.FORWARD, 1, 5, 7, false, true);
    private static final LstmInput BATCH = LstmInput.batchMajor(new float[3 * 4 * 5], 3, 4);

    @TempDir
    Path folder;

    private List<RecordedEvent> record(Callable<?> work, String... more) throws Exception {
        Path file = folder.resolve("recording.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("cellfuse.Run");
            recording.enable("cellfuse.Compile");
            for (String event : more) {
                recording.enable(event);
            }
            recording.start();
            work.call();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file);
    }

    private static List<RecordedEvent> named(String name, List<RecordedEvent> events) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(name))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.TestEngines#all")
    void aRecordingHasEveryRun(Device device) throws Exception {
        List<RunMetrics> told = new ArrayList<>();
        EngineOptions options = EngineOptions.DEFAULT.withListener(told::add);
        List<RecordedEvent> events = record(() -> {
            try (LstmEngine engine = LstmEngine.open(device, MODEL, options);
                    LstmSession session = engine.newSession()) {
                session.run(BATCH);
                return session.run(BATCH);
            }
        });
        List<RecordedEvent> runs = named("cellfuse.Run", events);
        assertEquals(2, runs.size(), runs::toString);
        for (int n = 0; n < 2; n++) {
            RecordedEvent run = runs.get(n);
            RunMetrics metrics = told.get(n);
            assertEquals(device.toString(), run.getString("device"));
            assertEquals(3, run.getInt("rows"));
            assertEquals(4, run.getInt("steps"));
            assertEquals(metrics.waitNanos(), run.getDuration("waiting").toNanos());
            assertEquals(metrics.computeNanos(), run.getDuration("computing").toNanos());
            // The recorder has a clock of its own.
            Duration parts = run.getDuration("waiting").plus(run.getDuration("computing"));
            assertTrue(run.getDuration().plusMillis(1).compareTo(parts) >= 0, run::toString);
            assertEquals(List.of("CellFuse"), run.getEventType().getCategoryNames());
            if (device instanceof Device.OpenCl) {
                assertEquals(metrics.plan().orElseThrow().name().toLowerCase(), run.getString("plan"));
            } else {
                assertNull(run.getString("plan"));
            }
        }
    }

    /** They come from opening an engine, whose self-test runs kernels, and from the first run of a shape. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void aRecordingHasThePrograms(io.github.cellfuse.cl.ClDevice device) throws Exception {
        Device name = new Device.OpenCl(device.platformIndex(), device.index());
        String before = System.getProperty("cellfuse.cache");
        System.setProperty("cellfuse.cache", folder.resolve("programs").toString());
        try {
            boolean keeps = device.capabilities().version().contains("PoCL"); // and CellFuse therefore doesn't
            for (boolean again : new boolean[] {false, true}) {
                List<RecordedEvent> programs = named("cellfuse.Compile", record(() -> run(name)));
                assertFalse(programs.isEmpty());
                RecordedEvent state = programs.stream()
                        .filter(program -> program.getString("program").equals("lstm_state"))
                        .findFirst()
                        .orElseThrow();
                assertEquals("lstm_activations, lstm_load_state, lstm_store_state", state.getString("kernels"));
                for (RecordedEvent program : programs) {
                    assertEquals(device.toString(), program.getString("device"));
                    assertTrue(program.getString("options").startsWith("-D"), program::toString);
                    assertEquals(again && !keeps, program.getBoolean("cached"), program::toString);
                }
            }
        } finally {
            if (before == null) {
                System.clearProperty("cellfuse.cache");
            } else {
                System.setProperty("cellfuse.cache", before);
            }
        }
    }

    /** Only a recording that asks for them has them. The results are the same, and nothing is left open. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void aRecordingHasTheKernelsAndTheTransfers(io.github.cellfuse.cl.ClDevice device) throws Exception {
        Device name = new Device.OpenCl(device.platformIndex(), device.index());
        LstmOutput expected = run(name);
        long live = OpenCl.liveObjects();
        assertEquals(List.of(), named("cellfuse.Kernel", record(() -> run(name))));

        List<LstmOutput> found = new ArrayList<>();
        List<RecordedEvent> events = record(() -> found.add(run(name)), "cellfuse.Kernel", "cellfuse.Transfer");
        Bits.assertSame(device.toString(), expected, found.get(0));
        assertEquals(live, OpenCl.liveObjects());
        List<RecordedEvent> kernels = named("cellfuse.Kernel", events);
        assertEquals(0, kernels.get(0).getDuration("started").toNanos());
        for (RecordedEvent kernel : kernels) {
            assertEquals(name.toString(), kernel.getString("device"));
            assertTrue(kernel.getString("kernel").startsWith("lstm_"), kernel::toString);
            assertTrue(kernel.getDuration("started").toNanos() >= 0, kernel::toString);
            assertTrue(kernel.getDuration("running").toNanos() >= 0, kernel::toString);
        }
        // One run, without those of the self-test.
        assertEquals(
                1,
                kernels.stream()
                        .filter(kernel -> kernel.getString("kernel").equals("lstm_store_state"))
                        .count(),
                kernels::toString);
        List<RecordedEvent> transfers = named("cellfuse.Transfer", events);
        assertEquals(
                List.of("x 240", "y 336"),
                transfers.stream()
                        .map(transfer -> transfer.getString("tensor") + " " + transfer.getLong("bytes"))
                        .toList());
    }

    private static LstmOutput run(Device device) {
        try (LstmEngine engine = LstmEngine.open(device, MODEL);
                LstmSession session = engine.newSession()) {
            return session.run(BATCH);
        }
    }

    @Test
    void whatIsSwitchedOffIsNotRecorded() throws IOException {
        Path file = folder.resolve("off.jfr");
        try (Recording recording = new Recording()) {
            recording.disable("cellfuse.Run");
            recording.start();
            run(Device.JAVA);
            recording.stop();
            recording.dump(file);
        }
        assertEquals(List.of(), named("cellfuse.Run", RecordingFile.readAllEvents(file)));
    }
}
