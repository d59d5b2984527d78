package io.github.cellfuse.onnx.graph;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model in ONNX Runtime. An output that is needed outside ONNX Runtime is written directly into the reader's memory
 * if its shape is known before the run: from the model, or from the last run if the inputs have the same shapes. Not
 * thread safe.
 */
final class OrtGraph implements AutoCloseable {
    /** The most bytes of weights; the rest of protobuf's 2 GiB is for the nodes. */
    private static final long LARGEST = 2_000_000_000;

    private final OrtSession session;
    private final String label;
    private final List<String> inputs;
    private final Map<String, Output> outputs = new LinkedHashMap<>();
    private List<long[]> lastInputs = List.of();

    /** The known facts about an output. */
    private static final class Output {
        final String name;
        final Optional<TensorInfo> info;
        long[] lastShape;
        boolean isPredictable = true;

        Output(String name, NodeInfo node) {
            this.name = name;
            info = node.getInfo() instanceof TensorInfo tensor ? Optional.of(tensor) : Optional.empty();
        }

        Optional<ElementType> type() {
            return info.flatMap(tensor -> OrtTypes.elementType(tensor.onnxType)).filter(OnnxTypes::canMake);
        }

        /** Returns the shape that the next run is expected to produce, or nothing if it is unknown. */
        Optional<long[]> predict(Map<String, Long> symbols, boolean isRepeated) {
            if (!isPredictable || type().isEmpty()) {
                return Optional.empty();
            }
            if (isRepeated && lastShape != null) {
                return Optional.of(lastShape);
            }
            long[] shape = info.get().getShape();
            String[] names = info.get().getDimensionNames();
            for (int axis = 0; axis < shape.length; axis++) {
                if (shape[axis] < 0) {
                    Long size = symbols.get(names[axis]);
                    if (size == null) {
                        return Optional.empty();
                    }
                    shape[axis] = size;
                }
            }
            return Optional.of(shape);
        }
    }

    private OrtGraph(OrtSession session, String label) throws OrtException {
        this.session = session;
        this.label = label;
        inputs = List.copyOf(session.getInputNames());
        session.getOutputInfo().forEach((name, node) -> outputs.put(name, new Output(name, node)));
    }

    /**
     * Opens a model. Only {@link OrtLibrary} may call this, because this class can't be loaded if ONNX Runtime is
     * missing.
     */
    static OrtGraph open(ModelProto model, String label, boolean optimized) {
        checkSize(model, label);
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            // Threads that spin between runs would take cores away from the LSTMs.
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            options.setOptimizationLevel(
                    optimized ? OrtSession.SessionOptions.OptLevel.ALL_OPT : OrtSession.SessionOptions.OptLevel.NO_OPT);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL); // errors come as exceptions
            OrtSession session = OrtEnvironment.getEnvironment().createSession(model.toByteArray(), options);
            try {
                return new OrtGraph(session, label);
            } catch (OrtException | RuntimeException e) {
                session.close();
                throw e;
            }
        } catch (OrtException e) {
            throw new InvalidInputException(label + ": ONNX Runtime rejects the model: " + reason(e), e);
        }
    }

    /** Throws if a model has too many weights: protobuf counts the bytes of a message in 31 bits. */
    private static void checkSize(ModelProto model, String label) {
        long bytes = 0;
        for (TensorProto tensor : model.getGraph().getInitializerList()) {
            bytes += tensor.getSerializedSize();
        }
        if (bytes > LARGEST) {
            throw new InvalidInputException(
                    label + ": expected at most " + LARGEST + " bytes of weights outside the LSTMs, found " + bytes);
        }
    }

    /**
     * Returns the name, type and dimensions of an output, as an input of another model; nothing if it isn't a tensor.
     */
    Optional<ValueInfoProto> declare(String output) {
        return outputs.get(output).info.map(info -> {
            TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
            long[] sizes = info.getShape();
            String[] names = info.getDimensionNames();
            for (int axis = 0; axis < sizes.length; axis++) {
                TensorShapeProto.Dimension.Builder dimension = shape.addDimBuilder();
                if (sizes[axis] >= 0) {
                    dimension.setDimValue(sizes[axis]);
                } else if (!names[axis].isEmpty()) {
                    dimension.setDimParam(names[axis]);
                }
            }
            TypeProto.Tensor.Builder type = TypeProto.Tensor.newBuilder().setElemType(OrtTypes.code(info.onnxType));
            // No dimensions mean a single value, or a value whose rank ONNX Runtime doesn't know.
            if (sizes.length > 0) {
                type.setShape(shape);
            }
            return ValueInfoProto.newBuilder()
                    .setName(output)
                    .setType(TypeProto.newBuilder().setTensorType(type))
                    .build();
        });
    }

    /** Returns the bytes of an output, as far as its shape is known before a run. Unknown dimensions count as 1. */
    long bytes(String output) {
        Output known = outputs.get(output);
        long elements = known.info
                .map(info -> Arrays.stream(info.getShape())
                        .mapToObj(BigInteger::valueOf)
                        .map(size -> size.max(BigInteger.ONE))
                        .reduce(BigInteger.ONE, BigInteger::multiply)
                        .min(BigInteger.valueOf(Long.MAX_VALUE / Long.BYTES))
                        .longValue())
                .orElse(0L);
        return elements * known.type().map(ElementType::bytes).orElse(Long.BYTES);
    }

    /** Runs the model without inputs and adds some of its outputs to {@code values}. */
    void run(Values values, Set<String> some) {
        try {
            OrtSession.Result result = session.run(Map.of(), some);
            values.own(result);
            some.forEach(name -> values.put(name, new OrtValue(result.get(name).orElseThrow())));
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    /**
     * Runs the model on {@code values} and adds its outputs to them.
     *
     * @param wanted the outputs that are needed outside ONNX Runtime
     * @param symbols the sizes of symbolic dimensions
     * @param memory provides memory for the wanted outputs
     */
    void run(Values values, Set<String> wanted, Map<String, Long> symbols, Memory memory) {
        try {
            Map<String, OnnxTensorLike> given = new HashMap<>();
            List<long[]> shapes = new ArrayList<>(inputs.size());
            for (String input : inputs) {
                given.put(input, OrtValue.input(values, input));
                shapes.add(values.shape(input).orElse(new long[0]));
            }
            boolean isRepeated = isSame(shapes, lastInputs);
            lastInputs = shapes;
            if (!runInto(values, given, wanted, symbols, isRepeated, memory)) {
                runInto(values, given, Set.of(), symbols, false, memory);
            }
            for (String name : wanted) {
                long[] shape = values.shape(name).orElse(null);
                outputs.get(name).lastShape = shape;
            }
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    /**
     * Runs the model once. Wanted outputs whose shape can be predicted go to {@code memory}. Returns false if ONNX
     * Runtime rejects a prediction.
     */
    private boolean runInto(
            Values values,
            Map<String, OnnxTensorLike> given,
            Set<String> wanted,
            Map<String, Long> symbols,
            boolean isRepeated,
            Memory memory)
            throws OrtException {
        Map<String, OnnxValue> pinned = new HashMap<>();
        Map<String, Tensor> placed = new HashMap<>();
        Set<String> requested = new HashSet<>();
        for (Output output : outputs.values()) {
            Optional<long[]> shape =
                    wanted.contains(output.name) ? output.predict(symbols, isRepeated) : Optional.empty();
            if (shape.isPresent()) {
                ElementType type = output.type().get();
                ByteBuffer bytes = memory.place(output.name, Tensor.size(type, shape.get()));
                OnnxTensor target = OrtValue.over(type, bytes, shape.get());
                values.own(target);
                pinned.put(output.name, target);
                placed.put(output.name, new Tensor(type, bytes, shape.get()));
            } else {
                requested.add(output.name);
            }
        }
        OrtSession.Result result;
        try {
            result = session.run(given, requested, pinned);
        } catch (OrtException e) {
            if (pinned.isEmpty()) {
                throw e;
            }
            // Probably a wrong prediction of a shape that depends on values. If there is another reason, the next run,
            // which predicts nothing, reports it.
            pinned.keySet().forEach(name -> outputs.get(name).isPredictable = false);
            return false;
        }
        values.own(result);
        placed.forEach(values::put);
        for (String name : requested) {
            values.put(name, new OrtValue(result.get(name).orElseThrow()));
        }
        return true;
    }

    private static boolean isSame(List<long[]> some, List<long[]> others) {
        if (some.size() != others.size()) {
            return false;
        }
        for (int k = 0; k < some.size(); k++) {
            if (!Arrays.equals(some.get(k), others.get(k))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns the exception for a failed run. ONNX Runtime reports inputs that don't fit the model as invalid
     * arguments.
     */
    private CellFuseException failed(OrtException e) {
        String message = label + ": ONNX Runtime: " + reason(e);
        return e.getCode() == OrtException.OrtErrorCode.ORT_INVALID_ARGUMENT
                ? new InvalidInputException(message, e)
                : new OnnxRuntimeException(message, e);
    }

    private static String reason(OrtException e) {
        String message = String.valueOf(e.getMessage()).strip().replaceAll("\\s+", " ");
        return message.replaceFirst("^Error code - (\\S+) - message: ", "");
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new CellFuseException(label + ": ONNX Runtime: closing failed: " + reason(e), e);
        }
    }
}
