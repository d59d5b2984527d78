package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmStreams;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClProgram;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.MappedBuffer;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.faults.FaultLayer;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.tune.TunedPlans;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Opens one thing after another in a context that stays open, and makes each OpenCL call of the opening fail, in a
 * process that runs with the {@link FaultLayer}. Prints one line for each fault that leaves an object open, then the
 * number of openings that failed for each thing.
 */
final class FailedOpeningMain {
    private static final int OUT_OF_RESOURCES = -5;
    private static final int VEC = 4, UNITS = 40;

    /** Opens something, and returns what closes it. */
    private interface Opening {
        Runnable open();
    }

    private final FaultLayer layer;
    private Map<String, Integer> objects;
    private long live;

    private FailedOpeningMain(FaultLayer layer) {
        this.layer = layer;
        objects = layer.objects();
        live = OpenCl.liveObjects();
    }

    public static void main(String[] words) throws Exception {
        LstmModel model = RandomLstm.model(new Random(1), Direction.FORWARD, 2, UNITS, UNITS, true, true);
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue();
                ClBuffer buffer = context.buffer("numbers", 4L * UNITS, ClBuffer.Access.READ_WRITE);
                StandaloneKernels kernels = new StandaloneKernels(OpenClDevices.nameOf(context.device()));
                ClProgram program =
                        context.program("test", List.of("__kernel void nothing(__global int *at) { *at = 1; }"), "")) {
            Map<String, Opening> openings = new LinkedHashMap<>();
            addMemory(openings, context, queue, model);
            openings.put("cell", () -> kernels.cell(3, UNITS)::close);
            openings.put("activations", () -> kernels.activations(1024)::close);
            openings.put("queue", () -> context.queue()::close);
            openings.put("kernel", () -> program.kernel("nothing")::close);
            openings.put("launch", () -> {
                var kernel = program.kernel("nothing");
                try {
                    var event = queue.launchEvent(kernel.setBuffer(0, buffer), NdRange.of(1));
                    return () -> {
                        event.close();
                        kernel.close();
                    };
                } catch (RuntimeException e) {
                    kernel.close();
                    throw e;
                }
            });
            openings.put("marker", () -> queue.marker()::close);
            openings.put("mapping", () -> queue.map(buffer, MappedBuffer.Mode.READ_WRITE)::close);
            try (OpenClEngine engine = engine(context, model, Plan.SEPARATE)) {
                addEngine(openings, engine);
                for (Opening opening : openings.values()) {
                    opening.open().run(); // compiles, and keeps what is kept
                }
                queue.finish();
                FailedOpeningMain main = new FailedOpeningMain(FaultLayer.ofThisProcess());
                for (Map.Entry<String, Opening> each : openings.entrySet()) {
                    System.out.println(each.getKey() + ": " + main.failures(each.getKey(), each.getValue()));
                }
            }
        }
    }

    private static OpenClEngine engine(ClContext context, LstmModel model, Plan plan) {
        Plans plans = TunedPlans.of(context.device().capabilities(), LayerSize.of(model), Optional.of(plan));
        return new OpenClEngine(context, new Programs(context), model, plans, Tier.TOLERANCE);
    }

    private static void addMemory(Map<String, Opening> openings, ClContext context, ClQueue queue, LstmModel model) {
        openings.put("engine", () -> engine(context, model, Plan.FUSED)::closeMemory);
        openings.put(
                "weights",
                () -> DeviceWeights.upload(context, queue, model.layer(1).weights(), VEC, WeightPrecision.BF16)::close);
        openings.put("recurrent weights", () -> {
            DeviceWeights weights =
                    DeviceWeights.upload(context, queue, model.layer(0).weights(), VEC, WeightPrecision.F32);
            try {
                weights.recurrent();
                return weights::close;
            } catch (RuntimeException e) {
                weights.close();
                throw e;
            }
        });
        openings.put("growing buffer", () -> {
            GrowingBuffer buffer = new GrowingBuffer(context, queue, "values");
            buffer.ensure(3, 5);
            return buffer::close;
        });
        openings.put("pinned memory", () -> {
            PinnedMemory memory = PinnedMemory.ofBlocks(context, 64);
            try {
                memory.borrow();
                return memory::close;
            } catch (RuntimeException e) {
                memory.close();
                throw e;
            }
        });
    }

    private static void addEngine(Map<String, Opening> openings, OpenClEngine engine) {
        openings.put("session", () -> engine.newSession()::close);
        openings.put("traced session", () -> engine.newTracedSession()::close);
        openings.put("streams", () -> {
            try (LstmSession session = engine.newSession();
                    LstmStreams streams = session.newStreams()) {
                streams.add();
                return () -> {}; // closing both is what closes the states
            }
        });
        for (Plan plan : List.of(Plan.SEPARATE, Plan.FUSED, Plan.HOISTED)) {
            var plans = TunedPlans.of(engine.capabilities(), LayerSize.of(engine.model()), Optional.of(plan));
            var choice = plans.choose(3, 4, true);
            openings.put("layer, " + plan, () -> LayerRun.open(engine, 0, choice, false)::close);
        }
    }

    /** Returns how many openings fail. */
    private int failures(String name, Opening opening) {
        layer.reset();
        opening.open().run();
        Map<String, Integer> calls = layer.calls();
        layer.reset();
        int failures = 0;
        for (Map.Entry<String, Integer> function : calls.entrySet()) {
            for (int call = 1; call <= function.getValue(); call++) {
                layer.failAt(function.getKey(), call, OUT_OF_RESOURCES);
                try {
                    opening.open().run();
                } catch (CellFuseException e) {
                    failures++;
                } finally {
                    layer.reset();
                }
                report(name + ": " + function.getKey() + ", call " + call + " of " + function.getValue());
            }
        }
        return failures;
    }

    /** Says what is open that wasn't, after a while: a thread of JOCL releases the events of unmapping. */
    private void report(String fault) {
        long deadline = System.nanoTime() + 2_000_000_000L;
        while (!layer.objects().equals(objects) && OpenCl.liveObjects() == live && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        if (OpenCl.liveObjects() != live || !layer.objects().equals(objects)) {
            System.out.println("LEFT OPEN after " + fault + ": " + (OpenCl.liveObjects() - live)
                    + " objects; OpenCL's: " + objects + " before, " + layer.objects() + " now");
            live = OpenCl.liveObjects();
            objects = layer.objects();
        }
    }
}
