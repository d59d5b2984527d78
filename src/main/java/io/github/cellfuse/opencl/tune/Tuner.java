package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.engine.OpenClEngine;
import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.UnfitTileException;
import io.github.cellfuse.spi.Sizes;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Measures a model's candidates on a device and keeps the winners, for engines that are opened later. None of it changes a bit of a
 * result: candidates whose bits differ are an error, and are found before anything is timed. Not thread safe.
 */
public final class Tuner implements AutoCloseable {
    /** Candidates that are measured again, beside the usual choice: of many that are as fast, one always looks faster. */
    private static final int FINALISTS = 3;

    private static final int LEAST_ROUNDS = 5;
    private static final int MOST_ROUNDS = 1001;
    private static final int MOST_SCREENING_ROUNDS = 101;

    private final ClContext context;
    private final Capabilities device;
    private final LstmModel model;
    private final LayerSize layer;
    private final DeviceSpeed speed;
    private final PlanChooser chooser;
    private final Switch plans = new Switch();
    private final OpenClEngine engine;

    /** Measures {@code device}'s roofline, and opens {@code model} on it. */
    public Tuner(Device.OpenCl device, LstmModel model) {
        this(device, model, WeightPrecision.F32);
    }

    /** The same for weights that are stored in another precision. */
    public Tuner(Device.OpenCl device, LstmModel model, WeightPrecision weights) {
        ClDevice found = OpenClDevices.find(device);
        this.device = found.capabilities();
        this.model = model;
        layer = LayerSize.of(model, weights);
        try (Roofline roofline = new Roofline(device)) {
            speed = roofline.speed();
        }
        chooser = new PlanChooser(this.device, layer, speed);
        context = found.open();
        try {
            // The tier doesn't matter here: nobody else sees these results.
            engine = new OpenClEngine(context, new Programs(context, weights), model, plans, Tier.TOLERANCE);
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    /** Runs what it is told to, on one engine: a model's weights are on the device once. */
    private final class Switch implements Plans {
        private PlanChoice current;
        private boolean cooperationWorks = true;

        @Override
        public int vec() {
            return DeviceTraits.of(device).vec();
        }

        @Override
        public PlanChoice choose(int rows, int steps, boolean cooperative) {
            if (cooperative || !current.groups().isCooperative()) {
                return current;
            }
            cooperationWorks = false; // seen when the run is over
            return chooser.choose(rows, steps, Optional.empty(), false);
        }
    }

    /** Work-items that should have run at the same time did not: what was measured is void. */
    private static final class WaitedInVain extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** The file in which {@code device}'s winners are kept; empty where keeping is turned off. */
    public static Optional<Path> file(Device.OpenCl device) {
        return fileOf(device).map(TunedFile::path);
    }

    /**
     * Deletes {@link #file}.
     *
     * @return whether there was one
     */
    public static boolean forget(Device.OpenCl device) {
        Optional<TunedFile> file = fileOf(device);
        try {
            return file.isPresent() && file.get().delete();
        } catch (IOException e) {
            throw new CellFuseException(file.get().path() + ": can't be deleted: " + e, e);
        }
    }

    private static Optional<TunedFile> fileOf(Device.OpenCl device) {
        return TunedFile.of(OpenClDevices.find(device).capabilities());
    }

    /** The speeds that were measured, from which plans are chosen where nothing else was; for people. */
    public String speed() {
        return speed.toString();
    }

    /** What a shape's winner is kept under: {@code 64 -> 512 units}. */
    public String layer() {
        return layer.inputs() + " -> " + layer.units() + " units"
                + (layer.directions() == 2 ? " in both directions" : "")
                + (layer.weights() == WeightPrecision.F32 ? "" : ", weights " + layer.weights());
    }

    /**
     * Measures batches of {@code rows} rows and {@code steps} steps of random data. All candidates take turns for a quarter of the
     * time; those that look faster than the usual choice, three at most, then run against it again, and only these later rounds
     * decide.
     *
     * @param seconds for measuring, beside compiling and comparing; more where five rounds take longer
     * @throws CellFuseException when two candidates differ in a bit, or the device fails
     */
    public Tuning tune(int rows, int steps, double seconds) {
        while (true) {
            try {
                return measureWhatRuns(rows, steps, seconds);
            } catch (UnfitTileException unfit) {
                chooser.refuse(unfit.source(), unfit.tile()); // and what is left is measured
            }
        }
    }

    private Tuning measureWhatRuns(int rows, int steps, double seconds) {
        try {
            return measure(rows, steps, seconds);
        } catch (WaitedInVain e) {
            try {
                return measure(rows, steps, seconds); // without those that wait
            } catch (WaitedInVain impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    private Tuning measure(int rows, int steps, double seconds) throws WaitedInVain {
        List<Candidate> candidates = chooser.candidates(rows, steps, plans.cooperationWorks);
        List<PlanChoice> choices = candidates.stream()
                .map(candidate -> chooser.choice(candidate, rows, steps, "tuning"))
                .toList();
        LstmInput input = input(rows, steps);
        try (LstmSession session = engine.newSession()) {
            LstmOutput output = LstmOutput.allocate(model, input);
            check(session, choices, input, output);
            List<Integer> all = IntStream.range(0, choices.size()).boxed().toList();
            Race screening = race(session, choices, all, input, output, seconds / 4, 1, MOST_SCREENING_ROUNDS);
            List<Integer> finalists = new ArrayList<>(List.of(0));
            all.stream()
                    .skip(1)
                    .filter(c -> screening.ratio(c) < 1)
                    .sorted(Comparator.comparingDouble(screening::ratio))
                    .limit(FINALISTS)
                    .forEach(finalists::add);
            Race last = finalists.size() == 1
                    ? new Race(new double[][] {screening.seconds()[0]})
                    : race(session, choices, finalists, input, output, 0.75 * seconds, LEAST_ROUNDS, MOST_ROUNDS);
            return tuning(rows, steps, candidates, screening, finalists, last);
        }
    }

    private Tuning tuning(
            int rows, int steps, List<Candidate> candidates, Race screening, List<Integer> finalists, Race last) {
        int place = last.winner(), winner = finalists.get(place);
        List<Tuning.Measured> measured = new ArrayList<>();
        for (int c = 0; c < candidates.size(); c++) {
            int in = finalists.indexOf(c);
            measured.add(new Tuning.Measured(
                    candidates.get(c).toString(),
                    in < 0 ? screening.median(c) : last.median(in),
                    in < 0 ? screening.ratio(c) : last.ratio(in),
                    in >= 0,
                    c == 0,
                    c == winner && c != 0));
        }
        measured.sort(Comparator.comparing(Tuning.Measured::isFinalist, Comparator.reverseOrder())
                .thenComparing(Tuning.Measured::ratio));
        TunedEntry.Key key = new TunedEntry.Key(layer, rows, steps);
        int ahead = (int) Math.round(100 * (1 - last.ratio(place)));
        return new Tuning(
                key, measured, winner == 0 ? null : new TunedEntry(layer, rows, steps, candidates.get(winner), ahead));
    }

    /** Compiles what is compiled on the way, and holds all candidates against the first by bits. */
    private void check(LstmSession session, List<PlanChoice> choices, LstmInput input, LstmOutput output)
            throws WaitedInVain {
        plans.current = choices.get(0);
        LstmOutput expected = LstmOutput.allocate(model, input);
        run(session, input, expected);
        for (PlanChoice choice : choices) {
            plans.current = choice;
            run(session, input, output);
            if (differ(expected.y(), output.y())
                    || differ(expected.finalState().h(), output.finalState().h())
                    || differ(expected.finalState().c(), output.finalState().c())) {
                throw new CellFuseException(engine.device() + ": " + Candidate.of(choice) + " and "
                        + Candidate.of(choices.get(0)) + " differ in a bit, at " + input.rows() + " rows x "
                        + input.steps() + " steps of " + layer() + "; nothing is stored. 'cellfuse verify' says where");
            }
        }
    }

    /** Rounds in which each of {@code runners}, indices of {@code choices}, runs once. */
    private Race race(
            LstmSession session,
            List<PlanChoice> choices,
            List<Integer> runners,
            LstmInput input,
            LstmOutput output,
            double seconds,
            int least,
            int most)
            throws WaitedInVain {
        List<double[]> rounds = new ArrayList<>();
        long start = System.nanoTime();
        while (rounds.size() < least || rounds.size() < most && (System.nanoTime() - start) * 1e-9 < seconds) {
            double[] round = new double[runners.size()];
            for (int k = 0; k < round.length; k++) {
                // Another one begins each round: nobody always runs behind the same one, in its caches.
                int runner = (k + rounds.size()) % round.length;
                plans.current = choices.get(runners.get(runner));
                long from = System.nanoTime();
                run(session, input, output);
                round[runner] = (System.nanoTime() - from) * 1e-9;
            }
            rounds.add(round);
        }
        double[][] times = new double[runners.size()][rounds.size()];
        for (int round = 0; round < rounds.size(); round++) {
            for (int k = 0; k < times.length; k++) {
                times[k][round] = rounds.get(round)[k];
            }
        }
        return new Race(times);
    }

    private void run(LstmSession session, LstmInput input, LstmOutput output) throws WaitedInVain {
        boolean before = plans.cooperationWorks;
        session.run(input, output);
        if (plans.cooperationWorks != before) {
            throw new WaitedInVain();
        }
    }

    /** Full-length sequences: the usual case, and the one in which nothing is saved. */
    private LstmInput input(int rows, int steps) {
        Random random = new Random(1);
        float[] x = new float[Sizes.elements("input [T,N,I]", steps, rows, model.inputSize())];
        for (int k = 0; k < x.length; k++) {
            x[k] = random.nextFloat() * 2 - 1;
        }
        return LstmInput.timeMajor(x, rows, steps);
    }

    private static boolean differ(float[] a, float[] b) {
        return differ(FloatBuffer.wrap(a), FloatBuffer.wrap(b));
    }

    private static boolean differ(FloatBuffer a, FloatBuffer b) {
        for (int k = 0; k < a.limit(); k++) {
            if (Float.floatToIntBits(a.get(k)) != Float.floatToIntBits(b.get(k))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Keeps the roofline and a shape's winner, or, where the usual choice stands, forgets what was kept for the shape.
     *
     * @throws InvalidInputException where keeping is turned off
     * @throws CellFuseException when the file can't be written
     */
    public void store(Tuning tuning) {
        TunedFile file = TunedFile.of(device)
                .orElseThrow(() -> new InvalidInputException("cellfuse.tuned: expected a folder, found off"));
        try {
            file.update(speed, List.of(tuning.key()), tuning.winner().stream().toList());
        } catch (IOException e) {
            throw new CellFuseException(file.path() + ": can't be written: " + e, e);
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
