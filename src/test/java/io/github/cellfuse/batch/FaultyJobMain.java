package io.github.cellfuse.batch;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.batch.DeviceTrouble.Action;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.faults.FaultLayer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * Makes one OpenCL call after another fail while a job runs on two devices, in a process that runs with the
 * {@link FaultLayer}. Prints one line for each fault after which the results weren't the same, then the number of
 * faults and how many of them the job noticed. With a second argument, devices lie instead: they give wrong values from
 * one read after another on.
 */
final class FaultyJobMain {
    private static final int ROWS = 60, CHUNK = 8;

    private static final int STEPS = 5;

    /** For lies: y is so large that it is mapped instead of read, in every chunk. */
    private static final int EVEN_ROWS = 64, MANY_STEPS = 2500;

    /** What the calls fail with, by turns: CL_OUT_OF_RESOURCES, CL_DEVICE_NOT_AVAILABLE, CL_INVALID_VALUE. */
    private static final int[] STATUSES = {-5, -2, -30};

    private final LstmModel model = RandomLstm.model(new Random(1), Direction.BIDIRECTIONAL, 2, 6, 9, false, true);
    private final LstmInput input;
    private final LstmOutput expected;
    private final List<LstmEngine> engines = new ArrayList<>();
    private FaultLayer layer; // null during the first job
    private final int most;
    private int faults, noticed;

    private FaultyJobMain(int most, boolean lies) throws Exception {
        this.most = most;
        // All rows have all steps in batches for lies: a wrong y has to show in every row.
        input = lies
                ? LstmInput.batchMajor(
                        RandomLstm.values(new Random(2), EVEN_ROWS * MANY_STEPS * model.inputSize(), 1),
                        EVEN_ROWS,
                        MANY_STEPS)
                : RandomLstm.input(new Random(2), model, ROWS, STEPS);
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession session = java.newSession()) {
            expected = session.run(input);
        }
        for (String device : List.of("opencl:0.0", "opencl:0.1")) {
            engines.add(LstmEngine.open(Device.parse(device), model));
        }
        job(); // compiles the kernels
        layer = FaultLayer.ofThisProcess();
    }

    public static void main(String[] words) throws Exception {
        boolean lies = words.length > 1;
        FaultyJobMain main = new FaultyJobMain(Integer.parseInt(words[0]), lies);
        if (lies) {
            main.lie();
        } else {
            main.failCalls();
        }
        main.engines.forEach(LstmEngine::close);
        System.out.println("faults " + main.faults + ", noticed " + main.noticed);
    }

    private void failCalls() throws Exception {
        layer.reset();
        job();
        Map<String, Integer> calls = layer.calls();
        for (Map.Entry<String, Integer> function : calls.entrySet()) {
            Set<Integer> chosen = new TreeSet<>();
            for (int k = 0; k < Math.min(function.getValue(), most); k++) {
                chosen.add(1 + (int) ((long) k * (function.getValue() - 1) / Math.max(1, most - 1)));
            }
            for (int call : chosen) {
                layer.reset();
                layer.failAt(function.getKey(), call, STATUSES[faults++ % STATUSES.length]);
                try {
                    noticed += job() ? 1 : 0;
                } catch (Throwable e) {
                    System.out.println(function.getKey() + ", call " + call + ": " + e);
                }
            }
        }
        layer.reset();
    }

    private void lie() {
        for (String function : List.of("clEnqueueReadBuffer", "clEnqueueMapBuffer")) {
            layer.reset();
            layer.lieFrom(function, Integer.MAX_VALUE);
            job();
            int reads = layer.reads(function);
            if (reads < 4) {
                throw new AssertionError(function + ": expected several reads in a job, found " + reads);
            }
            for (int k = 0; k < most; k++) {
                layer.reset();
                layer.lieFrom(function, 1 + k * (reads - 1) / Math.max(1, most - 1));
                faults++;
                try {
                    noticed += job() ? 1 : 0;
                } catch (Throwable e) {
                    System.out.println(function + ", wrong from read " + k + " of " + reads + ": " + e);
                }
            }
        }
        layer.reset();
    }

    /** Runs the batch, compares the bits, and returns whether a device failed. */
    private boolean job() {
        List<Action> actions = new ArrayList<>();
        long live = OpenCl.liveObjects();
        MemoryBatch memory = new MemoryBatch(model, input);
        new BatchJob(engines, memory, memory, CHUNK)
                .withSpotChecks(1)
                .withListener(new BatchListener() {
                    @Override
                    public void onTrouble(DeviceTrouble trouble) {
                        actions.add(trouble.action());
                    }
                })
                .run();
        Bits.assertSame("batch", expected, memory.output());
        if (layer != null && OpenCl.liveObjects() != live) { // the first job compiles programs, which stay
            throw new AssertionError("live objects before " + live + ", after " + OpenCl.liveObjects());
        }
        return !actions.isEmpty();
    }
}
