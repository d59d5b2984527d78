package io.github.cellfuse.bench;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.opencl.engine.KernelProfile;
import io.github.cellfuse.opencl.engine.OpenClEngine;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Times whole runs of one shape on several engines. The engines take turns, so a machine that slows down for a while
 * slows all of them and their ratios remain meaningful. Before timing, every result is compared bit by bit with plain
 * Java's.
 */
final class Contest {
    /** Long enough for HotSpot to compile the code that matters. */
    private static final double WARM_UP_SECONDS = 0.5;

    /** The least duration of a turn. Shorter runs are repeated. */
    private static final double TURN_SECONDS = 0.05;

    /** A session that records the device's clock is another one, which is slower; so it has no rounds. */
    private static final int PROFILED_RUNS = 3;

    /** A run this long needs no warm-up: it fills the caches in its first tenths. */
    private static final double LONG_RUN_SECONDS = 0.1;

    /**
     * An engine that takes part.
     *
     * @param device its device
     * @param options its options
     */
    record Contender(Device device, EngineOptions options) {}

    private Contest() {}

    /** Returns the contenders of a run on a device. */
    static List<Contender> contenders(BenchCase.Run run, Device device) {
        List<Contender> contenders = new ArrayList<>();
        EngineOptions options =
                EngineOptions.DEFAULT.withWeights(run.dimensions().weights());
        if (device instanceof Device.OpenCl && run.plans() == BenchCase.Plans.CHOSEN) {
            contenders.add(new Contender(device, options));
            return contenders;
        }
        if (device instanceof Device.OpenCl) {
            for (Plan plan : Plan.values()) {
                contenders.add(new Contender(device, options.withPlan(plan)));
            }
        }
        contenders.add(new Contender(Device.JAVA, options));
        return contenders;
    }

    /**
     * Times a run in rounds.
     *
     * @throws io.github.cellfuse.CellFuseException when a result differs from plain Java's in any bit
     */
    static List<BenchResult> measure(BenchCase.Run run, Ceiling ceiling, Rounds rounds) {
        BenchProblem problem = BenchProblem.of(run.dimensions());
        List<Contender> contenders = contenders(run, ceiling.device());
        List<Work> work = contenders.stream()
                .map(contender -> work(run.dimensions(), contender.device()))
                .toList();
        List<LstmEngine> engines = new ArrayList<>();
        try {
            List<LstmSession> sessions = new ArrayList<>();
            for (Contender contender : contenders) {
                LstmEngine engine = LstmEngine.open(contender.device(), problem.model(), contender.options());
                engines.add(engine);
                sessions.add(engine.newSession());
            }
            LstmOutput output = LstmOutput.allocate(problem.model(), problem.input());
            warmUp(sessions, problem, output);
            List<RoundTimes> samples =
                    contenders.stream().map(contender -> new RoundTimes()).toList();
            MachineLoad.begin();
            long start = System.nanoTime();
            Ceiling.Sample before = ceiling.sample(work);
            for (int done = 0; rounds.more(done, start); done++) {
                for (int c = 0; c < sessions.size(); c++) {
                    double seconds = turn(sessions.get(c), problem.input(), output);
                    Ceiling.Sample after = ceiling.sample(work);
                    Device device = contenders.get(c).device();
                    samples.get(c).add(seconds, ceiling.share(device, work.get(c), seconds, before, after));
                    before = after;
                }
            }
            MachineLoad load = MachineLoad.end(ceiling.isProcessor());
            List<BenchResult> results = new ArrayList<>();
            for (int c = 0; c < contenders.size(); c++) {
                results.add(new BenchResult(
                        run.suite(),
                        BenchResult.RUN,
                        plan(engines.get(c), run.dimensions()),
                        run.series(),
                        run.dimensions(),
                        work.get(c),
                        samples.get(c).byHost(deviceSeconds(engines.get(c), problem, output), load)));
            }
            return results;
        } finally {
            engines.forEach(LstmEngine::close);
        }
    }

    /** Returns the work of a run. The Java engine holds rounded weights as floats. */
    private static Work work(Dimensions d, Device device) {
        return Work.run(device instanceof Device.Java ? d.withWeights(WeightPrecision.F32) : d);
    }

    /** Returns the median time of all kernels of a run by the device's clock; NaN for a device without one. */
    private static double deviceSeconds(LstmEngine engine, BenchProblem problem, LstmOutput output) {
        if (!(engine instanceof OpenClEngine)) {
            return Double.NaN;
        }
        try (KernelProfile profile = new KernelProfile(engine)) {
            profile.run(problem.input(), output); // new buffers
            double[] seconds = new double[PROFILED_RUNS];
            for (int k = 0; k < PROFILED_RUNS; k++) {
                seconds[k] = profile.run(problem.input(), output).stream()
                        .mapToDouble(KernelProfile.Launch::seconds)
                        .sum();
            }
            return Rounds.median(seconds);
        }
    }

    private static void warmUp(List<LstmSession> sessions, BenchProblem problem, LstmOutput output) {
        FloatBuffer expected = problem.expected();
        for (LstmSession session : sessions) {
            long start = System.nanoTime();
            do {
                session.run(problem.input(), output);
            } while (seconds(start) < WARM_UP_SECONDS);
            BenchProblem.check(
                    session.engine().device() + " (" + session.engine().explain(1, 1) + ")", output, expected);
        }
    }

    /** Returns the seconds of one run. */
    private static double turn(LstmSession session, LstmInput input, LstmOutput output) {
        long start = System.nanoTime();
        session.run(input, output);
        double first = seconds(start);
        if (first >= LONG_RUN_SECONDS) {
            return first;
        }
        // The first run refilled the caches, which the other engines used.
        int runs = 0;
        start = System.nanoTime();
        do {
            session.run(input, output);
            runs++;
        } while (seconds(start) < TURN_SECONDS);
        return seconds(start) / runs;
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) * 1e-9;
    }

    private static String plan(LstmEngine engine, Dimensions d) {
        return engine instanceof OpenClEngine opencl
                ? opencl.plan(d.n(), d.t()).name().toLowerCase(Locale.ROOT)
                : engine.device().toString();
    }
}
