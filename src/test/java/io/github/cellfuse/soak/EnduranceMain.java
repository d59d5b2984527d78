package io.github.cellfuse.soak;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmStreams;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.faults.FaultLayer;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Repeats one kind of work very often in a process of its own, compares every result, and prints samples of the
 * process's memory: {@code EnduranceMain DEVICE WORK COUNT [LEAK BYTES]}. What else it prints is wrong, but for the
 * last line, {@link #DONE}, and lines with a colon, which are measurements.
 */
final class EnduranceMain {
    static final String DONE = "done";

    private static final int SAMPLES = 100;

    private final Device device;
    private final int count;
    private final LstmModel model;
    private final LstmInput input;
    private final LstmOutput expected;
    /** What one repetition leaves behind, for the test of the test. */
    private final Runnable leak;

    private final List<Object> leaked = new ArrayList<>();

    private EnduranceMain(Device device, int count, String leakKind, int leakBytes) {
        this.device = device;
        this.count = count;
        Random random = new Random(1);
        model = RandomLstm.model(random, Direction.FORWARD, 1, 8, 16, false, true);
        input = LstmInput.batchMajor(RandomLstm.values(random, 4 * 5 * 8, 3), 4, 5);
        Device expecting = device.equals(Device.REFERENCE) ? device : Device.JAVA;
        try (LstmEngine engine = LstmEngine.open(expecting, model);
                LstmSession session = engine.newSession()) {
            expected = session.run(input);
        }
        leak = switch (leakKind) {
            case "heap" -> () -> leaked.add(new byte[leakBytes]);
            case "native" -> () -> leaked.add(touched(ByteBuffer.allocateDirect(leakBytes)));
            default -> () -> {};
        };
    }

    private static ByteBuffer touched(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            bytes.put((byte) 1);
        }
        return bytes;
    }

    public static void main(String[] words) throws Exception {
        Device device = Device.parse(words[0]);
        int count = Integer.parseInt(words[2]);
        String leakKind = words.length > 3 ? words[3] : "";
        int leakBytes = words.length > 4 ? Integer.parseInt(words[4]) : 0;
        EnduranceMain main = new EnduranceMain(device, count, leakKind, leakBytes);
        boolean isOpenCl = device instanceof Device.OpenCl;
        OpenCl.devices(); // loads the layer
        long live = OpenCl.liveObjects();
        FaultLayer layer = isOpenCl ? FaultLayer.ofThisProcess() : null;
        Map<String, Integer> objects = isOpenCl ? layer.objects() : Map.of();
        long start = System.nanoTime();
        switch (words[1]) {
            case "runs" -> main.runs();
            case "engines" -> main.engines();
            case "sessions" -> main.sessions();
            case "open-sessions" -> main.openSessions();
            case "streams" -> main.streams();
            default -> throw new IllegalArgumentException(words[1]);
        }
        System.out.printf("seconds: %.1f%n", (System.nanoTime() - start) * 1e-9);
        if (OpenCl.liveObjects() != live) {
            System.out.println("live objects before " + live + ", after " + OpenCl.liveObjects());
        }
        if (isOpenCl && !layer.objects().equals(objects)) {
            System.out.println("OpenCL objects before " + objects + ", after " + layer.objects());
        }
        System.out.println(DONE);
    }

    private interface Repetition {
        void run(int k);
    }

    private void repeat(Repetition work) throws IOException {
        int distance = Math.max(1, count / SAMPLES);
        for (int k = 0; k < count; k++) {
            work.run(k);
            leak.run();
            if ((k + 1) % distance == 0) {
                System.out.println(MemorySamples.take(k + 1));
            }
        }
    }

    private LstmEngine open() {
        return LstmEngine.open(device, model);
    }

    private void run(LstmSession session, int k) {
        Bits.assertSame("repetition " + k, expected, session.run(input));
    }

    private void runs() throws IOException {
        try (LstmEngine engine = open();
                LstmSession session = engine.newSession()) {
            repeat(k -> run(session, k));
        }
    }

    private void engines() throws IOException {
        repeat(k -> {
            try (LstmEngine engine = open();
                    LstmSession session = engine.newSession()) {
                run(session, k);
            }
        });
    }

    private void sessions() throws IOException {
        try (LstmEngine engine = open()) {
            repeat(k -> {
                try (LstmSession session = engine.newSession()) {
                    run(session, k);
                }
            });
        }
    }

    /** All sessions open at the same time, three times: the last time needs no more memory than the one before. */
    private void openSessions() throws IOException {
        try (LstmEngine engine = open()) {
            try (LstmSession first = engine.newSession()) {
                run(first, -1);
            }
            MemorySamples.Sample before = MemorySamples.take(0);
            openAtOnce(engine, before);
            MemorySamples.Sample second = openAtOnce(engine, before);
            MemorySamples.Sample third = openAtOnce(engine, before);
            if (third.residentKib() - second.residentKib() > MemorySamples.MOST_KIB) {
                System.out.println("resident with all open " + second + ", the next time " + third);
            }
        }
    }

    private MemorySamples.Sample openAtOnce(LstmEngine engine, MemorySamples.Sample before) throws IOException {
        List<LstmSession> sessions = new ArrayList<>(count);
        for (int k = 0; k < count; k++) {
            sessions.add(engine.newSession());
        }
        printCost("a session that is open", before);
        for (int k = 0; k < count; k++) {
            run(sessions.get(k), k);
        }
        MemorySamples.Sample used = printCost("a session that has run", before);
        // The newest first: PoCL looks for a kernel from the newest on, and would spend minutes on it.
        for (int k = count - 1; k >= 0; k--) {
            sessions.remove(k).close();
        }
        printCost("a session that is closed", before);
        return used;
    }

    private MemorySamples.Sample printCost(String what, MemorySamples.Sample before) throws IOException {
        MemorySamples.Sample now = MemorySamples.take(count);
        long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
        System.out.printf(
                "%s: %d bytes resident, %d bytes of heap; direct memory of all: %d KiB%n",
                what,
                (now.residentKib() - before.residentKib()) * 1024 / count,
                (now.heapKib() - before.heapKib()) * 1024 / count,
                direct / 1024);
        return now;
    }

    /**
     * As many streams as {@code count}, all with the same sequence in pieces of one step and at different places of it:
     * some of them advance, some are dropped and added again.
     */
    private void streams() throws IOException {
        int steps = input.steps(), width = model.inputSize();
        try (LstmEngine engine = open();
                LstmSession session = engine.newSession();
                LstmStreams streams = session.newStreams()) {
            Random random = new Random(2);
            int[] position = new int[count];
            IntStream.range(0, count).forEach(k -> streams.add());
            repeat(k -> {
                int[] chosen = random.ints(0, count)
                        .distinct()
                        .limit(Math.min(count, 16))
                        .toArray();
                float[] x = new float[chosen.length * width];
                for (int row = 0; row < chosen.length; row++) {
                    int stream = chosen[row];
                    if (position[stream] == steps) {
                        position[stream] = 0;
                        streams.drop(stream);
                        if (streams.add() > stream) {
                            throw new AssertionError("the id " + stream + " isn't used again");
                        }
                    }
                    input.x().get(position[stream] * width, x, row * width, width);
                }
                FloatBuffer y = streams.run(LstmInput.batchMajor(x, chosen.length, 1), chosen);
                for (int row = 0; row < chosen.length; row++) {
                    int at = position[chosen[row]]++;
                    int outputs = model.outputSize();
                    Bits.assertSame(
                            "call " + k + ", stream " + chosen[row],
                            expected.y().slice(at * outputs, outputs),
                            y.slice(row * outputs, outputs));
                }
            });
        }
    }
}
