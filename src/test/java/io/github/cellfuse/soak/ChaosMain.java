package io.github.cellfuse.soak;

import io.github.cellfuse.Bits;
import io.github.cellfuse.CellFuseException;
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
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Threads that share engines, sessions and streams without any agreement: each runs, opens, closes and interrupts at
 * random. Each result must have the right bits, and each exception must be a documented one. Prints a line for each
 * that isn't, and for what is left at the end; then a line with counts, which begins with {@link #DONE}:
 * {@code ChaosMain SEED SECONDS}.
 */
final class ChaosMain {
    static final String DONE = "chaos: ";
    /** The exit status of a process whose threads don't end. */
    static final int STUCK = 3;

    private static final int THREADS = 6, ENGINES = 4, SESSIONS = 8;
    private static final List<Device> DEVICES =
            List.of(Device.parse("opencl:0.0"), Device.JAVA, Device.parse("opencl:0.0"), Device.REFERENCE);

    /** What misuse and closing under a run are answered with. */
    private static final Pattern REFUSED = Pattern.compile("the session is closed|the streams are closed"
            + "|the (java engine|reference engine|engine on .*) is closed"
            + "|used by two threads at the same time.*(session|streams) belongs? to one thread at a time.*");

    private final long seed;
    private final int seconds;
    private final LstmModel model;
    private final List<LstmInput> inputs = new ArrayList<>();
    private final Map<Device, List<LstmOutput>> expected = new HashMap<>();
    private final AtomicReferenceArray<LstmEngine> engines = new AtomicReferenceArray<>(ENGINES);
    private final AtomicReferenceArray<LstmSession> sessions = new AtomicReferenceArray<>(SESSIONS);
    private final AtomicReferenceArray<LstmStreams> streams = new AtomicReferenceArray<>(SESSIONS);
    private final List<Thread> threads = new ArrayList<>();
    private final Map<String, AtomicLong> counts = new ConcurrentHashMap<>();
    /** When the threads end; set before they start. */
    private long end;

    private ChaosMain(long seed, int seconds) {
        this.seed = seed;
        this.seconds = seconds;
        Random random = new Random(seed);
        model = RandomLstm.model(random, Direction.FORWARD, 2, 5, 20, false, true);
        for (int rows : new int[] {1, 7, 40}) {
            inputs.add(RandomLstm.input(random, model, rows, 1 + random.nextInt(6)));
        }
        for (Device device : DEVICES) {
            try (LstmEngine engine = LstmEngine.open(device instanceof Device.OpenCl ? Device.JAVA : device, model);
                    LstmSession session = engine.newSession()) {
                expected.put(device, inputs.stream().map(session::run).toList());
            }
        }
    }

    public static void main(String[] words) throws Exception {
        ChaosMain main = new ChaosMain(Long.parseLong(words[0]), Integer.parseInt(words[1]));
        OpenCl.devices(); // loads the layer
        FaultLayer layer = FaultLayer.ofThisProcess();
        long live = OpenCl.liveObjects();
        Map<String, Integer> objects = layer.objects();
        main.openAll();
        main.runThreads();
        main.closeAll();
        long deadline = System.nanoTime() + 10_000_000_000L;
        // Threads of JOCL release what they waited for a moment later, and workers end when they are told to.
        while (System.nanoTime() < deadline && !(layer.objects().equals(objects) && ours().isEmpty())) {
            Thread.sleep(10);
        }
        if (!layer.objects().equals(objects)) {
            System.out.println("OpenCL objects before " + objects + ", after " + layer.objects());
        }
        if (OpenCl.liveObjects() != live) {
            System.out.println("live objects before " + live + ", after " + OpenCl.liveObjects());
        }
        if (!ours().isEmpty()) {
            System.out.println("threads that are left: " + ours());
        }
        System.out.println(DONE + new TreeMap<>(main.counts));
    }

    private static List<String> ours() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("cellfuse"))
                .toList();
    }

    private void openAll() {
        for (int k = 0; k < ENGINES; k++) {
            engines.set(k, LstmEngine.open(DEVICES.get(k), model));
        }
        for (int k = 0; k < SESSIONS; k++) {
            sessions.set(k, engines.get(k % ENGINES).newSession());
            streams.set(k, sessions.get(k).newStreams());
        }
    }

    private void runThreads() throws InterruptedException {
        end = System.nanoTime() + seconds * 1_000_000_000L;
        for (int k = 0; k < THREADS; k++) {
            long own = seed * THREADS + k;
            threads.add(new Thread(() -> act(new Random(own)), "chaos-" + k));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join(Math.max(1, (end - System.nanoTime()) / 1_000_000 + 60_000));
            if (thread.isAlive()) {
                System.out.println(thread.getName() + " is stuck");
                Thread.getAllStackTraces().forEach((each, frames) -> {
                    System.out.println(each);
                    for (StackTraceElement frame : frames) {
                        System.out.println("    at " + frame);
                    }
                });
                System.out.flush();
                Runtime.getRuntime().halt(STUCK);
            }
        }
    }

    private void act(Random random) {
        while (System.nanoTime() < end) {
            String what = "?";
            try {
                int action = random.nextInt(100);
                if (action < 50) {
                    what = "run";
                    run(sessions.get(random.nextInt(SESSIONS)), random);
                } else if (action < 66) {
                    what = "streams";
                    useStreams(random);
                } else if (action < 72) {
                    what = "close streams";
                    streams.get(random.nextInt(SESSIONS)).close();
                } else if (action < 87) {
                    what = "session";
                    replaceSession(random);
                } else if (action < 88) {
                    what = "engine";
                    replaceEngine(random);
                } else {
                    what = "interrupt";
                    threads.get(random.nextInt(THREADS)).interrupt();
                }
                count(what + " done");
            } catch (IllegalStateException e) {
                String message = String.valueOf(e.getMessage());
                count(what + (message.contains("two threads") ? " in two threads" : " after close"));
                if (!REFUSED.matcher(message).matches()) {
                    report(what, e);
                }
            } catch (CellFuseException e) {
                count(what + " interrupted");
                if (!String.valueOf(e.getMessage()).contains("interrupted")) {
                    report(what, e);
                }
            } catch (RuntimeException | Error e) {
                report(what, e);
            }
            if (random.nextInt(4) == 0) {
                Thread.interrupted();
            }
        }
    }

    private void count(String what) {
        counts.computeIfAbsent(what, key -> new AtomicLong()).incrementAndGet();
    }

    private static void report(String what, Throwable e) {
        synchronized (System.out) {
            System.out.println(what + ": " + e);
            e.printStackTrace(System.out);
        }
    }

    private void run(LstmSession session, Random random) {
        int which = random.nextInt(inputs.size());
        LstmOutput output = session.run(inputs.get(which));
        Bits.assertSame(
                session.engine().device() + ", batch " + which,
                expected.get(session.engine().device()).get(which),
                output);
    }

    private void replaceSession(Random random) {
        LstmSession opened = engines.get(random.nextInt(ENGINES)).newSession();
        LstmSession old = sessions.getAndSet(random.nextInt(SESSIONS), opened);
        if (random.nextInt(4) > 0) { // else its engine closes it
            old.close();
        }
    }

    private void replaceEngine(Random random) {
        int slot = random.nextInt(ENGINES);
        engines.getAndSet(slot, LstmEngine.open(DEVICES.get(slot), model)).close();
    }

    /** Another thread may add, drop, run or close at any time: what comes back of the streams it knows is right. */
    private void useStreams(Random random) {
        int slot = random.nextInt(SESSIONS);
        LstmStreams shared = streams.get(slot);
        if (random.nextInt(4) == 0) {
            shared = sessions.get(slot).newStreams();
            streams.set(slot, shared); // what it replaces is closed with its session or engine
        }
        int which = random.nextInt(inputs.size());
        LstmInput input = inputs.get(which);
        int[] ids = new int[input.rows()];
        for (int row = 0; row < ids.length; row++) {
            ids[row] = shared.add();
        }
        LstmInput piece = LstmInput.of(input.layout(), input.x(), input.rows(), input.steps())
                .withLengths(input.lengths());
        if (input.initialState().isPresent()) {
            shared.scatter(input.initialState().orElseThrow(), ids);
        }
        FloatBuffer y = shared.run(piece, ids);
        // The streams may be those of an earlier session in this place, on another device.
        List<Device> possible = new ArrayList<>(expected.keySet());
        Collections.reverse(possible);
        if (possible.stream()
                .noneMatch(device -> same(expected.get(device).get(which).y(), y))) {
            Bits.assertSame(
                    "streams, batch " + which,
                    expected.get(Device.JAVA).get(which).y(),
                    y);
        }
        shared.drop(ids);
    }

    private static boolean same(FloatBuffer a, FloatBuffer b) {
        return IntStream.range(0, a.limit()).allMatch(k -> Bits.same(a.get(k), b.get(k)));
    }

    private void closeAll() {
        for (int k = 0; k < ENGINES; k++) {
            engines.get(k).close();
        }
    }
}
