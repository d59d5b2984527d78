package io.github.cellfuse.bench.gpu;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.bench.peers.ChildProcess;
import io.github.cellfuse.bench.peers.ContestProblem;
import io.github.cellfuse.bench.peers.Effort;
import io.github.cellfuse.bench.peers.Statistics;
import io.github.cellfuse.bench.peers.TunedFirst;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/**
 * One shape on all contenders. First the results are compared; whoever is wrong isn't timed. Then the contenders take
 * turns A B C A B C …, so that a GPU that changes its clock changes it for all of them. A turn's result is the median
 * of its runs.
 */
final class GpuMatch {
    private static final int MOST_RUNS = 200;

    private final Optional<Device> ours;
    private final TunedFirst tuning;
    private final Map<GpuPeer, ChildProcess> peers;
    private final Effort effort;
    private final ProblemFiles files;

    /**
     * Prepares matches.
     *
     * @param ours CellFuse's device; empty where there is none, and CellFuse's Java gives the results to compare with
     * @param tuning what CellFuse measures before each shape
     * @param peers who takes part, reading problems in {@code folder}
     */
    GpuMatch(Optional<Device> ours, TunedFirst tuning, Map<GpuPeer, ChildProcess> peers, Effort effort, Path folder) {
        this.ours = ours;
        this.tuning = tuning;
        this.peers = peers;
        this.effort = effort;
        files = new ProblemFiles(folder);
    }

    /** Plays it. What fails is in the result, and the others go on. */
    GpuResult play(Shape shape) {
        ContestProblem problem = ContestProblem.random(shape);
        LstmModel model = new LstmModel(Direction.FORWARD, List.of(List.of(problem.weights())));
        LstmInput input = LstmInput.of(Layout.TIME_MAJOR, problem.x(), shape.rows(), shape.steps());
        LstmOutput output = new LstmOutput(
                Layout.TIME_MAJOR,
                shape.rows(),
                shape.steps(),
                problem.newOutput(),
                LstmState.zeros(model, shape.rows()));
        if (ours.isEmpty()) {
            try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                    LstmSession session = java.newSession()) {
                session.run(input, output);
            }
            return new Turns(shape, problem, output).take(null);
        }
        Turns turns = new Turns(shape, problem, output);
        try (TimedLayer layer = open(ours.get(), model, input, output)) {
            layer.wall();
            return turns.take(layer);
        } catch (CellFuseException e) {
            turns.failures.put(GpuReport.OURS, "CellFuse failed, and with it the comparison: " + e.getMessage());
            return turns.result("");
        }
    }

    private TimedLayer open(Device device, LstmModel model, LstmInput input, LstmOutput output) {
        tuning.tune(device, model, input);
        return new TimedLayer(device, EngineOptions.DEFAULT, model, input, output);
    }

    /** What a contender does in its turns. */
    private record Player(double[] seconds, DoubleSupplier turn) {}

    /** The turns on one shape. */
    private final class Turns {
        private final Shape shape;
        private final ContestProblem problem;
        private final LstmOutput expected;
        private final Map<GpuPeer, double[]> times = new EnumMap<>(GpuPeer.class);
        private final Map<GpuPeer, Double> differences = new EnumMap<>(GpuPeer.class);
        private final Map<String, String> failures = new LinkedHashMap<>();
        private double[] device = {}, wall = {};

        Turns(Shape shape, ContestProblem problem, LstmOutput expected) {
            this.shape = shape;
            this.problem = problem;
            this.expected = expected;
        }

        /** Compares, and takes the turns; {@code layer} is null where CellFuse has no GPU. */
        GpuResult take(TimedLayer layer) {
            files.write(problem, expected.y());
            Map<GpuPeer, ChildProcess> right = compare();
            List<Player> players = new ArrayList<>();
            if (layer != null) {
                device = new double[effort.rounds()];
                wall = new double[effort.rounds()];
                players.add(ours(device, () -> TimedLayer.span(layer.launches())));
                players.add(ours(wall, layer::wall));
            }
            right.forEach((peer, process) -> attempt(peer, () -> {
                double[] seconds = new double[effort.rounds()];
                int runs = runs(process.askNumber("warm " + effort.warmSeconds()));
                players.add(new Player(seconds, () -> turn(peer, process, runs)));
                times.put(peer, seconds);
            }));
            for (int round = 0; round < effort.rounds(); round++) {
                for (Player player : players) {
                    player.seconds()[round] = player.turn().getAsDouble();
                }
            }
            return result(layer == null ? "" : layer.plan());
        }

        GpuResult result(String plan) {
            failures.keySet()
                    .forEach(key -> times.keySet().removeIf(peer -> peer.key().equals(key)));
            return new GpuResult(shape, device, wall, times, differences, failures, plan);
        }

        /** Returns the peers whose results are close enough. */
        private Map<GpuPeer, ChildProcess> compare() {
            Map<GpuPeer, ChildProcess> right = new EnumMap<>(GpuPeer.class);
            peers.forEach((peer, process) -> attempt(peer, () -> {
                process.ask("prepare " + shape);
                double difference = process.askNumber("check " + files.y());
                differences.put(peer, difference);
                if (difference <= peer.largestDifference()) {
                    right.put(peer, process);
                } else {
                    failures.put(
                            peer.key(),
                            peer.title() + " and CellFuse differ by " + difference + " in y, more than "
                                    + peer.largestDifference() + ": not timed");
                }
            }));
            if (failures.containsKey(GpuPeer.TORCH_FP32.key())) {
                for (GpuPeer peer : GpuPeer.torch()) {
                    if (right.remove(peer) != null) {
                        failures.put(peer.key(), peer.title() + " isn't timed either: torch's float32 failed");
                    }
                }
            }
            return right;
        }

        private Player ours(double[] seconds, DoubleSupplier run) {
            double last = run.getAsDouble();
            long from = System.nanoTime();
            while ((System.nanoTime() - from) * 1e-9 < effort.warmSeconds()) {
                last = run.getAsDouble();
            }
            int runs = runs(last);
            return new Player(seconds, () -> {
                run.getAsDouble(); // untimed, as the others': brings the clocks and caches back
                double[] found = new double[runs];
                for (int k = 0; k < runs; k++) {
                    found[k] = run.getAsDouble();
                }
                return Statistics.median(found);
            });
        }

        private int runs(double seconds) {
            return (int) Math.max(1, Math.min(MOST_RUNS, Math.ceil(effort.turnSeconds() / seconds)));
        }

        private double turn(GpuPeer peer, ChildProcess process, int runs) {
            if (failures.containsKey(peer.key())) {
                return Double.NaN;
            }
            double[] seconds = {Double.NaN};
            attempt(peer, () -> seconds[0] = process.askNumber("turn " + runs));
            return seconds[0];
        }

        private void attempt(GpuPeer peer, Runnable action) {
            try {
                action.run();
            } catch (CellFuseException e) {
                failures.put(peer.key(), e.getMessage());
            }
        }
    }
}
