package io.github.cellfuse.bench.gpu;

import com.google.gson.JsonObject;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.bench.load.LayerShape;
import io.github.cellfuse.opencl.engine.KernelProfile;
import java.io.FileWriter;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Times whole runs of single layers on an OpenCL device: by the host's clock, which includes both transfers, and by the
 * device's own clock, from the start of the first kernel to the end of the last, with the whole batch on the device.
 * Appends one JSON object per line to a file as soon as a shape is done.
 *
 * <pre>ShapeTimes DEVICE FILE SECONDS-PER-SHAPE [check] [plans | PLAN] SHAPE...</pre>
 *
 * <p>A shape is {@code T,N,I,H}. {@code check} compares the bits with the Java engine's (shapes below 0.3 TFLOP),
 * {@code plans} also forces each plan, and the name of a plan forces that plan alone.
 */
public final class ShapeTimes {
    private static final double MOST_FLOPS_TO_CHECK = 3e11;
    private static final int FEWEST_RUNS = 3;
    private static final int MOST_RUNS = 100;

    private ShapeTimes() {}

    public static void main(String[] words) throws Exception {
        Device device = Device.parse(words[0]);
        double seconds = Double.parseDouble(words[2]);
        List<String> rest = List.of(words).subList(3, words.length);
        boolean checks = rest.contains("check");
        try (Writer out = new FileWriter(words[1], true)) {
            for (String word : rest) {
                if (word.contains(",")) {
                    LayerShape shape = LayerShape.parse(word);
                    for (Plan plan : plans(rest)) {
                        boolean check = checks && shape.flops() < MOST_FLOPS_TO_CHECK;
                        write(out, result(device, shape, plan, seconds, check));
                    }
                }
            }
        }
    }

    /** Returns the plans to time; null is the one that the engine chooses. */
    private static List<Plan> plans(List<String> words) {
        List<Plan> named = Stream.of(Plan.values())
                .filter(plan -> words.contains(plan.name().toLowerCase(Locale.ROOT)))
                .toList();
        if (!named.isEmpty()) {
            return named;
        }
        List<Plan> plans = new ArrayList<>(Collections.singletonList(null));
        if (words.contains("plans")) {
            plans.addAll(List.of(Plan.values()));
        }
        return plans;
    }

    private static void write(Writer out, JsonObject result) throws IOException {
        String line = result.toString();
        out.write(line + "\n");
        out.flush();
        System.out.println(line.length() > 300 ? line.substring(0, 300) + " ..." : line);
    }

    /** Returns what was measured, or the error: the other shapes must still run. */
    private static JsonObject result(Device device, LayerShape shape, Plan plan, double seconds, boolean check) {
        JsonObject result = new JsonObject();
        result.addProperty("shape", shape.toString());
        result.addProperty("plan_asked", plan == null ? "" : plan.name().toLowerCase(Locale.ROOT));
        try {
            new Measurement(device, shape, plan, seconds).into(result, check);
        } catch (Throwable e) {
            result.addProperty("error", String.valueOf(e));
        }
        return result;
    }

    /** One layer under one plan. */
    private static final class Measurement {
        private final Device device;
        private final LayerShape shape;
        private final EngineOptions options;
        private final double seconds;
        private final LstmModel model;
        private final LstmInput input;
        private final LstmOutput output;
        private final List<Double> wall = new ArrayList<>();
        private final List<Double> span = new ArrayList<>();
        private final List<Double> busy = new ArrayList<>();
        private final Map<String, List<Double>> kernels = new LinkedHashMap<>();
        private int launches;

        Measurement(Device device, LayerShape shape, Plan plan, double seconds) {
            this.device = device;
            this.shape = shape;
            this.seconds = seconds;
            options = plan == null ? EngineOptions.DEFAULT : EngineOptions.DEFAULT.withPlan(plan);
            SplittableRandom random = new SplittableRandom(1);
            model = shape.model(random);
            input = shape.input(random);
            output = LstmOutput.allocate(model, input);
        }

        /** Measures the layer and adds the results to {@code result}. */
        void into(JsonObject result, boolean check) {
            long opening = System.nanoTime();
            try (TimedLayer layer = new TimedLayer(device, options, model, input, output)) {
                layer.wall();
                result.addProperty("first_s", (System.nanoTime() - opening) * 1e-9);
                warmUp(layer);
                repeat(() -> wall.add(layer.wall()));
                layer.launches();
                repeat(() -> add(layer.launches()));
                result.addProperty("tier", layer.tier().toString());
                result.addProperty("plan", layer.plan());
            }
            result.addProperty("gflop", shape.flops() * 1e-9);
            result.addProperty("runs", span.size());
            result.addProperty("wall_ms", 1e3 * median(wall));
            result.addProperty("device_ms", 1e3 * median(span));
            result.addProperty("busy_ms", 1e3 * median(busy));
            result.addProperty("launches", launches);
            result.addProperty("device_tflops", shape.flops() / median(span) * 1e-12);
            result.addProperty("bits_as_java", check ? bitsAsJava() : null);
            result.add("kernels", kernels());
        }

        /** A GPU that was idle takes a while to raise its clock. */
        private void warmUp(TimedLayer layer) {
            long start = System.nanoTime();
            while ((System.nanoTime() - start) * 1e-9 < seconds / 4) {
                layer.wall();
            }
        }

        /** Repeats {@code run} for half of the time. */
        private void repeat(Runnable run) {
            long start = System.nanoTime();
            for (int k = 0; k < MOST_RUNS; k++) {
                if (k >= FEWEST_RUNS && (System.nanoTime() - start) * 1e-9 >= seconds / 2) {
                    return;
                }
                run.run();
            }
        }

        private void add(List<KernelProfile.Launch> all) {
            launches = all.size();
            span.add(TimedLayer.span(all));
            busy.add(all.stream().mapToDouble(KernelProfile.Launch::seconds).sum());
            for (KernelProfile.Launch launch : all) {
                kernels.computeIfAbsent(launch.kernel(), name -> new ArrayList<>())
                        .add(launch.seconds());
            }
        }

        private boolean bitsAsJava() {
            try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                    LstmSession session = java.newSession()) {
                return session.run(input).y().mismatch(output.y()) < 0;
            }
        }

        private JsonObject kernels() {
            JsonObject all = new JsonObject();
            kernels.forEach((name, times) -> {
                JsonObject one = new JsonObject();
                one.addProperty("launches", times.size());
                one.addProperty("median_us", 1e6 * median(times));
                all.add(name, one);
            });
            return all;
        }
    }

    private static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
    }
}
