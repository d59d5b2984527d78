package io.github.cellfuse.bench.peers;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.bench.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * One shape on all contenders. First the results are compared, then the contenders take turns A B C D A B C D …, each
 * on an idle machine. A temporary slowdown of the machine then affects all of them, so that ratios within a round
 * remain meaningful.
 */
final class Match {
    /** Turns of each process by which a team chooses the one that plays. */
    private static final int TRIALS = 3;

    /** The process that plays for a contender, and the runs in its turns. */
    private record Player(WorkerProcess worker, int runs) {
        double turn() {
            return worker.askNumber("turn " + runs);
        }

        void rest() {
            if (Double.isNaN(worker.askNumber("rest"))) {
                throw new CellFuseException(worker.contender().title()
                        + ": its threads keep spinning after a run, which would steal the cores of the next contender");
            }
        }
    }

    private final Task task;
    private final List<Team> teams;
    private final List<WorkerProcess> workers;
    private final Effort effort;
    private final Path folder;

    /** A match of {@code teams}, started for {@code task}, with {@code folder} for a temporary file. */
    Match(Task task, List<Team> teams, Effort effort, Path folder) {
        this.task = task;
        this.teams = teams;
        this.workers = teams.stream().flatMap(team -> team.workers().stream()).toList();
        this.effort = effort;
        this.folder = folder;
    }

    /**
     * Plays it. A peer whose result differs from CellFuse's is not timed at this shape; its difference is reported.
     *
     * @throws CellFuseException when a contender fails, or the result of every peer differs from CellFuse's
     */
    ShapeResult play(Shape shape) {
        String plan = "";
        for (WorkerProcess worker : workers) {
            String answer = worker.ask("prepare " + shape);
            plan = worker.contender() == Contender.OURS ? answer : plan;
        }
        Map<Contender, Double> differences = compare();
        List<Player> players = teams.stream()
                .filter(team -> agrees(task, differences.getOrDefault(team.contender(), 0.0)))
                .map(this::choose)
                .toList();
        double[][] seconds = new double[players.size()][effort.rounds()];
        double[] peaks = new double[effort.rounds()];
        Idle idle = new Idle(workers);
        for (int round = 0; round < effort.rounds(); round++) {
            for (int p = 0; p < seconds.length; p++) {
                Player player = players.get(p);
                idle.begin();
                if (player.worker().contender() == Contender.OURS) {
                    peaks[round] = player.worker().askNumber("peak");
                }
                seconds[p][round] = player.turn();
                idle.end(player.worker());
                player.rest();
            }
        }
        Map<Contender, double[]> times = new EnumMap<>(Contender.class);
        Map<Contender, Waiting> waiting = new EnumMap<>(Contender.class);
        for (int p = 0; p < seconds.length; p++) {
            WorkerProcess worker = players.get(p).worker();
            times.put(worker.contender(), seconds[p]);
            if (worker.contender() != Contender.OURS) {
                waiting.put(worker.contender(), worker.waiting());
            }
        }
        return new ShapeResult(task, shape, times, peaks, waiting, differences, idle.share(), plan);
    }

    /** Each peer's largest difference from CellFuse's result; nothing where CellFuse doesn't take part. */
    private Map<Contender, Double> compare() {
        Map<Contender, Double> differences = new EnumMap<>(Contender.class);
        if (teams.get(0).contender() != Contender.OURS || teams.size() == 1) {
            return differences;
        }
        Path file = folder.resolve("y");
        workers.get(0).ask("save " + file);
        for (WorkerProcess worker : workers.subList(1, workers.size())) {
            differences.merge(worker.contender(), worker.askNumber("check " + file), Math::max);
        }
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new CellFuseException(file + ": can't be deleted: " + e.getMessage(), e);
        }
        judge(task, differences).forEach(line -> System.err.println("cellfuse: " + line));
        return differences;
    }

    /**
     * Says which peers are wrong. One peer that agrees with CellFuse is enough: the libraries have nothing in common,
     * so those that agree are right.
     *
     * @return a line for each peer that differs
     * @throws CellFuseException when all peers differ: then CellFuse is as likely to be wrong
     */
    static List<String> judge(Task task, Map<Contender, Double> differences) {
        List<String> wrong = new ArrayList<>();
        differences.forEach((peer, difference) -> {
            if (!agrees(task, difference)) {
                wrong.add(peer.title() + " and CellFuse differ by " + difference + " in y, more than "
                        + task.largestDifference());
            }
        });
        if (!wrong.isEmpty() && wrong.size() == differences.size()) {
            throw new CellFuseException(String.join("; ", wrong) + ": nothing was timed");
        }
        return wrong.stream()
                .map(line -> line + "; another library agrees with CellFuse, so this one isn't timed")
                .toList();
    }

    private static boolean agrees(Task task, double difference) {
        return difference <= task.largestDifference();
    }

    /** Warms the team's processes up and takes the one that is faster at this shape, on this machine. */
    private Player choose(Team team) {
        List<Player> players = new ArrayList<>();
        for (WorkerProcess worker : team.workers()) {
            double seconds = worker.askNumber("warm " + effort.warmSeconds());
            Player player = new Player(worker, (int) Math.max(1, Math.ceil(effort.turnSeconds() / seconds)));
            player.rest();
            players.add(player);
        }
        if (players.size() == 1) {
            return players.get(0);
        }
        double[][] seconds = new double[players.size()][TRIALS];
        for (int trial = 0; trial < TRIALS; trial++) {
            for (int p = 0; p < seconds.length; p++) {
                seconds[p][trial] = players.get(p).turn();
                players.get(p).rest();
            }
        }
        int best = 0;
        for (int p = 1; p < seconds.length; p++) {
            best = Statistics.median(seconds[p]) < Statistics.median(seconds[best]) ? p : best;
        }
        return players.get(best);
    }

    /** What contenders that wait cost the one whose turn it is: their processor time as a share of all turns. */
    private static final class Idle {
        private final List<WorkerProcess> workers;
        private final Duration[] before;
        private long start;
        private double stolen;
        private double turns;

        Idle(List<WorkerProcess> workers) {
            this.workers = workers;
            before = new Duration[workers.size()];
        }

        void begin() {
            Arrays.setAll(before, w -> workers.get(w).processorTime());
            start = System.nanoTime();
        }

        void end(WorkerProcess active) {
            turns += (System.nanoTime() - start) * 1e-9;
            for (int w = 0; w < before.length; w++) {
                if (workers.get(w) != active) {
                    stolen += workers.get(w).processorTime().minus(before[w]).toNanos() * 1e-9;
                }
            }
        }

        double share() {
            return stolen / turns;
        }
    }
}
