package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.opencl.device.OpenClDevices;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs whose work-items wait for each other have the device for themselves, one run at a time. */
@Timeout(120)
class CooperativeWaitTest {
    private static final int ROWS = 1, STEPS = 200;

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void theTimeOfWaitingForTheDeviceIsApart(ClDevice device) throws InterruptedException {
        LstmModel model = RandomLstm.model(new Random(1), Direction.FORWARD, 1, 64, 256, false, true);
        LstmInput input = RandomLstm.input(new Random(2), model, ROWS, STEPS);
        AtomicLong longest = new AtomicLong();
        EngineOptions options = EngineOptions.DEFAULT
                .withPlan(Plan.SEQUENCE)
                .withListener(run -> longest.accumulateAndGet(run.waitNanos(), Math::max));
        try (LstmEngine engine = LstmEngine.open(OpenClDevices.nameOf(device), model, options)) {
            assumeTrue(isCooperative((OpenClEngine) engine));
            Runnable work = () -> {
                try (LstmSession session = engine.newSession()) {
                    for (int n = 0; n < 2000 && longest.get() < 100_000; n++) {
                        session.run(input);
                    }
                }
            };
            Thread other = new Thread(work);
            other.start();
            work.run();
            other.join();
        }
        assertTrue(longest.get() >= 100_000, "waited for " + longest + " ns at most");
    }

    private static boolean isCooperative(OpenClEngine engine) {
        try {
            return engine.choose(ROWS, STEPS).groups().isCooperative();
        } catch (InvalidInputException e) {
            return false; // llvmpipe has no such plan
        }
    }
}
