package io.github.cellfuse.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole command, in a process of its own. Most tests have a script in the place of Python, which answers like
 * peer.py: the Python of a machine may have no torch, and has no CUDA here. They see no OpenCL device unless they say
 * so; the results are then compared with plain Java.
 */
class CompareGpuTest {
    private static final Path SCRIPT = Path.of("gpu", "peer.py");

    @TempDir
    private Path folder;

    /** What a run of the command gave; {@code json} is null where it wrote no file. */
    private record Outcome(int status, String output, JsonObject json) {
        JsonObject row() {
            return json.getAsJsonArray("results").get(0).getAsJsonObject();
        }

        String version(String contender) {
            return json.getAsJsonObject("versions").get(contender).getAsString();
        }

        String missing(String peer) {
            return json.getAsJsonObject("missing").get(peer).getAsString();
        }

        String failure(String peer) {
            return row().getAsJsonObject("failures").get(peer).getAsString();
        }
    }

    @Test
    void oursAndEveryPrecisionTakeTurns() throws Exception {
        Outcome outcome = withOpenCl("--python", python("").toString(), "--any-device");
        assertEquals(0, outcome.status, outcome.output);
        JsonObject row = outcome.row();
        assertTrue(row.get("ours_device_s").getAsDouble() > 0);
        assertTrue(row.get("ours_wall_s").getAsDouble() > 0);
        assertEquals(1, row.get("torch_fp32_s").getAsDouble());
        assertEquals(2, row.get("torch_tf32_s").getAsDouble());
        assertEquals(3, row.get("torch_fp16_s").getAsDouble());
        assertEquals(4, row.get("torch_graph_s").getAsDouble());
        assertTrue(row.get("ratio_fp32").getAsDouble()
                >= 1 / row.get("ours_device_s").getAsDouble() / 100);
        assertEquals(
                2, row.getAsJsonObject("rounds").getAsJsonArray("ours_device_s").size());
        assertTrue(outcome.missing("ort_cuda").contains("no onnxruntime_gpu jar"), outcome.output);
        assertTrue(outcome.output.contains("ONNX Runtime on CUDA is left out: no onnxruntime_gpu jar"), outcome.output);
    }

    /** With torch this compares real results; without, the command still runs and says why. */
    @Test
    void theRealScriptRunsOrSaysWhyNot() throws Exception {
        Outcome outcome = withOpenCl("--any-device");
        assertEquals(0, outcome.status, outcome.output);
        assertTrue(outcome.row().get("ours_device_s").getAsDouble() > 0);
        if (outcome.json.getAsJsonObject("missing").has("torch_fp32")) {
            String reason = outcome.missing("torch_fp32");
            assertTrue(reason.contains("has no torch") || reason.contains("can't be started"), reason);
            assertTrue(
                    outcome.output.contains(
                            "torch float32, torch fp32 graph, torch TF32, torch float16 are left out: " + reason),
                    outcome.output);
        } else {
            assertTrue(outcome.row().get("ratio_fp32").getAsDouble() > 0);
            JsonObject differences = outcome.row().getAsJsonObject("largest_difference");
            assertTrue(differences.get("torch_fp32").getAsDouble() < 1e-5, outcome.output);
        }
    }

    /** The stand-in looks for what was measured, which only exists while the command runs. */
    @Test
    void oursIsTunedBeforeAShapeIfThatWasAskedFor() throws Exception {
        String python = python("fp32:prepare) [ -n \"$(ls \"$4/tuned\")\" ] && r ready || r error not tuned;;")
                .toString();
        Outcome tuned = withOpenCl("--python", python, "--any-device", "--tune", "0.1");
        assertEquals(0, tuned.status, tuned.output);
        assertTrue(tuned.version("ours").endsWith(", tuned for 0.1 s a shape"), tuned.output);
        Outcome usual = withOpenCl("--python", python, "--any-device");
        assertEquals("torch float32: not tuned", usual.failure("torch_fp32"), usual.output);
        assertFalse(usual.version("ours").contains("tuned"), usual.output);
    }

    @Test
    void withoutAGpuTorchIsTimedAlone() throws Exception {
        Outcome outcome = withoutOpenCl("--python", python("").toString());
        assertEquals(0, outcome.status, outcome.output);
        assertEquals("no OpenCL GPU", outcome.missing("ours"));
        assertEquals(1, outcome.row().get("torch_fp32_s").getAsDouble());
        assertTrue(outcome.row().get("ratio_fp32").isJsonNull());
    }

    @Test
    void aWrongFloat32IsNamedAndNoTorchIsTimed() throws Exception {
        for (String wrong : List.of("0.001", "Infinity")) {
            Outcome outcome = withoutOpenCl(
                    "--python", python("fp32:check) r " + wrong + ";;").toString());
            assertEquals(1, outcome.status, outcome.output);
            assertTrue(outcome.failure("torch_fp32").contains("differ by " + wrong), outcome.output);
            assertTrue(outcome.failure("torch_fp32").contains("more than 1.0E-4: not timed"), outcome.output);
            for (GpuPeer peer : GpuPeer.torch()) {
                assertTrue(outcome.row().get(peer.key() + "_s").isJsonNull(), outcome.output);
                assertNotNull(outcome.failure(peer.key()));
            }
        }
    }

    @Test
    void anAnswerThatIsNoNumberIsNamed() throws Exception {
        Outcome outcome =
                withoutOpenCl("--python", python("fp32:check) r inf;;").toString());
        assertEquals(1, outcome.status, outcome.output);
        assertTrue(outcome.failure("torch_fp32").contains("expected a number"), outcome.output);
        assertTrue(outcome.failure("torch_fp32").contains("found 'inf'"), outcome.output);
    }

    @Test
    void aWrongLesserPrecisionLeavesTheOthersIn() throws Exception {
        Outcome outcome =
                withoutOpenCl("--python", python("tf32:check) r 0.01;;").toString());
        assertEquals(1, outcome.status, outcome.output);
        assertTrue(outcome.failure("torch_tf32").contains("more than 0.002"), outcome.output);
        assertTrue(outcome.row().get("torch_tf32_s").isJsonNull());
        assertEquals(1, outcome.row().get("torch_fp32_s").getAsDouble());
        assertEquals(3, outcome.row().get("torch_fp16_s").getAsDouble());
    }

    /** A failed capture of a graph, a device without memory in a turn, and a process that ends. */
    @Test
    void whoeverFailsIsNamedAndTheOthersGoOn() throws Exception {
        Outcome outcome = withoutOpenCl(
                "--python",
                python("fp32-graph:prepare) r error no capture;; tf32:turn) r error out of memory;; fp16:turn) exit;;")
                        .toString());
        assertEquals(1, outcome.status, outcome.output);
        assertEquals("torch fp32 graph: no capture", outcome.failure("torch_graph"));
        assertEquals("torch TF32: out of memory", outcome.failure("torch_tf32"));
        assertTrue(outcome.failure("torch_fp16").startsWith("torch float16: its process ended"), outcome.output);
        assertTrue(outcome.row().get("torch_tf32_s").isJsonNull());
        assertEquals(1, outcome.row().get("torch_fp32_s").getAsDouble());
        assertFalse(outcome.json.getAsJsonObject("missing").has("torch_tf32"));
    }

    @Test
    void withNothingToTimeItFailsInOneLine() throws Exception {
        Outcome outcome = withoutOpenCl("--python", folder.resolve("no-python").toString());
        assertEquals(1, outcome.status, outcome.output);
        assertTrue(outcome.output.contains("cellfuse: error: there is nothing to time here"), outcome.output);
        assertTrue(outcome.output.contains("its process can't be started"), outcome.output);
        assertFalse(outcome.output.contains("\tat "), outcome.output);
    }

    @Test
    void wrongArgumentsEndWithStatus2() throws Exception {
        for (String[] words : new String[][] {
            {"--shape", "1,2,3"},
            {"--rounds", "-1"},
            {"--tune", "-1"},
            {"--tune", "NaN"},
            {"--device", "java"},
            {"--ort-gpu", "nowhere.jar"},
            {"--threads"}
        }) {
            Outcome outcome = withoutOpenCl(words);
            assertEquals(2, outcome.status, outcome.output);
            assertTrue(outcome.output.contains(words[0].substring(2)), outcome.output);
        }
    }

    /**
     * A stand-in for Python: peer.py's answers, except for {@code cases} of the form {@code MODE:COMMAND) ...;;}, in
     * which {@code r} replies.
     */
    private Path python(String cases) throws IOException {
        Path file = folder.resolve("python-" + Integer.toHexString(cases.hashCode()));
        Files.writeString(file, """
                #!/bin/sh
                r() { echo "@cellfuse $*"; }
                mode=$3
                [ "$2" = worker ] && [ "${1##*/}" = peer.py ] && [ -d "$4" ] || exit 1
                case $mode in fp32) t=1 ;; tf32) t=2 ;; fp16) t=3 ;; fp32-graph) t=4 ;; esac
                r stand-in
                while read -r command argument; do
                  case $mode:$command in
                    CASES
                    *:prepare) [ -s "$4/x" ] && r ready || r error no x ;;
                    *:check) [ -s "$argument" ] && r 0.00001 || r error no y ;;
                    *:warm) r 0.5 ;;
                    *:turn) r $t ;;
                    *) r error unknown ;;
                  esac
                done
                """.replace("CASES", cases));
        assertTrue(file.toFile().setExecutable(true));
        return file;
    }

    private Outcome withOpenCl(String... words) throws Exception {
        return run(null, words);
    }

    private Outcome withoutOpenCl(String... words) throws Exception {
        return run(Files.createDirectories(folder.resolve("no-vendors")), words);
    }

    private Outcome run(Path vendors, String... words) throws Exception {
        Path json = folder.resolve("results.json");
        Files.deleteIfExists(json);
        Path home = Path.of(System.getProperty("java.home"));
        List<String> command = new ArrayList<>(List.of(
                home.resolve("bin").resolve("java").toString(),
                "-Dcellfuse.bench.peer=" + SCRIPT.toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                CompareGpu.class.getName(),
                "--gpu",
                "--quick",
                "--rounds=2",
                "--json",
                json.toString()));
        command.addAll(List.of(words));
        if (!List.of(words).contains("--shape")) {
            command.addAll(List.of("--shape", "4,3,5,6"));
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // PoCL brings LLVM's signal handlers into the process; the JDK's libjsig keeps the JVM's in front.
        try (Stream<Path> libraries = Files.walk(home.resolve("lib"))) {
            libraries
                    .filter(file -> file.endsWith("libjsig.so"))
                    .findFirst()
                    .ifPresent(file -> builder.environment().put("LD_PRELOAD", file.toString()));
        }
        if (vendors != null) {
            builder.environment().put("OCL_ICD_VENDORS", vendors.toString());
        }
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        JsonObject results = Files.exists(json)
                ? JsonParser.parseString(Files.readString(json)).getAsJsonObject()
                : null;
        return new Outcome(status, output, results);
    }
}
