package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * An ONNX model that was read and checked: every value has one definition, every name that is used is defined, nodes come after what
 * they need, the graph's inputs and outputs have types, and the opset is known. Operators aren't checked, but for their names: those
 * of any domain are let through. Immutable and safe to share between threads.
 *
 * <p>The file is read once; the bytes of its tensors are shared by all that is made of the model, and not copied again.
 */
public final class OnnxFile {
    /** From this version of the format on a model says which opsets it uses; before there was but one. */
    private static final long FIRST_IR_WITH_OPSETS = 3;

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
     * @throws io.github.cellfuse.InvalidInputException when the file isn't there, isn't a whole ONNX file, or its graph is wrong
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static OnnxFile open(Path path) {
        try {
            ByteString bytes = bytes(path);
            WireScan.check(path, bytes);
            CodedInputStream input = bytes.newCodedInput();
            input.enableAliasing(true);
            ModelProto model = ModelProto.parseFrom(input);
            input.checkLastTagWas(0);
            return of(path, model);
        } catch (InvalidProtocolBufferException e) {
            throw Problems.invalid(path, "expected an ONNX file, found other or missing bytes: " + e.getMessage(), e);
        } catch (IOException e) {
            throw Problems.io(path, "reading", e);
        }
    }

    /**
     * Checks a model that is already in memory.
     *
     * @param path what messages call it; external data is looked for in its folder
     * @throws io.github.cellfuse.InvalidInputException when its graph is wrong
     */
    public static OnnxFile of(Path path, ModelProto model) {
        if (!model.hasGraph()) {
            throw Problems.invalid(path, "expected an ONNX model, found none: there is no graph in it");
        }
        long opset = opset(path, model);
        GraphProto graph = GraphCheck.check(path, model.getGraph());
        ModelProto checked = graph == model.getGraph()
                ? model
                : model.toBuilder().setGraph(graph).build();
        return new OnnxFile(path, checked, opset);
    }

    private static ByteString bytes(Path path) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw Problems.invalid(path, "expected a file, found a " + (Files.isDirectory(path) ? "folder" : "device"));
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size(), heap = Runtime.getRuntime().maxMemory();
            if (size > Integer.MAX_VALUE) {
                throw Problems.invalid(
                        path,
                        "expected at most " + Integer.MAX_VALUE + " bytes, found " + size
                                + ": protobuf ends there; save the model with external data");
            }
            if (size > heap / 2) {
                throw Problems.invalid(
                        path,
                        "expected a file for which half of Java's heap is enough, " + heap / 2 + " bytes, found " + size
                                + ": a larger -Xmx helps");
            }
            return ExternalData.read(channel, 0, (int) size);
        }
    }

    private static long opset(Path path, ModelProto model) {
        Set<String> seen = new HashSet<>();
        long version = model.getIrVersion() < FIRST_IR_WITH_OPSETS && model.getOpsetImportCount() == 0 ? 1 : 0;
        for (OperatorSetIdProto opset : model.getOpsetImportList()) {
            String domain = OnnxNode.isDefaultDomain(opset.getDomain()) ? "ai.onnx" : opset.getDomain();
            if (!seen.add(domain)) {
                throw Problems.invalid(path, "expected one opset of " + Problems.quote(domain) + ", found several");
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
            throw Problems.invalid(path, "expected an opset of ai.onnx, found none among the opset imports");
        }
        return version;
    }

    /** Returns the file. */
    public Path path() {
        return path;
    }

    /** Returns the whole model, its nodes in an order in which they can run. */
    public ModelProto model() {
        return model;
    }

    /** Returns the model's graph. */
    public GraphProto graph() {
        return model.getGraph();
    }

    /** Returns the version of the operators of the default domain; 0 where the graph has none of them. */
    public long opset() {
        return opset;
    }

    /** Reads the tensors of this model. */
    public OnnxTensors tensors() {
        return new OnnxTensors(path);
    }

    /** Returns the constants of the graph itself, unfolded: its initializers and its nodes called Constant. */
    public Constants constants() {
        return Constants.of(path, graph());
    }

    /**
     * The same and those that follow from them by what exporters do to an LSTM's weights and to shapes: Slice, Concat, Unsqueeze, Squeeze,
     * Transpose, Reshape, Identity, and Cast to float32 or int64. Each is computed when it is first asked for; not thread safe.
     */
    public Constants foldedConstants() {
        return new WeightFolding(new GraphIndex(path, graph()), graph(), opset, constants(), tensors());
    }

    /** Returns what the graph must be given: its inputs but for those that an initializer gives a value. */
    public List<ValueInfoProto> inputs() {
        Set<String> given = new HashSet<>();
        for (TensorProto initializer : graph().getInitializerList()) {
            given.add(initializer.getName());
        }
        graph().getSparseInitializerList().forEach(s -> given.add(s.getValues().getName()));
        return graph().getInputList().stream()
                .filter(input -> !given.contains(input.getName()))
                .toList();
    }

    /** Returns the nodes with what messages call them, in an order in which they can run. */
    public List<OnnxNode> nodes() {
        return OnnxNode.of(path, graph());
    }
}
