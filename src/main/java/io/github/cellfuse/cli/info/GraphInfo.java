package io.github.cellfuse.cli.info;

import io.github.cellfuse.Activation;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.Part;
import io.github.cellfuse.onnx.graph.RuntimePart;
import io.github.cellfuse.spi.Sizes;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What {@code info} tells of a whole graph.
 *
 * @param batch rows to account for
 * @param steps time steps to account for
 */
record GraphInfo(OnnxModel model, long batch, long steps) {

    void print(PrintWriter out) {
        String cost = cost(); // first what may be refused, so that nothing is printed then
        line(out, "file", model.path().toString());
        values(out, "inputs", model.inputs());
        values(out, "outputs", model.outputs());
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
                for (LstmLayer layer : lstm.model().layers()) {
                    line(out, "", "  " + describe(layer));
                }
            }
        }
        model.kept()
                .forEach(lstm -> line(
                        out, "not on device", "LSTM " + lstm.node() + " stays with ONNX Runtime: " + lstm.reason()));
        if (model.lstms().isEmpty()) {
            line(out, "LSTMs", "none for a device: all of it runs in ONNX Runtime");
        }
        line(
                out,
                "parameters",
                lstmParameters() + " of LSTMs (" + Numbers.bytes(lstmParameters() * Float.BYTES) + "), "
                        + model.otherParameters() + " of other nodes");
        line(out, "work", flopsPerStep() + " FLOP per row and step of the LSTMs");
        line(out, "batch", cost);
    }

    private static void values(PrintWriter out, String title, List<GraphValue> values) {
        for (int k = 0; k < values.size(); k++) {
            line(
                    out,
                    k == 0 ? title : "",
                    values.get(k).name() + ": " + values.get(k).describe());
        }
        if (values.isEmpty()) {
            line(out, title, "none");
        }
    }

    private static String describe(RuntimePart part) {
        return Numbers.count(part.nodeCount(), "node") + " ("
                + part.operators().entrySet().stream()
                        .map(entry -> entry.getKey() + (entry.getValue() == 1 ? "" : " x " + entry.getValue()))
                        .collect(Collectors.joining(", "))
                + ")";
    }

    private static String describe(LstmLayer layer) {
        List<String> deviations = deviations(layer);
        return direction(layer) + " " + layer.inputSize() + " -> " + layer.outputSize() + ", H = " + layer.hiddenSize()
                + ", "
                + layer.parameters() + " parameters, " + layer.flopsPerStep() + " FLOP per row and step"
                + (deviations.isEmpty() ? "" : "; " + String.join(", ", deviations));
    }

    private static String direction(LstmLayer layer) {
        return layer.direction().name().toLowerCase(Locale.ROOT);
    }

    /** Where a layer isn't the ordinary LSTM. */
    private static List<String> deviations(LstmLayer layer) {
        List<String> deviations = new ArrayList<>();
        if (layer.hasPeepholes()) {
            deviations.add("peepholes");
        }
        for (int d = 0; d < layer.directionCount(); d++) {
            CellEquations equations = layer.weights().get(d).equations();
            if (d == 1 && equations.equals(layer.weights().get(0).equations())) {
                break;
            }
            String whose = d == 1 ? "reverse " : "";
            function(deviations, whose + "gates", equations.gate(), Activation.SIGMOID);
            function(deviations, whose + "candidate", equations.candidate(), Activation.TANH);
            function(deviations, whose + "hidden", equations.hidden(), Activation.TANH);
            if (equations.clips()) {
                deviations.add(whose + "clip " + equations.clip());
            }
            if (equations.coupled()) {
                deviations.add(whose + "coupled forget gate");
            }
        }
        return deviations;
    }

    private static void function(List<String> deviations, String what, Activation found, Activation ordinary) {
        if (!found.equals(ordinary)) {
            deviations.add(what + " " + found);
        }
    }

    private String cost() {
        return String.format(
                Locale.ROOT,
                "%s x %s: LSTMs read %s, write %s, states %s, %s FLOP",
                Numbers.count(batch, "row"),
                Numbers.count(steps, "step"),
                Numbers.bytes(inputBytes()),
                Numbers.bytes(outputBytes()),
                Numbers.bytes(stateBytes()),
                flops());
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

    private long inputBytes() {
        return size(
                "bytes of input",
                batch,
                steps,
                lstms().stream().mapToLong(LstmModel::inputSize).sum(),
                Float.BYTES);
    }

    private long outputBytes() {
        return size(
                "bytes of output",
                batch,
                steps,
                lstms().stream().mapToLong(LstmModel::outputSize).sum(),
                Float.BYTES);
    }

    private long stateBytes() {
        long values = lstms().stream()
                .mapToLong(m -> m.hiddenValuesBelow(m.layerCount()) + m.cellValuesBelow(m.layerCount()))
                .sum();
        return size("bytes of states", batch, values, Float.BYTES);
    }

    private long flops() {
        return size("FLOP", batch, steps, flopsPerStep());
    }

    private long size(String what, long... factors) {
        return Sizes.product("--batch " + batch + ", --steps " + steps + ": " + what, factors);
    }

    private static void line(PrintWriter out, String name, String value) {
        out.printf(Locale.ROOT, "%-14s %s%n", name, value);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", "cellfuse-graph-info-1");
        json.put("file", model.path().toString());
        json.put("inputs", model.inputs().stream().map(GraphInfo::toJson).toList());
        json.put("outputs", model.outputs().stream().map(GraphInfo::toJson).toList());
        json.put("parts", model.parts().stream().map(GraphInfo::toJson).toList());
        json.put(
                "kept",
                model.kept().stream()
                        .map(lstm -> Map.of("node", lstm.node(), "reason", lstm.reason()))
                        .toList());
        json.put("lstm_parameters", lstmParameters());
        json.put("other_parameters", model.otherParameters());
        json.put("flops_per_step", flopsPerStep());
        Map<String, Object> cost = new LinkedHashMap<>();
        cost.put("rows", batch);
        cost.put("steps", steps);
        cost.put("input_bytes", inputBytes());
        cost.put("output_bytes", outputBytes());
        cost.put("state_bytes", stateBytes());
        cost.put("flops", flops());
        json.put("batch", cost);
        return json;
    }

    private static Map<String, Object> toJson(GraphValue value) {
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
            json.put(
                    "layers",
                    lstm.model().layers().stream().map(GraphInfo::toJson).toList());
        }
        json.put("inputs", part.inputs());
        json.put("outputs", part.outputs());
        return json;
    }

    private static Map<String, Object> toJson(LstmLayer layer) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("direction", direction(layer));
        json.put("input_size", layer.inputSize());
        json.put("hidden_size", layer.hiddenSize());
        json.put("output_size", layer.outputSize());
        json.put("bias", layer.weights().get(0).hasBias());
        json.put("deviations", deviations(layer));
        json.put("parameters", layer.parameters());
        json.put("flops_per_step", layer.flopsPerStep());
        return json;
    }
}
