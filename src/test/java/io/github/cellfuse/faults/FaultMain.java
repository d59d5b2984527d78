package io.github.cellfuse.faults;

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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * Makes one OpenCL call after another fail, in a process that runs with the {@link FaultLayer}: opens an engine, runs
 * batches and streams, closes it, and checks what came of the fault. Prints one line for each fault that was not
 * handled, then a line with the number of faults.
 */
final class FaultMain {
    static final String DONE = "faults injected: ";

    /** What the calls fail with, by turns. */
    private static final List<Status> STATUSES = List.of(
            new Status(-5, "CL_OUT_OF_RESOURCES"),
            new Status(-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"),
            new Status(-6, "CL_OUT_OF_HOST_MEMORY"),
            new Status(-2, "CL_DEVICE_NOT_AVAILABLE"),
            new Status(-30, "CL_INVALID_VALUE"));

    private record Status(int value, String name) {}

    /** What a run can do without, or has another way for. */
    private static final Set<String> TOLERATED = Set.of(
            "clCreateProgramWithBinary", // compiles the source instead
            "clGetProgramInfo", // doesn't store the binary
            "clGetKernelWorkGroupInfo", // takes the limit of the device for that of the kernel
            "clGetProgramBuildInfo", // asks for the log of a build that succeeded
            "clEnqueueUnmapMemObject", // the host has read what it wanted
            "clWaitForEvents", // a thread of JOCL waits for the end of an unmapping, and releases what it pinned
            // Releases only log a failure: there is nothing more to be done. Some queues are finished before.
            "clFinish",
            "clReleaseCommandQueue",
            "clReleaseMemObject",
            "clReleaseEvent");

    /** Where a function is called more often than this, some of its calls fail, evenly spread. */
    private final int most;

    private final FaultLayer layer;
    private final LstmModel model;
    private final List<LstmInput> inputs;
    private final List<LstmOutput> expected = new ArrayList<>();
    private final Map<String, Integer> objects;
    /** Whether the last cycle's fault came before it closed the session and the engine, which only logs failures. */
    private boolean failedBeforeClosing;

    private int faults;
    /** Exceptions since the first call of the present function. */
    private int reports;

    private FaultMain(int most) throws Exception {
        this.most = most;
        OpenCl.devices(); // loads the layer
        layer = FaultLayer.ofThisProcess();
        objects = layer.objects();
        Random random = new Random(1);
        model = RandomLstm.model(random, Direction.FORWARD, 2, 40, 40, false, true);
        // The second is more than one block of staging memory, so that it goes through mapped memory.
        inputs = List.of(RandomLstm.input(random, model, 3, 4), RandomLstm.input(random, model, 100, 70));
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession session = java.newSession()) {
            inputs.forEach(input -> expected.add(session.run(input)));
        }
    }

    public static void main(String[] words) throws Exception {
        FaultMain main = new FaultMain(Integer.parseInt(words[0]));
        main.cycle(() -> {});
        main.cycle(() -> {});
        main.layer.reset();
        main.cycle(() -> {});
        for (Map.Entry<String, Integer> function : main.layer.calls().entrySet()) {
            main.failEachCall(function.getKey(), function.getValue());
        }
        System.out.println(DONE + main.faults);
    }

    private void failEachCall(String function, int calls) {
        Set<Integer> chosen = new TreeSet<>();
        for (int k = 0; k < Math.min(calls, most); k++) {
            chosen.add(calls <= most ? k + 1 : 1 + (int) ((long) k * (calls - 1) / (most - 1)));
        }
        reports = 0;
        for (int call : chosen) {
            Status status = STATUSES.get(faults++ % STATUSES.size());
            try {
                fail(function, call, status);
            } catch (Throwable e) {
                System.out.println(function + ", call " + call + " of " + calls + ", " + status.name + ": " + e);
            } finally {
                layer.reset();
            }
        }
        if (function.equals("clFinish") && reports == 0) {
            System.out.println(function + ": nothing was reported, not even of queues that stay open");
        }
        layer.delay(function, 300);
        cycle(() -> {});
        layer.reset();
    }

    private void fail(String function, int call, Status status) {
        long live = OpenCl.liveObjects();
        String reported = "";
        layer.failAt(function, call, status.value);
        try {
            cycle(layer::reset);
        } catch (CellFuseException e) {
            reported = String.valueOf(e.getMessage());
            reports++;
            require(reported.contains(function), "the message doesn't name the call: " + reported);
            require(reported.contains(status.name), "the message doesn't name the status: " + reported);
            // The compiler's log follows on lines of its own.
            require(
                    function.equals("clBuildProgram") || reported.lines().count() == 1,
                    "more than one line: " + reported);
        }
        layer.reset();
        require(!reported.isEmpty() || !failedBeforeClosing || TOLERATED.contains(function), "nothing was reported");
        settle();
        require(OpenCl.liveObjects() == live, "live objects before " + live + ", after " + OpenCl.liveObjects());
        cycle(() -> {});
    }

    /** Waits until there are as many objects as at the beginning: a thread of JOCL releases the events of unmapping. */
    private void settle() {
        long deadline = System.nanoTime() + 5_000_000_000L;
        while (!layer.objects().equals(objects) && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        require(layer.objects().equals(objects), "objects before " + objects + ", after " + layer.objects());
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    /**
     * Opens, runs and closes, and compares the bits. When a run fails, calls {@code repair} and runs again in the same
     * session, before it passes the failure on.
     */
    private void cycle(Runnable repair) {
        CellFuseException failure = null;
        try (LstmEngine engine = LstmEngine.open(Device.parse("opencl:0.0"), model);
                LstmSession session = engine.newSession()) {
            for (int k = 0; k < inputs.size(); k++) {
                try {
                    Bits.assertSame("batch " + k, expected.get(k), session.run(inputs.get(k)));
                } catch (CellFuseException e) {
                    failure = e;
                    repair.run();
                    Bits.assertSame("after " + e.getMessage(), expected.get(k), session.run(inputs.get(k)));
                }
            }
            try {
                runStreams(session);
            } catch (CellFuseException e) {
                failure = e;
                repair.run();
                runStreams(session);
            }
            failedBeforeClosing = layer.hasFailed();
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Streams give the bits of the batch, in which each row is one stream. */
    private void runStreams(LstmSession session) {
        LstmInput input = inputs.get(0).withLengths(new int[] {4, 4, 4});
        try (LstmStreams streams = session.newStreams()) {
            int[] ids = {streams.add(), streams.add(), streams.add()};
            streams.run(LstmInput.of(input.layout(), input.x(), input.rows(), input.steps()), ids);
            streams.gather(ids);
        }
    }
}
