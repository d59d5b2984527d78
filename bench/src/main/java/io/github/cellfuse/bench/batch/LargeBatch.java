package io.github.cellfuse.bench.batch;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.Device;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.batch.Chunking;
import io.github.cellfuse.bench.load.LayerShape;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Compares {@code cellfuse run} over a file in the page cache with what limits it: the rate at which a session runs
 * chunks of the same size that are in memory, and the rate at which the file can be read. They take turns. Also
 * compares orders of rows that differ in length; see {@link MixedLengths}.
 */
@Command(
        name = "bench/large-batch",
        mixinStandardHelpOptions = true,
        description = "Times cellfuse run over a file against runs in memory and reading alone.")
public final class LargeBatch implements Callable<Integer> {
    /** Runs of a chunk in memory, and reads of the file, in a turn. */
    private static final int CHUNKS = 8;

    @Option(
            names = "--shape",
            paramLabel = "T,N,I,H[,last|,lengths]",
            defaultValue = "64,8192,512,512 64,262144,64,64,last 2000,20000,16,64,lengths",
            split = " ",
            description = "N rows in all; 'last' writes the last outputs instead of y. With 'lengths', rows have 1 to T"
                    + " steps: jobs in the order of the file and by length are compared. Default: ${DEFAULT-VALUE}.")
    private List<String> shapes;

    @Option(names = "--device", paramLabel = "D", defaultValue = "opencl", description = "Default: ${DEFAULT-VALUE}.")
    private String device;

    @Option(names = "--turns", paramLabel = "K", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}.")
    private int turns;

    @Option(names = "--folder", paramLabel = "D", description = "Where the files go. Default: a temporary folder.")
    private Path folder;

    private LargeBatch() {}

    public static void main(String[] words) {
        System.exit(new CommandLine(new LargeBatch()).execute(words));
    }

    @Override
    public Integer call() throws Exception {
        Path work = folder == null ? Files.createTempDirectory("large-batch") : folder;
        try {
            System.out.println("T,N,I,H                     chunk   run rows/s   memory rows/s   read rows/s   ratio");
            for (String word : shapes) {
                if (word.endsWith(",lengths")) {
                    measureLengths(LayerShape.parse(word.substring(0, word.lastIndexOf(','))), work);
                    continue;
                }
                boolean last = word.endsWith(",last");
                measure(LayerShape.parse(last ? word.substring(0, word.lastIndexOf(',')) : word), last, work);
            }
        } finally {
            if (folder == null) {
                delete(work);
            }
        }
        return 0;
    }

    private void measure(LayerShape shape, boolean last, Path work) throws IOException, InterruptedException {
        LstmModel model = shape.model(new SplittableRandom(1));
        Path modelFile = work.resolve("model.safetensors"), x = work.resolve("x.npy");
        PyTorchLstm.save(model, modelFile, true, "");
        write(shape, x);
        int chunk = Chunking.automatic(model, shape.rows(), shape.steps(), !last, false)
                .chunkRows();
        List<Double> run = new ArrayList<>(), memory = new ArrayList<>(), read = new ArrayList<>();
        for (int turn = 0; turn < turns; turn++) {
            memory.add(inMemory(shape, model, chunk, last));
            read.add(reading(shape, x, chunk));
            run.add(run(shape, modelFile, x, chunk, last, work));
        }
        double limit = Math.min(median(memory), median(read));
        System.out.printf(
                "%-27s %5d %12.0f %15.0f %13.0f %7.2f%n",
                shape + (last ? ",last" : ""), chunk, median(run), median(memory), median(read), median(run) / limit);
    }

    private void measureLengths(LayerShape shape, Path work) {
        LstmModel model = shape.model(new SplittableRandom(1));
        Path x = work.resolve("x.npy"), lengths = work.resolve("lengths.npy");
        write(shape, x);
        int[] valid =
                new SplittableRandom(4).ints(shape.rows(), 1, shape.steps() + 1).toArray();
        try (NpyWriter writer = NpyWriter.create(lengths, true, ElementType.INT32, shape.rows())) {
            ByteBuffer bytes = ByteBuffer.allocate(valid.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asIntBuffer().put(valid);
            writer.write(0, bytes);
            writer.commit();
        }
        try (NpyArray input = NpyArray.open(x);
                NpyArray lengthArray = NpyArray.open(lengths)) {
            new MixedLengths(model, input, lengthArray, Device.parse(device), work).measure(shape, turns);
        }
    }

    private static void write(LayerShape shape, Path x) {
        SplittableRandom random = new SplittableRandom(2);
        float[] row = new float[shape.steps() * shape.inputs()];
        try (NpyWriter writer = NpyWriter.create(x, true, shape.rows(), shape.steps(), shape.inputs())) {
            for (int n = 0; n < shape.rows(); n++) {
                for (int k = 0; k < row.length; k++) {
                    row[k] = (random.nextInt() >>> 8) * 0x1p-23f - 1;
                }
                writer.write((long) n * row.length, FloatBuffer.wrap(row));
            }
            writer.commit();
        }
    }

    /** Returns the rows per second of a session whose chunk is in memory. */
    private double inMemory(LayerShape shape, LstmModel model, int chunk, boolean last) {
        FloatBuffer x = direct((long) chunk * shape.steps() * shape.inputs());
        SplittableRandom random = new SplittableRandom(3);
        for (int k = 0; k < x.limit(); k++) {
            x.put(k, (random.nextInt() >>> 8) * 0x1p-23f - 1);
        }
        LstmInput input = LstmInput.of(Layout.BATCH_MAJOR, x, chunk, shape.steps());
        LstmState state = LstmState.zeros(model, chunk);
        LstmOutput output = last
                ? LstmOutput.statesOnly(input.layout(), chunk, shape.steps(), state)
                : new LstmOutput(
                        input.layout(),
                        chunk,
                        shape.steps(),
                        direct((long) chunk * shape.steps() * shape.units()),
                        state);
        try (LstmEngine engine = LstmEngine.open(Device.parse(device), model);
                LstmSession session = engine.newSession()) {
            session.run(input, output);
            session.run(input, output);
            long start = System.nanoTime();
            for (int k = 0; k < CHUNKS; k++) {
                session.run(input, output);
            }
            return CHUNKS * (double) chunk / (System.nanoTime() - start) * 1e9;
        }
    }

    /** Returns the rows per second of reading alone. */
    private static double reading(LayerShape shape, Path file, int chunk) {
        long row = (long) shape.steps() * shape.inputs();
        FloatBuffer target = direct(chunk * row);
        try (NpyArray x = NpyArray.open(file)) {
            x.read(0, target.clear());
            long start = System.nanoTime();
            int rows = 0;
            for (int k = 0; k < CHUNKS && rows + chunk <= shape.rows(); k++) {
                x.read(rows * row, target.clear());
                rows += chunk;
            }
            return rows / (double) (System.nanoTime() - start) * 1e9;
        }
    }

    /** Returns the rows per second of {@code cellfuse run}, from its first read to its last write. */
    private double run(LayerShape shape, Path model, Path x, int chunk, boolean last, Path work)
            throws IOException, InterruptedException {
        Path json = work.resolve("run.json");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "io.github.cellfuse.cli.CellFuse",
                "run",
                model.toString(),
                x.toString(),
                "-o",
                work.resolve("out.npy").toString(),
                "--json",
                json.toString(),
                "--device",
                device,
                "--batch",
                Integer.toString(chunk),
                "--overwrite",
                "--quiet"));
        if (last) {
            command.addAll(List.of("--output-name", "last"));
        }
        Process process = new ProcessBuilder(command).inheritIO().start();
        if (process.waitFor() != 0) {
            throw new IllegalStateException(String.join(" ", command) + " failed");
        }
        JsonObject report = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        if (report.get("rows").getAsLong() != shape.rows()) {
            throw new IllegalStateException("expected " + shape.rows() + " rows, found " + report);
        }
        return report.get("rows_per_second").getAsDouble();
    }

    private static FloatBuffer direct(long floats) {
        return ByteBuffer.allocateDirect(Math.toIntExact(floats * Float.BYTES))
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void delete(Path work) throws IOException {
        try (Stream<Path> files = Files.walk(work)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        }
    }
}
