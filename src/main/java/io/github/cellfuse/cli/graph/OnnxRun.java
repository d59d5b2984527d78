package io.github.cellfuse.cli.graph;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.Progress;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;

/** Runs a whole graph over files. */
public final class OnnxRun implements AutoCloseable {
    private final OnnxModel model;
    private final OnnxOptions options;
    private final WantedOutputs outputs;
    private final GraphInputs inputs;
    private final GraphRows rows;
    private final GraphCalls calls;
    private final Path target;

    /**
     * Opens the model and its inputs, and rejects files and options that don't fit.
     *
     * @param only the file that was given without the name of an input, or null
     * @param batch the number of rows at a time, or null to choose one
     * @param lengths the file with the number of frames of each stream, or null
     * @param target the output file; null for {@link #runOn}, which writes none
     */
    public OnnxRun(
            OnnxModel model, OnnxOptions options, InputFile only, Integer batch, InputFile lengths, Path target) {
        this.model = model;
        this.options = options;
        this.target = target;
        model.checkRunnable();
        checkStates();
        outputs = target == null ? WantedOutputs.none(model) : WantedOutputs.of(model, options, target);
        inputs = GraphInputs.open(model, options, only);
        try {
            rows = GraphRows.of(model, inputs, options, outputs.all(), batch);
            calls = GraphCalls.of(model, inputs, rows, options.states(), lengths);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void checkStates() {
        if (!options.states().isEmpty() && !isStream()) {
            throw new InvalidInputException("--state requires --frames, because a state is passed from call to call");
        }
    }

    /** Runs the graph and writes the file. */
    public void run(DeviceOption device, boolean overwrite, LongFunction<Progress> progress, Consumer<String> say) {
        GraphDevice opener = new GraphDevice(device, say);
        long started;
        try (OnnxSession session = calls.opened().session(opener::open);
                GraphFile file = GraphFile.create(target, outputs.isArchive(), overwrite)) {
            Optional<OnnxModel> known = session.resolved();
            known.ifPresent(resolved -> describe(resolved, say));
            announce(say);
            started = System.nanoTime();
            try (Progress display = progress.apply(rows.count() * calls.count())) {
                Runnable first = () -> {
                    if (known.isEmpty()) {
                        describe(session.resolved().orElseThrow(), say);
                    }
                    session.explain().forEach(say);
                };
                calls.run(session, outputs.written(), file, display, first);
            }
            file.commit();
        } catch (OutOfMemoryError e) {
            throw rows.axes().isPresent() ? e : tooLarge(e);
        }
        double seconds = (System.nanoTime() - started) / 1e9;
        long count = rows.count() * calls.count();
        String rate = work().isEmpty() ? "" : ", " + Numbers.rate(count / seconds) + " " + noun() + "s/s";
        String what = work().isEmpty() ? "" : ": " + work();
        say.accept(String.format(Locale.ROOT, "wrote %s%s in %.3f s%s", target, what, seconds, rate));
    }

    /**
     * Runs the graph with the engines of {@code opener}, and writes nothing.
     *
     * @return the LSTMs that ran, in the order in which they were opened, if all calls have the same ones
     */
    public List<LstmPart> runOn(Function<LstmModel, LstmEngine> opener) {
        try (OnnxSession session = calls.opened().session(opener)) {
            calls.run(session, List.of(), OnnxRun::noFile, Progress.none(), () -> {});
            return session.resolved().map(OnnxModel::lstms).orElse(List.of());
        }
    }

    private static ArraySink noFile(String name, ElementType type, long... shape) {
        throw new IllegalStateException("output " + name + " isn't written");
    }

    private Error tooLarge(OutOfMemoryError cause) {
        CellFuseException error = new CellFuseException(model.path()
                + ": out of memory, and the rows can't be computed in pieces: " + rows.reason()
                + "; give Java more memory, such as CELLFUSE_JAVA_OPTS=-Xmx8g, or, if the rows are independent"
                + " nevertheless, name their axes with --rows");
        error.addSuppressed(cause);
        throw error;
    }

    private boolean isStream() {
        return !options.frames().isEmpty();
    }

    /** Returns the noun for the items that the progress display counts. */
    public String noun() {
        return isStream() ? "frame" : "row";
    }

    private String work() {
        if (rows.axes().isEmpty()) {
            return isStream() ? Numbers.count(calls.count(), "frame") : "";
        }
        String all = Numbers.count(rows.count(), isStream() ? "stream" : "row");
        return isStream() ? all + " of " + Numbers.count(calls.count(), "frame") : all;
    }

    /** Says which LSTMs don't run on the device. */
    private static void describe(OnnxModel resolved, Consumer<String> say) {
        resolved.kept().forEach(lstm -> say.accept("LSTM " + lstm.node() + " runs in ONNX Runtime: " + lstm.reason()));
        if (resolved.lstms().isEmpty()) {
            say.accept("no LSTM of " + resolved.path() + " runs on the device: the whole graph runs in ONNX Runtime");
        }
    }

    private void announce(Consumer<String> say) {
        if (rows.axes().isEmpty()) {
            say.accept(isStream() ? Numbers.count(calls.count(), "call") : "all in one call");
            return;
        }
        if (!options.rows().isEmpty()) {
            say.accept("taking your word (--rows) that rows don't depend on each other");
        }
        String each = isStream() ? "stream" : "row";
        say.accept(
                inputs.areSingleRows()
                        ? work() + " one by one, because the model is made for one " + each + sameForEach(each)
                        : work() + " in " + Numbers.count(rows.chunks(), "chunk") + " of up to "
                                + Numbers.count(rows.chunk(), each));
        if (isStream()) {
            say.accept(
                    calls.plan().model().isPresent()
                            ? "up to "
                                    + Numbers.count(calls.groups(rows.size(0)).size(0), "frame")
                                    + " at once, as steps of sequences"
                            : "frame by frame: " + calls.plan().reason());
        }
    }

    private String sameForEach(String row) {
        List<String> names = inputs.sameForEachRow();
        return names.isEmpty()
                ? ""
                : "; " + String.join(", ", names) + (names.size() == 1 ? " is" : " are") + " the same for each " + row;
    }

    @Override
    public void close() {
        inputs.close();
    }
}
