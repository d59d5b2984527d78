package io.github.cellfuse.onnx.graph;

import com.google.protobuf.ByteString;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Models as text, so that a table of them can be read. Inputs and outputs are {@code NAME:DIMENSIONS} or {@code NAME
 * TYPE:DIMENSIONS}, separated by blanks. Nodes are separated by semicolons:
 *
 * <pre>{@code
 * a, b = Split(x, [2,2]) axis=1; c = If(flag) then_branch={d = Neg(a) => d} else_branch={=> b}
 * }</pre>
 *
 * An argument is a name, nothing, {@code [1,2]} (int64 values), {@code 7} (a single int64), {@code 0.5} (a single
 * float32), or {@code {3,4}} (random float32 of this shape). A type in front makes values of another type, as in
 * {@code u8[1,2]}, {@code i32:7} and {@code u8{3,4}}. The name of an operator of another domain is
 * {@code DOMAIN:OPERATOR}. A node has the name of its first output, or that of its attribute {@code name}.
 */
public final class ModelText {
    private static final Pattern NUMBER = Pattern.compile("-?[0-9.]+(e-?[0-9]+)?");
    private static final Pattern TYPED = Pattern.compile("(f32|f64|f16|i64|i32|i8|u8|bool)(:[-0-9.]+|\\[.*|\\{.*)");

    private static final Pattern VALUE = Pattern.compile("([^\\s:]+)(?: ([^\\s:]+))?:(\\S*)");

    private final String text;
    private final Random random;
    private int at;

    private ModelText(String text, Random random) {
        this.text = text;
        this.random = random;
    }

    /** Returns a model; its random constants are drawn from {@code random}. */
    public static ModelProto model(long opset, String inputs, String nodes, String outputs, Random random) {
        ModelText parser = new ModelText(nodes, random);
        GraphProto.Builder graph = parser.nodes().setName("test");
        if (parser.at < nodes.length()) {
            throw parser.unexpected();
        }
        values(inputs).forEach(input -> graph.addInput(declared(input.name, input.type, input.rest)));
        values(outputs).forEach(output -> graph.addOutput(declared(output.name, output.type, "?")));
        ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(8).setGraph(graph);
        for (String domain : List.of("", "com.microsoft", "ai.onnx.ml")) {
            model.addOpsetImport(OperatorSetIdProto.newBuilder()
                    .setDomain(domain)
                    .setVersion(domain.isEmpty() ? opset : domain.equals("ai.onnx.ml") ? 2 : 1));
        }
        return model.build();
    }

    /**
     * An input or output, such as {@code tokens i64:N,T}.
     *
     * @param rest what comes after the colon
     */
    public record Value(String name, ElementType type, String rest) {}

    /** Returns the inputs or outputs in a text. */
    public static List<Value> values(String text) {
        List<Value> values = new ArrayList<>();
        Matcher matcher = VALUE.matcher(text);
        while (matcher.find()) {
            ElementType type = matcher.group(2) == null ? ElementType.FLOAT32 : type(matcher.group(2));
            values.add(new Value(matcher.group(1), type, matcher.group(3)));
        }
        return values;
    }

    /** Declares a value; {@code ?} is an unknown shape. */
    private static ValueInfoProto declared(String name, ElementType type, String dims) {
        TypeProto.Tensor.Builder tensor = TypeProto.Tensor.newBuilder().setElemType(OnnxTypes.code(type));
        if (!dims.equals("?")) {
            TensorShapeProto.Builder shape = tensor.getShapeBuilder();
            for (String dim : dims.isEmpty() ? new String[0] : dims.split(",", -1)) {
                if (NUMBER.matcher(dim).matches()) {
                    shape.addDimBuilder().setDimValue(Long.parseLong(dim));
                } else {
                    shape.addDimBuilder().setDimParam(dim);
                }
            }
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }

    static ElementType type(String name) {
        return switch (name) {
            case "f32" -> ElementType.FLOAT32;
            case "f64" -> ElementType.FLOAT64;
            case "f16" -> ElementType.FLOAT16;
            case "i64" -> ElementType.INT64;
            case "i32" -> ElementType.INT32;
            case "i8" -> ElementType.INT8;
            case "u8" -> ElementType.UINT8;
            case "bool" -> ElementType.BOOL;
            default -> throw new IllegalArgumentException(name);
        };
    }

    private GraphProto.Builder nodes() {
        GraphProto.Builder graph = GraphProto.newBuilder();
        do {
            skipBlanks();
            if (at < text.length() && !isNext("=>")) {
                node(graph);
            }
        } while (take(";"));
        return graph;
    }

    private void node(GraphProto.Builder graph) {
        List<String> outputs = names("=");
        expect("=");
        String operator = until("(").trim();
        expect("(");
        int colon = operator.indexOf(':');
        NodeProto.Builder node = NodeProto.newBuilder()
                .setOpType(operator.substring(colon + 1))
                .setDomain(colon < 0 ? "" : operator.substring(0, colon))
                .setName(outputs.get(0))
                .addAllOutput(outputs);
        for (String argument : arguments()) {
            node.addInput(argument(graph, node.getName() + "." + node.getInputCount(), argument));
        }
        for (skipBlanks(); at < text.length() && !isNext(";") && !isNext("}") && !isNext("=>"); skipBlanks()) {
            AttributeProto attribute = attribute();
            if (attribute.getName().equals("name")) {
                node.setName(attribute.getS().toStringUtf8());
            } else {
                node.addAttribute(attribute);
            }
        }
        graph.addNode(node);
    }

    private List<String> names(String end) {
        List<String> names = new ArrayList<>();
        for (String name : until(end).split(",", -1)) {
            names.add(name.trim());
        }
        return names;
    }

    /** Returns the arguments up to the closing parenthesis, which are separated by commas outside of brackets. */
    private List<String> arguments() {
        List<String> all = new ArrayList<>();
        int depth = 0, start = at;
        for (; depth > 0 || text.charAt(at) != ')'; at++) {
            char c = text.charAt(at);
            depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
            if (c == ',' && depth == 0) {
                all.add(text.substring(start, at).trim());
                start = at + 1;
            }
        }
        String last = text.substring(start, at++).trim();
        if (!all.isEmpty() || !last.isEmpty()) {
            all.add(last);
        }
        return all;
    }

    private String argument(GraphProto.Builder graph, String name, String argument) {
        Matcher typed = TYPED.matcher(argument);
        boolean isNumber = NUMBER.matcher(argument).matches();
        if (!typed.matches() && !isNumber && !argument.startsWith("[") && !argument.startsWith("{")) {
            return argument;
        }
        String values = typed.matches() ? typed.group(2) : isNumber ? ":" + argument : argument;
        boolean isFloat = values.startsWith("{") || values.contains(".");
        ElementType type = typed.matches() ? type(typed.group(1)) : isFloat ? ElementType.FLOAT32 : ElementType.INT64;
        graph.addInitializer(constant(type, values, random).toBuilder().setName(name));
        return name;
    }

    /** Returns a constant: {@code :7}, {@code [1,2]}, or random values of shape {@code {3,4}}. */
    private static TensorProto constant(ElementType type, String text, Random random) {
        String inside = text.startsWith(":") ? text.substring(1) : text.substring(1, text.length() - 1);
        String[] words = inside.isBlank() ? new String[0] : inside.split(",");
        if (text.startsWith("{")) {
            long[] shape = new long[words.length];
            for (int k = 0; k < shape.length; k++) {
                shape[k] = Long.parseLong(words[k].trim());
            }
            return RuntimeFolding.toProto(RowPieces.random(type, random, shape));
        }
        double[] values = new double[words.length];
        for (int k = 0; k < values.length; k++) {
            values[k] = Double.parseDouble(words[k].trim());
        }
        return RuntimeFolding.toProto(
                text.startsWith(":") ? RowPieces.of(type, values) : RowPieces.of(type, values, values.length));
    }

    private AttributeProto attribute() {
        AttributeProto.Builder attribute =
                AttributeProto.newBuilder().setName(until("=").trim());
        expect("=");
        if (take("{")) {
            GraphProto.Builder graph = nodes().setName(attribute.getName());
            expect("=>");
            for (String name : names("}")) {
                graph.addOutputBuilder().setName(name);
            }
            expect("}");
            return attribute.setType(AttributeType.GRAPH).setG(graph).build();
        }
        int start = at;
        for (boolean isInside = false; at < text.length() && (isInside || " ;}\n".indexOf(text.charAt(at)) < 0); at++) {
            isInside = text.charAt(at) == '{' || isInside && text.charAt(at) != '}';
        }
        String value = text.substring(start, at);
        Matcher typed = TYPED.matcher(value);
        if (typed.matches()) {
            return attribute
                    .setType(AttributeType.TENSOR)
                    .setT(constant(type(typed.group(1)), typed.group(2), random))
                    .build();
        } else if (value.startsWith("[")) {
            attribute.setType(value.contains(".") ? AttributeType.FLOATS : AttributeType.INTS);
            for (String word : value.substring(1, value.length() - 1).split(",")) {
                if (value.contains(".")) {
                    attribute.addFloats(Float.parseFloat(word));
                } else if (!word.isBlank()) {
                    attribute.addInts(Long.parseLong(word));
                }
            }
        } else if (!NUMBER.matcher(value).matches()) {
            attribute.setType(AttributeType.STRING).setS(ByteString.copyFromUtf8(value));
        } else if (value.contains(".")) {
            attribute.setType(AttributeType.FLOAT).setF(Float.parseFloat(value));
        } else {
            attribute.setType(AttributeType.INT).setI(Long.parseLong(value));
        }
        return attribute.build();
    }

    private String until(String end) {
        int next = text.indexOf(end, at);
        if (next < 0) {
            throw unexpected();
        }
        String part = text.substring(at, next);
        at = next;
        return part;
    }

    private boolean isNext(String what) {
        return text.startsWith(what, at);
    }

    private boolean take(String what) {
        skipBlanks();
        boolean isNext = isNext(what);
        at += isNext ? what.length() : 0;
        return isNext;
    }

    private void expect(String what) {
        if (!take(what)) {
            throw unexpected();
        }
    }

    private void skipBlanks() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private IllegalArgumentException unexpected() {
        return new IllegalArgumentException("at " + at + " of: " + text);
    }
}
