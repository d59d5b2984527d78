package io.github.cellfuse.cli;

import io.github.cellfuse.DeviceChoice;
import io.github.cellfuse.EngineChoice;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.format.ArraySink;
import io.github.cellfuse.format.ElementType;
import io.github.cellfuse.format.NpyArray;
import io.github.cellfuse.format.NpyWriter;
import io.github.cellfuse.format.NpzWriter;
import io.github.cellfuse.graph.GraphValue;
import io.github.cellfuse.graph.OnnxModel;
import io.github.cellfuse.graph.OnnxSession;
import io.github.cellfuse.graph.OnnxStream;
import io.github.cellfuse.graph.Tensor;
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
import java.util.stream.Collectors;

/** {@code cellfuse run} on a whole graph. */
final class OnnxRun implements AutoCloseable {
    private final OnnxModel model;
    private final OnnxOptions options;
    private final Map<String, String> states;
    private final List<GraphInput> inputs = new ArrayList<>();
    private final List<GraphValue> outputs;
    private final GraphRows rows;
    private final long calls;
    private final Path target;

    /**
     * Opens the model and its inputs, and refuses what doesn't fit.
     *
     * @param only the file that was given without an input's name, or null
     * @param batch rows at a time, or null
     * @param target the file to be written
     */
    OnnxRun(OnnxModel model, OnnxOptions options, InputFile only, Integer batch, Path target) {
        this.model = model;
        this.options = options;
        this.target = target;
        states = options.states();
        checkStates();
        outputs = wanted();
        try {
            openInputs(only);
            rows = GraphRows.of(model, inputs, written(), batch);
            calls = countCalls();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void checkStates() {
        for (Map.Entry<String, String> state : states.entrySet()) {
            find("--state", "input", state.getKey(), model.inputs());
            find("--state", "output", state.getValue(), model.outputs());
        }
        if (!states.isEmpty() && options.frames().isEmpty()) {
            throw new InvalidInputException(
                    "--state: expected --frames beside it, as a state goes from call to call, found none");
        }
    }

    private GraphValue find(String option, String what, String name, List<GraphValue> values) {
        return values.stream()
                .filter(value -> value.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException(option + ": expected an " + what + " of " + model.path()
                        + ", one of " + names(values) + ", found '" + name + "'"));
    }

    private static String names(List<GraphValue> values) {
        return values.isEmpty() ? "none" : values.stream().map(GraphValue::name).collect(Collectors.joining(", "));
    }

    /** The outputs to be written: those asked for, or all; or the only one that isn't a state, for a file of one array. */
    private List<GraphValue> wanted() {
        List<GraphValue> named = options.outputNames().stream()
                .distinct()
                .map(name -> find("--output-name", "output", name, model.outputs()))
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
            throw new InvalidInputException(target + ": expected a name that ends in .npz, or one --output-name, for "
                    + Numbers.count(results.size(), "output") + ": " + names(results));
        }
        return results;
    }

    private void checkEntries(List<GraphValue> values) {
        Set<String> entries = new HashSet<>();
        for (GraphValue value : values) {
            if (!entries.add(entry(value.name()))) {
                throw new InvalidInputException(target + ": expected outputs with different names, found two that are "
                        + entry(value.name()) + " in an archive; choose by --output-name");
            }
        }
    }

    /** A value's name as an archive can hold it: without folders. */
    private static String entry(String name) {
        return name.replaceAll("[/\\\\]", "_");
    }

    private boolean isArchive() {
        return target.toString().toLowerCase(Locale.ROOT).endsWith(".npz");
    }

    /** All outputs that have to do with files or states: rows must be told apart in each. */
    private List<GraphValue> written() {
        List<GraphValue> all = new ArrayList<>(outputs);
        model.outputs().stream()
                .filter(output -> states.containsValue(output.name()) && !outputs.contains(output))
                .forEach(all::add);
        return all;
    }

    private void openInputs(InputFile only) {
        Map<String, InputFile> files = new LinkedHashMap<>(options.inputs());
        List<GraphValue> open = model.inputs().stream()
                .filter(input -> !files.containsKey(input.name()) && !states.containsKey(input.name()))
                .toList();
        if (only != null) {
            if (open.size() != 1) {
                throw new InvalidInputException(only + ": expected --input NAME=F for each of the inputs "
                        + names(model.inputs()) + ", found a file without a name");
            }
            files.put(open.get(0).name(), only);
            open = List.of();
        }
        files.keySet().forEach(name -> find("--input", "input", name, model.inputs()));
        if (!open.isEmpty()) {
            GraphValue first = open.get(0);
            throw new InvalidInputException(model.path() + ": input '" + first.name() + "', " + first.describe()
                    + ": expected --input " + first.name() + "=F.npy (or --set), found none");
        }
        Map<String, Frames> frames = frames(files);
        for (GraphValue input : model.inputs()) {
            InputFile file = files.get(input.name());
            if (file != null) {
                inputs.add(opened(input, file, Optional.ofNullable(frames.get(input.name()))));
            }
        }
    }

    private static GraphInput opened(GraphValue input, InputFile file, Optional<Frames> frames) {
        NpyArray array = file.open();
        try {
            return new GraphInput(input, array, frames);
        } catch (RuntimeException e) {
            array.close();
            throw e;
        }
    }

    /** The frames of each input; without a name they are those of the only one that isn't a state. */
    private Map<String, Frames> frames(Map<String, InputFile> files) {
        Map<String, Frames> frames = new HashMap<>();
        List<String> data = files.keySet().stream()
                .filter(name -> !states.containsKey(name))
                .toList();
        options.frames().forEach((name, axis) -> {
            if (!name.isEmpty()) {
                find("--frames", "input", name, model.inputs());
                if (!data.contains(name)) {
                    throw new InvalidInputException(
                            "--frames " + name + ": expected an input that isn't a state, found one");
                }
                frames.put(name, axis);
            } else if (data.size() == 1) {
                frames.put(data.get(0), axis);
            } else {
                throw new InvalidInputException("--frames: expected NAME=AXIS with one of the inputs "
                        + String.join(", ", data) + ", found an axis alone");
            }
        });
        return frames;
    }

    private long countCalls() {
        GraphInput first = null;
        for (GraphInput input : inputs) {
            if (input.calls().isPresent()) {
                if (first != null && !first.calls().equals(input.calls())) {
                    throw new InvalidInputException("--frames: expected as many calls from every input, found "
                            + first.calls().get() + " from '" + first.name() + "' and "
                            + input.calls().get() + " from '"
                            + input.name() + "'");
                }
                first = first == null ? input : first;
            }
        }
        if (first == null) {
            return 1;
        }
        if (first.calls().get() == 0) {
            throw new InvalidInputException(
                    "--frames: expected at least one call from '" + first.name() + "', found none");
        }
        return first.calls().get();
    }

    /** Runs it all and writes the file. */
    void run(DeviceOption device, boolean overwrite, LongFunction<Progress> progress, Consumer<String> say) {
        Opener opener = new Opener(device, say);
        long started;
        try (OnnxSession session = model.session(opener::open);
                Target file = Target.create(target, isArchive(), overwrite)) {
            announce(say);
            started = System.nanoTime();
            try (Progress display = progress.apply(rows.count() * calls)) {
                compute(session, file, display, say);
            }
            file.commit();
        }
        double seconds = (System.nanoTime() - started) / 1e9;
        say.accept(String.format(
                Locale.ROOT,
                "wrote %s: %s in %.3f s, %s/s",
                target,
                work(),
                seconds,
                isStream()
                        ? Numbers.rate(rows.count() * calls / seconds) + " frames"
                        : Numbers.rate(rows.count() / seconds) + " rows"));
    }

    private boolean isStream() {
        return !options.frames().isEmpty();
    }

    /** What is counted on the way: frames of all rows, or rows. */
    String noun() {
        return isStream() ? "frame" : "row";
    }

    private String work() {
        String all = Numbers.count(rows.count(), isStream() ? "stream" : "row");
        return isStream() ? all + " of " + Numbers.count(calls, "frame") : all;
    }

    private void announce(Consumer<String> say) {
        model.kept().forEach(lstm -> say.accept("LSTM " + lstm.node() + " stays with ONNX Runtime: " + lstm.reason()));
        if (model.lstms().isEmpty()) {
            say.accept("no LSTM for a device in " + model.path() + ": all of it runs in ONNX Runtime");
        }
        if (rows.symbol().isEmpty()) {
            say.accept(isStream() ? Numbers.count(calls, "call") : "all in one piece");
        } else {
            say.accept(work() + " in " + Numbers.count(rows.chunks(), "chunk") + " of up to "
                    + Numbers.count(rows.chunk(), isStream() ? "stream" : "row"));
        }
    }

    private void compute(OnnxSession session, Target file, Progress progress, Consumer<String> say) {
        Optional<FrameAxis> axis = inputs.stream()
                .filter(input -> input.calls().isPresent())
                .map(GraphInput::outputAxis)
                .findFirst();
        Map<String, GraphOutput> results = new LinkedHashMap<>();
        for (GraphValue output : outputs) {
            Optional<FrameAxis> stacked = states.containsValue(output.name()) ? Optional.empty() : axis;
            results.put(output.name(), new GraphOutput(output, file, rows.symbol(), rows.count(), stacked, calls));
        }
        OnnxStream stream = new OnnxStream(session, states);
        long done = 0;
        for (long chunk = 0; chunk < rows.chunks(); chunk++) {
            long first = chunk * rows.chunk(), count = Math.min(rows.chunk(), rows.count() - first);
            stream.reset();
            for (long call = 0; call < calls; call++) {
                Map<String, Tensor> found = stream.run(given(first, count, call));
                for (GraphOutput result : results.values()) {
                    result.add(found.get(result.name()), first, call);
                }
                if (chunk == 0 && call == 0) {
                    session.explain().forEach(say);
                }
                done += count;
                progress.accept(done);
            }
        }
    }

    /** A state that was given is so at the first call alone. */
    private Map<String, Tensor> given(long firstRow, long count, long call) {
        Map<String, Tensor> given = new HashMap<>();
        for (GraphInput input : inputs) {
            if (call == 0 || !states.containsKey(input.name())) {
                given.put(input.name(), input.read(rows.symbol(), firstRow, count, call));
            }
        }
        return given;
    }

    @Override
    public void close() {
        inputs.forEach(GraphInput::close);
    }

    /** Opens the graph's LSTMs, all on one device. */
    private static final class Opener {
        private final DeviceOption option;
        private final Consumer<String> say;
        private DeviceChoice choice;

        Opener(DeviceOption option, Consumer<String> say) {
            this.option = option;
            this.say = say;
        }

        LstmEngine open(LstmModel lstm) {
            if (choice != null) {
                return option.open(choice, lstm);
            }
            EngineChoice first = option.open(lstm);
            choice = new DeviceChoice(first.engine().device(), first.reason());
            say.accept("device " + choice.device() + ": " + choice.reason());
            if (option.weights() != WeightPrecision.F32) {
                say.accept("weights rounded to " + option.weights().label());
            }
            return first.engine();
        }
    }

    /** The file: an archive, or one array. */
    private record Target(GraphOutput.Factory factory, Runnable committing, Runnable closing)
            implements GraphOutput.Factory, AutoCloseable {

        static Target create(Path target, boolean isArchive, boolean overwrite) {
            if (isArchive) {
                NpzWriter file = NpzWriter.create(target, overwrite);
                return new Target((name, type, shape) -> file.add(entry(name), type, shape), file::commit, file::close);
            }
            List<NpyWriter> file = new ArrayList<>();
            return new Target(
                    (name, type, shape) -> {
                        file.add(NpyWriter.create(target, overwrite, type, shape));
                        return file.get(0);
                    },
                    () -> file.get(0).commit(),
                    () -> file.forEach(NpyWriter::close));
        }

        @Override
        public ArraySink create(String name, ElementType type, long... shape) {
            return factory.create(name, type, shape);
        }

        void commit() {
            committing.run();
        }

        @Override
        public void close() {
            closing.run();
        }
    }
}
