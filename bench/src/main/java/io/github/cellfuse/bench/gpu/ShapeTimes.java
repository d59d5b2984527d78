package io.github.cellfuse.bench.gpu;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.engine.KernelProfile;
import java.io.FileWriter;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Times whole runs of single layers on an OpenCL device: by the host's clock, which includes both transfers, and by the
 * device's own clock, from the start of the first kernel to the end of the last. Appends one JSON object per line to a
 * file as soon as a shape is done.
 *
 * <pre>ShapeTimes DEVICE FILE SECONDS-PER-SHAPE [check] [plans] SHAPE...</pre>
 *
 * <p>A shape is {@code T,N,I,H}. {@code check} compares the bits with the Java engine's (shapes below 0.3 TFLOP),
 * {@code plans} also forces each plan.
 */
public final class ShapeTimes {
    private static final double MOST_FLOPS_TO_CHECK = 3e11;

    private ShapeTimes() {}

    public static void main(String[] words) throws Exception {
        Device device = Device.parse(words[0]);
        double seconds = Double.parseDouble(words[2]);
        boolean check = false, plans = false;
        try (Writer out = new FileWriter(words[1], true)) {
            for (int k = 3; k < words.length; k++) {
                if (words[k].equals("check")) {
                    check = true;
                    continue;
                }
                if (words[k].equals("plans")) {
                    plans = true;
                    continue;
                }
                int[] s = Arrays.stream(words[k].split(","))
                        .mapToInt(Integer::parseInt)
                        .toArray();
                List<Plan> each = new ArrayList<>();
                each.add(null);
                if (plans) {
                    each.addAll(Arrays.asList(Plan.values()));
                }
                Layer layer = new Layer(s);
                for (Plan plan : each) {
                    String line;
                    try {
                        line = measure(device, layer, s, plan, seconds, check && plan == null);
                    } catch (Throwable e) {
                        line = String.format(
                                Locale.ROOT,
                                "{\"shape\":\"%s\",\"plan_asked\":\"%s\",\"error\":\"%s\"}",
                                words[k],
                                plan,
                                String.valueOf(e)
                                        .replace('"', '\'')
                                        .replace('\n', ' ')
                                        .replace('\\', '/'));
                    }
                    out.write(line + "\n");
                    out.flush();
                    System.out.println(line.length() > 300 ? line.substring(0, 300) + " ..." : line);
                }
            }
        }
    }

    private static final class Layer {
        final LstmModel model;
        final LstmInput input;

        Layer(int[] s) {
            SplittableRandom random = new SplittableRandom(1);
            float scale = (float) (1 / Math.sqrt(s[3]));
            model = new LstmModel(
                    Direction.FORWARD,
                    List.of(List.of(LstmWeights.builder(s[2], s[3])
                            .input(values(random, 4 * s[3] * s[2], scale))
                            .recurrent(values(random, 4 * s[3] * s[3], scale))
                            .inputBias(values(random, 4 * s[3], scale))
                            .recurrentBias(values(random, 4 * s[3], scale))
                            .build())));
            input = LstmInput.timeMajor(values(random, s[0] * s[1] * s[2], 1), s[1], s[0]);
        }
    }

    private static float[] values(SplittableRandom random, int count, float scale) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = ((random.nextInt() >>> 8) * 0x1p-23f - 1) * scale;
        }
        return values;
    }

    private static String measure(Device device, Layer layer, int[] s, Plan plan, double seconds, boolean check) {
        EngineOptions options = plan == null ? EngineOptions.DEFAULT : EngineOptions.DEFAULT.withPlan(plan);
        double flops = 8.0 * s[3] * (s[2] + (double) s[3]) * s[1] * s[0];
        long opening = System.nanoTime();
        try (LstmEngine engine = LstmEngine.open(device, layer.model, options)) {
            LstmOutput output = LstmOutput.allocate(layer.model, layer.input);
            List<Double> wall = new ArrayList<>();
            double first;
            try (LstmSession session = engine.newSession()) {
                session.run(layer.input, output);
                first = (System.nanoTime() - opening) * 1e-9;
                long start = System.nanoTime();
                for (int k = 0; k < 25 && (k < 3 || (System.nanoTime() - start) * 1e-9 < seconds / 2); k++) {
                    long from = System.nanoTime();
                    session.run(layer.input, output);
                    wall.add((System.nanoTime() - from) * 1e-9);
                }
            }
            List<Double> span = new ArrayList<>(), busy = new ArrayList<>();
            Map<String, List<Double>> kernels = new LinkedHashMap<>();
            int launches = 0;
            try (KernelProfile profile = new KernelProfile(engine)) {
                profile.run(layer.input, output);
                long start = System.nanoTime();
                for (int k = 0; k < 21 && (k < 3 || (System.nanoTime() - start) * 1e-9 < seconds / 2); k++) {
                    List<KernelProfile.Launch> all = profile.run(layer.input, output);
                    launches = all.size();
                    span.add((all.get(all.size() - 1).ended() - all.get(0).started()) * 1e-9);
                    busy.add(all.stream()
                            .mapToDouble(KernelProfile.Launch::seconds)
                            .sum());
                    for (KernelProfile.Launch launch : all) {
                        kernels.computeIfAbsent(launch.kernel(), name -> new ArrayList<>())
                                .add(launch.seconds());
                    }
                }
            }
            StringBuilder of = new StringBuilder();
            kernels.forEach((name, times) -> of.append(of.length() == 0 ? "" : ",")
                    .append(String.format(
                            Locale.ROOT,
                            "\"%s\":{\"launches\":%d,\"median_us\":%.3f}",
                            name,
                            times.size(),
                            1e6 * median(times))));
            String bits = "null";
            if (check && flops < MOST_FLOPS_TO_CHECK) {
                try (LstmEngine java = LstmEngine.open(Device.parse("java"), layer.model);
                        LstmSession session = java.newSession()) {
                    bits = session.run(layer.input).y().mismatch(output.y()) < 0 ? "true" : "false";
                }
            }
            double d = median(span);
            return String.format(
                    Locale.ROOT,
                    "{\"shape\":\"%d,%d,%d,%d\",\"plan_asked\":\"%s\",\"tier\":\"%s\",\"plan\":\"%s\","
                            + "\"gflop\":%.3f,\"runs\":%d,"
                            + "\"first_s\":%.3f,\"wall_ms\":%.4f,\"device_ms\":%.4f,\"busy_ms\":%.4f,\"launches\":%d,"
                            + "\"device_tflops\":%.3f,\"bits_as_java\":%s,\"kernels\":{%s}}",
                    s[0],
                    s[1],
                    s[2],
                    s[3],
                    plan == null ? "" : plan.name().toLowerCase(Locale.ROOT),
                    engine.tier(),
                    engine.explain(s[1], s[0]).replace('"', '\''),
                    flops * 1e-9,
                    span.size(),
                    first,
                    1e3 * median(wall),
                    1e3 * d,
                    1e3 * median(busy),
                    launches,
                    flops / d * 1e-12,
                    bits,
                    of);
        }
    }

    private static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
    }
}
