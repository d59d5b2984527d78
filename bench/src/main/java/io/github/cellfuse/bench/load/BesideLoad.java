package io.github.cellfuse.bench.load;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Compares the plan that CellFuse chooses with the plans that launch a kernel for each step, alone and beside processes
 * that never sleep. They take turns of a second, so that all see the same load.
 */
@Command(
        name = "bench/beside-load",
        mixinStandardHelpOptions = true,
        description = "Times the chosen plan against the plans of a launch per step, beside busy processes.")
public final class BesideLoad implements Callable<Integer> {
    private static final List<Plan> LAUNCHED = List.of(Plan.FUSED, Plan.HOISTED);

    @Option(
            names = "--shape",
            paramLabel = "T,N,I,H",
            defaultValue = "64,1,64,256",
            description = "Default: ${DEFAULT-VALUE}.")
    private String shape;

    @Option(names = "--device", paramLabel = "D", defaultValue = "opencl", description = "Default: ${DEFAULT-VALUE}.")
    private String device;

    @Option(
            names = "--busy",
            paramLabel = "P",
            split = ",",
            defaultValue = "0,2",
            description = "Numbers of busy processes to measure beside. Default: ${DEFAULT-VALUE}.")
    private List<Integer> busy;

    @Option(
            names = "--windows",
            paramLabel = "K",
            defaultValue = "10",
            description = "Windows of a second for each plan and load. Default: ${DEFAULT-VALUE}.")
    private int windows;

    private BesideLoad() {}

    public static void main(String[] words) {
        System.exit(new CommandLine(new BesideLoad()).execute(words));
    }

    @Override
    public Integer call() throws Exception {
        LayerShape sizes = LayerShape.parse(shape);
        LstmModel model = sizes.model(new SplittableRandom(1));
        LstmInput input = sizes.input(new SplittableRandom(2));
        Map<String, LstmEngine> engines = new LinkedHashMap<>();
        try {
            engines.put("chosen", LstmEngine.open(Device.parse(device), model));
            for (Plan plan : LAUNCHED) {
                EngineOptions options = EngineOptions.DEFAULT.withPlan(plan);
                engines.put(plan.toString().toLowerCase(), LstmEngine.open(Device.parse(device), model, options));
            }
            LstmEngine chosen = engines.get("chosen");
            System.out.println(shape + " on " + chosen.explain(sizes.rows(), sizes.steps()));
            System.out.printf(
                    "%-16s %s %28s%n", "busy processes", "ms per run: " + engines.keySet(), "chosen / best launched");
            for (int processes : busy) {
                measure(processes, engines, input);
            }
        } finally {
            engines.values().forEach(LstmEngine::close);
        }
        return 0;
    }

    private void measure(int processes, Map<String, LstmEngine> engines, LstmInput input) throws IOException {
        List<LstmSession> sessions =
                engines.values().stream().map(LstmEngine::newSession).toList();
        LstmOutput output = LstmOutput.allocate(sessions.get(0).engine().model(), input);
        sessions.forEach(session -> window(session, input, output)); // compiles, in the driver and in the JVM
        List<Process> load = new ArrayList<>();
        try {
            for (int k = 0; k < processes; k++) {
                load.add(new ProcessBuilder("sh", "-c", "while :; do :; done").start());
            }
            for (int window = 0; window < windows; window++) {
                double[] ms = new double[sessions.size()];
                double best = Double.POSITIVE_INFINITY;
                StringBuilder line = new StringBuilder();
                for (int k = 0; k < ms.length; k++) {
                    ms[k] = window(sessions.get(k), input, output);
                    best = k == 0 ? best : Math.min(best, ms[k]);
                    line.append(String.format("%9.3f", ms[k]));
                }
                System.out.printf("%-16d %s %28.2f%n", processes, line, ms[0] / best);
            }
        } finally {
            load.forEach(Process::destroyForcibly);
            sessions.forEach(LstmSession::close);
        }
    }

    /** Returns the milliseconds of a run, averaged over a second. */
    private static double window(LstmSession session, LstmInput input, LstmOutput output) {
        long start = System.nanoTime(), nanos;
        int runs = 0;
        do {
            session.run(input, output);
            runs++;
            nanos = System.nanoTime() - start;
        } while (nanos < 1_000_000_000L);
        return nanos * 1e-6 / runs;
    }
}
