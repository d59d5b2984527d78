package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Bits;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.faults.FaultLayer;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.tune.TunedPlans;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Moves a batch in parts while kernels run, and makes one OpenCL call after another fail, in a process that runs with
 * the {@link FaultLayer}. Prints one line for each fault that was not handled, then for each function the number of
 * runs that failed.
 */
final class FailedOverlapMain {
    private static final int OUT_OF_RESOURCES = -5;

    /** The calls that threads make while they move parts. */
    private static final List<String> FUNCTIONS = List.of(
            "clEnqueueWriteBuffer",
            "clEnqueueReadBuffer",
            "clEnqueueMarkerWithWaitList",
            "clEnqueueNDRangeKernel",
            "clWaitForEvents",
            "clFlush");

    private final FaultLayer layer = FaultLayer.ofThisProcess();
    private final LstmSession session;
    private final LstmInput input;
    private final LstmOutput expected;
    private long live = OpenCl.liveObjects();
    private Map<String, Integer> objects;

    private FailedOverlapMain(LstmSession session, LstmInput input, LstmOutput expected) throws Exception {
        this.session = session;
        this.input = input;
        this.expected = expected;
        objects = objectsAtRest();
    }

    /** Returns the objects that are left when the driver has freed the events of the last run, in its own thread. */
    private Map<String, Integer> objectsAtRest() {
        long deadline = System.nanoTime() + 2_000_000_000L;
        while (layer.objects().getOrDefault("events", 0) > 0 && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        return layer.objects();
    }

    public static void main(String[] words) throws Exception {
        Random random = new Random(1);
        Map<String, Integer> failures = new LinkedHashMap<>();
        for (Direction direction : List.of(Direction.FORWARD, Direction.BIDIRECTIONAL)) {
            LstmModel model = RandomLstm.model(random, direction, 2, 24, 24, false, true);
            LstmInput input = RandomLstm.input(random, model, 9, 20);
            LstmOutput expected;
            try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                    LstmSession session = java.newSession()) {
                expected = session.run(input);
            }
            ClContext context = TestDevices.first().open();
            var plans = TunedPlans.of(context.device().capabilities(), LayerSize.of(model), Optional.of(Plan.FUSED));
            try (LstmEngine engine = new OpenClEngine(
                            context,
                            new Programs(context),
                            model,
                            plans,
                            Tier.EXACT,
                            PinnedMemory.ofBlocks(context, 1024),
                            new CopyThreads(2, 16));
                    LstmSession session = engine.newSession()) {
                session.run(input); // compiles, and allocates what is kept
                FailedOverlapMain main = new FailedOverlapMain(session, input, expected);
                for (String function : FUNCTIONS) {
                    failures.merge(function, main.failures(function), Integer::sum);
                }
            }
        }
        failures.forEach((function, count) -> System.out.println(function + ": " + count));
    }

    /** Returns how many runs fail when a call of {@code function} does. */
    private int failures(String function) {
        layer.reset();
        session.run(input);
        int calls = layer.calls().getOrDefault(function, 0), failures = 0;
        for (int call = 1; call <= calls; call++) {
            String fault = function + ", call " + call + " of " + calls;
            layer.failAt(function, call, OUT_OF_RESOURCES);
            try {
                session.run(input);
            } catch (CellFuseException e) {
                failures++;
                require(String.valueOf(e.getMessage()).contains(function), fault + ": " + e);
            }
            require(
                    Thread.getAllStackTraces().keySet().stream().noneMatch(FailedOverlapMain::moves),
                    fault + ": a thread outlives its run");
            layer.reset();
            reportObjects(fault);
            try {
                Bits.assertSame("after " + fault, expected, session.run(input));
            } catch (RuntimeException | AssertionError e) {
                System.out.println("NOT HANDLED: " + fault + ": the next run: " + e);
            }
        }
        return failures;
    }

    /** Returns whether {@code thread} moves parts: it may have to be scheduled once more after its work. */
    private static boolean moves(Thread thread) {
        try {
            boolean moves = thread.getName().matches("cellfuse-(up|down)load");
            if (moves) {
                thread.join(5_000);
            }
            return moves && thread.isAlive();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    /** Says what is open that wasn't, after a while: a thread of JOCL releases the events of unmapping. */
    private void reportObjects(String fault) {
        long deadline = System.nanoTime() + 2_000_000_000L;
        while (!layer.objects().equals(objects) && OpenCl.liveObjects() == live && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        require(
                OpenCl.liveObjects() == live && layer.objects().equals(objects),
                fault + ": objects before " + objects + ", after " + layer.objects());
        live = OpenCl.liveObjects();
        objects = layer.objects();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            System.out.println("NOT HANDLED: " + otherwise);
        }
    }
}
