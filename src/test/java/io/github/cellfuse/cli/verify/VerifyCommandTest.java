package io.github.cellfuse.cli.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.opencl.engine.LooseKernels;
import io.github.cellfuse.verify.RandomInput;
import io.github.cellfuse.verify.Verifier;
import io.github.cellfuse.verify.VerifyReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerifyCommandTest {
    private static final Path EXAMPLE = Path.of("examples", "sunspots");
    private static final Path MODEL = EXAMPLE.resolve("model.safetensors");
    private static final Path INPUT = EXAMPLE.resolve("input.npy");

    @TempDir
    Path folder;

    static Stream<Device> devices() {
        return TestEngines.exact().stream();
    }

    @ParameterizedTest
    @MethodSource("devices")
    void verifiesTheExample(Device device) {
        String out = Cli.run("verify", MODEL, INPUT, "--device", device, "--rows", 2)
                .assertDone()
                .out();
        assertTrue(out.contains("240 rows of 36 steps"), out);
        assertTrue(out.contains("errors of 2 rows against"), out);
        assertTrue(out.contains("verified: every bit agrees with java; every error is within its bound"), out);
    }

    @Test
    void makesRandomBatchesWithoutAnInput() {
        Cli.Result first =
                Cli.run("verify", MODEL, "--device", "java", "--shape", "3,5", "--seed", 4, "--layout", "TNC");
        first.assertDone();
        assertTrue(first.out().contains("random: 3 rows of 5 steps"), first.out());
        assertTrue(first.out().contains("ragged: 3 rows of 5 steps"), first.out());
        Cli.Result again =
                Cli.run("verify", MODEL, "--device", "java", "--shape", "3,5", "--seed", 4, "--layout", "TNC");
        assertEquals(first.out(), again.out());
    }

    @Test
    void takesLengths() {
        Path model = folder.resolve("model.safetensors");
        PyTorchLstm.save(RandomLstm.model(new Random(1), 1, 2, 3, false, true), model, false, "");
        Path x = NpyFiles.floats(folder.resolve("x.npy"), RandomLstm.values(new Random(2), 3 * 4 * 2, 1), 3, 4, 2);
        Path lengths = NpyFiles.ints(folder.resolve("l.npy"), 4, 0, 2);
        Cli.run("verify", model, x, "--device", "java", "--lengths", lengths).assertDone();
        Path wrong = NpyFiles.ints(folder.resolve("w.npy"), 4, 5, 2);
        Cli.run("verify", model, x, "--device", "java", "--lengths", wrong)
                .assertError(2, "w.npy", "lengths[1]", "0 to 4", "5");
    }

    @Test
    void writesJson() throws IOException {
        Path json = folder.resolve("report.json");
        Cli.run("verify", MODEL, "--device", "java", "--case", "random,ragged", "--shape", "2,30", "--json", json)
                .assertDone();
        JsonObject report = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        assertEquals(
                Set.of("format", "date", "version", "model", "passed", "failed_devices", "cases"), report.keySet());
        assertEquals(MODEL.toString(), report.get("model").getAsString());
        assertEquals("cellfuse-verify-2", report.get("format").getAsString());
        assertTrue(report.get("passed").getAsBoolean());
        assertEquals(2, report.getAsJsonArray("cases").size());
        JsonObject first = report.getAsJsonArray("cases").get(0).getAsJsonObject();
        assertEquals(
                Set.of(
                        "case",
                        "device",
                        "device_reason",
                        "tier",
                        "rows",
                        "steps",
                        "judged_rows",
                        "bits_required",
                        "same_bits",
                        "within_bound",
                        "passed",
                        "stages",
                        "cells",
                        "rounding"),
                first.keySet());
        assertEquals("exact", first.get("tier").getAsString());
        assertTrue(first.get("rounding").isJsonNull());
        assertEquals(3, first.getAsJsonArray("stages").size(), "the model and two layers");
        assertEquals(2, first.getAsJsonArray("cells").size(), "two layers");
        JsonObject cells = first.getAsJsonArray("cells").get(1).getAsJsonObject();
        assertEquals(Set.of("layer", "strayed", "quantities", "faults"), cells.keySet());
        assertEquals(1, cells.get("layer").getAsInt());
        assertEquals(10, cells.getAsJsonArray("quantities").size());
        JsonObject gate = cells.getAsJsonArray("quantities").get(4).getAsJsonObject();
        assertEquals(Set.of("quantity", "direction", "values", "steps"), gate.keySet());
        assertEquals("i", gate.get("quantity").getAsString());
        assertEquals(2 * 30 * 32, gate.getAsJsonObject("values").get("elements").getAsInt());
        assertEquals(15, gate.getAsJsonArray("steps").size());
        for (JsonElement element : first.getAsJsonArray("stages")) {
            JsonObject stage = element.getAsJsonObject();
            assertEquals(Set.of("stage", "first_differing_step", "y", "h_n", "c_n", "steps"), stage.keySet());
            JsonObject y = stage.getAsJsonObject("y");
            assertEquals(
                    Set.of(
                            "elements",
                            "differing",
                            "first_difference",
                            "judged",
                            "not_judged",
                            "violations",
                            "largest_error",
                            "largest_bound",
                            "largest_ulps",
                            "ulps",
                            "worst"),
                    y.keySet());
            long counted = y.getAsJsonArray("ulps").asList().stream()
                    .mapToLong(JsonElement::getAsLong)
                    .sum();
            assertEquals(y.get("judged").getAsLong(), counted, "every judged value is counted");
            double largest = y.get("largest_ulps").getAsDouble();
            int last = y.getAsJsonArray("ulps").size() - 1;
            assertTrue(largest > Math.pow(2, last - 2) && largest <= Math.pow(2, last - 1), largest + ": " + last);
            JsonObject step =
                    stage.getAsJsonArray("steps").get(0).getAsJsonObject().getAsJsonObject("y");
            assertTrue(
                    step.has("largest_ulps") && !step.has("ulps"), step.keySet().toString());
            assertEquals(
                    Set.of("index", "device", "reference", "error", "bound", "bound_kind", "ratio"),
                    y.getAsJsonObject("worst").keySet());
        }
        Cli.run("verify", MODEL, "--device", "java", "--json", json).assertError(2, "report.json");
        Cli.run("verify", MODEL, "--device", "java", "--case", "nan", "--shape", "1,1", "--json", json, "--overwrite")
                .assertDone();
        assertEquals("report.json", NpyFiles.names(folder));
    }

    @ParameterizedTest
    @ValueSource(strings = {"f16", "bf16"})
    void roundedWeightsGetALineOfTheirOwn(String weights) throws IOException {
        Path json = folder.resolve("report.json");
        String out = Cli.run(
                        "verify",
                        MODEL,
                        "--case",
                        "random,ragged",
                        "--shape",
                        "3,5",
                        "--weights",
                        weights,
                        "--rows",
                        2,
                        "--json",
                        json)
                .assertDone()
                .out();
        String name = weights.equals("f16") ? "float16" : "bfloat16";
        assertEquals(
                2,
                out.lines()
                        .filter(line -> line.matches("rounding of the weights to " + name
                                + ", largest error \\(root mean square\\) against double"
                                + " precision with unrounded weights: "
                                + "y [0-9.e-]+ \\([0-9.e-]+\\), h_n [0-9.e-]+"
                                + " \\([0-9.e-]+\\), c_n [0-9.e-]+ \\([0-9.e-]+\\)"))
                        .count(),
                out);
        assertTrue(out.contains("verified: every bit agrees with java; every error is within its bound"), out);
        JsonObject first = JsonParser.parseString(Files.readString(json))
                .getAsJsonObject()
                .getAsJsonArray("cases")
                .get(0)
                .getAsJsonObject();
        JsonObject rounding = first.getAsJsonObject("rounding");
        assertEquals(Set.of("weights", "y", "h_n", "c_n"), rounding.keySet());
        assertEquals(weights, rounding.get("weights").getAsString());
        JsonObject y = rounding.getAsJsonObject("y");
        assertEquals(Set.of("elements", "largest", "root_mean_square"), y.keySet());
        assertEquals(2 * 5 * 32, y.get("elements").getAsInt(), "two judged rows");
        assertTrue(y.get("largest").getAsDouble() > y.get("root_mean_square").getAsDouble());
        assertTrue(y.get("root_mean_square").getAsDouble() > 1e-6);
    }

    @Test
    void aFaultIsNamedInTheTable() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 2, 3, false, true);
        LstmModel other = new LstmModel(
                Direction.FORWARD,
                RandomLstm.model(new Random(5), 1, 2, 3, false, true).layers().stream()
                        .map(layer -> layer.weights().subList(0, 1))
                        .toList());
        model = new LstmModel(
                Direction.FORWARD, List.of(model.layer(0).weights().subList(0, 1)));
        VerifyReport report = new Verifier(m -> LstmEngine.open(Device.JAVA, other), 2)
                .verify(model, RandomInput.full(model, Layout.BATCH_MAJOR, 2, 3, 1));
        StringWriter text = new StringWriter();
        VerifyTable.print(
                new PrintWriter(text, true),
                "case",
                new DeviceOption.Choice(Device.JAVA, "a test"),
                report,
                layer -> "repeat layer " + layer);
        for (String part : List.of(
                "model, y[row, step, feature] [0, 0, 0]: device ",
                ", java ",
                "exceeds its bound",
                "layer 0: outputs differ from step 0 on",
                "first fault: layer 0, direction 0, step 0, row 0, unit 0: a_i is ",
                "  sum of 5 products\n  bias = ",
                "  to repeat: repeat layer 0",
                "FAILED: BITS DIFFER from java; ERRORS EXCEED THEIR BOUND")) {
            assertTrue(text.toString().contains(part), part + " in:\n" + text);
        }
    }

    /** A kernel with a fault: the report names the first wrong value, and its command finds the same one alone. */
    @Test
    void theCommandOfTheReportRepeatsTheFault() throws IOException {
        Path model = folder.resolve("two layers.safetensors");
        PyTorchLstm.save(RandomLstm.model(new Random(1), Direction.FORWARD, 2, 3, 5, false, true), model, false, "");
        Path kernels = Files.createDirectory(folder.resolve("kernels"));
        Path json = folder.resolve("report.json"), html = folder.resolve("report.html");
        LooseKernels.with(
                kernels, "lstm_cell.cl", "next.h = o * tanh_(next.c);", "next.h = o * tanh_(next.c) * 1.25f;", () -> {
                    Cli.Result found = Cli.run(
                            "verify",
                            model,
                            "--device",
                            "opencl",
                            "--case",
                            "ragged",
                            "--shape",
                            "4,6",
                            "--seed",
                            3,
                            "--json",
                            json,
                            "--html",
                            html);
                    assertEquals(1, found.exit(), found.out());
                    List<String> faults = found.out()
                            .lines()
                            .filter(line -> line.startsWith("first fault: "))
                            .toList();
                    assertEquals(2, faults.size(), "one for each layer");
                    assertTrue(
                            faults.get(1).matches("first fault: layer 1, direction 0, step 0, row 1, unit 0: h is .*"),
                            faults.get(1));
                    List<String> commands = found.out()
                            .lines()
                            .filter(line -> line.startsWith("  to repeat: "))
                            .map(line -> line.substring("  to repeat: ".length()))
                            .toList();
                    assertEquals(
                            "cellfuse verify '" + model + "' --case ragged --shape 4,6 --seed 3 --device "
                                    + commands.get(1).replaceAll(".*--device (\\S+) .*", "$1") + " --layer 1",
                            commands.get(1));
                    Object[] words = commands.get(1)
                            .replace("cellfuse ", "")
                            .replace("'" + model + "'", "MODEL")
                            .split(" ");
                    words[1] = model.toString();
                    Cli.Result again = Cli.run(words);
                    assertEquals(1, again.exit(), again.out());
                    assertTrue(again.out().contains(faults.get(1)), again.out());
                    assertFalse(again.out().contains("layer 0"), again.out());
                });
        String page = Files.readString(html);
        assertTrue(page.contains("\"passed\":false") && page.contains(" --layer 1\"}"), "the page has the command");
        JsonObject fault = JsonParser.parseString(Files.readString(json))
                .getAsJsonObject()
                .getAsJsonArray("cases")
                .get(0)
                .getAsJsonObject()
                .getAsJsonArray("cells")
                .get(1)
                .getAsJsonObject()
                .getAsJsonArray("faults")
                .get(0)
                .getAsJsonObject();
        assertEquals(
                Set.of(
                        "quantity",
                        "direction",
                        "index",
                        "device",
                        "device_bits",
                        "twin",
                        "twin_bits",
                        "products",
                        "operands",
                        "repeat"),
                fault.keySet());
        assertEquals("h", fault.get("quantity").getAsString());
        assertEquals("[1,0,0]", fault.get("index").toString());
    }

    @Test
    void everyDeviceIsVerifiedAndSummed() {
        Path model = folder.resolve("model.safetensors");
        PyTorchLstm.save(RandomLstm.model(new Random(1), 1, 2, 3, false, true), model, false, "");
        String out = Cli.run("verify", model, "--all-devices", "--case", "random", "--shape", "3,4")
                .assertDone()
                .out();
        for (Device device : TestEngines.all()) {
            assertTrue(out.contains("device " + device + " ("), out);
            String tier = device.equals(Device.REFERENCE) ? "reference" : "exact";
            assertTrue(
                    out.lines().anyMatch(line -> line.matches("  " + device + " +" + tier + " +1   verified: .*")),
                    out);
        }
    }

    @Test
    void refusesWrongArguments() {
        Cli.run("verify", MODEL, "--shape", "3").assertError(2, "--shape", "'3'");
        Cli.run("verify", MODEL, "--shape", "0,3").assertError(2, "--shape", "0,3");
        Cli.run("verify", MODEL, "--weights", "f64").assertError(2, "--weights", "F32, F16, BF16", "'f64'");
        Cli.run("verify", MODEL, "--rows", "0").assertError(2, "--rows", "0");
        Cli.run("verify", MODEL, INPUT, "--shape", "3,4").assertError(2, "--shape");
        Cli.run("verify", MODEL, INPUT, "--seed", "3").assertError(2, "--seed");
        Cli.run("verify", MODEL, "--lengths", INPUT).assertError(2, "--lengths");
        Cli.run("verify", MODEL, INPUT, "--case", "nan").assertError(2, "--case nan", "input.npy");
        Cli.run("verify", MODEL, "--case", "nane").assertError(2, "--case", "huge-weights", "'nane'");
        Cli.run("verify", MODEL, "--layer", "2").assertError(2, "--layer", "0 to 1", "2");
        Cli.run("verify", MODEL, "--layer", "-1").assertError(2, "--layer", "-1");
        Cli.run("verify", MODEL, "--all-devices", "--device", "java").assertError(2, "--device", "--all-devices");
        Cli.run("verify", MODEL, "--device", "opencl:99.0").assertError(2, "opencl:99.0");
        Cli.run("verify", MODEL, "--device", "toaster").assertError(2, "toaster");
        Cli.run("verify", folder.resolve("none.safetensors")).assertError(2, "none.safetensors");
        Cli.run("verify", MODEL, folder.resolve("none.npy")).assertError(2, "none.npy");
        Cli.run("verify", MODEL, "--json", folder.resolve("no").resolve("r.json"))
                .assertError(2, "r.json");
        Cli.run("verify", MODEL, "--html", folder.resolve("r.json")).assertError(2, "r.json", ".html");
        Cli.run("verify", MODEL, NpyFiles.zeros(folder.resolve("x.npy"), 2, 3, 9))
                .assertError(2, "x.npy", "features");
    }
}
