package io.github.cellfuse;

import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.format.torch.SafetensorsFile;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What {@code torch.nn.LSTM} answered to a batch, as {@code src/test/python/make_pytorch_cases.py} wrote it.
 *
 * @param name the case's name
 * @param model its weights
 * @param input its batch
 * @param y float32 outputs in the input's layout
 * @param finalState float32 final states
 * @param y64 outputs computed in double from the same weights
 * @param h64 final hidden states computed in double
 * @param c64 final cell states computed in double
 */
public record PyTorchCase(
        String name,
        LstmModel model,
        LstmInput input,
        float[] y,
        LstmState finalState,
        double[] y64,
        double[] h64,
        double[] c64) {

    /** Every case, in the order of its names. */
    public static List<PyTorchCase> all() {
        URI folder = URI.create(Objects.requireNonNull(PyTorchCase.class.getResource("/pytorch/README.md"))
                        .toString())
                .resolve(".");
        try (Stream<Path> files = Files.list(Path.of(folder))) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .sorted()
                    .map(PyTorchCase::read)
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PyTorchCase read(Path path) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            LstmModel model = PyTorchLstm.load(file, Optional.of("lstm"));
            boolean batchFirst = file.metadata().get("batch_first").equals("true");
            long[] shape = file.tensors().get("x").shape();
            int rows = (int) shape[batchFirst ? 0 : 1], steps = (int) shape[batchFirst ? 1 : 0];
            LstmInput input = LstmInput.of(
                    batchFirst ? Layout.BATCH_MAJOR : Layout.TIME_MAJOR,
                    FloatBuffer.wrap(file.readFloats("x")),
                    rows,
                    steps);
            if (file.tensors().containsKey("lengths")) {
                input = input.withLengths(lengths(path, rows));
            }
            if (file.tensors().containsKey("h0")) {
                input = input.withInitialState(new LstmState(rows, file.readFloats("h0"), file.readFloats("c0")));
            }
            return new PyTorchCase(
                    path.getFileName().toString().replace(".safetensors", ""),
                    model,
                    input,
                    file.readFloats("y"),
                    new LstmState(rows, file.readFloats("h_n"), file.readFloats("c_n")),
                    doubles(path, "y64"),
                    doubles(path, "h_n64"),
                    doubles(path, "c_n64"));
        }
    }

    private static int[] lengths(Path path, int rows) {
        ByteBuffer bytes = bytes(path, "lengths");
        int[] lengths = new int[rows];
        for (int row = 0; row < rows; row++) {
            lengths[row] = Math.toIntExact(bytes.getLong());
        }
        return lengths;
    }

    private static double[] doubles(Path path, String tensor) {
        ByteBuffer bytes = bytes(path, tensor);
        double[] values = new double[bytes.remaining() / Double.BYTES];
        bytes.asDoubleBuffer().get(values);
        return values;
    }

    /**
     * A tensor's bytes: the product's reader gives float32 alone, and a judge of 1e-12 needs the doubles themselves.
     */
    private static ByteBuffer bytes(Path path, String tensor) {
        try {
            ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
            int header = Math.toIntExact(file.getLong(0));
            String json = new String(file.array(), 8, header, StandardCharsets.UTF_8);
            java.util.regex.Matcher offsets = java.util.regex.Pattern.compile(
                            "\"" + tensor + "\":\\{[^}]*\"data_offsets\":\\[(\\d+),(\\d+)\\]")
                    .matcher(json);
            if (!offsets.find()) {
                throw new IllegalStateException(path + ": no tensor " + tensor);
            }
            int start = Integer.parseInt(offsets.group(1)), end = Integer.parseInt(offsets.group(2));
            return file.slice(8 + header + start, end - start).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
