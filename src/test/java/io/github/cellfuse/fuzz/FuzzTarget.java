package io.github.cellfuse.fuzz;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.cl.CacheEntries;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.bench.BenchFiles;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.arrow.ArrowSequences;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import io.github.cellfuse.format.torch.SafetensorsFile;
import io.github.cellfuse.onnx.OnnxLstm;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.opencl.tune.TunedTexts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The readers of untrusted data. Whatever the bytes are, a reader gives a result or one of the documented exceptions,
 * and a command line ends with a documented exit code and a message of one line.
 */
enum FuzzTarget {
    NPY("format", ".npy", FuzzTarget::readNpy),
    NPZ("format", ".npz", FuzzTarget::readNpz),
    ARROW("arrow", ".arrow", FuzzTarget::readArrow),
    SAFETENSORS("format", ".safetensors", FuzzTarget::readSafetensors),
    ONNX_LSTM("onnx", ".onnx", OnnxLstm::load),
    ONNX_GRAPH("onnx", ".onnx", FuzzTarget::readGraph),
    KERAS("keras", ".keras", ModelFiles::read),
    HDF5("keras", ".h5", ModelFiles::read),
    TUNED("", ".txt", file -> TunedTexts.isUsable(new String(Files.readAllBytes(file), StandardCharsets.UTF_8))),
    CACHE("", ".bin", CacheEntries::isWhole),
    BENCH("", ".json", BenchFiles::read),
    CLI("", ".args", file -> runCommand(new String(Files.readAllBytes(file), StandardCharsets.UTF_8)));

    /** Larger seeds would slow the search down. */
    private static final long LARGEST_SEED = 25_000;

    private static final String BENCH_DOCUMENT = """
            {"format": "cellfuse-bench-1", "date": "2026-03-31T12:00:00Z", "device": {"name": "a GPU"}, "results": [
              {"suite": "lstm", "kernel": "lstm_step", "plan": "fused", "t": 1, "n": 2, "i": 3, "h": 4, "p": 4,
               "layers": 1, "directions": 1, "seconds": 0.5}]}
            """;

    private static final List<String> COMMANDS = List.of(
            "info MODEL --batch 16 --steps 4",
            "info GRAPH --output-name scores --shape tokens=2,?",
            "info --layers lstm,bidirectional MODEL --prefix a",
            "run MODEL X -o OUT --device java --lengths X --batch 3",
            "run GRAPH --input tokens=X --set a=1,2 --rows tokens=0 --frames x=1:32:16 --state h=h_out -o OUT",
            "convert MODEL -o OUT --onnx --lengths --states",
            "verify MODEL X --shape 3,4 --device java",
            "bench --shape 1,2,3,4 --seconds 0 --json OUT",
            "tune MODEL --shape 36,240 --device java",
            "devices --json");

    /** The name on the command line of {@code bin/fuzz}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    private interface Reader {
        void read(Path file) throws IOException;
    }

    private final String folder;
    private final String suffix;
    private final Reader reader;
    private Path file;

    FuzzTarget(String folder, String suffix, Reader reader) {
        this.folder = folder;
        this.suffix = suffix;
        this.reader = reader;
    }

    /** Reads {@code data} as a file. Throws what a reader must not throw. */
    void check(byte[] data) {
        try {
            file = file == null ? Files.createTempDirectory("cellfuse-fuzz").resolve("input" + suffix) : file;
            Files.write(file, data);
            reader.read(file);
        } catch (CellFuseException e) { // and InvalidInputException, which is one
            if (e.getMessage() == null || e.getMessage().lines().count() > 1) {
                throw new AssertionError("expected a message of one line", e);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns files that the reader takes, or refuses for a good reason, and what was found with {@code bin/fuzz}. */
    List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>(files(Path.of("src/test/resources/fuzz", toString()), ""));
        seeds.addAll(whole());
        return seeds;
    }

    private List<byte[]> whole() throws IOException {
        return switch (this) {
            case TUNED -> List.of(TunedTexts.text().getBytes(StandardCharsets.UTF_8));
            case CACHE -> List.of(CacheEntries.entry(Files.createTempDirectory("cellfuse-fuzz")));
            case BENCH -> List.of(BENCH_DOCUMENT.getBytes(StandardCharsets.UTF_8));
            case CLI ->
                COMMANDS.stream()
                        .map(line -> line.replace(' ', '\n').getBytes(StandardCharsets.UTF_8))
                        .toList();
            default -> files(Path.of("src/test/resources", folder), suffix);
        };
    }

    private static List<byte[]> files(Path folder, String suffix) throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        if (!Files.isDirectory(folder)) {
            return seeds; // nothing was found yet
        }
        try (Stream<Path> all = Files.list(folder)) {
            for (Path each : all.sorted().toList()) {
                if (each.toString().endsWith(suffix) && Files.size(each) <= LARGEST_SEED) {
                    seeds.add(Files.readAllBytes(each));
                }
            }
        }
        return seeds;
    }

    private static void readArrow(Path file) {
        try (ArrowSequences column = ArrowSequences.open(file, Optional.empty(), 2)) {
            long[] shape = column.shape();
            long rows = Math.min(100, shape[0]);
            column.read(0, FloatBuffer.allocate((int) Math.min(10_000, rows * shape[1] * shape[2])));
            column.readLengths(0, (int) rows);
        }
    }

    private static void readNpy(Path file) {
        try (NpyArray array = NpyArray.open(file)) {
            read(array);
        }
    }

    private static void read(NpyArray array) {
        array.read(0, FloatBuffer.allocate((int) Math.min(1000, array.elementCount())));
    }

    private static void readNpz(Path file) {
        try (NpzArchive archive = NpzArchive.open(file)) {
            for (String name : archive.names()) {
                try (NpyArray array = archive.array(name)) {
                    read(array);
                }
            }
        }
    }

    private static void readSafetensors(Path file) {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            tensors.tensors().forEach((name, tensor) -> {
                if (tensor.floatType().isPresent()) {
                    tensors.readFloats(name);
                }
            });
        }
        ModelFiles.read(file);
    }

    private static void readGraph(Path file) {
        OnnxModel model = OnnxModel.open(file);
        model.rows();
        model.otherParameters();
        model.lstms().forEach(lstm -> lstm.model().flopsPerStep());
    }

    /** Runs a command line, one argument in each line. Nothing is written but the output file. */
    private static void runCommand(String text) throws IOException {
        Path folder = Files.createTempDirectory("cellfuse-fuzz");
        try {
            List<String> arguments = new ArrayList<>();
            for (String word : text.split("\n", 40)) {
                arguments.add(word.replace("MODEL", "src/test/resources/format/lstm.safetensors")
                        .replace("GRAPH", "src/test/resources/onnx/tagger.onnx")
                        .replace("OUT", folder.resolve("out.npz").toString())
                        .replace("X", "src/test/resources/format/cube.npy"));
            }
            // These would take long, use a device, or write elsewhere.
            if (Stream.of("bench", "tune", "devices").anyMatch(arguments.get(0)::equals)
                            && !arguments.contains("--help")
                    || arguments.stream().anyMatch(word -> word.startsWith("-o") && !word.equals("-o"))) {
                return;
            }
            int output = arguments.indexOf("-o");
            if (output >= 0 && output + 1 < arguments.size()) {
                arguments.set(output + 1, folder.resolve("out.npz").toString());
            }
            Cli.Result result = Cli.run(arguments.toArray());
            boolean isKnown = result.exit() >= 0
                    && result.exit() <= 2
                    && !result.err().startsWith("cellfuse: error: internal error");
            if (!isKnown || result.exit() == 2 && result.err().lines().count() != 1) {
                throw new AssertionError("cellfuse " + arguments + ": " + result);
            }
        } finally {
            try (Stream<Path> left = Files.walk(folder)) {
                left.sorted((a, b) -> b.compareTo(a))
                        .forEach(path -> path.toFile().delete());
            }
        }
    }

    /** Returns the target of this name. */
    static FuzzTarget of(String name) {
        return Arrays.stream(values())
                .filter(target -> target.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "expected one of " + Arrays.toString(values()) + ", found " + name));
    }
}
