package io.github.cellfuse.cli.info;

import io.github.cellfuse.Activation;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.format.ModelFile;
import io.github.cellfuse.format.ModelFormat;
import io.github.cellfuse.format.torch.SafetensorsFile;
import io.github.cellfuse.spi.Sizes;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What {@code info} tells.
 *
 * @param batch rows to account for
 * @param steps time steps to account for
 */
record ModelInfo(Path path, ModelFile file, LstmModel model, long batch, long steps) {
    /** Tensors or layers beside the LSTM that the text names; JSON has all. */
    private static final int NAMED = 6;

    ModelInfo(Path path, ModelFile file, long batch, long steps) {
        this(path, file, file.model(), batch, steps);
    }

    void print(PrintWriter out) {
        // First what may be refused, so that nothing is printed then.
        String cost = cost();
        boolean isTensors = file.format() == ModelFormat.SAFETENSORS;
        line(out, "file", path.toString());
        file.version().ifPresent(version -> line(out, "saved by", version));
        if (isTensors) {
            line(out, "prefix", prefix().isEmpty() ? "none" : prefix());
        }
        line(out, "layers", model.layerCount() + " " + direction() + ", bias " + (hasBias() ? "yes" : "no"));
        line(out, "input", "I = " + model.inputSize());
        line(out, "hidden", "H = " + each(layer -> Integer.toString(layer.hiddenSize())));
        line(out, "projection", each(layer -> layer.hasProjection() ? "P = " + layer.stateSize() : "none"));
        if (!model.isOrdinary()) {
            line(out, "equations", each(ModelInfo::equations));
        }
        line(out, "output", "D*P = " + model.outputSize());
        line(out, "parameters", model.parameters() + " (" + Numbers.bytes(weightBytes()) + ")");
        line(out, "weights", describeStored());
        for (int layer = 0; layer < model.layerCount(); layer++) {
            LstmLayer one = model.layer(layer);
            line(
                    out,
                    "  layer " + layer,
                    (layerNames().isEmpty() ? "" : "'" + layerNames().get(layer) + "', ")
                            + (model.isUniform()
                                    ? ""
                                    : one.direction().toString().toLowerCase(Locale.ROOT) + ", ")
                            + one.inputSize() + " -> " + one.outputSize() + ", " + one.parameters() + " parameters, "
                            + one.flopsPerStep() + " FLOP per row and step");
        }
        line(out, "work", model.flopsPerStep() + " FLOP per row and step");
        line(out, "batch", cost);
        if (isTensors) {
            line(
                    out,
                    "other tensors",
                    some(file.otherTensors().stream()
                            .map(SafetensorsFile.Tensor::toString)
                            .toList()));
        } else if (file.format() == ModelFormat.KERAS) {
            line(out, "other layers", some(file.otherLayers()));
        }
        file.remarks().forEach(remark -> line(out, "note", remark));
    }

    private String cost() {
        return String.format(
                Locale.ROOT,
                "%s x %s: input %s, output %s, states %s, %s FLOP",
                Numbers.count(batch, "row"),
                Numbers.count(steps, "step"),
                Numbers.bytes(inputBytes()),
                Numbers.bytes(outputBytes()),
                Numbers.bytes(stateBytes()),
                flops());
    }

    /** A device's memory for the parameters, by the precision of the weights. */
    private String describeStored() {
        return Stream.of(WeightPrecision.values())
                        .map(weights -> "as " + weights + " " + Numbers.bytes(weights.bytes(model)))
                        .collect(Collectors.joining(", "))
                + ", with biases in float32";
    }

    private static String some(List<String> names) {
        if (names.isEmpty()) {
            return "none";
        }
        List<String> few = new ArrayList<>(names.subList(0, Math.min(NAMED, names.size())));
        if (names.size() > NAMED) {
            few.add("and " + (names.size() - NAMED) + " more");
        }
        return String.join(", ", few);
    }

    /** What a layer computes, where it isn't the ordinary LSTM: as {@code gates HardSigmoid(0.2, 0.5), peepholes}. */
    private static String equations(LstmLayer layer) {
        return layer.weights().stream().map(ModelInfo::equations).distinct().collect(Collectors.joining(" and "));
    }

    private static String equations(LstmWeights weights) {
        CellEquations equations = weights.equations();
        List<String> parts = new ArrayList<>();
        if (!equations.gate().equals(Activation.SIGMOID)) {
            parts.add("gates " + equations.gate());
        }
        if (!equations.candidate().equals(Activation.TANH)) {
            parts.add("candidate " + equations.candidate());
        }
        if (!equations.hidden().equals(Activation.TANH)) {
            parts.add("hidden " + equations.hidden());
        }
        if (equations.clips()) {
            parts.add("clip " + equations.clip());
        }
        if (equations.coupled()) {
            parts.add("coupled gates");
        }
        if (weights.hasPeepholes()) {
            parts.add("peepholes");
        }
        return parts.isEmpty() ? "ordinary" : String.join(", ", parts);
    }

    private static void line(PrintWriter out, String name, String value) {
        out.printf(Locale.ROOT, "%-14s %s%n", name, value);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", "cellfuse-info-1");
        json.put("file", path.toString());
        json.put("model_format", file.format().toString());
        json.put("saved_by", file.version().orElse(null));
        json.put("prefix", prefix());
        json.put("layer_count", model.layerCount());
        json.put("direction", direction());
        LstmLayer top = model.last();
        boolean alike = model.isUniform();
        json.put("direction_count", alike ? top.directionCount() : null);
        json.put("input_size", model.inputSize());
        json.put("hidden_size", alike ? top.hiddenSize() : null);
        json.put("projection_size", alike && top.hasProjection() ? top.stateSize() : null);
        json.put("output_size", model.outputSize());
        json.put("bias", hasBias());
        json.put("parameters", model.parameters());
        json.put("weight_bytes", weightBytes());
        Map<String, Object> stored = new LinkedHashMap<>();
        for (WeightPrecision weights : WeightPrecision.values()) {
            stored.put(weights.toString(), weights.bytes(model));
        }
        json.put("stored_bytes", stored);
        json.put("flops_per_step", model.flopsPerStep());
        List<Object> layers = new ArrayList<>();
        for (int layer = 0; layer < model.layerCount(); layer++) {
            LstmLayer one = model.layer(layer);
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("name", layerNames().isEmpty() ? null : layerNames().get(layer));
            entry.put("direction", one.direction().toString().toLowerCase(Locale.ROOT));
            entry.put("input_size", one.inputSize());
            entry.put("hidden_size", one.hiddenSize());
            entry.put("output_size", one.outputSize());
            entry.put("equations", equations(one));
            entry.put("parameters", one.parameters());
            entry.put("flops_per_step", one.flopsPerStep());
            layers.add(entry);
        }
        json.put("layers", layers);
        Map<String, Object> cost = new LinkedHashMap<>();
        cost.put("rows", batch);
        cost.put("steps", steps);
        cost.put("input_bytes", inputBytes());
        cost.put("output_bytes", outputBytes());
        cost.put("state_bytes", stateBytes());
        cost.put("flops", flops());
        json.put("batch", cost);
        json.put(
                "other_tensors",
                file.otherTensors().stream().map(ModelInfo::toJson).toList());
        json.put("other_layers", file.otherLayers());
        json.put("notes", file.remarks());
        return json;
    }

    private static Map<String, Object> toJson(SafetensorsFile.Tensor tensor) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", tensor.name());
        json.put("dtype", tensor.dtype());
        json.put("shape", Arrays.stream(tensor.shape()).boxed().toList());
        return json;
    }

    private String prefix() {
        return file.part().prefix().orElse("");
    }

    private List<String> layerNames() {
        return file.part().layers().orElse(List.of());
    }

    private String direction() {
        return each(layer -> layer.direction().toString().toLowerCase(Locale.ROOT));
    }

    /** What {@code property} is in all layers, or in each of them where they differ. */
    private String each(Function<LstmLayer, String> property) {
        List<String> values = model.layers().stream().map(property).toList();
        return values.stream().distinct().count() == 1 ? values.get(0) : String.join(", ", values);
    }

    private boolean hasBias() {
        return model.weights(0, 0).hasBias();
    }

    private long weightBytes() {
        return model.parameters() * Float.BYTES;
    }

    private long inputBytes() {
        return size("bytes of input", batch, steps, model.inputSize(), Float.BYTES);
    }

    private long outputBytes() {
        return size("bytes of output", batch, steps, model.outputSize(), Float.BYTES);
    }

    private long size(String what, long... factors) {
        return Sizes.product("--batch " + batch + ", --steps " + steps + ": " + what, factors);
    }

    /** h and c of every layer and direction. */
    private long stateBytes() {
        long values = model.hiddenValuesBelow(model.layerCount()) + model.cellValuesBelow(model.layerCount());
        return size("bytes of states", batch, values, Float.BYTES);
    }

    private long flops() {
        return size("FLOP", batch, steps, model.flopsPerStep());
    }
}
