package io.github.cellfuse.format;

import io.github.cellfuse.onnx.OnnxFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The format of a model file. */
public enum ModelFormat {
    /** Tensors under the names of {@code torch.nn.LSTM}. */
    SAFETENSORS(".safetensors"),
    /** A model that Keras saved: a {@code .keras} archive or an HDF5 file. */
    KERAS(".keras", ".h5", ".hdf5"),
    /** An ONNX graph. */
    ONNX(".onnx");

    /** The first bytes of an archive and of an HDF5 file. */
    private static final List<byte[]> KERAS_STARTS =
            List.of(new byte[] {'P', 'K', 3, 4}, new byte[] {(byte) 0x89, 'H', 'D', 'F'});

    private final List<String> suffixes;

    ModelFormat(String... suffixes) {
        this.suffixes = List.of(suffixes);
    }

    /**
     * Returns the format of a file. A name that ends in {@code .onnx} decides. Otherwise the first bytes tell Keras
     * files, and the fields of its outermost message an ONNX model; everything else is taken for {@code .safetensors},
     * also the index of several such files. A file that can't be opened is judged by its name: the format's reader
     * reports the error.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file is a model of a known format that CellFuse doesn't
     *     read, such as a PyTorch checkpoint; the message says what to do
     */
    public static ModelFormat of(Path path) {
        OtherFormat.of(path).ifPresent(other -> {
            throw other.refusal(path);
        });
        if (ONNX.matches(path)) {
            return ONNX;
        }
        byte[] start = start(path);
        boolean isKeras = KERAS_STARTS.stream().anyMatch(bytes -> Arrays.equals(bytes, start)) || KERAS.matches(path);
        return isKeras ? KERAS : OnnxFile.isModel(path) ? ONNX : SAFETENSORS;
    }

    /** Returns whether the name of a file ends in one of this format's suffixes, in upper or lower case. */
    public boolean matches(Path path) {
        String name = path.toString().toLowerCase(Locale.ROOT);
        return suffixes.stream().anyMatch(name::endsWith);
    }

    /** Returns the suffix that a file of this format usually has, such as {@code .onnx}. */
    public String suffix() {
        return suffixes.get(0);
    }

    private static byte[] start(Path path) {
        if (!Files.isRegularFile(path)) {
            return new byte[0];
        }
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(KERAS_STARTS.get(0).length);
        } catch (IOException e) {
            return new byte[0];
        }
    }

    /** Returns the name in lower case, as JSON spells it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
