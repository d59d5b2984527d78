package io.github.cellfuse.soak;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmStreams;
import io.github.cellfuse.RandomLstm;
import java.util.Random;

/**
 * Drops what should be closed, in a method named after it, next to others that are closed: by themselves, with their
 * session or with their engine. Prints how many threads of ours are left.
 */
final class ForgetfulMain {
    private static final LstmModel MODEL = RandomLstm.model(new Random(1), Direction.FORWARD, 1, 3, 8, false, true);

    private ForgetfulMain() {}

    public static void main(String[] words) throws InterruptedException {
        Device device = Device.parse(words[0]);
        closeAll(device);
        dropEngine(device);
        try (LstmEngine engine = LstmEngine.open(device, MODEL)) {
            dropSession(engine);
            try (LstmSession session = engine.newSession()) {
                dropStreams(session);
                for (int k = 0; k < 20; k++) {
                    System.gc();
                    Thread.sleep(20);
                }
                run(session); // neither is dropped before
            }
        }
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (left() > 0 && System.nanoTime() < deadline) {
            System.gc();
            Thread.sleep(20);
        }
        System.out.println("threads left: " + left());
    }

    private static long left() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("cellfuse") || name.startsWith("Cleaner-"))
                .count();
    }

    private static void run(LstmSession session) {
        session.run(LstmInput.batchMajor(new float[6], 1, 2));
    }

    private static void runStreams(LstmSession session, LstmStreams streams) {
        streams.run(LstmInput.batchMajor(new float[6], 1, 2), streams.add());
    }

    private static void closeAll(Device device) {
        LstmEngine engine = LstmEngine.open(device, MODEL);
        try (LstmSession session = engine.newSession();
                LstmStreams streams = session.newStreams()) {
            runStreams(session, streams);
        }
        try (LstmSession closesItsStreams = engine.newSession()) {
            runStreams(closesItsStreams, closesItsStreams.newStreams());
        }
        LstmSession closedByEngine = engine.newSession();
        runStreams(closedByEngine, closedByEngine.newStreams());
        engine.close();
        try {
            engine.newSession();
        } catch (IllegalStateException closed) {
            // A session that never opened is no leak.
        }
    }

    private static void dropEngine(Device device) {
        LstmEngine engine = LstmEngine.open(device, MODEL);
        try (LstmSession session = engine.newSession()) {
            run(session);
        }
    }

    private static void dropSession(LstmEngine engine) {
        run(engine.newSession());
    }

    private static void dropStreams(LstmSession session) {
        runStreams(session, session.newStreams());
    }
}
