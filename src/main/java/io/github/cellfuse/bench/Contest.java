package io.github.cellfuse.bench;

import io.github.cellfuse.CellFuseException;
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
import io.github.cellfuse.Sizes;
import io.github.cellfuse.opencl.FmaPeak;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Runs one shape on several engines, taking turns: a machine that slows down for a while slows all of them, so their ratios stay
 * meaningful. Before anything is timed the results are compared by bits.
 */
public final class Contest {
    /**
     * What is timed.
     *
     * @param name for the table
     * @param device where
     * @param options how
     */
    public record Contender(String name, Device device, EngineOptions options) {}

    /**
     * What came out.
     *
     * @param name the contender
     * @param seconds the median of the rounds
     * @param ofPeak the median over the rounds of its speed as a share of the multiply-add peak measured in the same round; NaN
     *     without an OpenCL device
     */
    public record Result(String name, double seconds, double ofPeak) {}

    private Contest() {}

    /** The contenders on {@code device}: each plan of an OpenCL device, and {@code java}. */
    public static List<Contender> contenders(Device device) {
        List<Contender> contenders = new ArrayList<>();
        if (device instanceof Device.OpenCl) {
            for (Plan plan : Plan.values()) {
                String name = device + " " + plan.name().toLowerCase(Locale.ROOT);
                contenders.add(new Contender(name, device, EngineOptions.DEFAULT.withPlan(plan)));
            }
        }
        contenders.add(new Contender("java", Device.JAVA, EngineOptions.DEFAULT));
        return contenders;
    }

    /**
     * Times {@code contenders} on {@code shape}, in order, {@code rounds} times over.
     *
     * @throws CellFuseException when two of them differ in a bit
     */
    public static List<Result> run(Shape shape, List<Contender> contenders, int rounds) {
        Random random = new Random(1);
        LstmModel model = model(shape, random);
        LstmInput input = LstmInput.timeMajor(
                values(random, (long) shape.steps() * shape.rows() * shape.inputs(), 1), shape.steps(), shape.rows());
        List<LstmEngine> engines = new ArrayList<>();
        try (FmaPeak peak = peak(contenders)) {
            List<LstmSession> sessions = new ArrayList<>();
            for (Contender contender : contenders) {
                LstmEngine engine = LstmEngine.open(contender.device(), model, contender.options());
                engines.add(engine);
                sessions.add(engine.newSession());
            }
            LstmOutput output = LstmOutput.allocate(model, input);
            warmUp(contenders, sessions, input, output);
            double[][] seconds = new double[contenders.size()][rounds];
            double[][] shares = new double[contenders.size()][rounds];
            for (int round = 0; round < rounds; round++) {
                double limit = peak == null ? Double.NaN : peak.measure();
                for (int c = 0; c < sessions.size(); c++) {
                    long start = System.nanoTime();
                    sessions.get(c).run(input, output);
                    seconds[c][round] = (System.nanoTime() - start) * 1e-9;
                    shares[c][round] = shape.flops() / seconds[c][round] / limit;
                }
            }
            List<Result> results = new ArrayList<>();
            for (int c = 0; c < contenders.size(); c++) {
                results.add(new Result(contenders.get(c).name(), median(seconds[c]), median(shares[c])));
            }
            return results;
        } finally {
            engines.forEach(LstmEngine::close);
        }
    }

    /** Compiles what is compiled on the way, on the device and in the JVM, and compares the results. */
    private static void warmUp(
            List<Contender> contenders, List<LstmSession> sessions, LstmInput input, LstmOutput output) {
        LstmOutput first = sessions.get(0).run(input);
        for (int c = 0; c < sessions.size(); c++) {
            for (int again = 0; again < 6; again++) {
                sessions.get(c).run(input, output);
            }
            if (output.y().mismatch(first.y()) >= 0) {
                throw new CellFuseException(contenders.get(c).name() + " and "
                        + contenders.get(0).name() + " differ in y: 'cellfuse verify' says where");
            }
        }
    }

    private static FmaPeak peak(List<Contender> contenders) {
        for (Contender contender : contenders) {
            if (contender.device() instanceof Device.OpenCl device) {
                return new FmaPeak(device);
            }
        }
        return null;
    }

    private static LstmModel model(Shape shape, Random random) {
        int h = shape.units();
        // The spread of PyTorch's default initialisation.
        float scale = (float) (1 / Math.sqrt(h));
        return new LstmModel(
                Direction.FORWARD,
                List.of(List.of(new LstmWeights(
                        shape.inputs(),
                        h,
                        h,
                        values(random, 4L * h * shape.inputs(), scale),
                        values(random, 4L * h * h, scale),
                        values(random, 4L * h, scale),
                        values(random, 4L * h, scale),
                        null))));
    }

    private static float[] values(Random random, long count, float scale) {
        float[] values = new float[Sizes.elements("random values", count)];
        for (int k = 0; k < values.length; k++) {
            values[k] = (random.nextFloat() * 2 - 1) * scale;
        }
        return values;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
