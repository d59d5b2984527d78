package io.github.cellfuse.cli.graph;

import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Tier;
import io.github.cellfuse.batch.BatchReport;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.Pipes;
import io.github.cellfuse.cli.Progress;
import io.github.cellfuse.cli.job.JobDisplay;
import io.github.cellfuse.cli.job.JobIdentity;
import io.github.cellfuse.cli.job.JobOptions;
import io.github.cellfuse.cli.job.JobReport;
import io.github.cellfuse.cli.job.JobRun;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.spi.CompilerWait;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** Runs a whole graph over files. */
public final class OnnxRun implements AutoCloseable {
    private final OnnxModel model;
    private final OnnxOptions options;
    private final WantedOutputs outputs;
    private final GraphInputs inputs;
    private final GraphRows rows;
    private final GraphCalls calls;
    private final InputFile only, lengths;
    private final Path target;
    private final boolean isBatchGiven;

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
        this.only = only;
        isBatchGiven = batch != null;
        this.lengths = lengths;
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

    /**
     * Runs the graph, writes the file and returns what was done.
     *
     * @param isPiped whether what is read or written goes through a pipe
     * @param identity has the model and its settings; gets what else must be the same when a run is continued
     * @param progress makes a display, for the items that are done already and those in all
     * @param say receives messages
     * @param warn receives what a user has to know
     */
    public BatchReport run(
            DeviceOption device,
            boolean overwrite,
            JobOptions job,
            boolean isPiped,
            Supplier<JobIdentity> identity,
            BiFunction<Long, Long, Progress> progress,
            Consumer<String> say,
            Consumer<String> warn) {
        DeviceOption.Opener<OpenedGraph> opener = opener(device, say);
        List<OpenedGraph> opened = device.openAll(opener, say);
        GraphRows shared = isBatchGiven
                ? rows
                : rows.sharedBy(opened.size())
                        .limitedTo(
                                opened.stream()
                                        .map(graph -> DeviceOption.memoryOf(graph.device()))
                                        .toList(),
                                model,
                                inputs);
        GraphCalls sharedCalls = calls.with(shared);
        Optional<OnnxModel> known = opened.get(0).idle().resolved();
        known.ifPresent(resolved -> describe(resolved, say));
        announce(shared, say);
        AtomicBoolean isFirst = new AtomicBoolean(true);
        Consumer<OnnxSession> onFirst = session -> {
            if (known.isEmpty() && isFirst.getAndSet(false)) {
                describe(session.resolved().orElseThrow(), say);
            }
            session.explain().forEach(say);
        };
        BatchReport report;
        long items = rows.count() * calls.count();
        try (JobDisplay display =
                new JobDisplay(before -> progress.apply(before * calls.count(), items), warn, calls.count(), items)) {
            GraphBatch batch = new GraphBatch(
                    sharedCalls,
                    outputs,
                    opened,
                    () -> opener.open(new DeviceOption.Choice(Device.JAVA, "the fallback")),
                    () -> identity(identity.get()),
                    onFirst,
                    display::advance,
                    isPiped);
            report = rows.count() == 0
                    ? batch.runNothing(target, overwrite)
                    : new JobRun<>(target, overwrite, job, batch, say, warn).run(display);
        } catch (OutOfMemoryError e) {
            if (rows.axes().isPresent()) {
                throw e;
            }
            throw calls.tooLarge(e);
        }
        say(report, say);
        return report;
    }

    private DeviceOption.Opener<OpenedGraph> opener(DeviceOption device, Consumer<String> say) {
        return new DeviceOption.Opener<>() {
            @Override
            public OpenedGraph open() {
                return new OpenedGraph(calls.opened(), new GraphDevice(device, say));
            }

            @Override
            public OpenedGraph open(DeviceOption.Choice choice) {
                GraphDevice on = GraphDevice.on(choice, device, say);
                return CompilerWait.telling(say, () -> new OpenedGraph(calls.opened(), on));
            }

            @Override
            public Device device(OpenedGraph opened) {
                return opened.device();
            }

            @Override
            public Tier tier(OpenedGraph opened) {
                return opened.tier();
            }

            @Override
            public void close(OpenedGraph opened) {
                opened.close();
            }
        };
    }

    private JobIdentity identity(JobIdentity identity) {
        identity.with("outputs", GraphInputs.names(outputs.written()))
                .with("rows", Long.toString(rows.count()))
                .with("row axes", rows.axes().map(axes -> sorted(axes.inputs())).orElse("none"))
                .with("calls", Long.toString(calls.count()))
                .with("frames", sorted(options.frames()))
                .with("states", sorted(calls.states()));
        new TreeMap<>(options.inputs()).forEach((name, file) -> identity.with("input " + name, file));
        return identity.with("input", only).with("lengths", lengths);
    }

    /** Returns a text that is the same for equal maps, in every process. */
    private static String sorted(Map<String, ?> map) {
        return new TreeMap<>(map).toString();
    }

    private void say(BatchReport report, Consumer<String> say) {
        double seconds = report.total().toNanos() / 1e9;
        long count = (rows.count() - report.finishedBefore()) * calls.count();
        String rate =
                work().isEmpty() ? "" : ", " + Numbers.rate(count / Math.max(1e-9, seconds)) + " " + noun() + "s/s";
        String what = work().isEmpty() ? "" : ": " + work();
        say.accept(String.format(Locale.ROOT, "wrote %s%s in %.3f s%s", Pipes.outputName(target), what, seconds, rate));
        if (report.chunks() > 1) {
            say.accept(JobReport.summary(report));
        }
    }

    /**
     * Runs the graph with the engines of {@code opener}, and writes nothing.
     *
     * @return the LSTMs that ran, in the order in which they were opened, if all calls have the same ones
     */
    public List<LstmPart> runOn(Function<LstmModel, LstmEngine> opener) {
        OnnxSession session = calls.opened().session(opener);
        try (GraphSession graph = new GraphSession(calls, session, () -> {}, done -> {})) {
            GraphChunk chunk = new GraphChunk(calls);
            GraphResults results = new GraphResults(calls, GraphFile.none());
            for (long k = 0; k < rows.chunks(); k++) {
                chunk.read(k * rows.chunk(), (int) rows.size(k));
                graph.run(chunk, results, () -> {});
            }
            return session.resolved().map(OnnxModel::lstms).orElse(List.of());
        }
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

    private void announce(GraphRows shared, Consumer<String> say) {
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
                        : work() + " in " + Numbers.count(shared.chunks(), "chunk") + " of up to "
                                + Numbers.count(shared.chunk(), each));
        if (isStream()) {
            say.accept(
                    calls.plan().model().isPresent()
                            ? "up to "
                                    + Numbers.count(calls.groups(shared.size(0)).size(0), "frame")
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
