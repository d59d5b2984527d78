package io.github.cellfuse.onnx.shape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Subgraphs;
import io.github.cellfuse.onnx.graph.ModelText;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.RowPieces;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * A model of a few nodes, and what must be found of its rows. The dimension {@code N} of the inputs counts the rows.
 *
 * @param operator the operator of which this is a case
 * @param kind what must be found
 * @param opset the opset version
 * @param inputs the inputs as for {@link ModelText}
 * @param nodes the nodes as for {@link ModelText}
 * @param outputs the outputs with the axes of the rows, such as {@code y:1}; {@code y:} doesn't depend on the rows
 * @param reason the name of the node that ends the proof and what the reason says of it, such as {@code y: pads}
 */
record RowCase(String operator, Kind kind, long opset, String inputs, String nodes, String outputs, String reason) {
    static final long OPSET = 17;

    /** The sizes of the named dimensions. */
    private static final Map<String, Integer> SIZES = Map.of("N", 6, "T", 3, "S", 2, "U", 1);

    enum Kind {
        /** The rows are proven to be independent, with and without known shapes. */
        PROVEN,
        /** The rows are proven to be independent if the shapes of the inputs are known. */
        PROVEN_WITH_SHAPES,
        /** The rows depend on each other or on their number: pieces of them give something else. */
        MIXED,
        /** There is no proof, whether the rows are independent or not. */
        REFUSED
    }

    static RowCase proves(String operator, String inputs, String nodes, String outputs) {
        return new RowCase(operator, Kind.PROVEN, OPSET, inputs, nodes, outputs, "");
    }

    static RowCase mixes(String operator, String inputs, String nodes, String outputs, String reason) {
        return new RowCase(operator, Kind.MIXED, OPSET, inputs, nodes, outputs, reason);
    }

    static RowCase refuses(String operator, String inputs, String nodes, String outputs, String reason) {
        return new RowCase(operator, Kind.REFUSED, OPSET, inputs, nodes, outputs, reason);
    }

    /** Returns the same case with another opset version. */
    RowCase at(long version) {
        return new RowCase(operator, kind, version, inputs, nodes, outputs, reason);
    }

    /** Returns the same case, which can only be proven if shapes are known. */
    RowCase withShapes() {
        return new RowCase(operator, Kind.PROVEN_WITH_SHAPES, opset, inputs, nodes, outputs, reason);
    }

    /** Checks what is found of a batch. */
    void check(Path folder, long seed) throws IOException {
        Prepared all = prepare(folder, inputs, seed);
        assertTrue(uses(all.proto.getGraph().getNodeList()), "no node of " + operator);
        boolean isProven = kind == Kind.PROVEN || kind == Kind.PROVEN_WITH_SHAPES;
        check(all, all.model.rows(all.shapes), isProven);
        if (kind != Kind.PROVEN_WITH_SHAPES) {
            check(all, all.model.rows(), isProven);
        }
        if (isProven) {
            RowAxes axes = all.model.rows(all.shapes).axes().orElseThrow();
            assertEquals(Optional.empty(), RowPieces.difference(all.model, axes, all.tensors, new Random(seed)));
        }
        if (kind == Kind.MIXED) {
            assertTrue(differs(folder, seed), "pieces give the same");
        }
    }

    private void check(Prepared all, RowProof proof, boolean isProven) {
        if (isProven) {
            assertEquals("", proof.reason());
            RowAxes found = proof.axes().orElseThrow();
            assertEquals(all.rows, found.inputs());
            assertEquals(rowOutputs(), found.outputs());
        } else {
            assertEquals(Optional.empty(), proof.axes());
            assertTrue(proof.reason().contains(label(all.proto)), proof.reason());
        }
    }

    /**
     * Checks what is found of the same model if it is made for one row: if it is known where the row is, the results of
     * several rows can be put together.
     *
     * @return whether it is known
     */
    boolean checkSingle(Path folder, long seed) throws IOException {
        Prepared all = prepare(folder, inputs, seed);
        Prepared single = prepare(folder, inputs.replaceAll("\\bN\\b", "1"), seed);
        RowProof proof = single.model.singleRow(all.rows);
        if (proof.axes().isPresent() && kind != Kind.REFUSED && kind != Kind.MIXED) {
            RowAxes found = proof.axes().get();
            assertEquals(rowOutputs().keySet(), found.outputs().keySet());
            assertEquals(Optional.empty(), RowPieces.difference(all.model, single.model, found, all.tensors));
        }
        return proof.axes().isPresent();
    }

    /** A model with inputs for it, and the axes of their rows. */
    private record Prepared(
            ModelProto proto,
            OnnxModel model,
            Map<String, Tensor> tensors,
            Map<String, long[]> shapes,
            Map<String, Integer> rows) {}

    private Prepared prepare(Path folder, String declared, long seed) throws IOException {
        Random random = new Random(seed);
        ModelProto proto = ModelText.model(opset, declared, nodes, outputs, random);
        OnnxModel model = OnnxModel.open(Files.write(folder.resolve("model.onnx"), proto.toByteArray()));
        Prepared prepared =
                new Prepared(proto, model, new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
        for (ModelText.Value input : ModelText.values(declared)) {
            String[] dims =
                    input.rest().isEmpty() ? new String[0] : input.rest().split(",");
            long[] shape = new long[dims.length];
            for (int axis = 0; axis < shape.length; axis++) {
                shape[axis] = SIZES.containsKey(dims[axis]) ? SIZES.get(dims[axis]) : Long.parseLong(dims[axis]);
                if (dims[axis].equals("N")) {
                    prepared.rows.put(input.name(), axis);
                }
            }
            prepared.shapes.put(input.name(), shape);
            prepared.tensors.put(input.name(), RowPieces.random(input.type(), random, shape));
        }
        return prepared;
    }

    /**
     * Returns whether pieces give something else, for some inputs and some way to cut: in others mistakes may cancel.
     */
    private boolean differs(Path folder, long seed) throws IOException {
        for (int trial = 0; trial < 5; trial++) {
            Prepared all = prepare(folder, inputs, seed + trial);
            RowAxes axes = new RowAxes(all.rows, rowOutputs(), 1);
            RowPieces.run(all.model, all.tensors); // must be valid as a whole
            try {
                if (RowPieces.difference(all.model, axes, all.tensors, new Random(seed + trial))
                        .isPresent()) {
                    return true;
                }
            } catch (CellFuseException e) {
                return true; // not valid in pieces
            }
        }
        return false;
    }

    private boolean uses(List<NodeProto> all) {
        return all.stream()
                .anyMatch(node -> operator.endsWith(node.getOpType())
                        || Subgraphs.of(node).stream().anyMatch(graph -> uses(graph.getNodeList())));
    }

    private Map<String, Integer> rowOutputs() {
        Map<String, Integer> axes = new LinkedHashMap<>();
        for (ModelText.Value output : ModelText.values(outputs)) {
            if (!output.rest().isEmpty()) {
                axes.put(output.name(), Integer.parseInt(output.rest()));
            }
        }
        return axes;
    }

    /** Returns what the reason must contain. */
    private String label(ModelProto proto) {
        int colon = reason.indexOf(':');
        String name = reason.substring(0, colon), what = reason.substring(colon + 1);
        return name.equals("output")
                ? "output" + what
                : "node '" + name + "' (" + type(name, proto.getGraph().getNodeList()) + ")" + what;
    }

    private static String type(String name, List<NodeProto> all) {
        for (NodeProto node : all) {
            if (node.getName().equals(name)) {
                return node.getOpType();
            }
            for (var graph : Subgraphs.of(node)) {
                String inner = type(name, graph.getNodeList());
                if (!inner.isEmpty()) {
                    return inner;
                }
            }
        }
        return "";
    }

    @Override
    public String toString() {
        return operator + ", opset " + opset + ": " + inputs + "; " + nodes;
    }
}
