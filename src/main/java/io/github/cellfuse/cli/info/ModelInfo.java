package io.github.cellfuse.cli.info;

import static io.github.cellfuse.cli.info.InfoText.line;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.format.ModelFile;
import io.github.cellfuse.format.ModelFormat;
import io.github.cellfuse.format.torch.SafetensorsFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Describes a model of LSTMs.
 *
 * @param batch rows of the batch to account for
 * @param steps time steps of the batch to account for
 */
record ModelInfo(Path path, ModelFile file, LstmModel model, long batch, long steps) {
    /** The most other tensors or layers that the text names; the JSON names all. */
    private static final int MOST_NAMES = 6;

    ModelInfo(Path path, ModelFile file, long batch, long steps) {
        this(path, file, file.model(), batch, steps);
    }

    void print(PrintWriter out) {
        // Sizes that overflow are an error, so the cost comes before anything is printed.
        String cost = BatchCost.of(List.of(model), batch, steps).describe("");
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
            line(out, "equations", each(Equations::describe));
        }
        line(out, "output", "D*P = " + model.outputSize());
        line(out, "weights", describeStored());
        List<LayerInfo> layers = layers();
        for (int k = 0; k < layers.size(); k++) {
            LayerInfo layer = layers.get(k);
            String name = layer.name().map(n -> "'" + n + "', ").orElse("");
            line(out, "  layer " + k, name + layer.describe());
        }
        InfoText.totals(out, List.of(model), OptionalLong.empty());
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

    /** Returns the memory that the parameters take on a device, for each precision of the weights. */
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
        List<String> few = new ArrayList<>(names.subList(0, Math.min(MOST_NAMES, names.size())));
        if (names.size() > MOST_NAMES) {
            few.add("and " + (names.size() - MOST_NAMES) + " more");
        }
        return String.join(", ", few);
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
        json.put("layers", layers().stream().map(LayerInfo::toJson).toList());
        json.put("batch", BatchCost.of(List.of(model), batch, steps).toJson());
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

    private List<LayerInfo> layers() {
        return LayerInfo.of(model.layers(), file.part().layers().orElse(List.of()));
    }

    private String direction() {
        return each(LayerInfo::direction);
    }

    /** Returns a property of all layers: one value where they agree, and one for each layer where they differ. */
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
}
