package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.FileState;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataLocation;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * An ONNX model that was read and checked: every value is defined exactly once, every name in use is defined, nodes
 * come after the nodes that they depend on, the graph's inputs and outputs have types, and the opset is known.
 * Operators of all domains are accepted; only an empty operator name is an error. Calls of the model's functions are
 * replaced by the functions' nodes, unless a function needs another opset version than the model. Sparse tensors are
 * made dense. Immutable and thread safe.
 *
 * <p>The file is read once. All objects made from the model share the bytes of its tensors.
 */
public final class OnnxFile {
    /** The first format version (IR) in which a model declares its opsets; earlier ones have only opset 1. */
    private static final long FIRST_IR_WITH_OPSETS = 3;

    /** The first format version in which an initializer of an input is a default; in earlier ones it is a constant. */
    private static final long FIRST_IR_WITH_DEFAULTS = 4;

    private final Path path;
    private final ModelProto model;
    private final long opset;

    private OnnxFile(Path path, ModelProto model, long opset) {
        this.path = path;
        this.model = model;
        this.opset = opset;
    }

    /**
     * Reads and checks a model.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file doesn't exist, isn't a complete ONNX file, or has
     *     an invalid graph
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static OnnxFile open(Path path) {
        try {
            return parse(path, bytes(path));
        } catch (IOException e) {
            throw Problems.io(path, "reading", e);
        }
    }

    /**
     * Reads and checks a model that is a resource on the class path.
     *
     * @param name the resource's absolute name
     * @throws io.github.cellfuse.CellFuseException when it isn't there
     */
    public static OnnxFile resource(String name) {
        try (InputStream in = OnnxFile.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new CellFuseException(name + " is not on the class path: the jars are incomplete");
            }
            return parse(Path.of(name), ByteString.readFrom(in));
        } catch (IOException e) {
            throw Problems.io(Path.of(name), "reading", e);
        }
    }

    private static OnnxFile parse(Path path, ByteString bytes) throws IOException {
        try {
            WireScan.check(path, bytes);
            CodedInputStream input = bytes.newCodedInput();
            input.enableAliasing(true);
            ModelProto model = ModelProto.parseFrom(input);
            input.checkLastTagWas(0);
            return of(path, model);
        } catch (InvalidProtocolBufferException e) {
            throw Problems.invalid(path, "expected an ONNX file, found damaged or other data: " + e.getMessage(), e);
        }
    }

    /**
     * Checks a model that is already in memory.
     *
     * @param path the model's name in messages; external data is read from its folder
     * @throws io.github.cellfuse.InvalidInputException when its graph is invalid
     */
    public static OnnxFile of(Path path, ModelProto model) {
        if (!model.hasGraph()) {
            throw Problems.invalid(path, "expected an ONNX model, found one with no graph");
        }
        ModelProto plain = FunctionInlining.inline(path, SparseTensors.dense(new OnnxTensors(path), model));
        long opset = opset(path, plain);
        GraphProto graph = GraphCheck.check(path, plain.getGraph());
        ModelProto checked = graph == plain.getGraph()
                ? plain
                : plain.toBuilder().setGraph(graph).build();
        OperatorCheck.check(path, checked, opset);
        return new OnnxFile(path, checked, opset);
    }

    /**
     * Returns whether a file looks like an ONNX model: its outermost message has a format version and a graph, and ends
     * where the file ends. The format has no signature. Reads only tags and lengths; false if the file can't be read.
     */
    public static boolean isModel(Path path) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        boolean hasVersion = false, hasGraph = false;
        try (InputStream file = Files.newInputStream(path)) {
            CodedInputStream input = CodedInputStream.newInstance(file);
            for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
                int field = WireFormat.getTagFieldNumber(tag), type = WireFormat.getTagWireType(tag);
                hasVersion |= field == ModelProto.IR_VERSION_FIELD_NUMBER && type == WireFormat.WIRETYPE_VARINT;
                hasGraph |= field == ModelProto.GRAPH_FIELD_NUMBER && type == WireFormat.WIRETYPE_LENGTH_DELIMITED;
                if (!input.skipField(tag)) {
                    return false;
                }
            }
            return hasVersion && hasGraph;
        } catch (IOException e) {
            return false;
        }
    }

    private static ByteString bytes(Path path) throws IOException {
        Problems.checkIsFile(path);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            FileState state = FileState.of(path);
            long size = channel.size(), heap = Runtime.getRuntime().maxMemory();
            if (size > Integer.MAX_VALUE) {
                throw Problems.invalid(
                        path,
                        "expected at most " + Integer.MAX_VALUE + " bytes, the limit of protobuf, found " + size
                                + "; save the model with external data");
            }
            if (size > heap / 2) {
                throw Problems.invalid(
                        path,
                        "expected at most " + heap / 2 + " bytes, half of Java's heap, found " + size
                                + "; start Java with a larger -Xmx");
            }
            return ExternalData.read(state, channel, 0, (int) size);
        }
    }

    private static long opset(Path path, ModelProto model) {
        Set<String> seen = new HashSet<>();
        long version = model.getIrVersion() < FIRST_IR_WITH_OPSETS && model.getOpsetImportCount() == 0 ? 1 : 0;
        for (OperatorSetIdProto opset : model.getOpsetImportList()) {
            String domain = OnnxNode.isDefaultDomain(opset.getDomain()) ? "ai.onnx" : opset.getDomain();
            if (!seen.add(domain)) {
                throw Problems.invalid(
                        path, "expected one opset import of " + Problems.quote(domain) + ", found several");
            }
            if (OnnxNode.isDefaultDomain(opset.getDomain())) {
                version = opset.getVersion();
                if (version < 1) {
                    throw Problems.invalid(path, "opset of ai.onnx: expected 1 or more, found " + version);
                }
            }
        }
        if (version == 0
                && model.getGraph().getNodeList().stream().anyMatch(n -> OnnxNode.isDefaultDomain(n.getDomain()))) {
            throw Problems.invalid(path, "expected an opset of ai.onnx among the opset imports, found none");
        }
        return version;
    }

    /** Returns the path of the file. */
    public Path path() {
        return path;
    }

    /** Returns the whole model, with its nodes in an executable order, and with the functions that it still calls. */
    public ModelProto model() {
        return model;
    }

    /** Returns the model's graph. */
    public GraphProto graph() {
        return model.getGraph();
    }

    /** Returns the opset version of the default domain, or 0 if the model declares and uses none. */
    public long opset() {
        return opset;
    }

    /** Returns the files that hold the model: its own, and those of its external data. */
    public Set<Path> files() {
        Set<Path> files = new LinkedHashSet<>(Set.of(path));
        addExternal(graph(), files);
        return files;
    }

    private void addExternal(GraphProto graph, Set<Path> files) {
        graph.getInitializerList().forEach(tensor -> addExternal(tensor, files));
        for (NodeProto node : graph.getNodeList()) {
            node.getAttributeList().stream()
                    .filter(AttributeProto::hasT)
                    .forEach(attribute -> addExternal(attribute.getT(), files));
            Subgraphs.of(node).forEach(inner -> addExternal(inner, files));
        }
    }

    private void addExternal(TensorProto tensor, Set<Path> files) {
        if (tensor.getDataLocation() == DataLocation.EXTERNAL) {
            files.add(ExternalData.of(path, tensor.getName(), tensor).file());
        }
    }

    /** Returns a reader for the tensors of this model. */
    public OnnxTensors tensors() {
        return new OnnxTensors(path);
    }

    /** Returns the constants of the top-level graph without folding: its initializers and its Constant nodes. */
    public Constants constants() {
        return Constants.of(path, graph());
    }

    /**
     * Returns the same constants and those that follow from them by the operators that exporters apply to an LSTM's
     * weights and to shapes: Slice, Concat, Unsqueeze, Squeeze, Transpose, Reshape, Identity, and Cast to float32 or
     * int64. Each is computed on first use, so the result is not thread safe.
     */
    public Constants foldedConstants() {
        return new WeightFolding(new GraphIndex(path, graph()), graph(), opset, constants(), tensors());
    }

    /** Returns the inputs that a run must supply: those without an initializer as their default. */
    public List<ValueInfoProto> inputs() {
        Set<String> given = new HashSet<>();
        for (TensorProto initializer : graph().getInitializerList()) {
            given.add(initializer.getName());
        }
        return graph().getInputList().stream()
                .filter(input -> !given.contains(input.getName()))
                .toList();
    }

    /**
     * Returns the inputs with an initializer as their default, which a run may replace. There are none before IR 4:
     * there, every initializer is declared as an input. A sparse initializer is always a constant.
     */
    public List<ValueInfoProto> defaults() {
        if (model.getIrVersion() < FIRST_IR_WITH_DEFAULTS) {
            return List.of();
        }
        Set<String> given = new HashSet<>();
        graph().getInitializerList().forEach(initializer -> given.add(initializer.getName()));
        return graph().getInputList().stream()
                .filter(input -> given.contains(input.getName()))
                .toList();
    }

    /** Returns the nodes with their labels for messages, in an executable order. */
    public List<OnnxNode> nodes() {
        return OnnxNode.of(path, graph());
    }
}
