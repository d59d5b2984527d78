package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.engine.OpenClEngine;
import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.UnfitTileException;
import io.github.cellfuse.opencl.tune.Trial.CooperationFailedException;
import io.github.cellfuse.spi.Sizes;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Measures the candidates of a model on a device, and stores the winners for engines that are opened later. Tuning
 * never changes a bit of a result: candidates are compared before they are timed, and it is an error if they differ.
 * Not thread safe.
 */
public final class Tuner implements AutoCloseable {
    /** Candidates that are measured again: of many that are equally fast, one always looks faster at first. */
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
    private final SwitchedPlans plans;
    private final OpenClEngine engine;

    /** Measures the speeds of {@code device}, and opens {@code model} on it. */
    public Tuner(Device.OpenCl device, LstmModel model) {
        this(device, model, WeightPrecision.F32);
    }

    /** Measures the speeds of {@code device}, and opens {@code model} on it with weights in the given precision. */
    public Tuner(Device.OpenCl device, LstmModel model, WeightPrecision weights) {
        ClDevice found = OpenClDevices.find(device);
        this.device = found.capabilities();
        this.model = model;
        layer = LayerSize.of(model, weights);
        try (Roofline roofline = new Roofline(device)) {
            speed = roofline.speed();
        }
        chooser = new PlanChooser(this.device, layer, speed);
        plans = new SwitchedPlans(chooser);
        context = found.open();
        try {
            // The tier doesn't matter, because nobody else sees the results.
            engine = new OpenClEngine(context, new Programs(context, weights), model, plans, Tier.TOLERANCE);
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    /** Returns the file that stores the winners of {@code device}; empty where tuned plans are disabled. */
    public static Optional<Path> file(Device.OpenCl device) {
        return fileOf(device).map(TunedFile::path);
    }

    /**
     * Deletes the file that {@link #file} returns.
     *
     * @return whether there was a file
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

    /** Returns the measured speeds, for people. They decide the plans of shapes that were not tuned. */
    public String speed() {
        return speed.toString();
    }

    /** Returns the size under which winners are stored, for people: {@code 64 -> 512 units}. */
    public String layer() {
        return layer.inputs() + " -> " + layer.units() + " units"
                + (layer.directions() == 2 ? " in both directions" : "")
                + (layer.weights() == WeightPrecision.F32 ? "" : ", weights " + layer.weights());
    }

    /**
     * Measures batches of {@code rows} rows and {@code steps} steps of random data. All candidates take turns for a
     * quarter of the time. Those that look faster than the usual choice, at most three, then run against it again, and
     * only these later rounds decide.
     *
     * @param seconds time for measuring, without compiling and comparing; five rounds may take longer
     * @throws CellFuseException if two candidates differ in a bit, or the device fails
     */
    public Tuning tune(int rows, int steps, double seconds) {
        while (true) {
            try {
                return measure(rows, steps, seconds);
            } catch (UnfitTileException unfit) {
                chooser.refuse(unfit); // then measure the others
            } catch (CooperationFailedException failed) {
                // The next round has no cooperative candidates, so this can't happen twice.
            }
        }
    }

    private Tuning measure(int rows, int steps, double seconds) throws CooperationFailedException {
        List<Candidate> candidates = chooser.candidates(rows, steps, plans.isCooperative());
        List<PlanChoice> choices = candidates.stream()
                // Work-items that wait for each other are to be measured, whatever was expected of them.
                .map(candidate ->
                        chooser.choice(candidate, rows, steps, "tuning").atAnyTime())
                .toList();
        try (Trial trial = new Trial(engine, plans, choices, input(rows, steps))) {
            Optional<PlanChoice> other = trial.firstThatDiffers();
            if (other.isPresent()) {
                throw new CellFuseException(engine.device() + ": " + Candidate.of(other.get()) + " and "
                        + candidates.get(0) + " differ in a bit, at " + rows + " rows x " + steps + " steps of "
                        + layer() + "; nothing is stored. 'cellfuse verify' shows where they differ");
            }
            List<Integer> all = IntStream.range(0, choices.size()).boxed().toList();
            Race screening = trial.race(all, seconds / 4, 1, MOST_SCREENING_ROUNDS);
            List<Integer> finalists = new ArrayList<>(List.of(0));
            all.stream()
                    .skip(1)
                    .filter(c -> screening.ratio(c) < 1)
                    .sorted(Comparator.comparingDouble(screening::ratio))
                    .limit(FINALISTS)
                    .forEach(finalists::add);
            Race last = finalists.size() == 1
                    ? new Race(new double[][] {screening.seconds()[0]})
                    : trial.race(finalists, 0.75 * seconds, LEAST_ROUNDS, MOST_ROUNDS);
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

    /** Returns random sequences of full length: the usual case, and the one that skips no work. */
    private LstmInput input(int rows, int steps) {
        Random random = new Random(1);
        float[] x = new float[Sizes.elements("input [T,N,I]", steps, rows, model.inputSize())];
        for (int k = 0; k < x.length; k++) {
            x[k] = random.nextFloat() * 2 - 1;
        }
        return LstmInput.timeMajor(x, rows, steps);
    }

    /**
     * Stores the measured speeds and the winner of a shape, or deletes the shape's entry if the usual choice won.
     *
     * @throws InvalidInputException if tuned plans are disabled
     * @throws CellFuseException if the file can't be written
     */
    public void store(Tuning tuning) {
        TunedFile file = TunedFile.of(device)
                .orElseThrow(() -> new InvalidInputException(
                        "tuned plans are disabled (cellfuse.tuned, CELLFUSE_TUNED, or no program cache)"));
        try {
            file.update(speed, List.of(tuning.key()), tuning.winner().stream().toList());
        } catch (ClosedByInterruptException e) {
            throw new CellFuseException(file.path() + ": interrupted while writing", e);
        } catch (IOException e) {
            throw new CellFuseException(file.path() + ": can't be written: " + e, e);
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
