package io.github.cellfuse.cli.graph;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.Progress;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.OnnxStream;
import io.github.cellfuse.onnx.graph.SequenceModel;
import io.github.cellfuse.onnx.graph.SequencePlan;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/** Runs a whole graph over files. */
public final class OnnxRun implements AutoCloseable {
    private final OnnxModel model;
    private final OnnxOptions options;
    private final Map<String, String> states;
    private final GraphInputs inputs;
    private final List<GraphValue> outputs;
    private final GraphRows rows;
    private final long calls;
    private final SequencePlan plan;
    private final StreamLengths lengths;
    private final Path target;

    /**
     * Opens the model and its inputs, and rejects files and options that don't fit.
     *
     * @param only the file that was given without the name of an input, or null
     * @param batch the number of rows at a time, or null to choose one
     * @param lengths the file with the number of frames of each stream, or null
     * @param target the output file
     */
    public OnnxRun(
            OnnxModel model, OnnxOptions options, InputFile only, Integer batch, InputFile lengths, Path target) {
        this.model = model;
        this.options = options;
        this.target = target;
        states = options.states();
        model.checkRunnable();
        checkStates();
        outputs = wanted();
        inputs = GraphInputs.open(model, options, only);
        try {
            rows = GraphRows.of(model, inputs, options, written(), batch);
            calls = inputs.calls();
            plan = plan();
            this.lengths = lengths(lengths);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Returns how to run many frames at once, or why that isn't possible. */
    private SequencePlan plan() {
        String reason = states.isEmpty()
                ? "there is no state (--state)"
                : calls == 1
                        ? "there is only one"
                        : inputs.areSingleRows()
                                ? "the model is made for one stream"
                                : rows.axes().isEmpty()
                                        ? rows.reason()
                                        : inputs.haveFramesRows(rows) ? "" : "an input with frames has no rows";
        if (!reason.isEmpty()) {
            return new SequencePlan(Optional.empty(), reason);
        }
        Map<String, long[]> shapes = inputs.shapes();
        rows.axes().get().inputs().forEach((name, axis) -> {
            if (shapes.containsKey(name)) {
                shapes.get(name)[axis] = -1;
            }
        });
        return model.withShapes(shapes).sequences(states, rows.axes().get());
    }

    private StreamLengths lengths(InputFile file) {
        if (file != null && !isStream()) {
            throw new InvalidInputException("--lengths: expected a bare LSTM, or a graph that runs frame by frame"
                    + " (--frames), found " + model.path());
        }
        if (file != null && rows.axes().isEmpty()) {
            throw new InvalidInputException(
                    "--lengths: expected streams in rows that don't depend on each other, found " + model.path() + ": "
                            + rows.reason());
        }
        return StreamLengths.read(file, rows.count(), calls);
    }

    private void checkStates() {
        if (!states.isEmpty() && options.frames().isEmpty()) {
            throw new InvalidInputException("--state requires --frames, because a state is passed from call to call");
        }
    }

    /**
     * Returns the outputs to write: the named ones, or all. Without names, a file with one array gets the only output
     * that isn't a state.
     */
    private List<GraphValue> wanted() {
        List<GraphValue> named = options.outputNames().stream()
                .distinct()
                .flatMap(name ->
                        model.outputs().stream().filter(output -> output.name().equals(name)))
                .toList();
        List<GraphValue> all = named.isEmpty() ? model.outputs() : named;
        if (isArchive()) {
            checkEntries(all);
            return all;
        }
        List<GraphValue> results = named.isEmpty()
                ? all.stream()
                        .filter(output -> !states.containsValue(output.name()))
                        .toList()
                : all;
        if (results.size() != 1) {
            throw new InvalidInputException(
                    target + ": expected a name that ends in .npz, or one --output-name, because the" + " model has "
                            + Numbers.count(results.size(), "output") + ": " + GraphInputs.names(results));
        }
        return results;
    }

    private void checkEntries(List<GraphValue> values) {
        Set<String> entries = new HashSet<>();
        for (GraphValue value : values) {
            if (!entries.add(GraphFile.entry(value.name()))) {
                throw new InvalidInputException(target + ": two outputs would be called "
                        + GraphFile.entry(value.name()) + " in the archive; choose one with --output-name");
            }
        }
    }

    private boolean isArchive() {
        return target.toString().toLowerCase(Locale.ROOT).endsWith(".npz");
    }

    /** Returns all outputs that are written or passed on as states. */
    private List<GraphValue> written() {
        List<GraphValue> all = new ArrayList<>(outputs);
        model.outputs().stream()
                .filter(output -> states.containsValue(output.name()) && !outputs.contains(output))
                .forEach(all::add);
        return all;
    }

    /** Runs the graph and writes the file. */
    public void run(DeviceOption device, boolean overwrite, LongFunction<Progress> progress, Consumer<String> say) {
        GraphDevice opener = new GraphDevice(device, say);
        long started;
        OnnxModel computed = plan.model().map(SequenceModel::model).orElse(model);
        try (OnnxSession session = computed.session(opener::open);
                GraphFile file = GraphFile.create(target, isArchive(), overwrite)) {
            Optional<OnnxModel> known = session.resolved();
            known.ifPresent(resolved -> describe(resolved, say));
            announce(say);
            started = System.nanoTime();
            try (Progress display = progress.apply(rows.count() * calls)) {
                Runnable first = () -> {
                    if (known.isEmpty()) {
                        describe(session.resolved().orElseThrow(), say);
                    }
                    session.explain().forEach(say);
                };
                compute(session, file, display, first);
            }
            file.commit();
        } catch (OutOfMemoryError e) {
            throw rows.axes().isPresent() ? e : tooLarge(e);
        }
        double seconds = (System.nanoTime() - started) / 1e9;
        long count = rows.count() * calls;
        String rate = work().isEmpty() ? "" : ", " + Numbers.rate(count / seconds) + " " + noun() + "s/s";
        String what = work().isEmpty() ? "" : ": " + work();
        say.accept(String.format(Locale.ROOT, "wrote %s%s in %.3f s%s", target, what, seconds, rate));
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
            return isStream() ? Numbers.count(calls, "frame") : "";
        }
        String all = Numbers.count(rows.count(), isStream() ? "stream" : "row");
        return isStream() ? all + " of " + Numbers.count(calls, "frame") : all;
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
            say.accept(isStream() ? Numbers.count(calls, "call") : "all in one call");
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
                    plan.model().isPresent()
                            ? "up to " + Numbers.count(groups(rows.size(0)).size(0), "frame")
                                    + " at once, as steps of sequences"
                            : "frame by frame: " + plan.reason());
        }
    }

    private String sameForEach(String row) {
        List<String> names = inputs.sameForEachRow();
        return names.isEmpty()
                ? ""
                : "; " + String.join(", ", names) + (names.size() == 1 ? " is" : " are") + " the same for each " + row;
    }

    /**
     * Runs all calls.
     *
     * @param onFirst runs after the first call
     */
    private void compute(OnnxSession session, GraphFile file, Progress progress, Runnable onFirst) {
        Optional<FrameAxis> axis = inputs.frameAxis();
        Map<String, GraphOutput> results = new LinkedHashMap<>();
        for (GraphValue output : outputs) {
            Optional<FrameAxis> stacked = states.containsValue(output.name()) ? Optional.empty() : axis;
            results.put(
                    output.name(),
                    new GraphOutput(output, file, rows.outputAxis(output.name()), rows.count(), stacked, calls));
        }
        List<DefaultState> defaults = defaults();
        OnnxStream stream = new OnnxStream(session, states);
        long done = 0;
        for (long chunk = 0; chunk < rows.chunks(); chunk++) {
            long first = chunk * rows.chunk(), count = rows.size(chunk);
            stream.reset();
            FrameGroups groups = groups(count);
            for (long call = 0; call < calls; call += groups.size(call)) {
                int atOnce = groups.size(call);
                long frame = call;
                Map<String, Tensor> given = inputs.read(rows, first, count, call, atOnce);
                if (call == 0) {
                    defaults.forEach(state -> given.putIfAbsent(state.input().name(), state.part(rows, first, count)));
                }
                plan.model()
                        .ifPresent(sequences ->
                                given.put(sequences.counts(), lengths.within(first, count, frame, atOnce)));
                Map<String, Tensor> found = plan.model().isPresent()
                        ? stream.run(given)
                        : stream.run(given, lengths.ended(first, count, call), stateAxes());
                for (GraphOutput result : results.values()) {
                    result.add(last(stream, result.name(), found), first, count, call, atOnce, lengths);
                }
                if (chunk == 0 && call == 0) {
                    onFirst.run();
                }
                done += count * atOnce;
                progress.accept(done);
            }
        }
    }

    private FrameGroups groups(long streams) {
        return plan.model().isEmpty()
                ? new FrameGroups(calls, 1, 1)
                : FrameGroups.of(calls, streams, rows.axes().get().fewest(), rows.fitting());
    }

    /** Returns the axis along which each state holds the rows: that of the output from which it comes. */
    private Map<String, Integer> stateAxes() {
        Map<String, Integer> axes = new HashMap<>();
        states.forEach((input, output) -> rows.outputAxis(output).ifPresent(axis -> axes.put(input, axis)));
        return axes;
    }

    /** Returns a result; for a state the one that is passed on, which doesn't change after the end of a stream. */
    private Tensor last(OnnxStream stream, String output, Map<String, Tensor> found) {
        return states.entrySet().stream()
                .filter(state -> state.getValue().equals(output))
                .flatMap(state -> stream.state(state.getKey()).stream())
                .findFirst()
                .orElseGet(() -> found.get(output));
    }

    private List<DefaultState> defaults() {
        return model.inputs().stream()
                .filter(input -> states.containsKey(input.name()))
                .flatMap(input -> model.defaultOf(input.name()).stream().map(value -> new DefaultState(input, value)))
                .toList();
    }

    @Override
    public void close() {
        inputs.close();
    }
}
