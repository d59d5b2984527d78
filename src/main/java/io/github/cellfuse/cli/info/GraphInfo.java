package io.github.cellfuse.cli.info;

import static io.github.cellfuse.cli.info.InfoText.line;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.Part;
import io.github.cellfuse.onnx.graph.RuntimePart;
import io.github.cellfuse.onnx.shape.RowAxes;
import io.github.cellfuse.onnx.shape.RowProof;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Describes a whole graph.
 *
 * @param rows the axes of the rows in the model before shapes resolved its branches; they may have any size
 * @param batch rows of the batch to account for
 * @param steps time steps of the batch to account for
 */
record GraphInfo(OnnxModel model, RowProof rows, long batch, long steps) {

    void print(PrintWriter out) {
        // Sizes that overflow are an error, so the cost comes before anything is printed.
        String cost = BatchCost.of(lstms(), batch, steps).describe("LSTM ");
        line(out, "file", model.path().toString());
        lines(out, "inputs", inputs().map(GraphInfo::describe).toList());
        lines(
                out,
                "outputs",
                model.outputs().stream().map(GraphInfo::describeOutput).toList());
        line(out, "rows", describe(rows));
        line(out, "parts", Integer.toString(model.parts().size()));
        int number = 0;
        for (Part part : model.parts()) {
            number++;
            if (part instanceof RuntimePart runtime) {
                line(out, "  " + number, "ONNX Runtime: " + describe(runtime));
            } else if (part instanceof LstmPart lstm) {
                line(
                        out,
                        "  " + number,
                        "device: " + (lstm.nodes().size() == 1 ? "LSTM " : "LSTMs ") + String.join(", ", lstm.nodes()));
                layers(lstm).forEach(layer -> line(out, "", "  " + layer.describe()));
            }
        }
        model.kept()
                .forEach(lstm ->
                        line(out, "not on device", "LSTM " + lstm.node() + " runs in ONNX Runtime: " + lstm.reason()));
        if (model.lstms().isEmpty()) {
            line(out, "LSTMs", "none for the device: the whole graph runs in ONNX Runtime");
        }
        InfoText.totals(out, lstms(), OptionalLong.of(model.otherParameters()));
        line(out, "batch", cost);
    }

    /**
     * An input of the graph.
     *
     * @param hasDefault whether it is a constant unless a run gives it
     */
    private record Input(GraphValue value, boolean hasDefault) {}

    private Stream<Input> inputs() {
        return Stream.concat(
                model.inputs().stream().map(value -> new Input(value, false)),
                model.defaults().stream().map(value -> new Input(value, true)));
    }

    private static void lines(PrintWriter out, String title, List<String> lines) {
        for (int k = 0; k < lines.size(); k++) {
            line(out, k == 0 ? title : "", lines.get(k));
        }
        if (lines.isEmpty()) {
            line(out, title, "none");
        }
    }

    /** Returns the axes of the rows in words, or what keeps them together. */
    private static String describe(RowProof proof) {
        return proof.axes()
                .map(axes -> "axis " + describe(axes.inputs()) + " -> " + describe(axes.outputs())
                        + (axes.fewest() > 1 ? ", at least " + axes.fewest() + " at a time" : ""))
                .orElse("all in one piece: " + proof.reason());
    }

    private static String describe(Map<String, Integer> axes) {
        return axes.entrySet().stream()
                .map(entry -> entry.getValue() + " of " + entry.getKey())
                .collect(Collectors.joining(", "));
    }

    private static String describe(Input input) {
        GraphValue value = input.value();
        String problem = value.canBeInput() ? "" : value.canBeOutput() ? " (can only be bound)" : " (can't be given)";
        return describe(value) + (input.hasDefault() ? " (has a default)" : "") + problem;
    }

    private static String describeOutput(GraphValue output) {
        return describe(output) + (output.canBeOutput() ? "" : " (can't be written)");
    }

    private static String describe(GraphValue value) {
        return value.name() + ": " + value.describe();
    }

    private static String describe(RuntimePart part) {
        return Numbers.count(part.nodeCount(), "node") + " ("
                + part.operators().entrySet().stream()
                        .map(entry -> entry.getKey() + (entry.getValue() == 1 ? "" : " x " + entry.getValue()))
                        .collect(Collectors.joining(", "))
                + ")";
    }

    /** Each node of a part is a layer. */
    private static List<LayerInfo> layers(LstmPart lstm) {
        return LayerInfo.of(lstm.model().layers(), lstm.nodes());
    }

    private List<LstmModel> lstms() {
        return model.lstms().stream().map(LstmPart::model).toList();
    }

    private long lstmParameters() {
        return lstms().stream().mapToLong(LstmModel::parameters).sum();
    }

    private long flopsPerStep() {
        return lstms().stream().mapToLong(LstmModel::flopsPerStep).sum();
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", "cellfuse-graph-info-1");
        json.put("file", model.path().toString());
        json.put("inputs", inputs().map(GraphInfo::toJson).toList());
        json.put(
                "outputs",
                model.outputs().stream()
                        .map(value -> toJson(value, value.canBeOutput()))
                        .toList());
        json.put("row_axes", rows.axes().map(GraphInfo::toJson).orElse(null));
        json.put("one_piece_because", rows.axes().isPresent() ? null : rows.reason());
        json.put("parts", model.parts().stream().map(GraphInfo::toJson).toList());
        json.put(
                "kept",
                model.kept().stream()
                        .map(lstm -> Map.of("node", lstm.node(), "reason", lstm.reason()))
                        .toList());
        json.put("lstm_parameters", lstmParameters());
        json.put("other_parameters", model.otherParameters());
        json.put("flops_per_step", flopsPerStep());
        json.put("batch", BatchCost.of(lstms(), batch, steps).toJson());
        return json;
    }

    private static Map<String, Object> toJson(RowAxes axes) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("inputs", axes.inputs());
        json.put("outputs", axes.outputs());
        json.put("fewest_rows", axes.fewest());
        return json;
    }

    private static Map<String, Object> toJson(Input input) {
        Map<String, Object> json = toJson(input.value(), input.value().canBeInput());
        json.put("has_default", input.hasDefault());
        return json;
    }

    private static Map<String, Object> toJson(GraphValue value, boolean isSupported) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", value.name());
        json.put("type", value.typeName());
        json.put(
                "shape",
                value.dimensions()
                        .map(all -> all.stream()
                                .map(d -> d.isFixed()
                                        ? (Object) d.size()
                                        : d.symbol().isEmpty() ? null : d.symbol())
                                .collect(Collectors.toCollection(ArrayList::new)))
                        .orElse(null));
        json.put("supported", isSupported);
        return json;
    }

    private static Map<String, Object> toJson(Part part) {
        Map<String, Object> json = new LinkedHashMap<>();
        if (part instanceof RuntimePart runtime) {
            json.put("where", "onnxruntime");
            json.put("nodes", runtime.nodeCount());
            json.put("operators", runtime.operators());
        } else if (part instanceof LstmPart lstm) {
            json.put("where", "device");
            json.put("lstms", lstm.nodes());
            json.put("layers", layers(lstm).stream().map(LayerInfo::toJson).toList());
        }
        json.put("inputs", part.inputs());
        json.put("outputs", part.outputs());
        return json;
    }
}
