package io.github.cellfuse.cli.info;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.Json;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.graph.GraphOpener;
import io.github.cellfuse.cli.graph.OutputNameOption;
import io.github.cellfuse.cli.graph.SetOption;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cellfuse info}: describes a model and its cost. */
@Command(
        name = "info",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Show a model's layers and sizes, where each part of a graph runs, and the cost of a batch.",
        description = {"", "Bytes assume float32. Each multiply-add of the matrix products counts as two FLOP.", ""},
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse info model.safetensors",
            "  cellfuse info model.safetensors --batch 1024 --steps 100",
            "  cellfuse info model.onnx --set sr=16000 --shape input=?,576",
            "  cellfuse info model.safetensors --prefix encoder.rnn --json",
            "  cellfuse info tagger.keras --layers lstm,bidirectional"
        })
public final class InfoCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Mixin
    private SetOption settings;

    @Mixin
    private OutputNameOption outputNames;

    @Option(names = "--batch", paramLabel = "N", description = "Rows of the batch whose cost is shown. Default: 1.")
    private int batch = 1;

    @Option(
            names = "--steps",
            paramLabel = "T",
            description = "Time steps of the batch whose cost is shown. Default: 1.")
    private int steps = 1;

    @Option(
            names = "--shape",
            paramLabel = "NAME=SIZES",
            description = "Shape of an input of an .onnx model, such as x=2,64,512, with ? for any size. Branches that"
                    + " shapes decide are then resolved as in a run.")
    private List<String> shapes = List.of();

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    InfoCommand() {}

    @Override
    public void run() {
        atLeastOne("--batch", batch);
        atLeastOne("--steps", steps);
        PrintWriter out = spec.commandLine().getOut();
        if (model.isOnnx()) {
            printGraph(out);
            return;
        }
        model.refuse(spec, ".onnx models", "--set", "--output-name", "--shape");
        ModelInfo info = new ModelInfo(model.path(), model.read(), batch, steps);
        if (json) {
            Json.print(out, info.toJson());
        } else {
            info.print(out);
        }
    }

    private void printGraph(PrintWriter out) {
        model.refuse(spec, "bare LSTMs", "--prefix", "--layers");
        Map<String, long[]> known = shapes();
        OnnxModel opened = GraphOpener.open(model.path(), settings, outputNames);
        known.forEach((name, shape) -> check(opened, name, shape));
        GraphInfo info = new GraphInfo(opened.withShapes(known), opened.rows(known), batch, steps);
        if (json) {
            Json.print(out, info.toJson());
        } else {
            info.print(out);
        }
    }

    private Map<String, long[]> shapes() {
        Map<String, long[]> known = new LinkedHashMap<>();
        for (String argument : shapes) {
            int equals = argument.lastIndexOf('=');
            String sizes = argument.substring(equals + 1);
            if (equals < 1 || !sizes.matches("(\\d{1,18}|\\?)(,(\\d{1,18}|\\?))*")) {
                throw new InvalidInputException(
                        "--shape: expected NAME=SIZE,SIZE,... with ? for any size, found '" + argument + "'");
            }
            long[] shape = Arrays.stream(sizes.split(","))
                    .mapToLong(size -> size.equals("?") ? -1 : Long.parseLong(size))
                    .toArray();
            if (known.put(argument.substring(0, equals), shape) != null) {
                throw new InvalidInputException("--shape given twice for " + argument.substring(0, equals));
            }
        }
        return known;
    }

    private static void check(OnnxModel model, String name, long[] shape) {
        List<GraphValue> inputs = model.inputs();
        GraphValue input = inputs.stream()
                .filter(value -> value.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("--shape: expected an input of " + model.path()
                        + ", one of " + inputs.stream().map(GraphValue::name).collect(Collectors.joining(", "))
                        + ", found '" + name + "'"));
        if (!input.accepts(shape)) {
            String found = Arrays.stream(shape)
                    .mapToObj(size -> size < 0 ? "?" : Long.toString(size))
                    .collect(Collectors.joining(", "));
            throw new InvalidInputException("--shape: expected a shape of input '" + name + "', " + input.describe()
                    + ", found [" + found + "]");
        }
    }

    private static void atLeastOne(String option, int value) {
        if (value < 1) {
            throw new InvalidInputException(option + ": expected at least 1, found " + value);
        }
    }
}
