package io.github.cellfuse.bench;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.engine.KernelProfile;
import io.github.cellfuse.opencl.engine.StandaloneKernels;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;

/**
 * Times kernels one by one: alone, or within a run by the device's own clock. Before timing, every result is compared
 * bit by bit with plain Java's.
 */
final class KernelMeasurement {
    private static final String STEP = "lstm_step";
    private static final String INPUT_PROJECTION = "lstm_input_projection";

    /** The ends of the names of kernels that stage their tiles in local memory. */
    private static final String STAGED = "_(tiled|narrow|persistent|registers)$";

    private KernelMeasurement() {}

    /** Times {@code lstm_cell} alone. */
    static List<BenchResult> measure(BenchCase.Cell cell, Ceiling ceiling, Rounds rounds) {
        long bytesOfRow = (long) Work.CELL_BYTES * cell.units();
        int rows = cell.rows() > 0 ? cell.rows() : (int) (ceiling.workingSet() / bytesOfRow + 1);
        Dimensions d = Dimensions.of(1, rows, 0, cell.units());
        try (StandaloneKernels kernels = new StandaloneKernels((Device.OpenCl) ceiling.device());
                StandaloneKernels.Bound bound = kernels.cell(rows, cell.units())) {
            return List.of(alone(cell.suite(), "lstm_cell", d, Work.cell(d), bound, ceiling, rounds));
        }
    }

    /** Times {@code lstm_activations} alone, on rows of 1024 values. */
    static List<BenchResult> measure(BenchCase.Activations activations, Ceiling ceiling, Rounds rounds) {
        int width = 1024;
        long all = activations.values() > 0 ? activations.values() : ceiling.workingSet() / (3 * Float.BYTES);
        Dimensions d = Dimensions.of(1, (int) (all / width), 0, width);
        long values = (long) d.n() * width;
        try (StandaloneKernels kernels = new StandaloneKernels((Device.OpenCl) ceiling.device());
                StandaloneKernels.Bound bound = kernels.activations(values)) {
            Work work = Work.activations(values);
            return List.of(alone(activations.suite(), "lstm_activations", d, work, bound, ceiling, rounds));
        }
    }

    private static BenchResult alone(
            String suite,
            String kernel,
            Dimensions d,
            Work work,
            StandaloneKernels.Bound bound,
            Ceiling ceiling,
            Rounds rounds) {
        RoundTimes samples = new RoundTimes();
        List<Double> deviceSeconds = new ArrayList<>();
        MachineLoad.begin();
        long start = System.nanoTime();
        Ceiling.Sample before = ceiling.sample(List.of(work));
        for (int done = 0; rounds.more(done, start); done++) {
            double seconds = bound.seconds();
            deviceSeconds.add(bound.deviceSeconds());
            Ceiling.Sample after = ceiling.sample(List.of(work));
            samples.add(seconds, ceiling.share(work, seconds, before, after));
            before = after;
        }
        Timing timing = samples.byHost(median(deviceSeconds), MachineLoad.end(ceiling.isProcessor()));
        return new BenchResult(suite, kernel, null, null, d, work, timing);
    }

    /** Times every kernel of a run under every plan. */
    static List<BenchResult> measure(BenchCase.Kernels kernels, Ceiling ceiling, Rounds rounds) {
        BenchProblem problem = BenchProblem.of(kernels.dimensions());
        FloatBuffer expected = problem.expected();
        List<BenchResult> results = new ArrayList<>();
        for (Plan plan : Plan.values()) {
            results.addAll(measure(kernels, plan, problem, expected, ceiling, rounds));
        }
        return results;
    }

    private static List<BenchResult> measure(
            BenchCase.Kernels kernels,
            Plan plan,
            BenchProblem problem,
            FloatBuffer expected,
            Ceiling ceiling,
            Rounds rounds) {
        Dimensions d = kernels.dimensions();
        Map<String, RoundTimes> samples = new LinkedHashMap<>();
        Map<String, Work> work = new LinkedHashMap<>();
        Profiled profiled = new Profiled() {
            @Override
            public Collection<Work> works(List<KernelProfile.Launch> launches) {
                boolean hoisted =
                        launches.stream().anyMatch(launch -> name(launch).equals(INPUT_PROJECTION));
                for (KernelProfile.Launch launch : launches) {
                    Work todo = work(launch.kernel(), plan, hoisted, d);
                    if (todo != null) {
                        work.put(launch.kernel(), todo);
                    }
                }
                return work.values();
            }

            @Override
            public void take(List<KernelProfile.Launch> launches, Ceiling.Sample before, Ceiling.Sample after) {
                work.forEach((kernel, todo) -> {
                    double[] each = launches.stream()
                            .filter(launch -> launch.kernel().equals(kernel))
                            .mapToDouble(KernelProfile.Launch::seconds)
                            .toArray();
                    double time = isOfOneStep(kernel)
                            ? Rounds.median(each)
                            : DoubleStream.of(each).sum();
                    samples.computeIfAbsent(kernel, name -> new RoundTimes())
                            .add(time, ceiling.share(todo, time, before, after));
                });
            }
        };
        MachineLoad load = profile(problem, d, expected, plan, ceiling, rounds, profiled);
        List<BenchResult> results = new ArrayList<>();
        samples.forEach((kernel, found) -> results.add(new BenchResult(
                kernels.suite(),
                kernel,
                plan.name().toLowerCase(Locale.ROOT),
                null,
                isOfOneStep(kernel) ? d.withSteps(1) : d,
                work.get(kernel),
                found.byDevice(load))));
        return results;
    }

    /** Returns the name of a kernel without the mark of its staged variant, which does the same work. */
    private static String name(KernelProfile.Launch launch) {
        return name(launch.kernel());
    }

    private static String name(String kernel) {
        return kernel.replaceFirst(STAGED, "");
    }

    /** Returns the work of a kernel, or null for kernels that only move states in and out, once per run. */
    static Work work(String kernel, Plan plan, boolean hoisted, Dimensions d) {
        return switch (name(kernel)) {
            case STEP -> Work.step(d, plan);
            case "lstm_cell" -> Work.cell(d);
            case "lstm_hidden_projection" -> Work.hiddenProjection(d);
            case INPUT_PROJECTION -> Work.inputProjection(d);
            case "lstm_sequence" -> hoisted ? Work.hoistedSequence(d) : Work.sequence(d);
            default -> null;
        };
    }

    /**
     * Returns whether a kernel computes one step. Other kernels compute many steps at once, so their launches are added
     * up.
     */
    private static boolean isOfOneStep(String kernel) {
        return switch (name(kernel)) {
            case STEP, "lstm_cell", "lstm_hidden_projection" -> true;
            default -> false;
        };
    }

    /** Times the recurrent part of a run: the steps of the hoisted plan, including the gaps between them. */
    static List<BenchResult> measure(BenchCase.Recurrent recurrent, Ceiling ceiling, Rounds rounds) {
        Dimensions d = recurrent.dimensions();
        Work work = Work.recurrent(d);
        BenchProblem problem = BenchProblem.of(d);
        RoundTimes samples = new RoundTimes();
        Profiled profiled = new Profiled() {
            @Override
            public Collection<Work> works(List<KernelProfile.Launch> launches) {
                return List.of(work);
            }

            @Override
            public void take(List<KernelProfile.Launch> launches, Ceiling.Sample before, Ceiling.Sample after) {
                double seconds = recurrentSeconds(launches);
                samples.add(seconds, ceiling.share(work, seconds, before, after));
            }
        };
        MachineLoad load = profile(problem, d, problem.expected(), Plan.HOISTED, ceiling, rounds, profiled);
        Timing timing = samples.byDevice(load);
        return List.of(new BenchResult(recurrent.suite(), STEP, "hoisted", null, d, work, timing));
    }

    /**
     * Returns the time from the start of the first step to the end of the last, without the products of later chunks in
     * between.
     */
    static double recurrentSeconds(List<KernelProfile.Launch> launches) {
        double seconds = 0;
        KernelProfile.Launch before = null;
        for (KernelProfile.Launch launch : launches) {
            if (name(launch).equals(STEP)) {
                boolean goesOn = before != null && name(before).equals(STEP);
                seconds += (launch.ended() - (goesOn ? before.ended() : launch.started())) * 1e-9;
            }
            before = launch;
        }
        return seconds;
    }

    /** What is done with the launches of a run. */
    private interface Profiled {
        /** Returns what is measured; called once, with the launches of a run that isn't timed. */
        Collection<Work> works(List<KernelProfile.Launch> launches);

        /** Takes the launches of a round, and the limits around it. */
        void take(List<KernelProfile.Launch> launches, Ceiling.Sample before, Ceiling.Sample after);
    }

    /** Returns the load of the machine during the rounds. */
    private static MachineLoad profile(
            BenchProblem problem,
            Dimensions d,
            FloatBuffer expected,
            Plan plan,
            Ceiling ceiling,
            Rounds rounds,
            Profiled profiled) {
        EngineOptions options = EngineOptions.DEFAULT.withPlan(plan).withWeights(d.weights());
        try (LstmEngine engine = LstmEngine.open(ceiling.device(), problem.model(), options);
                KernelProfile profile = new KernelProfile(engine)) {
            LstmOutput output = LstmOutput.allocate(problem.model(), problem.input());
            Collection<Work> works = profiled.works(profile.run(problem.input(), output));
            BenchProblem.check(engine.device() + " " + plan, output, expected);
            MachineLoad.begin();
            long start = System.nanoTime();
            Ceiling.Sample before = ceiling.sample(works);
            for (int done = 0; rounds.more(done, start); done++) {
                profile.run(problem.input(), output); // refills the caches, which the measurement of the limits used
                List<KernelProfile.Launch> launches = profile.run(problem.input(), output);
                Ceiling.Sample after = ceiling.sample(works);
                profiled.take(launches, before, after);
                before = after;
            }
            return MachineLoad.end(ceiling.isProcessor());
        }
    }

    private static double median(List<Double> values) {
        return Rounds.median(values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
