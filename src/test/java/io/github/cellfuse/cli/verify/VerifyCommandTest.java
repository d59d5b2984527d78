package io.github.cellfuse.cli.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
        assertTrue(first.out().contains("random, ragged: 3 rows of 5 steps"), first.out());
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
        Cli.run("verify", MODEL, "--device", "java", "--shape", "2,30", "--json", json)
                .assertDone();
        JsonObject report = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        assertEquals(Set.of("format", "passed", "cases"), report.keySet());
        assertEquals("cellfuse-verify-1", report.get("format").getAsString());
        assertTrue(report.get("passed").getAsBoolean());
        assertEquals(2, report.getAsJsonArray("cases").size());
        JsonObject first = report.getAsJsonArray("cases").get(0).getAsJsonObject();
        assertEquals(
                Set.of(
                        "case",
                        "device",
                        "tier",
                        "rows",
                        "steps",
                        "judged_rows",
                        "bits_required",
                        "same_bits",
                        "within_bound",
                        "passed",
                        "stages",
                        "rounding"),
                first.keySet());
        assertEquals("exact", first.get("tier").getAsString());
        assertTrue(first.get("rounding").isJsonNull());
        assertEquals(3, first.getAsJsonArray("stages").size(), "the model and two layers");
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
                            "worst"),
                    y.keySet());
            assertEquals(
                    Set.of("index", "device", "reference", "error", "bound", "bound_kind", "ratio"),
                    y.getAsJsonObject("worst").keySet());
        }
        Cli.run("verify", MODEL, "--device", "java", "--json", json).assertError(2, "report.json");
        Cli.run("verify", MODEL, "--device", "java", "--shape", "1,1", "--json", json, "--overwrite")
                .assertDone();
        assertEquals("report.json", NpyFiles.names(folder));
    }

    @ParameterizedTest
    @ValueSource(strings = {"f16", "bf16"})
    void roundedWeightsGetALineOfTheirOwn(String weights) throws IOException {
        Path json = folder.resolve("report.json");
        String out = Cli.run("verify", MODEL, "--shape", "3,5", "--weights", weights, "--rows", 2, "--json", json)
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
        VerifyTable.print(new PrintWriter(text, true), "case", new DeviceOption.Choice(Device.JAVA, "a test"), report);
        for (String part : List.of(
                "model, y[row, step, feature] [0, 0, 0]: device ",
                ", java ",
                "exceeds its bound",
                "layer 0: outputs differ from step 0 on",
                "FAILED: BITS DIFFER from java; ERRORS EXCEED THEIR BOUND")) {
            assertTrue(text.toString().contains(part), part + " in:\n" + text);
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
        Cli.run("verify", MODEL, "--device", "opencl:99.0").assertError(2, "opencl:99.0");
        Cli.run("verify", MODEL, "--device", "toaster").assertError(2, "toaster");
        Cli.run("verify", folder.resolve("none.safetensors")).assertError(2, "none.safetensors");
        Cli.run("verify", MODEL, folder.resolve("none.npy")).assertError(2, "none.npy");
        Cli.run("verify", MODEL, "--json", folder.resolve("no").resolve("r.json"))
                .assertError(2, "r.json");
        Cli.run("verify", MODEL, NpyFiles.zeros(folder.resolve("x.npy"), 2, 3, 9))
                .assertError(2, "x.npy", "features");
    }
}
