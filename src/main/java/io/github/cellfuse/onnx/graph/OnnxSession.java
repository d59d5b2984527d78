package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.spi.SingleUser;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Runs an {@link OnnxModel}. A run opens and compiles nothing, except what a device compiles for a new shape; temporary
 * memory is kept between runs. A session belongs to one thread at a time: make one per thread. Two threads that use it
 * at the same time get an {@link IllegalStateException}. Closing a session twice has no effect.
 */
public final class OnnxSession implements AutoCloseable {
    private final OnnxModel model;
    private final List<Step> steps = new ArrayList<>();
    private final List<LstmEngine> engines = new ArrayList<>();
    private final List<LstmRunner> runners = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final Map<String, ByteBuffer> kept = new HashMap<>();
    private final Set<String> outputs = new HashSet<>();
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Optional<ShapeVariants> variants;
    private final SingleUser user = new SingleUser("a session belongs to one thread at a time; open one per thread");
    private boolean isClosed;

    /** A part, ready to run. */
    private interface Step {
        void run(Values values, Map<String, Long> symbols, Memory memory);
    }

    OnnxSession(OnnxModel model, Function<LstmModel, LstmEngine> opener) {
        this.model = model;
        model.checkRunnable();
        model.outputs().forEach(output -> outputs.add(output.name()));
        variants = model.dependsOnShapes() ? Optional.of(new ShapeVariants(model, opener)) : Optional.empty();
        if (variants.isPresent()) {
            open.push(variants.get());
            return;
        }
        try {
            openParts(opener);
            keepConstants();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void openParts(Function<LstmModel, LstmEngine> opener) {
        Map<String, ValueInfoProto> types = new HashMap<>();
        model.graph().inputs().forEach(input -> types.put(input.getName(), input));
        // LSTMs first, because problems with a device show up fastest.
        Map<LstmModel, LstmEngine> known = new HashMap<>(); // LSTMs may share their weights
        for (LstmPart part : model.lstms()) {
            LstmEngine engine = known.get(part.model());
            if (engine == null) {
                engine = opener.apply(part.model());
                open.push(engine);
                known.put(part.model(), engine);
            }
            engines.add(engine);
            LstmRunner runner = new LstmRunner(part, engine);
            open.push(runner);
            runners.add(runner);
        }
        int number = 0;
        Iterator<LstmRunner> remaining = runners.iterator();
        Set<String> readHere = new HashSet<>(outputs);
        model.lstms().forEach(lstm -> readHere.addAll(lstm.inputs()));
        for (Part part : model.parts()) {
            number++;
            if (part instanceof RuntimePart runtime) {
                openRuntime(runtime, number, types, readHere);
            } else if (part instanceof LstmPart lstm) {
                LstmRunner runner = remaining.next();
                declareOutputs(lstm, types);
                steps.add((values, symbols, memory) -> runner.run(values, memory));
            }
        }
    }

    private void openRuntime(RuntimePart part, int number, Map<String, ValueInfoProto> types, Set<String> readOutside) {
        List<ValueInfoProto> given = part.inputs().stream().map(types::get).toList();
        String label =
                model.path() + ": part " + number + " of " + model.parts().size();
        OrtGraph runtime = OrtLibrary.open(model.graph().cut(part.nodes(), given, part.outputs()), label);
        open.push(runtime);
        Set<String> readHere = new HashSet<>(part.outputs());
        readHere.retainAll(readOutside);
        for (String output : part.outputs()) {
            Optional<ValueInfoProto> type = runtime.declare(output);
            if (type.isEmpty() && !outputs.contains(output)) {
                throw new InvalidInputException(label + ": value '" + output
                        + "': expected a tensor where the graph is cut at an LSTM, found another kind of value");
            }
            type.ifPresent(t -> types.put(output, t));
        }
        steps.add((values, symbols, memory) -> runtime.run(values, readHere, symbols, memory));
    }

    /** Adds the types and dimensions of an LSTM's outputs, for the parts that follow. */
    private static void declareOutputs(LstmPart part, Map<String, ValueInfoProto> types) {
        List<TensorShapeProto.Dimension> x = types.containsKey(part.x())
                ? types.get(part.x()).getType().getTensorType().getShape().getDimList()
                : List.of();
        TensorShapeProto.Dimension unknown = TensorShapeProto.Dimension.getDefaultInstance();
        boolean isByTime = part.layout() == Layout.TIME_MAJOR;
        TensorShapeProto.Dimension first = x.size() == 3 ? x.get(0) : unknown;
        TensorShapeProto.Dimension second = x.size() == 3 ? x.get(1) : unknown;
        TensorShapeProto.Dimension rows = isByTime ? second : first, steps = isByTime ? first : second;
        part.y().ifPresent(name -> {
            long directions = part.model().last().directionCount(),
                    width = part.model().last().stateSize();
            boolean isOutputByTime = part.outputLayout() == Layout.TIME_MAJOR;
            TensorShapeProto.Dimension outer = isOutputByTime ? steps : rows, inner = isOutputByTime ? rows : steps;
            if (part.isMerged()) {
                types.put(name, OnnxTypes.declare(name, part.type(), outer, inner, fixed(directions * width)));
            } else if (isOutputByTime) {
                types.put(name, OnnxTypes.declare(name, part.type(), steps, fixed(directions), rows, fixed(width)));
            } else {
                types.put(name, OnnxTypes.declare(name, part.type(), rows, steps, fixed(directions), fixed(width)));
            }
        });
        for (int k = 0; k < part.states().size(); k++) {
            TensorShapeProto.Dimension directions = fixed(part.model().layer(k).directionCount());
            TensorShapeProto.Dimension streams = part.frameCounts().isPresent() ? unknown : rows;
            TensorShapeProto.Dimension[] outer = part.states().get(k).byRow()
                    ? new TensorShapeProto.Dimension[] {streams, directions}
                    : new TensorShapeProto.Dimension[] {directions, streams};
            long stateSize = part.model().layer(k).stateSize(),
                    hiddenSize = part.model().layer(k).hiddenSize();
            part.states()
                    .get(k)
                    .yH()
                    .ifPresent(name -> types.put(
                            name, OnnxTypes.declare(name, part.type(), outer[0], outer[1], fixed(stateSize))));
            part.states()
                    .get(k)
                    .yC()
                    .ifPresent(name -> types.put(
                            name, OnnxTypes.declare(name, part.type(), outer[0], outer[1], fixed(hiddenSize))));
        }
    }

    private static TensorShapeProto.Dimension fixed(long size) {
        return TensorShapeProto.Dimension.newBuilder().setDimValue(size).build();
    }

    /** Keeps the constants that are inputs of LSTMs or outputs of the graph. */
    private void keepConstants() {
        Set<String> read = new HashSet<>(outputs);
        model.lstms().forEach(lstm -> read.addAll(lstm.inputs()));
        for (String name : read) {
            model.graph()
                    .find(name)
                    .ifPresent(value -> constants.put(name, model.graph().tensor(value)));
        }
    }

    /**
     * Runs the graph.
     *
     * @param inputs the graph's inputs by name; not modified
     * @return the outputs by name, in the model's order, in new memory
     * @throws InvalidInputException when an input is missing, unknown, or has the wrong type or shape
     * @throws io.github.cellfuse.CellFuseException when ONNX Runtime or a device fails
     * @throws IllegalStateException when the session is closed, or another thread is using it
     */
    public Map<String, Tensor> run(Map<String, Tensor> inputs) {
        return run(inputs, (name, bytes) -> Tensor.allocate(bytes));
    }

    /**
     * Runs the graph as {@link #run(Map)} does, but with outputs in memory that {@code memory} provides, as far as ONNX
     * Runtime can say beforehand how large they are. An output that is an input, too, is that tensor.
     */
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Memory memory) {
        return user.get(() -> runAlone(inputs, memory));
    }

    /**
     * Runs the graph as {@link #run(Map)} does, but with outputs in memory that the next run overwrites: nothing of the
     * size of a batch is allocated if the shapes are those of the last run. The outputs must not be inputs of the next
     * run.
     */
    public Map<String, Tensor> runInPlace(Map<String, Tensor> inputs) {
        return run(inputs, this::place);
    }

    /** @param memory provides the memory of the outputs */
    private Map<String, Tensor> runAlone(Map<String, Tensor> inputs, Memory memory) {
        if (isClosed) {
            throw new IllegalStateException("the session is closed");
        }
        model.check(inputs);
        if (variants.isPresent()) {
            return variants.get().of(inputs).run(inputs, memory);
        }
        Memory all = (name, bytes) -> (outputs.contains(name) ? memory : (Memory) this::place).place(name, bytes);
        Map<String, Long> symbols = model.symbols(inputs);
        try (Values values = new Values()) {
            constants.forEach(values::put);
            inputs.forEach(values::put);
            for (Step step : steps) {
                step.run(values, symbols, all);
            }
            Map<String, Tensor> results = new LinkedHashMap<>();
            for (GraphValue output : model.outputs()) {
                results.put(output.name(), values.tensor(output.name()));
            }
            return results;
        }
    }

    private ByteBuffer place(String name, int bytes) {
        ByteBuffer buffer = kept.get(name);
        if (buffer == null || buffer.capacity() < bytes) {
            buffer = Tensor.allocate(bytes);
            kept.put(name, buffer);
        }
        return buffer.slice(0, bytes).order(ByteOrder.nativeOrder());
    }

    /** Returns the model. */
    public OnnxModel model() {
        return model;
    }

    /**
     * Returns the model as the last run ran it: where the shapes of the inputs choose between branches, it has the
     * branches that they chose. Empty if that isn't known before the first run.
     */
    public Optional<OnnxModel> resolved() {
        return variants.isPresent() ? variants.get().model() : Optional.of(model);
    }

    /**
     * Returns one line for each LSTM on a device that says how it ran in the last run. Where the shapes of the inputs
     * choose between LSTMs, these are the ones that the last run chose.
     */
    public List<String> explain() {
        return variants.map(ShapeVariants::explain)
                .orElseGet(() -> runners.stream().map(LstmRunner::explain).toList());
    }

    /**
     * Returns the engines of {@link OnnxModel#lstms()}, in the same order; LSTMs of the same model share one. The
     * session closes them. Where the shapes of the inputs choose between LSTMs, these are the engines of the last run.
     */
    public List<LstmEngine> engines() {
        return variants.map(ShapeVariants::engines).orElseGet(() -> List.copyOf(engines));
    }

    @Override
    public void close() {
        user.use(this::closeAlone);
    }

    private void closeAlone() {
        isClosed = true;
        RuntimeException failure = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (RuntimeException e) {
                failure = e;
            } catch (Exception e) {
                failure = new IllegalStateException(e);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
