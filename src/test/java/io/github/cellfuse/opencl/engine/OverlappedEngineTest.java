package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.SessionContract;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.implementations.EveryImplementation;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.Choosers;
import io.github.cellfuse.opencl.plan.Described;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.program.Programs;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The contract of sessions on the first OpenCL device, whose batches are moved in many small parts while its kernels
 * run, and copied by several threads each way.
 */
class OverlappedEngineTest extends SessionContract {
    private static final Capabilities GPU = Described.gpu(2, 64 << 10, 256);

    /** A few rows of the models of these tests. */
    private static final int BLOCK_BYTES = 4096;

    /** A row or two: the batches of these tests are small. */
    private static final int FLOATS_OF_A_THREAD = 16;

    @Override
    protected Device device() {
        return OpenClDevices.nameOf(TestDevices.first());
    }

    @Override
    protected LstmEngine open(LstmModel model) {
        return open(model, Optional.empty(), BLOCK_BYTES, new CopyThreads(3, FLOATS_OF_A_THREAD));
    }

    private static LstmEngine open(LstmModel model, Optional<Plan> plan, int blockBytes, CopyThreads threads) {
        ClContext context = TestDevices.first().open();
        return open(context, model, plan, PinnedMemory.ofBlocks(context, blockBytes), threads);
    }

    private static LstmEngine open(
            ClContext context, LstmModel model, Optional<Plan> plan, PinnedMemory memory, CopyThreads threads) {
        return new OpenClEngine(
                context,
                new Programs(context),
                model,
                new StagedPlans(Choosers.typical(GPU, LayerSize.of(model)), plan),
                Tier.EXACT,
                memory,
                threads);
    }

    @ParameterizedTest
    @EnumSource(Plan.class)
    void everyPlanGivesTheSameBitsInParts(Plan plan) {
        Random random = new Random(TestEngines.seed(71));
        for (int round = 0; round < 12; round++) {
            LstmModel model = RandomLstm.model(
                    random, 1 + random.nextInt(3), 3, 5 + random.nextInt(20), random.nextBoolean(), true);
            LstmInput input = RandomLstm.input(random, model, 1 + random.nextInt(40), 1 + random.nextInt(40));
            CopyThreads threads = new CopyThreads(1 + random.nextInt(4), 1 + random.nextInt(64));
            assertSameBits(model, input, plan, 256 + 4 * random.nextInt(4096), threads);
        }
    }

    @Test
    @Tag(EveryImplementation.SEVERAL_THREADS)
    void bothEndsOfABidirectionalLayerGoUpFirst() {
        Random random = new Random(TestEngines.seed(72));
        LstmModel model = RandomLstm.model(random, 2, 3, 5, true, true);
        assertSameBits(model, RandomLstm.input(random, model, 3, 6), Plan.FUSED, 64, new CopyThreads(2, 1));
    }

    @Test
    void anInterruptedThreadGetsTheSameBitsAndStaysInterrupted() {
        RandomLstm random = RandomLstm.of(19);
        try (LstmEngine engine = open(random.model());
                var session = engine.newSession()) {
            LstmOutput expected = session.run(random.input());
            Thread.currentThread().interrupt();
            LstmOutput found = session.run(random.input());
            assertTrue(Thread.interrupted());
            Bits.assertSame("interrupted", expected, found);
        } finally {
            Thread.interrupted(); // the next test has this thread, too
        }
    }

    private static void assertSameBits(
            LstmModel model, LstmInput input, Plan plan, int blockBytes, CopyThreads threads) {
        LstmOutput expected;
        try (LstmEngine twin = LstmEngine.open(Device.JAVA, model);
                var session = twin.newSession()) {
            expected = session.run(input);
        }
        String what = plan + ", " + model + ", N=" + input.rows() + ", T=" + input.steps();
        try (LstmEngine engine = open(model, Optional.of(plan), blockBytes, threads);
                var session = engine.newSession()) {
            Bits.assertSame(what, expected, session.run(input));
            Bits.assertSame(what + ", again", expected, session.run(input));
            LstmOutput states = LstmOutput.statesOnly(model, input);
            session.run(input, states);
            LstmState last = expected.finalState();
            Bits.assertSame(
                    what + ", h without y", last.h(), states.finalState().h());
            Bits.assertSame(
                    what + ", c without y", last.c(), states.finalState().c());
        }
    }

    /** Parts of a batch take more launches, and kernels that wait for them: neither is what a profile measures. */
    @ParameterizedTest
    @EnumSource(Plan.class)
    void launchesAreTimedWithTheWholeBatchOnTheDevice(Plan plan) {
        Random random = new Random(TestEngines.seed(73));
        LstmModel model = RandomLstm.model(random, 2, 3, 9, true, true);
        LstmInput input = RandomLstm.input(random, model, 12, 20);
        LstmOutput whole = LstmOutput.allocate(model, input), timed = LstmOutput.allocate(model, input);
        List<String> expected;
        ClContext context = TestDevices.first().open();
        // A batch as small as this is moved before and after.
        try (LstmEngine engine =
                open(context, model, Optional.of(plan), PinnedMemory.of(context), CopyThreads.ofMachine())) {
            expected = kernels(engine, input, whole);
        }
        try (LstmEngine engine = open(model, Optional.of(plan), 256, new CopyThreads(2, FLOATS_OF_A_THREAD))) {
            assertEquals(expected, kernels(engine, input, timed));
        }
        Bits.assertSame(plan + " in a profile", whole, timed);
    }

    private static List<String> kernels(LstmEngine engine, LstmInput input, LstmOutput output) {
        try (KernelProfile profile = new KernelProfile(engine)) {
            return profile.run(input, output).stream()
                    .map(KernelProfile.Launch::kernel)
                    .toList();
        }
    }

    @Test
    void sessionsShareTheMemoryAndTheEngineFreesIt() {
        RandomLstm random = RandomLstm.of(17);
        long before = OpenCl.liveObjects();
        try (LstmEngine engine = open(random.model())) {
            long opened = OpenCl.liveObjects();
            long[] objects = new long[3];
            for (int k = 0; k < objects.length; k++) {
                try (var session = engine.newSession()) {
                    session.run(random.input());
                }
                objects[k] = OpenCl.liveObjects();
            }
            assertTrue(objects[0] > opened, "nothing went through pinned memory");
            assertEquals(objects[0], objects[1]);
            assertEquals(objects[0], objects[2]);
        }
        assertEquals(before, OpenCl.liveObjects());
    }

    @Test
    void copyingThreadsEndWithTheEngineAndSmallBatchesStartNone() throws InterruptedException {
        RandomLstm random = RandomLstm.of(18);
        Set<Thread> before = copyingThreads();
        try (LstmEngine engine = open(random.model(), Optional.empty(), BLOCK_BYTES, new CopyThreads(3, 1 << 16));
                var session = engine.newSession()) {
            session.run(random.input());
            assertEquals(before, copyingThreads(), "after a batch that isn't worth a thread");
        }
        Set<Thread> started;
        try (LstmEngine engine = open(random.model())) {
            for (int k = 0; k < 3; k++) {
                try (var session = engine.newSession()) {
                    session.run(random.input());
                }
            }
            started = copyingThreads();
            started.removeAll(before);
            assertEquals(4, started.size(), "two helpers each way, shared by all sessions");
        }
        for (Thread thread : started) {
            thread.join(10_000);
            assertFalse(thread.isAlive(), thread + " outlives its engine");
        }
    }

    private static Set<Thread> copyingThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("cellfuse-copy"))
                .collect(Collectors.toSet());
    }
}
